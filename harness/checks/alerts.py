"""What the platform's own monitoring told operations: how long until it named what was hurt, and whether it did.

An alert counts when it came in, firing, after the fault was ordered, and names something that the fault hurts: a
component, or a zone. When it was received is what counts, not when the harness read it at the receiver. One that had
begun before the fault, by the monitoring's own word, tells of something else: whether this fault was noticed is not
known from it. Its word is of its own clock: how far that is from the journal's, and how exactly that is known, enters.
An alert that came before it began, by more than that, is a contradiction, and nothing is judged from it.

Faults that were injected before the scenario waited for an alert belong together: one alert has to name one of them.
Where a scenario waited several times, each time is judged and the worst counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.checks import Finding, Outcome, merge
from harness.checks.clocks import clock_of
from harness.checks.evidence import (
    SECOND,
    Evidence,
    Expectation,
    Line,
    Unsound,
    against,
    effect,
    ineffective,
    moment_of,
    seconds,
)
from harness.checks.stamps import since_epoch, uncertainty, utc_of

DETECTION = "Monitoring told operations"
NAMES = "The alert names what failed"
CLOCKS = 5 * SECOND  # the clocks of the monitoring and of the drill may be so far apart, where nobody says how far
LOOK = SECOND  # a monitoring may stamp an alert with when its look began, and not with what the look ended in


@dataclass
class Watch:
    """Faults that one alert has to tell of."""

    intents: list[Line] = field(default_factory=list)  # those that hurt something that monitoring can see
    watched: Line | None = None  # the scenario waited for an alert, until then

    @property
    def affects(self) -> list[Mapping[str, Any]]:
        """What an alert has to name, each once."""
        found: list[Mapping[str, Any]] = []
        for line in self.intents:
            found += [each for each in line.data.get("affects") or () if each not in found]
        return found

    @property
    def names(self) -> str:
        """The same, in words."""
        return ", ".join(map(what_it_affects, self.affects))


def watches(evidence: Evidence) -> list[Watch]:
    """Every time that the scenario waited for an alert; where it never did, all its faults together.

    Errors: `Unsound` where no fault is known to have bitten, or none affects anything that monitoring could see.
    """
    if why := ineffective(evidence):
        raise Unsound(why)
    found: list[Watch] = []
    current = Watch()
    for line in evidence.lines:
        if line.kind == "fault.intent" and line.data.get("affects"):
            current.intents.append(line)
        elif line.kind == "alert.awaited" and current.intents:
            current.watched = line
            found.append(current)
            current = Watch()
        elif line.kind == "alert.awaited" and found:
            found[-1].watched = line  # it waited on
    if current.intents and not found:
        found.append(current)
    if not found:
        raise Unsound("the fault hurts nothing that an alert could name")
    return found


def firing(evidence: Evidence, since: int) -> list[Line]:
    """Alerts that came in, firing, from a moment on, in the order in which they came."""
    alerts = [
        line
        for line in evidence.all("alert")
        if line.data["received"] >= since and line.data.get("state", "firing") == "firing"
    ]
    return sorted(alerts, key=lambda line: (line.data["received"], line.seq))


def begun_before(evidence: Evidence, alert: Line, intent: Line) -> str:
    """Why an alert may have begun before the fault; empty where it had not, or nobody says when it began.

    Errors: `Unsound` where a stamp is no time, or the alert came before it began.
    """
    starts = alert.data.get("starts")
    if not starts:
        return ""
    stamp, clock = since_epoch(starts, f"line {alert.seq + 1}"), clock_of(evidence, alert)
    if clock is None:
        early = utc_of(intent) - stamp
        return _begun(alert, early) if early > CLOCKS else ""
    begun = stamp - clock.offset
    received = utc_of(alert) - (alert.mono - alert.data["received"])
    known = clock.uncertainty + uncertainty(evidence.lines)
    if begun - received > known:
        late = seconds(begun - received)
        raise Unsound(f"{said(alert)} came {late:.3f} s before it began, and the clocks are nearer than that")
    fault = utc_of(intent) + moment_of(effect(evidence, intent))[0] - intent.mono
    early = fault - begun
    if early > known + LOOK:
        return _begun(alert, early)
    if early > LOOK - known:
        return f"{said(alert)} may have begun before the fault: its clock is known to {seconds(known):.1f} s only"
    return ""


def _begun(alert: Line, early: int) -> str:
    many = seconds(early)
    return f"{said(alert)} had begun {many:.1f} s before the fault, so whether it tells of this one is not known"


def split(evidence: Evidence, alerts: Sequence[Line], watch: Watch) -> tuple[list[Line], list[Line]]:
    """Of the alerts that name what was hurt: those that tell of this fault, and those that had begun before it."""
    naming = [each for each in alerts if names_any(each.data, watch.affects)]
    old = [each for each in naming if begun_before(evidence, each, watch.intents[0])]
    return [each for each in naming if each not in old], old


def names_any(alert: Mapping[str, Any], affects: Iterable[Mapping[str, Any]]) -> bool:
    """Whether an alert names one of these, each a component or a zone: for checks, scenarios, reports and screens.

    Where both say a region, it has to be the same.
    """
    return any(_names(alert, each) for each in affects)


def _names(alert: Mapping[str, Any], affected: Mapping[str, Any]) -> bool:
    regions = {each.get("region") for each in (alert, affected)} - {None, ""}
    what = "component" if affected.get("component") else "zone"
    return len(regions) < 2 and bool(alert.get(what)) and alert.get(what) == affected.get(what)


def what_it_affects(affected: Mapping[str, Any]) -> str:
    """A component, or a zone, in words."""
    words = str(affected.get("component") or f"zone {affected.get('zone')}")
    return f"{words} of {affected['region']}" if affected.get("region") else words


def said(alert: Line) -> str:
    """An alert in words: its rule, and what it names."""
    component, zone = alert.data.get("component"), alert.data.get("zone")
    named = ", ".join(str(each) for each in (component, f"zone {zone}" if zone else "") if each)
    return f"{alert.data.get('name')} ({named or 'names nothing'})"


def detection(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the fault to the first alert that names what was hurt, against `expected.limit`."""
    found = [_detection(evidence, expected, each) for each in watches(evidence)]
    return max(found, key=lambda each: (BADNESS[each.outcome], each.figure or 0.0))


BADNESS = {Outcome.MET: 0, Outcome.UNKNOWN: 1, Outcome.MISSED: 2}


def _detection(evidence: Evidence, expected: Expectation, watch: Watch) -> Finding:
    first = watch.intents[0]
    earliest, latest = moment_of(effect(evidence, first))
    what = watch.names
    told, old = split(evidence, firing(evidence, earliest), watch)
    if told:
        low = seconds(max(0, told[0].data["received"] - latest))
        high = seconds(told[0].data["received"] - earliest)
        by = told[0].data.get("by") or "the monitoring"
        words = f"{by} told operations of {what} at most {high:.3f} s after the fault: {said(told[0])}"
        outcome = against(low, high, expected.limit)
        return expected.finding_of(evidence, DETECTION, outcome, words, figure=high, low=low, high=high)
    if old:
        return expected.finding_of(
            evidence, DETECTION, Outcome.UNKNOWN, begun_before(evidence, old[0], watch.intents[0])
        )
    until = max(latest, read_until(evidence))
    low = seconds(max(0, until - latest))
    words = f"no alert that names {what} had come {low:.3f} s after the fault"
    words += "" if watch.watched else ", and the scenario did not wait for one"
    if stopped := evidence.stopped():
        words += f" ({stopped})"
    outcome = against(low, low, expected.limit, lower_bound=True)
    return expected.finding_of(evidence, DETECTION, outcome, words, figure=low, low=low, lower_bound=True)


def read_until(evidence: Evidence) -> int:
    """The latest moment of which is known that all alerts until then are in the journal.

    A scenario reads the receiver once more at its end. Of one that was killed, only what was read before is known.
    """
    unread = any("alert receiver" in str(line.data.get("what")) for line in evidence.all("failed"))
    if not unread and (evidence.first("stopped") or evidence.first("scenario.end")):
        return evidence.observed()
    return max((line.mono for line in evidence.lines if line.kind in ("alert.awaited", "alert")), default=0)


def alert(evidence: Evidence, expected: Expectation) -> Finding:
    """Whether an alert names what failed. Others that came are symptoms: they are listed, and take nothing back."""
    outcomes, words = zip(*(_named(evidence, each) for each in watches(evidence)), strict=True)
    worst = merge(
        Finding(expected.finding, evidence.scenario, NAMES, outcome, said)
        for outcome, said in zip(outcomes, words, strict=True)
    )
    return expected.finding_of(evidence, NAMES, worst, "; ".join(words))


def _named(evidence: Evidence, watch: Watch) -> tuple[Outcome, str]:
    what = watch.names
    came = firing(evidence, watch.intents[0].mono)
    right, old = split(evidence, came, watch)
    others = list(dict.fromkeys(said(each) for each in came if each not in right))
    listed = ", ".join(others)
    if right:
        words = f"{said(right[0])}: {right[0].data.get('summary') or 'no summary'}"
        return Outcome.MET, words + (f"; others that came: {listed}" if others else "")
    if old:
        return Outcome.UNKNOWN, begun_before(evidence, old[0], watch.intents[0])
    stopped = evidence.stopped()
    waited = watch.watched is not None
    outcome = Outcome.MISSED if waited or (came and not stopped) else Outcome.UNKNOWN
    words = f"{what} failed, and no alert names it"
    words += f"; what came: {listed}" if others else "; none came"
    if not waited:
        words += (
            f"; the scenario did not wait for one ({stopped})" if stopped else "; the scenario did not wait for one"
        )
    return outcome, words
