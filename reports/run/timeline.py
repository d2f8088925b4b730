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
from reports.run import panels
from reports.run.customers import Answered, Seconds
from reports.run.losses import Curve
from reports.run.moments import Tick
from reports.run.regions import NONE, Regions
from reports.run.sheet import FONT, ROW, Sheet
from reports.words import clean, length, limit

PAGE = 1150.0  # as tall as fits a page of paper at the page's width
AXIS = 30.0


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
    unbroken: bool = False  # customers were served all along: there is no bar to draw, only how far the error bar goes
    since: float = 0.0  # seconds after zero from which it counts


@dataclass(frozen=True)
class Picture:
    title: str
    description: str
    note: str  # environment, sandbox level and size: the picture carries them itself
    begin: float
    end: float
    marks: tuple[Mark, ...]
    spans: tuple[Bar, ...]
    steps: tuple[Bar, ...]
    recovery: Recovery | None
    doer: tuple[str, str]  # who did what the spans and steps are, and by what
    customers: Seconds | None
    exposure: tuple[Curve, ...] = ()
    exposure_objective: float | None = None
    behind: tuple[Curve, ...] = ()  # what the second region had not received
    alerts: tuple[Tick, ...] = ()
    nameable: bool = True  # a fault hurts something that an alert could name
    answers: tuple[Answered, ...] = ()
    told: tuple[Bar, ...] = ()  # messages, a row for each whom they were for
    regions: Regions = NONE
    history: str = "history"  # what each history of the database is called


def draw(picture: Picture, *, width: float, key: str) -> str:
    """One SVG. `key` makes the ids of its title and description unique in the page."""
    names = {bar.name for bar in (*picture.spans, *picture.steps)} | {each.group for each in picture.answers}
    sheet = Sheet(picture.begin, picture.end, width, names)
    bottoms = _labels(sheet, picture.marks)
    top = sheet.y
    if picture.recovery:
        _recovery(sheet, picture.recovery)
    if picture.spans:
        who, how = picture.doer
        sheet.heading(f"What {who} did{how}")
        _bars(sheet, picture.spans)
    if picture.steps:
        sheet.heading("Steps of the procedure")
        _bars(sheet, picture.steps)
    if picture.told:
        sheet.heading("Who was told, until they answered or had it", "Who was told")
        _bars(sheet, picture.told)
    panels.alerts(sheet, picture.alerts, nameable=picture.nameable)
    panels.customers(sheet, picture.customers, outside=any(each.inside for each in picture.answers))
    panels.answers(sheet, picture.answers, history=picture.history)
    panels.regions(sheet, picture.regions)
    panels.exposure(sheet, picture.exposure, picture.exposure_objective)
    panels.exposure(sheet, picture.behind, None, safe="received in the second region", to_the_end=False)
    axis = len(sheet.front), sheet.y
    sheet.axis(top)
    lines = [
        piece
        for mark, start in bottoms
        for piece in sheet.upright(sheet.x(mark.at), start, sheet.y - 22, f"m {mark.kind}")
    ]
    lowest = sheet.y + 14
    notes = svg.wrap(picture.note, width - 20, FONT - 1)
    note = [svg.text(10, lowest + 14 * place, words, style="small") for place, words in enumerate(notes)]
    height = lowest + 14 * len(notes) - 6
    sheet.front[axis[0] :] = [f'<g id="{key}-axis">', *sheet.front[axis[0] :], "</g>"]
    body = "".join(['<g id="', key, '-body">', *sheet.back, *lines, *sheet.front, *note, "</g>"])
    pages = _pages(sheet, height, axis=axis[1], key=key)
    return (
        f'<svg role="img" aria-labelledby="{key}-t {key}-d" viewBox="0 0 {svg.n(width)} {svg.n(height)}" '
        f'class="timeline {"narrow" if sheet.narrow else "wide tall" if pages else "wide"}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{key}-t">{escape(clean(picture.title))}</title>'
        f'<desc id="{key}-d">{escape(clean(picture.description))}</desc>{body}</svg>\n{pages}'
    )


def _pages(sheet: Sheet, height: float, *, axis: float, key: str) -> str:
    """The same picture in pieces, for paper: what is too tall for a page is broken at headings, and each piece has the
    axis of time below it. Empty where it is not too tall."""
    if sheet.narrow or height <= PAGE:
        return ""
    found: list[str] = []
    top = 0.0
    while top < height:
        fits = [at for at in sheet.headings if top < at <= top + PAGE - AXIS]
        end = height if height - top <= PAGE or not fits else fits[-1]
        last = end == height
        more = "" if last else f'<use href="#{key}-axis" y="{svg.n(end - axis)}"/>'
        clip = f'<clipPath id="{key}-{len(found)}"><rect x="0" y="{svg.n(top)}" width="{svg.n(sheet.width)}" '
        clip += f'height="{svg.n(end - top)}"/></clipPath>'
        found.append(
            f'<svg aria-hidden="true" viewBox="0 {svg.n(top)} {svg.n(sheet.width)} '
            f'{svg.n(end - top + (0 if last else AXIS))}" class="timeline page" xmlns="http://www.w3.org/2000/svg">'
            f'{clip}<g clip-path="url(#{key}-{len(found)})"><use href="#{key}-body"/></g>{more}</svg>\n'
        )
        top = end
    return "".join(found)


def _labels(sheet: Sheet, marks: Sequence[Mark]) -> list[tuple[Mark, float]]:
    """The marks' labels, as a staircase that falls to the right; returns where each mark's line begins."""
    placed: list[tuple[float, float, int]] = []
    rows: list[tuple[Mark, int]] = []
    for mark in sorted(marks, key=lambda mark: mark.at):
        at, size = sheet.x(mark.at), svg.text_width(mark.name, FONT) + 8
        flipped = at + size > sheet.right
        begin, end = (max(at - size, 0.0), at) if flipped else (at, at + size)
        row = 1 + max((row for left, right, row in placed if left <= end + 8 and begin - 8 <= right), default=-1)
        placed.append((begin, end, row))
        rows.append((mark, row))
        x = at - 4 if flipped and at - size >= 0 else 4.0 if flipped else at + 4
        anchor = "end" if flipped and at - size >= 0 else "start"
        words = svg.fit(mark.name, sheet.width - 12, FONT)
        sheet.text(x, sheet.y + row * 15 + 11, words, style=f"ml {mark.kind}", anchor=anchor)
    starts = [(mark, sheet.y + row * 15) for mark, row in rows]
    sheet.y += 15 * (1 + max((row for _, row in rows), default=-1)) + 4
    return starts


def _recovery(sheet: Sheet, recovery: Recovery) -> None:
    sheet.heading("Service to customers" if recovery.unbroken else "Time to recover")
    begin, end, low, high = (sheet.x(recovery.since + at) for at in (0.0, recovery.figure, recovery.low, recovery.high))
    if recovery.lower_bound:
        end = high = sheet.right
    place = len(sheet.front)
    sheet.row("all along" if recovery.unbroken else "recovery time", recovery.words, begin, max(end, high))
    bar = [] if recovery.unbroken else [svg.box(begin, sheet.y + 2, end - begin, 12, "rto")]
    if not recovery.lower_bound:
        middle = sheet.y + 8
        bar.append(svg.line(low, middle, high, middle, "whisker"))
        bar += [svg.line(at, middle - 5, at, middle + 5, "whisker") for at in (low, high)]
    sheet.front[place:place] = bar
    sheet.y += ROW
    if recovery.objective is not None:
        _objective(sheet, recovery, recovery.objective)


def _objective(sheet: Sheet, recovery: Recovery, objective: float) -> None:
    """A line where it lies in the picture, else an arrow that says how far it is."""
    if objective <= sheet.end:
        at = sheet.x(recovery.since + objective)
        above = sheet.y - ROW + 1
        sheet.row("objective", limit(objective), at, at)
        sheet.front.append(svg.line(at, above, at, sheet.y + 14, "objective"))
    else:
        room = 0.0 if sheet.narrow else svg.text_width(recovery.beyond, FONT) + 28
        sheet.row(
            "objective",
            recovery.beyond.removeprefix("objective ") if sheet.narrow else recovery.beyond,
            sheet.right,
            sheet.right - room,
        )
        tip, y = sheet.right - 2, sheet.y + 8
        start = sheet.x(0.0)
        sheet.front.append(svg.line(start, y, max(start, tip - room - 6), y, "objective"))
        arrow = [(tip - 14, y), (tip, y), (tip - 6, y - 4), (tip, y), (tip - 6, y + 4)]
        sheet.front.append(svg.path(arrow, "arrow"))
    sheet.y += ROW


def _bars(sheet: Sheet, bars: Sequence[Bar]) -> None:
    """One row a name; what happened in several stretches has several bars in it, and their sum beside them."""
    for name in dict.fromkeys(bar.name for bar in bars):
        row = [bar for bar in bars if bar.name == name]
        ends = [(sheet.x(bar.begin), sheet.x(sheet.end if bar.open else bar.end)) for bar in row]
        words = "not ended" if row[-1].open else length(sum(bar.end - bar.begin for bar in row))
        words += ", FAILED" if any(bar.kind == "bad" for bar in row) else ""
        place = len(sheet.front)
        widest = max(ends, key=lambda bar: bar[1] - bar[0])
        sheet.row(name, words, ends[0][0], ends[-1][1], inside=widest)
        sheet.front[place:place] = [
            svg.box(begin, sheet.y + 2, end - begin, 12, bar.kind, title=bar.words or bar.name)
            for bar, (begin, end) in zip(row, ends, strict=True)
        ]
        sheet.y += ROW
