"""Small sealed runs of made-up drills on chosen days, for the tests of calendar, gate and history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drills import PLAN as REAL_PLAN
from harness import plan
from harness.checks import Outcome
from harness.evidence.journal import Journal
from harness.evidence.seal import newest, seal
from harness.plan import Duty, Plan
from harness.schedule.past import Figure, Likeness, Past, Scenario
from harness.system import clock
from tests.made_packs import OURS

UTC_ZONE = ZoneInfo("UTC")
FIRST, SECOND, QUARTER, YEAR = "first-drill", "second-drill", "quarter-drill", "year-drill"
SCENARIOS = {FIRST: ("one", "two"), SECOND: ("three",), QUARTER: ("four",)}
HERE = "embedded"  # the class of environment of made runs, where nothing else is said; it counts for these duties
DUTIES = (
    Duty(FIRST, "First Drill", "monthly", "TST-M1", ("first", "Monday"), (), (), "", at_least=HERE),
    Duty(SECOND, "Second Drill", "monthly", "TST-M2", ("second", "Monday"), (), (), "", at_least=HERE),
    Duty(QUARTER, "Quarter Drill", "quarterly", "TST-Q1", None, (3, 6, 9, 12), (), "", at_least=HERE),
    Duty(YEAR, "Year Drill", "annual", "TST-A1", None, (), (), "needs people", at_least=HERE),
)


def made_plan(*, zone: str = "UTC", duties: Sequence[Duty] = DUTIES) -> Plan:
    """The real plan with another calendar."""
    return replace(_real_plan(), calendar=tuple(duties), time_zone=ZoneInfo(zone))


@cache
def _real_plan() -> Plan:
    return plan.load(REAL_PLAN)


@dataclass(frozen=True)
class Made:
    """A run to be made."""

    at: datetime
    drills: tuple[str, ...] = (FIRST,)
    only: str = ""
    verdicts: Mapping[str, str] | None = None  # of scenarios; MET where left out
    rto: float | None = 20.0
    bar: float = 0.3  # seconds below the figure
    outcome: str = "completed"
    sabotage: str = ""
    cpus: int = 2
    features: tuple[str, ...] = (FIRST, SECOND, QUARTER)
    stream: str = "main"
    streams: tuple[str, ...] = ("main",)
    rehearsal: bool = False
    compression: int = 1
    environment: str = HERE
    restored: Mapping[str, int] | None = None  # bytes, by scenario; none restores anything where it is left out
    declared: Mapping[str, date] | None = None  # until when: scenarios that were declared, and not begun


def on(day: str, hour: int = 10) -> datetime:
    """An hour of a day in UTC."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + timedelta(hours=hour)


def run(evidence: Path, made: Made, *, key: Ed25519PrivateKey = OURS) -> Path:
    """Make and seal it, numbered and chained as the harness does it; its stamps say `made.at`."""
    evidence.mkdir(exist_ok=True)
    number, previous = newest(evidence, stream=made.stream)
    name = f"{made.at:%Y%m%d-%H%M%S}-{number + 1:04x}"
    folder = evidence / f"{name}.unfinished"
    folder.mkdir()
    _features(folder / "features", made.features)
    names = [each for drill in made.drills for each in SCENARIOS[drill] if not made.only or each == made.only]
    with pytest.MonkeyPatch.context() as patch:
        moments = (clock.Stamp(made.at + timedelta(seconds=at), at * 10**9) for at in range(10_000))
        patch.setattr(clock, "now", lambda: next(moments))
        with Journal.create(folder) as journal:
            journal.record(
                "run.begin", run=name, stream=made.stream, number=number + 1, previous=previous,
                drill=list(made.drills), scenarios=names,
                stack="local", sandbox="rootless", environment=made.environment, scale=1.0, rate=50.0, nonce="n",
                sabotage=made.sabotage or None, host={"cpus": made.cpus}, digests={}, streams=list(made.streams),
                rehearsal=made.rehearsal, clock={"name": "machine", "compression": made.compression},
            )  # fmt: skip  # arguments in groups
            for each in names:
                journal.record("scenario.begin", scenario=each, title=each.capitalize())
                if until := (made.declared or {}).get(each):
                    journal.record("declared", scenario=each, environment="", who="Ada", why="no such net",
                                   until=str(until), ends=f"{until}T23:59:59.000000Z")  # fmt: skip  # in groups
                if size := (made.restored or {}).get(each):
                    journal.record("recovery.reached", bytes=size // 2)
                    journal.record("recovery.reached", bytes=size)
                journal.record("scenario.end", scenario=each, outcome="completed")
            journal.record("run.end", outcome=made.outcome, by="harness")
        (folder / "findings.json").write_text(json.dumps(_findings(names, made)))
        return seal(folder, evidence / name, key=key)


def _features(folder: Path, drills: Sequence[str]) -> None:
    cadences = {duty.drill: duty.cadence for duty in DUTIES}
    for drill in drills:
        path = folder / cadences[drill] / f"{drill.replace('-', '_')}.feature"
        path.parent.mkdir(parents=True, exist_ok=True)
        told = "".join(f"  Scenario: {name.capitalize()}\n    Given a stack\n" for name in SCENARIOS[drill])
        path.write_text(f"Feature: {drill}\n{told}")


def _findings(names: Sequence[str], made: Made) -> dict[str, Any]:
    left = made.declared or {}
    verdicts = {name: "UNKNOWN" if name in left else (made.verdicts or {}).get(name, "MET") for name in names}
    counting = [verdict for name, verdict in verdicts.items() if name not in left]
    worst = next((each for each in ("MISSED", "UNKNOWN", "MET") if each in counting), "UNKNOWN")
    findings = [
        {
            "id": "rto",
            "scenario": name,
            "title": "recovery",
            "outcome": verdict,
            "reason": "",
            "figure": made.rto,
            "low": made.rto - made.bar,
            "high": made.rto,
            "objective": 60.0,
            "unit": "s",
            "lower_bound": False,
        }
        for name, verdict in verdicts.items()
        if made.rto is not None and name not in left
    ]
    findings += [
        {"id": "scenario", "scenario": name, "outcome": "UNKNOWN", "advisory": True} for name in names if name in left
    ]
    return {"v": 1, "rules": "1", "verdict": worst, "verdicts": verdicts, "findings": findings}


def past(day: str, *, number: int = 1, drill: str = FIRST, hour: int = 10, **changed: Any) -> Past:
    """A whole run of one drill as it would be read, without a pack."""
    verdict = changed.pop("verdict", Outcome.MET)
    rto = changed.pop("rto", Figure(Outcome.MET, "s", 20.0, 19.7, 20.0, False, 60.0))
    made = Past(
        folder=Path(f"evidence/run-{number}"),
        run=f"run-{number}",
        number=number,
        began=on(day, hour),
        outcome="completed",
        verdict=verdict,
        sabotage="",
        likeness=Likeness("local", "rootless", "embedded", 1.0, 50.0, 2),
        drills=(drill,),
        known=frozenset(SCENARIOS),
        whole=frozenset({drill}),
        scenarios=tuple(
            Scenario(name, name.capitalize(), drill, verdict, {"rto": rto} if rto else {}) for name in SCENARIOS[drill]
        ),
    )
    return replace(made, **changed)
