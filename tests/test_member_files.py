"""A member's own files on the embedded stack: its volume is lost and given anew, and its log read as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.faults.lose_volumes import LoseVolumes
from harness.stacks import PlainRegion, Stack
from harness.stacks.parts import wal
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.postgres import Roles
from harness.system.command import Commands, Done
from harness.system.recorder import Memory
from tests.one_host import one_host

OLD, NEW = wal.segment_name(1, 4), wal.segment_name(2, 5)


def member(folder: Path, zone: str = "a", *, commands: Commands | None = None) -> PatroniMember:
    """One that never ran, with a data directory."""
    made = PatroniMember(
        one_host(folder, commands or Commands(Memory(), label="x"), ourselves=True), zone=zone, roles=Roles(),
        sockets=folder, stores=(), settings=dict, synchronous={},
    )  # fmt: skip  # arguments in groups
    (made.data / "pg_wal").mkdir(parents=True)
    return made


def test_lost_volumes_are_gone_and_come_back_empty(tmp_path: Path) -> None:
    """It bites only when all are gone; healing gives empty ones, and does no harm when repeated."""
    members = [member(tmp_path, zone) for zone in "ab"]
    cluster = SimpleNamespace(members=members, leader="", healthy="")
    stack = cast(Stack, SimpleNamespace(regions=[PlainRegion("r", "ab", [cluster])]))
    fault = LoseVolumes()
    undo = fault.prepare(stack)
    fault.heal(stack, undo)
    assert not fault.took_effect(stack, undo) and all(one.has_data() for one in members)
    fault.inject(stack, undo)
    assert fault.took_effect(stack, undo) == "no data directory and no server left on patroni-a, patroni-b"
    fault.heal(stack, undo)
    fault.heal(stack, undo)
    assert [list(one.volume.iterdir()) for one in members] == [[], []]
    members[0].data.mkdir()
    assert not fault.took_effect(stack, undo)


class Shell(Commands):
    """Runs the shell, and answers for pg_waldump with the names and the content of what it would read."""

    def __init__(self) -> None:
        super().__init__(Memory(), label="x")

    def run(self, argv: Sequence[Any], **how: Any) -> Done:
        if argv[0] == "sh":
            return super().run(argv, **how)
        folder = Path(argv[argv.index("--path") + 1])
        said = " ".join(f"{path.name}={path.read_text()}" for path in sorted(folder.iterdir()))
        return Done(tuple(argv), 0, said, "", timedelta(0))


def test_what_is_kept_no_more_is_fetched_and_all_is_read_as_one_timeline(tmp_path: Path) -> None:
    """The server's own file comes first, and what was fetched ahead is not taken for the log."""
    one = member(tmp_path, commands=Shell())
    (one.data / "pg_wal" / NEW).write_text("kept")
    fetch = f"mkdir fetched_wal && echo %f >>{tmp_path}/fetched && printf %f >%p"
    for _ in range(2):
        done = one.read_changes("--end", "0/1", files=[OLD, NEW], fetch=fetch)
        assert done.out == f"{wal.segment_name(2, 4)}={OLD} {NEW}=kept"
        assert done.argv[-4:] == ("--timeline", "2", "--end", "0/1")
    assert (tmp_path / "fetched").read_text() == f"{OLD}\n"  # once


def test_what_an_earlier_reading_left_is_not_read(tmp_path: Path) -> None:
    """A link of a drill before, to a file that is there no more: pg_waldump gives up where it opens that first."""
    one = member(tmp_path, commands=Shell())
    for name in (wal.segment_name(1, 3), NEW):
        (one.data / "pg_wal" / name).write_text("kept")
        assert one.read_changes(files=[name], fetch="exit 1").out == f"{name}=kept"
        (one.data / "pg_wal" / name).unlink()


def test_a_segment_that_cannot_be_fetched_is_named(tmp_path: Path) -> None:
    """pg_waldump is not asked then, and half a file is never read."""
    one = member(tmp_path, commands=Shell())
    for _ in range(2):
        done = one.read_changes(files=[OLD, NEW], fetch="echo half >%p; echo %f is gone >&2; exit 1")
        assert (done.exit, done.err) == (1, f"{OLD} is gone\n")


@pytest.mark.parametrize("gone", [True, False])
def test_a_segment_that_is_recycled_in_between_is_fetched_then(tmp_path: Path, gone: bool) -> None:
    """A link to a file of the server that is there no more is not taken for a segment."""
    one = member(tmp_path, commands=Shell())
    (one.data / "pg_wal" / NEW).write_text("kept")
    one.read_changes(files=[NEW], fetch="false")
    if gone:
        (one.data / "pg_wal" / NEW).unlink()
    done = one.read_changes(files=[NEW], fetch="printf fetched >%p")
    assert done.out == f"{NEW}={'fetched' if gone else 'kept'}"


def test_whether_a_log_goes_past_a_position_is_read_from_its_segment(tmp_path: Path) -> None:
    """Where that segment is not there, nothing of it was written, and pg_waldump is not left to wait for it."""
    one = member(tmp_path, commands=Shell())
    assert not one.has_written(2, past=5 * wal.SEGMENT + 1)
    (one.data / "pg_wal" / NEW).write_text("a record")
    assert one.has_written(2, past=5 * wal.SEGMENT + 1)
    assert not one.has_written(1, past=5 * wal.SEGMENT + 1)
