"""What is known of one base backup: Barman's `backup.info`, and our own record of its digests. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harness.clock import utc_text
from harness.stacks import Backup
from harness.stacks.local.bucket import Stored


def from_barman(id: str, info: str, objects: list[Stored]) -> Backup | None:
    """From the content of `backup.info` and a listing of the backup's objects; None while it is not complete."""
    facts = dict(line.split("=", 1) for line in info.splitlines() if "=" in line)
    if facts.get("status") != "DONE":
        return None
    return Backup(
        id=id,
        began=_moment(facts["begin_time"]),
        ended=_moment(facts["end_time"]),
        begin_segment=facts["begin_wal"],
        begin_lsn=facts["begin_xlog"],
        end_lsn=facts["end_xlog"],
        objects=tuple(sorted(one.key for one in objects)),
        size=sum(one.size for one in objects),
    )


def record(backup: Backup, digests: Mapping[str, str]) -> bytes:
    """What is stored beside a backup: its facts and the SHA-256 of each of its objects."""
    facts = {
        "v": 1,
        "id": backup.id,
        "began": utc_text(backup.began),
        "ended": utc_text(backup.ended),
        "begin_segment": backup.begin_segment,
        "begin_lsn": backup.begin_lsn,
        "end_lsn": backup.end_lsn,
        "size": backup.size,
        "sha256": dict(digests),
    }
    return json.dumps(facts, indent=1).encode()


def recorded(content: bytes | None) -> dict[str, Any]:
    """A record that was read back; {} where there is none or it is not one."""
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("v") == 1 else {}


def from_record(facts: Mapping[str, Any]) -> Backup:
    return Backup(
        id=facts["id"],
        began=_moment(facts["began"]),
        ended=_moment(facts["ended"]),
        begin_segment=facts["begin_segment"],
        begin_lsn=facts["begin_lsn"],
        end_lsn=facts["end_lsn"],
        objects=tuple(sorted(facts["sha256"])),
        size=facts["size"],
    )


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC)
