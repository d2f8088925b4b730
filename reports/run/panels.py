"""The panels of a picture: what customers saw, how long answers took, and what was at risk."""

from __future__ import annotations

from collections.abc import Sequence

from reports import svg
from reports.run.customers import Answered, Seconds
from reports.run.losses import Curve
from reports.run.moments import Tick
from reports.run.regions import LOOKED, Regions
from reports.run.regions import Stretch as Seen
from reports.run.sheet import FONT, PANEL, ROW, Sheet, Stretch
from reports.words import length, limit

STYLES = 4  # colours of histories, before they begin anew
NOT_JUDGED = "not judged from here on"


def customers(sheet: Sheet, seconds: Seconds | None, *, outside: bool = False) -> None:
    """Answered and unanswered requests, stacked; and how long the answers took. `outside`: there are others inside."""
    if seconds is None:
        sheet.heading("What customers saw: nothing, no request is in the ledger", "Customers: no request in the ledger")
        return
    wide = _bin(sheet)
    unit = "second" if wide == 1 else f"{wide} seconds"
    if outside:
        sheet.heading(
            f"What customers outside saw: requests per {unit}, by when due; those inside a zone are not counted",
            f"Requests due per {unit}, outside only",
        )
    else:
        sheet.heading(f"What customers saw: requests per {unit}, by when they were due", f"Requests due per {unit}")
    answered, unanswered = _binned(seconds.answered, seconds, wide), _binned(seconds.unanswered, seconds, wide)
    starts = sorted(answered)
    most = max((answered[at] + unanswered[at] for at in starts), default=1) or 1
    top, floor = sheet.y, sheet.y + PANEL
    sheet.frame(top, f"{most} requests")
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


def answers(sheet: Sheet, told: Sequence[Answered], *, history: str) -> None:
    """Who was answered from which history, and when: one row a group, one bar a history; what it is called."""
    histories = sorted({each.history for each in told})
    if len(histories) < 2 and not any(each.inside for each in told):
        return
    sheet.heading(f"Who was answered from which {history} of the database, and when", f"Answered from which {history}")
    style = {each: f"tl{place % STYLES}" for place, each in enumerate(histories)}
    for group in dict.fromkeys(each.group for each in told):
        sheet.stretches(
            group,
            [
                Stretch(
                    sheet.x(each.first),
                    sheet.x(each.last),
                    style[each.history],
                    f"{history} {each.history}",
                    f"{history} {each.history}: {each.many:,} answers",
                )
                for each in told
                if each.group == group
            ],
        )
    alike = {one: ", ".join(str(each) for each in histories if style[each] == one) for one in style.values()}
    _legend(sheet, [(one, f"{history} {named}") for one, named in alike.items()])


def regions(sheet: Sheet, seen: Regions) -> None:
    """Both sides of a failover between regions, in the same colours in every row."""
    keys = [(seen.style(name), name) for name in seen.names]
    for heading, short, stretches in (
        ("Whose database stored what customers wrote", "Whose database stored", seen.stored),
        ("From where each group of customers was answered", "Answered from where", seen.answered),
        ("What the resolver of each group said", "What resolvers said", seen.resolved),
    ):
        if stretches:
            sheet.heading(heading, short)
            _stretches(sheet, stretches, seen)
    if seen.stored or seen.resolved:
        other = any(each.region not in seen.names for each in seen.resolved)
        _legend(sheet, [*keys, *([(seen.style(""), "an address of none of them, or nothing")] if other else [])])
    if seen.writable:
        sheet.heading(
            "Whether the lost region takes writes, as looks saw it: judged from its fence until it is to lead again",
            "Takes writes (judged from fence to lead)",
        )
        _stretches(sheet, seen.writable, seen)
        styles = {each.style for each in seen.writable}
        _legend(sheet, [(style, words) for style, words in LOOKED if style in styles])


def _stretches(sheet: Sheet, stretches: Sequence[Seen], seen: Regions) -> None:
    """A row for each name; what lies outside of the picture is cut off at its edge."""
    for name in dict.fromkeys(each.row for each in stretches):
        row = [each for each in stretches if each.row == name and each.end >= sheet.begin and each.begin <= sheet.end]
        if row:
            sheet.stretches(
                name,
                [
                    Stretch(
                        sheet.x(max(each.begin, sheet.begin)),
                        sheet.x(min(each.end, sheet.end)),
                        each.style or seen.style(each.region),
                        each.label,
                        each.words,
                    )
                    for each in row
                ],
            )


def alerts(sheet: Sheet, ticks: Sequence[Tick], *, nameable: bool) -> None:
    """Every alert that came in: those that name what was hurt stand out, where one could (`nameable`)."""
    if not ticks:
        return
    right = sum(tick.right for tick in ticks)
    told = f"{right} of them name{'s' if right == 1 else ''} what was hurt"
    words = f"{len(ticks)} firing, {told if nameable else 'and none of them can see this fault'}"
    sheet.heading(f"What the monitoring told operations: {words}", f"Monitoring told: {words}")
    if not sheet.narrow:
        sheet.name("alerts")
    for tick in ticks:
        style, high = ("told", 14) if tick.right else ("symptom", 8)
        sheet.front.append(svg.box(sheet.x(tick.at) - 1.5, sheet.y + 8 - high / 2, 3, high, style, title=tick.words))
    sheet.y += ROW
    entries = [("told", "names what was hurt")] if right else []
    _legend(sheet, [*entries, *([("symptom", "names something else")] if right < len(ticks) else [])])


def _legend(sheet: Sheet, entries: Sequence[tuple[str, str]]) -> None:
    x = sheet.left
    for style, words in entries:
        size = svg.text_width(words, FONT - 1) + 24
        if x + size > sheet.right and x > sheet.left:
            x, sheet.y = sheet.left, sheet.y + 15
        sheet.front.append(svg.box(x, sheet.y + 3, 11, 9, style))
        sheet.text(x + 15, sheet.y + 12, words, style="small")
        x += size
    sheet.y += 15


def _latency(sheet: Sheet, seconds: Seconds) -> None:
    slow = [value for value in seconds.slowest if value is not None]
    if not slow:
        return
    sheet.heading("How long answers took, from the moment a request was due", "How long answers took")
    top, floor, most = sheet.y, sheet.y + PANEL, max(*slow, 0.001)
    sheet.frame(top, length(most))
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


def exposure(
    sheet: Sheet,
    samples: Sequence[Curve],
    goal: float | None,
    *,
    safe: str = "in the backup store",
    to_the_end: bool = True,
) -> None:
    """The age of the oldest write that a disaster would have cost, with the objective where it fits. `safe`: what a
    write has to be; `to_the_end`: whether all of the time is judged: where nothing is drawn, nothing was at risk.
    """
    curves = [curve for curve in samples if len(curve) > 1]
    if not curves:
        return
    worst = max(age for curve in curves for _, age in curve)
    if not worst:
        sheet.heading(f"At risk: every acknowledged write that was looked at was {safe}", "No write was seen at risk")
        return
    sheet.heading(
        f"At risk: age of the oldest acknowledged write not yet {safe}",
        f"Oldest write not yet {safe}",
    )
    shown = goal is not None and goal <= worst * 3
    most = max(worst, goal if shown and goal else 0.0, 0.001) * 1.25
    top, floor = sheet.y, sheet.y + PANEL
    sheet.frame(top, f"worst {length(worst)}", at=floor - PANEL * worst / most)
    for curve in curves:
        drawn = [(sheet.x(at), floor - PANEL * age / most) for at, age in curve]
        sheet.back.append(svg.path([*drawn, (drawn[-1][0], floor), (drawn[0][0], floor)], "exposed", closed=True))
    if goal is not None and shown:
        y = floor - PANEL * goal / most
        sheet.back.append(svg.line(sheet.left, y, sheet.right, y, "objective"))
        sheet.text(sheet.right - 4, y - 4, f"objective {limit(goal)}", anchor="end", style="ob")
    elif goal is not None:
        words = f"↑ objective {limit(goal)}" + (f", {goal / worst:,.0f} times the worst seen" if worst else "")
        sheet.text(sheet.right - 4, top + 13, words, anchor="end", style="ob")
    last = sheet.x(max(at for curve in curves for at, _ in curve)) + 6
    if not to_the_end and last + svg.text_width(NOT_JUDGED, FONT) < sheet.right:
        sheet.text(last, floor - PANEL / 2, NOT_JUDGED, style="small")
    sheet.y = floor + 4


def _bin(sheet: Sheet) -> int:
    """Whole seconds per column, so that there are at most about 400 columns."""
    return max(1, -(-int(sheet.end - sheet.begin) // 400))


def _binned(values: Sequence[int], seconds: Seconds, wide: int) -> dict[int, int]:
    """Sums of `wide` seconds, from the first to the last second without a gap."""
    found: dict[int, int] = {}
    for at, value in enumerate(values):
        start = (seconds.first + at) // wide * wide
        found[start] = found.get(start, 0) + value
    return found
