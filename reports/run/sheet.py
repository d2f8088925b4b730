"""The ground of a picture: shapes collected from the top down, on one time axis, at a given width."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import NamedTuple

from reports import svg
from reports.words import limit

FONT = 12.0
ROW = 17.0
PANEL = 84.0
GUTTER = 18.0  # beside a name
BOLD = 1.05  # bold letters are wider than `svg.text_width` says; others are narrower


HOLLOW = ("unsaid",)  # bars that no words can lie in


class Stretch(NamedTuple):
    """A bar, in pixels."""

    begin: float
    end: float
    style: str
    label: str
    title: str


class Sheet:
    """Collects shapes. `begin` and `end` are the axis' ends in seconds, `width` is in pixels."""

    def __init__(self, begin: float, end: float, width: float, names: Collection[str] = ()) -> None:
        """`names`: of rows; the gutter has room for them."""
        self.begin = begin
        self.end = end
        self.width = width
        self.narrow = width < 600
        longest = max((svg.text_width(name, FONT) for name in names), default=0.0)
        self.left = 10.0 if self.narrow else min(max(190.0, longest + GUTTER), width / 3)
        self.right = width - 14.0
        self.y = 6.0
        self.headings: list[float] = []  # where each begins: a page may be broken there
        self.back: list[str] = []
        self.front: list[str] = []
        self._words: list[tuple[float, float, float, float]] = []  # left, right, top, bottom of what is written

    def x(self, at: float) -> float:
        share = (at - self.begin) / max(self.end - self.begin, 1e-9)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def text(self, x: float, y: float, words: str, *, style: str = "", anchor: str = "start") -> None:
        """Write words in front of all else; `y` is the line they stand on."""
        size = svg.text_width(words, FONT) * BOLD
        left = x - size * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        self._words.append((left - 2, left + size + 2, y - FONT, y + 4))
        self.front.append(svg.text(x, y, words, style=style, anchor=anchor))

    def upright(self, x: float, top: float, floor: float, style: str) -> list[str]:
        """A line down from `top`, left out where it would cross words: to be drawn when all words are written."""
        pieces = []
        across = sorted((high, low) for left, right, high, low in self._words if left < x < right)
        for high, low in [*across, (floor, floor)]:
            if min(high, floor) - top > 1:
                pieces.append(svg.line(x, top, x, min(high, floor), style))
            top = max(top, low)
        return pieces

    def heading(self, words: str, short: str = "") -> None:
        """On as many lines as it takes."""
        self.headings.append(self.y)
        self.y += 12
        lines = svg.wrap((self.narrow and short) or words, (self.width - 20) / BOLD, FONT)
        for line in lines:
            self.text(10, self.y + 10, line, style="h")
            self.y += 15
        self.y += 2

    def row(
        self, name: str, words: str, begin: float, end: float, *, inside: tuple[float, float] | None = None
    ) -> None:
        """Name a row and what lasted from `begin` to `end` (pixels): in the gutter and beside the bar, or above it.

        `inside`: of several bars in the row the one that words may lie in.
        """
        first, last = inside or (begin, end)
        if self.narrow:
            self._above(f"{name}: {words}")
            return
        size = svg.text_width(words, FONT) * BOLD
        behind, before = end + 5 + size <= self.right, begin - 5 - size >= self.left
        within = size + 8 <= last - first
        if not (behind or before or within):
            self._above(words)
        self.name(name)
        if behind:
            self.text(end + 5, self.y + 12, words)
        elif before:
            self.text(begin - 5, self.y + 12, words, anchor="end")
        elif within:
            self.text(last - 5, self.y + 12, words, anchor="end", style="in")

    def name(self, name: str) -> None:
        """Of a row, in the gutter."""
        self.text(self.left - 8, self.y + 12, svg.fit(name, self.left - GUTTER, FONT), anchor="end")

    def stretches(self, name: str, bars: Sequence[Stretch]) -> None:
        """A row of bars in order, each with its own label: in it where there is room, else behind it, else nowhere."""
        if self.narrow:
            labels = [label for label, _ in groupby(each.label for each in bars if each.label)]
            self._above(name if labels == [name] else f"{name}: {', then '.join(labels)}")
        else:
            self.name(name)
        for place, (begin, end, style, label, title) in enumerate(bars):
            self.front.append(svg.box(begin, self.y + 2, max(end - begin, 1.5), 12, style, title=title))
            free = bars[place + 1].begin if place + 1 < len(bars) else self.right + 5
            size = svg.text_width(label, FONT) * BOLD
            if self.narrow or not label:
                continue
            if size + 8 <= end - begin and style not in HOLLOW:
                self.text((begin + end) / 2, self.y + 12, label, anchor="middle", style="in")
            elif end + 5 + size + 5 <= free:
                self.text(end + 5, self.y + 12, label)
        self.y += ROW

    def _above(self, words: str) -> None:
        """On lines of their own."""
        for line in svg.wrap(words, self.right - self.left, FONT):
            self.text(self.left, self.y + 12, line)
            self.y += ROW - 2

    def frame(self, top: float, words: str, *, at: float | None = None) -> None:
        """The ground of a panel, with what its greatest height means (`at` that height, or at the top)."""
        y = top if at is None else at
        self.back.append(svg.box(self.left, top, self.right - self.left, PANEL, "panel"))
        if self.narrow:
            self.text(self.left + 3, y + 12, words, style="small")
        else:
            self.back.append(svg.line(self.left - 4, y, self.left, y, "axis"))
            self.text(self.left - 8, y + 8, words, anchor="end", style="small")
            self.text(self.left - 8, top + PANEL, "0", anchor="end", style="small")

    def axis(self, top: float) -> None:
        """Ticks from `top` down to here, and their names."""
        self.y += 6
        self.front.append(svg.line(self.left, self.y, self.right, self.y, "axis"))
        step = _tick(self.end - self.begin, 5 if self.narrow else 11)
        at, last = -(-self.begin // step) * step, -1e9
        while at <= self.end:
            words = "0" if at == 0 else limit(abs(at)) if at > 0 else "-" + limit(abs(at))
            x, half = self.x(at), svg.text_width(words, FONT) / 2
            self.back.append(svg.line(x, top, x, self.y + 4, "grid"))
            x_text = min(max(x, half + 2), self.width - half - 2)
            if x_text - half > last + 6:
                self.text(x_text, self.y + 17, words, anchor="middle", style="small")
                last = x_text + half
            at = round(at + step, 6)
        self.y += 22


def _tick(span: float, count: int) -> float:
    """The smallest pleasant step that makes at most `count` ticks."""
    for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800):
        if span / step <= count:
            return float(step)
    return float(86400 * max(1, round(span / 86400 / count)))
