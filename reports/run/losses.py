"""The loss table and the curve of what was at risk: the checks' own comparison, in words and points.

Nothing is computed here a second time. What the evidence does not bear becomes a sentence, never a zero.
"""

from __future__ import annotations

from harness.checks import Finding
from harness.checks.evidence import SECOND, Evidence, Unsound, disaster, ineffective
from harness.checks.loss import FINAL, Tally, missing_rows, tally
from harness.checks.samples import SECOND_REGION, Oldest, Window, samples, windows
from harness.errors import Refused
from harness.workload.ledger import Totals
from reports.judged import figure_of, said
from reports.words import clean, number

Rows = list[tuple[str, str]]
MOST = 40  # rows of numbers that are listed; whoever wants all has ledger and rows in the pack
# what the checks raise on a journal whose values are of other types than the contract says
NOT_AS_IT_MUST_BE = (Unsound, Refused, KeyError, TypeError, ValueError, AttributeError, ArithmeticError)
Curve = tuple[tuple[float, float], ...]  # seconds after zero, age in seconds


def table(evidence: Evidence | None, totals: Totals, findings: dict[str, Finding]) -> Rows:
    """What was due, what became of it, and what the recovered database has of it. Without a ledger nothing was due."""
    wrote = totals.due or (evidence and evidence.zones)
    rows = (
        []
        if not wrote
        else [
            ("Requests due", number(totals.due)),
            ("Answered as stored (acknowledged)", number(totals.acknowledged)),
            ("Known not to be stored (failed)", number(totals.failed)),
            ("Due and not sent: too many were waiting", number(totals.not_sent)),
            ("Sent, never told whether stored (in doubt)", number(totals.in_doubt)),
        ]
    )
    compared, why = _compared(evidence)
    if compared is None:
        rows.append(("Compared with the recovered database", f"not possible: {why}"))
    else:
        rows += _against_rows(compared)
    for id, name in (("loss", "Loss in time"), ("exposure", "Greatest exposure")):
        found = findings.get(id)
        if found is not None:
            rows.append((name, f"{figure_of(found)}, {said(found.outcome, found.beside)}"))
    return rows


def _against_rows(total: Tally) -> Rows:
    unstored = total.in_doubt - total.in_doubt_stored
    never = total.failed_stored + total.not_sent_stored + total.strangers
    return [
        ("In doubt: stored / not stored", f"{number(total.in_doubt_stored)} / {number(unstored)}"),
        ("Lost: acknowledged and not there", number(total.lost)),
        *([("Lost, by their numbers", _numbers(total))] if total.lost else []),
        *([("Lost money (sum of their amounts)", f"{total.lost_amount:,}")] if total.money else []),
        ("There, though refused, never sent or unknown", number(never)),
        ("Stored more than once", number(total.duplicates)),
        ("Stored otherwise than it was sent", number(total.changed)),
    ]


def _numbers(total: Tally) -> str:
    """Which ones, as the ledger numbers them: a row of numbers by its first and its last."""
    found = []
    for group, rows in total.lost_numbers.items():
        said = [str(first) if first == last else f"{first} to {last}" for first, last in rows[:MOST]]
        more = f", and {number(len(rows) - MOST)} more such rows" if len(rows) > MOST else ""
        found.append(f"{group}: {', '.join(said)}{more}")
    return "; ".join(found)


def _compared(evidence: Evidence | None) -> tuple[Tally | None, str]:
    if evidence is None:
        return None, "the evidence of this scenario cannot be read"
    if not evidence.zones:
        return None, "the journal lists no ledger"
    if missing := missing_rows(evidence, FINAL):
        return None, f"the final rows of customers {', '.join(missing)} were not read"
    try:
        return tally(evidence), ""
    except NOT_AS_IT_MUST_BE as why:
        return None, clean(str(why))


def exposure(evidence: Evidence | None, *, zero: int, problems: list[str]) -> tuple[Curve, ...]:
    """The age of the oldest acknowledged write not yet archived, at each sample; one curve a window of the check."""
    if evidence is None:
        return ()
    try:
        hurt = None if ineffective(evidence) else disaster(evidence)
        return _curves(evidence, windows(evidence, hurt), zero)
    except NOT_AS_IT_MUST_BE as why:
        problems.append(f"{evidence.scenario}: what was at risk cannot be drawn: {why}")
        return ()


def behind(evidence: Evidence | None, *, zero: int) -> tuple[Curve, ...]:
    """The same of what a second region had not received, until the disaster. What cannot be drawn is in its finding."""
    if evidence is None:
        return ()
    try:
        end = None if ineffective(evidence) else disaster(evidence).latest
        taken = tuple(each for each in samples(evidence, of=SECOND_REGION) if end is None or each.told <= end)
        return _curves(evidence, [Window(taken, None, end, end is not None)] if taken else [], zero)
    except NOT_AS_IT_MUST_BE:
        return ()


def _curves(evidence: Evidence, found: list[Window], zero: int) -> tuple[Curve, ...]:
    oldest = [Oldest(window) for window in found]
    for zone in evidence.zones if oldest else ():
        for request in evidence.requests(zone):
            if request.outcome == "acknowledged" and request.sent is not None and request.ended is not None:
                for each in oldest:
                    each.add(request.sent, request.ended)
    return tuple(_curve(each, zero) for each in oldest)


def _curve(oldest: Oldest, zero: int) -> Curve:
    oldest.close()
    points = []
    for at, sample in enumerate(oldest.window.taken):
        first = oldest.perhaps(sample.safe, at)
        age = 0 if first is None else max(0, sample.told - first)
        points.append(((sample.told - zero) / SECOND, age / SECOND))
    return tuple(points)
