"""A run that is over, as the calendar, the gate and the history see it; and a folder of such runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from harness.checks import Outcome, merge_outcomes
from harness.schedule import series


@dataclass(frozen=True)
class Figure:
    """A figure of a finding, with its error bar, in its unit (seconds for `s`)."""

    outcome: Outcome
    unit: str
    figure: float
    low: float | None
    high: float | None
    lower_bound: bool
    objective: float | None
    beside: tuple[tuple[str, str], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Scenario:
    """A scenario of a run: its verdict, and those of its findings that have a figure."""

    name: str
    title: str
    drill: str  # by the pack's own features; empty where they do not have it
    verdict: Outcome
    figures: Mapping[str, Figure]
    left_out: str = ""  # what the machine could not do of it, and why; empty where nothing was left out


@dataclass(frozen=True)
class Likeness:
    """What two runs must have in common for their figures to be compared."""

    stack: str
    rung: str
    environment: str
    scale: float
    rate: float
    cpus: int

    def __str__(self) -> str:
        rung = f" ({self.rung})" if self.rung else ""
        size = f"scale {self.scale:g}, {self.rate:g} transactions a second"
        return f"{self.environment}, {self.stack}{rung}, {size}, {self.cpus} CPUs"


@dataclass(frozen=True)
class Past:
    """One sealed run."""

    folder: Path
    run: str
    number: int  # 0 where it cannot be read
    began: datetime | None
    outcome: str  # completed, stopped, killed, aborted; empty where it cannot be read
    verdict: Outcome
    sabotage: str
    likeness: Likeness
    drills: tuple[str, ...]  # that were planned
    known: frozenset[str]  # that had a feature when it began
    whole: frozenset[str]  # each scenario of which was announced, once, and judged
    scenarios: tuple[Scenario, ...]
    problem: str = ""  # why it is no evidence; empty where it verifies
    digest: str = ""  # of its seal
    copy_of: str = ""  # the sound pack beside it that speaks for the same run

    @property
    def name(self) -> str:
        return self.folder.name

    def day(self, zone: ZoneInfo) -> date | None:
        """The day in `zone` on which it began."""
        return self.began.astimezone(zone).date() if self.began else None

    def why_not(self) -> str:
        """Why it does not count as a drill that was done, for whichever drill; empty where it may."""
        if self.problem:
            return f"it does not verify: {self.problem}"
        if self.began is None:
            return "when it began cannot be read"
        if self.sabotage:
            return f"it was sabotaged on purpose ({self.sabotage})"
        return "" if self.outcome == "completed" else f"it was {self.outcome or 'never ended'}"

    def counts_for(self, drill: str) -> bool:
        """Whether it is a run of this drill, whole, that counts whatever its verdict is."""
        return not self.why_not() and drill in self.whole

    def verdict_of(self, drill: str) -> Outcome:
        """The verdict over the drill's scenarios."""
        return merge_outcomes(scenario.verdict for scenario in self.scenarios if scenario.drill == drill)

    def said_of(self, drill: str) -> str:
        """The same in words: `MET for what was exercised` where a scenario of the drill left something out."""
        return _said(self.verdict_of(drill), (each for each in self.scenarios if each.drill == drill))

    @property
    def said(self) -> str:
        """The verdict of the run in such words."""
        return _said(self.verdict, self.scenarios)


def _said(verdict: Outcome, scenarios: Iterable[Scenario]) -> str:
    partly = verdict is Outcome.MET and any(scenario.left_out for scenario in scenarios)
    return f"{verdict} for what was exercised" if partly else str(verdict)


@dataclass(frozen=True)
class Folder:
    """A folder of evidence: its sealed runs in order of number, and what else is in it that a reader must know."""

    path: Path
    runs: tuple[Past, ...] = ()
    unfinished: tuple[str, ...] = ()  # runs that go on or were killed, and are not sealed
    notes: tuple[str, ...] = ()  # what is wrong between the packs: a number that is there twice, one replaced
    gaps: tuple[range, ...] = ()  # numbers of runs that are not here
    remarks: tuple[str, ...] = ()  # what is not wrong and must be known: several keys
    key: str = ""  # the fingerprint of whom they have to be sealed by; empty where anybody's count

    def later(self, today: date, zone: ZoneInfo) -> tuple[str, ...]:
        """The runs that began later than `today`, in words."""
        return tuple(
            f"{run.name} says that it began on {day}, which is later than today"
            for run in self.runs
            if (day := run.day(zone)) and day > today
        )

    def until(self, today: date, zone: ZoneInfo) -> Folder:
        """Without the runs that began later than `today`."""
        kept = tuple(run for run in self.runs if not (day := run.day(zone)) or day <= today)
        newest = max((run.number for run in kept), default=0) if len(kept) < len(self.runs) else None
        return replace(self, runs=kept, gaps=series.between(self.gaps, below=newest))
