"""The history in a terminal: plain lines of at most 100 columns, no colour. Pure."""

from __future__ import annotations

import textwrap

from reports.past.history import Entry, History, Trend, point_words
from reports.words import SYMBOLS, clean, counted

WIDTH = 100
BLOCKS = "▁▂▃▄▅▆▇█"
SHOWN = 30  # points of a trend; the newest ones


def lines(told: History) -> str:
    """All of it."""
    said = [told.plan, f"{counted(told.runs, 'sealed run')} in {clean(told.path)}", ""]
    for entry in told.entries:
        said += _entry(entry)
    if not told.entries:
        said.append("nothing so far")
    for note in told.notes:
        said += _wrapped(f"! {note}", indent=0)
    several = [trend for trend in told.trends if len(trend.points) > 1]
    if several:
        said += ["", "trends, oldest first; the last figure is the newest"]
        for trend in several:
            said += _trend(trend)
    if alone := len(told.trends) - len(several):
        said += ["", f"measured once so far, and nothing to compare it with: {alone} of {len(told.trends)} figures"]
    return "\n".join(said) + "\n"


def _entry(entry: Entry) -> list[str]:
    run = entry.run
    if run is None:
        return _wrapped(f"{'!' if entry.kind == 'gap' else '✗'} {entry.what}", indent=0)
    began = f"{run.began:%Y-%m-%d %H:%M} UTC" if run.began else "unknown time"
    number = f"{run.number:>3}" if run.number else "  ?"
    said = [f"{number}  {began}  {SYMBOLS[run.verdict]} {run.said:<8} {entry.what}"[:WIDTH]]
    said += _wrapped(", ".join(clean(drill) for drill in run.drills) or "no drill", indent=5)
    said += _wrapped(str(run.likeness), indent=5)
    for mark in entry.marks:
        said += _wrapped(f"! {mark}", indent=5)
    for line in entry.lines:
        figures = [f"recovery time {line.rto}" if line.rto else "", f"detected after {line.detection}"
                   if line.detection else "", f"loss {line.loss}" if line.loss else ""]  # fmt: skip  # a list
        told = "; ".join(filter(None, (*figures, line.said)))
        said += _wrapped(
            f"{SYMBOLS[line.verdict]} {line.verdict:<8} {line.title}{': ' if told else ''}{told}", indent=5
        )
    return said


def _trend(trend: Trend) -> list[str]:
    points = trend.points[-SHOWN:]
    figures = [point.figure.figure for point in points]
    most = max(figures) or 1.0
    spark = "".join(BLOCKS[round(max(figure, 0.0) / most * (len(BLOCKS) - 1))] for figure in figures)
    newest = points[-1].figure
    last = point_words(newest)
    head = _wrapped(f"{trend.title}, {trend.what} ({trend.likeness})", indent=2)
    return [*head, f"      {spark}  {last}", *_wrapped(trend.said, indent=6)]


def _wrapped(words: str, *, indent: int) -> list[str]:
    text = " ".join(words.split("\n"))
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))
