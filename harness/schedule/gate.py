"""The gate of a CI: what stands in the way, and what shows that nothing does. Pure.

Green only where every drill that is built was run when the calendar says so, met its objectives the last time, and did
not become slower. What is not built, waived, declared for now, or too few to tell is advisory: neither red nor green.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from harness.checks import Outcome, merge_outcomes
from harness.evidence.verify import MAIN, within
from harness.features.declared import Declaration, holding
from harness.schedule import least
from harness.schedule.past import Folder, Past, Scenario
from harness.schedule.slower import WATCHED, Comparison, Trend
from harness.schedule.standing import Owed, Standing, State


@dataclass(frozen=True)
class Check:
    """One thing that the gate looks at. An `advisory` one does not count for the outcome."""

    kind: str  # duty, declared, regression, evidence
    group: str  # monthly, quarterly, annual; the drill's title; evidence
    name: str
    outcome: Outcome
    reason: str
    advisory: bool = False
    lesser: least.Lesser | None = None  # of a duty: a newer run that does none
    declared: Declaration | None = None  # of a scenario that the latest run left out


def checks(
    folder: Folder,
    standings: Sequence[Standing],
    comparisons: Iterable[Comparison],
    *,
    scenarios: Collection[tuple[str, str]],
    today: date,
) -> list[Check]:
    """Every check. `scenarios`: drill and scenario of those that there are now; a history of others is left alone."""
    titles = {standing.duty.drill: standing.duty.title for standing in standings if standing.built}
    return [
        *(_duty(standing, folder.runs, today) for standing in standings),
        *(each for standing in standings for each in _declared(standing, today)),
        _evidence(folder, standings),
        *_anybodys(folder),
        *(
            _regression(each, titles[each.drill])
            for each in comparisons
            if each.drill in titles and (each.drill, each.scenario) in scenarios
        ),
    ]


def outcome(found: Iterable[Check]) -> Outcome:
    """MISSED beats UNKNOWN beats MET; where everything is advisory, nothing was shown: UNKNOWN."""
    return merge_outcomes(check.outcome for check in found if not check.advisory)


def owed_in_words(owed: Owed, today: date) -> str:
    """`late: due 2026-11-02, 23 days ago, and not run`."""
    last = owed.period.last
    if owed.state is State.MISSED:
        return f"missed: due {last}, and not run until {owed.period.until}, the next date"
    if owed.state is State.LATE:
        days = (today - last).days
        return f"late: due {last}, {days} day{'s' if days > 1 else ''} ago, and not run"
    return f"{owed.state}: {last}"


def waived_in_words(owed: Owed) -> str:
    """Who let it be late, until when and why; empty where nobody did."""
    if owed.waiver is None:
        return ""
    ended = "" if owed.waived else " (ended)"
    return f"waived until {owed.waiver.until}{ended} by {owed.waiver.who}: {owed.waiver.why}"


def _duty(standing: Standing, runs: Sequence[Past], today: date) -> Check:
    duty = standing.duty

    lesser = standing.lesser

    def check(outcome: Outcome, reason: str, *, advisory: bool = False) -> Check:
        short = least.lesser(lesser, duty) if lesser else None
        return Check("duty", duty.cadence, duty.title, outcome, reason, advisory, short)

    if not standing.built:
        return check(Outcome.UNKNOWN, f"not built: {duty.not_built}", advisory=True)
    said = [". ".join(filter(None, (owed_in_words(owed, today), waived_in_words(owed)))) for owed in standing.overdue]
    found = [Outcome.MISSED for _ in standing.overdue]
    waived = [f"{owed_in_words(owed, today)}. {waived_in_words(owed)}" for owed in standing.waived]
    latest = standing.latest
    if latest is not None:
        verdict = latest.verdict_of(duty.drill)
        found.append(verdict)
        said.append(f"the latest run that counts, {latest.name}, is {latest.said_of(duty.drill)}")
    if after := _missed_since(duty.drill, latest, runs):
        found.append(Outcome.MISSED)
        whole = after.counts_for(duty.drill)
        how = "does no duty" if whole else "does not count as a whole drill"
        said.append(f"{after.name}, which is newer and {how}, MISSED an objective")
    if not found and not waived:
        found.append(Outcome.UNKNOWN)
        said.append(f"no run of it counts so far; due {standing.owed[-1].period.last}")
    short = [least.lesser_in_words(lesser, duty)] if lesser else []
    if not found:
        return check(Outcome.UNKNOWN, "; ".join([*waived, *short]), advisory=True)
    return check(merge_outcomes(found), "; ".join([*said, *waived, *short]))


def _missed_since(drill: str, latest: Past | None, runs: Sequence[Past]) -> Past | None:
    """A newer run that does no duty, and missed: stopping a run, or making it elsewhere, launders nothing.

    It was stopped, killed, of one scenario only, or on less than counts. A whole run on the same class of environment
    that was met since then has put it right there.
    """
    right: set[str] = set()
    for run in reversed(runs):
        if latest and not run.is_after(latest):
            continue
        sound = not run.problem and run.outcome in ("completed", "stopped", "killed")
        real = not run.sabotage and not run.marks
        verdict, where = run.verdict_of(drill), run.likeness.environment
        if sound and real and verdict is Outcome.MISSED and where not in right:
            return run
        if run.counts_for(drill) and verdict is Outcome.MET:
            right.add(where)
    return None


def _declared(standing: Standing, today: date) -> list[Check]:
    """Each scenario that the latest run left out because it was declared; what has ended since then counts again."""
    latest = standing.latest
    if latest is None:
        return []
    return [_left_out(standing, latest, scenario, today) for scenario in latest.declared_of(standing.duty.drill)]


def _left_out(standing: Standing, latest: Past, scenario: Scenario, today: date) -> Check:
    sealed, environment = scenario.declared, latest.likeness.environment
    assert sealed is not None  # declared_of() has seen it
    now = holding(standing.declared, scenario=scenario.name, environment=environment, day=today)
    holds = sealed.holds(today) or now is not None
    said = str(sealed)
    if not sealed.holds(today):
        said += f" (ended); now {now}" if now else " (ended)"
    return Check(
        "declared",
        standing.duty.title,
        scenario.title,
        Outcome.UNKNOWN,
        f"not exercised in {latest.name}, for {environment} cannot run it: {said}",
        advisory=holds,
        declared=now if now and not sealed.holds(today) else sealed,
    )


def _evidence(folder: Folder, standings: Sequence[Standing]) -> Check:
    """Whatever is newer than the runs that the gate goes by, and cannot be read, could have said otherwise."""
    latest = [standing.latest for standing in standings if standing.latest is not None]
    newer = [run for run in folder.runs if not latest or any(run.is_after(each) for each in latest)]
    wrong = [f"{run.name} does not verify: {run.problem}" for run in newer if run.problem and not run.copy_of]
    streams = list(dict.fromkeys(run.stream for run in folder.runs)) or [MAIN]
    oldest = {
        stream: max((run.number for run in folder.runs if run.stream == stream and run not in newer), default=0)
        for stream in streams
    }
    missing = (gap.between(above=oldest.get(gap.stream, 0)) for gap in folder.gaps)
    wrong += [str(gap) for gap in missing if gap]
    wrong += [
        f"{name} goes on or was killed, and is not sealed (`drdrill heal` seals it)" for name in folder.unfinished
    ]
    wrong += folder.notes
    if not folder.runs:
        wrong.append(f"there is no sealed run in {folder.path}")
    none = [
        f"no pack from run {max(oldest[stream], 1)} to "
        f"{max((run.number for run in folder.runs if run.stream == stream), default=0)}{within(stream)} is missing"
        for stream in streams
    ]
    ends = "and each verifies; one that was removed after the newest leaves no trace here"
    said = wrong or [f"{', '.join(none)}, {ends}"]
    said += [f"{run.name} is left alone: {run.problem}" for run in folder.runs if run.copy_of]
    said += folder.remarks
    found = Outcome.UNKNOWN if wrong else Outcome.MET
    return Check("evidence", "evidence", "the packs of the folder", found, "; ".join(said))


def _anybodys(folder: Folder) -> list[Check]:
    """Without a key that somebody expects, a signature says only that somebody signed."""
    if folder.key:
        return []
    reason = (
        "no --key was given: whoever can write this folder opens the gate, with packs sealed by a key of their own; "
        "give --key FILE|FINGERPRINT, and only packs by that key count"
    )
    return [Check("evidence", "evidence", "who sealed the packs", Outcome.UNKNOWN, reason, advisory=True)]


def _regression(each: Comparison, title: str) -> Check:
    name = f"{each.title}: {WATCHED[each.id]} on {each.likeness.environment}, {each.likeness.stack}"
    low = each.figure.low if each.figure.low is not None else each.figure.figure
    at_least = "at least " if each.figure.lower_bound else ""
    latest = f"{at_least}{each.figure.figure:.1f} s in {each.latest.name}"
    if each.trend is Trend.TOO_FEW or each.median is None or each.limit is None:
        reason = f"{Trend.TOO_FEW}: {latest}, and {each.earlier} earlier runs like it"
        return Check("regression", title, name, Outcome.UNKNOWN, reason, advisory=True)
    reason = (
        f"{each.trend}: {latest} (low end {low:.1f} s), limit {each.limit:.1f} s, "
        f"median {each.median:.1f} s of {each.earlier} earlier runs ({each.likeness})"
    )
    return Check("regression", title, name, Outcome.MISSED if each.trend is Trend.SLOWER else Outcome.MET, reason)
