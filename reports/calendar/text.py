"""The calendar and the gate in a terminal and for a machine: plain lines, no colour. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from itertools import groupby
from typing import Any

from harness.checks import Outcome
from harness.evidence.environments import is_at_least
from harness.features.declared import Declaration
from harness.plan import Duty, Plan
from harness.plan.shape import MONTHS
from harness.schedule import least
from harness.schedule.gate import Check, outcome, owed_in_words, waived_in_words
from harness.schedule.past import Folder, Past
from harness.schedule.slower import FEWEST, Trend
from harness.schedule.standing import Owed, Standing, State
from reports.words import SYMBOLS, clean, counted

WIDTH = 100
MOST = 10  # runs that do not count, in the calendar
LOUD = (State.DUE, State.LATE, State.MISSED)


def calendar(plan: Plan, found: Sequence[Standing], folder: Folder, today: date) -> str:
    """Every duty with its next date, what was done, what is late or missed, and who waived it."""
    zone = plan.time_zone.key
    lines = [f"{clean(plan.name)}, version {clean(plan.version)}; {today:%A} {today}, days of the time zone {zone}"]
    for cadence, standings in groupby(found, key=lambda each: each.duty.cadence):
        lines += ["", cadence]
        for standing in standings:
            lines += _standing(standing, today)
    if owed := reports_owed(folder, today):
        lines += ["", "post-incident reports", *owed]
    lines += ["", *about(folder)]
    return "\n".join(lines).rstrip() + "\n"


def reports_owed(folder: Folder, today: date) -> list[str]:
    """Each that the plan wants by a moment of today or later. A drill has only drafted it: who answers are people."""
    wanted = sorted((due, run.name) for run in folder.runs if not run.sabotage for due in run.reports_due)
    return [
        f"  due by {due:%Y-%m-%d %H:%M} UTC, of run {clean(name)} (drafted there)"
        for due, name in wanted
        if due.date() >= today
    ]


def about(folder: Folder) -> list[str]:
    """What else is in the folder that a reader must know: whatever does not count, and why."""
    lines = [f"{counted(len(folder.runs), 'sealed run')} in {folder.path}"]
    uncounted = [f"{run.name} does not count: {why}" for run in folder.runs if (why := run.why_not())]
    if len(uncounted) > MOST:
        lines.append(f"  {len(uncounted)} of them do not count; the newest {MOST} (`drdrill history` has all):")
    for said in uncounted[-MOST:]:
        lines += _wrapped(said, indent=2)
    for name in folder.unfinished:
        lines += _wrapped(f"{name} goes on or was killed, and is not sealed: it does not count", indent=2)
    for gap in folder.gaps:
        lines.append(f"  {gap}")
    for note in (*folder.notes, *folder.remarks):
        lines += _wrapped(note, indent=2)
    return lines


def when(duty: Duty) -> str:
    """`first Monday of the month, on staging at least`; where the plan gives no day, what is assumed."""
    where = f", on {least.what_counts(duty)}"
    if duty.day:
        return f"{duty.day[0]} {duty.day[1]} of the month{where}"
    named = [MONTHS[month - 1] for month in sorted(duty.months)] or ["the year"]
    return f"by the last day of {', '.join(named)}{where}"


def calendar_json(plan: Plan, found: Sequence[Standing], folder: Folder, today: date) -> dict[str, Any]:
    """The same for a machine."""
    return {
        "v": 1,
        "today": str(today),
        "time_zone": plan.time_zone.key,
        "plan": {"name": plan.name, "version": plan.version, "sha256": plan.digest},
        "evidence": folder_json(folder),
        "duties": [_standing_json(standing, today) for standing in found],
        "reports_due": [
            {"run": run.name, "due": str(due)} for run in folder.runs if not run.sabotage for due in run.reports_due
        ],
    }


def folder_json(folder: Folder) -> dict[str, Any]:
    """What counts in the folder and what does not."""
    return {
        "path": str(folder.path),
        "runs": len(folder.runs),
        "not_counted": {run.name: why for run in folder.runs if (why := run.why_not())},
        "unfinished": list(folder.unfinished),
        "missing_numbers": {
            stream: [number for gap in folder.gaps if gap.stream == stream for number in gap.numbers]
            for stream in dict.fromkeys(gap.stream for gap in folder.gaps)
        },
        "notes": [*folder.notes, *folder.remarks],
        "key": folder.key or None,
    }


def gate(found: Sequence[Check]) -> str:
    """Every check with its reason, and the outcome; of figures that are too few to compare only how many."""
    lines: list[str] = []
    few = [check for check in found if check.advisory and check.reason.startswith(Trend.TOO_FEW)]
    for check in found:
        if check in few:
            continue
        mark = "- advisory" if check.advisory else f"{SYMBOLS[check.outcome]} {check.outcome}"
        lines += _wrapped(f"{mark:<10}  {check.group}: {check.name}", indent=0)
        lines += _wrapped(check.reason, indent=12)
    if few:
        lines += [f"{'- advisory':<10}  slower than before: {Trend.TOO_FEW}"]
        lines += _wrapped(f"{len(few)} figures have fewer than {FEWEST} earlier runs like theirs", indent=12)
    whole = outcome(found)
    lines += ["", f"{SYMBOLS[whole]} {whole}: the gate is {'open' if whole is Outcome.MET else 'closed'}"]
    return "\n".join(lines) + "\n"


def gate_json(found: Sequence[Check], folder: Folder, today: date) -> dict[str, Any]:
    checks = [{**asdict(check), "declared": _declared_json(check.declared, today)} for check in found]
    return {"v": 1, "today": str(today), "outcome": outcome(found), "evidence": folder_json(folder), "checks": checks}


def nothing_due(found: Iterable[Standing], *, on: str) -> str:
    """That nothing is due on this class of environment, and what is next."""
    built = [standing for standing in found if standing.built]
    if not built:
        return "nothing is due: no drill of the calendar is built"
    after = min(built, key=upcoming)
    lines = [f"nothing is due on {on}; the next is {after.duty.title}, {upcoming(after):%A} {upcoming(after)}"]
    for standing in built:
        lines += [f"  {standing.duty.title}: {waived_in_words(each)}" for each in standing.waived]
    return "\n".join(lines)


def upcoming(standing: Standing) -> date:
    """The next date that is still to be done: that of the open period, where its day has not come."""
    waiting = [each.period.last for each in standing.owed if each.state is State.WAITING]
    return waiting[0] if waiting else standing.upcoming.last


def due_because(standing: Standing, today: date, *, on: str) -> str:
    """Why a drill is run now on this class of environment, and whether that does the duty."""
    duty = standing.duty
    words = f"{duty.title}: {'; '.join(owed_in_words(each, today) for each in standing.open)} on {on}"
    enough = is_at_least(on, duty.at_least) and not duty.restored_at_least
    return words if enough else f"{words}; the duty wants {least.what_counts(duty)}"


def done_here(standing: Standing) -> str:
    """That there is nothing to do on the stack at hand, and the duty is open all the same."""
    return f"{standing.duty.title}: done here; the duty still wants {least.what_counts(standing.duty)}"


def _standing(standing: Standing, today: date) -> list[str]:
    duty = standing.duty
    if not standing.built:
        lines = _wrapped(f"  {clean(duty.title)}: not built, {clean(duty.not_built)}", indent=2)
        return [*lines, f"      would fall {when(duty)}; next {standing.upcoming.last}"]
    ours = " (ours)" if duty.ours else ""
    lines = [f"  {clean(duty.title)}{ours}, {when(duty)}: {_state(standing)}"]
    for owed in standing.owed:
        if owed.state in LOUD:
            said = owed_in_words(owed, today)
            lines += _wrapped(f"{said[0].upper()}{said[1:]}", indent=6)
            lines += _wrapped(waived_in_words(owed), indent=8) if owed.waiver else []
    lines += _wrapped(f"last: {last_in_words(duty.drill, standing.latest)}", indent=6)
    for scenario in standing.latest.declared_of(duty.drill) if standing.latest else ():
        lines += _wrapped(f"left out of it (advisory): “{scenario.title}”, {scenario.declared}", indent=8)
    if lesser := standing.lesser:
        lines += _wrapped(f"lesser: {last_in_words(duty.drill, lesser)}", indent=6)
        lines += _wrapped(f"does no duty: {least.short_in_words(lesser, duty)}", indent=8)
    for each in standing.declared:
        where = each.environment or "where a stack lacks what it takes"
        ended = "" if each.holds(today) else " (ended)"
        lines += _wrapped(f"cannot be run ({where}): “{each.title}”, {each}{ended}", indent=6)
    return [*lines, f"      next: {upcoming(standing):%A} {upcoming(standing)}"]


def _state(standing: Standing) -> str:
    """One word for where it stands; what is loudest first."""
    if standing.overdue:
        return "OVERDUE"
    if standing.open:
        return "DUE"
    if standing.waived:
        return "waived"
    turn = standing.owed[-1]
    late = f", {turn.days_late} day{'s' if turn.days_late > 1 else ''} late" if turn.days_late else ""
    return f"done for {turn.period.name}{late}" if turn.state is State.DONE else str(turn.state)


def last_in_words(drill: str, run: Past | None) -> str:
    """`MET, 2026-11-02 10:00 UTC, run … (embedded, local, …)`."""
    if run is None or run.began is None:
        return "no run counts so far"
    verdict = f"{SYMBOLS[run.verdict_of(drill)]} {run.said_of(drill)}"
    return f"{verdict}, {run.began:%Y-%m-%d %H:%M} UTC, run {clean(run.name)} ({run.likeness})"


def _standing_json(standing: Standing, today: date) -> dict[str, Any]:
    duty, latest, lesser = standing.duty, standing.latest, standing.lesser
    return {
        "drill": duty.drill,
        "title": duty.title,
        "cadence": duty.cadence,
        "falls": when(duty),
        "built": standing.built,
        "not_built": duty.not_built,
        "ours": duty.ours,
        "overdue": bool(standing.overdue),
        "due_now": bool(standing.open),
        "next": str(upcoming(standing)),
        "counts": least.for_a_machine(duty),
        "latest": {
            "run": latest.name,
            "began": str(latest.began),
            "verdict": latest.verdict_of(duty.drill),
            "environment": latest.likeness.environment,
            "restored_bytes": latest.restored_of(duty.drill),
            "left_out": [
                {"scenario": scenario.name, "declared": _declared_json(scenario.declared, today)}
                for scenario in latest.declared_of(duty.drill)
            ],
        }
        if latest
        else None,
        "lesser": asdict(least.lesser(lesser, duty)) if lesser else None,
        "cannot_run": [_declared_json(each, today) for each in standing.declared],
        "periods": [_owed_json(duty.drill, each) for each in standing.owed],
    }


def _declared_json(declared: Declaration | None, today: date) -> dict[str, Any] | None:
    if declared is None:
        return None
    return {
        "scenario": declared.scenario,
        "environment": declared.environment or None,
        "who": declared.who,
        "why": declared.why,
        "until": str(declared.until),
        "holds": declared.holds(today),
    }


def _owed_json(drill: str, owed: Owed) -> dict[str, Any]:
    waiver = owed.waiver
    return {
        "period": owed.period.name,
        "date": str(owed.period.last),
        "state": owed.state,
        "run": owed.run.name if owed.run else None,
        "days_late": owed.days_late,
        "verdict": owed.run.verdict_of(drill) if owed.run else None,
        "waiver": {"who": waiver.who, "why": waiver.why, "until": str(waiver.until), "holds": owed.waived}
        if waiver
        else None,
    }


def _wrapped(words: str, *, indent: int) -> list[str]:
    lead = words[: len(words) - len(words.lstrip())]
    text = lead + clean(words).strip()
    return textwrap.wrap(text, WIDTH, initial_indent=" " * (indent - len(lead)), subsequent_indent=" " * (indent + 2))
