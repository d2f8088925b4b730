"""Whether the roles of the plan were reached, by which channel, after how long, and who stood in."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.answer import Check
from harness.checks.evidence import Evidence, Expectation, Line, Unsound, against
from harness.checks.messages import TAKEN, Messages, Told, right_or_wrong

REACHED = "Each role was reached"
ANSWERED_FOR = "Each role was reached, or its deputy"


def roles_reached(evidence: Evidence, expected: Expectation) -> Finding:
    """Each role itself; the longest time until one acknowledged, by the incident's clock, against what it may be."""
    messages, calls = _calls(evidence)
    wrong, times, words = [], [], []
    for role in messages.roles:
        answered = _answer(calls, role)
        if answered is None:
            wrong.append(_not_reached(messages, calls, role))
        elif answered.data["by"] != role:
            wrong.append(f"{role} was not reached: the {answered.data['by']} stood in")
        else:
            times.append(float(answered.data["after"]) * messages.ratio)
            words.append(f"{role} by {answered.data['channel']} after {times[-1]:.0f} s")
    if wrong:
        return expected.finding_of(evidence, REACHED, Outcome.MISSED, "; ".join([*wrong, *words]))
    longest = max(times)
    outcome = Outcome.MET if expected.limit is None else against(longest, longest, expected.limit)
    said = f"{', '.join(words)}; {messages.clock()}; {_who_answered(messages, calls)}"
    return expected.finding_of(evidence, REACHED, outcome, said, figure=longest, low=longest, high=longest)


def roles_answered_for(evidence: Evidence, expected: Expectation) -> Finding:
    """Each role, or whoever stands in for it."""
    messages, calls = _calls(evidence)
    wrong, words = [], []
    for role in messages.roles:
        answered = _answer(calls, role)
        if answered is None:
            wrong.append(_not_reached(messages, calls, role))
        else:
            by = answered.data["by"]
            who = role if by == role else f"{role}: the {by} stood in,"
            after = float(answered.data["after"]) * messages.ratio
            words.append(f"{who} by {answered.data['channel']} after {after:.0f} s")
    said = f"{', '.join(words)}; {messages.clock()}; {_who_answered(messages, calls)}"
    return right_or_wrong(evidence, expected, ANSWERED_FOR, wrong, said)


def channel(use: str) -> Check:
    """`primary`, `secondary` or `emergency`: whoever was to be called by it was, in its turn, and it arrived."""

    def check(evidence: Evidence, expected: Expectation) -> Finding:
        messages, calls = _calls(evidence)
        order = [str(each["by"]) for each in messages.begin.data["channels"]]
        own = next((each["by"] for each in messages.begin.data["channels"] if each["use"] == use), "")
        if not own:
            raise Unsound(f"the plan has no {use} channel")
        before = order[: order.index(own)]
        wrong, called = [], []
        for role in messages.roles:
            for call in (each for each in calls if each.whom == role):
                said = _said_of(messages, call, own, before)
                wrong += [said] if said else []
                called += [role] if call.by(own) else []
        if not wrong and not called:
            raise Unsound(f"the {use} channel, {own}, was not needed: everybody had answered before")
        came = TAKEN if messages.real(own) else "and they arrived"
        words = f"{own} took the calls to {', '.join(called)}, {came}"
        after = f", after {' and '.join(before)}" if before else ", before any other"
        return right_or_wrong(evidence, expected, f"The {use} channel was used in its turn", wrong, words + after)

    return check


def _calls(evidence: Evidence) -> tuple[Messages, list[Told]]:
    """Errors: `Unsound` where nobody was called."""
    messages = Messages.of(evidence)
    calls = messages.kind("call-out")
    if not calls:
        raise Unsound("nobody was called")
    return messages, calls


def _answer(calls: list[Told], role: str) -> Line | None:
    return next((each.acknowledged for each in calls if each.whom == role and each.acknowledged), None)


def _who_answered(messages: Messages, calls: list[Told]) -> str:
    """How far people took part: a time in which nobody had to answer is none of people's."""
    found = [answered for role in messages.roles if (answered := _answer(calls, role))]
    people = [str(each.data["role"]) for each in found if each.data["attended"]]
    if not people:
        return "every answer is stood in for"
    return f"people answered for {', '.join(people)}" + (
        "" if len(people) == len(found) else "; all else is stood in for"
    )


def _not_reached(messages: Messages, calls: list[Told], role: str) -> str:
    if not [each for each in calls if each.whom == role]:
        return f"{role} was never called"
    given_up = [line for line in messages.evidence.all("message.given_up") if line.data["role"] == role]
    return f"{role} was not reached: {given_up[-1].data['why'] if given_up else 'no answer is recorded'}"


def _said_of(messages: Messages, call: Told, own: str, before: list[str]) -> str:
    """What is wrong with how one role was called by one channel; empty where nothing is."""
    tried = call.by(own)
    if not tried:
        answered = call.acknowledged
        if before and answered is not None and answered.data["channel"] in before:
            return ""  # by then the role had answered
        return f"{call.whom} was never called by {own}"
    for earlier in before:
        first = call.by(earlier)
        if not first or first[0].seq > tried[0].seq:
            return f"{call.whom} was called by {own} before {earlier} was tried"
    others = [line for line in call.attempts if line.data["channel"] not in (own, *before)]
    if others and others[0].seq < tried[0].seq:
        return f"{call.whom} was called by {others[0].data['channel']} before {own}"
    taken = call.taken_by(own)
    if taken is None:
        return f"{own} did not take the call to {call.whom}: {tried[-1].data['why']}"
    why = messages.lost(taken)
    return f"the call to {call.whom}: {own} {why}" if why else ""
