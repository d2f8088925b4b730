"""A workload begins and ends all groups of customers; what it tells on the way agrees with their ledgers."""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from harness.errors import DrillError
from harness.stacks import Entrance
from harness.stacks.parts.tls import make_authority
from harness.system import clock
from harness.system.command import Commands, end_labelled
from harness.system.recorder import Memory
from harness.system.resolver import Fixed
from harness.workload.client import ClientModule
from harness.workload.ledger import SECOND, Header, count, end_line, header_line, not_sent_line, outcomes, read_header
from harness.workload.tail import Tail
from harness.workload.workload import Group, Workload
from tests.small_service import SmallService
from tests.test_ledger import sent

NAME = "api.quantumnest.com"
pytestmark = pytest.mark.xdist_group("timed")  # figures of a clock: not beside each other
GROUPS = [
    {"group": name, "zone": None, "inside": False, "via": "entrance", "file": f"scenarios/s/ledger-{name}.jsonl"}
    for name in ("one", "two", "three")
]
NAMES = [f"scenarios/s/ledger-{name}.jsonl" for name in ("one", "two", "three")]


class Loopback:
    """As much of a stack as customers need: they stand on this machine itself."""

    def __init__(self, entrance: Entrance) -> None:
        self.entrance = entrance

    def stand_outside(self) -> list[str]:
        return ["env", "PLACE=outside"]

    def stand_in(self, zone: str) -> list[str]:
        return ["env", f"PLACE={zone}"]

    def zone_entrance(self, zone: str) -> Entrance:
        return self.entrance

    def zone_database(self, zone: str) -> tuple[str, dict[str, str]]:
        return "host=127.0.0.1 port=1", {}


class Trial:
    """A workload against a small service, with what it recorded."""

    def __init__(self, folder: Path, service: SmallService, ca: Path, *, rate: float) -> None:
        self.memory = Memory()
        self.label = f"test-workload-{folder.name}-{clock.mono()}"
        self.workload = Workload(
            Loopback(Entrance(host=NAME, resolver=Fixed(("127.0.0.1",)), port=service.port, ca=ca)),
            self.memory,
            Commands(self.memory, label=self.label),
            folder / "scenarios" / "s",
            client=ClientModule(Path(__file__).parents[1], "drills.client"),
            origin="r/s",
            groups=[Group(name, rate / 3) for name in ("one", "two", "three")],
        )

    def recorded(self, kind: str) -> list[dict[str, object]]:
        return [data for name, data in self.memory.facts if name == kind]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SmallService]:
    small = SmallService(*make_authority(tmp_path).issue("api", [NAME]))
    yield small
    small.close()


@pytest.fixture
def trial(tmp_path: Path, service: SmallService) -> Iterator[Callable[[float], Trial]]:
    trials: list[Trial] = []

    def make(rate: float) -> Trial:
        trials.append(Trial(tmp_path, service, tmp_path / "ca.pem", rate=rate))
        return trials[-1]

    yield make
    for one in trials:
        end_labelled(one.label)


def eventually(condition: Callable[[], bool], *, within: float = 10) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_customers_of_three_groups_take_turns_and_everything_adds_up(
    trial: Callable[[float], Trial], service: SmallService
) -> None:
    """Due times of the groups interleave evenly; totals, digests and the service's own count agree."""
    three = trial(60.0)
    workload = three.workload
    workload.begin()
    assert three.recorded("workload.begin") == [{"origin": "r/s", "rate": 60.0, "groups": GROUPS}]
    eventually(lambda: workload.good_for(timedelta(seconds=0.5)))
    assert workload.rate() > 0 and workload.recent().bad == 0
    before = clock.mono()
    service.gone()
    time.sleep(0.3)
    assert workload.good_since() is None and workload.recent().bad > 0
    back = service.back()
    eventually(lambda: workload.good_for(timedelta(seconds=0.3)))
    since = workload.good_since()
    assert since is not None and back < since < back + SECOND // 5
    assert not workload.good_for(timedelta(), after=clock.mono())
    totals = workload.end()
    assert workload.end().due == 0  # harmless when repeated

    ledgers = {zone: path.read_bytes() for zone, path in workload.files.items()}
    requests = [request for data in ledgers.values() for request in outcomes(data.splitlines(keepends=True))]
    assert totals == count(requests)
    assert totals.due == totals.acknowledged + totals.failed + totals.in_doubt + totals.not_sent
    assert totals.failed > 10
    assert totals.acknowledged <= len(service.stored) <= totals.acknowledged + totals.in_doubt
    assert {origin for origin, _ in service.stored} == {f"r/s/{name}" for name in ("one", "two", "three")}
    dues = sorted(request.due for request in requests)
    period = SECOND / 60
    common = [later - due for due, later in pairwise(dues) if before < due < back]
    assert common and all(abs(gap - period) < 1000 for gap in common)
    assert three.recorded("ledger") == [
        {
            "file": f"scenarios/s/ledger-{zone}.jsonl",
            "sha256": hashlib.sha256(data).hexdigest(),
            "lines": data.count(b"\n"),
        }
        for zone, data in ledgers.items()
    ]
    assert three.recorded("workload.end") == [vars_of(totals)]


def vars_of(totals: object) -> dict[str, object]:
    return {name: getattr(totals, name) for name in ("due", "sent", "acknowledged", "failed", "in_doubt", "not_sent")}


def test_customers_that_die_are_noticed(trial: Callable[[float], Trial]) -> None:
    """While they run nothing is called good any more; at the end the totals are recorded, and then it is an error."""
    three = trial(60.0)
    three.workload.begin()
    eventually(lambda: three.workload.good_since() is not None)
    three.workload._processes["two"].send(signal.SIGKILL)
    eventually(lambda: three.workload.good_since() is None)
    with pytest.raises(DrillError, match="customers two ended before they were told to"):
        three.workload.end()
    assert len(three.recorded("ledger")) == 3
    (totals,) = three.recorded("workload.end")
    assert totals["due"] == sum(totals[name] for name in ("acknowledged", "failed", "in_doubt", "not_sent"))


def test_customers_that_cannot_begin_say_why(trial: Callable[[float], Trial], tmp_path: Path) -> None:
    """The last words of their log are the error."""
    three = trial(60.0)
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(DrillError, match=r"customers (one|two|three) could not begin: .*ca\.pem"):
        three.workload.begin()


def test_idle_customers_leave_ledgers_in_which_nothing_was_due(trial: Callable[[float], Trial]) -> None:
    """So that a check can tell customers who never came from a ledger that is missing."""
    three = trial(0.0)
    three.workload.begin()
    assert three.workload.good_since() is None
    assert three.workload.end().due == 0
    assert [entry["lines"] for entry in three.recorded("ledger")] == [1, 1, 1]
    assert read_header(three.workload.files["two"].read_text()).rate == 0.0


@pytest.fixture
def growing(tmp_path: Path) -> tuple[Path, Tail, int]:
    """A ledger whose request n is due n · 10 ns after the moment returned, and a tail on it."""
    path = tmp_path / "ledger-a.jsonl"
    path.write_text(header_line(Header("r/s", "a", 1.0, 5.0)))
    return path, Tail({"a": path}), clock.mono()


def test_a_bad_end_that_comes_late_breaks_the_stretch_where_it_was_due(growing: tuple[Path, Tail, int]) -> None:
    """1 and 3 are good, 2 is known to be bad only afterwards: good service begins with the answer to 3."""
    path, tail, start = growing

    def add(*lines: str) -> int | None:
        with path.open("a") as sink:
            sink.writelines(lines)
        seen = tail.recent().good_since
        return None if seen is None else seen - start

    one, two, three = (sent(n, due=start + n) for n in (1, 2, 3))
    assert add(one, two, three) is None
    assert add(end_line(1, "acknowledged", t=start + 10)) == 10
    assert add(end_line(3, "acknowledged", t=start + 30)) == 10
    assert add(end_line(2, "in_doubt", t=start + 40)) == 30
    assert add(not_sent_line(4, due=start + 4, t=start + 50, why="clients full")) is None
    assert add(sent(5, due=start + 5)[:20]) is None
    assert add(sent(5, due=start + 5)[20:], end_line(5, "acknowledged", t=start + 60)) == 60
    assert tail.recent().under_way == 0 and tail.recent().rate == 0.6 and tail.recent().bad == 0.4


def test_a_request_that_is_long_overdue_is_bad_though_it_has_no_end(growing: tuple[Path, Tail, int]) -> None:
    """Its customers have gone; what came before it is no longer the current stretch."""
    path, tail, start = growing
    early = start - 60 * SECOND
    lines = [sent(1, due=early), end_line(1, "acknowledged", t=early + 5), sent(2, due=early + 1), sent(3, due=start)]
    with path.open("a") as sink:
        sink.writelines(lines)
    assert tail.recent().good_since is None
    with path.open("a") as sink:
        sink.write(end_line(3, "acknowledged", t=start + 7))
    assert tail.recent().good_since == start + 7


def test_what_still_waits_is_not_good_yet(growing: tuple[Path, Tail, int]) -> None:
    """Others behind it are answered, by a server that is left: service is good up to the one that hangs."""
    path, tail, start = growing

    def add(*lines: str) -> int:
        with path.open("a") as sink:
            sink.writelines(lines)
        return tail.recent().good_until - start

    assert add(*(sent(n, due=start + n) for n in (1, 2, 3)), end_line(1, "acknowledged", t=start + 10)) == 2
    assert add(end_line(3, "acknowledged", t=start + 30), sent(4, due=start + 4)) == 2
    assert add(end_line(4, "acknowledged", t=start + 40)) == 2
    assert add(end_line(2, "acknowledged", t=start + 50)) == 4


def test_what_waits_for_customers_who_are_gone_holds_nothing_up(growing: tuple[Path, Tail, int]) -> None:
    """It is bad, and what came after it is good all the same."""
    path, tail, start = growing
    with path.open("a") as sink:
        sink.writelines([sent(1, due=start - 60 * SECOND), sent(2, due=start)])
        sink.write(end_line(2, "acknowledged", t=start + 7))
    assert tail.recent().good_until == start
