"""From the evidence of a scenario to its findings: what the sentences expect, and what is always asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness.checks import Finding, Outcome
from harness.checks.alerts import alert, detection
from harness.checks.automatic import automatic, told_all
from harness.checks.availability import availability
from harness.checks.confirmation import confirmation
from harness.checks.consistency import consistency
from harness.checks.damage import damage_found
from harness.checks.evidence import Evidence, Expectation, Line, Unsound, groundless, unbitten
from harness.checks.exactness import exactness
from harness.checks.exposure import exposure
from harness.checks.healing import self_recovery
from harness.checks.leadership import failovers, rejoined
from harness.checks.loss import Tally, ledger_agreement, loss, no_loss, tally
from harness.checks.ready import back_in_rotation, exercised, honest_ready, rolled_back
from harness.checks.root_cause import category, root_cause
from harness.checks.rpo import rpo
from harness.checks.rto import rto
from harness.checks.salvage import salvage
from harness.checks.split_brain import split_brain
from harness.checks.steps import (
    bit,
    decision,
    early_stop,
    heal,
    health,
    in_service,
    procedure,
    redundancy,
    scenario,
    steady_after,
    steady_before,
    verified,
)

Check = Callable[[Evidence, Expectation], Finding]

UNITS = {
    "no-loss": "transactions",
    "ledger-agreement": "transactions",
    "exactness": "transactions",
    "salvage": "transactions",
    "split-brain": "transactions",
    "failovers": "promotions",
    "consistency": "figures",
}  # of what the limit counts, where it is no time; also where there is no figure
MALFORMED = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)  # what a line of a wrong form raises
ALWAYS = ("scenario", "steady", "bit", "procedure", "ledger-agreement", "heal", "steady-after")
BESIDE = (
    "availability",
    "decision",
    "root-cause",
    "exercised",
)  # stand beside the verdict and never decide it, unless a sentence asks


@dataclass(frozen=True)
class Judging:
    """The checks by the names that `expect` lines use, over one scenario; its ledgers are compared only once."""

    evidence: Evidence

    @cached_property
    def tally(self) -> Tally:
        return tally(self.evidence)

    def checks(self) -> dict[str, Check]:
        return {
            "rto": rto,
            "loss": lambda evidence, expected: loss(evidence, expected, self.tally),
            "exposure": exposure,
            "rpo": self.rpo,
            "exactness": exactness,
            "salvage": salvage,
            "ledger-agreement": lambda evidence, expected: ledger_agreement(evidence, expected, self.tally),
            "consistency": consistency,
            "backup-frequency": lambda evidence, expected: replace(
                exposure(evidence, expected), title="Age of the newest safe copy of transaction data"
            ),
            "damage-found": damage_found,
            "health": health,
            "verified": verified,
            "in-service": in_service,
            "redundancy": redundancy,
            "early-stop": early_stop,
            "availability": availability,
            "automatic": automatic,
            "told-all": told_all,
            "decision": decision,
            "steady": steady_before,
            "steady-after": steady_after,
            "bit": bit,
            "procedure": procedure,
            "heal": heal,
            "detection": detection,
            "alert": alert,
            "confirmation": confirmation,
            "root-cause": root_cause,
            "split-brain": lambda evidence, expected: split_brain(evidence, expected, lambda: self.tally),
            "no-loss": lambda evidence, expected: no_loss(evidence, expected, self.tally),
            "honest-ready": honest_ready,
            "back-in-rotation": back_in_rotation,
            "rejoined": rejoined,
            "failovers": failovers,
            "self-recovery": self_recovery,
            "rolled-back": rolled_back,
            "exercised": exercised,
            "scenario": scenario,
        }

    def rpo(self, evidence: Evidence, expected: Expectation) -> Finding:
        return rpo(
            evidence,
            expected,
            self.answer(replace(expected, finding="loss")),
            self.answer(replace(expected, finding="exposure")),
        )

    def answer(self, expected: Expectation) -> Finding:
        """One finding; UNKNOWN with the reason where the evidence does not bear it."""
        check = self.checks().get(expected.finding)
        if check is None:
            return self.unknown(expected, "these rules know no such check")
        try:
            return check(self.evidence, expected)
        except Unsound as why:
            return self.unknown(expected, str(why))
        except MALFORMED as error:
            return self.unknown(expected, _malformed(error))

    def unknown(self, expected: Expectation, why: str) -> Finding:
        title = expected.finding.replace("-", " ").capitalize()
        unit = UNITS.get(expected.finding, "s")
        return expected.finding_of(self.evidence, title, Outcome.UNKNOWN, why, unit=unit)


def judge(evidence: Evidence) -> list[Finding]:
    """Every finding of one scenario: those expected, in the order of the sentences, then those always asked.

    Where the fault did not take effect, or the disk under it all was full, nothing was drilled: then every finding is
    UNKNOWN, never green. And where a line is of such a form that nobody can say what was asked, there is one finding,
    which is UNKNOWN.
    """
    try:
        return _judge(evidence)
    except MALFORMED as error:
        expected = Expectation("scenario")
        return [expected.finding_of(evidence, "The scenario ran to its end", Outcome.UNKNOWN, _malformed(error))]


def _malformed(error: Exception) -> str:
    return f"the journal is not as it must be: {type(error).__name__} {error}"


def _judge(evidence: Evidence) -> list[Finding]:
    judging = Judging(evidence)
    expected = expectations(evidence)
    findings = [judging.answer(each) for each in expected]
    asked = {each.finding for each in expected}
    for name in (*ALWAYS, *BESIDE):
        if name not in asked and _applies(name, evidence):
            finding = judging.answer(Expectation(name))
            findings.append(replace(finding, advisory=True) if name in BESIDE else finding)
    if not expected:
        findings.append(judging.unknown(Expectation("expectations"), "no sentence of the scenario asks for anything"))
    if why := groundless(evidence) or (evidence.all("fault.intent") and unbitten(evidence)):
        findings = [
            replace(
                finding, outcome=Outcome.UNKNOWN, reason=why if finding.reason == why else f"{why}; {finding.reason}"
            )
            for finding in findings
        ]
    return [_with_what_ended_it(finding, evidence.stopped()) for finding in findings]


def _with_what_ended_it(finding: Finding, stopped: str) -> Finding:
    """What a scenario that did not run to its end leaves open says who stopped it, and why."""
    if not stopped or finding.outcome is not Outcome.UNKNOWN or stopped in finding.reason:
        return finding
    return replace(finding, reason=f"{finding.reason} ({stopped})")


def expectations(evidence: Evidence) -> list[Expectation]:
    """What the Then sentences ask for, once each; a recovery point also brings what it is the worse of."""
    found: dict[tuple[str, str, float | None], Expectation] = {}
    for line in evidence.all("expect"):
        each = Expectation.of(line)
        key = (each.finding, each.objective, each.limit)
        if key in found:
            each = replace(each, demands=tuple(dict.fromkeys((*found[key].demands, *each.demands))))
        found[key] = each
    names = {each.finding for each in found.values()}
    brought = [
        replace(each, finding=part)
        for each in found.values()
        if each.finding == "rpo"
        for part in ("loss", "exposure")
        if part not in names
    ]
    return [*found.values(), *brought]


def judge_run(lines: Sequence[Line], scenarios: Iterable[Evidence]) -> list[Finding]:
    """The findings of a whole run; a scenario that was planned and never begun is UNKNOWN."""
    findings: list[Finding] = []
    begun: set[str] = set()
    for evidence in scenarios:
        begun.add(evidence.scenario)
        findings += judge(evidence)
    begin = next((line for line in lines if line.kind == "run.begin"), None)
    for name in (begin.data.get("scenarios") if begin else None) or ():
        if name not in begun:
            findings.append(
                Finding("scenario", name, "The scenario ran to its end", Outcome.UNKNOWN, _not_begun(lines))
            )
    return findings


def _not_begun(lines: Sequence[Line]) -> str:
    stopped = [line for line in lines if line.kind == "stopped"]
    if stopped:
        return f"never begun: stopped by {stopped[-1].data.get('who')}: {stopped[-1].data.get('why')}"
    ends = [line.data.get("outcome") for line in lines if line.kind == "run.end"]
    return f"never begun: the run was {ends[-1]}" if ends and ends[-1] != "completed" else "never begun"


def _applies(name: str, evidence: Evidence) -> bool:
    """A scenario without a fault has nothing to heal, and one without customers has no ledger to agree with."""
    if name in ("heal", "steady-after", "bit"):
        return bool(evidence.all("fault.intent")) or _expects_measurement(evidence)
    if name == "procedure":
        return any(line.data.get("harms_data") for line in evidence.all("fault.intent")) or bool(
            evidence.all("procedure")
        )
    if name == "root-cause":
        return bool(category(evidence))
    if name == "exercised":
        return bool(evidence.all("not_exercised"))
    if name in ("ledger-agreement", "availability"):
        return bool(evidence.zones or evidence.all("workload.begin"))
    return True


def _expects_measurement(evidence: Evidence) -> bool:
    return any(line.data.get("finding") in ("rto", "rpo", "loss", "exactness") for line in evidence.all("expect"))
