"""When a platform may be drilled: its windows, and the days on which it may not."""

from __future__ import annotations

from datetime import datetime

from harness.errors import Refused
from harness.stacks.attached.file.described import StackFile
from harness.system import clock


def closed(said: StackFile, moment: datetime | None = None) -> str:
    """Why it may not be drilled at that moment, with the line of the file; empty where it may."""
    moment = moment or clock.now().utc
    safety = said.safety
    zone = safety.time_zone or next((one.zone for one in safety.windows if one.zone), "UTC")
    for at, days in enumerate(safety.not_on):
        if days.holds(moment, zone):
            return f"{said.where('safety', 'not on', at)}: not on {days.text} ({zone})"
    if safety.windows and not any(one.holds(moment, safety.time_zone) for one in safety.windows):
        listed = ", ".join(one.text for one in safety.windows)
        return f"{said.where('safety', 'windows')}: it may be drilled {listed}{f' ({zone})' if zone else ''}"
    return ""


def must_be_open(said: StackFile, moment: datetime | None = None) -> None:
    """Errors: `Refused`."""
    if why := closed(said, moment):
        at = f"{moment or clock.now().utc:%Y-%m-%d %H:%M} UTC"
        raise Refused(f"{said.platform.name} may not be drilled now, {at}", hint=f"{why}; nothing was hurt")
