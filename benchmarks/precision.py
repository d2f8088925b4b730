"""How exactly an outage is measured: `python -m benchmarks.precision`.

A service on loopback, in a process of its own, is away for 0.05, 0.4, 3 and 60 s: it refuses what comes, or lets it
wait, and takes its own true times (`benchmarks.service`). The harness's own customers see it, 100 requests a second.
Each outage is a scenario with journal and ledger, as a run writes them, judged by the check that judges a drill.
Bounds, always: the figure is within 20 ms of the truth, and its bar contains the truth. Exit code 1 when one is not.

The outage of 60 s is measured beside the others, which take turns: more work for the machine, so no easier.
"""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks import machine
from harness.checks import load
from harness.checks.evidence import SECOND, Expectation
from harness.checks.rules import CURRENT
from harness.evidence.journal import Journal
from harness.stacks import Entrance
from harness.stacks.parts.tls import make_authority
from harness.system import clock
from harness.system.clock import Moment
from harness.system.command import Commands, end_labelled
from harness.system.resolver import Fixed
from harness.workload.client import ClientModule
from harness.workload.workload import Workload, outside

HOME = Path(__file__).parents[1]
NAME = "service.example.test"
RATE = 100.0  # requests a second: 10 ms between two, and a few for the answer
BOUND = 0.020  # seconds between figure and truth
SETTLING = timedelta(seconds=1)  # that good service must last, in this benchmark
PATIENCE = timedelta(seconds=30)
TIMES = {0.05: 4, 0.4: 4, 3.0: 2}  # seconds: how often each is measured, by refusing and by holding
LONG = (("refuse", 60.0),)
Outage = tuple[str, float]


@dataclass(frozen=True)
class Measured:
    """One outage, in seconds: as it was, and what the check says of it."""

    way: str
    asked: float
    truth: float
    figure: float
    low: float

    @property
    def error(self) -> float:
        return self.figure - self.truth

    @property
    def contains(self) -> bool:
        return self.low <= self.truth <= self.figure

    @property
    def near(self) -> bool:
        return abs(self.error) <= BOUND

    def words(self) -> str:
        return (
            f"  {self.way:6} {self.asked:6.2f} s {self.truth:9.4f} s {self.figure:9.4f} s {self.error * 1000:+7.1f} ms"
            f" {self.low:9.4f} s {(self.figure - self.low) * 1000:8.1f} ms   {'yes' if self.contains else 'NO'}"
        )


class OnLoopback:
    """Where the customers of this benchmark stand."""

    def __init__(self, entrance: Entrance) -> None:
        self.entrance = entrance

    def stand_outside(self) -> list[str]:
        return []

    def stand_in(self, zone: str) -> list[str]:
        return []

    def zone_entrance(self, zone: str) -> Entrance:
        return self.entrance

    def zone_database(self, zone: str) -> tuple[str, dict[str, str]]:
        return "", {}


class Away:
    """The service's process: what it is told, and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = self.said()

    def tell(self, way: str, seconds: float) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{way} {seconds}\n")
        self._process.stdin.flush()

    def said(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@contextmanager
def running(chain: Path, key: Path) -> Iterator[Away]:
    words = [sys.executable, "-m", "benchmarks.service", str(chain), str(key)]
    with subprocess.Popen(words, cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Away(process)
        finally:
            process.kill()


def measure(outages: list[Outage], folder: Path) -> list[Measured]:
    """Each in its turn, as a scenario of one run in `folder`."""
    authority = make_authority(folder / "tls")
    pack, label = folder / "pack", f"benchmark-{clock.mono()}"
    truths = []
    try:
        with running(*authority.issue("service", [NAME])) as service, Journal.create(pack) as journal:
            entrance = Entrance(host=NAME, resolver=Fixed(("127.0.0.1",)), port=service.port, ca=authority.ca)
            names = [f"{number}-{way}-{seconds:g}-s" for number, (way, seconds) in enumerate(outages)]
            journal.record("run.begin", run="benchmark", scenarios=names, boot=clock.boot())
            for name, outage in zip(names, outages, strict=True):
                workload = Workload(
                    OnLoopback(entrance),
                    journal,
                    Commands(journal, label=label),
                    pack / "scenarios" / name,
                    client=ClientModule(HOME, "benchmarks.client"),
                    origin=f"benchmark/{name}",
                    groups=[outside(RATE)],
                )
                truths.append(scenario(name, outage, service, journal, workload))
            journal.record("run.end", outcome="completed", by="harness", error="")
    finally:
        end_labelled(label)
    found = []
    for (way, seconds), truth, evidence in zip(outages, truths, load.evidence(pack), strict=True):
        finding = CURRENT.checks["rto"](evidence, Expectation("rto", limit=120.0))
        if finding.figure is None or finding.low is None or finding.lower_bound:
            raise SystemExit(f"NOT MET: no figure for {way} {seconds:g} s: {finding.reason}")
        found.append(Measured(way, seconds, truth, finding.figure, finding.low))
    return found


def scenario(name: str, outage: Outage, service: Away, journal: Journal, workload: Workload) -> float:
    """As a drill does it: steady, hurt, healed, steady again. Returns the seconds that the service was away."""
    way, seconds = outage
    journal.record("scenario.begin", scenario=name, title=name, tags=[], settling=SETTLING.total_seconds())
    workload.begin()
    until_good(workload, after=clock.mono())
    clock.sleep(timedelta(seconds=random.uniform(0, 0.03)))  # so that it falls anywhere between due times
    journal.record("fault.intent", injection=1, fault=way, harms_data=False, logical=False, affects=[], ttl=600.0)
    earliest = clock.mono()
    service.tell(way, seconds)
    gone = service.said()
    moment = Moment(earliest, clock.mono(), "what the service was told, and what it said")
    journal.record("fault.effective", injection=1, fault=way, ok=True, proof="it says so", **asdict(moment))
    back = service.said()
    until_good(workload, after=clock.mono())
    workload.end()
    journal.record("scenario.end", scenario=name, outcome="completed", error="")
    return (back - gone) / SECOND


def until_good(workload: Workload, *, after: int) -> None:
    """For longer than the settling time."""
    deadline = clock.mono() + PATIENCE // timedelta(microseconds=1) * 1000
    while not workload.good_for(SETTLING * 1.5, after=after):
        if clock.mono() > deadline:
            raise SystemExit(f"NOT MET: the service is not back after {PATIENCE}; seen: {workload.recent()}")
        clock.sleep(timedelta(milliseconds=20))


def main() -> int:
    facts = machine.facts()
    short = [(way, seconds) for seconds, many in TIMES.items() for way in ("refuse", "hold") for _ in range(many)]
    fresh = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(2, mp_context=fresh) as pool:
        shares = pool.map(measure, [short, list(LONG)], [Path(name) / "short", Path(name) / "long"])
        measured = [each for share in shares for each in share]
    print(f"An outage measured against its truth, {RATE:g} requests a second; {facts}")
    print("  way       asked       truth      figure      error  low end of bar      bar   truth in bar")
    for each in measured:
        print(each.words())
    worst = max(abs(each.error) for each in measured) * 1000
    widest = max(each.figure - each.low for each in measured) * 1000
    print(f"  worst error {worst:.1f} ms (bound {BOUND * 1000:g} ms), widest bar {widest:.1f} ms")
    wrong = [each for each in measured if not (each.near and each.contains)]
    for each in wrong:
        why = "" if each.near else f" the error is over {BOUND * 1000:g} ms;"
        print(f"  NOT MET: {each.way} {each.asked:g} s:{why}{'' if each.contains else ' THE BAR DOES NOT CONTAIN IT'}")
    print("  NOT MET" if wrong else "  MET")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
