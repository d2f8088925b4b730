"""The lines that a run prints at its end: for a terminal and for a CI log, at most 100 columns, no colour."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from harness.checks import Finding, Outcome
from harness.checks.restored import DATABASE
from harness.evidence.first_line import marks
from reports import verdicts
from reports.judged import database_of, figure_of, others, reach, reason_of, used
from reports.pack import Pack, Scenario, read
from reports.run import features
from reports.run.limits import place_of, size_of
from reports.run.partly import partly
from reports.words import SYMBOLS, clean, limit, quantity

WIDTH = 100
MANY = 6  # scenarios: where there are more, those that are MET are told in short
TOLD, LINES = 10, 2  # findings that are told once more at the end, and lines of each: who reads only the end knows why
ABOVE = "see above"
NAMES = {
    "rto": "recovery time",
    "loss": "loss in time",
    "exposure": "exposure",
    "exactness": "exactness",
    "no-loss": "lost",
    "split-brain": "split brain",
    "noticed": "noticed",
    "wrong-answers": "told wrong",
    "detection": "operations told",
    "rejoined": "a copy again",
    "self-recovery": "by itself",
    "roles-reached": "all reached",
    "customers-updated": "no update for",
    "report-in-time": "report after",
}
FIRST = tuple(NAMES)
EACH = {"restore-time": "restoring", "backup-age": "would lose"}  # of each database that was restored beside


def summary(folder: Path) -> str:
    """A verdict per scenario, with what was measured against which objective. Errors: `Refused` when it is no pack."""
    pack = read(folder)
    lines = [_cut(f"{_drill(pack)}, run {clean(pack.begin.get('run', 'unknown'))}"), _cut(_where(pack))]
    for banner in _banners(pack):
        lines += _wrapped(banner, indent=0)
    lines.append("")
    brief = len(pack.scenarios) > MANY
    for scenario in pack.scenarios:
        met = scenario.verdict is Outcome.MET
        lines += _in_short(scenario) if brief and met else [*_scenario(scenario), ""]
    if brief:
        lines += ["", "What is MET is told in short, as figure (error bar) of objective; index.html has the rest.", ""]
    if not pack.scenarios:
        lines += ["No scenario ran.", ""]
    for problem in pack.problems:
        lines += _wrapped(f"! {problem}", indent=0)
    lines += [line for words in verdicts.summary(pack) for line in _wrapped(words, indent=0)]
    for each in partly(pack):
        lines += _wrapped(f"! {each}", indent=0)
    if len(pack.scenarios) > 1:  # of one, all of it stands just above
        lines += _not_met(pack)
    lines.append(f"{SYMBOLS[pack.verdict]} {verdicts.of_run(pack)}: the verdict of the run")
    return "\n".join(lines) + "\n"


def _drill(pack: Pack) -> str:
    drill = pack.begin.get("drill")
    names = drill if isinstance(drill, list) else [drill or "drill"]
    known = features.titles(pack.folder)
    return ", ".join(clean(known.get(str(name)) or clean(name).replace("-", " ").capitalize()) for name in names)


def _where(pack: Pack) -> str:
    return f"Measured on: {place_of(pack.begin)}, {size_of(pack)}"


def _banners(pack: Pack) -> list[str]:
    found = []
    if sabotage := pack.begin.get("sabotage"):
        found.append(f"SABOTAGED on purpose: {clean(sabotage)}")
    found += [f"{clean(mark).upper()}: this run counts for nothing." for mark in marks(pack.begin)]
    end = pack.facts.last("run.end")
    outcome = clean(end.data.get("outcome")) if end else "not ended"
    if outcome != "completed":
        found.append(f"This run was {outcome}; what was not decided before is UNKNOWN.")
    return found


def _scenario(scenario: Scenario) -> list[str]:
    lines = [_cut(f"{SYMBOLS[scenario.verdict]} {scenario.verdict}  {clean(scenario.title)}")]
    lines += [line for words in verdicts.beside(scenario) for line in _wrapped(words, indent=4)]
    broken = verdicts.broken_off(scenario)
    if broken:
        lines += _wrapped(broken, indent=4)
    by_id = {finding.id: finding for finding in scenario.findings}
    shown = first_of(scenario.findings)
    table = [_row(finding) for finding in shown]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for finding, row in zip(shown, table, strict=True):
        if words := reach(finding.outcome, finding.beside):
            lines.append(f"    {row[0]}, {clean(words)}:")
        cells = ("" if words else row[0], *row[1:])
        aligned = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        lines.append(_cut(f"    {aligned}".rstrip()))
        more = [(name, words) for name, words in others(finding.beside) if name != DATABASE]
        if more and (finding.id != "no-loss" or finding.figure):
            said = ", ".join(f"{name} {words}" for name, words in more)
            lines += _wrapped(said, indent=4 + widths[0] + 2 + widths[1] + 2)
        if finding.outcome is not Outcome.MET:
            lines += _wrapped(without(broken, reason_of(finding)), indent=8)
    if not scenario.begun:
        lines.append("    planned, and never began")
    elif not scenario.findings:
        lines.append("    no check gave a finding")
    if "rto" in by_id and _stood_in(scenario):
        lines.append("    decision time: not exercised")
    for finding in scenario.findings:
        if finding not in shown and finding.outcome is not Outcome.MET and not finding.advisory:
            what = f"{SYMBOLS[finding.outcome]} {finding.outcome}  {finding.title or finding.id}"
            lines += _wrapped(f"{what}: {without(broken, reason_of(finding))}", indent=4)
    met = sum(finding.outcome is Outcome.MET for finding in scenario.findings if not finding.advisory)
    counted = sum(not finding.advisory for finding in scenario.findings)
    if counted:
        lines.append(f"    {met} of {counted} findings that count are MET")
    return lines


def _in_short(scenario: Scenario) -> list[str]:
    """The title, and the figures that have an objective."""
    told = []
    for finding in first_of(scenario.findings):
        _, name, figure, goal, _ = _row(finding)
        words = f"{name} {figure}" + (f" of {goal.removeprefix('objective ')}" if finding.objective else "")
        told.append(", ".join(filter(None, (words, reach(finding.outcome, finding.beside)))))
    if _stood_in(scenario):
        told.append("decision time: not exercised")
    return [
        _cut(f"{SYMBOLS[scenario.verdict]} {scenario.verdict}  {clean(scenario.title)}"),
        *(_wrapped(left, indent=4) if (left := verdicts.not_exercised(scenario)) else []),
        *_wrapped("; ".join(told), indent=4),
    ]


def _not_met(pack: Pack) -> list[str]:
    """What counts and is not MET, in short, MISSED first; nothing where all is MET. No scenario crowds out another."""
    found: list[tuple[int, int, str]] = []
    for scenario in pack.scenarios:
        broken = verdicts.broken_off(scenario)
        wrong = [each for each in scenario.findings if each.outcome is not Outcome.MET and not each.advisory]
        said = [(each.outcome, _wrong(each, broken)) for each in wrong if without(broken, each.reason) != ABOVE]
        if scenario.verdict is not Outcome.MET and (broken or not wrong) and not verdicts.declared(scenario):
            said.insert(0, (scenario.verdict, broken or "no finding was judged"))
        for nth, (outcome, words) in enumerate(said):
            line = f"{SYMBOLS[outcome]} {outcome}  {_title(scenario)}: {words}"
            found.append((verdicts.ORDER.index(outcome), nth, line))
    told = sorted(found, key=lambda each: each[:2])[:TOLD]
    lines = [line for each in sorted(found, key=lambda each: each[0]) if each in told for line in _shortened(each[2])]
    more = [f"  and {len(found) - TOLD} more that are not MET; they stand above"] if len(found) > TOLD else []
    return ["", "Not MET, of what counts:", *lines, *more] if told else []


def _title(scenario: Scenario) -> str:
    return " ".join(clean(scenario.title).split())


def _wrong(finding: Finding, broken: str) -> str:
    """`recovery time, 93.1 s, objective 60 s: the reason`."""
    figure = (figure_of(finding), _goal(finding)) if finding.figure is not None else ()
    what = ", ".join(filter(None, (NAMES.get(finding.id) or finding.title or finding.id, *figure)))
    reason = reason_of(finding)
    return f"{what}: {reason.replace(f' ({broken})', '') if broken else reason}"


def _shortened(words: str) -> list[str]:
    lines = _wrapped(words, indent=2)
    return lines if len(lines) <= LINES else [*lines[: LINES - 1], f"{lines[LINES - 1][: WIDTH - 2]} …"]


def without(broken: str, reason: str) -> str:
    """A reason that does not tell again what stands at the top."""
    if not broken:
        return reason
    return reason.replace(f" ({broken})", "").replace(broken, ABOVE)


def first_of(findings: Sequence[Finding]) -> list[Finding]:
    """Those whose figures are told before all else."""
    by_id = {finding.id: finding for finding in findings}
    return [by_id[id] for id in FIRST if id in by_id] + [each for each in findings if each.id in EACH]


def name_of(finding: Finding) -> str:
    """`recovery time`; `restoring orders`."""
    return f"{EACH[finding.id]} {database_of(finding)}".strip() if finding.id in EACH else NAMES[finding.id]


def _stood_in(scenario: Scenario) -> bool:
    """Whether the harness took a decision that the plan gives to people."""
    return any(not fact.data.get("attended") for fact in scenario.facts.of("decided"))


def _row(finding: Finding) -> tuple[str, ...]:
    figure = figure_of(finding)
    cells = (f"{SYMBOLS[finding.outcome]} {finding.outcome}", name_of(finding), figure, _goal(finding), used(finding))
    return tuple(" ".join(clean(cell).split()) for cell in cells)


def _goal(finding: Finding) -> str:
    if finding.objective is None:
        return ""
    exact = limit(finding.objective) if finding.unit == "s" else quantity(finding.objective, finding.unit)
    return f"objective {exact}"


def _wrapped(words: str, *, indent: int) -> list[str]:
    text = " ".join(clean(words).split())
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2)) or [""]


def _cut(line: str) -> str:
    line = " ".join(line.split("\n"))
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
