"""The books after the recovery against the books before the disaster, by rules that are data."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Unsound
from harness.checks.reconciliation import Rule, compare, read

TITLE = "Consistency of the books"
BEFORE, AFTER = "before", "after"
LINE, RULES = "reconciliation", "reconciliation.rules"


def consistency(evidence: Evidence, expected: Expectation) -> Finding:
    """Every value by its rule, as the journal says the rules: all that differ are told."""
    try:
        return by_rules(evidence, expected, _said)
    except Unsound as why:
        return _unknown(evidence, expected, str(why))


def by_rules(
    evidence: Evidence,
    expected: Expectation,
    rules: Callable[[Evidence], Sequence[Rule]],
    *,
    missing: Outcome = Outcome.UNKNOWN,
) -> Finding:
    """`missing`: what it means that a value was taken before or after alone."""
    before, after = evidence.moment(LINE, BEFORE), evidence.moment(LINE, AFTER)
    if before is None or after is None:
        which = BEFORE if before is None else AFTER
        return _unknown(evidence, expected, f"there are no figures of the books {which} the disaster")
    then, now = before.data.get("values") or {}, after.data.get("values") or {}
    compared = list(compare(rules(evidence), then, now, missing=missing))
    wrong, unknown = (
        [each.why for each in compared if each.outcome is outcome] for outcome in (Outcome.MISSED, Outcome.UNKNOWN)
    )
    outcome = Outcome.MISSED if wrong else Outcome.UNKNOWN if unknown or not compared else Outcome.MET
    count = float(len(wrong))
    return expected.finding_of(
        evidence,
        TITLE,
        outcome,
        "; ".join(wrong + unknown) or f"{len(compared)} figures are as they must be",
        figure=count,
        low=count,
        high=count,
        unit="figures",
        objective=0.0,
    )


def _said(evidence: Evidence) -> Sequence[Rule]:
    """The rules as the journal has them, from before anything was hurt. Errors: `Unsound`."""
    said, hurt = evidence.all(RULES), evidence.first("fault.intent")
    if not said:
        raise Unsound("no rule says what must agree")
    if hurt is not None and said[-1].seq > hurt.seq:
        raise Unsound("what must agree was said after the fault")
    if any(line.data.get("rules") != said[0].data.get("rules") for line in said):
        raise Unsound("what must agree was said twice, and not the same")
    return read(said[0].data.get("rules"))


def _unknown(evidence: Evidence, expected: Expectation, why: str) -> Finding:
    return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why, unit="figures", objective=0.0)
