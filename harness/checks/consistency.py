"""The books after the recovery against the books before the disaster, by rules that are data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation

TITLE = "Consistency of the books"
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Rule:
    """What must hold for the figures whose names match a pattern (`history.*`).

    `must`: `equal` (as before), `zero` (after), `not less` (than before; of a mapping, each entry),
    `cover ids` (a mapping of sequences: each at least the greatest id in use, the figure `ids`, and not less
    than before where there is none), `same names` (of a mapping: the same keys, whatever the values).
    A `required` rule that matches no figure is UNKNOWN, so that a figure left out cannot pass.
    """

    figures: str
    must: str
    required: bool = True


RULES = (
    Rule("history.*", "equal"),
    Rule("invariant.*", "zero"),
    Rule("balances.sum", "equal"),
    Rule("sequences", "cover ids"),
    Rule("extensions", "equal"),
    Rule("roles", "equal"),
    Rule("tables", "same names"),
    Rule("checksum_failures", "zero", required=False),
    Rule("accounts.count", "equal", required=False),
)


def consistency(evidence: Evidence, expected: Expectation, rules: Sequence[Rule] = RULES) -> Finding:
    """Every figure by its rule: all that differ are told."""
    before, after = evidence.moment("figures", BEFORE), evidence.moment("figures", AFTER)
    if before is None or after is None:
        which = BEFORE if before is None else AFTER
        why = f"there are no figures of the books {which} the disaster"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why, unit="figures", objective=0.0)
    then, now = before.data.get("figures") or {}, after.data.get("figures") or {}
    wrong: list[str] = []
    unknown: list[str] = []
    compared = 0
    for rule in rules:
        names = sorted(name for name in then.keys() | now.keys() if fnmatchcase(name, rule.figures))
        if not names and rule.required:
            unknown.append(f"no figure {rule.figures} was taken")
        for name in names:
            compared += 1
            if said := _broken(rule, name, then, now):
                wrong.append(said)
    outcome = Outcome.MISSED if wrong else Outcome.UNKNOWN if unknown or not compared else Outcome.MET
    count = float(len(wrong))
    return expected.finding_of(
        evidence,
        TITLE,
        outcome,
        "; ".join(wrong + unknown) or f"{compared} figures are as they must be",
        figure=count,
        low=count,
        high=count,
        unit="figures",
        objective=0.0,
    )


def _broken(rule: Rule, name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if name not in now:
        return f"{name} is missing after the recovery"
    if rule.must == "zero":
        return "" if _number(now[name]) == 0 else f"{name} is {now[name]}, not 0"
    if name not in then:
        return f"{name} was not there before the disaster"
    before, after = then[name], now[name]
    if rule.must == "cover ids":
        floor = now.get("ids", before)
        return _less(name, floor, after, "the greatest id in use" if "ids" in now else "before")
    check = _COMPARE.get(rule.must)
    return check(name, before, after) if check else f"{name}: the rule {rule.must!r} is not known"


def _equal(name: str, before: Any, after: Any) -> str:
    left, right = _number(before), _number(after)
    if before == after or (left is not None and left == right):
        return ""
    if isinstance(before, dict) and isinstance(after, dict):
        differ = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        return f"{name} differs in {', '.join(differ)}"
    if isinstance(before, list) and isinstance(after, list):
        if sorted(map(str, before)) == sorted(map(str, after)):
            return ""
        gone = [str(each) for each in before if each not in after]
        new = [str(each) for each in after if each not in before]
        return f"{name}: gone {', '.join(gone) or 'none'}, new {', '.join(new) or 'none'}"
    return f"{name} was {before}, is {after}"


def _not_less(name: str, before: Any, after: Any) -> str:
    return _less(name, before, after, "before")


def _less(name: str, floor: Any, value: Any, what: str) -> str:
    if isinstance(floor, dict) and isinstance(value, dict):
        said = [_less(f"{name} {key}", floor[key], value.get(key), what) for key in sorted(floor)]
        return "; ".join(each for each in said if each)
    left, right = _number(floor), _number(value)
    if left is None:
        return ""  # nothing to be less than: no id is in use
    if right is None:
        return f"{name} is missing after the recovery"
    return f"{name} is {value}, less than {floor} ({what})" if right < left else ""


def _same_names(name: str, before: Any, after: Any) -> str:
    return _equal(name, sorted(map(str, before)), sorted(map(str, after)))


_COMPARE: Mapping[str, Callable[[str, Any, Any], str]] = {
    "equal": _equal,
    "not less": _not_less,
    "same names": _same_names,
}


def _number(value: Any) -> Decimal | None:
    """A figure as a number, for "12.50" and 12.5 are the same amount; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
