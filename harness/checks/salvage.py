"""Whether what was acknowledged after the recovery point, and before the service stopped, was brought back.

Measured by the ledger: such a transaction has no row right after the restore and must have one at the end. What the
procedure says that it salvaged must agree with that.
"""

from __future__ import annotations

from decimal import Decimal

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation
from harness.checks.exactness import RECOVERED
from harness.checks.join import joined
from harness.checks.loss import FINAL, LATEST, missing_rows, service_stopped
from harness.checks.rto import missing_ledgers

TITLE = "Salvage of late writes"


def salvage(evidence: Evidence, expected: Expectation) -> Finding:
    """Acknowledged transactions that the restore left out and that did not come back."""
    stopped = service_stopped(evidence)
    why = ""
    if not evidence.zones:
        why = "the scenario has no ledger"
    elif missing := missing_ledgers(evidence):
        why = f"the ledger of customers {', '.join(missing)} is missing"
    elif missing := missing_rows(evidence, RECOVERED) + missing_rows(evidence, FINAL):
        why = f"rows of customers {', '.join(sorted(set(missing)))} were not read"
    elif stopped == LATEST:
        why = "nothing was recovered, so there is nothing to salvage into"
    if why:
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why, objective=0.0, unit="transactions")
    owed = back = lost = unanswered = 0
    amount = Decimal(0)
    for zone in evidence.zones:
        left_out = {
            request.number: request.outcome
            for request, row, _ in joined(evidence.requests(zone), evidence.rows(RECOVERED, zone))
            if request is not None and row is None and request.sent is not None and request.sent < stopped
        }
        for request, row, again in joined(evidence.requests(zone), evidence.rows(FINAL, zone)):
            if request is None or again or request.number not in left_out:
                continue
            if request.outcome == "acknowledged":
                owed += 1
                lost += row is None
            elif row is not None:
                unanswered += 1
            if row is not None:
                back += 1
                amount += row.amount or 0
    words = f"of {owed} acknowledged transactions that the restore left out {owed - lost} came back"
    words += f", and {unanswered} that were never answered; amount {amount}"
    claims = _claimed(evidence, back)
    outcome = Outcome.MISSED if lost or claims else Outcome.MET if owed else Outcome.UNKNOWN
    if outcome is Outcome.UNKNOWN:
        words = "nothing was acknowledged between the point and the stop, so the salvage was not exercised"
    count = float(lost)
    return expected.finding_of(
        evidence,
        TITLE,
        outcome,
        words + claims,
        figure=count,
        low=count,
        high=count,
        objective=0.0,
        unit="transactions",
    )


def _claimed(evidence: Evidence, back: int) -> str:
    """Where the procedure says that it salvaged more than came back; rows of others than our customers may be more."""
    claimed = sum(int(line.data.get("rows") or 0) for line in evidence.all("salvaged"))
    if not evidence.all("salvaged"):
        return "; no salvage is recorded" if back else ""
    if claimed < back:
        return f"; the procedure says that it salvaged {claimed}, but {back} came back"
    return ""
