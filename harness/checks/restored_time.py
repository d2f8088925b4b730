"""How long restoring took, with its parts. Whoever is served again is another question, which a restore beside leaves.

The clock runs from the begin of the fetch until what was restored is verified. A restore that failed is one that cannot
be done in that time, or in any.
"""

from __future__ import annotations

from harness.checks import NOT_EXERCISED, Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line, Unsound, against, seconds
from harness.checks.restored import (
    CUT_SHORT,
    FAILED,
    MET,
    MISSED,
    RESTORED,
    UNKNOWN,
    Judged,
    Restore,
    number,
    per_database,
)

PARTS = ("fetch", "restore", "replay", "verify")
MOVING = PARTS[:3]  # in which data is moved: what throughput is over
SLACK = 1.0  # seconds by which lengths that were taken at different moments may not fit together
SERVED = (
    "nobody was served: a restore beside shows how long restoring takes, not when customers are served again"
)  # fmt: skip  # one sentence


def _restore_time(restore: Restore, expected: Expectation) -> Judged:
    """Until it was verified, against the limit; without one, whether it could be done at all."""
    end, parts = restore.one("end"), restore.parts
    if end is None:
        return _cut_short(restore, expected)
    outcome = end.data.get("outcome")
    if outcome == NOT_EXERCISED:
        return restore.open("nothing was restored")
    if outcome == CUT_SHORT:
        low = number(end.data["seconds"], "length")
        return _not_done(restore, expected, low, str(end.data.get("why") or "no reason recorded"))
    if outcome not in (RESTORED, FAILED):
        raise Unsound(f"{outcome!r} is no outcome of a restore")
    size = end.data.get("size") if outcome == RESTORED else None
    parts = {name: parts[name] for name in (*PARTS, *parts) if name in parts}
    beside = _beside(restore, parts, number(size, "size") if size is not None else 0.0)
    took = number((end.data.get("seconds") or 0) if outcome == FAILED else end.data["seconds"], "length")
    _fits(restore, end, took, parts)
    more = {"parts": tuple(parts.items()), "beside": beside}
    if outcome == FAILED:
        return MISSED, f"it could not be restored: {end.data.get('why') or 'no reason recorded'}", more
    found = MET if expected.limit is None else against(took, took, expected.limit)
    if "verify" not in parts or len(parts) == 1:
        found = MISSED if found is MISSED else UNKNOWN
    told = ", ".join(f"{name} {length:.1f} s" for name, length in parts.items()) or "its parts were not recorded"
    return found, f"restored and verified in {took:.1f} s: {told}", {
        **more, "figure": took, "low": took, "high": took,
    }  # fmt: skip  # a tuple and its last part


def _fits(restore: Restore, end: Line, took: float, parts: dict[str, float]) -> None:
    """Errors: `Unsound` where lengths contradict each other: they are of one clock."""
    if unknown := [name for name in parts if name not in PARTS]:
        raise Unsound(f"{unknown[0]!r} is no part of a restore")
    if sum(parts.values()) > took + SLACK and end.data.get("outcome") == RESTORED:
        raise Unsound(f"its parts took {sum(parts.values()):.1f} s, and all of it {took:.1f} s")
    if took > (passed := seconds(end.mono - restore.asked.mono)) + SLACK:
        raise Unsound(f"it took {took:.1f} s, and only {passed:.1f} s passed since it was asked for")


def _cut_short(restore: Restore, expected: Expectation) -> Judged:
    """It had taken so long at least: since its first part began, by the length of that part, or since its place."""
    now, since = restore.evidence.observed(), [0.0]
    for line in (*restore.all("part")[:1], *restore.all("place")[:1]):
        part = number(line.data["seconds"], "length of a part") if line.kind == "restore.part" else 0.0
        since.append(seconds(now - line.mono) + part)
    if len(since) == 1:
        return restore.open("it was not begun")
    return _not_done(restore, expected, max(since), restore.why_not())


def _not_done(restore: Restore, expected: Expectation, low: float, why: str) -> Judged:
    """A lower bound: MISSED where the limit had passed, and else nobody knows."""
    outcome = MISSED if against(low, low, expected.limit, lower_bound=True) is MISSED else UNKNOWN
    why = f"not restored after {low:.1f} s ({why})"
    parts = tuple(restore.parts.items())
    return outcome, why, {"figure": low, "low": low, "lower_bound": True, "parts": parts}


def _beside(restore: Restore, parts: dict[str, float], size: float) -> tuple[tuple[str, str], ...]:
    """What a projection needs: the size, and what of the time goes with it."""
    read = sum(
        number(line.data.get("bytes") or 0, "size") for line in restore.all("part") if line.data["part"] == "fetch"
    )
    moved = sum(length for name, length in parts.items() if name in MOVING)
    found = [("bytes restored", f"{size:.0f}")] if size else []
    found += [("bytes fetched", f"{read:.0f}")] if read else []
    if size and moved > 0:
        found.append(("bytes a second, verifying left out", f"{size / moved:.0f}"))
    found += [("backup", str(line.data["chosen"])) for line in restore.all("catalogue")[-1:] if line.data.get("chosen")]
    return tuple(found)


def recovery_time(evidence: Evidence, expected: Expectation) -> Finding:
    """Always UNKNOWN, and beside the verdict."""
    return expected.finding_of(evidence, "Recovery time", Outcome.UNKNOWN, SERVED, advisory=True)


restore_time = per_database("restore-time", _restore_time)
