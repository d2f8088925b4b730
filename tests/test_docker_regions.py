"""The regions of a container stack, as far as no engine is needed: where they lie, and what is asked of their pods."""

from __future__ import annotations

import ipaddress
import os
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from harness.errors import Unable
from harness.stacks.capabilities import CAPABILITIES
from harness.stacks.capabilities.backups import Replicated
from harness.stacks.capabilities.names import Named
from harness.stacks.docker import engine, stamped
from harness.stacks.docker.grid import DockerGrid
from harness.stacks.docker.layout import places
from harness.stacks.docker.network import Subnets
from harness.stacks.docker.parts import _targets
from harness.stacks.docker.stack import DockerStack
from harness.stacks.needs import Regions
from harness.stacks.parts.has import REGIONAL
from harness.stacks.parts.settings import Settings
from harness.stacks.parts.tls import make_authority
from harness.system import clock
from harness.system.clock import Moment
from harness.system.recorder import Memory

EAST, WEST = "us-east-1", "us-west-2"
PREFIX = "10.143.7"


@pytest.mark.parametrize("number", [1, 2])
def test_nobody_has_the_address_of_another(number: int) -> None:
    """Zones, their customers, entrances, storages and what is outside: all between the zones, and none is the
    machine's own."""
    found = places(number)
    numbers = [*found.outside.values(), *(at for one in found.regions for at in found.pods(one.name).values())]
    assert len(set(numbers)) == len(numbers)
    assert all(1 < at < 63 for at in numbers)
    nets = [ipaddress.ip_network(Subnets(PREFIX, found.zone_bits).of_zone(at)) for at in range(len(found.zones))]
    between = ipaddress.ip_network(Subnets(PREFIX).between())
    assert not any(one.overlaps(other) for one in [between, *nets] for other in [between, *nets] if one is not other)


def test_a_region_is_a_block_of_addresses_and_nothing_else_is_in_it() -> None:
    """So one rule tells what is beyond it."""
    found = places(2)
    blocks = {one.name: ipaddress.ip_network(found.block(one.name, PREFIX)) for one in found.regions}
    inside = {
        name: {at for at in range(256) if ipaddress.ip_address(f"{PREFIX}.{at}") in block}
        for name, block in blocks.items()
    }
    for name, own in inside.items():
        assert set(found.pods(name).values()) <= own
        others = {at for one in found.regions if one.name != name for at in found.pods(one.name).values()}
        assert not own & (others | set(found.outside.values()) | {1})


def test_a_stack_of_one_region_stands_where_it_always_stood() -> None:
    """Zones, their customers, and the pods beside them."""
    found = places(1)
    assert dict(found.alone) == {"entrance-1": 5, "entrance-2": 6, "storage": 10, "watch": 15, "customers": 18}
    assert found.pods(EAST)["b"] == 22 and found.pods(EAST)["customers-b"] == 42 and found.zone_bits == 26


class Pods:
    """Stands for the network: pods of two regions, of which some have no power."""

    def __init__(self, regions: int = 2) -> None:
        self.places = places(regions)
        self.off: set[str] = set()

    def of_region(self, name: str) -> dict[str, str]:
        return {pod: f"{PREFIX}.{at}" for pod, at in self.places.pods(name).items()}

    def block(self, name: str) -> str:
        return self.places.block(name, PREFIX)

    def address(self, zone: str) -> str:
        return f"{PREFIX}.{self.places.zones[zone]}"

    def pod(self, name: str) -> str:
        assert name not in self.off, f"{name} has no power"
        return name

    def runs(self, name: str) -> bool:
        return name not in self.off

    def running(self, names: Collection[str]) -> set[str]:
        return set(names) - self.off

    def kill_together(self, names: Collection[str]) -> Moment | None:
        killed = self.running(names)
        self.off |= killed
        return Moment(clock.mono(), clock.mono(), "the engine") if killed else None

    def start(self, name: str) -> None:
        self.off.discard(name)


class Kernel:
    """Stands for the engine: keeps the scripts that each pod was asked to run, and when to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scripts: dict[str, list[str]] = {}
        self.times: set[int] = set()
        monkeypatch.setattr(engine, "execute", self.execute)

    def execute(self, container: str, argv: Sequence[str], *, what: str, detach: bool = False) -> str:
        if argv[0] != "python3":
            self.scripts.setdefault(container, []).append(argv[-1])
            return ""
        _, _, _, before, act, *at = argv
        assert not before, "something happens before the others are ready"
        self.scripts.setdefault(container, []).append(act)
        self.times |= set(map(int, at))
        return f"{clock.mono()} {clock.mono()}\n"

    def last(self) -> dict[str, str]:
        return {pod: scripts[-1] for pod, scripts in self.scripts.items()}


def test_a_cut_is_made_in_every_pod_of_a_region_at_one_instant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also where its customers stand; what it says to itself passes, and one that is cut off is never joined first."""
    kernel, pods = Kernel(monkeypatch), Pods()
    assert DockerGrid(pods, folder=tmp_path).cut_region(WEST) is not None
    assert set(kernel.last()) == set(pods.of_region(WEST)) and len(kernel.times) == 1
    for pod, script in kernel.last().items():
        address = pods.of_region(WEST)[pod]
        assert f"-A INPUT ! -i lo -d {address} ! -s {PREFIX}.32/28 -j DROP" in script
        assert f"-A OUTPUT ! -o lo -s {address} ! -d {PREFIX}.32/28 -j DROP" in script
        assert "-D" not in script
    DockerGrid(pods, folder=tmp_path).join_region(WEST)
    assert all("-D INPUT" in script and "-A" not in script for script in kernel.last().values())


def test_a_blackout_kills_all_of_a_region_but_its_customers_who_are_cut_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing of it is left to be killed a second time; with power its pods are back, joined, and held back anew."""
    kernel, pods = Kernel(monkeypatch), Pods()
    grid = DockerGrid(pods, folder=tmp_path)
    assert grid.black_out(EAST) is not None
    assert pods.off == {"a", "b", "c", "entrance-1", "entrance-2", "storage"}
    assert set(kernel.scripts) == {"customers-a", "customers-b", "customers-c"}
    assert grid.black_out(EAST) is None
    grid.cut_region(EAST)
    assert not pods.off & set(kernel.scripts)
    grid.light_up(EAST)
    assert not pods.off and "htb" in kernel.last()["a"] and "-D INPUT" in kernel.last()["customers-a"]


def test_a_zone_whose_power_returns_is_cut_off_as_its_region_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before anything runs in it, and whoever has cut the region off; not any more once the region is joined."""
    kernel, pods = Kernel(monkeypatch), Pods()
    DockerGrid(pods, folder=tmp_path).cut_region(WEST)
    grid = DockerGrid(pods, folder=tmp_path)
    for joined in (False, True):
        if joined:
            grid.join_region(WEST)
        pods.off.add("west-a")
        kernel.scripts.clear()
        grid.start_zone("west-a")
        assert any("-A INPUT" in script for script in kernel.scripts["west-a"]) is not joined
        assert not pods.off and "htb" in kernel.last()["west-a"] and "customers-west-b" not in kernel.scripts


def test_the_only_region_of_a_stack_is_not_cut_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is asked of its pods; its power can be lost, and is there again."""
    kernel, pods = Kernel(monkeypatch), Pods(1)
    grid = DockerGrid(pods, folder=tmp_path)
    with pytest.raises(Unable, match="the stack has no other"):
        grid.cut_region(EAST)
    grid.lay_links()
    grid.hold_back_zone("a")
    assert grid.join_region(EAST) is None and grid.black_out(EAST) is not None and "storage" in pods.off
    grid.light_up(EAST)
    assert not pods.off and not kernel.scripts


def test_only_what_leaves_a_region_is_held_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its own block is a class of its own; where the kernel lacks a queue the link is as it was."""
    kernel, pods = Kernel(monkeypatch), Pods()
    DockerGrid(pods, folder=tmp_path).lay_links()
    assert set(kernel.scripts) == {*pods.of_region(EAST), *pods.of_region(WEST)}
    script = kernel.last()["west-a"]
    assert f"match ip dst {PREFIX}.32/28 flowid 1:1" in script and "rate 320000kbit" in script
    shell = script.replace("tc ", "false ")  # a kernel without any queue
    assert subprocess.run(["sh", "-c", shell], capture_output=True, check=False).returncode == 0
    pods.off.add("west-a")
    kernel.scripts.clear()
    DockerGrid(pods, folder=tmp_path).hold_back_zone("west-a")
    assert set(kernel.scripts) == {"customers-west-a"}


def test_a_script_waits_for_the_others(capfd: pytest.CaptureFixture[str]) -> None:
    """Until a reading of the kernel's clock; one that is past, or of another kernel, is not waited for."""
    begin = clock.mono()
    assert stamped.main("true", "true", str(begin + 300_000_000)) == 0
    assert int(capfd.readouterr().out.split()[0]) >= begin + 300_000_000
    for at in (begin, begin + 10**15):
        again = clock.mono()
        assert stamped.main("true", "true", str(at)) == 0
        assert clock.mono() - again < 2_000_000_000


def built(folder: Path, regions: int) -> DockerStack:
    """Put together, and not started."""
    label = f"test-{os.getpid()}"
    stack = DockerStack(folder, recorder=Memory(), label=label, settings=Settings(regions=regions))
    stack._stand("image", sockets=folder / "sockets", prefix=PREFIX)
    stack._build(make_authority(folder / "tls"))
    return stack


@pytest.mark.parametrize("number", [1, 2])
def test_a_stack_has_what_its_kind_says_also_of_regions(tmp_path: Path, number: int) -> None:
    """Names and copies of the backups are of two alone; and no two components have the same name."""
    stack = built(tmp_path, number)
    of_two = {Regions(2), Named, Replicated}
    held = {each.protocol for each in CAPABILITIES} & set(REGIONAL)
    found = {each for each in held if any(isinstance(one, each) for one in stack.regions[0].holds)}
    assert found == held - (of_two if number == 1 else set())
    parts = [one.name for region in stack._parts.values() for one in region.components()]
    assert len(parts) == len(set(parts)) and set(parts) < set(stack.components())
    assert len(stack.regions) == number and len(stack.simulated) == (2 if number == 1 else 5)


def test_each_region_has_parts_of_its_own(tmp_path: Path) -> None:
    """The second is half the size, follows the first, and asks a store of its own."""
    stack = built(tmp_path, 2)
    east, west = stack._parts.values()
    assert [one.name for one in west.members] == ["patroni-west-a", "patroni-west-b"] and len(east.members) == 3
    assert {one.name for one in west.components()} == {
        "etcd-west-a", "api-west-a", "api-west-b", "haproxy-west", "s3-west", "s3-tls-west", "replicator",
        "patroni-west-a", "patroni-west-b",
    }  # fmt: skip  # a set
    assert west.s3.url != east.s3.url and set(west.standby.addresses) == {f"{PREFIX}.33", f"{PREFIX}.34"}
    assert west.members[0]._regional["standby_cluster"]["host"] == f"{PREFIX}.17,{PREFIX}.18,{PREFIX}.19"
    assert east.members[0]._regional == {"slots": {"us_west_2": {"type": "physical"}}}
    assert built(tmp_path, 1)._parts[EAST].members[0]._regional == {}


def test_a_region_that_follows_is_watched_and_need_not_be_ready(tmp_path: Path) -> None:
    """Its API lives, its load balancer has nobody behind it, and only one of its zones has a member of etcd."""
    targets = [one for parts in built(tmp_path, 2)._parts.values() for one in _targets(parts, Settings(), serves=False)]
    assert not {"ready", "entrance"} & {one.job for one in targets}
    assert [one.component for one in targets if one.job == "etcd"] == ["etcd-a", "etcd-b", "etcd-c", "etcd-west-a"]
    assert {one.component for one in targets if one.job in ("store", "store-front")} == {
        "s3", "s3-tls", "s3-west", "s3-tls-west",
    }  # fmt: skip  # a set
    alone = built(tmp_path, 1)._parts[EAST]
    assert {one.job for one in _targets(alone, Settings(), serves=True)} >= {"ready", "entrance"}


def test_a_server_whose_pod_was_killed_starts_whoever_has_its_number_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL would take another process of the pod for itself; while it runs its files are left alone."""
    member = built(tmp_path, 2)._parts[WEST].members[0]
    files = (member.data / "postmaster.pid", member.sockets / ".s.PGSQL.5432.lock")
    monkeypatch.setattr(member._unit, "start", lambda: None)
    for alive in (True, False):
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("74")
        monkeypatch.setattr(member._unit, "alive", lambda answer=alive: answer)
        member.start()
        assert [file.exists() for file in files] == [alive, alive]
