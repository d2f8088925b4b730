"""The recovery time, as version 3 has it: without a bad request, the time between two requests bounds an outage."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Disaster, Evidence, Expectation, against, disaster, seconds
from harness.checks.reach import OUTAGE, within_reach
from harness.checks.rto import (
    TITLE,
    data_in_service,
    not_counted,
    nothing_seen,
    span_end,
    span_lengths,
    still_running,
    unharmed,
)
from harness.checks.service import Service, service, settling


def rto(evidence: Evidence, expected: Expectation) -> Finding:
    """The recovery time against `expected.limit`, in seconds.

    Errors: `Unsound` when it is not known that the fault took effect.
    """
    hurt = disaster(evidence)
    verified = span_end(evidence, "verify")
    must_last = settling(evidence)
    seen = service(
        evidence, earliest=hurt.earliest, latest=hurt.latest, matters_until=(verified or hurt.latest) + must_last
    )
    parts = span_lengths(evidence)
    if why := nothing_seen(evidence, seen):
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why, parts=parts)

    earliest = max(hurt.latest, seen.last_bad or 0)
    latest = seen.good_at_all if seen.last_bad is None else seen.good_again
    running = ""  # why the clock has not ended
    if latest is None:
        running = "customers were not served again, up to the last request due"
    if hurt.harms_data:
        sound, why = data_in_service(evidence, after=hurt.earliest)
        if sound is None:
            running = running or why
            earliest = max(earliest, evidence.observed())
        else:
            earliest, latest = max(earliest, sound), None if latest is None else max(latest, sound)
    if not running and latest is not None:
        until, zone = min((seen.until.get(zone, 0), zone) for zone in evidence.outside)
        if until < max(latest, verified or 0) + must_last:
            running = (
                f"good service did not last: nothing is known of customers {zone} up to {seconds(must_last):g} s "
                "past its beginning and past the end of `verify`"
            )
    if not running and verified is None and evidence.all("span.begin"):
        running = "the span `verify` did not end"
    if running or latest is None:
        return still_running(evidence, expected, seconds(earliest - hurt.latest), running, parts)

    low, high = seconds(earliest - hurt.latest), seconds(latest - hurt.earliest)
    if unharmed(seen, hurt):
        low, high = 0.0, seconds(seen.widest)
    outcome = against(low, high, expected.limit)
    found = expected.finding_of(
        evidence,
        TITLE,
        outcome,
        _words(expected, seen, hurt, low, high) + not_counted(evidence),
        figure=high,
        low=low,
        high=high,
        parts=parts,
    )
    return within_reach(found, OUTAGE, seconds(min(seen.until.values()) - hurt.earliest))


def _words(expected: Expectation, seen: Service, hurt: Disaster, low: float, high: float) -> str:
    if unharmed(seen, hurt):
        text = f"no request was bad: without service for {high:.3f} s at most, the longest time between two requests"
    else:
        text = f"good service again at most {high:.3f} s after the fault, and not before {low:.3f} s"
        text += "; no request of the customers was bad" if seen.last_bad is None else ""
    if seen.gap is not None:
        zone, begin, end = seen.gap
        text += f"; nothing was due from customers {zone} for {seconds(end - begin):.3f} s, which widens the bar"
    if hurt.harms_data:
        text += "; the clock ran until the recovered data was verified and in service"
    if expected.limit is None:
        text += "; no objective is set"
    elif low <= expected.limit < high:
        text += f"; the bar crosses the objective of {expected.limit:g} s"
    return text
