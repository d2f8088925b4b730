"""What must stand next to a verdict: how many findings were judged, what is UNKNOWN beside them, what was left out.

A verdict is over what was judged, and these words say how much that is. No sentence here says "every".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.checks import NOT_EXERCISED, ON_THIS_STACK, Finding, Outcome
from harness.checks.reach import WITHIN
from harness.evidence.first_line import marks
from reports.judged import exercised, reach, reason_of, said
from reports.pack import Facts, Pack, Scenario
from reports.words import clean, counted, limit, plain, quantity

ORDER = (Outcome.MISSED, Outcome.UNKNOWN, Outcome.MET)
SPLIT = ("one-leader", "split-brain", "two-leaders")  # ids of the findings that nothing else outweighs
RAN = "scenario"  # the id of the finding that each scenario has; it counts but where the scenario cannot be run
LEFT_OUT = "exercised"  # the id of the finding whose reason has a sentence of its own
PARTLY = "for what was exercised"


def left_out(facts: Facts) -> tuple[tuple[str, str], ...]:
    """What the machine could not do of the scenario, and why; each once."""
    lines = facts.of("not_exercised")
    return tuple(dict.fromkeys((plain(fact.data.get("what")), plain(fact.data.get("why"))) for fact in lines))


def short(outcome: Outcome, left: object) -> str:
    """`MET`, or `MET for what was exercised` where anything was left out."""
    return f"{outcome} {PARTLY}" if left and outcome is Outcome.MET else str(outcome)


def of_run(pack: Pack) -> str:
    """The verdict of the run, in words, and what must stand with it: `MET, rehearsal`."""
    said = short(pack.verdict, any(left_out(each.facts) for each in pack.scenarios))
    return ", ".join((said, *marks(pack.begin)))


def beside(scenario: Scenario) -> tuple[str, ...]:
    """What stands next to the scenario's verdict; nothing where the verdict says it all."""
    names = [_named(each, scenario.findings) for each in scenario.findings if _within(each)]
    within = f"MET, {WITHIN}: {', '.join(names)}" if names else ""
    return tuple(map(clean, filter(None, (not_exercised(scenario), declared_in_words(declared(scenario)), within))))


def against(scenario: Scenario) -> tuple[Finding, ...]:
    """What counts and is not MET, the worst first: why its verdict is none that one wants. Nothing of a scenario that
    was not begun: why stands with it."""
    if not scenario.begun or not_on_this_stack(scenario):
        return ()
    wrong = [_told_once(each, scenario) for each in scenario.findings if not each.advisory]
    return tuple(
        each
        for outcome in (Outcome.MISSED, Outcome.UNKNOWN)
        for each in sorted(wrong, key=lambda one: one.id not in SPLIT)
        if each.outcome is outcome
    )


def _named(finding: Finding, among: Sequence[Finding]) -> str:
    """Its title, with the objective where several have that title."""
    title = finding.title or finding.id
    if finding.objective is None or sum((each.title or each.id) == title for each in among) < 2:
        return title
    goal = limit(finding.objective) if finding.unit == "s" else quantity(finding.objective, finding.unit)
    return f"{title} (objective {goal})"


def not_exercised(scenario: Scenario) -> str:
    """What must be said next to its verdict where a part of it was left out; else empty, also where all of it was."""
    return "" if not_on_this_stack(scenario) else partly(scenario.verdict, left_out_words(scenario))


def declared(scenario: Scenario) -> str:
    """Who has declared that the platform cannot run it, where the verdict of the run leaves it out for that."""
    ran, line = scenario.finding(RAN), scenario.facts.first("declared")
    if ran is None or not ran.advisory or line is None:
        return ""
    return clean(f"declared until {line.data.get('until')} by {line.data.get('who')}: {line.data.get('why')}")


def declared_in_words(by: str) -> str:
    """`left out of the verdict of the run: it cannot be run, declared until … by …`; empty where nobody has."""
    return by and f"left out of the verdict of the run: it cannot be run, {by}"


def left_out_words(scenario: Scenario) -> str:
    """Each reason once, with all that it is the reason for."""
    by_why: dict[str, list[str]] = {}
    for what, why in left_out(scenario.facts):
        by_why.setdefault(why, []).append(what)
    return "; ".join(f"{', '.join(what)}: {why}" for why, what in by_why.items())


def partly(outcome: Outcome, left: str) -> str:
    """`MET for what was exercised; not exercised: latency: this kernel has no netem`; empty where nothing was left."""
    return left and f"{short(outcome, left) + '; ' if outcome is Outcome.MET else ''}not exercised: {left}"


def broken_off(scenario: Scenario) -> str:
    """Why the scenario did not come to its end, in the words that findings repeat; empty where it did."""
    end, stopped = scenario.facts.last("scenario.end"), scenario.facts.last("stopped")
    if end is None or end.data.get("outcome") == "completed":
        return ""
    if lacking := not_on_this_stack(scenario):
        return f"{ON_THIS_STACK}: {lacking}"
    if stopped is not None:
        return f"stopped by {stopped.data.get('who')}: {stopped.data.get('why')}"
    return f"the scenario {end.data.get('outcome')}: {end.data.get('error') or 'no reason recorded'}"


def not_on_this_stack(scenario: Scenario) -> str:
    """What its stack lacks, where the scenario was not begun for that."""
    end = scenario.facts.last("scenario.end")
    return clean(end.data.get("error")) if end and end.data.get("outcome") == NOT_EXERCISED else ""


def summary(pack: Pack) -> tuple[str, ...]:
    """Sentences about the whole run: what was judged, what is UNKNOWN beside it and why, and what was left out."""
    counting = [each for each in pack.scenarios if not declared(each)]
    findings = [_told_once(finding, scenario) for scenario in counting for finding in scenario.findings]
    found = [_judged([each for each in findings if not each.advisory], pack.verdict)]
    if open := [each for each in findings if each.advisory and each.outcome is Outcome.UNKNOWN]:
        are = "is" if len(open) == 1 else "are"
        found.append(f"Beside them {counted(len(open), 'advisory finding')} {are} UNKNOWN: {_why(open)}.")
    found += [f"Not exercised in “{each.title}”: {left}." for each in counting if (left := left_out_words(each))]
    found += [
        f"“{each.title}” is {declared_in_words(by)}. Not exercised: {left_out_words(each)}."
        for each in pack.scenarios
        if (by := declared(each))
    ]
    return tuple(map(clean, found))


def _told_once(finding: Finding, scenario: Scenario) -> Finding:
    """Without what ended the scenario: that stands with it. Nor with the database that its title names."""
    broken = broken_off(scenario)
    finding = replace(finding, reason=reason_of(finding))
    return replace(finding, reason=finding.reason.replace(f" ({broken})", "")) if broken else finding


def _judged(findings: Sequence[Finding], verdict: Outcome) -> str:
    if not findings:
        return "No finding was judged; this is not a pass."
    numbers = [(outcome, sum(each.outcome is outcome for each in findings)) for outcome in ORDER]
    listed = [f"{many} {outcome}" for outcome, many in numbers if many]
    words = f"{counted(len(findings), 'finding')} that count{'s' if len(findings) == 1 else ''}: {', '.join(listed)}"
    if within := sum(_within(each) for each in findings):
        words += f", {within} of them {WITHIN}"
    return f"{words}." if verdict is Outcome.MET else f"{words}; this is not a pass."


def _within(finding: Finding) -> bool:
    return not finding.advisory and bool(reach(finding.outcome, finding.beside))


def _why(findings: Iterable[Finding]) -> str:
    """Each kind once, with how often, and the reason of the first."""
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.title or finding.id, []).append(finding)
    words = []
    for title, alike in kinds.items():
        one = len({each.reason for each in alike}) == 1
        many = f", {len(alike)} times" if len(alike) > 1 else ""
        why = f" ({'' if one else 'such as: '}{alike[0].reason})"
        words.append(f"{title}{many}{'' if alike[0].id == LEFT_OUT else why}")
    return "; ".join(words)


@dataclass(frozen=True)
class Demand:
    """A demand that the scenario's tags name. `how`: which finding judged it, or why none did."""

    id: str
    text: str
    how: str
    exercised: bool


def demands(scenario: Scenario, tags: Iterable[str], texts: Mapping[str, str]) -> tuple[Demand, ...]:
    """Those that a finding of the scenario has judged come first."""
    ids = [id for tag in tags if (id := tag.lstrip("@")) in texts]
    found = [_demand(id, texts[id], [each for each in scenario.findings if id in each.demands]) for id in ids]
    return tuple(sorted(found, key=lambda each: not each.exercised))


def _demand(id: str, text: str, findings: Sequence[Finding]) -> Demand:
    judged = [each for each in findings if exercised(each)]
    if judged:
        how = "; ".join(f"{said(each.outcome, each.beside)}: {each.title or each.id}" for each in judged)
        return Demand(id, text, how, exercised=True)
    named = "; ".join(f"“{each.title or each.id}” does not show it: {each.reason}" for each in findings)
    return Demand(id, text, named or "no finding judges it", exercised=False)
