"""The calendar file: one repeating event a duty, as RFC 5545 wants it. Pure; the same plan gives the same bytes.

A small fixed subset is written here, without a library: days without a time of day, one rule each, one alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import sha256

from harness.duties.dates import DECEMBER, dates
from harness.plan import Duty, Plan
from harness.plan.shape import ORDINALS, WEEKDAYS

LINE = 75  # octets, without the CRLF


def calendar(plan: Plan) -> bytes:
    """The whole file. A duty keeps its UID for good, so that importing it again changes events and adds none."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//drdrill//the drills of a plan//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(plan.name)}",
    ]
    for duty in plan.calendar:
        lines += _event(duty, plan)
    return b"".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _event(duty: Duty, plan: Plan) -> Iterator[str]:
    day = dates(duty, since=plan.last_updated, count=1)[0]
    state = " (not built)" if duty.not_built else ""
    how = f"Run it with: drdrill run {duty.drill}." if not duty.not_built else f"Not built: {duty.not_built}."
    others = f" Together with: {', '.join(duty.together_with)}." if duty.together_with else ""
    by = "" if duty.day else "Due by this day. "
    yield "BEGIN:VEVENT"
    yield f"UID:{duty.drill}.{sha256(plan.name.encode()).hexdigest()[:16]}@drdrill"
    yield f"DTSTAMP:{plan.last_updated:%Y%m%d}T000000Z"
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}"
    yield f"RRULE:{_rule(duty)}"
    yield f"SUMMARY:{_text(f'Drill: {duty.title}{state}')}"
    yield f"DESCRIPTION:{_text(f'{by}{how}{others} Demand {duty.demand}, plan version {plan.version}.')}"
    yield f"CATEGORIES:{duty.cadence}"
    yield "TRANSP:TRANSPARENT"
    if not duty.not_built:
        yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(duty.title)}", "TRIGGER:-P1D", "END:VALARM")
    yield "END:VEVENT"


def _rule(duty: Duty) -> str:
    months = sorted(duty.months) or ([DECEMBER] if duty.cadence == "annual" else [])
    by_month = f";BYMONTH={','.join(map(str, months))}" if months else ""
    if duty.day is None:
        return f"FREQ=YEARLY{by_month};BYMONTHDAY=-1"
    ordinal, weekday = duty.day
    nth = -1 if ordinal == "last" else ORDINALS.index(ordinal) + 1
    assert weekday in WEEKDAYS, "the plan was checked"
    return f"FREQ=MONTHLY{by_month};BYDAY={nth}{weekday[:2].upper()}"


def _text(words: str) -> str:
    for mark, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r", ""), ("\n", "\\n")):
        words = words.replace(mark, written)
    return words


def _folded(line: str) -> bytes:
    """One line, folded between characters so that no part has more than 75 octets; ended by CRLF."""
    return b"\r\n ".join(_cut(line)) + b"\r\n"


def _cut(line: str) -> Iterable[bytes]:
    part = b""
    room = LINE
    for char in line:
        octets = char.encode()
        if len(part) + len(octets) > room:
            yield part
            part, room = b"", LINE - 1  # the space that begins a folded line
        part += octets
    yield part
