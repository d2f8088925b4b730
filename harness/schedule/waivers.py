"""Waivers: who has let a drill be late, for which date, why, and until when. `drills/waivers.yaml` holds them.

A waiver is of one date of one drill, and ends: after `until` the drill is overdue again. It never makes anything done.
The same file says which scenarios the platform cannot run: `harness.features.declared`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from harness.features import declared
from harness.features.declared import Declaration
from harness.plan import Plan
from harness.plan import shape as plan_shape
from harness.plan import text as plan_text
from harness.schedule.dates import following, periods


@dataclass(frozen=True)
class Waiver:
    """One entry of the file."""

    drill: str
    month: str  # "2026-11": the month of the date that is waived
    who: str
    why: str
    until: date  # the last day on which it holds
    line: int  # of the file


def load(path: Path, plan: Plan, features: Path) -> tuple[tuple[Waiver, ...], tuple[Declaration, ...]]:
    """Read the waivers, and what is declared; a file that is not there holds neither.

    Errors: `Refused`, with every problem of the file in one message, each with its line.
    """
    if not path.exists():
        return (), ()
    text = declared.read(path)
    waivers: list[Waiver | None] = []
    declarations: tuple[Declaration, ...] = ()
    if not text.problems:
        waivers = [_waiver(text, at, given, plan) for at, given in enumerate(text.values.get("waivers", []))]
        declarations = declared.declarations(text, plan, features)
    if text.problems:
        raise plan_text.refuse(path, text.problems)
    return tuple(waiver for waiver in waivers if waiver), declarations


def _waiver(text: plan_text.Text, at: int, given: dict[str, Any], plan: Plan) -> Waiver | None:
    """One waiver; None, and its problem noted, where it waives nothing that there is."""
    where = ("waivers", at)
    duty = next((duty for duty in plan.calendar if duty.drill == given["drill"]), None)
    if duty is None:
        names = [each.drill for each in plan.calendar]
        near = difflib.get_close_matches(given["drill"], names, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"the calendar has: {', '.join(names)}"
        text.problem((*where, "drill"), f'"{given["drill"]}" is not a drill of the calendar', hint=hint)
        return None
    first, last = plan_shape.first_day(given["due"]), plan_shape.last_day(given["due"])
    period = next(periods(duty, since=first))
    if not first <= period.last <= last:
        after = following(duty, first)
        what = f"{duty.drill} has no date in {given['due']}"
        text.problem((*where, "due"), what, hint=f"the next from there is {after.last}: write {after.name}")
        return None
    until = plan_shape.first_day(given["until"])
    if until < period.last:
        what = f"{until} lies before the date that it waives, {period.last}, so it would never hold"
        text.problem((*where, "until"), what, hint="write the last day on which the drill may be late")
        return None
    for other, before in enumerate(text.values["waivers"][:at]):
        if (before["drill"], before["due"][:7]) == (duty.drill, period.name):
            line = text.lines["waivers", other]
            what = f"{duty.drill} of {period.name} is waived already, on line {line}"
            text.problem(where, what, hint="keep one of the two; to prolong a waiver, change its until and its why")
            return None
    return Waiver(duty.drill, period.name, given["who"], given["why"], until, text.lines[where])
