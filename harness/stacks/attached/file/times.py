"""When a platform may be drilled, as its file says it: windows of a week, and days on which it may not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WINDOW = re.compile(r"([A-Za-z,-]+) (\d\d:\d\d)-(\d\d:\d\d)(?: ([A-Za-z][A-Za-z0-9_+/-]*))?")
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?")
DAILY = "daily"


@dataclass(frozen=True)
class Window:
    """Some hours of some days of each week. One that ends before it begins goes on into the next day."""

    text: str
    days: frozenset[int]  # Monday is 0
    begin: time
    end: time
    zone: str  # of the time zone database; empty: that of the file

    def holds(self, moment: datetime, zone: str = "") -> bool:
        """Whether a moment lies in it; `zone`: of the file."""
        local = moment.astimezone(ZoneInfo(self.zone or zone))
        today, now = local.weekday(), local.time()
        if self.begin < self.end:
            return today in self.days and self.begin <= now < self.end
        return (today in self.days and now >= self.begin) or ((today - 1) % 7 in self.days and now < self.end)


@dataclass(frozen=True)
class Days:
    """From one day to another, both of them."""

    text: str
    first: date
    last: date

    def holds(self, moment: datetime, zone: str) -> bool:
        return self.first <= moment.astimezone(ZoneInfo(zone)).date() <= self.last


def window(text: str) -> Window:
    """`Mon-Fri 09:00-16:00 Europe/Berlin`, `Sat,Sun 22:00-04:00`, `daily 00:00-24:00`. Errors: `ValueError`."""
    found = _WINDOW.fullmatch(text.strip())
    if not found:
        raise ValueError(f'"{text}" is no window')
    zone = found[4] or ""
    if zone:
        try:
            ZoneInfo(zone)
        except (LookupError, ValueError, OSError) as error:
            raise ValueError(f'"{zone}" is not a time zone that this machine knows') from error
    begin, end = _time(found[2]), _time(found[3])
    if begin == end != time(0):
        raise ValueError(f'"{text}" begins when it ends')
    return Window(text, _days_of(found[1]), begin, end, zone)


def days(text: str) -> Days:
    """Errors: `ValueError`."""
    found = _DAYS.fullmatch(text.strip())
    if not found:
        raise ValueError(f'"{text}" is no day, and no two')
    first = date.fromisoformat(found[1])
    last = date.fromisoformat(found[2]) if found[2] else first
    if last < first or last - first > timedelta(days=366):
        raise ValueError(f'"{text}" ends before it begins, or lasts more than a year')
    return Days(text, first, last)


def _time(text: str) -> time:
    """24:00 is the end of a day, and so the beginning of the next. Errors: `ValueError`."""
    return time(0) if text == "24:00" else time.fromisoformat(text)


def _days_of(text: str) -> frozenset[int]:
    """Errors: `ValueError`."""
    if text == DAILY:
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f'"{part}" is no day of the week: {", ".join(DAYS)}, or {DAILY}')
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return frozenset(found)
