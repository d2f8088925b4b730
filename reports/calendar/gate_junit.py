"""The gate's JUnit XML: a test case for each duty, each regression check and the folder itself. Pure.

As in a pack's own junit.xml: MISSED is a failure, UNKNOWN an error, and only what is advisory is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from harness.checks import Outcome
from harness.schedule.gate import Check
from reports import suites

SUITES = {
    "duty": "what the calendar demands",
    "declared": "what the platform cannot run",
    "evidence": "the evidence",
    "regression": "slower than before",
}


def xml(found: Sequence[Check], *, today: date) -> bytes:
    """The file's bytes."""
    root = suites.root_of("drdrill gate")
    for kind, checks in groupby(found, key=lambda check: check.kind):
        cases = [
            suites.case(
                f"{kind}.{check.group}",
                check.name,
                check.outcome,
                check.reason,
                advisory=check.advisory,
                known={"reason": check.reason} if check.outcome is Outcome.MET else {},
            )
            for check in checks
        ]
        suites.suite(root, SUITES[kind], cases, stamp=f"{today}T00:00:00", known={})
    return suites.written(root)
