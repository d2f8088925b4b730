"""What calendar and gate need of the middle of a journal: what was restored, what was declared, which reports are owed.

Forgiving, as `harness.schedule.runs`, which reads the rest: a line that cannot be read says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from harness.evidence import files, verify
from harness.features.declared import Declaration

YEARS = range(1970, 9000)  # a stamp of another year is damage, and no time zone could move it by a day
MOST = 10**18  # bytes; no database is larger
KINDS = ("scenario.begin", "recovery.reached", "restore.end", "declared", "report.due")
MARKS = tuple(f'"{kind}"'.encode() for kind in KINDS)  # a line without one of them is not parsed
Data = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """By the short names of scenarios.

    `restored`: bytes of the largest database that was restored from backups in it, as that database said itself once it
    had recovered, or, restored beside, as its data directory took. A scenario that restored nothing is not there.
    """

    restored: Mapping[str, int] = field(default_factory=dict)
    declared: Mapping[str, Declaration] = field(default_factory=dict)
    reports_due: tuple[datetime, ...] = ()


def read(journal: Path) -> Told:
    """Of a journal that cannot be read nothing is told."""
    restored: dict[str, int] = {}
    declared: dict[str, Declaration] = {}
    due: list[datetime] = []
    scenario = ""
    try:
        for kind, data in _lines(journal):
            if kind == "scenario.begin":
                scenario = str(data.get("scenario", ""))
            elif kind in ("recovery.reached", "restore.end"):
                beside = kind == "restore.end" and data.get("outcome") == "restored"
                size = data.get("size") if beside else data.get("bytes")
                if scenario and type(size) is int and 0 < size <= MOST:
                    restored[scenario] = max(size, restored.get(scenario, 0))
            elif kind == "declared":
                if found := _declaration(data):
                    declared.setdefault(found.scenario, found)
            elif moment := moment_of(data.get("due")):
                due.append(moment)
    except OSError:
        return Told()
    return Told(restored, declared, tuple(due))


def moment_of(text: object) -> datetime | None:
    """A stamp of a journal; None where it is none, or damage."""
    try:
        found = datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if found.year in YEARS else None


def _lines(journal: Path) -> Iterator[tuple[str, Data]]:
    """Those of `KINDS`. Errors: `OSError`."""
    for raw in files.lines(journal, largest=files.LARGEST):
        if not any(mark in raw for mark in MARKS):
            continue
        try:
            line = files.parsed(raw)
            kind, data = line["kind"], line["data"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if kind in KINDS and isinstance(data, dict):
            yield kind, data


def _declaration(data: Data) -> Declaration | None:
    try:
        until = date.fromisoformat(str(data["until"]))
        scenario, who, why = (verify.shown(data[name]) for name in ("scenario", "who", "why"))
    except (ValueError, KeyError):
        return None
    return Declaration(scenario, who, why, until, verify.shown(data.get("environment") or ""))
