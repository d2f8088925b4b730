"""Two packs side by side for a terminal: at most 100 columns, no colour."""

from __future__ import annotations

import textwrap

from reports.comparison.compare import Card, Comparison, Figure, Pair, Side
from reports.comparison.runs import Row
from reports.words import SYMBOLS

WIDTH = 100
CUT = 34  # characters of one side of a row; the page has it whole
SIGNS = {True: "=", False: "≠", None: "?"}


def lines(compared: Comparison) -> str:
    """The whole report."""
    shown = [line for card in compared.cards for line in _card(card)]
    shown += [line for words in compared.cautions for line in _wrapped(f"! {words}", indent=0)]
    shown += [line for words in compared.exercise for line in _wrapped(words, indent=0)]
    for pair in compared.pairs:
        shown += ["", *_pair(pair)]
    if not compared.pairs:
        shown += ["", "No scenario is in both packs."]
    if compared.alone:
        shown += ["", "Only in one pack:"]
        for alone in compared.alone:
            never = "" if alone.begun else " (planned, and never began)"
            never += f": {alone.partly}" if alone.partly else ""
            words = f"{alone.letter} {alone.environment}: {_verdict(alone.verdict)}  {alone.title}{never}"
            shown += _wrapped(words, indent=2)
    shown += ["", "What differs in the runs:", *_rows(compared.runs)]
    shown += ["", "Parts of the stacks, and their versions:", *_rows(compared.parts)]
    if not compared.parts:
        shown.append("  not recorded")
    shown += ["", "What this does not show:"]
    shown += [line for words in compared.limits for line in _wrapped(f"- {words}", indent=2)]
    return "\n".join(shown) + "\n"


def _card(card: Card) -> list[str]:
    return [
        *_wrapped(
            f"{card.letter}  {SYMBOLS[card.verdict]} {card.said}  run {card.run}, {card.drill}, {card.began}", indent=0
        ),
        *_wrapped(f"   measured on: {card.place}; {card.size}", indent=3),
    ]


def _verdict(outcome: str) -> str:
    return f"{SYMBOLS[outcome]} {outcome}"


def _pair(pair: Pair) -> list[str]:
    shown = _wrapped(f"{pair.title}: A {_verdict(pair.a)}, B {_verdict(pair.b)}", indent=0)
    shown += [line for note in pair.notes for line in _wrapped(f"! {note}", indent=2)]
    for figure in pair.figures:
        shown += _figure(figure)
    alike = [each for each in pair.checks if each.a.outcome == each.b.outcome]
    for outcome in dict.fromkeys(each.a.outcome for each in alike if each.a.outcome):
        names = ", ".join(each.name for each in alike if each.a.outcome == outcome)
        shown += _wrapped(f"{_verdict(outcome)} in both: {names}", indent=2)
    for each in pair.checks:
        if each not in alike:
            shown += _wrapped(each.name, indent=2)
            shown += [
                line
                for letter, side in each.sides
                for line in _wrapped(f"{letter} {side.environment}: {_outcome(side)}{_why(side)}", indent=4)
            ]
    return shown


def _figure(figure: Figure) -> list[str]:
    advisory = ", advisory" if figure.advisory else ""
    shown = _wrapped(f"{figure.name} ({figure.objective}{advisory}): {figure.claim.words}", indent=2)
    wide = max(len(side.environment) for _, side in figure.sides)
    for letter, side in figure.sides:
        words = f"{letter} {side.environment.ljust(wide)}  {_outcome(side)}  {side.words}"
        if side.outcome is None:
            words = f"{letter} {side.environment.ljust(wide)}  not checked"
        shown.append(_cut(f"    {words}"))
        if side.said:
            shown += _wrapped(side.said, indent=8)
        if side.outcome == "UNKNOWN" and side.reason:
            shown += _wrapped(side.reason, indent=8)
    return shown


def _outcome(side: Side) -> str:
    return ", ".join(filter(None, (_verdict(side.outcome), side.reach))) if side.outcome else "not checked"


def _why(side: Side) -> str:
    return "" if side.outcome in ("MET", None) else f", {side.reason}"


def _rows(rows: tuple[Row, ...]) -> list[str]:
    wide = max((len(row.what) for row in rows), default=0)
    shown = []
    for row in rows:
        sign = SIGNS[row.same]
        if row.same:
            shown.append(_cut(f"  {sign} {row.what.ljust(wide)}  {row.a}"))
        elif max(len(row.a), len(row.b)) <= CUT:
            shown.append(_cut(f"  {sign} {row.what.ljust(wide)}  A {row.a.ljust(CUT)}  B {row.b}"))
        else:
            shown += [_cut(f"  {sign} {row.what.ljust(wide)}  A {row.a}"), _cut(f"    {' ' * wide}  B {row.b}")]
    return shown


def _wrapped(words: str, *, indent: int) -> list[str]:
    text = " ".join(words.split())
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2)) or [""]


def _cut(line: str) -> str:
    line = " ".join(line.split("\n")).rstrip()
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
