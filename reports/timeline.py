"""The picture of an outage: one time axis, and below each other what people did, what customers saw, what was at risk.

Zero is the order of the fault. Bars have rows of their own and marks have labels in a staircase, so that labels do
not collide however close the moments are. Colours come from the page (light, dark, print); shapes and words carry
the same meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from reports import svg
from reports.customers import Seconds
from reports.losses import Curve
from reports.words import clean, length, limit

FONT = 12.0
ROW = 17.0
PANEL = 84.0


@dataclass(frozen=True)
class Bar:
    """Something that lasted, in seconds after zero. `open`: it never ended; the bar goes to the end of the picture."""

    name: str
    begin: float
    end: float
    kind: str  # span, step, bad (a step that failed)
    words: str = ""
    open: bool = False


@dataclass(frozen=True)
class Mark:
    """A moment."""

    name: str
    at: float
    kind: str = "mark"


@dataclass(frozen=True)
class Recovery:
    """The measured time to recover: the bar, its error bar, and how it stands to the objective."""

    figure: float
    low: float
    high: float
    words: str
    objective: float | None
    beyond: str  # what the arrow says when the objective lies outside the picture
    lower_bound: bool = False  # never seen to end: no right end to the error bar


@dataclass(frozen=True)
class Picture:
    title: str
    description: str
    note: str  # environment, rung and size: the picture carries them itself
    begin: float
    end: float
    marks: tuple[Mark, ...]
    spans: tuple[Bar, ...]
    steps: tuple[Bar, ...]
    recovery: Recovery | None
    customers: Seconds | None
    exposure: tuple[Curve, ...] = ()
    exposure_objective: float | None = None


class _Sheet:
    """Collects shapes from the top down, on one time axis."""

    def __init__(self, picture: Picture, width: float) -> None:
        self.picture = picture
        self.width = width
        self.narrow = width < 600
        self.left = 10.0 if self.narrow else 168.0
        self.right = width - 14.0
        self.y = 6.0
        self.back: list[str] = []
        self.front: list[str] = []

    def x(self, at: float) -> float:
        picture = self.picture
        share = (at - picture.begin) / max(picture.end - picture.begin, 1e-9)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def heading(self, words: str) -> None:
        self.y += 12
        self.front.append(svg.text(10, self.y + 10, svg.fit(words, self.width - 20, FONT), style="h"))
        self.y += 17

    def label(self, words: str) -> None:
        """The name of a row: in the gutter, or above the row where there is no gutter."""
        room = self.right - self.left if self.narrow else self.left - 18
        if self.narrow:
            self.front.append(svg.text(self.left, self.y + 12, svg.fit(words, room, FONT)))
            self.y += ROW - 2
        else:
            self.front.append(svg.text(self.left - 8, self.y + 12, svg.fit(words, room, FONT), anchor="end"))

    def beside(self, begin: float, end: float, words: str) -> None:
        """Words after a bar, or before it, or over it: where there is room."""
        size = svg.text_width(words, FONT)
        if end + 5 + size <= self.right:
            self.front.append(svg.text(end + 5, self.y + 12, words))
        elif begin - 5 - size >= self.left:
            self.front.append(svg.text(begin - 5, self.y + 12, words, anchor="end"))
        else:
            self.front.append(
                svg.text(self.right, self.y + 12, svg.fit(words, self.right - self.left, FONT), anchor="end")
            )


def draw(picture: Picture, *, width: float, key: str) -> str:
    """One SVG. `key` makes the ids of its title and description unique in the page."""
    sheet = _Sheet(picture, width)
    bottoms = _labels(sheet)
    top = sheet.y
    if picture.recovery:
        _recovery(sheet, picture.recovery)
    if picture.spans:
        sheet.heading("What the team did")
        _bars(sheet, picture.spans)
    if picture.steps:
        sheet.heading("Steps of the procedure")
        _bars(sheet, picture.steps)
    _customers(sheet)
    _exposure(sheet)
    _axis(sheet, top)
    lines = [
        svg.line(sheet.x(mark.at), start, sheet.x(mark.at), sheet.y - 22, f"m {mark.kind}") for mark, start in bottoms
    ]
    note = svg.text(10, sheet.y + 14, svg.fit(picture.note, width - 20, FONT - 1), style="small")
    height = sheet.y + 22
    body = "".join([*sheet.back, *lines, *sheet.front, note])
    return (
        f'<svg role="img" aria-labelledby="{key}-t {key}-d" viewBox="0 0 {svg.n(width)} {svg.n(height)}" '
        f'class="timeline {"narrow" if sheet.narrow else "wide"}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{key}-t">{escape(clean(picture.title))}</title>'
        f'<desc id="{key}-d">{escape(clean(picture.description))}</desc>{body}</svg>\n'
    )


def _labels(sheet: _Sheet) -> list[tuple[Mark, float]]:
    """The marks' labels, as a staircase that falls to the right; returns where each mark's line begins."""
    placed: list[tuple[float, float, int]] = []
    rows: list[tuple[Mark, int]] = []
    for mark in sorted(sheet.picture.marks, key=lambda mark: mark.at):
        at, size = sheet.x(mark.at), svg.text_width(mark.name, FONT) + 8
        flipped = at + size > sheet.right
        begin, end = (max(at - size, 0.0), at) if flipped else (at, at + size)
        row = 1 + max((row for left, right, row in placed if left <= end and begin <= right), default=-1)
        placed.append((begin, end, row))
        rows.append((mark, row))
        x = at - 4 if flipped and at - size >= 0 else 4.0 if flipped else at + 4
        anchor = "end" if flipped and at - size >= 0 else "start"
        words = svg.fit(mark.name, sheet.width - 12, FONT)
        sheet.front.append(svg.text(x, sheet.y + row * 15 + 11, words, style=f"ml {mark.kind}", anchor=anchor))
    starts = [(mark, sheet.y + row * 15) for mark, row in rows]
    sheet.y += 15 * (1 + max((row for _, row in rows), default=-1)) + 4
    return starts


def _recovery(sheet: _Sheet, recovery: Recovery) -> None:
    sheet.heading("Time to recover")
    sheet.label("out of service")
    begin, end, low, high = (sheet.x(at) for at in (0.0, recovery.figure, recovery.low, recovery.high))
    middle = sheet.y + 8
    sheet.front.append(svg.box(begin, sheet.y + 2, end - begin, 12, "rto"))
    sheet.front.append(svg.line(low, middle, high, middle, "whisker"))
    sheet.front += [svg.line(at, middle - 5, at, middle + 5, "whisker") for at in (low, high)]
    sheet.beside(begin, max(end, high), recovery.words)
    sheet.y += ROW
    if recovery.objective is None:
        return
    sheet.label("objective")
    if recovery.objective <= sheet.picture.end:
        at = sheet.x(recovery.objective)
        sheet.front.append(svg.line(at, sheet.y - 16, at, sheet.y + 14, "objective"))
        sheet.beside(at, at, f"objective {limit(recovery.objective)}")
    else:
        words = svg.fit(recovery.beyond, sheet.right - sheet.left - 40, FONT)
        tip, y = sheet.right, sheet.y + 8
        start = max(min(begin, tip - svg.text_width(words, FONT) - 40), sheet.left)
        stop = tip - svg.text_width(words, FONT) - 26
        if stop > start + 12:
            sheet.front.append(svg.line(start, y, stop, y, "objective"))
        sheet.front.append(svg.text(tip - 20, y + 4, words, anchor="end", style="ob"))
        sheet.front.append(
            svg.path([(tip - 15, y), (tip - 2, y), (tip - 8, y - 4), (tip - 2, y), (tip - 8, y + 4)], "arrow")
        )
    sheet.y += ROW


def _bars(sheet: _Sheet, bars: Sequence[Bar]) -> None:
    for bar in bars:
        sheet.label(bar.name)
        begin, end = sheet.x(bar.begin), sheet.x(sheet.picture.end if bar.open else bar.end)
        words = "not ended" if bar.open else length(bar.end - bar.begin)
        sheet.front.append(svg.box(begin, sheet.y + 2, end - begin, 12, bar.kind, title=bar.words or bar.name))
        sheet.beside(begin, end, words)
        sheet.y += ROW


def _frame(sheet: _Sheet, top: float, words: str) -> None:
    sheet.back.append(svg.box(sheet.left, top, sheet.right - sheet.left, PANEL, "panel"))
    if sheet.narrow:
        sheet.front.append(svg.text(sheet.left + 3, top + 12, words, style="small"))
    else:
        sheet.front.append(svg.text(sheet.left - 8, top + 11, words, anchor="end", style="small"))
        sheet.front.append(svg.text(sheet.left - 8, top + PANEL, "0", anchor="end", style="small"))


def _customers(sheet: _Sheet) -> None:
    seconds = sheet.picture.customers
    if seconds is None:
        sheet.heading("What customers saw: nothing, no request is in the ledger")
        return
    wide = _bin(sheet.picture)
    unit = "second" if wide == 1 else f"{wide} seconds"
    sheet.heading(f"What customers saw: requests per {unit}, by when they were due")
    answered, unanswered = _binned(seconds.answered, seconds, wide), _binned(seconds.unanswered, seconds, wide)
    starts = sorted(answered)
    most = max((answered[at] + unanswered[at] for at in starts), default=1) or 1
    top, floor = sheet.y, sheet.y + PANEL
    _frame(sheet, top, f"{most} requests")
    edges = [sheet.x(at) for at in starts] + [sheet.x(starts[-1] + wide)]
    low = [floor - PANEL * answered[at] / most for at in starts]
    high = [floor - PANEL * (answered[at] + unanswered[at]) / most for at in starts]
    ground = [(edges[-1], floor), (edges[0], floor)]
    sheet.back.append(
        svg.path([*svg.stairs(edges, high), *reversed(svg.stairs(edges, low))], "unanswered", closed=True)
    )
    sheet.back.append(svg.path([*svg.stairs(edges, low), *ground], "answered", closed=True))
    sheet.y = floor + 4
    _legend(sheet, (("answered", "answered"), ("unanswered", "not answered, refused or not sent")))
    _latency(sheet, seconds)


def _legend(sheet: _Sheet, entries: Sequence[tuple[str, str]]) -> None:
    x = sheet.left
    for style, words in entries:
        size = svg.text_width(words, FONT - 1) + 24
        if x + size > sheet.right and x > sheet.left:
            x, sheet.y = sheet.left, sheet.y + 15
        sheet.front.append(svg.box(x, sheet.y + 3, 11, 9, style))
        sheet.front.append(svg.text(x + 15, sheet.y + 12, words, style="small"))
        x += size
    sheet.y += 15


def _latency(sheet: _Sheet, seconds: Seconds) -> None:
    slow = [value for value in seconds.slowest if value is not None]
    if not slow:
        return
    sheet.heading("How long answers took, from the moment a request was due")
    top, floor, most = sheet.y, sheet.y + PANEL, max(*slow, 0.001)
    _frame(sheet, top, length(most))
    for values, style in ((seconds.slowest, "p99"), (seconds.median, "p50")):
        run: list[tuple[float, float]] = []
        for at, value in enumerate(values):
            if value is None:
                sheet.back.append(svg.path(run, style))
                run = []
                continue
            y = floor - PANEL * min(max(value / most, 0.0), 1.0)
            run += [(sheet.x(seconds.first + at), y), (sheet.x(seconds.first + at + 1), y)]
        sheet.back.append(svg.path(run, style))
    sheet.y = floor + 4
    _legend(sheet, (("p50 key", "half were faster"), ("p99 key", "99 of 100 were faster")))


def _exposure(sheet: _Sheet) -> None:
    curves = [curve for curve in sheet.picture.exposure if len(curve) > 1]
    if not curves:
        return
    sheet.heading("At risk: age of the oldest acknowledged write not yet in the backup store")
    worst = max(age for curve in curves for _, age in curve)
    goal = sheet.picture.exposure_objective
    shown = goal is not None and goal <= worst * 3
    most = max(worst, goal if shown and goal else 0.0, 0.001) * 1.1
    top, floor = sheet.y, sheet.y + PANEL
    _frame(sheet, top, length(most))
    for curve in curves:
        drawn = [(sheet.x(at), floor - PANEL * age / most) for at, age in curve]
        sheet.back.append(svg.path([*drawn, (drawn[-1][0], floor), (drawn[0][0], floor)], "exposed", closed=True))
    if goal is not None and shown:
        y = floor - PANEL * goal / most
        sheet.back.append(svg.line(sheet.left, y, sheet.right, y, "objective"))
        sheet.front.append(svg.text(sheet.right - 4, y - 4, f"objective {limit(goal)}", anchor="end", style="ob"))
    elif goal is not None:
        words = f"↑ objective {limit(goal)}" + (f", {goal / worst:,.0f} times the worst seen" if worst else "")
        sheet.front.append(svg.text(sheet.right - 4, top + 13, words, anchor="end", style="ob"))
    sheet.y = floor + 4


def _axis(sheet: _Sheet, top: float) -> None:
    picture = sheet.picture
    sheet.y += 6
    sheet.front.append(svg.line(sheet.left, sheet.y, sheet.right, sheet.y, "axis"))
    step = _tick(picture.end - picture.begin, 5 if sheet.narrow else 11)
    at, last = -(-picture.begin // step) * step, -1e9
    while at <= picture.end:
        words = "0" if at == 0 else limit(abs(at)) if at > 0 else "-" + limit(abs(at))
        x, half = sheet.x(at), svg.text_width(words, FONT) / 2
        sheet.back.append(svg.line(x, top, x, sheet.y + 4, "grid"))
        x_text = min(max(x, half + 2), sheet.width - half - 2)
        if x_text - half > last + 6:
            sheet.front.append(svg.text(x_text, sheet.y + 17, words, anchor="middle", style="small"))
            last = x_text + half
        at = round(at + step, 6)
    sheet.y += 22


def _tick(span: float, count: int) -> float:
    """The smallest pleasant step that makes at most `count` ticks."""
    for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800):
        if span / step <= count:
            return float(step)
    return float(86400 * max(1, round(span / 86400 / count)))


def _bin(picture: Picture) -> int:
    """Whole seconds per column, so that there are at most about 400 columns."""
    return max(1, -(-int(picture.end - picture.begin) // 400))


def _binned(values: Sequence[int], seconds: Seconds, wide: int) -> dict[int, int]:
    """Sums of `wide` seconds, from the first to the last second without a gap."""
    found: dict[int, int] = {}
    for at, value in enumerate(values):
        start = (seconds.first + at) // wide * wide
        found[start] = found.get(start, 0) + value
    return found
