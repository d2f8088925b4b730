"""JUnit files are what Jenkins and GitLab take, whatever the findings say; the reason is where each of them looks."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest

from harness.checks import Outcome
from reports import suites
from reports.words import LONGEST
from tests import junit_rules

ODD = {
    "plain": "api-b answered after 3.5 s",
    "not ASCII": "Wiederherstellung länger als 4 h ✗ 復旧 😀",
    "markup": "]]>&<b>\"'</testcase>",
    "controls": "".join(map(chr, range(32))) + "\x7f\x85\u2028",
    "no characters": "\ud800\udfff\ufffe\uffff\ufdd0\U0001ffff",
    "lines": "one\ntwo\tthree\r\nfour",
    "empty": "",
    "long": "w" * 100_000,
}


def built(*cases: Xml.Element, known: dict[str, object] | None = None) -> Xml.Element:
    """Written, and read again as any parser would."""
    root = suites.root_of("a drill")
    suites.suite(root, "a scenario", list(cases), stamp="2026-11-28T10:00:00+00:00", known=known or {})
    return Xml.fromstring(suites.written(root))


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("advisory", [False, True])
@pytest.mark.parametrize("outcome", Outcome)
def test_any_text_is_taken_by_both(text: str, advisory: bool, outcome: Outcome) -> None:
    """In names, reasons and what is said besides; nothing but `MET` is green."""
    case = suites.case(text, text, outcome, text, advisory=advisory, seconds=1.5, known={"it": text, "low": 0.1})
    root = built(case, known={"run": text})
    assert junit_rules.broken(root) == []
    (read,) = root.iter("testcase")
    said = [child for child in read if child.tag != "system-out"]
    if outcome is Outcome.MET:
        assert said == []
        return
    assert [child.tag for child in said] == ["skipped" if advisory else suites.TAGS[outcome]]
    assert (said[0].get("message") and len(said[0].get("message") or "") < LONGEST + 100) or not text
    assert " ".join((said[0].text or "").split()) == " ".join((said[0].get("message") or "").split())


def test_an_empty_suite_and_an_empty_file_are_taken() -> None:
    """And count nothing."""
    assert junit_rules.broken(built()) == []
    empty = Xml.fromstring(suites.written(suites.root_of("")))
    assert junit_rules.broken(empty) == [] and empty.get("tests") == "0"


def test_two_cases_of_one_name_are_both_shown() -> None:
    """GitLab takes only the first of a name."""
    root = built(*(suites.case("s", "Recovery time", outcome, "why") for outcome in (Outcome.MET, Outcome.MISSED)))
    assert [case.get("name") for case in root.iter("testcase")] == ["Recovery time", "Recovery time (2)"]


def test_what_a_journal_says_is_no_attachment() -> None:
    """GitLab makes a link of `[[ATTACHMENT|…]]` in `system-out`."""
    root = built(suites.case("s", "n", Outcome.MET, "", known={"by": "[[ATTACHMENT|../../secret]]"}))
    assert "[[" not in (root.findtext(".//testcase/system-out") or "")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<testsuites skipped='1'/>", "testsuites has skipped"),
        ("<testsuite name='x'/>", "the root is testsuite"),
        ("<testsuites><testsuite name='x' tests='0' errors='0'/></testsuites>", "testsuite has no failures"),
        ("<testsuites><properties/></testsuites>", "properties is not known"),
        ("<testsuites><testcase name='x'/></testsuites>", "testcase in testsuites"),
        ("<testsuites>x</testsuites>", "text in testsuites"),
    ],
)
def test_the_rules_are_not_blind(content: str, why: str) -> None:
    """What one of the two does not take is named."""
    assert why in junit_rules.broken(Xml.fromstring(content))
