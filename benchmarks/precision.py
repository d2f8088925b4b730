"""How exactly an outage is measured: `python -m benchmarks.precision`.

A service on loopback is really gone, its listening socket closed and its connections reset, for 0.4 s and for
3.000 s, and takes its own true times. Customers of three zones, 50 requests a second together, see it; the recovery
time is computed from their ledgers by the same check that judges a drill. Bounds, in 20 runs out of 20 of each: the
figure is within 50 ms of the truth, and the error bar contains it. Exit code 1 when a bound is not met.

Two services are measured at a time, each with customers of its own: more work for the machine, so no easier.
"""

from __future__ import annotations

import multiprocessing
import random
import socket
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import machine
from harness.checks.evidence import Evidence, Expectation, Line
from harness.checks.rto import rto
from harness.stacks import Entrance
from harness.stacks.parts.tls import make_authority
from harness.system import clock
from harness.system.command import Commands, end_labelled
from harness.system.recorder import Memory
from harness.workload.client import ClientModule
from harness.workload.ledger import SECOND, Request, outcomes
from harness.workload.workload import RATE, Group, Workload
from tests.small_service import SmallService

LENGTHS = (timedelta(seconds=0.4), timedelta(seconds=3))
RUNS = 20  # of each length
AT_A_TIME = 2
MS = timedelta(milliseconds=1)
BOUND = 50 * MS
ZONES = ("a", "b", "c")
NAME = "api.quantumnest.com"
SETTLING = timedelta(seconds=0.5)  # that good service must last, in this benchmark
UNTOUCHED = SECOND // 20  # what is due so shortly before an outage may be hit by it, and belongs to that one
PATIENCE = timedelta(seconds=20)


@dataclass(frozen=True)
class Outage:
    """One outage: monotonic nanoseconds, by the service's own clock (`gone`, `back`) and by the harness's."""

    asked: timedelta
    intent: int
    bit: int
    gone: int
    back: int


@dataclass(frozen=True)
class Measured:
    """What the check says of an outage, in seconds."""

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


def measure(place: int, folder: Path) -> list[Measured]:
    """The share of one service: outages of both lengths in turn, with its own customers all along."""
    authority = make_authority(folder)
    service = SmallService(*authority.issue("api", [NAME]))
    memory, label = Memory(), f"benchmark-{clock.mono()}-{place}"
    workload = Workload(
        OnLoopback(Entrance(host=NAME, addresses=("127.0.0.1",), port=service.port, ca=authority.ca)),
        memory,
        Commands(memory, label=label),
        folder / "scenarios" / "precision",
        client=ClientModule(Path(__file__).parents[1], "drills.client"),
        origin="benchmark/precision",
        groups=[Group(name, RATE / len(ZONES)) for name in ZONES],
    )
    draw = random.Random(place)
    try:
        workload.begin()
        outages = []
        for _ in range(RUNS // AT_A_TIME):
            for length in LENGTHS:
                until_good(workload, after=clock.mono())
                clock.sleep(timedelta(seconds=draw.uniform(0, 0.06)))  # so that it falls anywhere between due times
                outages.append(outage(service, length))
        until_good(workload, after=clock.mono())
        workload.end()
    finally:
        end_labelled(label)
        service.close()
    requests = {zone: list(outcomes(path.open())) for zone, path in workload.files.items()}
    ends = [later.intent - UNTOUCHED for later in outages[1:]] + [clock.mono()]
    begins = [outages[0].intent - SECOND, *(earlier.back + SECOND // 4 for earlier in outages[:-1])]
    return [judged(*each, requests) for each in zip(outages, begins, ends, strict=True)]


def until_good(workload: Workload, *, after: int) -> None:
    """Longer than the settling time, so that one outage's stretch ends well before the next."""
    deadline = clock.mono() + PATIENCE // timedelta(microseconds=1) * 1000
    while not workload.good_for(SETTLING * 1.5, after=after):
        if clock.mono() > deadline:
            raise SystemExit(f"the service is not back after {PATIENCE}; seen: {workload.recent()}")
        clock.sleep(timedelta(milliseconds=20))


def outage(service: SmallService, length: timedelta) -> Outage:
    """As a drill does it: the intent before, and the proof that it bit after."""
    intent = clock.mono()
    gone = service.gone()
    try:
        socket.create_connection(("127.0.0.1", service.port), timeout=1).close()
        raise SystemExit("the service took a connection though it was gone")
    except ConnectionRefusedError:
        bit = clock.mono()
    clock.sleep(length - clock.since(gone))
    return Outage(length, intent, bit, gone, service.back())


def judged(seen: Outage, begin: int, end: int, requests: dict[str, list[Request]]) -> Measured:
    """Ask the check, with nothing but what a pack would hold: the journal's facts and the requests around them."""

    def between(zone: str) -> Iterator[Request]:
        return (request for request in requests[zone] if begin < request.due < end)

    facts: list[tuple[str, int, dict[str, Any]]] = [
        ("scenario.begin", begin, {"settling": SETTLING.total_seconds()}),
        ("workload.begin", begin, {"rate": RATE, "zones": list(ZONES)}),
        ("fault.intent", seen.intent, {"fault": "gone", "harms_data": False}),
        ("fault.bit", seen.bit, {"fault": "gone", "ok": True, "proof": "connection refused"}),
        ("scenario.end", end, {"outcome": "completed"}),
    ]
    lines = tuple(Line(seq, kind, mono, "", data) for seq, (kind, mono, data) in enumerate(facts))
    evidence = Evidence("precision", lines, ZONES, frozenset(), between, lambda moment, zone: ())
    finding = rto(evidence, Expectation("rto", limit=60.0))
    if finding.figure is None or finding.low is None or finding.lower_bound:
        raise SystemExit(f"no figure: {finding.reason}")
    return Measured(seen.asked.total_seconds(), (seen.back - seen.gone) / SECOND, finding.figure, finding.low)


def main() -> int:
    facts = machine.facts()
    fresh = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(AT_A_TIME, mp_context=fresh) as pool:
        folders = [Path(name) / str(place) for place in range(AT_A_TIME)]
        measured = [each for share in pool.map(measure, range(AT_A_TIME), folders) for each in share]
    print(f"An outage measured against its truth; {facts}; {AT_A_TIME} services at a time")
    print("    asked     truth    figure     error   low end of bar   truth in bar")
    for each in sorted(measured, key=lambda one: one.asked):
        print(
            f"  {each.asked:5.3f} s  {each.truth:6.4f} s  {each.figure:6.4f} s  {each.error * 1000:+5.1f} ms"
            f"   {each.low:6.4f} s         {'yes' if each.contains else 'NO'}"
        )
    met = True
    for length in LENGTHS:
        those = [each for each in measured if each.asked == length.total_seconds()]
        near = sum(abs(each.error) <= BOUND.total_seconds() for each in those)
        inside = sum(each.contains for each in those)
        worst = max(abs(each.error) for each in those)
        widest = max(each.figure - each.low for each in those)
        print(
            f"  {length.total_seconds():.3f} s: within {BOUND // MS} ms in {near} of {len(those)}, "
            f"in its bar in {inside} of {len(those)}; worst error {worst * 1000:.1f} ms "
            f"({worst / BOUND.total_seconds():.2f} of the bound), widest bar {widest * 1000:.1f} ms"
        )
        met = met and near == inside == len(those) == RUNS
    print("  MET" if met else "  NOT MET")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
