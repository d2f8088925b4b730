"""One scenario as the page shows it: rows of words, and the picture. No judgement, only arrangement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup

from harness.checks import Finding, reconciliation
from harness.checks.evidence import Evidence, Unsound
from harness.checks.root_cause import file_of
from harness.evidence import format1
from reports import verdicts
from reports.judged import exercised, figure_of, others, reach, used
from reports.pack import Fact, Facts, Pack, Scenario
from reports.run import customers, features, losses, moments, picture, regions, root_cause, story, told
from reports.run.timeline import draw
from reports.words import SYMBOLS, as_number, clean, length, limit, plain, quantity

WIDE, NARROW = 900, 400


@dataclass(frozen=True)
class FindingRow:
    outcome: str
    reach: str  # what must be said with the outcome; empty where nothing
    symbol: str
    title: str
    figure: str
    objective: str
    ratio: str
    beside: tuple[tuple[str, str], ...]
    reason: str
    demands: tuple[str, ...]
    parts: str
    advisory: bool
    exercised: bool  # whether it has judged its demands


@dataclass(frozen=True)
class StepRow:
    phase: str
    name: str
    does: str
    took: str
    outcome: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CheckRow:
    name: str
    ok: bool
    seen: str
    took: str = ""
    limit: str = ""


@dataclass(frozen=True)
class Compared:
    name: str
    before: str
    after: str
    same: bool | None  # None: one of the two was not taken


@dataclass(frozen=True)
class Page:
    """Everything the page says about one scenario."""

    anchor: str
    place: int  # of all scenarios of the run, from 1
    name: str
    title: str
    drill: str
    begun: bool
    verdict: str
    symbol: str
    ended: str
    wording: features.Wording | None
    demands: tuple[verdicts.Demand, ...]
    beside: tuple[str, ...]  # what must stand next to the verdict
    injected: tuple[tuple[str, str, str], ...]
    findings: tuple[FindingRow, ...]
    loss: tuple[tuple[str, str], ...]
    wide: Markup
    narrow: Markup
    steps: tuple[StepRow, ...]
    changes: tuple[tuple[str, str, str], ...]
    ordered: tuple[tuple[str, str], ...]
    health: tuple[CheckRow, ...]
    verified: tuple[CheckRow, ...]
    figures: tuple[Compared, ...]
    steady: tuple[tuple[str, tuple[CheckRow, ...]], ...]
    story: tuple[tuple[str, str, str], ...]
    answers: tuple[tuple[str, ...], ...]
    asked: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]
    doer: tuple[str, str]
    told_people: tuple[told.ToldRow, ...]
    told_how: str
    document: str
    questions: int
    problems: tuple[str, ...]
    rto: FindingRow | None
    lost: FindingRow | None
    lost_name: str
    told: FindingRow | None
    misled: FindingRow | None
    decision: str
    undecided: bool


def page(
    pack: Pack, scenario: Scenario, evidence: Evidence | None, *, place: int, note: str, texts: Mapping[str, str]
) -> Page:
    """Arrange one scenario. `note` is what every figure carries: environment, sandbox level and size."""
    problems: list[str] = []
    facts = scenario.facts
    clock = moments.clock_of(scenario)
    wide = narrow = Markup("")
    zero = clock.zero if clock else 0
    seen = customers.read(scenario.ledgers, zero=zero, problems=problems, inside=scenario.inside)
    if clock:
        risk = losses.exposure(evidence, zero=clock.zero, problems=problems)
        both = regions.read(pack.facts.data("stack.ready"), scenario.ledgers, facts, zero=clock.zero)
        drawn = picture.picture(
            scenario,
            seen.seconds,
            clock,
            note=note,
            exposure=risk,
            answers=seen.answers,
            seen=both,
            behind=losses.behind(evidence, zero=clock.zero),
        )
        if drawn:
            # the SVG was escaped where it was made: reports/svg.py
            wide = Markup(draw(drawn, width=WIDE, key=f"s{place}w"))
            narrow = Markup(draw(drawn, width=NARROW, key=f"s{place}n"))
    wording = features.find(pack.folder, scenario.title)
    tags = tuple(map(str, _list(facts.data("scenario.begin").get("tags")))) or (wording.tags if wording else ())
    by_id = {finding.id: finding for finding in reversed(scenario.findings)}
    rows = {id: _finding(finding) for id, finding in by_id.items()}
    return Page(
        anchor=f"scenario-{place}",
        place=place,
        name=scenario.name,
        title=scenario.title,
        drill=wording.feature if wording else "",
        begun=scenario.begun,
        verdict=str(scenario.verdict),
        symbol=SYMBOLS[scenario.verdict],
        ended=_ended(scenario),
        wording=wording,
        demands=verdicts.demands(scenario, tags, texts),
        beside=verdicts.beside(scenario),
        injected=_injected(facts),
        findings=tuple(_finding(finding) for finding in scenario.findings),
        loss=tuple(losses.table(evidence, seen.totals, by_id)),
        wide=wide,
        narrow=narrow,
        steps=_steps(facts),
        changes=_changes(facts),
        ordered=_recovery_point(facts, scenario.called["history"]),
        health=_checks(facts, "health"),
        verified=_checks(facts, "verified"),
        figures=_figures(facts),
        steady=_steady(facts),
        story=story.story(scenario, clock) if clock else (),
        answers=story.answers(seen.answers),
        asked=_asked(facts),
        left_out=() if verdicts.not_on_this_stack(scenario) else verdicts.left_out(facts),
        doer=picture.doer(facts),
        told_people=told.rows(facts, clock) if clock else (),
        told_how=told.ratio(facts),
        document=file_of(scenario.name) if root_cause.asked_for(scenario) else "",
        questions=root_cause.open_questions(scenario),
        problems=tuple(problems),
        rto=rows.get("rto"),
        lost=rows.get("loss") or rows.get("no-loss"),
        lost_name="Lost" if "loss" not in rows and "no-loss" in rows else "Loss in time",
        told=rows.get("detection"),
        misled=rows.get("wrong-answers"),
        decision=_decision(facts),
        undecided=any(not fact.data.get("attended") for fact in facts.of("decided")),
    )


def _finding(finding: Finding) -> FindingRow:
    goal = finding.objective
    return FindingRow(
        outcome=str(finding.outcome),
        reach=reach(finding.outcome, finding.beside),
        symbol=SYMBOLS[finding.outcome],
        title=finding.title or finding.id,
        figure=figure_of(finding),
        objective="" if goal is None else limit(goal) if finding.unit == "s" else quantity(goal, finding.unit),
        ratio=used(finding),
        beside=others(finding.beside),
        reason=finding.reason,
        demands=finding.demands,
        parts=", ".join(f"{name} {length(seconds)}" for name, seconds in finding.parts),
        advisory=finding.advisory,
        exercised=exercised(finding),
    )


def _injected(facts: Facts) -> tuple[tuple[str, str, str], ...]:
    """Each fault, what was ordered of it, and what was seen of it: a sentence of the feature may say more."""
    rows = []
    for intent in facts.of("fault.intent"):
        later = (fact for fact in facts.of("fault.effective") if fact.seq > intent.seq)
        effect = next((fact for fact in later if fact.data.get("injection") == intent.data.get("injection")), None)
        seen = "not looked at" if effect is None else plain(effect.data.get("proof"))
        if effect is not None and not effect.data.get("ok"):
            seen = f"it did NOT take effect: {seen}"
        rows.append((plain(intent.data.get("fault")), plain(intent.data.get("settings") or "nothing more"), seen))
    return tuple(rows)


def _ended(scenario: Scenario) -> str:
    """One sentence when the scenario did not run to its end; empty when it did."""
    facts = scenario.facts
    if not scenario.begun:
        return "This scenario was planned and never began."
    end, stopped = facts.last("scenario.end"), facts.last("stopped")
    if stopped:
        return f"Stopped by {clean(stopped.data.get('who'))}: {clean(stopped.data.get('why'))}."
    if end is None:
        return "This scenario has no end in the journal: the harness was killed while it ran."
    if verdicts.not_on_this_stack(scenario):
        return f"Not exercised on this stack: {verdicts.left_out_words(scenario)}."
    if end.data.get("outcome") != "completed":
        return f"This scenario ended as “{clean(end.data.get('outcome'))}”: {clean(end.data.get('error'))}"
    return ""


def _decision(facts: Facts) -> str:
    decided, asked = facts.of("decided"), facts.of("asked")
    if len(asked) > sum(bool(fact.data.get("attended")) for fact in decided):
        role, question = clean(asked[-1].data.get("role")), clean(asked[-1].data.get("question"))
        return f"The {role} was asked, and nobody decided: {question}"
    if not decided:
        return "No decision of a person is in the journal."
    if all(fact.data.get("attended") for fact in decided):
        return " ".join(_decided(fact) for fact in decided)
    return "Decision time: not exercised (a stand-in decided at once)."


def _decided(fact: Fact) -> str:
    """Who decided what, and when, as claimed."""
    by, role, question = (clean(fact.data.get(name)) for name in ("by", "role", "question"))
    when = f" at {fact.utc:%H:%M:%S} UTC" if fact.utc else ""
    answer = clean(fact.data.get("answer") or "not recorded")
    return f"{by} decided for the {role}{when}: {question} {answer}."


def _steps(facts: Facts) -> tuple[StepRow, ...]:
    """Every announced step; those that ran, with what they found."""
    ends: dict[tuple[str, str], Mapping[str, Any]] = {}
    for fact in facts.of("step.begin", "step.end"):
        key = (str(fact.data.get("phase")), str(fact.data.get("name")))
        ends[key] = fact.data
    rows: list[StepRow] = []
    listed = [
        each for fact in facts.of("procedure") for each in _list(fact.data.get("steps")) if isinstance(each, dict)
    ]
    known = {(str(each.get("phase")), str(each.get("name"))): str(each.get("does", "")) for each in listed}
    known = {
        **known,
        **{key: str(data.get("does", known.get(key, ""))) for key, data in ends.items() if key not in known},
    }
    for (phase, name), does in known.items():
        end = ends.get((phase, name))
        took = length(as_number(end.get("seconds"))) if end and "seconds" in end else ""
        outcome = (
            "not reached" if end is None else "not ended" if "ok" not in end else "done" if end["ok"] else "FAILED"
        )
        found = end.get("facts") if end else None
        shown = tuple((str(key), plain(value)) for key, value in found.items()) if isinstance(found, dict) else ()
        rows.append(StepRow(phase, name, does, took, outcome, shown))
    return tuple(rows)


def _changes(facts: Facts) -> tuple[tuple[str, str, str], ...]:
    """What the procedure does otherwise than the plan's own script: the plan's way, this way, why."""
    return tuple(
        (plain(each.get("plan")), plain(each.get("here")), plain(each.get("why")))
        for fact in facts.of("procedure")
        for each in _list(fact.data.get("changes"))
        if isinstance(each, dict)
    )


def _recovery_point(facts: Facts, history: str) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = []
    for fact in facts.of("recovery.ordered"):
        side = "including it" if fact.data.get("inclusive") else "stopping just before it"
        rows.append(("ordered", f"{plain(fact.data.get('kind'))} {plain(fact.data.get('value'))}, {side}"))
        rows.append(("why there", plain(fact.data.get("why"))))
    for fact in facts.of("recovery.reached"):
        rows.append(("reached", f"position {plain(fact.data.get('at'))}, {history} {plain(fact.data.get('history'))}"))
        rows.append(("from the backup", plain(fact.data.get("backup"))))
        rows.append(("restored", quantity(as_number(fact.data.get("bytes")), "bytes")))
        if fact.data.get("declared_early"):
            rows.append(("said by the procedure", "recovery ended before the end of what was archived"))
    rows += [
        ("salvaged afterwards", f"{plain(fact.data.get('rows'))} rows, {plain(fact.data.get('amount'))} in money")
        for fact in facts.of("salvaged")
    ]
    return tuple(rows)


ASKED = {
    "due": "Questions due",
    "right": "Answered rightly",
    "wrong": "Answered wrongly: something else than they know",
    "refused": "Refused: an error, of the platform or of something in between",
    "no_answer": "Not answered",
    "not_sent": "Due and not sent: too many were waiting",
}


def _asked(facts: Facts) -> tuple[tuple[str, str], ...]:
    """What became of the questions of customers who ask for what they know; empty where there were none."""
    counted = facts.data("readers.end")
    return tuple((words, plain(counted.get(name))) for name, words in ASKED.items()) if counted else ()


def _checks(facts: Facts, kind: str) -> tuple[CheckRow, ...]:
    fact = facts.last(kind)
    rows = _list(fact.data.get("checks")) if fact else []
    return tuple(_check(each) for each in rows if isinstance(each, dict))


def _check(each: Mapping[str, Any]) -> CheckRow:
    took = length(as_number(each["seconds"])) if "seconds" in each else ""
    allowed = limit(as_number(each["limit"])) if "limit" in each else ""
    return CheckRow(plain(each.get("name")), bool(each.get("ok")), plain(each.get("seen")), took, allowed)


def _figures(facts: Facts) -> tuple[Compared, ...]:
    words = _words(facts)
    taken: dict[str, dict[str, str]] = {}
    for fact in facts.of("reconciliation"):
        found = fact.data.get("values")
        values = {words(str(name)): value for name, value in found.items()} if isinstance(found, dict) else {}
        taken[str(fact.data.get("moment"))] = dict(_flat(values))
    before, after = taken.get("before", {}), taken.get("after", {})
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        Compared(
            name,
            before.get(name, "not taken"),
            after.get(name, "not taken"),
            before[name] == after[name] if name in before and name in after else None,
        )
        for name in names
    )


def _words(facts: Facts) -> Callable[[str], str]:
    """How values are called: as the rules say that are about them, which no line of format 1 does."""
    said = facts.first("reconciliation.rules")
    if said is None:
        return format1.label
    try:
        return partial(reconciliation.label, reconciliation.read(said.data.get("rules")))
    except Unsound:
        return str


def _flat(figures: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Nested figures as `table, figure`."""
    rows: list[tuple[str, str]] = []
    for key, value in figures.items():
        name = f"{above}, {key}" if above else str(key)
        rows += _flat(value, name) if isinstance(value, dict) else [(name, plain(value))]
    return rows


def _steady(facts: Facts) -> tuple[tuple[str, tuple[CheckRow, ...]], ...]:
    return tuple(
        (
            str(fact.data.get("moment")),
            tuple(_check(e) for e in _list(fact.data.get("conditions")) if isinstance(e, dict)),
        )
        for fact in facts.of("steady")
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
