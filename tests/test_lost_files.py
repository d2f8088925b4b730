"""Files that a database server loses: they lie beside its volume, and are put back where that is still right."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import NotReady
from harness.stacks.capabilities.database import FilesLost
from harness.stacks.parts.lost_files import LostFiles

NOWHERE = "host=127.0.0.1 port=1 connect_timeout=1"  # nobody has to be asked for what it has lost
BOTH: tuple[FilesLost, ...] = ("control file", "log of changes")


def made(data: Path) -> str:
    if not data.exists():
        raise NotReady("there is no database", hint="")
    return (data / "PG_VERSION").read_text()


@pytest.fixture
def files(tmp_path: Path) -> LostFiles:
    fill(tmp_path / "data", "first")
    return LostFiles(tmp_path / "data", tmp_path / "aside", NOWHERE, lambda: made(tmp_path / "data"))


def fill(data: Path, made: str) -> None:
    (data / "global").mkdir(parents=True)
    (data / "global" / "pg_control").write_text(made)
    (data / "pg_wal").mkdir()
    (data / "pg_wal" / "000000010000000000000001").write_text(made)
    (data / "PG_VERSION").write_text(made)


@pytest.mark.parametrize("which", BOTH)
def test_what_is_lost_comes_back_as_it_was(files: LostFiles, which: FilesLost) -> None:
    """Twice is harmless, and so is putting back what was never lost."""
    assert files.lost(which) == "" and files.put_back(which) is None
    for _ in range(2):
        assert files.lose(which) or files.lost(which)
        assert files.lost(which).endswith(" is gone")
    other = next(each for each in BOTH if each != which)
    assert files.lost(other) == ""
    assert files.put_back(which) is not None and files.put_back(which) is None
    assert files.lost(which) == ""
    assert (files.data / "pg_wal" / "000000010000000000000001").read_text() == "first"


def test_nothing_is_put_into_data_that_was_made_anew(files: LostFiles) -> None:
    """It has files of its own; while there is none at all, that is told."""
    files.lose("control file")
    shutil.rmtree(files.data)
    assert files.lost("control file") == "the server has no data at all now" and files.put_back("control file") is None
    fill(files.data, "second")
    assert files.lost("control file") == "" and files.put_back("control file") is None
    assert (files.data / "global" / "pg_control").read_text() == "second"
    assert files.lose("control file") and files.lost("control file") == "pg_control is gone"
    files.put_back("control file")
    assert (files.data / "global" / "pg_control").read_text() == "second"


def test_another_file_in_its_place_is_told(files: LostFiles) -> None:
    """Somebody has made one by hand: it is left as it is."""
    files.lose("control file")
    (files.data / "global" / "pg_control").write_text("by pg_resetwal")
    assert "is another one than was lost" in files.lost("control file")
    assert files.put_back("control file") is None
    assert (files.data / "global" / "pg_control").read_text() == "by pg_resetwal"
