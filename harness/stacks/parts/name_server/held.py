"""The zone that a name server holds: read from the API again and again, and kept when that cannot be read."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import DrillError
from harness.stacks.parts.name_server.log import Log
from harness.stacks.parts.name_server.zone import Record, Zone, zone_of

FILE = "zone.json"


class Held:
    """What was read last, also by a server before this one in the same folder. `news` is told each other zone."""

    def __init__(
        self, folder: Path, *, read: Callable[[], dict[str, Any] | None], log: Log, news: Callable[[Zone], object]
    ) -> None:
        """`read`: as `HostedZone.read`."""
        self._file = folder / FILE
        self._read = read
        self._log = log
        self._news = news
        self._why: str | None = None  # the API cannot be read; empty: it can
        self._said: dict[str, Any] = {}
        self.zone: Zone | None = None
        with suppress(OSError, ValueError, KeyError, TypeError):  # there was none before, or it is torn
            self._becomes(json.loads(self._file.read_text()))

    def go_on(self, ended: threading.Event, *, every: timedelta) -> None:
        """Until told to end."""
        while not ended.is_set():
            self.refresh()
            ended.wait(every.total_seconds())

    def refresh(self) -> None:
        """Read it once; where that fails, what is held stays, as at any name server."""
        try:
            said = self._read()
            why = "" if said else "it has no such zone"
            if said and self._is_being_filled(said):
                return
            if said and said != self._said:
                self._becomes(said)
                self._keep(said)
        except (DrillError, OSError, ValueError, KeyError, TypeError) as error:
            why = error.message if isinstance(error, DrillError) else f"{type(error).__name__}: {error}"
        if why != self._why:
            self._why = why
            self._log.write("api", up=not why, why=why)

    def _is_being_filled(self, said: dict[str, Any]) -> bool:
        """An API that has lost its zones gets them anew: a new one that has no names yet takes nobody's place."""
        own = all(one["Type"] in ("SOA", "NS") for one in said["records"])
        return own and said["id"] != self._said.get("id")

    def _becomes(self, said: dict[str, Any]) -> None:
        zone = zone_of(said)
        before = self.zone
        self.zone, self._said = zone, said  # one assignment: who answers meanwhile has the one or the other
        self._news(zone)
        if before is None or before.records != zone.records:
            for name, type in sorted({(one.name, one.type) for each in (before, zone) if each for one in each.records}):
                is_ = _of(zone, name, type)
                if is_ != _of(before, name, type):
                    self._log.write("record", name=name, type=type, **{"is": [_plain(one) for one in is_]})

    def _keep(self, said: dict[str, Any]) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(said))
        fresh.replace(self._file)


def _of(zone: Zone | None, name: str, type: str) -> list[Record]:
    return [one for one in zone.at(name) if one.type == type] if zone else []


def _plain(record: Record) -> dict[str, Any]:
    said = {key: value for key, value in asdict(record).items() if key not in ("name", "type", "plain") and value}
    return {**said, "ttl": record.ttl.total_seconds()}
