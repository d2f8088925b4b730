"""Exactness, as version 3 has it: how far the database's clock is from the drill's is not asked."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Disaster, Evidence, Expectation, Line, Unsound, disaster, position, seconds
from harness.checks.exactness import RECOVERED, TITLE, Point, compared
from harness.checks.loss import EARLIEST, missing_rows
from harness.checks.rto import missing_ledgers
from harness.checks.samples import covered_until, samples
from harness.checks.stamps import clock_was_set, uncertainty


def exactness(evidence: Evidence, expected: Expectation) -> Finding:
    """Missing and surplus transactions. Errors: `Unsound` when no fault is known to have bitten."""
    hurt = disaster(evidence)
    why = ""
    if not evidence.zones:
        why = "the scenario has no ledger"
    elif missing := missing_ledgers(evidence):
        why = f"the ledger of customers {', '.join(missing)} is missing"
    elif missing := missing_rows(evidence, RECOVERED):
        why = f"the rows of customers {', '.join(missing)} were not read right after the restore"
    ordered = next((line for line in reversed(evidence.all("recovery.ordered")) if line.mono >= hurt.earliest), None)
    if ordered is None and not why:
        why = "no recovery point was ordered"
    if why or ordered is None:
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why, objective=0.0, unit="transactions")
    if why := clock_was_set(evidence):
        raise Unsound(why)
    point = point_of(evidence, hurt, ordered)
    return compared(evidence, expected, point)


def point_of(evidence: Evidence, hurt: Disaster, ordered: Line) -> Point:
    """Where recovery had to end. Errors: `Unsound` when neither the journal nor the samples tell."""
    kind, value = str(ordered.data.get("kind")), str(ordered.data.get("value") or "")
    stated = ordered.data.get("mono")
    known = stated - clocks_apart(evidence, ordered) if isinstance(stated, int) else EARLIEST
    if known > hurt.latest:
        late = seconds(known - hurt.latest)
        raise Unsound(f"the ordered point lies {late:.3f} s after the proof of the fault that it must precede")
    early = bool(ordered.data.get("declared_early"))
    logical = hurt.logical if hurt.logical is not None else kind == "xid" or (kind == "lsn" and not early)
    if logical:
        return Point(
            max(known, hurt.earliest), hurt.latest, f"everything before the mistake, and nothing after it ({kind})"
        )
    taken = [sample for sample in samples(evidence) if sample.told <= hurt.earliest]
    if early:
        covered = covered_until(taken, position(ordered.data.get("position")))
        known = max(known, EARLIEST if covered is None else covered)
        if known == EARLIEST:
            raise Unsound(f"no sample of the archive lies before the point that was declared, {value or 'none'}")
        return Point(known, None, f"declared to end early, at {value}")
    if not taken:
        raise Unsound("the archive was not sampled before the fault, so what it held is not known")
    covered = covered_until(taken, taken[-1].safe)
    known = max(known, EARLIEST if covered is None else covered)
    if known == EARLIEST:
        raise Unsound("no sample shows that anything was archived before the fault")
    return Point(known, None, "everything that was archived before the fault")


def clocks_apart(evidence: Evidence, ordered: Line) -> int:
    """How much less is known of the ordered moment: it comes from the database's clock of the day, by way of ours."""
    return uncertainty([line for line in evidence.lines if line.seq <= ordered.seq])
