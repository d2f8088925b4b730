"""Which scenarios somebody has declared that the platform cannot run: who, why, and until when.

They stand under `cannot_run` in the file of the waivers (`drills/waivers.yaml`). A declaration keeps nothing from being
run: it is used where a stack lacks what a scenario takes, and then the run is judged without that scenario. One whose
last day is over counts as none.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from harness.features import catalog
from harness.plan import Plan
from harness.plan import shape as plan_shape
from harness.plan import text as plan_text

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Declaration:
    """One entry of the list; or what a journal has kept of one, which names no line."""

    scenario: str  # its short name
    who: str
    why: str
    until: date  # the last day on which it holds, in the plan's time zone
    environment: str = ""  # the class on which the scenario cannot be run; empty: on whichever lacks what it takes
    drill: str = ""
    title: str = ""
    line: int = 0

    def holds(self, day: date) -> bool:
        return day <= self.until

    def covers(self, scenario: str, environment: str) -> bool:
        return self.scenario == scenario and self.environment in ("", environment)

    def ends(self, zone: ZoneInfo) -> datetime:
        """The moment at which its last day is over."""
        day = self.until + A_DAY
        return datetime(day.year, day.month, day.day, tzinfo=zone)

    def __str__(self) -> str:
        return f"declared until {self.until} by {self.who}: {self.why}"


def read(path: Path) -> plan_text.Text:
    """The file of exceptions, of the right shape, or with its problems listed. Errors: `Refused` as of a plan."""
    text = plan_text.read(path)
    schema = json.loads(resources.files("harness.plan").joinpath("waivers.json").read_text(encoding="utf-8"))
    plan_shape.check(text, schema, of="a file of waivers")
    if not text.problems and not text.values:
        text.problem((), "holds neither waivers nor cannot_run", hint="write waivers: [], or take the file out")
    return text


def load(path: Path, plan: Plan, features: Path) -> tuple[Declaration, ...]:
    """The declarations of the file, of scenarios that there are in `features`.

    Errors: `Refused`, with every problem of theirs in one message, each with its line.
    """
    text = read(path)
    found = declarations(text, plan, features) if not text.problems else ()
    if text.problems:
        raise plan_text.refuse(path, text.problems)
    return found


def declarations(text: plan_text.Text, plan: Plan, features: Path) -> tuple[Declaration, ...]:
    """Those that declare something that there is; of each other one its problem is noted in `text`.

    Errors: `Refused` where a feature cannot be read.
    """
    given = text.values.get("cannot_run", [])
    drills = {drill.name: drill for drill in catalog.drills(features)} if given else {}
    found = [_declaration(text, at, each, plan, drills.get(each["drill"])) for at, each in enumerate(given)]
    return tuple(each for each in found if each)


def holding(declared: Iterable[Declaration], *, scenario: str, environment: str, day: date) -> Declaration | None:
    """The declaration of this scenario on this class that holds on that day; of several the one that lasts longest."""
    ours = (each for each in declared if each.covers(scenario, environment) and each.holds(day))
    return max(ours, key=lambda each: each.until, default=None)


def _declaration(
    text: plan_text.Text, at: int, given: dict[str, Any], plan: Plan, drill: catalog.Drill | None
) -> Declaration | None:
    where = ("cannot_run", at)
    duty = next((duty for duty in plan.calendar if duty.drill == given["drill"]), None)
    if duty is None or drill is None:
        built = [duty.drill for duty in plan.calendar if not duty.not_built]
        what = f'"{given["drill"]}" is not a drill of the calendar' if duty is None else f"{duty.drill} is not built"
        text.problem((*where, "drill"), what, hint=_nearest(given["drill"], built, "the calendar has"))
        return None
    name = catalog.name_of(given["scenario"])
    scenario = next((each for each in drill.scenarios if each.name == name), None)
    if scenario is None:
        what = f'"{given["scenario"]}" is not a scenario of {drill.name}'
        hint = _nearest(given["scenario"], [each.title for each in drill.scenarios], "it has")
        text.problem((*where, "scenario"), what, hint=hint)
        return None
    environment = given.get("environment", "")
    for other, before in enumerate(text.values["cannot_run"][:at]):
        same = catalog.name_of(before["scenario"]) == name
        if same and (environment == before.get("environment", "") or not environment or "environment" not in before):
            what = f"“{scenario.title}” is declared already, on line {text.lines['cannot_run', other]}"
            hint = "keep one of the two, or give each an environment; to prolong one, change its until and its why"
            text.problem(where, what, hint=hint)
            return None
    return Declaration(
        scenario=name,
        who=given["who"],
        why=given["why"],
        until=plan_shape.day(given["until"]),
        environment=environment,
        drill=drill.name,
        title=scenario.title,
        line=text.lines[where],
    )


def _nearest(name: str, among: list[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, among, n=1)
    return f'did you mean "{near[0]}"?' if near else f"{otherwise}: {', '.join(among)}"
