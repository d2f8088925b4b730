"""The gate's JUnit XML: a test case for each duty, each regression check and the folder itself. Pure.

As in a pack's own junit.xml: MISSED is a failure, UNKNOWN an error, and only what is advisory is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from xml.etree import ElementTree as Xml

from harness.checks import Outcome
from harness.duties.gate import Check
from reports.words import clean

SUITES = {"duty": "what the calendar demands", "evidence": "the evidence", "regression": "slower than before"}
TAGS = {Outcome.MISSED: "failure", Outcome.UNKNOWN: "error"}


def xml(found: Sequence[Check], *, today: date) -> bytes:
    """The file's bytes."""
    root = Xml.Element("testsuites", name="drdrill gate")
    for kind, checks in groupby(found, key=lambda check: check.kind):
        suite = Xml.SubElement(root, "testsuite", name=SUITES[kind], timestamp=f"{today}T00:00:00")
        for check in checks:
            suite.append(_case(check))
        suite.set("tests", str(len(suite)))
        for total, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(total, str(sum(case.find(tag) is not None for case in suite)))
    for total in ("tests", "failures", "errors", "skipped"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(check: Check) -> Xml.Element:
    case = Xml.Element("testcase", classname=clean(f"{check.kind}.{check.group}"), name=clean(check.name))
    reason = clean(check.reason)
    if check.advisory:
        Xml.SubElement(case, "skipped", message=f"advisory: {reason}")
    elif check.outcome is Outcome.MET:
        Xml.SubElement(case, "system-out").text = reason
    else:
        Xml.SubElement(case, TAGS[check.outcome], type=str(check.outcome), message=reason).text = reason
    return case
