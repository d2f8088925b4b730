"""What a command writes where it was told to is whole, or what was there before stays as it is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import drdrill
from harness.cli.output import put, put_all, put_outside
from harness.errors import Exit, Refused
from tests.made_packs import series


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk on which a file comes to some bytes and no further."""
    write = Path.write_bytes

    def torso(path: Path, content: bytes) -> int:
        write(path, content[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", torso)


def test_what_was_there_stays_on_a_full_disk(tmp_path: Path, full: None) -> None:
    """The old file is untouched, nothing new lies beside it, and the error names the file and no healing."""
    page = tmp_path / "page.html"
    page.write_text("the old page")
    with pytest.raises(Refused) as caught:
        put(page, b"the new page")
    assert caught.value.message == f"{page}: No space left on device"
    assert "elsewhere" in caught.value.hint and "heal" not in str(caught.value)
    assert page.read_text() == "the old page" and list(tmp_path.iterdir()) == [page]


def test_a_folder_of_reports_is_whole_or_not_there(tmp_path: Path, full: None) -> None:
    """Where one file cannot be written, a folder that was made for it is taken away again."""
    with pytest.raises(Refused):
        put_all(tmp_path / "pack.reports", {"report.html": b"page", "junit.xml": b"xml"})
    assert list(tmp_path.iterdir()) == []


def test_a_link_a_mode_and_a_device_stay_what_they_are(tmp_path: Path) -> None:
    """A link still leads to the file, the file keeps who may read it, and a device is no file."""
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    put(link, b"new")
    assert link.is_symlink() and file.read_text() == "new" and file.stat().st_mode & 0o777 == 0o640
    put(Path(os.devnull), b"anything")
    assert not Path(os.devnull).is_file()
    with pytest.raises(Refused, match="/dev/full: No space left on device"):
        put(Path("/dev/full"), b"anything")


@pytest.mark.parametrize(
    "words", [("history", "--output"), ("gate", "--junit"), ("calendar", "--ics")], ids=lambda words: words[0]
)
def test_no_command_destroys_a_file_on_a_full_disk(
    tmp_path: Path, words: tuple[str, str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Each command that writes a file refuses, and leaves the old one."""
    evidence, file = tmp_path / "evidence", tmp_path / "file"
    series(evidence, length=1)
    file.write_text("old")
    request.getfixturevalue("full")
    done = CliRunner().invoke(drdrill, [words[0], "--evidence", str(evidence), words[1], str(file)])
    assert isinstance(done.exception, Refused) and done.exception.exit == Exit.REFUSED
    assert str(file) in done.exception.message and file.read_text() == "old"


def test_a_file_of_another_kind_is_not_written_over(tmp_path: Path) -> None:
    """A calendar is written over a calendar, and never over a page or a plan that has its name."""
    path = tmp_path / "x.ics"
    put_outside(path, b"BEGIN:VCALENDAR\n1", tmp_path / "evidence")
    put_outside(path, b"BEGIN:VCALENDAR\n2", tmp_path / "evidence")
    path.write_text("# README")
    with pytest.raises(Refused, match="of another kind"):
        put_outside(path, b"BEGIN:VCALENDAR\n3", tmp_path / "evidence")
    assert path.read_text() == "# README"
