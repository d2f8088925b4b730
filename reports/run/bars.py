"""One figure of two packs as a picture: two bars on one scale, with their error bars, and where the objective lies."""

from __future__ import annotations

from xml.sax.saxutils import escape

from reports import svg
from reports.comparison.compare import Figure, Side
from reports.run.sheet import FONT, ROW, Sheet
from reports.words import clean, limit, number, quantity

WIDTH = 480.0
NEAR = 1.5  # an objective up to so many times the greatest value is drawn; one farther away is said
STYLES = {"A": "span", "B": "exposed"}


def draw(figure: Figure, *, key: str) -> str:
    """One SVG; empty where there is nothing to draw. `key` makes the ids in it unique in the page."""
    ends = [each for _, side in figure.sides for each in (side.figure, side.high) if each is not None]
    most = max(ends, default=0.0)
    if most <= 0:
        return ""
    goals = sorted({side.objective for _, side in figure.sides if side.objective is not None})
    drawn = [goal for goal in goals if 0 < goal <= most * NEAR]
    sheet = Sheet(0.0, max([most, *drawn]) * 1.06, WIDTH)
    sheet.heading(figure.name)
    top = sheet.y
    for letter, side in figure.sides:
        _bar(sheet, letter, side)
    floor = sheet.y
    _axis(sheet, top, figure.unit)
    uprights = [piece for goal in drawn for piece in sheet.upright(sheet.x(goal), top, floor, "objective")]
    for goal in goals:
        whose = f" of {', '.join(of)}" if len(of := _holders(figure, goal)) < len(figure.sides) else ""
        words = f"objective{whose} {_value(goal, figure.unit)}"
        if goal in drawn:
            words = f"dashed: {words}"
        elif goal > 0:
            words += f", beyond this scale: {number(round(goal / most, 1))} times the longest bar"
        sheet.text(10, sheet.y + 12, svg.fit(words, WIDTH - 20, FONT), style="small")
        sheet.y += 15
    sheet.text(10, sheet.y + 12, svg.fit(figure.claim.words, WIDTH - 20, FONT))
    height = sheet.y + 20
    described = "; ".join(f"{letter} {_words(side)}" for letter, side in figure.sides)
    return (
        f'<svg role="img" aria-labelledby="{key}-t {key}-d" viewBox="0 0 {svg.n(WIDTH)} {svg.n(height)}" '
        f'class="timeline" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{key}-t">{escape(clean(figure.name))}</title>'
        f'<desc id="{key}-d">{escape(clean(f"{described}; {figure.objective}; {figure.claim.words}"))}</desc>'
        f"{''.join([*sheet.back, *sheet.front, *uprights])}</svg>\n"
    )


def _holders(figure: Figure, goal: float) -> list[str]:
    return [letter for letter, side in figure.sides if side.objective == goal]


def _bar(sheet: Sheet, letter: str, side: Side) -> None:
    """A row with the bar from zero to the figure; the whiskers are the error bar, an arrow means: at least."""
    end = sheet.x(side.figure or 0.0)
    sheet.row(letter, _words(side), sheet.left, end)
    if side.figure is not None:
        sheet.front.append(svg.box(sheet.left, sheet.y + 2, end - sheet.left, 12, STYLES[letter]))
    middle, bar = sheet.y + 8, side.bar()
    if bar and side.lower_bound:
        tip = sheet.right
        sheet.front.append(svg.line(end, middle, tip, middle, "whisker"))
        sheet.front += [svg.line(tip - 6, middle + rise, tip, middle, "whisker") for rise in (-5, 5)]
    elif bar and bar[0] < bar[2]:
        low, high = sheet.x(bar[0]), sheet.x(bar[2])
        sheet.front.append(svg.line(low, middle, high, middle, "whisker"))
        sheet.front += [svg.line(at, middle - 5, at, middle + 5, "whisker") for at in (low, high)]
    sheet.y += ROW


def _words(side: Side) -> str:
    return f"{side.environment}, {side.words}" + (f", {side.outcome}" if side.outcome else "")


def _axis(sheet: Sheet, top: float, unit: str) -> None:
    """The scale in seconds, or in plain numbers."""
    if unit == "s":
        sheet.axis(top)
        return
    sheet.y += 6
    sheet.front.append(svg.line(sheet.left, sheet.y, sheet.right, sheet.y, "axis"))
    step = _step(sheet.end / 4)
    for count in range(int(sheet.end / step) + 1):
        x, words = sheet.x(count * step), number(count * step)
        sheet.front.append(svg.line(x, top, x, sheet.y + 4, "grid"))
        half = svg.text_width(words, FONT) / 2
        sheet.text(min(max(x, half + 2), sheet.width - half - 2), sheet.y + 17, words, anchor="middle", style="small")
    sheet.y += 22


def _step(least: float) -> float:
    """The next 1, 2 or 5 with zeros."""
    power = 1.0
    while power * 10 <= least:
        power *= 10
    return next(power * each for each in (1, 2, 5, 10) if power * each >= least)


def _value(goal: float, unit: str) -> str:
    return limit(goal) if unit == "s" else quantity(goal, unit)
