"""The customers of all zones for one scenario: begin, watch, end."""

from __future__ import annotations

import hashlib
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness import clock, command, wait
from harness.command import Commands, Process
from harness.errors import DrillError
from harness.recorder import Recorder
from harness.workload import ledger
from harness.workload.ledger import Header, Totals
from harness.workload.tail import Recent, Tail

if TYPE_CHECKING:  # customers import this package, and need no database driver
    from harness.stacks import Entrance

RATE = 50.0  # requests a second, all zones together
TIMEOUT = timedelta(seconds=5)  # of one request, from its due time
BEGIN_WITHIN = timedelta(seconds=30)
END_WITHIN = TIMEOUT + timedelta(seconds=5)  # a time-out, and the disk


class Place(Protocol):
    """As much of a stack as customers need."""

    @property
    def entrance(self) -> Entrance: ...
    def stand_in(self, zone: str) -> list[str]: ...


class Workload:
    """Customers in every zone, each zone's in a process of its own, with a ledger of its own.

    `folder` is the scenario's in the pack, `<run>/scenarios/<name>`; it takes `ledger-<zone>.jsonl`. `logs` (the same
    where none is given) takes `customers-<zone>.log`.
    `origin` is "<run>/<scenario>"; `rate` is of all zones together, and 0 means customers that never come.
    """

    def __init__(
        self,
        place: Place,
        recorder: Recorder,
        commands: Commands,
        folder: Path,
        *,
        origin: str,
        zones: Sequence[str],
        rate: float = RATE,
        logs: Path | None = None,
    ) -> None:
        self.place = place
        self.recorder = recorder
        self.commands = commands
        self.folder = folder
        self.origin = origin
        self.zones = tuple(zones)
        self.logs = logs or folder
        self.files = {zone: folder / f"ledger-{zone}.jsonl" for zone in zones}
        self._rate = rate
        self._begun = False
        self._processes: dict[str, Process] = {}
        self._tail = Tail(self.files)

    def begin(self) -> None:
        """Start the customers; returns when every zone has had its first due time.

        Errors: `DrillError` with the last line of their log when they end at once, `NotInTime`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.recorder.record(
            "workload.begin",
            origin=self.origin,
            rate=self._rate,
            zones=list(self.zones),
            files=[name_in_pack(path) for path in self.files.values()],
        )
        self._begun = True
        if self._rate <= 0:
            self._idle()
            return
        for index, zone in enumerate(self.zones):
            self._processes[zone] = self.commands.start(self._words(zone, index), log=self._log(zone))
        wait.until(
            self._all_zones_begun,
            what="customers of every zone have begun",
            within=BEGIN_WITHIN,
            recorder=self.recorder,
            last_seen=lambda: f"begun: {', '.join(self._tail.begun()) or 'none'}",
            hint=f"read customers-<zone>.log in {self.logs}",
        )

    def end(self) -> Totals:
        """Stop the customers, let them finish what is under way, and digest their ledgers. Harmless when repeated.

        Returns the totals of all zones. Errors: `DrillError` when a zone's customers had ended by themselves; the
        totals are recorded before that, and hold.
        """
        if not self._begun:
            return Totals()
        self._begun = False
        gone = self._gone()
        for process in self._processes.values():
            process.send(signal.SIGTERM)
        begin = clock.mono()
        while (left := self._running()) and clock.since(begin) < END_WITHIN:
            clock.sleep(wait.OFTEN)
        for process in left:
            process.send(signal.SIGKILL)
        while self._running():  # SIGKILL cannot be refused
            clock.sleep(wait.OFTEN)
        totals = record_ledgers([path for path in self.files.values() if path.exists()], self.recorder)
        if gone:
            raise DrillError(
                f"customers of zone {', '.join(gone)} ended before they were told to: {self._last_words(gone[0])}",
                hint=f"read {self._log(gone[0])}",
            )
        return totals

    def recent(self) -> Recent:
        """What the customers see: rates of the last few seconds, what is under way, since when all is good."""
        return self._tail.recent()

    def good_since(self) -> int | None:
        """When the first request of the current good stretch was answered, in monotonic nanoseconds.

        None while no request has been good after the latest bad one, or when customers of a zone say nothing any
        more. Requests under way count as neither until they are long overdue.
        """
        return self._tail.recent().good_since

    def good_for(self, length: timedelta, *, after: int = 0) -> bool:
        """Whether service has been good for that long, up to the last due time of every zone.

        With `after`, a reading of the monotonic clock, only what was good after that counts.
        """
        seen = self._tail.recent()
        if seen.good_since is None:
            return False
        return seen.good_until - max(seen.good_since, after) >= length // timedelta(microseconds=1) * 1000

    def rate(self) -> float:
        """Requests acknowledged a second, lately."""
        return self._tail.recent().rate

    def _words(self, zone: str, index: int) -> list[str]:
        entrance = self.place.entrance
        given = {
            "zone": zone,
            "origin": self.origin,
            "rate": self._rate / len(self.zones),
            "phase": index / len(self.zones),
            "ledger": self.files[zone],
            "url": f"https://{entrance.host}:{entrance.port}",
            "address": entrance.address,
            "ca": entrance.ca,
            "timeout": TIMEOUT.total_seconds(),
        }
        options = [f"--{name}={value}" for name, value in given.items()]
        return [*self.place.stand_in(zone), sys.executable, "-m", "harness.workload.customers", *options]

    def _idle(self) -> None:
        """Ledgers that say that nothing was due."""
        for zone, path in self.files.items():
            header = Header(origin=self.origin, zone=zone, rate=0.0, timeout=TIMEOUT.total_seconds())
            ledger.Writer(path, header).close()

    def _all_zones_begun(self) -> bool:
        if gone := self._gone():
            raise DrillError(
                f"customers of zone {gone[0]} could not begin: {self._last_words(gone[0])}",
                hint=f"read {self._log(gone[0])}",
            )
        return len(self._tail.begun()) == len(self.zones)

    def _running(self) -> list[Process]:
        command.reap()
        return [process for process in self._processes.values() if process.running()]

    def _gone(self) -> list[str]:
        command.reap()
        return [zone for zone, process in self._processes.items() if not process.running()]

    def _log(self, zone: str) -> Path:
        return self.logs / f"customers-{zone}.log"

    def _last_words(self, zone: str) -> str:
        lines = self._log(zone).read_text(errors="replace").strip().splitlines()
        said = [line for line in lines if not line.startswith("HINT:")]
        return said[-1] if said else "without a word"


def name_in_pack(path: Path) -> str:
    """`scenarios/<name>/<file>`: what the journal calls a scenario's file."""
    return path.relative_to(path.parent.parent.parent).as_posix()


def record_ledgers(paths: Sequence[Path], recorder: Recorder) -> Totals:
    """Digest complete ledgers (`ledger`), and record their totals (`workload.end`), whoever wrote the last line.

    Errors: `Refused` when one is no ledger.
    """
    totals = Totals()
    for path in paths:
        with path.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            source.seek(0)
            lines = sum(1 for _ in source)
            source.seek(0)
            totals += ledger.count(ledger.outcomes(source, name=str(path)))
        recorder.record("ledger", file=name_in_pack(path), sha256=digest, lines=lines)
    recorder.record("workload.end", **asdict(totals))
    return totals
