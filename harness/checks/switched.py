"""Where names lead customers whose region is lost: how long a switch took, and what each resolver's customers saw."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line, Unsound, against, disaster, seconds
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
BEFORE = "led there already"
MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def names_switched(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the switch of the names until customers of every place whom a name leads, but those in the lost
    region, were answered by the second region's database; of several groups, the last.

    A switch that was refused is a switch that was to be: then it counts from the first refusal, from when it was asked
    for. Whoever had been led there before that, by health or by hand, was not led there by it.
    """
    lost = facts(done(evidence, FENCE)).get("region")
    return switched_for(evidence, expected, f"customers of every place outside of {lost}")


def switched_for(evidence: Evidence, expected: Expectation, whom: str) -> Finding:
    """`names_switched`, and what it calls those whom it looks at."""
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
    ttl = facts(switched).get("ttl")
    if ttl is not None and expected.limit is not None and float(ttl) > expected.limit:
        words = f"an answer of a name may be kept for {float(ttl):g} s, and customers have to be led there sooner"
        return expected.finding_of(evidence, SWITCHED, MISSED, words)
    since, until = _to_be_switched(evidence, begin, switched)
    led = _led(evidence, groups, servers, since)
    refused = "to be switched, and could not be" if since < begin.mono else "switched"
    if late := [group for group, answer in led.items() if answer is None]:
        low = seconds(max(0, evidence.observed() - until))
        words = f"customers {', '.join(late)} were never answered from {second} after the names were {refused}"
        outcome = against(low, low, expected.limit, lower_bound=True)
        outcome = MISSED if outcome is UNKNOWN and not evidence.stopped() else outcome
        return expected.finding_of(evidence, SWITCHED, outcome, words, figure=low, low=low, lower_bound=True)
    after = {group: answer for group, answer in led.items() if answer is not None and answer >= since}
    last = max(after.values(), default=since)
    low, high = seconds(max(0, last - until)), seconds(last - since)
    beside = tuple((group, f"{seconds(after[group] - since):.3f} s" if group in after else BEFORE) for group in led)
    words = f"{whom} were answered from {second} at most {high:.3f} s after the names were {refused}"
    words = words if after else f"{whom} were led to {second} before the names were {refused}"
    if after and len(after) < len(led):
        words += f"; {', '.join(group for group in led if group not in after)} had been led there before"
    words += f"; an answer of a name may be kept for {float(ttl):g} s" if ttl is not None else ""
    outcome = MET if expected.limit is None else against(low, high, expected.limit)
    return expected.finding_of(evidence, SWITCHED, outcome, words, figure=high, low=low, high=high, beside=beside)


def _to_be_switched(evidence: Evidence, begin: Line, switched: Line) -> tuple[int, int]:
    """When the switch was asked for first: from when it counts at most, and at least."""
    refused = [line for line in evidence.all("names.refused") if line.seq < begin.seq]
    if not refused:
        return begin.mono, switched.mono
    asked = refused[0].data.get("asked")
    if asked is not None and (type(asked) is not int or asked > refused[0].mono):
        raise Unsound(f"line {refused[0].seq + 1} was asked for when it cannot have been")
    return (refused[0].mono if asked is None else asked), refused[0].mono


def _led(evidence: Evidence, groups: list[str], servers: frozenset[str], since: int) -> dict[str, int | None]:
    """When each group was first answered there; None where nothing was that it sent from `since` on."""
    promoted = begun(evidence, PROMOTE)
    led = {group: first_answer(evidence, group, servers, since=since) for group in groups}
    for group, answer in led.items():
        if promoted and answer is not None:
            before = first_answer(evidence, group, servers, since=promoted.mono)
            led[group] = answer if before is None else min(before, answer)
    return led


def stale_resolvers(evidence: Evidence, expected: Expectation) -> Finding:
    """Customers whose resolvers keep an answer for longer than they may: the last group; each one stands beside."""
    title = "Customers whose resolvers lie"
    begin, switched = begun(evidence, SWITCH), done(evidence, SWITCH)
    groups = led_by_name(evidence, facts(done(evidence, FENCE)).get("region"), lie=True)
    if begin is None or switched is None or not groups:
        why = evidence.stopped() or ("no name was switched" if groups else "no customers have such a resolver")
        return expected.finding_of(evidence, title, UNKNOWN, why)
    servers = servers_of(evidence, str(facts(switched).get("region")))
    first = {group: first_answer(evidence, group, servers, since=begin.mono) for group in groups}
    known = {group: answer for group, answer in first.items() if answer is not None}
    beside = tuple((group, f"{seconds(answer - begin.mono):.3f} s") for group, answer in known.items())
    if late := [group for group in first if group not in known]:
        words = f"customers {', '.join(late)} never followed the name"
        return expected.finding_of(
            evidence, title, MISSED, words, beside=(*beside, *((each, "never") for each in late))
        )
    high = seconds(max(known.values()) - begin.mono)
    low = seconds(max(0, max(known.values()) - switched.mono))
    words = f"they were led to the second region {high:.3f} s after the names were switched"
    outcome = MET if expected.limit is None else against(low, high, expected.limit)
    return expected.finding_of(evidence, title, outcome, words, figure=high, low=low, high=high, beside=beside)


def each_resolver(evidence: Evidence, expected: Expectation) -> Finding:
    """How long customers of each resolver and of each name went without an answer of the second region: the last group;
    each one stands beside. Nobody is promised anything by it, but that they all are led there in the end."""
    title = "What customers of each resolver saw"
    promoted, fenced = done(evidence, PROMOTE), done(evidence, FENCE)
    if promoted is None or fenced is None:
        return expected.finding_of(evidence, title, UNKNOWN, evidence.stopped() or "nothing was promoted")
    lost = facts(fenced).get("region")
    groups = [*led_by_name(evidence, lost), *led_by_name(evidence, lost, lie=True)]
    if missing := [group for group in missing_ledgers(evidence) if group in groups]:
        raise Unsound(f"the ledger of customers {', '.join(missing)} is missing")
    servers, hurt = servers_of(evidence, str(facts(promoted).get("region"))), disaster(evidence)
    if len(_ways(evidence, groups)) < 2 or not servers:
        why = "all customers are led there by one name, and by one resolver" if servers else "no server is known there"
        return expected.finding_of(evidence, title, UNKNOWN, why)
    first = {group: first_answer(evidence, group, servers, since=hurt.earliest) for group in groups}
    known = {group: answer for group, answer in first.items() if answer is not None}
    beside = tuple((group, _without(evidence, group, hurt.earliest, known.get(group))) for group in groups)
    if late := [group for group in groups if group not in known]:
        outcome, words = UNKNOWN if evidence.stopped() else MISSED, f"customers {', '.join(late)} were never led there"
        return expected.finding_of(evidence, title, outcome, words, beside=beside)
    low, high = (seconds(max(0, max(known.values()) - moment)) for moment in (hurt.latest, hurt.earliest))
    words = f"the last of them were answered there {high:.3f} s after the disaster"
    return expected.finding_of(evidence, title, MET, words, figure=high, low=low, high=high, beside=beside)


def _ways(evidence: Evidence, groups: list[str]) -> set[tuple[object, object]]:
    """By which name these come in, and for how long their resolvers keep it, each once."""
    listed = [group for line in evidence.all("workload.begin") for group in line.data.get("groups") or ()]
    return {(each.get("host"), each.get("keeps")) for each in listed if each["group"] in groups}


def _without(evidence: Evidence, group: str, since: int, until: int | None) -> str:
    """How long a group was without an answer, and how many of its requests were not good meanwhile, in words."""
    sent = [each for each in evidence.requests(group) if each.sent is not None and each.sent >= since]
    bad = sum(each.outcome != "acknowledged" for each in sent if until is None or (each.sent or 0) < until)
    how_long = "never answered there" if until is None else f"{seconds(until - since):.3f} s"
    return f"{how_long}, {bad} requests were not good meanwhile"
