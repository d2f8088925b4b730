"""What earlier runs have seen of a restore: how long it took, and how much it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness.evidence.lines import NAME as JOURNAL

MOST = 20  # packs that are looked at, newest first
KIND = "restore.end"


@dataclass(frozen=True)
class Earlier:
    """The last restore of a database that went well."""

    seconds: float
    size: int  # bytes, once it was restored

    @property
    def length(self) -> timedelta:
        return timedelta(seconds=round(self.seconds))


def earlier(evidence: Path, database: str) -> Earlier | None:
    """From the newest packs of a folder; None where none has one. A pack that cannot be read is passed over: nothing is
    judged by it."""
    packs = sorted((path for path in evidence.glob("*/" + JOURNAL) if path.is_file()), reverse=True)
    for path in packs[:MOST]:
        try:
            text = path.read_text(encoding="utf-8")
            lines = [json.loads(line) for line in text.splitlines() if KIND in line]
            for line in reversed(lines):
                data = line["data"]
                if line["kind"] == KIND and data["database"] == database and data["outcome"] == "restored":
                    return Earlier(float(data["seconds"]), int(data["size"]))
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return None
