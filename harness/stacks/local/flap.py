"""The link of a zone that comes and goes: `flap.py BRIDGE ZONE DOWN UP LASTING FILE`, times in seconds.

Down first, then up, and so on; after LASTING, and at SIGTERM, it ends with the link joined. In FILE stands how often it
has gone down, and between which readings of the monotonic clock it first did. It needs nobody: when the harness dies,
it still ends.
"""

from __future__ import annotations

import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

from harness.stacks.local.bridge import Bridge
from harness.system import clock


def flap(
    bridge: Bridge, zone: str, *, down: float, up: float, lasting: float, file: Path, ended: threading.Event
) -> int:
    """Returns how often it went down, after `lasting` seconds or when `ended` is set."""
    begin, downs, first = clock.mono(), 0, ""

    def left() -> float:
        return max(0.0, (timedelta(seconds=lasting) - clock.since(begin)).total_seconds())

    try:
        while left() and not ended.is_set():
            moment = bridge.cut(zone)
            downs += 1
            first = first or f"{moment.earliest} {moment.latest}"
            new = file.with_name(f"{file.name}.new")
            new.write_text(f"{downs} {first}")
            new.rename(file)
            ended.wait(min(down, left()))
            bridge.join(zone)
            ended.wait(min(up, left()))
    finally:
        bridge.join(zone)
    return downs


if __name__ == "__main__":
    told = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: told.set())
    number, of_zone, *seconds, counted = sys.argv[1:]
    down_, up_, lasting_ = map(float, seconds)
    flap(Bridge(int(number)), of_zone, down=down_, up=up_, lasting=lasting_, file=Path(counted), ended=told)
