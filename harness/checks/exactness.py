"""Whether recovery ended where it should: nothing acknowledged before the point is missing, nothing after is present.

Judged on the rows as they were right after the restore, before any salvage. What the procedure says of its own point
is not enough: after an operator's mistake everything acknowledged before the fault must be there whatever the
procedure ordered, and after lost volumes everything that the samples show to have been archived, unless the procedure
declared that it ends early; then it is measured against what it declared.

The ordered moment is derived from a time of day, of the database's clock: how far that one is ahead of the journal's is
taken off it, and how much less is known by that, and by how the two clocks of the journal moved against each other. A
point that lies after the fault that it must precede is a contradiction, and nothing is judged from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.checks import Finding, Outcome
from harness.checks.clocks import clock_of
from harness.checks.evidence import Disaster, Evidence, Expectation, Line, Unsound, disaster, position, seconds
from harness.checks.join import joined
from harness.checks.loss import EARLIEST, LATEST, missing_rows, service_stopped
from harness.checks.rto import missing_ledgers
from harness.checks.samples import covered_until, samples
from harness.checks.stamps import clock_was_set, uncertainty

TITLE = "Exactness of the recovery point"
RECOVERED = "recovered"


@dataclass(frozen=True)
class Point:
    """What must be there and what must not, on the monotonic clock."""

    present: int  # every write acknowledged until then
    absent: int | None  # no write sent from then on; None: does not apply
    why: str


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
    if hurt.logical is None:
        raise Unsound(f"the order of the fault {hurt.fault} does not say whether it is an operator's mistake")
    if hurt.logical:
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
    """What is taken off the ordered moment: it comes from the database's clock of the day, by way of ours.

    Errors: `Unsound` where the journal says of that clock what is no length.
    """
    moved = uncertainty([line for line in evidence.lines if line.seq <= ordered.seq])
    clock = clock_of(evidence, ordered)
    return moved + (clock.offset + clock.uncertainty if clock else 0)


def compared(evidence: Evidence, expected: Expectation, point: Point) -> Finding:
    due_there, missing, surplus, between, answered = 0, 0, 0, 0, 0
    oldest, stopped = LATEST, service_stopped(evidence)
    absent = LATEST if point.absent is None else point.absent
    for zone in evidence.zones:
        for request, row, again in joined(evidence.requests(zone), evidence.rows(RECOVERED, zone)):
            if request is None or again:
                continue
            sent, ended, acknowledged = request[2], request[3], request[4] == "acknowledged"
            before = acknowledged and ended is not None and ended <= point.present
            after = sent is not None and sent >= absent
            due_there += before
            surplus += after and row is not None
            if acknowledged and ended is not None and ended < stopped:  # later ones went into the recovered database
                answered += 1
                between += not before and not after
            if before and row is None:
                missing += 1
                oldest = min(oldest, ended or LATEST)
    count = float(missing + surplus)
    words = f"{point.why}: of {due_there} acknowledged before it {missing} are missing"
    if missing:
        words += f", the oldest {seconds(point.present - oldest):.3f} s before it"
    if point.absent is not None:
        words += f"; of those sent after it {surplus} are there"
    near = f"{between:,} of {answered:,} ({between / max(answered, 1):.1%})".replace("%", " %")
    words += f"; too near to it, or past it, to judge: {near} acknowledged before service stopped"
    outcome = Outcome.MISSED if count else Outcome.MET
    if not due_there and not count:
        outcome, words = Outcome.UNKNOWN, "no write was acknowledged before the point, so nothing could be missing"
    return expected.finding_of(
        evidence,
        TITLE,
        outcome,
        words,
        figure=count,
        low=count,
        high=count,
        objective=0.0,
        unit="transactions",
        beside=(("too near to judge", near),),
    )
