"""Two packs side by side: what each measured, and what the two error bars allow to be said about the difference.

Pure, and no judge: figures and outcomes are those of the packs' `findings.json`. Every figure here is better when it is
smaller. Nothing is claimed from a figure that is missing, UNKNOWN, without an error bar, or of a scenario cut short.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal, InvalidOperation

from harness.checks import OLDER, RULES, Finding, Outcome
from harness.checks.ids import present_id
from harness.errors import Refused
from reports import verdicts
from reports.comparison.runs import Row, cautions, environment_of, exercise, limits, parts, runs
from reports.judged import database_of, figure_of, others, reach
from reports.pack import Pack, Scenario
from reports.run import features
from reports.run.limits import place_of, size_of
from reports.run.text import NAMES, without
from reports.verdicts import broken_off
from reports.words import clean, length, limit, measured, quantity, stamp

LETTERS = ("A", "B")
COUNTED = {"lost transactions": "transactions", "lost money": ""}  # beside a loss: counted, so exact
Figures = tuple[float, float, float]  # low, figure, high


@dataclass(frozen=True)
class Side:
    """What one pack says of one thing. `outcome` is None where it was not checked, `figure` where there is none."""

    environment: str
    outcome: Outcome | None
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    lower_bound: bool = False
    objective: float | None = None
    words: str = "not checked"
    reason: str = ""
    whole: bool = True  # whether the scenario ran to its end
    parts: tuple[tuple[str, float], ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    reach: str = ""  # what must be said with the outcome

    @property
    def said(self) -> str:
        """What stands with the figure, and has no error bar of its own: of a recovery its parts, for example."""
        told = [f"{name} {length(seconds)}" for name, seconds in self.parts]
        return ", ".join([*told, *(f"{name} {words}" for name, words in self.beside)])

    def bar(self) -> Figures | None:
        """Where the truth lies; None where there is no sound error bar."""
        if self.figure is None:
            return None
        low = self.figure if self.low is None and self.lower_bound else self.low
        high = math.inf if self.lower_bound else self.high
        return (low, self.figure, high) if low is not None and high is not None and low <= self.figure <= high else None


@dataclass(frozen=True)
class Claim:
    """What may be said about the difference. `kind`: better, same, overlap, or none (not compared)."""

    kind: str
    words: str
    better: str | None = None
    by: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Figure:
    """One thing that was measured or checked, in both packs."""

    id: str
    name: str
    unit: str
    advisory: bool
    a: Side
    b: Side
    claim: Claim

    @property
    def sides(self) -> tuple[tuple[str, Side], tuple[str, Side]]:
        return (LETTERS[0], self.a), (LETTERS[1], self.b)

    @property
    def measured(self) -> bool:
        """Whether there is anything but an outcome."""
        return any(side.figure is not None or side.objective is not None for _, side in self.sides)

    @property
    def objective(self) -> str:
        """`objective 1 h`; both where they differ."""
        said = [_objective(side, self.unit) for _, side in self.sides]
        if said[0] == said[1] or self.a.outcome is None or self.b.outcome is None:
            one = said[1] if self.a.outcome is None else said[0]
            return f"objective {one}" if one != "none" else "no objective"
        return f"objective of A {said[0]}, of B {said[1]}"


@dataclass(frozen=True)
class Pair:
    """A scenario that both packs planned."""

    name: str
    title: str
    a: Outcome
    b: Outcome
    notes: tuple[str, ...]
    figures: tuple[Figure, ...]  # measured ones
    checks: tuple[Figure, ...]  # those with an outcome alone

    def figure(self, id: str) -> Figure | None:
        return next((figure for figure in self.figures if figure.id == id), None)


@dataclass(frozen=True)
class Alone:
    """A scenario that only one pack has."""

    letter: str
    environment: str
    title: str
    verdict: Outcome
    begun: bool
    partly: str  # what must be said next to the verdict, where a part was left out


@dataclass(frozen=True)
class Card:
    """What a reader must know of a pack beside every figure."""

    letter: str
    run: str
    drill: str
    began: str
    environment: str
    place: str
    size: str
    verdict: Outcome
    said: str  # the verdict in words


@dataclass(frozen=True)
class Comparison:
    """Everything that is shown."""

    cards: tuple[Card, Card]
    cautions: tuple[str, ...]
    exercise: tuple[str, ...]
    pairs: tuple[Pair, ...]
    alone: tuple[Alone, ...]
    runs: tuple[Row, ...]
    parts: tuple[Row, ...]
    limits: tuple[str, ...]


def compare(a: Pack, b: Pack) -> Comparison:
    """Set two packs side by side. Errors: `Refused` when they are one run, or judged by rules that are not known."""
    for letter, pack in zip(LETTERS, (a, b), strict=True):
        if pack.rules not in (*OLDER, RULES):
            known = f"{', '.join(OLDER)} and {RULES}"
            raise Refused(
                f"{letter} was judged by rules version {clean(pack.rules)}; this program knows versions {known}",
                hint="compare packs judged by the same rules, with the version of drdrill that knows them",
            )
    if a.begin.get("run") and a.begin.get("run") == b.begin.get("run"):
        raise Refused(f"A and B are the same run, {clean(a.begin['run'])}", hint="name the packs of two runs")
    theirs = {scenario.name: scenario for scenario in b.scenarios}
    ours = {scenario.name for scenario in a.scenarios}
    return Comparison(
        cards=(_card("A", a), _card("B", b)),
        cautions=tuple(cautions(a, b)),
        exercise=tuple(exercise(a, b)),
        pairs=tuple(_pair(a, b, each, theirs[each.name]) for each in a.scenarios if each.name in theirs),
        alone=(
            *(_alone("A", a, each) for each in a.scenarios if each.name not in theirs),
            *(_alone("B", b, each) for each in b.scenarios if each.name not in ours),
        ),
        runs=tuple(runs(a, b)),
        parts=tuple(parts(a, b)),
        limits=tuple(limits(a, b)),
    )


def as_json(compared: Comparison) -> str:
    """The same for a machine; a figure without value is null."""
    content = {"v": 1, **asdict(compared)}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _card(letter: str, pack: Pack) -> Card:
    first = pack.facts.first("run.begin")
    return Card(
        letter=letter,
        run=clean(pack.begin.get("run") or "unknown run"),
        drill=clean(pack.begin.get("drill") or "unknown drill"),
        began=stamp(first.utc if first else None),
        environment=environment_of(pack),
        place=place_of(pack.begin),
        size=size_of(pack),
        verdict=pack.verdict,
        said=verdicts.of_run(pack),
    )


def _alone(letter: str, pack: Pack, scenario: Scenario) -> Alone:
    return Alone(
        letter,
        environment_of(pack),
        clean(scenario.title),
        scenario.verdict,
        scenario.begun,
        clean(verdicts.not_exercised(scenario)),
    )


def _key(finding: Finding) -> tuple[str, str]:
    """By what it is called today, whichever rules found it; and the database that was restored beside, if any."""
    return present_id(finding.id), database_of(finding)


def _finding(scenario: Scenario, key: tuple[str, str]) -> Finding | None:
    return next((finding for finding in scenario.findings if _key(finding) == key), None)


def _pair(a: Pack, b: Pack, ours: Scenario, theirs: Scenario) -> Pair:
    first_of_all = [(id, "") for id in NAMES]
    keys = dict.fromkeys([*first_of_all, *(_key(finding) for finding in (*ours.findings, *theirs.findings))])
    figures: list[Figure] = []
    for key in keys:
        first, second = _finding(ours, key), _finding(theirs, key)
        id = ": ".join(filter(None, key))
        shown = [finding for finding in (first, second) if finding is not None]
        if not shown:
            continue
        name = (NAMES.get(id) or clean(shown[0].title or id)).capitalize()
        figures.append(_figure(id, name, shown, _side(a, ours, first), _side(b, theirs, second)))
        if id == "loss":
            figures += [
                _figure(
                    f"loss: {what}",
                    what.capitalize(),
                    shown,
                    _counted(a, ours, first, what),
                    _counted(b, theirs, second, what),
                    unit=unit,
                )
                for what, unit in COUNTED.items()
            ]
    title = (ours if ours.begun else theirs).title
    return Pair(
        name=ours.name,
        title=clean(title),
        a=ours.verdict,
        b=theirs.verdict,
        notes=tuple(_notes(a, b, ours, theirs, title)),
        figures=tuple(figure for figure in figures if figure.measured),
        checks=tuple(figure for figure in figures if not figure.measured),
    )


def _notes(a: Pack, b: Pack, ours: Scenario, theirs: Scenario, title: str) -> list[str]:
    found = []
    for letter, each in zip(LETTERS, (ours, theirs), strict=True):
        if not each.begun:
            found.append(f"{letter}: planned, and never began")
        elif not _whole(each):
            found.append(f"{letter}: {clean(broken_off(each) or 'the scenario has no end in the journal')}")
        if left := verdicts.not_exercised(each):
            found.append(f"{letter}: {clean(left)}")
    words = [features.find(pack.folder, title) for pack in (a, b)]
    if words[0] is None or words[1] is None:
        found.append("its sentences cannot be compared: they are not in both packs")
    elif words[0].sentences != words[1].sentences:
        found.append("its sentences DIFFER between the packs: this is not the same exercise")
    return found


def _side(pack: Pack, scenario: Scenario, finding: Finding | None) -> Side:
    if finding is None:
        return Side(environment_of(pack), None)
    figure, low, high, goal = map(_finite, (finding.figure, finding.low, finding.high, finding.objective))
    return Side(
        environment=environment_of(pack),
        outcome=finding.outcome,
        figure=figure,
        low=low,
        high=high,
        lower_bound=finding.lower_bound,
        objective=goal,
        words=figure_of(replace(finding, figure=figure, low=low, high=high)),
        reason=clean(without(broken_off(scenario), finding.reason)),
        whole=_whole(scenario),
        parts=tuple((clean(name), seconds) for name, seconds in finding.parts if math.isfinite(seconds)),
        beside=tuple((clean(name), clean(words)) for name, words in others(finding.beside) if name not in COUNTED),
        reach=clean(reach(finding.outcome, finding.beside)),
    )


def _counted(pack: Pack, scenario: Scenario, finding: Finding | None, what: str) -> Side:
    """A number that stands beside a finding; of a loss that is a lower bound, a lower bound too."""
    if finding is None:
        return Side(environment_of(pack), None)
    said = dict(finding.beside).get(what, "")
    try:
        value = _finite(float(Decimal(said.replace(",", ""))))
    except (InvalidOperation, OverflowError):
        value = None
    bound = finding.lower_bound
    return Side(
        environment=environment_of(pack),
        outcome=finding.outcome,
        figure=value,
        low=value,
        high=None if bound else value,
        lower_bound=bound,
        words=measured(value, value, value, COUNTED[what], lower_bound=bound),
        whole=_whole(scenario),
        reach=clean(reach(finding.outcome, finding.beside)),
    )


def _whole(scenario: Scenario) -> bool:
    end = scenario.facts.last("scenario.end")
    return end is not None and end.data.get("outcome") == "completed"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _figure(id: str, name: str, shown: Sequence[Finding], a: Side, b: Side, *, unit: str | None = None) -> Figure:
    units = [unit] if unit is not None else sorted({finding.unit for finding in shown})
    claim = claim_of(a, b, units[0]) if len(units) == 1 else Claim("none", "not compared: the units differ")
    return Figure(
        id, name, shown[0].unit if unit is None else unit, all(finding.advisory for finding in shown), a, b, claim
    )


def claim_of(a: Side, b: Side, unit: str) -> Claim:
    """What two figures of one unit allow to be said: only bars that lie apart make a difference."""
    for letter, side in zip(LETTERS, (a, b), strict=True):
        why = _unfit(side)
        if why:
            return Claim("none", f"not compared: {letter} {why}")
    first, second = a.bar(), b.bar()
    assert first and second, "both are fit"
    if first == second and first[0] == first[2]:
        return Claim("same", f"the same in both: {a.words}")
    if first[0] <= second[2] and second[0] <= first[2]:
        return Claim("overlap", "no difference can be claimed: the error bars overlap")
    better, worse = sorted((first, second))
    letter = LETTERS[better == second]
    low, high = round(worse[0] - better[2], 9), _finite(round(worse[2] - better[0], 9))
    by = low if high is None else round(worse[1] - better[1], 9)  # without an upper end the worse is a lower bound
    words = measured(by, low, high, unit, lower_bound=high is None)
    return Claim("better", f"{letter} is better by {words}", letter, by, low, high)


def _unfit(side: Side) -> str:
    """Why nothing may be claimed from it; empty where something may."""
    if side.outcome is None:
        return "did not check it"
    if not side.whole:
        return "did not run to its end"
    if side.figure is None:
        return "has no figure"
    if side.outcome is Outcome.UNKNOWN:
        return "is UNKNOWN"
    return "" if side.bar() else "has no sound error bar"


def _objective(side: Side, unit: str) -> str:
    goal = side.objective
    return "none" if goal is None else limit(goal) if unit == "s" else quantity(goal, unit)
