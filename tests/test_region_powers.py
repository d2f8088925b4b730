"""A region is fenced, and comes back: it never takes writes where another one has led meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.errors import NotReady, Refused
from harness.stacks.local.regions import LocalGrid
from harness.stacks.parts import region_powers
from harness.stacks.parts.fence_device import FenceDevice
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.postgres import Roles
from harness.stacks.parts.region_powers import RegionPowers
from harness.system.clock import Moment
from harness.system.command import Commands
from harness.system.recorder import Memory
from tests.one_host import one_host

HERE, THERE = "here", "there"


class Part:
    """Of a region: it runs or not. As a database server it may have led, and takes writes while it runs then."""

    def __init__(self, name: str, *, led: bool = False, kept_off: Callable[[], str] = str) -> None:
        self.name, self.led, self.on, self._kept_off = name, led, True, kept_off

    def start(self) -> None:
        assert not self._kept_off(), "a fenced server is started"
        self.on = True

    def running(self) -> bool:
        return self.on

    def has_data(self) -> bool:
        return True


class Region:
    """Its parts, and what it follows as its store says."""

    def __init__(self, name: str, device: FenceDevice, *, leads: bool) -> None:
        self.name, self.upstream, self.same, self.silent = name, "" if leads else HERE, True, False
        self.members = [Part(f"db-{name}", led=leads, kept_off=lambda: device.why(name))]
        self.other = Part(f"etcd-{name}")
        self.etcd = self.standby = self.s3 = self
        self.addresses = [name]

    def components(self) -> list[Part]:
        return [self.other, *self.members]

    def wait_ready(self) -> None:
        if self.silent:
            raise NotReady("the store is silent", hint="")

    def ready(self) -> bool:
        return True

    def store_is_back(self) -> None:
        """It wants nothing."""

    def follow(self, upstream: Sequence[str]) -> str:
        assert not self.members[0].on, "it is made to follow while it runs"
        self.upstream, self.members[0].led, self.same = upstream[0], False, True
        return ""

    def follows(self) -> str:
        return self.upstream

    def goes_on(self, upstream: Sequence[str]) -> bool:
        return self.same

    def follow_unlooked(self, upstream: Sequence[str]) -> None:
        self.upstream = upstream[0]


class Two:
    """Two regions: the first leads, the second follows it."""

    def __init__(self, folder: Path) -> None:
        device = FenceDevice(folder)
        self.here, self.there = Region(HERE, device, leads=True), Region(THERE, device, leads=False)
        self.known = {HERE: self.here, THERE: self.there}
        network: Any = type("Network", (), {"cut_region": lambda *_: None, "join_region": lambda *_: None})()
        parts: Any = self.known
        grid = LocalGrid(network, parts, kill=self.kill)
        self.powers = RegionPowers(grid, parts, device=device, kill=self.kill, recorder=Memory())

    def kill(self, names: Sequence[str], *, first: Callable[[], object] = bool) -> Moment | None:
        first()
        for region in self.known.values():
            for part in region.components():
                part.on = part.on and part.name not in names
        return Moment(1, 2, "the test")


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Two:
    monkeypatch.setattr(region_powers.fencing, "writable", lambda member: member.on and member.led)
    monkeypatch.setattr(region_powers.fencing, "is_copy", lambda member: not member.led)
    return Two(tmp_path)


def promote(two: Two) -> None:
    two.there.upstream, two.there.members[0].led = "", True


def test_a_region_that_nobody_took_over_from_comes_back_as_it_was(two: Two) -> None:
    """All of it is gone at one instant, and all of it is started."""
    two.powers.cut_region_power(HERE)
    assert not two.powers.region_has_power(HERE) and two.powers.region_has_power(THERE)
    assert two.powers.restore_region_power(HERE) == ""
    assert two.here.members[0].on and two.here.members[0].led and not two.powers.region_is_fenced(HERE)


def test_a_region_that_another_took_over_from_comes_back_as_its_follower(two: Two) -> None:
    """Fenced first, made to follow while nothing runs, and only then started."""
    two.powers.cut_region_power(HERE)
    promote(two)
    assert two.powers.restore_region_power(HERE) == ""
    assert two.here.members[0].on and not two.here.members[0].led and two.here.upstream == THERE


def test_where_the_other_cannot_be_asked_any_more_it_stays_fenced(two: Two) -> None:
    """Its disk says that it has led; the store and the rest of the region are started."""
    two.powers.cut_region_power(HERE)
    promote(two)
    two.powers.cut_region_power(THERE)
    assert "there has led, and nobody leads there now" in two.powers.restore_region_power(HERE)
    assert two.powers.region_is_fenced(HERE) and two.here.other.on and not two.here.members[0].on
    two.there.members[0].on = True
    assert two.powers.restore_region_power(HERE) == "" and two.here.upstream == THERE and two.here.members[0].on


def test_a_fence_is_not_ended_while_nobody_can_be_followed(two: Two) -> None:
    """Whoever has led may have what nobody else has."""
    two.powers.fence_region(HERE)
    promote(two)
    two.powers.cut_region_power(THERE)
    with pytest.raises(Refused, match="it does not follow anybody who leads"):
        two.powers.unfence_region(HERE)


def test_where_it_cannot_be_made_to_follow_it_stays_fenced(two: Two) -> None:
    """And it is said why."""
    two.powers.cut_region_power(HERE)
    promote(two)
    two.here.silent = True
    assert two.powers.restore_region_power(HERE).endswith("stay fenced: the store is silent")
    assert two.powers.region_is_fenced(HERE) and not two.here.members[0].on


def test_what_was_fenced_before_stays_fenced_until_it_would_follow(two: Two) -> None:
    """Power alone lets nothing back, and a fence is not ended for one who would lead, or whose history has parted."""
    two.powers.cut_region_power(HERE)
    for _ in range(2):
        two.powers.fence_region(HERE)
    promote(two)
    assert two.powers.restore_region_power(HERE).endswith("as before") and not two.here.members[0].on
    with pytest.raises(Refused, match="there has led, and it does not follow there"):
        two.powers.unfence_region(HERE)
    two.here.upstream, two.here.same = THERE, False
    with pytest.raises(Refused, match="no beginning"):
        two.powers.unfence_region(HERE)
    two.here.follow([THERE])
    for _ in range(2):
        two.powers.unfence_region(HERE)
    assert not two.powers.region_is_fenced(HERE) and not two.here.members[0].on


def test_for_sabotage_a_region_leads_beside_another_and_follows_it_without_a_look(two: Two) -> None:
    """Against its fence, and whatever either has written."""
    two.powers.cut_region_power(HERE)
    two.powers.fence_region(HERE)
    promote(two)
    two.powers.restore_region_power(HERE)
    two.powers.let_lead(HERE)
    assert two.here.members[0].on and two.here.members[0].led and not two.powers.region_is_fenced(HERE)
    two.here.same = False
    two.powers.follow_unlooked(HERE)
    assert two.here.upstream == THERE


def test_a_fence_of_a_region_that_nobody_took_over_from_can_be_ended(two: Two) -> None:
    """Its servers may lead again."""
    two.powers.fence_region(HERE)
    assert not two.here.members[0].on and two.here.other.on
    two.powers.unfence_region(HERE)
    assert not two.powers.region_is_fenced(HERE)


def test_the_fence_is_on_the_disk_and_keeps_a_server_off_in_any_process(tmp_path: Path) -> None:
    """Also one that is fenced just while it is started: it is killed again."""
    device = FenceDevice(tmp_path)
    started: list[str] = []

    def member() -> PatroniMember:
        ground = one_host(tmp_path, Commands(Memory(), label=f"test-{os.getpid()}"), ourselves=True)
        made = PatroniMember(
            ground, zone="a", roles=Roles(), sockets=tmp_path / "s", stores=[], settings=dict, synchronous={},
            kept_off=lambda: FenceDevice(tmp_path).why("r"),
        )  # fmt: skip  # arguments in groups
        unit: Any = made._unit
        unit.start, unit.kill = lambda: started.append("start"), lambda: started.append("kill")
        return made

    member().start()
    for _ in range(2):
        device.keep_off("r", asked=False)
    assert not device.asked("r")
    for _ in range(2):
        device.keep_off("r", asked=True)
    device.keep_off("r", asked=False)
    assert device.asked("r") and device.fenced("r") and not device.fenced("other")
    with pytest.raises(Refused, match="patroni-a is kept off: region r is fenced"):
        member().start()
    for _ in range(2):
        device.let_on("r", asked=False)
        assert device.fenced("r")
    for _ in range(2):
        device.let_on("r", asked=True)
    late: Any = member()
    late._unit.start = lambda: (started.append("start"), device.keep_off("r", asked=True))
    with pytest.raises(Refused, match="fenced"):
        late.start()
    assert started == ["start", "start", "kill"]
