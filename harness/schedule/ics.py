"""The calendar file: one repeating event a duty, as RFC 5545 wants it. Pure.

A small fixed subset is written here, without a library: days without a time of day, one rule each, one alarm.

A calendar takes an event that it has already only where its SEQUENCE is higher (RFC 5546, 2.1.5). So each event is
compared with the one of the same UID in the file that is written over: where nothing of it has changed, its SEQUENCE
and DTSTAMP stay. An event that is new or changed has the fifths of a second since 2024 as its SEQUENCE: that is higher
than any that was written before, also where the older file is not at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from harness.plan import Duty, Plan
from harness.plan.shape import ORDINALS, WEEKDAYS
from harness.schedule import least
from harness.schedule.dates import DECEMBER, dates

LINE = 75  # octets, without the CRLF
MAKER = "PRODID:-//drdrill//the drills of a plan//EN"
FIRST = datetime(2024, 1, 1, tzinfo=UTC)  # SEQUENCE counts the fifths of a second from here: 31 bits last until 2037
FIFTHS = 5
HIGHEST = 2**31 - 1
STAMPS = ("DTSTAMP:", "SEQUENCE:")  # of an event: when it was changed last, and not what it says
Event = list[str]  # its lines, unfolded, without BEGIN and END


def calendar(plan: Plan, *, now: datetime, older: bytes = b"") -> bytes:
    """The whole file. `older`: the one that it takes the place of; empty where there is none, or where it is not ours.

    A duty keeps its UID for good, so that importing it again changes events and adds none. What the older file had and
    the plan has no more is cancelled.
    """
    known = _events(older)
    fresh = {_uid(duty, plan): _event(duty, plan) for duty in plan.calendar}
    gone = {uid: _cancelled(event) for uid, event in known.items() if uid not in fresh}
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        MAKER,
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(plan.name)}",
    ]
    for uid, event in {**fresh, **gone}.items():
        lines += ["BEGIN:VEVENT", f"UID:{uid}", *_stamps(event, known.get(uid), now), *event, "END:VEVENT"]
    return b"".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _uid(duty: Duty, plan: Plan) -> str:
    """Of what stays when a plan, a drill or a title is renamed: the demand, and the `id` that the plan gives itself."""
    shared = [each.demand for each in plan.calendar].count(duty.demand) > 1
    return ".".join(filter(None, (duty.demand, duty.drill if shared else "", plan.id))) + "@drdrill"


def _event(duty: Duty, plan: Plan) -> Event:
    day = dates(duty, since=plan.last_updated, count=1)[0]
    state = " (not built)" if duty.not_built else ""
    how = f"Run it with: drdrill run {duty.drill}." if not duty.not_built else f"Not built: {duty.not_built}."
    others = f" Together with: {', '.join(duty.together_with)}." if duty.together_with else ""
    ours = f" Not of the plan's document: {duty.ours}." if duty.ours else ""
    counts = "" if duty.not_built else f" What counts: {least.what_counts(duty)}."
    by = "" if duty.day else "Due by this day. "
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(duty.title)}", "TRIGGER:-P1D", "END:VALARM"]
    return [
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"RRULE:{_rule(duty)}",
        f"SUMMARY:{_text(f'Drill: {duty.title}{state}')}",
        f"DESCRIPTION:{_text(f'{by}{how}{counts}{others}{ours} Demand {duty.demand}, plan version {plan.version}.')}",
        f"CATEGORIES:{duty.cadence}",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        *([] if duty.not_built else alarm),
    ]


def _cancelled(event: Event) -> Event:
    """The same event, which takes place no more; nobody is reminded of it."""
    bare = event[: event.index("BEGIN:VALARM")] if "BEGIN:VALARM" in event else event
    return [*(line for line in bare if not line.startswith(("STATUS:", *STAMPS))), "STATUS:CANCELLED"]


def _stamps(event: Event, before: Event | None, now: datetime) -> list[str]:
    stamped = [line for line in before or [] if line.startswith(STAMPS)]
    if before is not None and len(stamped) == len(STAMPS) and [line for line in before if line not in stamped] == event:
        return stamped
    least = int((now - FIRST).total_seconds() * FIFTHS)
    return [
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"SEQUENCE:{min(max(least, _sequence(stamped) + 1), HIGHEST)}",
    ]


def _sequence(stamped: Sequence[str]) -> int:
    """That of an event; 0 where it has none, as RFC 5545 says."""
    written = next((line.partition(":")[2] for line in stamped if line.startswith("SEQUENCE:")), "")
    return int(written) if written.isascii() and written.isdecimal() and len(written) <= 10 else 0


def _events(content: bytes) -> dict[str, Event]:
    """The events of a file that was written here, by their UID; none of any other file."""
    lines = content.decode(errors="replace").replace("\r\n ", "").split("\r\n")
    if MAKER not in lines:
        return {}
    found: dict[str, Event] = {}
    event: Event = []
    for line in lines:
        if line == "BEGIN:VEVENT":
            event = []
        elif line == "END:VEVENT":
            uid = next((each.partition(":")[2] for each in event if each.startswith("UID:")), "")
            found[uid] = [each for each in event if not each.startswith("UID:")]
        else:
            event.append(line)
    return found


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
