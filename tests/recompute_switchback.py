"""A planned switchback as customers saw it, by Python and docs/journal.md alone: `recompute_switchback.py PACK`.

It imports nothing of the project. For each scenario that was switched back, and each group of customers who come in by
name: how long each interruption lasted at most, in seconds, and whether they were served in the end.
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


def requests(path: Path) -> list[Facts]:
    """{due, end, good}, by due time."""
    found: dict[int, Facts] = {}
    for event in lines_of(path)[1:]:
        if event["e"] in ("sent", "not_sent"):
            found[event["n"]] = {"due": event["due"], "end": None, "good": False}
        if event["e"] in ("acknowledged", "failed", "in_doubt", "not_sent"):
            found[event["n"]] |= {"end": event["t"], "good": event["e"] == "acknowledged"}
    return [found[number] for number in sorted(found)]


def interruptions(every: list[Facts], since: int, until: int, apart: int, settling: int) -> Facts:
    known = [each for each in every if each["due"] <= until]
    killed = next((place for place, each in enumerate(known) if each["end"] is None), len(known))
    known = known[:killed]
    bad = [each for each in known if not each["good"] and (each["due"] >= since or each["end"] >= since)]
    stretches: list[list[int]] = []  # due times of the first and the last bad request
    for each in bad:
        if stretches and each["due"] - stretches[-1][1] < apart:
            stretches[-1][1] = each["due"]
        else:
            stretches.append([each["due"], each["due"]])
    found: list[list[int | None]] = []  # from, to, and when it was over
    for first, last in stretches:
        if last - first <= S:
            continue
        over = min((each["end"] for each in known if each["good"] and each["due"] > last), default=None)
        before = found[-1][1] if found else None
        if found and (before is None or first - before < settling):
            found[-1][1] = over
        else:
            good = max([each["due"] for each in known if each["good"] and each["due"] <= first] or [first])
            found.append([min(max(since, good), first), over])
    end = known[-1]["due"] if known else 0
    return {
        "seconds": [((end if over is None else over) - (begin or 0)) / S for begin, over in found],
        "served": all(over is not None for _, over in found),
    }


def of_scenario(pack: Path, name: str, lines: list[Facts]) -> dict[str, Facts] | None:
    steps = [each for each in lines if each["kind"] == "step.begin" and each["data"]["phase"] == "switchback"]
    planned = [each["mono"] for each in lines if each["kind"] == "planned.begin"]
    begun = [each["data"] for each in lines if each["kind"] == "workload.begin"]
    if not steps or not begun:
        return None
    since = min([steps[0]["mono"], *planned[-1:]])
    until = next((each["mono"] for each in lines if each["kind"] == "workload.end"), lines[-1]["mono"])
    groups = [each for one in begun for each in one["groups"]]
    outside = sum(not each["inside"] for each in groups)
    rate = begun[-1]["rate"]
    apart = max(S, round(20 * outside / rate * S) if rate else 0)
    settling = round(lines[0]["data"].get("settling", 5.0) * S)
    files = {each["group"]: each for each in groups if each.get("via", "entrance") == "entrance"}
    return {
        group: interruptions(
            requests(pack / "scenarios" / name / f"ledger-{group}.jsonl"), since, until, apart, settling
        )
        for group in files
    }


def recompute(pack: Path) -> dict[str, dict[str, Facts] | None]:
    return {name: of_scenario(pack, name, lines) for name, lines in scenarios(pack).items()}


if __name__ == "__main__":
    print(json.dumps(recompute(Path(sys.argv[1])), indent=1))
