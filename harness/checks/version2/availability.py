"""Bad seconds, as version 2 of the rules has them: MET against a year, however short the run."""

from __future__ import annotations

from array import array

from harness.checks import Finding, Outcome
from harness.checks.availability import LAST, TITLE
from harness.checks.evidence import SECOND, Evidence, Expectation, against
from harness.checks.rto import missing_ledgers, not_counted


def availability(evidence: Evidence, expected: Expectation) -> Finding:
    """Bad seconds; `expected.limit` is the year's error budget in seconds. Advisory where no sentence asked for it."""
    bad: set[int] = set()
    observed: set[int] = set()
    latencies = array("q")
    for zone in evidence.outside:
        for request in evidence.requests(zone):
            if request.ended is None:
                continue  # its customer was killed while waiting
            observed.add(request.due // SECOND)
            if request.outcome == "acknowledged":
                latencies.append(request.ended - request.due)
            else:
                bad.add(request.due // SECOND)
    if missing := missing_ledgers(evidence, inside=False):
        why = f"the ledger of customers {', '.join(missing)} is missing"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why)
    if not latencies:
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, "no request was answered")
    ordered = array("q", sorted(latencies))
    parts = tuple(
        (name, ordered[min(len(ordered) - 1, len(ordered) * share // 100)] / SECOND)
        for name, share in (("p50", 50), ("p99", 99), ("max", 100))
    )
    figure = float(len(bad))
    goes_on = set(sorted(observed)[-LAST:]) <= bad
    words = f"{'at least ' if goes_on else ''}{len(bad)} bad of {len(observed)} seconds in which requests were due"
    outcome = Outcome.UNKNOWN if goes_on else Outcome.MET
    if expected.limit is not None:
        words += (
            f", {figure / expected.limit:.1%} of the year's {expected.limit / 60:.2f} min" if expected.limit else ""
        )
        outcome = against(figure, figure, expected.limit, lower_bound=goes_on)
    words += "; from the due time, " + ", ".join(f"{name} {length:.3f} s" for name, length in parts)
    words += not_counted(evidence)
    return expected.finding_of(
        evidence, TITLE, outcome, words, figure=figure, low=figure, high=None if goes_on else figure, parts=parts,
        lower_bound=goes_on,
    )  # fmt: skip  # arguments in groups
