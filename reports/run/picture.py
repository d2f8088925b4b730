"""From the facts of one scenario to the picture of its outage."""

from __future__ import annotations

from collections.abc import Iterator

from harness.checks import Finding
from harness.checks.evidence import BY_SCENARIO
from harness.checks.places import FENCE, HAND_BACK, PROMOTE, SWITCH
from reports.judged import figure_of, not_bad
from reports.pack import Fact, Facts, Scenario
from reports.run.customers import SECOND, Answered, Seconds
from reports.run.losses import Curve
from reports.run.moments import Clock, Tick, affects, ticks, when
from reports.run.regions import NONE, Regions
from reports.run.story import after
from reports.run.timeline import Bar, Mark, Picture, Recovery
from reports.run.told import bars as told_bars
from reports.words import clean, length, limit

TURNS = {
    FENCE: "lost region fenced",
    PROMOTE: "second region seen to lead",
    SWITCH: "names switched",
    HAND_BACK: "first region seen to lead again",
}
BEFORE = 20.0  # seconds shown before the fault, where there are any
MARKS = (
    ("detected", "noticed", "seen"),
    ("decided", "decided", "seen"),
    ("names.refused", "names could NOT be switched", "hurt"),
    ("names.told", "names led by health", "seen"),
    ("verified", "data verified", "good"),
    ("in_service", "in service", "good"),
    ("stopped", "stopped", "hurt"),
)


def picture(
    scenario: Scenario,
    customers: Seconds | None,
    clock: Clock,
    *,
    note: str,
    exposure: tuple[Curve, ...],
    answers: tuple[Answered, ...] = (),
    seen: Regions = NONE,
    behind: tuple[Curve, ...] = (),
) -> Picture | None:
    """None where nothing happened that could be drawn."""
    facts = scenario.facts
    spans = tuple(_bars(facts, clock, "span", ("span",)))
    steps = tuple(_bars(facts, clock, "step", ("phase", "name")))
    told, people = ticks(facts, clock), told_bars(facts, clock)
    marks = (*_marks(facts, clock), *_new_marks(scenario, clock, told, answers))
    recovery = _recovery(scenario.finding("rto"), since=_since(facts, clock))
    if not marks and not spans and customers is None:
        return None
    ends = [bar.end for bar in (*spans, *steps, *people)] + [mark.at for mark in marks]
    if recovery:
        ends += [recovery.since + recovery.high, recovery.since + recovery.figure]
        if not recovery.lower_bound and not recovery.unbroken:
            at = recovery.since + recovery.figure
            marks = (*marks, Mark(f"served again {after(at)}", at, "good"))
    begin, end = _frame(customers, ends)
    return Picture(
        title=f"The outage of the scenario “{clean(scenario.title)}”",
        description=_description(spans, marks, recovery, customers),
        note=note,
        begin=begin,
        end=end,
        marks=marks,
        spans=spans,
        steps=steps,
        recovery=recovery,
        doer=doer(facts),
        customers=customers.between(begin, end) if customers else None,
        exposure=tuple(tuple(point for point in curve if begin <= point[0] <= end) for curve in exposure),
        behind=tuple(tuple(point for point in curve if begin <= point[0] <= end) for curve in behind),
        exposure_objective=_objective(scenario.finding("exposure")),
        alerts=told,
        told=people,
        nameable=any(affects(intent) for intent in facts.of("fault.intent")),
        answers=answers,
        regions=seen,
        history=clean(scenario.called["history"]),
    )


def doer(facts: Facts) -> tuple[str, str]:
    """Who did what was done, and by what: people only where they took the decisions, else the harness."""
    people = any(fact.data.get("attended") is True for fact in facts.of("decided"))
    return "the team" if people else "the harness", ", by the procedure" if facts.of("procedure") else ""


def _frame(customers: Seconds | None, ends: list[float]) -> tuple[float, float]:
    """From shortly before the fault to the end of what customers did after it."""
    last = max(ends, default=0.0)
    if customers is None:
        return -min(BEFORE, max(last / 4, 1.0)), last * 1.05 + 1.0
    room = max(BEFORE, last / 4)
    begin = max(float(customers.first), -room)
    done = float(customers.first + len(customers.answered))
    return min(begin, -1.0), max(last + 1.0, min(done, last + max(2 * BEFORE, last)))


def _bars(facts: Facts, clock: Clock, what: str, keys: tuple[str, ...]) -> list[Bar]:
    """Every `<what>.begin` with its `<what>.end`; one that never ended stays open."""
    bars: list[Bar] = []
    waiting: dict[tuple[str, ...], tuple[int, Fact]] = {}
    for fact in facts.of(f"{what}.begin", f"{what}.end"):
        name = tuple(str(fact.data.get(key, "")) for key in keys)
        if fact.kind.endswith("begin"):
            waiting[name] = (len(bars), fact)
            words = str(fact.data.get("does") or name[-1])
            bars.append(Bar(name[-1], clock.at(fact), clock.at(fact), what, words, open=True))
        elif name in waiting:
            place, begun = waiting.pop(name)
            kind = "bad" if fact.data.get("ok") is False else what
            bars[place] = Bar(name[-1], clock.at(begun), clock.at(fact), kind, bars[place].words)
    return bars


def _marks(facts: Facts, clock: Clock) -> tuple[Mark, ...]:
    hurt = facts.disaster()
    marks: list[Mark] = []
    for intent in facts.of("fault.intent"):
        main = intent is hurt
        words = "fault ordered" if main else f"{clean(intent.data.get('fault'))} ordered {after(clock.at(intent))}"
        marks.append(Mark(words, clock.at(intent), "hurt"))
        later = (fact for fact in facts.of("fault.effective") if fact.seq > intent.seq)
        effect = next((fact for fact in later if _same_fault(fact, intent)), None)
        if effect is not None and (main or not effect.data.get("ok")):
            took, at = "took" if effect.data.get("ok") else "did NOT take", _latest(effect, clock)
            marks.append(Mark(f"fault {took} effect {after(at)}", at, "hurt"))
    for kind, name, style in MARKS:
        fact = _counted(facts, kind, clock)
        if fact is not None:
            failed = kind == "verified" and not fact.data.get("ok")
            words = "verification FAILED" if failed else name
            marks.append(Mark(f"{words} {after(clock.at(fact))}", clock.at(fact), "hurt" if failed else style))
    return tuple(marks)


def _counted(facts: Facts, kind: str, clock: Clock) -> Fact | None:
    """The one that the findings count: the first that noticed the damage, and the first look that found the data sound
    after which none found it otherwise. Of all else the last."""
    found = facts.of(kind)
    if kind == "detected":
        hurt = facts.disaster()
        effect = hurt and next((fact for fact in facts.of("fault.effective") if _same_fault(fact, hurt)), None)
        return next((fact for fact in found if effect is None or clock.at(fact) >= _latest(effect, clock)), None)
    if kind == "verified" and found and found[-1].data.get("ok"):
        bad = max((fact.seq for fact in found if not fact.data.get("ok")), default=-1)
        return next(fact for fact in found if fact.seq > bad)
    return found[-1] if found else None


def _latest(effect: Fact, clock: Clock) -> float:
    """Seconds until a fault had taken effect, at the latest; where the line does not say, until its proof."""
    latest = effect.data.get("latest")
    if not isinstance(latest, int) or latest > effect.mono:
        return clock.at(effect)
    return (latest - clock.zero) / SECOND


def _new_marks(scenario: Scenario, clock: Clock, told: tuple[Tick, ...], answers: tuple[Answered, ...]) -> list[Mark]:
    """Whoever told operations, the first answer on a newer history, and what came back."""
    facts, called, found = scenario.facts, clean(scenario.called["history"]), []
    if right := next((tick for tick in told if tick.right), None):
        found.append(Mark(f"operations told {after(right.at)}", right.at, "seen"))
    oldest = min((each.history for each in answers), default=0)
    for history in sorted({each.history for each in answers} - {oldest}):
        first = min(each.first for each in answers if each.history == history)
        found.append(Mark(f"first answer on {called} {history} {after(first)}", first, "good"))
    found += [Mark(f"{words} {after(clock.at(fact))}", clock.at(fact)) for words, fact in _turns(facts)]
    for fact in facts.of("fault.still_active"):
        if not fact.data.get("ok"):
            name = f"{clean(fact.data.get('fault'))} had ENDED by itself"
            found.append(Mark(f"{name} {after(clock.at(fact))}", clock.at(fact), "hurt"))
    for fact in facts.of("fault.healed"):
        if fact.data.get("by") == BY_SCENARIO:
            said = "ended" if fact.data.get("ok") else "NOT ended"
            at, _ = when(fact, clock)
            found.append(Mark(f"fault {said} {after(at)}", at))
    for kind, name, good in (("rejoined", "member", "a copy again"), ("rotation", "component", "in rotation")):
        latest = {str(fact.data.get(name)): fact for fact in facts.of(kind)}
        for who, fact in latest.items():
            said, style = (good, "good") if fact.data.get("ok") else (f"NOT {good}", "hurt")
            found.append(Mark(f"{clean(who)} {said} {after(clock.at(fact))}", clock.at(fact), style))
    return found


def _turns(facts: Facts) -> Iterator[tuple[str, Fact]]:
    """What turns the loss of a region, and what is planned."""
    for fact in facts.of("step.end", "planned.begin"):
        words = "planned interruption" if fact.kind == "planned.begin" else TURNS.get(str(fact.data.get("name")), "")
        if words and fact.data.get("ok") is not False:
            yield words, fact


def _same_fault(one: Fact, other: Fact) -> bool:
    return bool(one.data.get("fault") == other.data.get("fault"))


def _objective(finding: Finding | None) -> float | None:
    return finding.objective if finding and finding.unit == "s" else None


def _since(facts: Facts, clock: Clock) -> float:
    """Seconds after the order from which a figure counts at most: when the fault took effect at the earliest."""
    hurt = facts.disaster()
    effect = hurt and next((fact for fact in facts.of("fault.effective") if _same_fault(fact, hurt)), None)
    earliest = effect.data.get("earliest") if effect else None
    if not isinstance(earliest, int) or effect is None or not clock.zero <= earliest <= effect.mono:
        return 0.0
    return (earliest - clock.zero) / SECOND


def _recovery(finding: Finding | None, *, since: float) -> Recovery | None:
    if finding is None or finding.figure is None or finding.unit != "s":
        return None
    figure, goal = finding.figure, finding.objective
    low = figure if finding.low is None else finding.low
    high = figure if finding.high is None or finding.lower_bound else finding.high
    unbroken = not_bad(finding.id, finding.reason)
    beyond = ""
    if goal is not None:
        times = "" if finding.lower_bound or figure <= 0 or unbroken else f", {goal / figure:,.0f} times this figure"
        beyond = f"objective {limit(goal)}{times}"
    return Recovery(figure, low, high, figure_of(finding), goal, beyond, finding.lower_bound, unbroken, since)


def _description(
    spans: tuple[Bar, ...], marks: tuple[Mark, ...], recovery: Recovery | None, customers: Seconds | None
) -> str:
    """The same picture in sentences, for whoever cannot see it."""
    parts = ["Time runs from left to right; zero is the moment the fault was ordered."]
    parts += [f"{mark.name}." for mark in sorted(marks, key=lambda mark: mark.at)]
    parts += [f"{bar.name}: {'not ended' if bar.open else length(bar.end - bar.begin)}." for bar in spans]
    if recovery:
        what = "Customers" if recovery.unbroken else "Time to recover"
        parts.append(f"{what}: {recovery.words}; {recovery.beyond or 'no objective'}.")
    if customers:
        good, bad = sum(customers.answered), sum(customers.unanswered)
        parts.append(f"Of {good + bad:,} requests {good:,} were answered and {bad:,} were not.")
    return " ".join(parts)
