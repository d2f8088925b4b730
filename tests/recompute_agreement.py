"""Whether the books agree, with nothing but Python and what docs/journal.md says: `python recompute_agreement.py PACK`.

It imports nothing of the project. For each scenario whose rules are in the journal: `MET`, `MISSED` or `UNKNOWN`.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

Facts = dict[str, Any]


def number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def behind(value: Any, other: Any) -> bool:
    if isinstance(other, dict) and isinstance(value, dict):
        return any(behind(value.get(name), other[name]) for name in other)
    here, there = number(value), number(other)
    return there is not None and (here is None or here < there)


def breaks(rule: Facts, name: str, before: Facts, after: Facts) -> bool:
    now, kind = after[name], rule["rule"]
    if kind == "zero":
        return number(now) != 0
    then = before[name]
    if kind == "not_behind":
        return behind(now, after.get(rule.get("than"), then))
    if kind == "same_names":
        return set(then) != set(now)
    if number(then) is not None and number(now) is not None:
        return number(then) != number(now)
    if isinstance(then, list) and isinstance(now, list):
        return sorted(map(str, then)) != sorted(map(str, now))
    return bool(then != now)


def outcome(rules: list[Facts], before: Facts, after: Facts) -> str:
    missed = unknown = compared = 0
    for rule in rules:
        name = rule["values"]
        named = [one for one in {**before, **after} if (one.startswith(name[:-1]) if name[-1] == "*" else one == name)]
        unknown += not named and rule.get("required", True)
        for one in named:
            compared += 1
            if one not in after or (one not in before and rule["rule"] != "zero"):
                unknown += 1
            else:
                missed += breaks(rule, one, before, after)
    return "MISSED" if missed else "UNKNOWN" if unknown or not compared else "MET"


def recompute(pack: Path) -> dict[str, str]:
    found: dict[str, Facts] = {}
    for line in map(json.loads, (pack / "journal.jsonl").read_text(encoding="utf-8").splitlines()):
        data = line["data"]
        if line["kind"] == "scenario.begin":
            found[data["scenario"]] = {}
        elif line["kind"] == "reconciliation.rules":
            list(found.values())[-1]["rules"] = data["rules"]
        elif line["kind"] == "reconciliation":
            list(found.values())[-1][data["moment"]] = data["values"]
    whole = {"rules", "before", "after"}
    return {
        name: outcome(facts["rules"], facts["before"], facts["after"]) if whole <= facts.keys() else "UNKNOWN"
        for name, facts in found.items()
        if "rules" in facts
    }


if __name__ == "__main__":
    print(json.dumps(recompute(Path(sys.argv[1])), indent=1))
