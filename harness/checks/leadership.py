"""Who leads the database: how often the lead changed, and whether a server that had lost it came back as a copy."""

from __future__ import annotations

from collections.abc import Callable

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line, Unsound, against, ineffective, moment_of, seconds

REJOINED = "The old leader rejoined"
OfUnhealed = Callable[[Evidence, Expectation, Line], Finding]


def failovers(evidence: Evidence, expected: Expectation) -> Finding:
    """How many promotions there were: each begins a new history. `expected.limit` is how many are allowed."""
    title = "Failovers"
    before, after = evidence.moment("leadership", "before"), evidence.moment("leadership", "after")
    if before is None or after is None:
        which = "before the fault" if before is None else "at the end"
        why = f"who leads was not looked at {which}"
        return expected.finding_of(evidence, title, Outcome.UNKNOWN, why, unit="promotions")
    many = int(after.data["history"]) - int(before.data["history"])
    history = evidence.called["history"]
    if many < 0:
        raise Unsound(f"the {history} went back, from {before.data['history']} to {after.data['history']}")
    figure = float(many)
    words = (
        f"{before.data.get('member')} led on {history} {before.data['history']}, "
        f"{after.data.get('member')} leads on {history} {after.data['history']}"
    )
    outcome = against(figure, figure, expected.limit)
    return expected.finding_of(
        evidence, title, outcome, words, figure=figure, low=figure, high=figure, unit="promotions"
    )


def rejoined(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the heal until a server that had led streams again as a copy; of several, the longest.

    One that was looked at and is none, of a fault that was not healed, is `MISSED`.
    """
    return rejoined_or(evidence, expected, _not_let_back)


def _not_let_back(evidence: Evidence, expected: Expectation, line: Line) -> Finding:
    tried = [each for each in evidence.all("fault.healed") if each.seq < line.seq]
    why = f"its healing: {tried[-1].data.get('how')}" if tried else "nothing had been healed"
    words = f"{line.data.get('member')} is no copy: {line.data.get('seen')}; {why}"
    return expected.finding_of(evidence, REJOINED, Outcome.MISSED, words)


def rejoined_or(evidence: Evidence, expected: Expectation, of_unhealed: OfUnhealed | None) -> Finding:
    """`of_unhealed`: the finding of a server that is no copy where nothing was healed; None: that is not sound."""
    title = REJOINED
    if why := ineffective(evidence):
        raise Unsound(why)
    latest = {str(line.data.get("member")): line for line in evidence.all("rejoined")}
    if not latest:
        why = evidence.stopped() or "nobody looked whether the old leader rejoined"
        return expected.finding_of(evidence, title, Outcome.UNKNOWN, why)
    found: list[tuple[int, float, Finding]] = []
    for member, line in latest.items():
        heals = [each for each in evidence.all("fault.healed") if each.seq < line.seq and each.data.get("ok")]
        if not heals and not line.data.get("ok") and of_unhealed is not None:
            found.append((2, 0.0, of_unhealed(evidence, expected, line)))
            continue
        if not heals:
            raise Unsound(f"{member} was looked at, and nothing had been healed before")
        begin, over = moment_of(heals[-1])
        low, high = seconds(line.mono - over), seconds(line.mono - begin)
        if line.data.get("ok"):
            words = f"{member} streams again at most {high:.3f} s after the heal: {line.data.get('seen')}"
            outcome = against(low, high, expected.limit)
            finding = expected.finding_of(evidence, title, outcome, words, figure=high, low=low, high=high)
        else:
            words = f"{member} had not rejoined {low:.3f} s after the heal: {line.data.get('seen')}"
            outcome = against(low, low, expected.limit, lower_bound=True)
            finding = expected.finding_of(evidence, title, outcome, words, figure=low, low=low, lower_bound=True)
        order = (Outcome.MET, Outcome.UNKNOWN, Outcome.MISSED).index(finding.outcome)
        found.append((order, finding.figure or 0.0, finding))
    return max(found, key=lambda each: each[:2])[2]
