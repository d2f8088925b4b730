"""When a database server may go on along what another one has written, by their timelines."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.stacks.capabilities.backups import Branch
from harness.stacks.parts.histories import History, on_disk

FIRST, SECOND = Branch(1, 100), Branch(2, 200)
PROMOTED = History(3, (FIRST, SECOND))  # the other region, which left timeline 2 at 200


@pytest.mark.parametrize(
    ("own", "equal", "begins"),
    [
        (History(2, (FIRST,)), False, True),  # it followed on timeline 2, and goes on at 200
        (History(1, ()), False, True),
        (PROMOTED, True, True),  # it follows the other region already
        (PROMOTED, False, False),  # two were promoted at one place: the same number, and not the same timeline
        (History(3, (FIRST, Branch(2, 190))), True, False),
        (History(4, (FIRST, SECOND, Branch(3, 300))), True, False),  # further than the other
        (History(2, (Branch(1, 90),)), True, False),
    ],
)
def test_a_copy_goes_on_along_another_where_all_it_descends_from_is_the_same(
    own: History, *, equal: bool, begins: bool
) -> None:
    """An equal timeline is the same one only to a copy that follows the other already."""
    assert own.begins(PROMOTED, equal=equal) is begins


def test_where_another_history_left_a_timeline() -> None:
    """Nowhere, where that goes on along it."""
    assert History(2, (FIRST,)).left_at(PROMOTED) == SECOND.until
    assert PROMOTED.left_at(PROMOTED) is None


def test_a_server_that_is_down_says_its_history_by_its_files(tmp_path: Path) -> None:
    """The newest counts; without any it is on the first timeline."""
    assert on_disk(tmp_path) == History(1, ())
    wal = tmp_path / "pg_wal"
    wal.mkdir()
    (wal / "00000002.history").write_text("1\t0/64\tno recovery target specified\n")
    (wal / "00000003.history").write_text("1\t0/64\tno recovery target specified\n2\t0/C8\tno recovery target\n")
    (wal / "000000030000000000000001").touch()
    assert on_disk(tmp_path) == PROMOTED
