"""What the checks are given: the journal lines of one scenario, and streams of its ledgers and recovered rows.

Nothing here opens a file: `harness.checks.load` fills it from a pack, a test fills it from a made-up history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from harness.checks import Finding, Outcome
from harness.checks.called import called
from harness.workload.answers import Answer
from harness.workload.ledger import Payload, Request

T = TypeVar("T")
AnyLine = TypeVar("AnyLine", bound="Told")

SECOND = 1_000_000_000  # nanoseconds
BY_SCENARIO = "scenario"  # who healed, where a sentence of the feature says so


class Unsound(Exception):
    """The evidence contradicts itself or is cut short, so that nothing can be said from it; the text says how."""


class Line(NamedTuple):
    """One line of the journal."""

    seq: int
    kind: str
    mono: int  # nanoseconds
    utc: str
    data: dict[str, Any]


class Told(Protocol):
    """A line of the journal, whoever has read it."""

    @property
    def data(self) -> dict[str, Any]: ...


class Row(NamedTuple):
    """One customers' transaction as read out of the database."""

    number: int
    payload: Payload
    amount: Decimal | None


@dataclass(frozen=True, eq=False)
class Evidence:
    """One scenario of a run.

    `zones` are the groups of customers whose ledger the journal lists, `moments` the (moment, zone) pairs whose rows
    it lists.
    `asking` are the groups of customers who ask for what they know, whose record the journal lists; `answers(group)` is
    a fresh stream of it, in the order in which the answers came.
    `requests(zone)` and `rows(moment, zone)` open a fresh stream each time, in order of number. `run` is every line of
    the run's journal, where it is known: whether its stamps can be true at all is asked of all of it.
    """

    scenario: str
    lines: tuple[Line, ...]
    zones: tuple[str, ...]
    moments: frozenset[tuple[str, str]]
    requests: Callable[[str], Iterable[Request]]
    rows: Callable[[str, str], Iterable[Row]]
    run: tuple[Line, ...] = ()
    asking: tuple[str, ...] = ()
    answers: Callable[[str], Iterable[Answer]] = lambda group: ()
    _made: dict[str, object] = field(default_factory=dict, repr=False)

    def once(self, what: str, make: Callable[[], T]) -> T:
        """What several checks need and is costly is made once: the comparison of all ledgers, say."""
        if what not in self._made:
            self._made[what] = make()
        return cast(T, self._made[what])

    @cached_property
    def inside(self) -> frozenset[str]:
        """Groups that stand inside a zone and write past the entrance: their zone may be cut off."""
        return frozenset(
            str(group["group"])
            for line in self.all("workload.begin")
            for group in line.data.get("groups") or ()
            if group.get("inside")
        )

    @cached_property
    def called(self) -> dict[str, str]:
        """What the keepers of this database call a `position`, a `history` and several `histories`."""
        return called(self.stack)

    @cached_property
    def stack(self) -> Mapping[str, Any]:
        """What its stack said of itself when it was ready; a run may have several, one after the other."""
        end = self.lines[-1].seq if self.lines else 0
        return next((line.data for line in reversed(self.run) if line.kind == "stack.ready" and line.seq <= end), {})

    @cached_property
    def outside(self) -> tuple[str, ...]:
        """The customers that the platform's promises are made to: service is what these were given."""
        return tuple(zone for zone in self.zones if zone not in self.inside)

    def all(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line.kind == kind]

    def first(self, kind: str) -> Line | None:
        return next((line for line in self.lines if line.kind == kind), None)

    def last(self, kind: str) -> Line | None:
        return next((line for line in reversed(self.lines) if line.kind == kind), None)

    def moment(self, kind: str, moment: str) -> Line | None:
        """The last line of a kind that has several moments (`steady`, `figures`)."""
        return next((line for line in reversed(self.all(kind)) if line.data.get("moment") == moment), None)

    def stopped(self) -> str:
        """Who stopped the scenario or what ended it, and why; empty where it was completed."""
        end = self.last("scenario.end")
        if end is not None and end.data.get("outcome") == "completed":
            return ""
        stopped = self.last("stopped")
        if stopped is not None:
            return f"stopped by {stopped.data.get('who')}: {stopped.data.get('why')}"
        if end is not None:
            return f"the scenario {end.data.get('outcome')}: {end.data.get('error') or 'no reason recorded'}"
        run = self.last("run.end")
        if run is not None:
            return f"the run ended inside the scenario ({run.data.get('outcome')}, said by {run.data.get('by')})"
        return "the scenario has no end in the journal"

    def observed(self) -> int:
        """The last moment, in `mono`, at which the drill itself still looked on.

        Lines written by whoever healed a killed run do not count: they may come hours later, or after a reboot. Nor do
        the digests of ledgers, which whoever healed may have written. A heal that the scenario itself ordered is one
        of its deeds, after which it goes on.
        """
        latest = self.lines[0].mono if self.lines else 0
        for line in self.lines:
            if line.kind in ("stopped", "scenario.end"):
                return max(latest, line.mono)
            if line.kind in ("resumed", "torn", "run.end"):
                break
            if line.kind == "fault.healed" and line.data.get("by") != BY_SCENARIO and not self._ends():
                break
            if line.kind in ("ledger", "workload.end", "answers", "readers.end"):
                continue
            latest = max(latest, line.mono)
        return latest

    def _ends(self) -> bool:
        return any(line.kind in ("stopped", "scenario.end") for line in self.lines)


@dataclass(frozen=True)
class Disaster:
    """The fault whose recovery is measured, on the monotonic clock.

    Of several faults in a scenario it is the first that harms the data served, else the first of all: damage to a
    backup lies still until somebody needs the backup.
    """

    fault: str
    earliest: int  # it took effect no sooner
    latest: int  # and no later: where a proof afterwards shows that it did
    harms_data: bool
    logical: bool | None  # an operator's mistake: storage is whole, all before it can be had back. None: not said


def disaster(evidence: Evidence) -> Disaster:
    """The scenario's disaster. Errors: `Unsound` when there was none, or no proof that every fault took effect."""
    if why := ineffective(evidence):
        raise Unsound(why)
    line = disaster_of(evidence.all("fault.intent"))
    assert line is not None  # ineffective() has seen it
    earliest, latest = moment_of(effect(evidence, line))
    return Disaster(
        fault=line.data["fault"],
        earliest=earliest,
        latest=latest,
        harms_data=bool(line.data.get("harms_data")),
        logical=line.data.get("logical"),
    )


def disaster_of(intents: Sequence[AnyLine]) -> AnyLine | None:
    """Of the orders of faults, in their order, that of the disaster: the one rule, for checks, reports and screens."""
    return next((line for line in intents if line.data.get("harms_data")), intents[0] if intents else None)


def effect_or_none(evidence: Evidence, intent: Line) -> Line | None:
    """The line that says whether the fault of this intent took effect."""
    lines = (line for line in evidence.all("fault.effective") if line.seq > intent.seq)
    return next((line for line in lines if line.data.get("injection") == intent.data.get("injection")), None)


def effect(evidence: Evidence, intent: Line) -> Line:
    """The line that says when the fault of this intent took effect. Errors: `Unsound` where there is none."""
    line = effect_or_none(evidence, intent)
    if line is None:
        raise Unsound(f"there is no proof that the fault {intent.data['fault']} took effect")
    return line


def moment_of(line: Line) -> tuple[int, int]:
    """Between which moments, in `mono`, a fault took effect or was healed.

    Errors: `Unsound` where the line does not say, or says what cannot be.
    """
    earliest, latest = line.data.get("earliest"), line.data.get("latest")
    if type(earliest) is not int or type(latest) is not int or not earliest <= latest <= line.mono:
        raise Unsound(f"line {line.seq + 1} does not say when {line.data.get('fault')} took effect or was healed")
    return earliest, latest


def ineffective(evidence: Evidence) -> str:
    """Why it cannot be said that the faults of the scenario took effect, and lasted; empty where each did."""
    intents = evidence.all("fault.intent")
    if not intents:
        return "no fault was injected"
    for intent in intents:
        line = effect_or_none(evidence, intent)
        if line is None:
            return f"there is no proof that the fault {intent.data['fault']} took effect"
        if not line.data.get("ok"):
            return f"the fault {intent.data['fault']} did not take effect"
    for line in evidence.all("fault.still_active"):
        if not line.data.get("ok"):
            return f"the fault {line.data.get('fault')} had ended before it was healed"
    return ""


def groundless(evidence: Evidence) -> str:
    """Why what failed may be the drill's own ground and not the platform; empty where that held."""
    full = evidence.first("disk.full")
    if full is None:
        return ""
    return f"the disk under the stack and its evidence was full ({full.data.get('free')} bytes were left)"


@dataclass(frozen=True)
class Expectation:
    """What a Then sentence asks for; `limit` is in the unit of the finding (seconds, for most).

    `database`: of those that were restored beside, where it is asked of one; else empty.
    """

    finding: str
    objective: str = ""
    limit: float | None = None
    demands: tuple[str, ...] = ()
    database: str = ""

    @classmethod
    def of(cls, line: Line) -> Expectation:
        limit = line.data.get("limit")
        return cls(
            finding=line.data["finding"],
            objective=line.data.get("objective") or "",
            limit=None if limit is None else float(limit),
            demands=tuple(line.data.get("demands") or ()),
            database=str(line.data.get("database") or ""),
        )

    def finding_of(self, evidence: Evidence, title: str, outcome: Outcome, reason: str, **more: Any) -> Finding:
        """A finding that answers this expectation."""
        return Finding(
            id=self.finding,
            scenario=evidence.scenario,
            title=title,
            outcome=outcome,
            reason=reason,
            **{"objective": self.limit, "demands": self.demands, **more},
        )


def against(low: float, high: float, limit: float | None, *, lower_bound: bool = False) -> Outcome:
    """The outcome of a figure whose truth lies in [`low`, `high`], against the greatest value allowed.

    A bar that crosses the limit is UNKNOWN, and so is a lower bound that has not yet passed it.
    """
    if limit is None:
        return Outcome.UNKNOWN
    if low > limit:
        return Outcome.MISSED
    return Outcome.MET if high <= limit and not lower_bound else Outcome.UNKNOWN


def seconds(nanoseconds: int) -> float:
    return nanoseconds / SECOND


def position(value: object) -> int:
    """Where the database was, in a number that only grows. Errors: `Unsound` when it is none."""
    if type(value) is not int or value < 0:
        raise Unsound(f"{value!r} is no position")
    return value
