"""What a JUnit file may hold: what Jenkins' xUnit plugin (its schema `junit-10.xsd`) and GitLab's page
"Unit test reports" have in common, as far as we use it. Written down here, and not the schema itself."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as Xml


@dataclass(frozen=True)
class Allowed:
    """Of one element: which others it may hold, and which attributes it has to have and may have."""

    children: frozenset[str]
    must: frozenset[str]
    may: frozenset[str] = frozenset()
    text: bool = False


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


RULES = {
    "testsuites": Allowed(_set("testsuite"), _set(""), _set("name time tests failures errors")),
    "testsuite": Allowed(
        _set("testsuite testcase system-out system-err"),
        _set("name tests failures errors"),
        _set("group time skipped timestamp hostname id package file log url"),
    ),
    "testcase": Allowed(
        _set("skipped error failure system-out system-err"), _set("name"), _set("time classname group")
    ),
    **{name: Allowed(_set(""), _set(""), _set("type message"), text=True) for name in ("failure", "error", "skipped")},
    **{name: Allowed(_set(""), _set(""), text=True) for name in ("system-out", "system-err")},
}


def broken(root: Xml.Element) -> list[str]:
    """Everything that one of the two would not take; empty where both do."""
    found = [] if root.tag == "testsuites" else [f"the root is {root.tag}"]
    for each in root.iter():
        rule = RULES.get(each.tag)
        if rule is None:
            found.append(f"{each.tag} is not known")
            continue
        found += [f"{each.tag} has no {name}" for name in rule.must - set(each.attrib)]
        found += [f"{each.tag} has {name}" for name in set(each.attrib) - rule.must - rule.may]
        found += [f"{child.tag} in {each.tag}" for child in each if child.tag not in rule.children]
        if not rule.text and (each.text or "").strip() + "".join((child.tail or "").strip() for child in each):
            found.append(f"text in {each.tag}")
    cases = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    return found + [f"{name} is there twice" for name in sorted(set(cases), key=str) if cases.count(name) > 1]
