"""A run as Markdown, for the summary page of a CI: figures against objectives, and why what is not MET is not.

What came from a database, a tool or a project is shown and never obeyed: no markup of it is any here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.checks import Finding, Outcome
from harness.errors import Refused
from harness.evidence.first_line import marks
from harness.evidence.numbers import pack_digest
from reports import verdicts
from reports.judged import figure_of, said
from reports.pack import Pack, Scenario, read
from reports.run.features import titles
from reports.run.limits import place_of, size_of
from reports.words import SYMBOLS, clean, counted, limit, quantity

MARKUP = re.compile(r"[\\`*_{}\[\]|~$#]")
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
MANY = 200  # findings of one run in the table, and reasons; the page of the pack has all of them


def markdown(folder: Path, *, doubts: Sequence[str] = ()) -> str:
    """The summary of a pack; `doubts` about its findings stand on top. Errors: `Refused` when it is no pack."""
    pack = read(folder)
    lines = [f"## {_mark(pack.verdict, verdicts.of_run(pack))}: {_drill(pack)}", ""]
    lines += [f"> **{plain(words)}**\n" for words in (*doubts, *_banners(pack))]
    lines += [f"- {name}: {words}" for name, words in _about(pack)]
    lines += ["", *_table(pack), "", *_reasons(pack), *_beside(pack)]
    lines += [f"{plain(words)}\n" for words in verdicts.summary(pack)]
    lines += [f"> {plain(problem)}\n" for problem in pack.problems]
    return "\n".join(lines).rstrip() + "\n"


def plain(value: object) -> str:
    """Text of one line in which nothing is Markdown or HTML, and no address becomes a link by itself."""
    text = " ".join(clean(value).split()).translate(ENTITIES)
    text = MARKUP.sub(lambda found: f"\\{found[0]}", text)
    return re.sub(r"(?i)(://|\bwww\.|@(?=\w))", lambda found: _no_link(found[0]), text)


def _no_link(text: str) -> str:
    """`@` has a joiner of no width after it: GitHub looks for people also where it is escaped."""
    return "@&#8288;" if text == "@" else "\\://" if text == "://" else f"{text[:-1]}\\."


def _mark(outcome: Outcome, words: str = "") -> str:
    return f"{SYMBOLS[outcome]} {plain(words or outcome)}"


def _drill(pack: Pack) -> str:
    drill = pack.begin.get("drill")
    names = drill if isinstance(drill, list) else [drill or "drill"]
    known = titles(pack.folder)
    return ", ".join(plain(known.get(str(name)) or name) for name in names)


def _about(pack: Pack) -> Iterable[tuple[str, str]]:
    begin = pack.begin
    yield "run", plain(begin.get("run", "unknown"))
    yield "environment", f"**{plain(begin.get('environment') or 'unknown')}**"
    yield "measured on", f"{plain(place_of(begin))}, {plain(size_of(pack))}"
    if begin.get("nonce"):
        yield "nonce", plain(begin["nonce"])
    try:
        digest = plain(pack_digest(pack.folder))
    except Refused as error:
        digest = f"none, this pack is not sealed ({plain(error.message)})"
    yield "evidence", f"{plain(pack.folder.name)}, digest {digest}"


def _banners(pack: Pack) -> Iterable[str]:
    if sabotage := pack.begin.get("sabotage"):
        yield f"SABOTAGED on purpose: {sabotage}"
    yield from (f"{mark.upper()}: this run counts for nothing." for mark in marks(pack.begin))
    end = pack.facts.last("run.end")
    outcome = str(end.data.get("outcome")) if end else "not ended"
    if outcome != "completed":
        yield f"This run was {outcome}; what was not decided before is UNKNOWN."


def _table(pack: Pack) -> list[str]:
    """A line for each finding that counts; of a scenario that has none, its verdict."""
    if not pack.scenarios:
        return ["No scenario ran. This is not a pass."]
    rows = [row for scenario in pack.scenarios for row in _rows(scenario)]
    head = ["| outcome | scenario | finding | figure | objective |", "|---|---|---|---|---|"]
    more = [f"\n{len(rows) - MANY} more findings stand on the page of the pack."] if len(rows) > MANY else []
    return head + rows[:MANY] + more


def _rows(scenario: Scenario) -> list[str]:
    title = plain(scenario.title)
    counting = [each for each in scenario.findings if not each.advisory]
    if not counting:
        return [f"| {_mark(scenario.verdict)} | {title} | no finding counts | | |"]
    return [
        f"| {_mark(each.outcome, said(each.outcome, each.beside))} | {title} | {plain(each.title or each.id)} "
        f"| {plain(figure_of(each)) if each.figure is not None else ''} | {plain(objective_of(each))} |"
        for each in counting
    ]


def objective_of(finding: Finding) -> str:
    """`60 s`; empty where there is none."""
    if finding.objective is None:
        return ""
    return limit(finding.objective) if finding.unit == "s" else quantity(finding.objective, finding.unit)


def _reasons(pack: Pack) -> list[str]:
    found = [line for scenario in pack.scenarios for line in _wrong(scenario)]
    if not found:
        return []
    more = [f"- and {counted(len(found) - MANY, 'reason')} more, on the page of the pack"] if len(found) > MANY else []
    return ["### Not MET", "", *found[:MANY], *more, ""]


def _wrong(scenario: Scenario) -> list[str]:
    title, broken = plain(scenario.title), verdicts.broken_off(scenario)
    found = [f"- {_mark(scenario.verdict)}, {title}: {plain(broken)}"] if broken else []
    found += [
        f"- {_mark(each.outcome)}, {title}, {plain(each.title or each.id)}: {plain(each.reason)}"
        for each in verdicts.against(scenario)
    ]
    if not found and scenario.verdict is not Outcome.MET:
        why = "no finding says why" if scenario.begun else "it was planned and never began"
        found = [f"- {_mark(scenario.verdict)}, {title}: {why}"]
    return found


def _beside(pack: Pack) -> list[str]:
    """What must stand with a verdict that is not said by it alone."""
    found = [(each.title, words) for each in pack.scenarios for words in verdicts.beside(each)]
    return [*(f"- {plain(title)}: {plain(words)}" for title, words in found), *([""] if found else [])]
