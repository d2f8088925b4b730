"""junit.xml: what a CI server shows. One test case a finding; nothing but MET is ever green.

MISSED is a failure and UNKNOWN an error of type UNKNOWN, since most servers show a skipped test as green. Only an
advisory finding, which does not count for the verdict, is skipped.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from harness.checks import Finding, Outcome, merge
from harness.evidence.first_line import marks
from reports import suites, verdicts
from reports.judged import figure_of, not_bad, others, said
from reports.pack import Pack, Scenario
from reports.run.limits import code_of, size_of


def xml(pack: Pack) -> bytes:
    """The file's bytes."""
    root = suites.root_of(pack.begin.get("drill") or "drill")
    begin = pack.begin
    stamp = next((fact.utc for fact in pack.facts.lines if fact.utc), None)
    environment = begin.get("environment") or "unknown"
    known = {
        "run": begin.get("run"),
        "environment": environment,
        "sandbox": begin.get("sandbox"),
        "stream": begin.get("stream"),
        "size": size_of(pack),
        "sabotage": begin.get("sabotage") or "none",
        "marks": ", ".join(marks(begin)) or "none",
        "harness": code_of(begin.get("harness")),
        "project": code_of(begin.get("project")),
    }
    for scenario in pack.scenarios:
        cases = _cases(scenario, environment)
        beside = {"beside the verdict": "; ".join(verdicts.beside(scenario))}
        suites.suite(root, scenario.title, cases, stamp=stamp.isoformat() if stamp else "", known=known | beside)
    if not pack.scenarios:
        none = suites.case("drill", "a scenario ran", Outcome.UNKNOWN, "no scenario ran, so nothing was shown")
        suites.suite(root, "drill", [none], stamp="", known=known)
    return suites.written(root)


def _cases(scenario: Scenario, environment: object) -> list[Xml.Element]:
    cases = [_case(scenario, finding, environment) for finding in scenario.findings]
    title = scenario.title
    if scenario.verdict is not Outcome.MET and scenario.verdict is not merge(list(scenario.findings)):
        why = f"the verdict of this scenario is {scenario.verdict}, and no finding above says why"
        outcome = Outcome.MISSED if scenario.verdict is Outcome.MISSED else Outcome.UNKNOWN
        cases.append(suites.case(title, "verdict", outcome, why))
    elif not any(not finding.advisory for finding in scenario.findings) and not verdicts.declared(scenario):
        why = "no check gave a finding" if scenario.begun else "the scenario was planned and never began"
        cases.append(suites.case(title, "verdict", Outcome.UNKNOWN, why))
    return cases


def _case(scenario: Scenario, finding: Finding, environment: object) -> Xml.Element:
    lasted = finding.id in ("rto", "restore-time") and not not_bad(finding.id, finding.reason)
    return suites.case(
        scenario.title,
        finding.title or finding.id,
        finding.outcome,
        f"{figure_of(finding)}: {finding.reason}",
        advisory=finding.advisory,
        seconds=finding.figure if lasted else None,
        known={
            "id": finding.id,
            "outcome": said(finding.outcome, finding.beside),
            "figure": finding.figure,
            "low": finding.low,
            "high": finding.high,
            "lower_bound": "yes" if finding.lower_bound else "no",
            "objective": finding.objective,
            "unit": finding.unit,
            "beside": ", ".join(f"{name} {words}" for name, words in others(finding.beside)),
            "demands": " ".join(finding.demands),
            "environment": environment,
        },
    )
