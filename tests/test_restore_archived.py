"""Which pieces of an archive belong to a backup, and what is missing of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.restores.sources import archived
from harness.stacks.capabilities.backups import Branch

MB = 1 << 20
USUAL = 16 * MB


def names(line: int, *numbers: int, size: int = USUAL) -> list[str]:
    return [archived.named(line, number, size) for number in numbers]


@pytest.mark.parametrize("size", [1 * MB, 16 * MB, 64 * MB, 1024 * MB])
def test_a_name_and_its_number(size: int) -> None:
    """One is the other, whatever a segment holds."""
    for number in (0, 1, 3, 255, 256, 5000):
        assert archived.number(archived.named(7, number, size), size) == number


def test_the_size_of_a_segment_is_told_by_a_position_and_its_name() -> None:
    """Where several are possible it is the usual one."""
    assert archived.size_of({"000000010000000000000004": "0/4000028"}) == USUAL
    assert archived.size_of({"000000010000000000000001": "0/4000028"}) == 64 * MB
    assert archived.size_of({"000000010000000000000000": "0/28"}) == USUAL
    assert archived.size_of({"000000010000000000000003": "0/4000000"}) == USUAL
    assert archived.size_of({}) == USUAL


def test_what_a_backup_wants_begins_with_its_first_segment() -> None:
    """No older one, no older timeline's, nothing else than segments and histories."""
    have = [*names(1, 1, 2, 3, 4), *names(2, 3, 4), "00000002.history", "000000010000000000000003.00000028.backup"]
    assert archived.wanted(have, first=names(1, 3)[0]) == sorted([*names(1, 3, 4), *names(2, 3, 4), "00000002.history"])
    assert archived.wanted(have, first=names(2, 4)[0]) == sorted([*names(2, 4), "00000002.history"])


def test_an_archive_without_a_gap() -> None:
    """Its path is all of it."""
    have = names(1, 3, 4, 5)
    assert archived.along(have, first=have[0], size=USUAL, histories={}) == (have, [])


def test_a_gap_is_no_end() -> None:
    """What is missing in the middle, or at the beginning, is named; the end is the last that there is."""
    path, gaps = archived.along(names(1, 4, 5, 9), first=names(1, 3)[0], size=USUAL, histories={})
    assert path == names(1, 4, 5, 9)
    assert [gap.split(": ")[0] for gap in gaps] == [
        "000000010000000000000003 is missing in the middle of the archive",
        "000000010000000000000006 to 000000010000000000000008 (3 pieces) are missing in the middle of the archive",
    ]


def test_a_later_timeline_is_followed() -> None:
    """From the segment in which it branched; what the old one wrote behind it is not read."""
    histories = {2: (Branch(1, 5 * USUAL + 4000),)}
    have = [*names(1, 3, 4, 5, 6, 7), *names(2, 5, 6)]
    path, gaps = archived.along(have, first=names(1, 3)[0], size=USUAL, histories=histories)
    assert (path, gaps) == ([*names(1, 3, 4), *names(2, 5, 6)], [])
    without, _ = archived.along([*names(1, 3, 4, 5, 6), *names(2, 6)], first=names(1, 3)[0], size=USUAL,
                                histories=histories)  # fmt: skip  # arguments in groups
    assert without == [*names(1, 3, 4, 5), *names(2, 6)]


def test_a_timeline_is_followed_by_its_history_alone() -> None:
    """And not behind one that is missing, as PostgreSQL does it."""
    assert archived.newest({2, 3, 5}, first=names(1, 1)[0]) == 3
    assert archived.newest({3}, first=names(1, 1)[0]) == 1
    assert archived.newest({2, 3}, first=names(3, 1)[0]) == 3


def test_nothing_of_an_archive_is_there() -> None:
    """Then there is no path, and the backup lacks all that it needs."""
    assert archived.along([], first=names(1, 3)[0], size=USUAL, histories={}) == ([], [])
    assert archived.lacking([], start=names(1, 3)[0], stop=names(1, 4)[0], size=USUAL) == names(1, 3, 4)
    assert archived.lacking(names(1, 3, 4), start=names(1, 3)[0], stop=names(1, 4)[0], size=USUAL) == []


def test_histories_are_read_where_they_can_be(tmp_path: Path) -> None:
    """One that is damaged is left out."""
    (tmp_path / "00000002.history").write_text("1\t0/5000FA0\tno recovery target specified\n")
    (tmp_path / "00000003.history").write_text("one\ttwo\tthree\n")
    assert archived.histories(tmp_path) == {2: (Branch(1, 0x5000FA0),)}


def test_a_digest_is_of_the_content(tmp_path: Path) -> None:
    """The SHA-1 that pgBackRest has in the name."""
    (tmp_path / "a").write_bytes(b"abc")
    assert archived.sha1(tmp_path / "a") == "a9993e364706816aba3e25717850c26c9cd0d89d"
