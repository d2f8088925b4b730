"""JUnit XML that both Jenkins and GitLab read: what junit.xml of a pack and the gate's file are made of.

Valid by `junit-10.xsd` of Jenkins' xUnit plugin, and of the elements of GitLab's page "Unit test reports" only. So
there are no `properties`: what is known besides stands in `system-out`, a line each. GitLab shows the content of a
failure, not its `message`, and of two cases of one name it drops the second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from xml.etree import ElementTree as Xml

from harness.checks import Outcome
from reports.words import clean

TAGS = {Outcome.MISSED: "failure", Outcome.UNKNOWN: "error"}
TOTALS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def root_of(name: str) -> Xml.Element:
    return Xml.Element("testsuites", name=clean(name))


def suite(root: Xml.Element, name: str, cases: list[Xml.Element], *, stamp: str, known: Mapping[str, object]) -> None:
    """Add a suite. `stamp`: when it began, ISO 8601, or empty; `known`: what is true of all of its cases."""
    made = Xml.SubElement(root, "testsuite", name=clean(name), tests=str(len(cases)))
    for total, tag in TOTALS.items():
        made.set(total, str(sum(case.find(tag) is not None for case in cases)))
    if stamp:
        made.set("timestamp", stamp)
    made.extend(cases)
    _beside(made, known)


def case(
    classname: str,
    name: str,
    outcome: Outcome,
    why: str,
    *,
    advisory: bool = False,
    seconds: float | None = None,
    known: Mapping[str, object] | None = None,
) -> Xml.Element:
    """One case: green only where it is `MET`. `seconds`: how long what it is about took."""
    made = Xml.Element("testcase", classname=clean(classname), name=clean(name))
    if seconds is not None:
        made.set("time", f"{seconds:.3f}")
    why = clean(f"advisory, {outcome}: {why}" if advisory else why)
    if outcome is not Outcome.MET:
        tag = "skipped" if advisory else TAGS[outcome]
        Xml.SubElement(made, tag, type=str(outcome), message=why).text = why
    _beside(made, known or {})
    return made


def written(root: Xml.Element) -> bytes:
    """The file's bytes, with the totals of all suites; a name that is there already gets a number."""
    seen: Counter[tuple[str | None, str | None]] = Counter()
    for each in root.iter("testcase"):
        named = each.get("classname"), each.get("name")
        seen[named] += 1
        if seen[named] > 1:
            each.set("name", f"{named[1]} ({seen[named]})")
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(each.get(total, "0")) for each in root)))
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _beside(parent: Xml.Element, known: Mapping[str, object]) -> None:
    """`[[` would be an attachment to GitLab."""
    lines = [
        f"{name}: {repr(value) if isinstance(value, float) else clean(str(value))}"
        for name, value in known.items()
        if value is not None and value != ""
    ]
    if lines:
        Xml.SubElement(parent, "system-out").text = "\n".join(lines).replace("[[", "[ [")
