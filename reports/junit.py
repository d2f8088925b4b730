"""junit.xml: what a CI server shows. One test case a finding; nothing but MET is ever green.

MISSED is a failure and UNKNOWN an error of type UNKNOWN, since most servers show a skipped test as green. Only an
advisory finding, which does not count for the verdict, is skipped.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from harness.checks import Finding, Outcome, merge
from reports import verdicts
from reports.judged import figure_of, not_bad, others, reach, said
from reports.limits import size_of
from reports.pack import Pack, Scenario
from reports.words import clean


def xml(pack: Pack) -> bytes:
    """The file's bytes."""
    root = Xml.Element("testsuites", name=clean(pack.begin.get("drill") or "drill"))
    stamp = next((fact.utc for fact in pack.facts.lines if fact.utc), None)
    for scenario in pack.scenarios:
        when = stamp.isoformat() if stamp else ""
        _suite(root, pack, scenario.title, _cases(scenario), when, beside=verdicts.beside(scenario))
    if not pack.scenarios:
        _suite(root, pack, "drill", [_bare("drill", "a scenario ran", "no scenario ran, so nothing was shown")], "")
    for total in ("tests", "failures", "errors", "skipped"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite(
    root: Xml.Element, pack: Pack, name: str, cases: list[Xml.Element], stamp: str, *, beside: tuple[str, ...] = ()
) -> None:
    suite = Xml.SubElement(root, "testsuite", name=clean(name))
    if stamp:
        suite.set("timestamp", stamp)
    for total, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(total, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    begin = pack.begin
    _properties(
        suite,
        {
            "run": begin.get("run"),
            "environment": begin.get("environment"),
            "rung": begin.get("rung"),
            "size": size_of(pack),
            "sabotage": begin.get("sabotage") or "none",
            "commit": begin.get("commit"),
            "beside the verdict": "; ".join(beside),
        },
    )
    environment = clean(begin.get("environment") or "unknown")
    for case in cases:
        properties = case.find("properties")
        if properties is not None:
            Xml.SubElement(properties, "property", name="environment", value=environment)
        suite.append(case)


def _cases(scenario: Scenario) -> list[Xml.Element]:
    cases = [_case(scenario, finding) for finding in scenario.findings]
    if scenario.verdict is not Outcome.MET and scenario.verdict is not merge(_counted(cases, scenario)):
        why = f"the verdict of this scenario is {scenario.verdict}, and no finding above says why"
        cases.append(_bare(scenario.title, "verdict", why, missed=scenario.verdict is Outcome.MISSED))
    elif not any(not finding.advisory for finding in scenario.findings):
        why = "no check gave a finding" if scenario.begun else "the scenario was planned and never began"
        cases.append(_bare(scenario.title, "verdict", why))
    return cases


def _counted(cases: list[Xml.Element], scenario: Scenario) -> list[Finding]:
    return list(scenario.findings) if cases else []


def _case(scenario: Scenario, finding: Finding) -> Xml.Element:
    case = Xml.Element("testcase", classname=clean(scenario.title), name=clean(finding.title or finding.id))
    if finding.id == "rto" and finding.figure is not None and not not_bad(finding.id, finding.reason):
        case.set("time", f"{finding.figure:.3f}")
    _properties(
        case,
        {
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
        },
    )
    message = clean(f"{figure_of(finding)}: {finding.reason}")
    if finding.outcome is Outcome.MET:
        if reach(finding.outcome, finding.beside):
            Xml.SubElement(case, "system-out").text = clean(f"{said(finding.outcome, finding.beside)}: {message}")
        return case
    if finding.advisory:
        Xml.SubElement(case, "skipped", message=clean(f"advisory, {finding.outcome}: {message}"))
    elif finding.outcome is Outcome.MISSED:
        Xml.SubElement(case, "failure", type="MISSED", message=message).text = message
    else:
        Xml.SubElement(case, "error", type="UNKNOWN", message=message).text = message
    return case


def _bare(scenario: str, name: str, why: str, *, missed: bool = False) -> Xml.Element:
    case = Xml.Element("testcase", classname=clean(scenario), name=name)
    Xml.SubElement(case, "properties")
    Xml.SubElement(
        case, "failure" if missed else "error", type="MISSED" if missed else "UNKNOWN", message=why
    ).text = why
    return case


def _properties(parent: Xml.Element, values: dict[str, object]) -> None:
    holder = Xml.SubElement(parent, "properties")
    for name, value in values.items():
        if value is not None and value != "":
            shown = repr(value) if isinstance(value, float) else clean(str(value))
            Xml.SubElement(holder, "property", name=name, value=shown)
