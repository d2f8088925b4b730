"""What customers were told, with nothing but Python and what docs/journal.md says: `python recompute_answers.py PACK`.

It imports nothing of the project. For each scenario whose customers asked: how many answers were wrong from the fault's
effect on, and at least and at most how long after it the last one was; how many were refused, or did not come; and
whether anybody had asked for what was damaged before it was repaired.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

Facts = dict[str, Any]
S = 1_000_000_000


def lines_of(path: Path) -> list[Facts]:
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]


def scenarios(pack: Path) -> dict[str, list[Facts]]:
    found: dict[str, list[Facts]] = {}
    current: list[Facts] = []
    for line in lines_of(pack / "journal.jsonl"):
        if line["kind"] == "scenario.begin":
            current = found.setdefault(line["data"]["scenario"], [])
        current.append(line)
    return found


def questions(path: Path) -> list[Facts]:
    """{asked, end, how}; what was not sent has no `asked`, what has no end no `end`."""
    found: dict[int, Facts] = {}
    for event in lines_of(path)[1:]:
        n, how = event["n"], event["e"]
        if how == "asked":
            found[n] = {"asked": event["t"], "end": None, "how": "no_answer", "knows": event["knows"]}
        elif how == "not_sent":
            found[n] = {"asked": None, "end": event["t"], "how": how}
        elif how == "told":
            found[n] |= {"end": event["t"], "how": "right" if event["told"] == found[n]["knows"] else "wrong"}
        elif how in ("refused", "no_answer"):
            found[n] |= {"end": event["t"], "how": how}
    return list(found.values())


def figures(lines: list[Facts], asked: list[Facts]) -> Facts | None:
    intents = [line["data"] for line in lines if line["kind"] == "fault.intent"]
    harm = ([each for each in intents if each["harms_data"]] or intents or [None])[0]
    effects = [line["data"] for line in lines if line["kind"] == "fault.effective"]
    effect = next((each for each in effects if harm and each["injection"] == harm["injection"]), None)
    if effect is None or not effect["ok"]:
        return None
    early, late = effect["earliest"], effect["latest"]
    repairs = [line["mono"] for line in lines if line["kind"] == "step.begin" and line["mono"] >= late]
    mine = [each for each in asked if each["end"] is None or each["end"] >= early]
    wrong = [each for each in mine if each["how"] == "wrong"]
    hit = [
        each
        for each in mine
        if each["how"] in ("wrong", "refused", "no_answer")
        and each["end"] is not None
        and (not repairs or each["asked"] < repairs[0])
    ]
    last = max(wrong, key=lambda each: each["end"], default=None)
    return {
        "before": sum(each["how"] == "wrong" for each in asked if each not in mine),
        "wrong": len(wrong),
        "refused": sum(each["how"] == "refused" for each in mine),
        "no_answer": sum(each["how"] == "no_answer" for each in mine),
        "low": max(0, last["asked"] - late) / S if last else 0.0,
        "high": (last["end"] - early) / S if last else 0.0,
        "hit": bool(hit),
    }


def recompute(pack: Path) -> dict[str, Facts | None]:
    found = {}
    for name, lines in scenarios(pack).items():
        files = [pack / line["data"]["file"] for line in lines if line["kind"] == "answers"]
        if files:
            found[name] = figures(lines, [each for file in files for each in questions(file)])
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python recompute_answers.py PACK")
    print(json.dumps(recompute(Path(sys.argv[1])), indent=1))
