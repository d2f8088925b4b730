"""A run that is over, as the calendar, the gate and the history see it; and a folder of such runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from harness.checks import Outcome, merge_outcomes
from harness.evidence.environments import is_at_least
from harness.evidence.verify import MAIN
from harness.features.declared import Declaration
from harness.schedule import series

NEVER = datetime.min.replace(tzinfo=UTC)


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
    restored: int = 0  # bytes of the largest database that was restored in it
    declared: Declaration | None = None  # that the platform cannot run it, where the verdict leaves it out for that


@dataclass(frozen=True)
class Likeness:
    """What two runs must have in common for their figures to be compared."""

    stack: str
    sandbox: str
    environment: str
    scale: float
    rate: float
    cpus: int

    def __str__(self) -> str:
        sandbox = f" ({self.sandbox})" if self.sandbox else ""
        size = f"scale {self.scale:g}, {self.rate:g} transactions a second"
        return f"{self.environment}, {self.stack}{sandbox}, {size}, {self.cpus} CPUs"


@dataclass(frozen=True)
class Past:
    """One sealed run."""

    folder: Path
    run: str
    number: int  # in its stream; 0 where it cannot be read
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
    stream: str = MAIN
    marks: tuple[str, ...] = ()  # rehearsal, clock compressed: why it does no duty
    reports_due: tuple[datetime, ...] = ()  # until when the plan wants a post-incident report of its incidents
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
        if self.marks:
            return f"it does no duty: {', '.join(self.marks)}"
        return "" if self.outcome == "completed" else f"it was {self.outcome or 'never ended'}"

    def counts_for(self, drill: str, *, at_least: str = "", restored: int = 0) -> bool:
        """Whether it is a run of this drill, whole, in such a class of environment, with so many bytes restored.

        Its verdict does not matter.
        """
        enough = is_at_least(self.likeness.environment, at_least) and self.restored_of(drill) >= restored
        return not self.why_not() and drill in self.whole and enough

    def of(self, drill: str) -> tuple[Scenario, ...]:
        """The drill's scenarios."""
        return tuple(scenario for scenario in self.scenarios if scenario.drill == drill)

    def restored_of(self, drill: str) -> int:
        """Bytes of the largest database that a scenario of the drill has restored; 0 where none was."""
        return max((scenario.restored for scenario in self.of(drill)), default=0)

    def declared_of(self, drill: str) -> tuple[Scenario, ...]:
        """The drill's scenarios that its verdict leaves out: somebody had declared that they cannot be run."""
        return tuple(scenario for scenario in self.of(drill) if scenario.declared)

    def is_after(self, other: Past) -> bool:
        """By number within a stream; by the time they name where they are of two, and then also where one names none.

        A number that cannot be read may be any.
        """
        if self.stream == other.stream:
            return self.number > other.number or not self.number
        return self.began is None or other.began is None or self.began > other.began

    def verdict_of(self, drill: str) -> Outcome:
        """The verdict over the drill's scenarios, but for those of which it was declared that they cannot be run."""
        return merge_outcomes(scenario.verdict for scenario in self.of(drill) if not scenario.declared)

    def said_of(self, drill: str) -> str:
        """The same in words: `MET for what was exercised` where a scenario of the drill left something out."""
        return _said(self.verdict_of(drill), self.of(drill))

    @property
    def said(self) -> str:
        """The verdict of the run in such words, and what must stand with it."""
        return ", ".join((_said(self.verdict, self.scenarios), *self.marks))


def _said(verdict: Outcome, scenarios: Iterable[Scenario]) -> str:
    partly = verdict is Outcome.MET and any(scenario.left_out or scenario.declared for scenario in scenarios)
    return f"{verdict} for what was exercised" if partly else str(verdict)


@dataclass(frozen=True)
class Folder:
    """A folder of evidence: its sealed runs in order (`in_order`), and what else is in it that a reader must know."""

    path: Path
    runs: tuple[Past, ...] = ()
    unfinished: tuple[str, ...] = ()  # runs that go on or were killed, and are not sealed
    notes: tuple[str, ...] = ()  # what is wrong between the packs: a number that is there twice, one replaced
    gaps: tuple[series.Gap, ...] = ()  # numbers of runs that are not here
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
        cut = {run.stream for run in self.runs if run not in kept}
        newest = {stream: max((run.number for run in kept if run.stream == stream), default=0) for stream in cut}
        gaps = (gap.between(below=newest.get(gap.stream)) for gap in self.gaps)
        return replace(self, runs=kept, gaps=tuple(gap for gap in gaps if gap))


def in_order(runs: Iterable[Past]) -> list[Past]:
    """By number in each stream; what streams have between each other by the time at which each began."""
    latest: dict[str, datetime] = {}
    keys: dict[str, tuple[datetime, str, int, str]] = {}
    found = sorted(runs, key=lambda run: (run.stream, run.number, run.name))
    for run in found:
        began = run.began if run.number and run.began else NEVER
        latest[run.stream] = max(latest.get(run.stream, NEVER), began)
        keys[run.name] = (latest[run.stream], run.stream, run.number, run.name)
    return sorted(found, key=lambda run: keys[run.name])
