"""The recovery point, as version 5 has it: of what a run could have seen only the loss stands beside it."""

from __future__ import annotations

from dataclasses import replace

from harness.checks import Finding, Outcome
from harness.checks.answer import Check
from harness.checks.evidence import Evidence, Expectation
from harness.checks.reach import LOSS, REACH
from harness.checks.rpo import rpo as rpo_now


def rpo(loss: Check, exposure: Check) -> Check:
    """The check that merges these two."""
    now = rpo_now(loss, exposure)

    def check(evidence: Evidence, expected: Expectation) -> Finding:
        found = now(evidence, expected)
        kept = tuple(pair for pair in found.beside if pair[0] == LOSS)
        within = (REACH,) if found.outcome is Outcome.MET and REACH in found.beside else ()
        return replace(found, beside=(*kept, *within))

    return check
