"""The switch of the names, as version 5 has it: counted from the step that came off, also where they had been refused,
and for customers who had been led there before it."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Unsound, against, seconds
from harness.checks.places import (
    FENCE,
    PROMOTE,
    READY,
    REPLAY,
    SWITCH,
    first_answer,
    led_by_name,
    servers_of,
)
from harness.checks.rto import missing_ledgers
from harness.checks.steps import begun, done, facts

SWITCHED = "Customers are led to the second region"
MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def names_switched(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the switch of the names until customers of every place whom a name leads, but those in the lost
    region, were answered by the second region's database; of several groups, the last."""
    begin, switched = begun(evidence, SWITCH), done(evidence, SWITCH)
    announced = {step.get("name") for line in evidence.all("procedure") for step in line.data.get("steps") or ()}
    if announced & {FENCE, REPLAY, PROMOTE, READY} and SWITCH not in announced:
        return expected.finding_of(evidence, SWITCHED, MISSED, "the procedure switches no name")
    if begin is None or switched is None:
        outcome = UNKNOWN if evidence.stopped() or begun(evidence, PROMOTE) is None else MISSED
        return expected.finding_of(evidence, SWITCHED, outcome, evidence.stopped() or "no name was switched")
    second = str(facts(switched).get("region"))
    groups = led_by_name(evidence, facts(done(evidence, FENCE)).get("region"))
    if missing := [group for group in missing_ledgers(evidence) if group in groups]:
        raise Unsound(f"the ledger of customers {', '.join(missing)} is missing")
    servers = servers_of(evidence, second)
    if not groups or not servers:
        why = "no customers come in by name" if not groups else f"nothing says which servers are of {second}"
        return expected.finding_of(evidence, SWITCHED, UNKNOWN, why)
    first = {group: first_answer(evidence, group, servers, since=begin.mono) for group in groups}
    ttl = facts(switched).get("ttl")
    if ttl is not None and expected.limit is not None and float(ttl) > expected.limit:
        words = f"an answer of a name may be kept for {float(ttl):g} s, and customers have to be led there sooner"
        return expected.finding_of(evidence, SWITCHED, MISSED, words)
    if late := [group for group, answer in first.items() if answer is None]:
        low = seconds(max(0, evidence.observed() - switched.mono))
        words = f"customers {', '.join(late)} were never answered from {second}"
        outcome = against(low, low, expected.limit, lower_bound=True)
        outcome = MISSED if outcome is UNKNOWN and not evidence.stopped() else outcome
        return expected.finding_of(evidence, SWITCHED, outcome, words, figure=low, low=low, lower_bound=True)
    last = max(answer for answer in first.values() if answer is not None)
    low, high = seconds(max(0, last - switched.mono)), seconds(last - begin.mono)
    beside = tuple((group, f"{seconds(answer - begin.mono):.3f} s") for group, answer in first.items() if answer)
    words = f"customers of every place were answered from {second} at most {high:.3f} s after the names were switched"
    words += f"; an answer of a name may be kept for {float(ttl):g} s" if ttl is not None else ""
    outcome = MET if expected.limit is None else against(low, high, expected.limit)
    return expected.finding_of(evidence, SWITCHED, outcome, words, figure=high, low=low, high=high, beside=beside)
