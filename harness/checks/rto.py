"""How long customers were without good service, from the fault on: the recovery time, its parts and its error bar.

The clock starts at the fault: no sooner than it took effect at the earliest, and no later than at the latest. It ends
where the last unbroken stretch of good service begins: after the due time of the last bad request, and at the latest
at the first good completion after it. That stretch must last past the end of `verify` for the settling time. After a
fault that harms data the clock cannot end before the data is verified and the recovered database is in service:
answers from damaged data are no service.

Where no request was bad there was no outage to be seen, and the time that it took to prove the fault is none: then
customers may have been without service for as long as nothing was due between two requests, or as long as it took from
one request to the first answer to a later one (service that lets all wait, and then answers, is gone so long), and no
longer.

The figure is the upper end of its bar: customers were without service for at most so long.
"""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import SECOND, Disaster, Evidence, Expectation, against, disaster, seconds
from harness.checks.reach import OUTAGE, within_reach
from harness.checks.service import Service, service, settling

TITLE = "Recovery time"
LONGEST = "the longest time between two requests, or from one to the answer to a later one"
SLOW = SECOND // 10  # nanoseconds; a first answer that takes longer is told
SPANS = ("detect", "decide", "recover", "verify")


def rto(evidence: Evidence, expected: Expectation) -> Finding:
    """The recovery time against `expected.limit`, in seconds.

    Errors: `Unsound` when it is not known that the fault took effect.
    """
    hurt = disaster(evidence)
    verified = span_end(evidence, "verify")
    must_last = settling(evidence)
    planned = evidence.first("planned.begin")  # an interruption that belongs to no recovery
    seen = service(
        evidence, earliest=hurt.earliest, latest=hurt.latest, matters_until=(verified or hurt.latest) + must_last,
        until=planned.mono if planned else None,
    )  # fmt: skip  # arguments in groups
    parts = span_lengths(evidence)
    if why := nothing_seen(evidence, seen):
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why, parts=parts)

    earliest = max(hurt.latest, seen.last_bad or 0)
    latest = seen.served
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
        low, high = 0.0, seconds(max(seen.widest, seen.unanswered))
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


def unharmed(seen: Service, hurt: Disaster) -> bool:
    """Whether customers show no outage at all. Answers from damaged data would not show that there was none."""
    return seen.last_bad is None and not hurt.harms_data


def first_answer(last_bad: int | None, good_again: int | None) -> str:
    """What must be said where the first good answer took long: when service was good again lies in that time."""
    if last_bad is None or good_again is None or good_again - last_bad <= SLOW:
        return ""
    length = seconds(good_again - last_bad)
    return f"; the first good answer came {length:.3f} s after the last bad request was due, which widens the bar"


def span_lengths(evidence: Evidence) -> tuple[tuple[str, float], ...]:
    """Seconds of each span that began and ended, in their order; repeated spans are added up.

    Where nobody was told, nothing was detected: the time that was waited for it is no part of a recovery.
    """
    lengths: dict[str, int] = {}
    begun: dict[str, int] = {}
    for line in evidence.lines:
        if line.kind == "span.begin":
            begun[line.data["span"]] = line.mono
        elif line.kind == "alert.awaited" and not line.data.get("named"):
            begun.pop("detect", None)
        elif line.kind == "span.end" and line.data["span"] in begun:
            span = line.data["span"]
            lengths[span] = lengths.get(span, 0) + line.mono - begun.pop(span)
    known = [span for span in SPANS if span in lengths]
    return tuple((span, seconds(lengths[span])) for span in [*known, *sorted(lengths.keys() - set(SPANS))])


def nothing_seen(evidence: Evidence, seen: Service) -> str:
    """Why the customers show nothing about the service; empty where they do."""
    if not evidence.outside:
        return "the scenario has no ledger of customers at the entrance: nobody asked for service"
    missing = missing_ledgers(evidence, inside=False)
    if missing:
        return f"the ledger of customers {', '.join(missing)} is missing"
    if not seen.due:
        return "customers were idle: no request was due"
    if not seen.due_after:
        return "no request was due after the fault"
    if not seen.acknowledged_before:
        return "no request was acknowledged before the fault: there was no service to lose"
    return ""


def missing_ledgers(evidence: Evidence, *, inside: bool = True) -> list[str]:
    """Groups of customers that began and whose ledger the journal does not list; with or without those inside."""
    begun = {str(group["group"]) for line in evidence.all("workload.begin") for group in line.data.get("groups") or ()}
    return sorted(begun - set(evidence.zones) - (frozenset() if inside else evidence.inside))


def not_counted(evidence: Evidence) -> str:
    """What must be said with a figure about service, where there are customers that it does not count."""
    if not evidence.inside:
        return ""
    return f"; customers inside a zone are not counted ({', '.join(sorted(evidence.inside))})"


def span_end(evidence: Evidence, span: str) -> int | None:
    ends = [line.mono for line in evidence.all("span.end") if line.data.get("span") == span]
    return ends[-1] if ends else None


def data_in_service(evidence: Evidence, *, after: int) -> tuple[int | None, str]:
    """From when on customers were answered from verified data, or None and why that is not known."""
    verified: int | None = None
    for line in evidence.all("verified"):
        if line.mono >= after:
            verified = (verified or line.mono) if line.data.get("ok") else None
    serving = [line.mono for line in evidence.all("in_service") if line.mono >= after]
    if verified is None:
        return None, "the recovered data was not verified: answers from it do not count as service"
    if not serving:
        return None, "the recovered database was not put in service: answers do not come from it"
    return max(verified, serving[-1]), ""


def still_running(
    evidence: Evidence, expected: Expectation, low: float, running: str, parts: tuple[tuple[str, float], ...]
) -> Finding:
    """The clock has not ended: what it shows is the least that the recovery took."""
    outcome = against(low, low, expected.limit, lower_bound=True)
    why = f"{running}; the clock stands at {low:.3f} s or more"
    if stopped := evidence.stopped():
        why += f" ({stopped})"
    why += not_counted(evidence)
    return expected.finding_of(evidence, TITLE, outcome, why, figure=low, low=low, lower_bound=True, parts=parts)


def _words(expected: Expectation, seen: Service, hurt: Disaster, low: float, high: float) -> str:
    if unharmed(seen, hurt):
        text = f"no request was bad: without service for {high:.3f} s at most, {LONGEST}"
    else:
        text = f"good service again at most {high:.3f} s after the fault, and not before {low:.3f} s"
        text += "; no request of the customers was bad" if seen.last_bad is None else ""
        text += first_answer(seen.last_bad, seen.served)
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
