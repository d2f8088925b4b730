"""One scenario as the page shows it: rows of words, and the picture. No judgement, only arrangement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from markupsafe import Markup

from harness.checks import Finding, reconciliation
from harness.checks.evidence import Evidence, Unsound
from harness.checks.root_cause import file_of
from harness.evidence import format1
from reports import verdicts
from reports.judged import database_of, exercised, figure_of, others, reach, reason_of, used
from reports.pack import Facts, Pack, Scenario
from reports.run import customers, features, losses, moments, picture, regions, restores, root_cause, rows, story, told
from reports.run.timeline import draw
from reports.words import SYMBOLS, as_number, clean, length, limit, plain, quantity

WIDE, NARROW = 900, 400
SHOWN = 0.1  # seconds; less than this beside the parts of a figure is not worth a word
POINTS = ("rpo", "rpo-beyond")


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
    against: tuple[FindingRow, ...]  # what counts and is not MET
    injected: tuple[tuple[str, str, str], ...]
    findings: tuple[FindingRow, ...]
    loss: tuple[tuple[str, str], ...]
    wide: Markup
    narrow: Markup
    steps: tuple[rows.StepRow, ...]
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
    point: FindingRow | None  # the recovery point, which is the worse of the loss and of exposure
    lost_name: str
    told: FindingRow | None
    misled: FindingRow | None
    looks: str
    note: str
    decision: str
    undecided: bool
    restores: tuple[restores.Section, ...]  # of a scenario that restores beside
    of_databases: Mapping[str, tuple[FindingRow, ...]]  # the findings about each, which stand there
    restored: tuple[str, ...]  # how long each took, in words
    would_lose: tuple[str, ...]


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
    beside = restores.sections(scenario, key=f"s{place}")
    if clock and not beside:
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
    tags = tuple(map(str, rows.list_of(facts.data("scenario.begin").get("tags")))) or (wording.tags if wording else ())
    by_id = {finding.id: finding for finding in reversed(scenario.findings)}
    found = {id: _finding(finding) for id, finding in by_id.items()}
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
        against=tuple(map(_finding, verdicts.against(scenario))),
        injected=rows.injected(facts),
        findings=tuple(map(_finding, (each for each in scenario.findings if not database_of(each)))),
        loss=tuple(losses.table(evidence, seen.totals, by_id)),
        wide=wide,
        narrow=narrow,
        steps=rows.steps(facts),
        changes=rows.changes(facts),
        ordered=rows.recovery_point(facts, scenario.called["history"]),
        health=_checks(facts, "health"),
        verified=_checks(facts, "verified"),
        figures=_figures(facts),
        steady=_steady(facts),
        story=story.story(scenario, clock) if clock else (),
        answers=story.answers(seen.answers),
        asked=rows.asked(facts),
        left_out=() if verdicts.not_on_this_stack(scenario) else verdicts.left_out(facts),
        doer=picture.doer(facts),
        told_people=told.rows(facts, clock) if clock else (),
        told_how=told.ratio(facts),
        document=file_of(scenario.name) if root_cause.asked_for(scenario) else "",
        questions=root_cause.open_questions(scenario),
        problems=tuple(problems),
        rto=found.get("rto"),
        lost=_lost(by_id, found),
        point=next((found[id] for id in POINTS if id in found), None),
        lost_name="Lost" if "loss" not in found and "no-loss" in found else "Loss in time",
        told=found.get("detection"),
        misled=found.get("wrong-answers"),
        looks=story.looks(facts),
        note=note,
        decision=rows.decision(facts),
        undecided=any(not fact.data.get("attended") for fact in facts.of("decided")),
        restores=beside,
        of_databases=_of_databases(scenario, beside),
        restored=restores.figures(scenario, "restore-time"),
        would_lose=restores.figures(scenario, "backup-age"),
    )


def _of_databases(scenario: Scenario, beside: tuple[restores.Section, ...]) -> dict[str, tuple[FindingRow, ...]]:
    """Without the name of the database, which stands above them."""
    return {
        each.database: tuple(
            replace(
                _finding(finding),
                title=finding.title.removesuffix(f": {each.database}"),
                reason=reason_of(finding),
            )
            for finding in scenario.findings
            if database_of(finding) == each.database
        )
        for each in beside
    }


def _parts(finding: Finding) -> str:
    """Of a recovery time, and what of it is none of them: it is waited and proved between them, too."""
    said = [f"{name} {length(seconds)}" for name, seconds in finding.parts]
    rest = (finding.figure or 0.0) - sum(seconds for _, seconds in finding.parts)
    if said and rest >= SHOWN:
        said.append(f"{length(rest)} beside them, until customers were answered")
    return ", ".join(said)


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
        parts=_parts(finding),
        advisory=finding.advisory,
        exercised=exercised(finding),
    )


def _lost(findings: Mapping[str, Finding], rows_of: Mapping[str, FindingRow]) -> FindingRow | None:
    """What was lost, by transactions and money first: in time it may be nothing, and lost all the same."""
    found, row = findings.get("loss"), rows_of.get("loss")
    if found is None or row is None:
        return rows_of.get("no-loss")
    told = dict(found.beside)
    if not (many := told.get("lost transactions")):
        return row
    money = f", {told['lost money']} in money" if "lost money" in told and many != "0" else ""
    counted = f"{many} transaction{'' if many == '1' else 's'}{money}"
    kept = tuple((name, words) for name, words in row.beside if name not in ("lost transactions", "lost money"))
    return replace(row, figure=f"{counted}; {row.figure}", beside=kept)


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


def _checks(facts: Facts, kind: str) -> tuple[CheckRow, ...]:
    fact = facts.last(kind)
    checks = rows.list_of(fact.data.get("checks")) if fact else []
    return tuple(_check(each) for each in checks if isinstance(each, dict))


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
    found: list[tuple[str, str]] = []
    for key, value in figures.items():
        name = f"{above}, {key}" if above else str(key)
        found += _flat(value, name) if isinstance(value, dict) else [(name, plain(value))]
    return found


def _steady(facts: Facts) -> tuple[tuple[str, tuple[CheckRow, ...]], ...]:
    return tuple(
        (
            str(fact.data.get("moment")),
            tuple(_check(e) for e in rows.list_of(fact.data.get("conditions")) if isinstance(e, dict)),
        )
        for fact in facts.of("steady")
    )
