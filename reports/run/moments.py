"""Every moment of a scenario that a reader of its story wants to know, in words, on the clock of its fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from harness.checks.alerts import names_any
from harness.checks.evidence import BY_SCENARIO
from reports.pack import Data, Fact, Facts, Scenario
from reports.run import restores
from reports.run.customers import SECOND
from reports.words import as_number, length, plain

NOTHING: tuple[Any, ...] = ("", [], {}, None)  # facts that a step had nothing to say for
MARKED = ("found", "left")  # in a line of marks


@dataclass(frozen=True)
class Clock:
    """Monotonic readings as seconds after `zero`."""

    zero: int

    def at(self, fact: Fact) -> float:
        return (fact.mono - self.zero) / SECOND


def clock_of(scenario: Scenario) -> Clock | None:
    """Zero is the order of the fault; without one, the customers' beginning, else the scenario's first line."""
    facts = scenario.facts
    start = facts.disaster() or facts.first("workload.begin") or next(iter(facts.lines), None)
    return Clock(start.mono) if start else None


@dataclass(frozen=True)
class Moment:
    """`at`: seconds after the fault was ordered."""

    at: float
    utc: datetime | None
    words: str


@dataclass(frozen=True)
class Tick:
    """An alert that came in, firing: `right` where it names what was hurt."""

    at: float
    words: str
    right: bool


def ticks(facts: Facts, clock: Clock) -> tuple[Tick, ...]:
    """Every alert that came in after the first fault, by when it was received."""
    intents = facts.of("fault.intent")
    if not intents:
        return ()
    affected = [each for fact in intents for each in affects(fact)]
    found = []
    for fact in facts.of("alert"):
        at = received(fact)
        if fact.data.get("state") == "firing" and at >= intents[0].mono:
            right = names_any(fact.data, affected)
            found.append(Tick((at - clock.zero) / SECOND, alert(fact.data), right))
    return tuple(sorted(found, key=lambda tick: tick.at))


def affects(intent: Fact) -> list[Data]:
    """What an alert has to name, of one fault."""
    named = intent.data.get("affects")
    return [each for each in named if isinstance(each, dict)] if isinstance(named, list) else []


def moments(scenario: Scenario, clock: Clock) -> list[Moment]:
    """In the order of the journal; an alert stands where it was received, not where it was read, and what took effect
    or was healed where it was so at the latest, not where its proof was there."""
    found, gone = [], set()
    for fact in scenario.facts.lines:
        if fact.kind == "fault.left" and fact.data.get("ok"):
            gone.add(str(fact.data.get("injection")))
        if words := words_of(fact.kind, fact.data, scenario.called["history"]):
            at, utc = when(fact, clock)
            if fact.kind == "fault.healed" and fact.data.get("ok") and str(fact.data.get("injection")) in gone:
                words += ": nothing of it was left"
            found.append(Moment(at, utc, words))
    return found


def words_of(kind: str, data: Data, history: str) -> str:
    """A fact in words, with what its keepers call a `history` of the database; empty where it is none of the story."""
    if kind in OF_A_HISTORY:
        return OF_A_HISTORY[kind](data, f"{history} {plain(data.get('history'))}")
    return WORDS[kind](data) if kind in WORDS else ""


def received(fact: Fact) -> int:
    """When an alert was received, on the monotonic clock; where the line does not say, when it was read."""
    told = fact.data.get("received")
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= fact.mono else fact.mono


def latest(fact: Fact) -> int:
    """Until when, at the latest, what the line tells had come about; where it does not say, when it was written."""
    told = fact.data.get("latest")
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= fact.mono else fact.mono


def when(fact: Fact, clock: Clock) -> tuple[float, datetime | None]:
    """As `moments` has it, and whoever tells of the same line elsewhere: seconds, and UTC."""
    if fact.kind not in ("alert", *BY_LATEST):
        return clock.at(fact), fact.utc
    at = received(fact) if fact.kind == "alert" else latest(fact)
    return (at - clock.zero) / SECOND, shifted(fact.utc, (at - fact.mono) / SECOND)


def shifted(utc: datetime | None, seconds: float) -> datetime | None:
    """A moment so many seconds later; None where it is not known, or no calendar has it."""
    try:
        return utc and utc + timedelta(seconds=seconds)
    except OverflowError:
        return None


def alert(data: Data) -> str:
    """`ServerDown names api-a, zone a`."""
    named = [plain(data["component"])] if data.get("component") else []
    named += [f"zone {plain(data['zone'])}"] if data.get("zone") else []
    return f"{plain(data.get('name'))} names {', '.join(named) or 'nothing'}"


def _alert(data: Data) -> str:
    if data.get("state") != "firing":
        return f"alert {plain(data.get('state'))}: {alert(data)}"
    return f"alert: {alert(data)}" + (f": {plain(data['summary'])}" if data.get("summary") else "")


def _truncated(data: Data) -> str:
    if not data.get("count"):
        return "the monitoring tells all of its alerts again"
    return f"the monitoring left {plain(data['count'])} alerts out of what it told"


def _watched(data: Data) -> str:
    if data.get("named"):
        return ""  # `detected` says it
    return f"no alert named what was hurt within {length(as_number(data.get('within')))}"


def _step(data: Data) -> str:
    done = "done" if data.get("ok") else "FAILED"
    facts = data.get("facts")
    said = facts.items() if isinstance(facts, dict) else ()
    found = [f"{key}: {plain(value)}" for key, value in said if value not in NOTHING]
    return f"step “{plain(data.get('name'))}” {done}" + (f" ({'; '.join(found)})" if found else "")


def _checks(name: str) -> Callable[[Data], str]:
    def told(data: Data) -> str:
        listed: Any = data.get("checks")
        checks = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        bad = [f"{plain(each.get('name'))}: {plain(each.get('seen'))}" for each in checks if not each.get("ok")]
        return f"{name}: " + (f"{len(bad)} of {len(checks)} failed: {'; '.join(bad)}" if bad else "all good")

    return told


def _acknowledged(data: Data) -> str:
    by, role = plain(data.get("by")), plain(data.get("role"))
    return f"{by} acknowledged by {plain(data.get('channel'))}{'' if by == role else f', for the {role}'}"


def _marks(data: Data) -> str:
    found, left = (plain(data[each]) if data.get(each) is not None else "nobody knows how many" for each in MARKED)
    why = f": {plain(data['why'])}" if data.get("why") else ""
    return f"of what was written into the platform's data {found} were there, and {left} stay{why}"


def _steady(data: Data) -> str:
    if data.get("moment") != "after":
        return ""
    waited = data.get("seconds")
    after = f" after {plain(waited)} s" if isinstance(waited, int | float) and not isinstance(waited, bool) else ""
    return f"steady again{after}" if data.get("ok") else f"NOT steady again{after}"


def _decided(data: Data) -> str:
    answer = f": {plain(data['answer'])}" if data.get("answer") else ""
    return (
        f"decided by {plain(data.get('by'))} for the {plain(data.get('role'))}: {plain(data.get('question'))}{answer}"
    )


def healer(by: object) -> str:
    return "as the scenario says" if by == BY_SCENARIO else f"by {plain(by)}"


def _endpoints(data: Data) -> str:
    listed: Any = data.get("answers")
    answers = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    said = ", ".join(f"{plain(each.get('path'))} answers {plain(each.get('status'))}" for each in answers)
    return f"zone {plain(data.get('zone'))}: {said or 'was not asked'}"


def _told_names(data: Data) -> str:
    answered: Any = data.get("answered")
    said = answered.items() if isinstance(answered, dict) else ()
    listed = ", ".join(f"{plain(name)} is in {plain(region) or 'no region'}" for name, region in said)
    return f"resolvers are told, while {plain(data.get('why'))}: {listed or 'nothing'}"


def _replica(data: Data) -> str:
    can = "can" if data.get("usable") else "can NOT"
    return f"the replica in {plain(data.get('region'))} {can} be used: {plain(data.get('why'))}"


def _again(name: str, does: str) -> Callable[[Data], str]:
    def told(data: Data) -> str:
        said = f"is {'' if data.get('ok') else 'NOT '}{does}"
        return f"{plain(data.get(name))} {said}: {plain(data.get('seen'))}"

    return told


def _healed(said: Data) -> str:
    if not said.get("ok"):
        return "stays FENCED, said" if said.get("how") == "left fenced" else "is NOT healed"
    return "is gone with its stack, which was removed" if said.get("how") == "removal" else "is healed"


def _left(data: Data) -> str:
    after, fault = plain(data.get("after")), plain(data.get("fault"))
    said = "is over, nothing of it is left" if data.get("ok") else f"is not over: {plain(data.get('seen'))}"
    return f"{after}: {fault} {said}"


BY_LATEST = ("fault.effective", "fault.healed", "region.back")
WORDS: dict[str, Callable[[Data], str]] = {
    "fault.intent": lambda d: f"the drill orders its fault {plain(d.get('fault'))}",
    "fault.effective": lambda d: f"{plain(d.get('fault'))} {'took effect' if d.get('ok') else 'did NOT take effect'}",
    "fault.still_active": lambda d: (
        f"{plain(d.get('fault'))} {'still holds' if d.get('ok') else 'had ENDED by itself'}"
    ),
    "fault.healed": lambda d: f"{plain(d.get('fault'))} {_healed(d)} {healer(d.get('by'))}",
    "fault.left": _left,
    "alert": _alert,
    "alerts.truncated": _truncated,
    "alert.awaited": _watched,
    "detected": lambda d: f"noticed by {plain(d.get('by'))}: {plain(d.get('seen'))}",
    "asked": lambda d: f"the {plain(d.get('role'))} is asked: {plain(d.get('question'))}",
    "decided": _decided,
    "procedure": lambda d: f"the procedure “{plain(d.get('name'))}” is announced",
    "step.end": _step,
    "endpoints": _endpoints,
    "rotation": _again("component", "back in rotation"),
    "rejoined": _again("member", "back as a copy"),
    "region.back": lambda d: f"the {plain(d.get('what'))} of {plain(d.get('region'))} is back by itself",
    "replica": _replica,
    "names.refused": lambda d: f"{plain(d.get('name'))} could NOT be switched: {plain(d.get('why'))}",
    "names.told": _told_names,
    "release": lambda d: f"release {plain(d.get('name'))} is deployed",
    "verified": _checks("the data is verified"),
    "health": _checks("health verification"),
    "survey": _checks("health verification while something fails"),
    "in_service": lambda d: f"{plain(d.get('member'))} is in service",
    "steady": _steady,
    "message": lambda d: f"{plain(d.get('what'))} to {plain(d.get('whom'))} goes out",
    "message.acknowledged": _acknowledged,
    "message.not_reached": lambda d: (
        f"{plain(d.get('said_by'))} says that the {plain(d.get('whom'))} is not reached by {plain(d.get('channel'))}"
    ),
    "message.given_up": lambda d: f"{plain(d.get('role'))} is NOT reached any more: {plain(d.get('why'))}",
    "report.due": lambda d: f"a post-incident report is due by {plain(d.get('due'))}",
    "marks": _marks,
    "declared": lambda d: (
        f"declared until {plain(d.get('until'))} by {plain(d.get('who'))} that it cannot be run: {plain(d.get('why'))}"
    ),
    "not_exercised": lambda d: f"not exercised: {plain(d.get('what'))}: {plain(d.get('why'))}",
    "disk.full": lambda d: f"the disk is full: {plain(d.get('free'))} bytes are left",
    "failed": lambda d: f"{plain(d.get('what'))}: {plain(d.get('error'))}",
    "stopped": lambda d: f"stopped by {plain(d.get('who'))}: {plain(d.get('why'))}",
    **restores.WORDS,
    "scenario.end": lambda d: f"the scenario is {plain(d.get('outcome'))}",
}
OF_A_HISTORY: dict[str, Callable[[Data, str], str]] = {  # the same, of one history of the database
    "leadership": lambda d, history: f"{plain(d.get('member'))} leads on {history}",
    "recovery.reached": lambda d, history: f"recovery ended at {plain(d.get('at'))}, {history}",
}
