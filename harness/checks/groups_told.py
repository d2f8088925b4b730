"""Whether customers, and whoever else the plan tells, were told what it promises them: in time, and not too soon."""

from __future__ import annotations

from itertools import pairwise

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line, Unsound, against, moment_of
from harness.checks.messages import TAKEN, Messages, Told, failed_to_tell, right_or_wrong

INITIAL = "The initial notification went out"
UPDATES = "An update came often enough until it was resolved"
RESOLUTION = "The resolution was told, and only after every health check was good"
LASTING = "A failure that lasted was told of"
REPORT = "The post-incident report came in time"
SAYS = {  # what the plan wants each to say, by the fields of its template
    "initial": ("current_status", "estimated_resolution", "affected_services"),
    "resolution": ("resolution_time", "root_cause", "preventive_measures"),
}


def initial(evidence: Evidence, expected: Expectation) -> Finding:
    """Every group of the plan was told by all of its channels, and before anything else."""
    messages = Messages.of(evidence)
    wrong = _not_told(messages, "initial")
    first = min((each.line.seq for each in messages.kind("initial")), default=None)
    for kind in ("update", "resolution"):
        if first is not None and any(each.line.seq < first for each in messages.kind(kind)):
            wrong.append(f"a message of the kind {kind} went out before it")
    told = [taken.mono for each in messages.kind("initial") for taken in each.attempts if taken.data["ok"]]
    hurt = [line for line in evidence.all("fault.effective") if line.data.get("ok") and line.seq < (first or 0)]
    words = f"{_all(messages)} were told"
    if told and hurt:
        words += f" within {messages.planned(moment_of(hurt[-1])[0], max(told)):.0f} s, {messages.clock()}"
    return right_or_wrong(evidence, expected, INITIAL, wrong, words)


def updates(evidence: Evidence, expected: Expectation) -> Finding:
    """The longest time without a word to any group, by the incident's clock, from the first to the resolution."""
    messages = Messages.of(evidence)
    if expected.limit is None:
        raise Unsound("it is not said how often")
    longest, wrong, told = 0.0, [], 0
    for group, channels in messages.groups.items():
        first, last = messages.kind("initial", group), messages.kind("resolution", group)
        if not first:
            raise Unsound(f"{group} were told of no incident")
        end = last[-1].line.mono if last else evidence.observed()
        between = [each for each in messages.kind("update", group) if each.line.mono < end]
        moments = [first[0].line.mono, *(each.line.mono for each in between), end]
        if messages.planned(moments[0], end) <= expected.limit:
            raise Unsound(f"the incident was over before an update was due, {messages.clock()}")
        longest = max(longest, *(messages.planned(one, other) for one, other in pairwise(moments)))
        wrong += [each for update in between for each in failed_to_tell(messages, update, channels)]
        told += len(between)
    words = (
        f"{told} updates to {len(messages.groups)} groups; {longest:.0f} s without a word at most, {messages.clock()}"
    )
    outcome = Outcome.MISSED if wrong else against(longest, longest, expected.limit)
    said = "; ".join([*wrong, words])
    return expected.finding_of(evidence, UPDATES, outcome, said, figure=longest, low=longest, high=longest)


def resolution(evidence: Evidence, expected: Expectation) -> Finding:
    """It was told after a health verification in which all was good, the first since the fault; and nothing follows."""
    messages = Messages.of(evidence)
    told, restored = messages.kind("resolution"), _restored(evidence)
    if not told and restored is None:
        raise Unsound("nothing was resolved, and nobody was told so")
    wrong = _not_told(messages, "resolution")
    early = [each for each in told if restored is None or each.line.seq < restored.seq]
    wrong += [f"{each.whom} were told before any health check had shown it" for each in early]
    late = [each for each in messages.kind("update") if told and each.line.seq > told[-1].line.seq]
    wrong += [f"{each.whom} were told of it as if it went on, after the resolution" for each in late]
    words = f"{_all(messages)} were told, after every health check was good"
    if left := sorted({field for each in told for field in each.line.data.get("open", ())}):
        words += f"; of {' and '.join(left)} they were told that it is under investigation"
    return right_or_wrong(evidence, expected, RESOLUTION, wrong, words)


def report(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds of the incident from the resolution to the report, against what the plan gives it."""
    messages = Messages.of(evidence)
    over, sent = messages.kind("resolution"), messages.kind("report")
    if not over:
        raise Unsound("nobody was told of a resolution, from which it is due")
    if not sent:
        due = evidence.first("report.due")
        until = f", which is due until {due.data['due']}" if due else ""
        raise Unsound(f"no report was sent{until}")
    wrong = _not_told(messages, "report")
    took = messages.planned(over[0].line.mono, max(each.line.mono for each in sent))
    words = f"{_all(messages)} had it {took:.0f} s after the resolution, {messages.clock()}; it is a draft for people"
    outcome = Outcome.MISSED if wrong else against(took, took, expected.limit)
    return expected.finding_of(evidence, REPORT, outcome, "; ".join([*wrong, words]), figure=took, low=took, high=took)


def lasting_told(evidence: Evidence, expected: Expectation) -> Finding:
    """Whoever the plan names for a failure that lasts was told of it."""
    begun = evidence.first("incident.lasting")
    if begun is None:
        raise Unsound("no failure lasted longer than the plan says")
    messages, wrong = Messages.of(evidence), []
    groups = [str(group) for group in begun.data["groups"]]
    for group in groups:
        found = [each for each in messages.kind("initial", group) if each.line.seq > begun.seq]
        wrong += [] if found else [f"{group} were not told"]
        wrong += [each for told in found for each in failed_to_tell(messages, told, messages.groups[group])]
    words = f"{' and '.join(groups)} were told, {float(begun.data['after']):.0f} s after the fault"
    return right_or_wrong(evidence, expected, LASTING, wrong, words)


def _not_told(messages: Messages, kind: str) -> list[str]:
    """Which group was not told, or not of all that the plan wants."""
    wrong = []
    for group, channels in messages.groups.items():
        found = messages.kind(kind, group)
        if not found:
            wrong.append(f"{group} got no message of the kind {kind}")
        for each in found:
            wrong += failed_to_tell(messages, each, channels)
            wrong += _unsaid(each, kind)
    return wrong


def _unsaid(told: Told, kind: str) -> list[str]:
    missing = [field for field in SAYS.get(kind, ()) if field not in told.line.data["fields"]]
    return [f"it does not say: {', '.join(missing)}"] if missing else []


def _restored(evidence: Evidence) -> Line | None:
    """The first health verification in which all was good, after what was hurt last."""
    hurt = [line.seq for line in evidence.all("fault.effective")]
    good = [line for line in evidence.all("health") if line.data.get("ok") and line.data.get("checks")]
    return next((line for line in good if not hurt or line.seq > hurt[-1]), None)


def _all(messages: Messages) -> str:
    """By which channels; of a real one all that is known is said."""

    def said(channel: str) -> str:
        return f"{channel}: {TAKEN}" if messages.real(channel) else channel

    return " and ".join(f"{name} (by {' and '.join(map(said, by))})" for name, by in messages.groups.items())
