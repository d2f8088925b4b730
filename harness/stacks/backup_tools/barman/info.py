"""What is known of one base backup from Barman's `backup.info`. Pure functions."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.stacks.capabilities.backups import Backup
from harness.stacks.parts import wal
from harness.stacks.parts.bucket import Stored


def from_barman(id: str, info: str, objects: list[Stored]) -> Backup | None:
    """From the content of `backup.info` and a listing of the backup's objects; None while it is not complete."""
    facts = dict(line.split("=", 1) for line in info.splitlines() if "=" in line)
    if facts.get("status") != "DONE":
        return None
    return Backup(
        id=id,
        began=_moment(facts["begin_time"]),
        ended=_moment(facts["end_time"]),
        first_file=facts["begin_wal"],
        begin=wal.position(facts["begin_xlog"]),
        end=wal.position(facts["end_xlog"]),
        objects=tuple(sorted(one.key for one in objects)),
        size=sum(one.size for one in objects),
    )


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC)
