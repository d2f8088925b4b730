"""From the evidence of a scenario to its findings: what the sentences expect, and what is always asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from harness.checks import Finding, Outcome
from harness.checks.answer import MALFORMED, answer, malformed, unknown
from harness.checks.evidence import Evidence, Expectation, Line, ineffective
from harness.checks.ready import not_exercised, what_it_takes
from harness.checks.restored import is_beside, one_each
from harness.checks.root_cause import category
from harness.checks.rules import CURRENT, Rules
from harness.checks.stamps import doubtful

# What a recovery point is the worse of.
PARTS = {"rpo": ("loss", "exposure"), "rpo-beyond": ("loss", "exposure-beyond")}


def judge(evidence: Evidence, rules: Rules = CURRENT) -> list[Finding]:
    """Every finding of one scenario: those expected, in the order of the sentences, then those always asked.

    Where the fault did not take effect, the disk under it all was full, or the journal cannot have been written as it
    reads, nothing was drilled: then every finding is UNKNOWN, never green. So is what was asked of a scenario that was
    not begun because its stack lacks what it needs; where somebody has declared that, the verdict leaves it out. And
    where a line is of such a form that nobody can say what was asked, there is one finding, which is UNKNOWN.
    """
    try:
        return _judge(evidence, rules)
    except MALFORMED as error:
        expected = Expectation("scenario")
        return [expected.finding_of(evidence, "The scenario ran to its end", Outcome.UNKNOWN, malformed(error))]


def _judge(evidence: Evidence, rules: Rules) -> list[Finding]:
    expected = one_each(evidence, expectations(evidence))
    if why := not_exercised(evidence):
        found = [_open(answer(rules.checks.get(each.finding), evidence, each), why) for each in expected]
        ran = answer(rules.checks["scenario"], evidence, Expectation("scenario"))
        by = rules.declared(evidence)
        words = filter(None, (why, f"it takes {what_it_takes(evidence)}", by))
        return [replace(each, advisory=bool(by) or each.advisory) for each in (*found, _open(ran, "; ".join(words)))]
    findings = [answer(rules.checks.get(each.finding), evidence, each) for each in expected]
    asked = {each.finding for each in expected}
    for name in (*rules.always, *rules.beside):
        if name not in asked and _applies(name, evidence):
            finding = answer(rules.checks[name], evidence, Expectation(name))
            findings.append(replace(finding, advisory=True) if name in rules.beside else finding)
    if not expected:
        why = "no sentence of the scenario asks for anything"
        findings.append(unknown(evidence, Expectation("expectations"), why))
    if why := rules.ground(evidence) or (ineffective(evidence) if evidence.all("fault.intent") else ""):
        findings = [
            replace(
                finding, outcome=Outcome.UNKNOWN, reason=why if finding.reason == why else f"{why}; {finding.reason}"
            )
            for finding in findings
        ]
    return [_with_what_ended_it(finding, evidence.stopped()) for finding in findings]


def _open(finding: Finding, why: str) -> Finding:
    """UNKNOWN and nothing measured, whatever a check says of a scenario in which nothing was done."""
    return replace(
        finding, outcome=Outcome.UNKNOWN, reason=why, figure=None, low=None, high=None, lower_bound=False, parts=(),
        beside=(),
    )  # fmt: skip  # arguments in groups


def _with_what_ended_it(finding: Finding, stopped: str) -> Finding:
    """What a scenario that did not run to its end leaves open says who stopped it, and why."""
    if not stopped or finding.outcome is not Outcome.UNKNOWN or stopped in finding.reason:
        return finding
    return replace(finding, reason=f"{finding.reason} ({stopped})")


def expectations(evidence: Evidence) -> list[Expectation]:
    """What the Then sentences ask for, once each; a recovery point also brings what it is the worse of."""
    found: dict[tuple[str, str, float | None, str], Expectation] = {}
    for line in evidence.all("expect"):
        each = Expectation.of(line)
        key = (each.finding, each.objective, each.limit, each.database)
        if key in found:
            each = replace(each, demands=tuple(dict.fromkeys((*found[key].demands, *each.demands))))
        found[key] = each
    names = {each.finding for each in found.values()}
    brought = [
        replace(each, finding=part)
        for each in found.values()
        for part in PARTS.get(each.finding, ())
        if part not in names
    ]
    return [*found.values(), *brought]


def judge_run(lines: Sequence[Line], scenarios: Iterable[Evidence], rules: Rules = CURRENT) -> list[Finding]:
    """The findings of a whole run, also of what was announced and never began."""
    begun = list(scenarios)
    return [*(finding for evidence in begun for finding in judge(evidence, rules)), *rules.announced(lines, begun)]


def _applies(name: str, evidence: Evidence) -> bool:
    return APPLIES[name](evidence) if name in APPLIES else True


def _hurts(evidence: Evidence) -> bool:
    return bool(evidence.all("fault.intent")) or any(
        line.data.get("finding") in ("rto", "rpo", "loss", "exactness") for line in evidence.all("expect")
    )


def _has_customers(evidence: Evidence) -> bool:
    return bool(evidence.zones or evidence.all("workload.begin"))


def _has_procedure(evidence: Evidence) -> bool:
    harmed = any(line.data.get("harms_data") for line in evidence.all("fault.intent"))
    return harmed or bool(evidence.all("procedure"))


# A scenario without a fault has nothing to heal, and one without customers has no ledger to agree with. One that only
# restores beside asks nobody for a decision, and may have no platform that could be steady.
APPLIES: Mapping[str, Callable[[Evidence], bool]] = {
    "steady": lambda evidence: bool(evidence.all("steady")) or not is_beside(evidence),
    "decision": lambda evidence: not is_beside(evidence),
    "recovery-time": lambda evidence: bool(evidence.all("restore.asked")),
    "heal": _hurts,
    "steady-after": _hurts,
    "bit": _hurts,
    "effective": _hurts,
    "procedure": _has_procedure,
    "root-cause": lambda evidence: bool(category(evidence)),
    "lasting-told": lambda evidence: bool(evidence.all("incident.lasting")),
    "exercised": lambda evidence: bool(evidence.all("not_exercised")),
    "ledger-agreement": _has_customers,
    "availability": _has_customers,
    "records": lambda evidence: bool(doubtful(evidence)),
}
