"""A few SVG shapes as text. Everything is rounded to a tenth of a pixel, so the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from reports.words import clean

LETTER = 0.56  # width of an average letter of a sans-serif font, as a share of its size: measured, rounded up


def text_width(text: str, size: float) -> float:
    """Rough width in pixels, on the wide side."""
    return sum(1.0 if ord(char) > 0x2E7F else 0.8 if char in "MWmw@%" else LETTER for char in text) * size


def fit(text: str, room: float, size: float) -> str:
    """The text, or as much of it as fits `room` with an ellipsis."""
    text = " ".join(clean(text).split())
    if text_width(text, size) <= room:
        return text
    while text and text_width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def wrap(text: str, room: float, size: float) -> list[str]:
    """The text on as many lines as it takes; a word that is wider than `room` has a line of its own."""
    lines: list[str] = []
    for word in clean(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def n(value: float) -> str:
    """A coordinate: `12`, `12.5`, never `-0`."""
    rounded = round(value, 1) + 0.0
    return f"{rounded:g}" if abs(rounded) < 1e5 else f"{rounded:.0f}"


def text(x: float, y: float, words: str, *, style: str = "", anchor: str = "start") -> str:
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{n(x)}" y="{n(y)}" class={quoteattr(("t " + style).strip())}{at}>{escape(clean(words))}</text>'


def box(x: float, y: float, width: float, height: float, style: str, *, title: str = "") -> str:
    shape = f'<rect x="{n(x)}" y="{n(y)}" width="{n(max(width, 0.8))}" height="{n(height)}" class="{style}"'
    return f"{shape}><title>{escape(clean(title))}</title></rect>" if title else f"{shape}/>"


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{n(x1)}" y1="{n(y1)}" x2="{n(x2)}" y2="{n(y2)}" class="{style}"/>'


def path(points: Sequence[tuple[float, float]], style: str, *, closed: bool = False) -> str:
    if not points:
        return ""
    steps = " ".join(f"{n(x)},{n(y)}" for x, y in points)
    return f'<path d="M{steps}{"Z" if closed else ""}" class="{style}"/>'


def stairs(edges: Sequence[float], heights: Sequence[float]) -> list[tuple[float, float]]:
    """The outline of columns: edge 0, height 0, edge 1, height 1, … `edges` is one longer than `heights`."""
    points: list[tuple[float, float]] = []
    for at, height in enumerate(heights):
        points += [(edges[at], height), (edges[at + 1], height)]
    return points
