"""The history of a folder of packs: every run in order, what is missing between them, what was missed, and trends.

Pure, and no judge: verdicts and figures are those of the packs' `findings.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from harness.checks import Outcome
from harness.evidence.verify import within
from harness.plan import Plan
from harness.schedule import least
from harness.schedule.gate import owed_in_words, waived_in_words
from harness.schedule.past import Figure, Folder, Likeness, Past
from harness.schedule.slower import FEWEST, WATCHED, Comparison, comparisons
from harness.schedule.standing import Standing
from reports import verdicts
from reports.calendar import text as calendar_text
from reports.judged import not_bad, reach, unbroken
from reports.words import clean, length, measured

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """A scenario of a run, in words."""

    title: str
    verdict: Outcome
    rto: str
    detection: str
    loss: str
    left_out: str = ""  # what the machine could not do of it, and why
    declared: str = ""  # who has declared that the platform cannot run it; the verdict of the run leaves it out then

    @property
    def said(self) -> str:
        """What must stand with the verdict; empty where nothing."""
        return verdicts.declared_in_words(self.declared) or verdicts.partly(self.verdict, self.left_out)


@dataclass(frozen=True)
class Entry:
    """One thing of the history. `kind`: run, gap, missed, late."""

    kind: str
    what: str  # the run's name; or the fact as a sentence
    when: datetime | None = None
    run: Past | None = None
    lines: tuple[Line, ...] = ()
    marks: tuple[str, ...] = ()  # sabotaged, stopped, does not verify, does no duty
    does_duty: tuple[str, ...] = ()  # the drills for which it counts


@dataclass(frozen=True)
class Point:
    run: str
    began: str
    figure: Figure


@dataclass(frozen=True)
class Trend:
    """The figures of one scenario on one kind of stack, oldest first. `slower`: what the gate says of the latest."""

    drill: str
    title: str
    what: str
    likeness: Likeness
    points: tuple[Point, ...]
    slower: Comparison | None = None

    @property
    def said(self) -> str:
        """What may be said of the latest one."""
        if self.slower is None:
            return "an earlier kind of run: there is a newer one on the same kind of stack"
        found = self.slower
        if found.limit is None or found.median is None:
            return f"{found.trend}: {found.earlier} earlier, at least {FEWEST} are needed"
        return f"{found.trend}: median of {found.earlier} earlier {found.median:.1f} s, limit {found.limit:.1f} s"


@dataclass(frozen=True)
class History:
    """Everything that is shown."""

    plan: str
    path: str
    today: date
    runs: int
    entries: tuple[Entry, ...]
    trends: tuple[Trend, ...]
    notes: tuple[str, ...]


def tell(plan: Plan, folder: Folder, standings: Sequence[Standing], today: date) -> History:
    """The whole history, as it stands today."""
    entries = [_entry(run, plan) for run in folder.runs]
    for gap in folder.gaps:
        first = gap.numbers.start
        ours = ((at, each.run) for at, each in enumerate(entries) if each.run and each.run.stream == gap.stream)
        later = (place for place, run in ours if run.number > first)
        entries.insert(next(later, len(entries)), Entry("gap", str(gap)))
    for fact in sorted(_facts(standings, plan, today), key=lambda each: each.when or NEVER):
        began = [each.run.began if each.run else None for each in entries]
        after = (place for place, moment in enumerate(began) if moment and fact.when and moment > fact.when)
        entries.insert(next(after, len(entries)), fact)
    unfinished = [f"{name} goes on or was killed, and is not sealed" for name in folder.unfinished]
    return History(
        plan=f"{clean(plan.name)}, version {clean(plan.version)}",
        path=str(folder.path),
        today=today,
        runs=len(folder.runs),
        entries=tuple(entries),
        trends=tuple(_trends(folder.runs)),
        notes=tuple(map(clean, (*unfinished, *folder.notes, *folder.remarks))),
    )


def as_json(told: History) -> str:
    """The same for a machine."""
    content: dict[str, Any] = {
        "v": 1,
        "plan": told.plan,
        "evidence": told.path,
        "today": str(told.today),
        "notes": told.notes,
        "history": [_entry_json(each) for each in told.entries],
        "trends": [
            {
                "drill": each.drill,
                "scenario": each.title,
                "figure": each.what,
                "like": vars(each.likeness),
                "said": each.said,
                "points": [
                    {"run": point.run, "began": point.began, "figure": point.figure.figure, "low": point.figure.low,
                     "high": point.figure.high, "lower_bound": point.figure.lower_bound,
                     "outcome": point.figure.outcome}
                    for point in each.points
                ],
            }
            for each in told.trends
        ],
    }  # fmt: skip  # a table
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _entry_json(entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": entry.kind, "what": entry.what}
    if entry.run is None:
        return told
    run = entry.run
    return told | {
        "run": run.run,
        "number": run.number,
        "began": str(run.began) if run.began else None,
        "drills": run.drills,
        "whole": sorted(run.whole & set(run.drills)),
        "does_duty": entry.does_duty,
        "restored_bytes": {drill: run.restored_of(drill) for drill in run.drills},
        "verdict": run.verdict,
        "marks": entry.marks,
        "like": vars(run.likeness),
        "scenarios": [vars(line) for line in entry.lines],
    }


def _entry(run: Past, plan: Plan) -> Entry:
    marks = [f"sabotaged on purpose: {run.sabotage}"] if run.sabotage else []
    marks += [f"{mark}: does no duty" for mark in run.marks]
    if run.outcome != "completed":
        marks.append(run.outcome or "never ended")
    marks += [f"{drill}: not all of its scenarios" for drill in run.drills if run.known and drill not in run.whole]
    lesser = [duty for duty in plan.calendar if least.falls_short(run, duty)]
    marks += [f"{duty.drill}: does no duty: {least.short_in_words(run, duty)}" for duty in lesser]
    does = tuple(duty.drill for duty in plan.calendar if not duty.not_built and least.counts(run, duty))
    if run.problem:
        marks.append(f"does not verify, so what it says is not shown: {run.problem}")
        run = replace(run, verdict=Outcome.UNKNOWN, scenarios=())
    lines = tuple(
        Line(
            title=clean(scenario.title),
            verdict=scenario.verdict,
            rto=_words(scenario.figures.get("rto"), id="rto"),
            detection=_words(scenario.figures.get("detection")),
            loss=_words(scenario.figures.get("loss") or scenario.figures.get("no-loss")),
            left_out=clean(scenario.left_out),
            declared=clean(str(scenario.declared)) if scenario.declared else "",
        )
        for scenario in run.scenarios
    )
    return Entry("run", clean(f"{run.name}{within(run.stream)}"), run.began, run, lines, tuple(map(clean, marks)), does)


def _words(figure: Figure | None, *, id: str = "") -> str:
    if figure is None:
        return ""
    words = measured(figure.figure, figure.low, figure.high, figure.unit, lower_bound=figure.lower_bound)
    if not_bad(id, figure.reason):
        words = unbroken(figure.low, figure.high)
    return clean(", ".join(filter(None, (words, reach(figure.outcome, figure.beside)))))


def point_words(figure: Figure) -> str:
    """A point of a trend: `12.4 s`, `at least 93.1 s`, or that no request was bad."""
    if not_bad("rto", figure.reason):
        return unbroken(figure.low, figure.high)
    return f"{'at least ' if figure.lower_bound else ''}{length(figure.figure)}"


def _facts(standings: Iterable[Standing], plan: Plan, today: date) -> Iterable[Entry]:
    """What was missed, from the day on which that was certain; and what is late today."""
    for standing in standings:
        for owed in standing.owed:
            if owed.state not in calendar_text.LOUD[1:]:
                continue
            said = f"{standing.duty.title}, {owed_in_words(owed, today)}"
            said += f" ({waived})" if (waived := waived_in_words(owed)) else ""
            missed = owed in standing.missed
            day = owed.period.until if missed else today
            when = datetime(day.year, day.month, day.day, tzinfo=plan.time_zone)
            yield Entry("missed" if missed else "late", clean(said), when)


def _trends(runs: Sequence[Past]) -> list[Trend]:
    """Every series that has a figure; only runs that count as evidence and were not sabotaged."""
    found: dict[tuple[str, str, str, Likeness], Trend] = {}
    for run in runs:
        for scenario in run.scenarios if not run.why_not() else ():
            for id, what in WATCHED.items():
                figure = scenario.figures.get(id)
                if figure is None or figure.unit != "s":
                    continue
                key = (scenario.drill, scenario.name, id, run.likeness)
                before = found.get(key) or Trend(scenario.drill, clean(scenario.title), what, run.likeness, ())
                point = Point(clean(run.name), f"{run.began:%Y-%m-%d}" if run.began else "", figure)
                found[key] = replace(before, points=(*before.points, point))
    latest = {(each.drill, each.scenario, each.id, each.likeness): each for each in comparisons(runs)}
    return [replace(trend, slower=latest.get(key)) for key, trend in found.items()]
