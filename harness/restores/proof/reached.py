"""How far a recovery came, by the server's own log and by the server; and both sides of a point in time.

The wording is that of PostgreSQL 13 to 18, in English; times carry their offset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from harness.restores import Look, Point
from harness.restores.proof import MARK, Connect
from harness.restores.proof.heartbeat import Beats

SERVER = """
SELECT pg_is_in_recovery(), pg_last_xact_replay_timestamp(), pg_last_wal_replay_lsn()::text,
  (SELECT timeline_id FROM pg_control_checkpoint()), current_setting('wal_segment_size')"""
SEGMENT = 16 << 20  # bytes, where nobody says otherwise

_LSN = r"([0-9A-F]+/[0-9A-F]+)"
_STOPPED = re.compile(r"LOG:\s+recovery stopping (before|after) (commit|abort) of transaction (\d+), time (.+)$")
_STOPPED_LSN = re.compile(rf'LOG:\s+recovery stopping (before|after) WAL location \(LSN\) "{_LSN}"')
_STOPPED_NAME = re.compile(r'LOG:\s+recovery stopping at restore point "(.*)", time (.+)$')
_STOPPED_EARLIEST = re.compile(r"LOG:\s+recovery stopping after reaching consistency")
_REDO = re.compile(rf"LOG:\s+redo done at {_LSN}")
_CONSISTENT = re.compile(rf"LOG:\s+consistent recovery state reached at {_LSN}")
_LAST = re.compile(r"LOG:\s+last completed transaction was at log time (.+)$")
_TIMELINE = re.compile(r"LOG:\s+selected new timeline ID: (\d+)")
_RESTORED = re.compile(r'LOG:\s+restored log file "([0-9A-F]{24})" from archive')
_ENDED = "recovery ended before configured recovery target was reached"
_TOO_SOON = "requested recovery stop point is before consistent recovery point"


@dataclass(frozen=True)
class Reached:
    """What became of a recovery. Times are ISO, in UTC; what is not known is empty, or 0.

    `stopped`: where it stopped by order: side (before, after, at), xid, time, lsn, name, as far as said.
    `too_soon`: the backup itself ended after the point. `fetched`: the last piece of the archive that was brought.
    `complete`: the server says that it is through with it.
    """

    at: str = ""
    lsn: str = ""
    timeline: int = 0
    stopped: dict[str, str] = field(default_factory=dict)
    ended_early: bool = False
    too_soon: bool = False
    fetched: str = ""
    consistent: str = ""
    complete: bool = False
    segment: int = SEGMENT

    @property
    def stopped_before(self) -> dict[str, str]:
        """What is not replayed any more, as the log names it."""
        if self.stopped.get("side") != "before":
            return {}
        return {word: self.stopped[word] for word in ("xid", "time", "lsn") if self.stopped.get(word)}

    def line(self, point: Point, archive_end: str) -> dict[str, Any]:
        """The fields of `restore.reached`."""
        ordered = {"time": point.time.isoformat() if point.time else "", "lsn": point.lsn, "xid": point.xid,
                   "name": point.name}  # fmt: skip  # one line of words
        return {
            "point": point.said, "ordered": {word: value for word, value in ordered.items() if value},
            "at": self.at, "lsn": self.lsn, "timeline": self.timeline, "archive_end": archive_end,
            "stopped_before": self.stopped_before, "ended_early": self.ended_early,
        }  # fmt: skip  # as the journal has it

    @property
    def end(self) -> str:
        """Where it ended, in words."""
        where = [f"the last transaction is of {self.at}" if self.at else "no transaction was replayed"]
        where += [f"at {self.lsn}"] if self.lsn else []
        return ", ".join(where)


def reached(log: str, connect: Connect | None = None) -> Reached:
    """`connect` None, or a server that is gone: what the log alone says."""
    found = _read(log)
    if connect is None:
        return found
    try:
        with connect("postgres") as connection:
            row = connection.execute(MARK + SERVER).fetchone()
    except psycopg.Error:
        return found
    recovers, at, lsn, timeline, segment = row
    return Reached(
        at=found.at or (_iso(at) if at else ""),
        lsn=(lsn or "") if recovers else (found.lsn or lsn or ""),
        timeline=found.timeline or int(timeline or 0),
        stopped=found.stopped, ended_early=found.ended_early, too_soon=found.too_soon, fetched=found.fetched,
        consistent=found.consistent, complete=found.complete, segment=_bytes(str(segment)),
    )  # fmt: skip  # as the log has it


def _read(log: str) -> Reached:
    values: dict[str, Any] = {}
    for line in log.splitlines():
        values |= _of(line)
    return Reached(**values)


def _of(line: str) -> dict[str, Any]:
    """What one line says, by the fields of `Reached`."""
    if stopped := _stopped(line):
        return {"stopped": stopped}
    for words, name in ((_REDO, "lsn"), (_CONSISTENT, "consistent"), (_RESTORED, "fetched")):
        if found := words.search(line):
            return {name: found[1]}
    if found := _LAST.search(line):
        return {"at": _iso_of(found[1])}
    if found := _TIMELINE.search(line):
        return {"timeline": int(found[1])}
    flags = ((_ENDED, "ended_early"), (_TOO_SOON, "too_soon"), ("LOG:  archive recovery complete", "complete"))
    return {name: True for said, name in flags if said in line}


def _stopped(line: str) -> dict[str, str]:
    if found := _STOPPED.search(line):
        side, how, xid, time = found.groups()
        return {"side": side, "how": how, "xid": xid, "time": _iso_of(time)}
    if found := _STOPPED_LSN.search(line):
        return {"side": found[1], "lsn": found[2]}
    if found := _STOPPED_NAME.search(line):
        return {"side": "at", "name": found[1], "time": _iso_of(found[2])}
    return {"side": "after", "name": "consistency"} if _STOPPED_EARLIEST.search(line) else {}


def _iso_of(text: str) -> str:
    """As PostgreSQL writes a time, to ISO in UTC; as it stands where it has no offset."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return text.strip()
    return _iso(moment) if moment.tzinfo else text.strip()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _bytes(said: str) -> int:
    found = re.fullmatch(r"(\d+)(MB|GB)", said)
    return int(found[1]) << (20 if found[2] == "MB" else 30) if found else SEGMENT


def position(lsn: str) -> int:
    """`"0/3000148"` as a number."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def piece(lsn: str, segment: int = SEGMENT) -> str:
    """The end of the name of the piece of the log that has it: without its timeline."""
    number = position(lsn) // segment
    each = (1 << 32) // segment
    return f"{number // each:08X}{number % each:08X}"


def looks_at_point(found: Reached, point: Point, *, archive_end: str = "", beats: Beats | None = None) -> list[Look]:
    """Both sides of the point that was ordered; without one, that the archive was replayed to its end."""
    if not point.given:
        return [_to_the_end(found, archive_end)]
    if found.ended_early:
        seen = f"the archive ended before it: {found.end}" + (f", in {archive_end}" if archive_end else "")
        return [_look(side, point, False, seen) for side in ("before", "after")]
    if found.too_soon:
        return [_look(side, point, False, "it is before the end of the backup: take an older one")
                for side in ("before", "after")]  # fmt: skip  # words
    looks = [_before(found, point), _after(found, point)]
    if beats and point.time:
        looks += _by_heartbeat(beats, point.time, point)
    return looks


def _look(side: str, point: Point, ok: bool | None, seen: str, *, by: str = "the server's log") -> Look:
    name, expected = {
        "before": (f"what came before {point.said} is there", "the last transaction before it is there"),
        "after": (f"what came after {point.said} is not there", "the first transaction after it is not there"),
    }[side]
    return Look("point", name, ok, seen, text=by, expected=expected)


def _before(found: Reached, point: Point) -> Look:
    stopped = found.stopped
    if not stopped:
        return _look("before", point, None, f"the log does not say that the recovery stopped: {found.end}")
    if point.xid and stopped.get("xid") == point.xid and stopped.get("side") == "after":
        return _look("before", point, True, f"stopped after its {stopped['how']}, of {stopped['time']}")
    if point.name and stopped.get("name") == point.name:
        return _look("before", point, True, f"stopped at it, of {stopped['time']}; {found.end}")
    if point.lsn and stopped.get("lsn"):
        there = position(stopped["lsn"]) >= position(point.lsn)
        return _look("before", point, there, f"stopped {stopped['side']} {stopped['lsn']}")
    if point.time and stopped.get("time"):
        first = datetime.fromisoformat(stopped["time"])  # that is not there
        there = first > point.time if stopped["side"] == "before" else first >= point.time
        return _look("before", point, there, f"{found.end}; the first that is not there is of {stopped['time']}")
    return _look("before", point, False if stopped else None, f"stopped elsewhere: {_words(stopped)}; {found.end}")


def _after(found: Reached, point: Point) -> Look:
    stopped = found.stopped
    if not stopped:
        return _look("after", point, None, f"the log does not say that the recovery stopped: {found.end}")
    if point.time:
        if stopped.get("side") != "before" or not stopped.get("time"):
            return _look("after", point, None, f"no first one after it is named: {_words(stopped)}")
        later = datetime.fromisoformat(stopped["time"]) > point.time
        return _look("after", point, later, f"stopped before transaction {stopped['xid']}, of {stopped['time']}")
    fits = {"xid": point.xid, "name": point.name}
    if any(value and stopped.get(word) == value for word, value in fits.items()):
        return _look("after", point, True, f"nothing is replayed behind it: {_words(stopped)}")
    if point.lsn and stopped.get("lsn"):
        done = not found.lsn or position(found.lsn) <= position(stopped["lsn"])
        return _look("after", point, done, f"stopped {stopped['side']} {stopped['lsn']}, replayed to {found.lsn}")
    return _look("after", point, False, f"stopped elsewhere: {_words(stopped)}")


def _words(stopped: dict[str, str]) -> str:
    return ", ".join(f"{word} {value}" for word, value in stopped.items())


def _by_heartbeat(beats: Beats, time: datetime, point: Point) -> list[Look]:
    """A row is written a little before it is committed, and the next comes after `every`."""
    behind = (time - datetime.fromisoformat(beats.at)).total_seconds()
    by = "the heartbeat's rows"
    there = behind <= 2 * beats.every + 1
    seen = f"the last row, number {beats.number}, is {behind:.1f} s before it; one comes every {beats.every:g} s"
    if behind < 0:
        there, seen = False, f"the last row, number {beats.number}, is from {-behind:.1f} s after it"
    return [
        _look("before", point, there, seen, by=by),
        _look("after", point, not beats.after, f"{beats.after} rows are from after it", by=by),
    ]


def _to_the_end(found: Reached, archive_end: str) -> Look:
    name, expected = "the archive was replayed to its end", f"up to {archive_end}" if archive_end else "its last piece"

    def look(ok: bool | None, seen: str) -> Look:
        return Look("point", name, ok, seen, text="the server's log", expected=expected)

    if not found.lsn:
        return look(None, "the log does not say where the recovery ended")
    if not archive_end:
        return look(None, f"nothing says where the archive ends; {found.end}")
    last = piece(found.lsn, found.segment)
    if last < archive_end[8:24]:
        return look(False, f"it ended in {last}, and the archive goes on to {archive_end[8:24]}: {found.end}")
    return look(True, found.end)
