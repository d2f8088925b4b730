"""Whether the stamps of a journal can be true: each line has both clocks, and clocks do not do everything.

The monotonic clock of a boot never goes back, so a journal in which it does was not written as it reads. The clock of
the day may be set while a drill goes on: then lengths still hold, for they come from the monotonic clock, and whatever
is derived from a time of day does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from harness.checks import Finding, Outcome
from harness.checks.evidence import SECOND, Evidence, Expectation, Line, Unsound, seconds

TITLE = "The records fit together"
SET = SECOND // 2  # nanoseconds between the two clocks of a line; two readings on a busy machine are not further apart
BACK = SECOND // 10  # nanoseconds; a machine's clock may be set back by so little, and no figure hangs on it
HEALING = (  # what is written after a kill
    "resumed", "torn", "ledger", "workload.end", "answers", "readers.end", "fault.healed", "run.end",
    "abort.condition", "stop.asked",
)  # fmt: skip  # a list
SLEW = 0.0005  # of the time that passed: adjtime(3) and its like let a clock run fast or slow by no more


def boots(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines by boot of the machine: a journal that was gone on with says on which boot, in `resumed`."""
    found: list[list[Line]] = [[]]
    boot: object = None
    for line in lines:
        if line.kind in ("run.begin", "resumed"):
            now = line.data.get("boot")
            if line.kind == "resumed" and now != boot:
                found.append([])
            boot = now
        found[-1].append(line)
    return found


def impossible(evidence: Evidence) -> str:
    """Why the journal cannot have been written as it reads; empty where it can."""
    return evidence.once("impossible", lambda: _impossible(evidence.run or evidence.lines))


def _impossible(lines: Sequence[Line]) -> str:
    if why := _gone_on_with(lines):
        return why
    for booted in boots(lines):
        for before, line in pairwise(booted):
            if line.mono < before.mono:
                length = seconds(before.mono - line.mono)
                return f"the monotonic clock goes back by {length:.3f} s at line {line.seq + 1}, within one boot"
    return ""


def _gone_on_with(lines: Sequence[Line]) -> str:
    """Whoever goes on with the journal of a killed run only heals, and an earlier boot never comes back."""
    seen: list[object] = []
    killed = False
    for line in lines:
        if killed and line.kind not in HEALING:
            return f"{line.kind} at line {line.seq + 1} comes after the run was killed"
        if line.kind in ("run.begin", "resumed"):
            boot = line.data.get("boot")
            if boot in seen[:-1]:
                return f"a boot comes back at line {line.seq + 1} that was over"
            seen += [] if seen[-1:] == [boot] else [boot]
            killed = killed or line.kind == "resumed"
    return ""


def clock_was_set(evidence: Evidence) -> str:
    """Where the clock of the day was set since the run began, or its stamps cannot be read; empty where it was not."""
    begin = [line for line in evidence.run[:1] if line.kind == "run.begin"]
    return evidence.once("clock", lambda: _clock_was_set([*begin, *evidence.lines]))


def _clock_was_set(lines: Sequence[Line]) -> str:
    for booted in boots(lines):
        offsets = [(line, utc_of(line) - line.mono) for line in booted]
        for (before, one), (line, other) in pairwise(offsets):
            passed = other + line.mono - one - before.mono
            if passed < -BACK:
                return f"the clock of the day goes back by {seconds(-passed):.3f} s at line {line.seq + 1}"
        if offsets:
            first, begin = offsets[0]
            for line, offset in offsets:
                if abs(offset - begin) > SET + SLEW * (line.mono - first.mono):
                    moved = seconds(offset - begin)
                    return f"the clock of the day was set by {moved:+.3f} s up to line {line.seq + 1}"
    return ""


def uncertainty(lines: Sequence[Line]) -> int:
    """How far the two clocks moved against each other over these lines, in nanoseconds.

    What is derived from a time of day, by its distance to one of these lines, is not known better.
    """
    offsets = [utc_of(line) - line.mono for line in lines]
    return max(offsets) - min(offsets) if offsets else 0


def utc_of(line: Line) -> int:
    """A line's time of day, in nanoseconds. Errors: `Unsound` where it is none."""
    return since_epoch(line.utc, f"line {line.seq + 1}")


def since_epoch(text: object, where: str) -> int:
    """An ISO time in nanoseconds; without an offset it is UTC. Errors: `Unsound` where it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError):
        raise Unsound(f"{str(text)[:40]!r} of {where} is no time") from None


def records(evidence: Evidence, expected: Expectation) -> Finding:
    """Always UNKNOWN; it is asked only where something does not fit (`doubtful`)."""
    return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, doubtful(evidence))


def doubtful(evidence: Evidence) -> str:
    """What does not fit; empty where all does."""
    try:
        return impossible(evidence) or clock_was_set(evidence)
    except Unsound as why:
        return str(why)
