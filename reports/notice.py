"""What a webhook is told of a run that was not MET, or that could not look: JSON for a machine, and `text` for people.

`text` is what Slack, Mattermost and Rocket.Chat show of a post to an incoming webhook.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.checks import Outcome
from harness.errors import Exit, Refused
from harness.evidence.numbers import pack_digest
from reports import verdicts
from reports.judged import figure_of
from reports.pack import Facts, Pack, Scenario, read
from reports.run.features import titles
from reports.summary_markdown import objective_of
from reports.words import clean, counted

VERSION = 1
TOLD = 10  # findings in `text`
LISTED = 100  # findings in `not_met` of a run
TEXT, SAID = 3000, 1500  # letters of `text`, and of what the run said at its end
SIGNALS = 128  # a shell says more than this of what a signal has ended


@dataclass(frozen=True)
class Ended:
    """How a run ended. `code`: its exit code; None where there is none, because nothing was left to give one."""

    code: int | None
    packs: Sequence[Path] = ()
    said: str = ""  # its last words, on standard error
    link: str = ""  # where people find the evidence

    @property
    def outcome(self) -> str:
        """`MET` only where the exit code and every pack say so. What is none of our codes is `FAILED`."""
        names = {Exit.MET: "MET", Exit.MISSED: "MISSED", Exit.UNKNOWN: "UNKNOWN", Exit.REFUSED: "REFUSED"}
        name = names.get(Exit(self.code), "FAILED") if self.code in list(Exit) else "FAILED"
        found = [_read(pack).verdict for pack in self.packs] if name == "MET" else []
        return str(next((one for one in verdicts.ORDER if one in found), name))

    @property
    def how(self) -> str:
        """In words."""
        if self.code is None:
            return "it left no exit code: it was killed, or its machine was lost"
        if self.code > SIGNALS:
            return f"it was ended by signal {self.code - SIGNALS}"
        meanings = {
            Exit.MET: "every finding that counts is MET",
            Exit.MISSED: "an objective was missed",
            Exit.UNKNOWN: "nothing can be said, which is not a pass",
            Exit.REFUSED: "it was refused: bad input, wrong usage, or not safe to do",
            Exit.FAILED: "drdrill itself failed, and nothing can be said",
        }
        return meanings[Exit(self.code)] if self.code in list(Exit) else f"exit code {self.code} is none of drdrill's"


def notice(ended: Ended) -> dict[str, Any]:
    """What is posted. What is named and is no pack is told as such: nobody would be told otherwise."""
    runs = [_run(_read(pack)) for pack in ended.packs]
    said = clean(ended.said[-SAID:].strip())
    told = {
        "v": VERSION,
        "outcome": ended.outcome,
        "exit": ended.code,
        "how": ended.how,
        "runs": runs,
        "said": said,
        "evidence": ended.link or None,
        "text": _text(ended, runs, said),
    }
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return {"id": digest[:32], **told}


def trial() -> dict[str, Any]:
    """What is posted to try a webhook."""
    return {"v": VERSION, "outcome": "TRIAL", "text": "drdrill: this webhook is tried. No drill was run."}


def _read(folder: Path) -> Pack:
    """One without anything, and UNKNOWN, where it cannot be read."""
    try:
        return read(folder)
    except (Refused, OSError) as error:
        why = error.message if isinstance(error, Refused) else str(error)
        return Pack(folder, {}, Facts(()), (), Outcome.UNKNOWN, "unknown", (why,))


def _run(pack: Pack) -> dict[str, Any]:
    begin, wrong = pack.begin, [(each, one) for each in pack.scenarios for one in _wrong(each)]
    drill = begin.get("drill")
    names = [str(name) for name in (drill if isinstance(drill, list) else [drill or "drill"])]
    known = titles(pack.folder)
    return {
        "run": clean(begin.get("run", "unknown")),
        "drill": [clean(known.get(name) or name) for name in names],
        "stack": clean(begin.get("stack") or "unknown"),
        "environment": clean(begin.get("environment") or "unknown"),
        "outcome": str(pack.verdict),
        "verdict": verdicts.of_run(pack),  # with what must stand beside it
        "sabotage": clean(begin["sabotage"]) if begin.get("sabotage") else None,
        "not_met": [{"scenario": clean(scenario.title), **one} for scenario, one in wrong[:LISTED]],
        "more_not_met": max(0, len(wrong) - LISTED),
        "problems": [clean(problem) for problem in pack.problems],
        "pack": pack.folder.name,
        "digest": _digest(pack),
    }


def _digest(pack: Pack) -> str | None:
    """None: it is not sealed."""
    try:
        return pack_digest(pack.folder)
    except Refused:
        return None


def _wrong(scenario: Scenario) -> list[dict[str, Any]]:
    found = [
        {
            "finding": clean(each.id),
            "title": clean(each.title or each.id),
            "outcome": str(each.outcome),
            "figure": figure_of(each) if each.figure is not None else None,
            "objective": objective_of(each) or None,
            "reason": clean(each.reason),
        }
        for each in verdicts.against(scenario)
    ]
    if found or scenario.verdict is Outcome.MET:
        return found
    why = verdicts.broken_off(scenario) or ("no finding says why" if scenario.begun else "it never began")
    whole = {"finding": None, "title": "the scenario", "figure": None, "objective": None}
    return [{**whole, "outcome": str(scenario.verdict), "reason": clean(why)}]


def _text(ended: Ended, runs: Sequence[dict[str, Any]], said: str) -> str:
    lines = [f"drdrill: {ended.outcome}: {ended.how}"]
    for run in runs:
        lines.append(f"{', '.join(run['drill'])}, on {run['environment']}, run {run['run']}: {run['verdict']}")
        lines += [f"SABOTAGED on purpose: {run['sabotage']}"] if run["sabotage"] else []
        lines += [f"- {_line(one)}" for one in run["not_met"][:TOLD]]
        more = len(run["not_met"]) + run["more_not_met"] - TOLD
        lines += [f"- and {counted(more, 'finding')} more that are not MET"] if more > 0 else []
        lines += [f"! {problem}" for problem in run["problems"][:TOLD]]
    lines += [said] if said else []
    lines += [] if runs else ["No pack came of it."]
    end = f"\nEvidence: {clean(ended.link)}" if ended.link else ""
    text = "\n".join(lines)
    room = TEXT - len(end)
    return _plain((text if len(text) <= room else f"{text[: room - 2]} …") + end)


def _line(one: dict[str, Any]) -> str:
    goal = f", objective {one['objective']}" if one["objective"] else ""
    figure = f", {one['figure']}{goal}" if one["figure"] else ""
    reason = " ".join(one["reason"].split())
    return f"{one['outcome']}: {one['scenario']}: {one['title']}{figure}: {reason[:300]}"


def _plain(text: str) -> str:
    """As Slack writes what is no markup of its own: `<!channel>` in a reason calls nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
