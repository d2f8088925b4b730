"""Detection, as version 3 has it: the clocks of the monitoring and of the drill may be 5 s apart, whatever is known."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks import Finding, Outcome, merge
from harness.checks.alerts import BADNESS, DETECTION, NAMES, Watch, firing, names_any, read_until, said, watches
from harness.checks.evidence import SECOND, Evidence, Expectation, Line, against, effect, moment_of, seconds
from harness.checks.stamps import since_epoch, utc_of

CLOCKS = 5 * SECOND


def begun_before(alert: Line, intent: Line) -> float:
    """How many seconds before the fault an alert had begun; 0 where it had not, or nobody says when it began.

    Errors: `Unsound` where a stamp is no time.
    """
    starts = alert.data.get("starts")
    if not starts:
        return 0.0
    early = utc_of(intent) - since_epoch(starts, f"line {alert.seq + 1}")
    return seconds(early) if early > CLOCKS else 0.0


def split(alerts: Sequence[Line], watch: Watch) -> tuple[list[Line], list[Line]]:
    """Of the alerts that name what was hurt: those that tell of this fault, and those that had begun before it."""
    naming = [each for each in alerts if names_any(each.data, watch.affects)]
    old = [each for each in naming if begun_before(each, watch.intents[0])]
    return [each for each in naming if each not in old], old


def _old_words(alert: Line, watch: Watch) -> str:
    early = begun_before(alert, watch.intents[0])
    return f"{said(alert)} had begun {early:.1f} s before the fault, so whether it tells of this one is not known"


def detection(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the fault to the first alert that names what was hurt, against `expected.limit`."""
    found = [_detection(evidence, expected, each) for each in watches(evidence)]
    return max(found, key=lambda each: (BADNESS[each.outcome], each.figure or 0.0))


def _detection(evidence: Evidence, expected: Expectation, watch: Watch) -> Finding:
    first = watch.intents[0]
    earliest, latest = moment_of(effect(evidence, first))
    what = watch.names
    told, old = split(firing(evidence, earliest), watch)
    if told:
        low = seconds(max(0, told[0].data["received"] - latest))
        high = seconds(told[0].data["received"] - earliest)
        by = told[0].data.get("by") or "the monitoring"
        words = f"{by} told operations of {what} at most {high:.3f} s after the fault: {said(told[0])}"
        outcome = against(low, high, expected.limit)
        return expected.finding_of(evidence, DETECTION, outcome, words, figure=high, low=low, high=high)
    if old:
        return expected.finding_of(evidence, DETECTION, Outcome.UNKNOWN, _old_words(old[0], watch))
    until = max(latest, read_until(evidence))
    low = seconds(max(0, until - latest))
    words = f"no alert that names {what} had come {low:.3f} s after the fault"
    words += "" if watch.watched else ", and the scenario did not wait for one"
    if stopped := evidence.stopped():
        words += f" ({stopped})"
    outcome = against(low, low, expected.limit, lower_bound=True)
    return expected.finding_of(evidence, DETECTION, outcome, words, figure=low, low=low, lower_bound=True)


def alert(evidence: Evidence, expected: Expectation) -> Finding:
    """Whether an alert names what failed. Others that came are symptoms: they are listed, and take nothing back."""
    outcomes, words = zip(*(_named(evidence, each) for each in watches(evidence)), strict=True)
    worst = merge(
        Finding(expected.finding, evidence.scenario, NAMES, outcome, said)
        for outcome, said in zip(outcomes, words, strict=True)
    )
    return expected.finding_of(evidence, NAMES, worst, "; ".join(words))


def _named(evidence: Evidence, watch: Watch) -> tuple[Outcome, str]:
    what = watch.names
    came = firing(evidence, watch.intents[0].mono)
    right, old = split(came, watch)
    others = list(dict.fromkeys(said(each) for each in came if each not in right))
    listed = ", ".join(others)
    if right:
        words = f"{said(right[0])}: {right[0].data.get('summary') or 'no summary'}"
        return Outcome.MET, words + (f"; others that came: {listed}" if others else "")
    if old:
        return Outcome.UNKNOWN, _old_words(old[0], watch)
    stopped = evidence.stopped()
    waited = watch.watched is not None
    outcome = Outcome.MISSED if waited or (came and not stopped) else Outcome.UNKNOWN
    words = f"{what} failed, and no alert names it"
    words += f"; what came: {listed}" if others else "; none came"
    if not waited:
        words += (
            f"; the scenario did not wait for one ({stopped})" if stopped else "; the scenario did not wait for one"
        )
    return outcome, words
