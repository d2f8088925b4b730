"""All customers of one scenario, in groups: begin, watch, end."""

from __future__ import annotations

import hashlib
import json
import operator
import secrets
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.errors import DrillError
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.entrance import DirectAccess, Reachable, Standpoints, ZoneServices
from harness.system import command, wait
from harness.system.command import Commands, Process
from harness.system.recorder import Recorder
from harness.workload import ledger
from harness.workload.client import ClientSource
from harness.workload.handed import environment
from harness.workload.ledger import Header, Totals
from harness.workload.tail import Recent, Tail

if TYPE_CHECKING:  # customers import this package, and need no database driver
    from harness.stacks import Entrance

HARNESS = "harness"  # the group of the harness's own transactions (`harness.run.trial`), which no customers may have
TIMEOUT = timedelta(seconds=5)  # of one request, from its due time
LEAST_CLIENTS, SPARE = 20, 1.6  # customers of a group; so many times what would hang where nobody answers
BEGIN_WITHIN = timedelta(seconds=30)
END_WITHIN = TIMEOUT + timedelta(seconds=5)  # a time-out, and the disk


@dataclass(frozen=True)
class Group:
    """Customers that stand in one place and write by one way, in a process of their own, with a ledger of their own.

    Those outside of the zones come in at the entrance, and are who the platform promises its service to. Those inside
    a zone write past the entrance, through their zone's own API or directly to its database server: they show who is
    told what on either side of a cut, and their zone may be gone.
    """

    needs: ClassVar[tuple[type, ...]] = (ZoneServices, DirectAccess, Standpoints)  # of those inside a zone

    name: str  # "outside", "zone-a", "database-a"
    rate: float  # requests a second
    zone: str = ""  # empty: outside of all zones
    via: Literal["entrance", "api", "database"] = "entrance"
    keeps: timedelta = timedelta(0)  # for so long beyond what an answer says does their resolver keep it
    host: str = ""  # the name by which they come in; empty: that of the entrance


def outside(rate: float) -> Group:
    """The customers that the platform's promises are made to."""
    return Group("outside", rate)


class Workload:
    """The groups of customers of a scenario.

    `folder` is the scenario's in the pack, `<run>/scenarios/<name>`; it takes `ledger-<group>.jsonl`. `logs` (the same
    where none is given) takes `customers-<group>.log`.
    `most`: requests of all groups together; beyond it what is due is not sent.
    `origin` is "<run>/<scenario>"; a rate of 0 means customers that never come.
    """

    def __init__(
        self,
        place: object,
        recorder: Recorder,
        commands: Commands,
        folder: Path,
        *,
        client: ClientSource,
        origin: str,
        groups: Sequence[Group],
        logs: Path | None = None,
        most: int | None = None,
    ) -> None:
        self.place = place
        self.recorder = recorder
        self.commands = commands
        self.folder = folder
        self.client = client
        self.origin = origin
        self.groups = {group.name: group for group in groups}
        assert HARNESS not in self.groups, "the harness writes by that name itself"
        self.logs = logs or folder
        self.files = {name: folder / f"ledger-{name}.jsonl" for name in self.groups}
        self.most = most  # requests in all; None: as many as are due
        self._shares: list[int | None] = []
        self._begun = False
        self._processes: dict[str, Process] = {}
        self._tail = Tail({name: path for name, path in self.files.items() if not self.groups[name].zone})
        self._all = Tail(self.files)

    @property
    def bound(self) -> int | None:
        """How many requests the groups send together at most, once they have begun; None: as many as are due."""
        known = [share for share in self._shares if share is not None]
        return sum(known) if known else None

    def begin(self) -> None:
        """Start the customers; returns when every group has had its first due time.

        Errors: `DrillError` with the last line of their log when they end at once, `NotInTime`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.recorder.record(
            "workload.begin",
            origin=self.origin,
            rate=sum(group.rate for group in self.groups.values() if not group.zone),
            groups=[self._said(group) for group in self.groups.values()],
        )
        self._begun = True
        self._shares = shares(self.most, [group.rate for group in self.groups.values()])
        for index, (name, group) in enumerate(self.groups.items()):
            if group.rate > 0:
                words, env = self._words(group, phase=index / len(self.groups))
                self._processes[name] = self.commands.start(words, log=self._log(name), env=env, part=False)
            else:
                self._idle(group)
        wait.until(
            self._all_begun,
            what="all customers have begun",
            within=BEGIN_WITHIN,
            recorder=self.recorder,
            last_seen=lambda: f"begun: {', '.join(self._all.begun()) or 'none'}",
            hint=f"read customers-<group>.log in {self.logs}",
        )

    def _said(self, group: Group) -> dict[str, object]:
        return {
            "group": group.name,
            "zone": group.zone or None,
            "inside": bool(group.zone),
            "via": group.via,
            "file": self._file(group.name),
            **({"keeps": group.keeps.total_seconds()} if group.keeps else {}),
            **({"host": group.host} if group.host else {}),
        }

    def _file(self, name: str) -> str:
        return name_in_pack(self.files[name])

    def end(self) -> Totals:
        """Stop the customers, let them finish what is under way, and digest their ledgers. Harmless when repeated.

        Returns the totals of all groups. Errors: `DrillError` when customers had ended by themselves; the totals are
        recorded before that, and hold.
        """
        if not self._begun:
            return Totals()
        self._begun = False
        gone = self._gone()
        for process in self._processes.values():
            process.send(signal.SIGTERM)
        for process in wait.poll(self._running, within=END_WITHIN, enough=operator.not_):
            process.send(signal.SIGKILL)
        wait.poll(self._running, within=None, enough=operator.not_)  # SIGKILL cannot be refused
        totals = record_ledgers([path for path in self.files.values() if path.exists()], self.recorder)
        if gone:
            raise DrillError(
                f"customers {', '.join(gone)} ended before they were told to: {self._last_words(gone[0])}",
                hint=f"read {self._log(gone[0])}",
            )
        return totals

    def recent(self) -> Recent:
        """What the customers outside see: rates of the last few seconds, what is under way, since when all is good."""
        return self._tail.recent()

    def good_since(self) -> int | None:
        """When the first request of the current good stretch was answered, in monotonic nanoseconds.

        None while no request of the customers outside has been good after the latest bad one, or when a group of them
        says nothing any more. Requests under way count as neither until they are long overdue.
        """
        return self._tail.recent().good_since

    def good_for(self, length: timedelta, *, after: int = 0) -> bool:
        """Whether service has been good for that long, up to the last due time of every group outside.

        With `after`, a reading of the monotonic clock, only what was good after that counts.
        """
        seen = self._tail.recent()
        if seen.good_since is None:
            return False
        return seen.good_until - max(seen.good_since, after) >= length // timedelta(microseconds=1) * 1000

    def rate(self) -> float:
        """Requests acknowledged a second, lately."""
        return self._tail.recent().rate

    def _words(self, group: Group, *, phase: float) -> tuple[list[str], dict[str, str]]:
        """The command of a group's customers, and what it needs in its environment."""
        place, env = self.place, environment(self.client.secrets, self.place)
        given: dict[str, object] = {
            "project": self.client.folder,
            "client": self.client.name,
            "group": group.name,
            "origin": self.origin,
            "rate": group.rate,
            "phase": phase,
            "ledger": self.files[group.name],
            "timeout": TIMEOUT.total_seconds(),
            "clients": clients(group.rate),
        }
        if (share := self._shares[list(self.groups).index(group.name)]) is not None:
            given["most"] = share
        if group.via == "database":
            given["direct"], more = need(place, DirectAccess).zone_database(group.zone)
            env |= more
        else:
            given |= way_in(self._entrance(group), keeps=group.keeps, host=group.host)
        options = [f"--{name}={value}" for name, value in given.items()]
        return [*self._stand(group), sys.executable, "-m", "harness.workload.customers", *options], env

    def _entrance(self, group: Group) -> Entrance:
        if group.via == "api":
            return need(self.place, ZoneServices).zone_entrance(group.zone)
        return need(self.place, Reachable).entrance

    def _stand(self, group: Group) -> list[str]:
        """The words before the customers' command."""
        return need(self.place, Standpoints).stand_in(group.zone) if group.zone else stand_outside(self.place)

    def _idle(self, group: Group) -> None:
        """A ledger that says that nothing was due."""
        header = Header(self.origin, group.name, rate=0.0, timeout=TIMEOUT.total_seconds(), salt=secrets.token_hex(16))
        ledger.Writer(self.files[group.name], header).close()

    def _all_begun(self) -> bool:
        if gone := self._gone():
            raise DrillError(
                f"customers {gone[0]} could not begin: {self._last_words(gone[0])}",
                hint=f"read {self._log(gone[0])}",
            )
        return set(self._all.begun()) >= set(self._processes)

    def _running(self) -> list[Process]:
        command.reap()
        return [process for process in self._processes.values() if process.running()]

    def _gone(self) -> list[str]:
        command.reap()
        return [name for name, process in self._processes.items() if not process.running()]

    def _log(self, name: str) -> Path:
        return self.logs / f"customers-{name}.log"

    def _last_words(self, name: str) -> str:
        return last_words(self._log(name))


def shares(most: int | None, rates: Sequence[float]) -> list[int | None]:
    """How many requests each group may send of so many, by its rate: together never more."""
    whole = sum(rates) or 1.0
    return [None if most is None else int(most * rate / whole) for rate in rates]


def clients(rate: float) -> int:
    """Customers of a group of that rate."""
    return max(LEAST_CLIENTS, round(rate * TIMEOUT.total_seconds() * SPARE))


def way_in(entrance: Entrance, *, keeps: timedelta = timedelta(0), host: str = "") -> dict[str, object]:
    """What the process of a group is told of where it comes in. `keeps`, `host`: as of a `Group`."""
    said = entrance.resolver.said()
    said |= {"keeps": keeps.total_seconds()} if keeps and "keeps" in said else {}
    found: dict[str, object] = {"url": entrance.url("", host=host), "resolver": json.dumps(said)}
    return found | ({"ca": entrance.ca} if entrance.ca else {})


def stand_outside(place: object) -> list[str]:
    """The words before the command of customers outside; where a stack has no such places, they stand where we do."""
    places = find(place, Standpoints)
    return places.stand_outside() if places else []


def last_words(log: Path) -> str:
    """The last line of customers' log."""
    lines = log.read_text(errors="replace").strip().splitlines()
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
            totals += ledger.count(ledger.outcomes(source, name=str(path)))
        recorder.record("ledger", **digested(path))
    recorder.record("workload.end", **asdict(totals))
    return totals


def digested(path: Path) -> dict[str, Any]:
    """A scenario's file that is complete, as the journal names it."""
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
        source.seek(0)
        return {"file": name_in_pack(path), "sha256": digest, "lines": sum(1 for _ in source)}
