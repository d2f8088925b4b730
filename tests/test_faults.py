"""What the faults ask of a stack and what they leave, on one that only remembers; the contract asks real ones."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

import harness.faults
from harness.errors import NotReady, Refused, Unable
from harness.faults import Fault, _probes, table
from harness.faults.break_channel import BreakChannel
from harness.faults.cut_component import CutComponent
from harness.faults.cut_link import CutLink
from harness.faults.cut_zone import CutZone
from harness.faults.fill_disk import FillDisk
from harness.faults.flap_link import FlapLink
from harness.faults.kill_component import KillComponent
from harness.faults.kill_load_balancer import KillLoadBalancer
from harness.faults.kill_zone import KillZone
from harness.faults.pause_component import PauseComponent
from harness.faults.poison_release import PoisonRelease
from harness.faults.slow_link import SlowLink
from harness.stacks import zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.releases import Releases
from tests.contract.faults import CASES, OF_ATTACHED, OF_REGIONS
from tests.fake_stack import FakeStack, Part, PlainStack

SECOND = timedelta(seconds=1)
FAULTS: dict[str, Fault] = {
    "kill_component": KillComponent(("api-b", "patroni-b", "etcd-b")),
    "pause_component": PauseComponent("patroni-b"),
    "kill_zone": KillZone("b"),
    "cut_zone": CutZone("b"),
    "cut_component": CutComponent("api-b"),
    "cut_link": CutLink("a", ("b", "c")),
    "cut_link etcd": CutLink("a", ("b", "c"), "consensus store"),
    "slow_link": SlowLink("b", kilobytes=64),
    "flap_link": FlapLink("b", SECOND, SECOND, SECOND * 9),
    "kill_load_balancer": KillLoadBalancer(),
    "poison_release": PoisonRelease("1.1"),
    "fill_disk": FillDisk("patroni-b"),
    "break_channel": BreakChannel("slack", "refuses"),
}
ASK_NOBODY = ("kill_component", "kill_load_balancer", "poison_release")  # no optional power is wanted


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> FakeStack:
    """What goes over a network is made up; what is asked, in which order, and what is left, is not."""
    made = FakeStack()

    def door(_: object, name: str) -> _probes.Door | None:
        return None if name.startswith(("etcd", "s3")) else made.door(made.by_name[name])

    monkeypatch.setattr(_probes, "door", door)
    monkeypatch.setattr(_probes, "asked_at", made.door)
    monkeypatch.setattr(SlowLink, "_measure", lambda _, stack, zone: (0.1, 2.0 if zone in stack.slow_zones else 0.01))
    return made


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_it_bites_heals_and_leaves_the_stack_as_it_was(fault: Fault, stack: FakeStack) -> None:
    """Looking and healing hurt nothing; what was hurt is as before after the first healing, and after the second."""
    before = repr(stack.by_name), need(stack, Releases).current()
    undo = json.loads(json.dumps(fault.prepare(stack)))
    fault.heal(stack, undo)
    assert (repr(stack.by_name), need(stack, Releases).current()) == before
    assert not fault.took_effect(stack, undo)
    assert not fault.still_hurt(stack, undo)
    fault.inject(stack, undo)
    assert fault.took_effect(stack, undo)
    assert fault.still_hurt(stack, undo)
    healer = table.of(fault.name, json.loads(json.dumps(table.to_disk(fault))))
    for _ in range(2):
        healer.heal(stack, undo)
        assert not fault.took_effect(stack, undo)
        assert not healer.still_hurt(stack, undo)
        assert all(part.up and not part.frozen for part in stack.by_name.values())
    assert not any(part.off for part in stack.by_name.values())
    assert not (stack.cuts or stack.blind or stack.slow_zones or stack.flapping or stack.dark)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_it_hurts_is_a_component_or_a_zone(fault: Fault, stack: FakeStack) -> None:
    """An alert is compared with these words, so they are the stack's own."""
    known = {*stack.by_name, *(f"zone {zone}" for zone in zones(stack))}
    assert set(fault.affects(fault.prepare(stack))) <= known


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in ASK_NOBODY])
def test_a_stack_without_the_power_is_told_so_before_anything_is_hurt(name: str) -> None:
    """The error says what is lacking, and where to read who has it."""
    with pytest.raises(Unable) as unable:
        FAULTS[name].prepare(PlainStack())
    assert "has not: " in unable.value.message and "docs/stacks.md" in unable.value.hint


def test_what_does_not_run_cannot_be_killed(stack: FakeStack) -> None:
    """Otherwise its death would be proved though nobody has killed it."""
    stack.by_name["etcd-b"].up = False
    with pytest.raises(NotReady, match="etcd-b"):
        KillComponent(("api-b", "etcd-b")).prepare(stack)
    with pytest.raises(Refused, match="api-x"):
        KillComponent(("api-x",)).prepare(stack)


def test_a_service_fails_only_in_ways_that_it_has(stack: FakeStack) -> None:
    """And one that has failed already is not taken for the fault's doing."""
    with pytest.raises(Refused, match="cannot be made so: html"):
        BreakChannel("slack", "html").prepare(stack)
    with pytest.raises(Refused, match="cannot be made so: up"):
        BreakChannel("slack", "up").prepare(stack)
    stack.set_service("slack", "hangs")
    with pytest.raises(NotReady, match="slack is hangs already"):
        BreakChannel("slack", "refuses").prepare(stack)


def test_a_host_that_is_half_dead_is_no_proof(stack: FakeStack) -> None:
    """Each of the components must be gone."""
    fault = KillComponent(("api-b", "etcd-b"))
    undo = fault.prepare(stack)
    fault.inject(stack, undo)
    stack.by_name["etcd-b"].up = True
    assert not fault.took_effect(stack, undo)
    fault.heal(stack, undo)
    assert stack.by_name["etcd-b"].starts == 0


def test_what_nobody_can_ask_is_not_paused(stack: FakeStack) -> None:
    """That it hangs could not be proved."""
    with pytest.raises(Unable, match="etcd-b"):
        PauseComponent("etcd-b").prepare(stack)


def test_a_dead_zone_is_not_taken_for_one_that_is_cut_off(stack: FakeStack) -> None:
    """A cut leaves its components alive."""
    fault = CutZone("b")
    undo = fault.prepare(stack)
    stack.cut_power("b")
    assert not fault.took_effect(stack, undo)


def test_a_whole_cut_is_not_taken_for_a_partial_one(stack: FakeStack) -> None:
    """Of a partial cut everybody else must see all, and what is not cut must be seen."""
    fault = CutLink("a", ("b",), "consensus store")
    undo = fault.prepare(stack)
    stack.cut_link("a", "b")
    assert not fault.took_effect(stack, undo)
    stack.join_link("a", "b")
    fault.inject(stack, undo)
    assert fault.took_effect(stack, undo)
    stack.cut("b")
    assert not fault.took_effect(stack, undo)


def test_the_active_load_balancer_is_the_first_that_runs(stack: FakeStack) -> None:
    """And healing starts the one that was hit, whichever is active by then."""
    stack.by_name["envoy-1"].up = False
    fault = KillLoadBalancer()
    undo = fault.prepare(stack)
    assert fault.affects(undo) == ["envoy-2"]
    fault.inject(stack, undo)
    stack.by_name["envoy-1"].up = True
    fault.heal(stack, undo)
    assert stack.by_name["envoy-2"].up
    stack.by_name["envoy-1"].up = stack.by_name["envoy-2"].up = False
    with pytest.raises(NotReady):
        fault.prepare(stack)


def test_a_rollback_is_left_alone(stack: FakeStack) -> None:
    """Healing deploys nothing where the poisoned release is not deployed any more."""
    fault = PoisonRelease("1.1")
    undo = fault.prepare(stack)
    fault.inject(stack, undo)
    assert stack.fake_releases.published["1.1"] == {"limits": None}
    need(stack, Releases).deploy("1.0")
    fault.heal(stack, undo)
    assert stack.fake_releases.deployed == ["1.0", "1.1", "1.0"]
    need(stack, Releases).deploy("1.1")
    with pytest.raises(NotReady):
        fault.prepare(stack)


def test_a_healer_that_died_half_way_is_made_good(stack: FakeStack) -> None:
    """The release before is deployed, and what it had stopped is started."""
    fault = PoisonRelease("1.1")
    undo = fault.prepare(stack)
    stack.by_name["api-b"].up = False
    fault.heal(stack, undo)
    assert stack.by_name["api-b"].up and stack.fake_releases.deployed == ["1.0"]


def test_what_the_kernel_left_out_is_told_while_the_link_is_slow(stack: FakeStack) -> None:
    """So that a scene can list it as not exercised; asking before or after makes nothing slow."""
    fault = SlowLink("b", kilobytes=64, loss=1.0)
    undo = fault.prepare(stack)
    assert fault.left_out(stack) == []
    fault.inject(stack, undo)
    assert fault.left_out(stack) == ["loss: this kernel has no netem"]
    fault.heal(stack, undo)
    assert fault.left_out(stack) == [] and not stack.slow_zones


def test_a_link_that_is_as_fast_as_before_is_not_slow(stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the kernel says: a transfer is measured."""
    fault = SlowLink("b", kilobytes=64)
    undo = fault.prepare(stack)
    monkeypatch.setattr(SlowLink, "_measure", lambda *_: (0.1, 0.01))
    fault.inject(stack, undo)
    assert not fault.took_effect(stack, undo)


def test_a_full_volume_on_which_writes_succeed_is_not_full(stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof says that it was simulated."""
    fault = FillDisk("patroni-b")
    undo = fault.prepare(stack)
    fault.inject(stack, undo)
    assert "simulated by a limit on file size" in fault.took_effect(stack, undo)
    monkeypatch.setattr(Part, "refused_write", lambda _: "")
    assert not fault.took_effect(stack, undo)


def test_whoever_leads_when_the_fault_is_prepared_is_hit(stack: FakeStack) -> None:
    """And healed, although another leads by then."""
    stack.fake_cluster.leads = stack.by_name["patroni-c"]
    fault = FillDisk("leader")
    undo = fault.prepare(stack)
    fault.inject(stack, undo)
    stack.fake_cluster.leads = stack.by_name["patroni-a"]
    assert fault.affects(undo) == ["patroni-c"] and stack.by_name["patroni-c"].full
    fault.heal(stack, undo)
    assert not stack.by_name["patroni-c"].full
    stack.fake_cluster.leads = None
    with pytest.raises(NotReady):
        fault.prepare(stack)


def test_no_fault_is_forgotten() -> None:
    """Every file of the folder is a fault, and every fault is asked; what only two faults share begins with `_`."""
    files = Path(harness.faults.__file__).parent.glob("[!_]*.py")
    assert {file.stem for file in files} - {"table"} == {case.split()[0] for case in CASES | OF_REGIONS | OF_ATTACHED}
