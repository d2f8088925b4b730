"""How far recovery may and must go where the archive holds several timelines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from drills.reconciliation import RECONCILIATION
from harness.procedures.reconciliation import ReconciledState
from harness.procedures.restore_database import RecoveryFailed, RestoreDatabase
from harness.stacks import Stack
from harness.stacks.capabilities.backups import ArchivedFile, Backup, Branch
from harness.stacks.capabilities.database import RestoreTarget
from harness.stacks.parts import wal
from harness.system.recorder import Memory

NOW = datetime(2026, 11, 23, 22, 3, 44, tzinfo=UTC)
BACKUP = Backup("b", NOW, NOW, wal.segment_name(1, 3), "0/3000028", "0/3000100", (), 0)
PAST = (Branch(1, 5 * wal.SEGMENT + 0x100),)


def segment(timeline: int, number: int, *, damage: str = "") -> ArchivedFile:
    name = wal.segment_name(timeline, number)
    return ArchivedFile(name, f"wals/{name}.gz", 1, damage, "", written=True)


HISTORY = ArchivedFile("00000002.history", "wals/00000002.history.gz", 1, "", "", False, PAST)
RESTORED = (*PAST, Branch(2, 7 * wal.SEGMENT))  # what a database descends from that was recovered along timeline 2
# The old leader, cut off, has archived 8 and 9 of its own after timeline 2 had branched in 5.
OLD, NEW = [segment(1, number) for number in range(3, 10)], [segment(2, number) for number in range(5, 8)]


@dataclass
class Archive:
    """A stack whose archive holds these files."""

    files: list[ArchivedFile]

    archived = restore_version = fetch_command = ""  # not asked here

    def archive(self, *, since: str) -> list[ArchivedFile]:
        return sorted((file for file in self.files if file.name >= since), key=lambda file: file.name)


@dataclass
class Restored:
    log: Path = Path("/nonexistent")


def checked(files: list[ArchivedFile]) -> tuple[RestoreDatabase, dict[str, Any]]:
    """A restoration that has checked its archive, and the recovery that it ordered."""
    recorder = Memory()
    before = ReconciledState(last=0, position="0/0", history=1, values={}, size={})
    restoration = RestoreDatabase(cast(Stack, Archive(files)), RECONCILIATION, before, recorder)
    restoration._backup = BACKUP
    restoration.restored = cast(RestoreTarget, Restored())
    restoration._check_archive()
    return restoration, next(data for kind, data in recorder.facts if kind == "recovery.ordered")


def test_what_an_old_leader_archived_behind_the_branch_is_not_asked_for() -> None:
    """Recovery has to reach the newest timeline's last segment, and a higher number of the old one is none of it."""
    restoration, ordered = checked([*OLD, HISTORY, *NEW])
    assert (ordered["value"], ordered["declared_early"]) == (wal.segment_name(2, 7), False)
    restoration._must_have_reached(wal.lsn(7 * wal.SEGMENT + 0x60), RESTORED)
    with pytest.raises(RecoveryFailed, match=f"before the last archived segment {wal.segment_name(2, 7)}"):
        restoration._must_have_reached(wal.lsn(7 * wal.SEGMENT - 1), RESTORED)


def test_recovery_that_stayed_on_the_old_timeline_has_failed() -> None:
    """However far it went."""
    restoration, _ = checked([*OLD, HISTORY, *NEW])
    with pytest.raises(RecoveryFailed, match="followed timeline 1, and the archive's newest is 2"):
        restoration._must_have_reached(wal.lsn(9 * wal.SEGMENT), (Branch(1, 9 * wal.SEGMENT),))


def test_a_timeline_without_its_history_is_not_followed() -> None:
    """Nobody can recover along it: the timeline before it is the newest."""
    restoration, ordered = checked([*OLD, *NEW])
    assert ordered["value"] == wal.segment_name(1, 9)
    restoration._must_have_reached(wal.lsn(9 * wal.SEGMENT), (Branch(1, 9 * wal.SEGMENT),))


@pytest.mark.parametrize(
    ("timeline", "number", "before", "last"),
    [(1, 8, "", (2, 7)), (1, 4, (1, 4), (1, 3)), (2, 5, (2, 5), (1, 4)), (2, 7, (2, 7), (2, 6))],
    ids=["behind the branch", "before the branch", "the first of the new", "the last of the new"],
)
def test_only_damage_on_the_way_ends_recovery(
    timeline: int, number: int, before: tuple[int, int] | str, last: tuple[int, int]
) -> None:
    """And then it ends before the first that is damaged, by its place and not by its name."""
    files = [file for file in (*OLD, HISTORY, *NEW) if file.name != wal.segment_name(timeline, number)]
    restoration, ordered = checked([*files, segment(timeline, number, damage="digest differs")])
    assert restoration._before == (wal.segment_name(*before) if isinstance(before, tuple) else "")
    assert wal.segment_at(ordered["value"]) == last
    assert ordered["declared_early"] is bool(before)
    restoration._must_have_reached(wal.lsn(last[1] * wal.SEGMENT), RESTORED)
