"""Detection, as version 2 of the rules has it: an alert counts by when it came in, whenever it began."""

from __future__ import annotations

from harness.checks import Finding, Outcome, merge
from harness.checks.alerts import BADNESS, DETECTION, NAMES, Watch, names_any, read_until, said, watches
from harness.checks.evidence import Evidence, Expectation, Line, against, effect, moment_of, seconds


def firing(evidence: Evidence, since: int) -> list[Line]:
    """Alerts that came in, firing, from a moment on, in the order in which they came."""
    alerts = [
        line
        for line in evidence.all("alert")
        if line.data["received"] >= since and line.data.get("state", "firing") == "firing"
    ]
    return sorted(alerts, key=lambda line: (line.data["received"], line.seq))


def detection(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the fault to the first alert that names what was hurt, against `expected.limit`."""
    found = [_detection(evidence, expected, each) for each in watches(evidence)]
    return max(found, key=lambda each: (BADNESS[each.outcome], each.figure or 0.0))


def _detection(evidence: Evidence, expected: Expectation, watch: Watch) -> Finding:
    first = watch.intents[0]
    earliest, latest = moment_of(effect(evidence, first))
    what = watch.names
    for alert in firing(evidence, earliest):
        if names_any(alert.data, watch.affects):
            low = seconds(max(0, alert.data["received"] - latest))
            high = seconds(alert.data["received"] - earliest)
            by = alert.data.get("by") or "the monitoring"
            words = f"{by} told operations of {what} at most {high:.3f} s after the fault: {said(alert)}"
            outcome = against(low, high, expected.limit)
            return expected.finding_of(evidence, DETECTION, outcome, words, figure=high, low=low, high=high)
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
    right = [each for each in came if names_any(each.data, watch.affects)]
    others = list(dict.fromkeys(said(each) for each in came if each not in right))
    listed = ", ".join(others)
    if right:
        words = f"{said(right[0])}: {right[0].data.get('summary') or 'no summary'}"
        return Outcome.MET, words + (f"; others that came: {listed}" if others else "")
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
