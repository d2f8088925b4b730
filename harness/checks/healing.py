"""Whether the platform recovers by itself once the cause is gone: no procedure, no step, nobody who helps."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import (
    BY_SCENARIO,
    Evidence,
    Expectation,
    Line,
    Unsound,
    against,
    ineffective,
    moment_of,
    seconds,
)
from harness.checks.rto import LONGEST, first_answer, missing_ledgers, not_counted
from harness.checks.service import Service, service, settling

TITLE = "Recovered by itself"


def self_recovery(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the heal in the middle of the scenario to good service; of several heals, the longest.

    A step that somebody took before service was good ends the clock: from there on it is not the platform alone.
    """
    if why := ineffective(evidence):
        raise Unsound(why)
    heals = [
        line for line in evidence.all("fault.healed") if line.data.get("by") == BY_SCENARIO and line.data.get("ok")
    ]
    if not heals:
        why = evidence.stopped() or "no fault was healed by a sentence of the scenario"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why)
    if not evidence.outside or (missing := missing_ledgers(evidence, inside=False)):
        why = f"the ledger of {', '.join(missing)} is missing" if evidence.outside else "the scenario has no customers"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why)
    found = [_one(evidence, expected, heal) for heal in heals]
    order = (Outcome.MET, Outcome.UNKNOWN, Outcome.MISSED)
    return max(found, key=lambda each: (order.index(each.outcome), each.figure or 0.0))


def _one(evidence: Evidence, expected: Expectation, healed: Line) -> Finding:
    begin, over = moment_of(healed)
    following = next((line.mono for line in evidence.all("fault.intent") if line.seq > healed.seq), None)
    must_last = settling(evidence)
    seen = service(evidence, earliest=begin, latest=over, matters_until=over + must_last, until=following)
    earliest = max(over, seen.last_bad or 0)
    latest = seen.served
    helped = next(
        (
            line
            for line in evidence.all("step.begin")
            if line.seq > healed.seq
            and (latest is None or line.mono < latest)
            and line.mono < (following or line.mono + 1)
        ),
        None,
    )
    name = healed.data.get("fault")
    why = ""
    if helped is not None:
        earliest = max(over, helped.mono)
        why = f"after {name} was healed the step {helped.data['name']} was taken before service was good"
    elif not seen.due_after:
        why = f"no request was due after {name} was healed"
        earliest = over
    elif latest is None:
        why = f"customers were not served again after {name} was healed"
    else:
        why = too_short(evidence, seen, latest + must_last, seconds(must_last))
    if why or latest is None:
        low = seconds(earliest - over)
        outcome = against(low, low, expected.limit, lower_bound=True)
        why += f"; the clock stands at {low:.3f} s or more{not_counted(evidence)}"
        return expected.finding_of(evidence, TITLE, outcome, why, figure=low, low=low, lower_bound=True)
    if seen.last_bad is None:
        high = seconds(max(seen.widest, seen.unanswered))
        words = f"no request was bad after {name} was healed: without service for {high:.3f} s at most"
        words += f", {LONGEST}{not_counted(evidence)}"
        outcome = against(0.0, high, expected.limit)
        return expected.finding_of(evidence, TITLE, outcome, words, figure=high, low=0.0, high=high)
    low, high = seconds(earliest - over), seconds(latest - begin)
    words = f"good service at most {high:.3f} s after {name} was healed, with nobody's help"
    words += first_answer(seen.last_bad, seen.served) + not_counted(evidence)
    outcome = against(low, high, expected.limit)
    return expected.finding_of(evidence, TITLE, outcome, words, figure=high, low=low, high=high)


def too_short(evidence: Evidence, seen: Service, until: int, length: float) -> str:
    known, zone = min((seen.until.get(zone, 0), zone) for zone in evidence.outside)
    return "" if known >= until else f"good service did not last: nothing is known of {zone} for {length:g} s of it"
