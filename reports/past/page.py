"""The history on one page that needs nothing else, in the look of a pack's own page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from markupsafe import Markup

from reports import svg
from reports.past.history import History, Trend, point_words
from reports.run.page import TEMPLATES, templates
from reports.words import SYMBOLS, clean, length

WIDTH, HEIGHT = 480.0, 190.0
LEFT, RIGHT, TOP, FLOOR = 62.0, 466.0, 14.0, 150.0


@dataclass(frozen=True)
class Shown:
    """A trend with its picture."""

    trend: Trend
    picture: Markup


def html(told: History) -> str:
    """The page. The same packs, plan, waivers and day give the same bytes."""
    return (
        templates()
        .get_template("history.html")
        .render(
            told=told,
            # the SVG was escaped where it was made: reports/svg.py
            trends=[Shown(trend, Markup(draw(trend, key=f"t{at}"))) for at, trend in enumerate(told.trends, start=1)],
            symbols=SYMBOLS,
            style=Markup(TEMPLATES["style.css"]),  # ours, not the packs'
        )
    )


def draw(trend: Trend, *, key: str) -> str:
    """One dot a run, with its error bar; an arrow means: at least. The dashed line is the gate's limit."""
    points = trend.points
    limit = trend.slower.limit if trend.slower else None
    most = max([*(point.figure.high or point.figure.figure for point in points), limit or 0.0, 0.001]) * 1.08
    step = (RIGHT - LEFT) / max(len(points), 1)

    def y(figure: float) -> float:
        return FLOOR - (FLOOR - TOP) * min(max(figure / most, 0.0), 1.0)

    shapes = [svg.line(LEFT, FLOOR, RIGHT, FLOOR, "axis")]
    for share in (0.0, 0.5, 1.0):
        mark = most / 1.08 * share
        shapes.append(svg.line(LEFT - 4, y(mark), RIGHT, y(mark), "grid"))
        shapes.append(svg.text(LEFT - 7, y(mark) + 4, length(mark, like=most), style="small", anchor="end"))
    for at, point in enumerate(points):
        x, figure = LEFT + (at + 0.5) * step, point.figure
        top = y(figure.figure) - 16 if figure.lower_bound else y(figure.high or figure.figure)
        shapes.append(svg.line(x, y(figure.low if figure.low is not None else figure.figure), x, top, "whisker"))
        if figure.lower_bound:
            shapes += [svg.line(x + side, top + 5, x, top, "whisker") for side in (-4, 4)]
        words = f"{point.run}, {point.began}: {point_words(figure)}"
        style = "bad" if figure.outcome == "MISSED" else "span"
        shapes.append(svg.box(x - 3.5, y(figure.figure) - 3.5, 7, 7, style, title=words))
    for point, x, anchor in ((points[0], LEFT, "start"), (points[-1], RIGHT, "end"))[: min(len(points), 2)]:
        shapes.append(svg.text(x, FLOOR + 16, point.began, style="small", anchor=anchor))
    if limit is not None:
        shapes.append(svg.line(LEFT, y(limit), RIGHT, y(limit), "objective"))
    shapes.append(svg.text(LEFT, FLOOR + 34, svg.fit(trend.said, WIDTH - LEFT - 8, 12)))
    told = "; ".join(f"{point.began} {point_words(point.figure)}" for point in points)
    name = f"{trend.title}: {trend.what}"
    return (
        f'<svg role="img" aria-labelledby="{key}-t {key}-d" viewBox="0 0 {svg.n(WIDTH)} {svg.n(HEIGHT)}" '
        f'class="timeline" xmlns="http://www.w3.org/2000/svg"><title id="{key}-t">{escape(clean(name))}</title>'
        f'<desc id="{key}-d">{escape(clean(told))}</desc>{"".join(shapes)}</svg>\n'
    )
