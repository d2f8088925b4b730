"""Faults of a whole region: what is hurt and healed, and that healing never makes a second writer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from harness.errors import NotReady, Refused
from harness.faults import _probes, stop_replay
from harness.faults.black_out_region import BlackOutRegion
from harness.faults.cut_region import CutRegion
from harness.faults.stop_replay import StopReplay
from harness.safety.healing import heal
from harness.stacks import regional
from tests.two_regions import EAST, WEST, TwoRegions


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> TwoRegions:
    made = TwoRegions()
    monkeypatch.setattr(_probes, "asked_at", made.opened)
    monkeypatch.setattr(_probes, "door", lambda _, name: made.opened(made.parts[name]))
    return made


def test_a_blackout_takes_all_of_a_region_and_nothing_of_the_other(stack: TwoRegions) -> None:
    """And its proof names what does not run."""
    fault, made = BlackOutRegion(EAST), stack.made()
    undo = fault.prepare(made)
    assert not fault.took_effect(made, undo)
    fault.inject(made, undo)
    assert "region us-east-1 has no power" in fault.took_effect(made, undo)
    assert {each.name for each in stack.of(EAST)} == set(fault.affects(undo))
    assert all(each.up for each in stack.of(WEST))
    with pytest.raises(NotReady, match="has no power"):
        fault.prepare(made)


def test_a_region_that_is_half_dead_has_no_blackout(stack: TwoRegions) -> None:
    """All of it must be gone."""
    fault, made = BlackOutRegion(EAST), stack.made()
    undo = fault.prepare(made)
    fault.inject(made, undo)
    stack.parts["api-b"].up = True
    assert not fault.took_effect(made, undo)


def test_after_a_blackout_in_which_nobody_took_over_all_is_as_it_was(stack: TwoRegions) -> None:
    """Nothing is fenced, and it leads again."""
    fault, made = BlackOutRegion(EAST), stack.made()
    undo = fault.prepare(made)
    fault.inject(made, undo)
    assert fault.still_hurt(made, undo) == "region us-east-1 has no power"
    assert heal(made, fault, undo).ok
    assert regional.writers(made) == [EAST] and not stack.fenced
    assert heal(made, fault, undo).ok  # twice is harmless


@pytest.mark.parametrize("fault", [BlackOutRegion(EAST), CutRegion(EAST)], ids=lambda fault: str(fault.name))
def test_healing_makes_a_region_follow_the_one_that_was_promoted(
    stack: TwoRegions, fault: BlackOutRegion | CutRegion
) -> None:
    """Its database servers are fenced before it can be reached, and let on once they follow."""
    made = stack.made()
    undo = fault.prepare(made)
    fault.inject(made, undo)
    stack.fence_region(EAST)
    stack.databases[WEST].promote()
    assert heal(made, fault, undo).ok
    assert regional.writers(made) == [WEST]
    assert stack.databases[EAST].follows() == WEST and not stack.fenced


def test_a_cut_after_which_nobody_was_fenced_is_healed_without_a_second_writer(stack: TwoRegions) -> None:
    """It was alive in the cut, and led on."""
    fault, made = CutRegion(EAST), stack.made()
    undo = fault.prepare(made)
    fault.inject(made, undo)
    assert "us-east-1 is silent" in fault.took_effect(made, undo)
    stack.databases[WEST].promote()
    assert regional.several_write(made) == "us-east-1 and us-west-2 take writes at once"
    assert heal(made, fault, undo).ok
    order = ["us-east-1 is fenced", "us-east-1 is joined", "us-east-1 follows us-west-2", "us-east-1 is let on"]
    assert [each for each in stack.said if each in order] == order
    assert regional.writers(made) == [WEST]


def test_a_run_that_ends_between_the_fence_and_the_promotion_lets_the_region_lead_again(stack: TwoRegions) -> None:
    """Nobody else has led."""
    fault, made = BlackOutRegion(EAST), stack.made()
    undo = fault.prepare(made)
    fault.inject(made, undo)
    stack.fence_region(EAST)
    assert heal(made, fault, undo).ok
    assert regional.writers(made) == [EAST] and not stack.fenced


@pytest.mark.parametrize(("more", "leads"), [(EAST, EAST), (WEST, WEST), ("", EAST)])
def test_a_run_that_ends_between_the_demotion_and_the_promotion_back_lets_one_lead(
    stack: TwoRegions, more: str, leads: str
) -> None:
    """Each follows the other, and nobody would ever lead: the one that has received most does, and only where none may
    take writes."""
    fault, made = BlackOutRegion(EAST), stack.made()
    undo = fault.prepare(made)
    stack.databases[EAST].upstream, stack.databases[WEST].upstream = WEST, EAST
    if more:
        stack.databases[more].at += 8
        stack.databases[more].done += 8
    assert fault.still_hurt(made, undo) == "nobody leads: us-east-1 and us-west-2 follow each other"
    assert heal(made, fault, undo).ok
    assert regional.writers(made) == [leads]
    regional.let_one_lead(made)
    assert regional.writers(made) == [leads]


def test_where_a_server_is_down_none_is_let_lead(stack: TwoRegions, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have what no other has: that nobody leads is said, and nothing is given up for it."""
    monkeypatch.setattr(regional, "STORE_WITHIN", timedelta(0))
    fault, made = BlackOutRegion(EAST), stack.made()
    undo = fault.prepare(made)
    stack.databases[EAST].upstream, stack.databases[WEST].upstream = WEST, EAST
    stack.parts["patroni-west-b"].stop()
    regional.let_one_lead(made)
    assert regional.writers(made) == [] and fault.still_hurt(made, undo).startswith("nobody leads")


def test_what_cannot_be_let_on_stays_fenced_and_is_said(stack: TwoRegions, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not healed, and no second writer."""
    fault, made = BlackOutRegion(EAST), stack.made()
    undo = fault.prepare(made)
    fault.inject(made, undo)
    stack.fence_region(EAST)
    stack.databases[WEST].promote()

    def refuse(upstream: object) -> str:
        raise Refused("its histories cannot be read", hint="look")

    monkeypatch.setattr(stack.databases[EAST], "follow", refuse)
    fault.heal(made, undo)
    assert fault.still_hurt(made, undo) == "the database servers of us-east-1 are fenced"
    assert regional.writers(made) == [WEST]


def test_a_region_that_nobody_knows_is_refused(stack: TwoRegions) -> None:
    """By its name."""
    with pytest.raises(Refused, match="no region 'mars'"):
        CutRegion("mars").prepare(stack.made())


def test_replay_that_stops_is_proved_by_what_waits_and_goes_on_once_it_is_healed(
    stack: TwoRegions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing was received since then, nothing is held back, and it has no effect."""
    monkeypatch.setattr(stop_replay, "SOON", timedelta(0))
    fault, made = StopReplay(WEST), stack.made()
    undo = fault.prepare(made)
    assert fault.affects(undo) == [] and not fault.took_effect(made, undo)
    fault.inject(made, undo)
    assert not fault.took_effect(made, undo)
    stack.databases[WEST].at += 50
    assert fault.took_effect(made, undo) == "us-west-2 has received 50 bytes that it does not replay"
    assert fault.still_hurt(made, undo) == "patroni-west-a, patroni-west-b of us-west-2 hold back what they receive"
    for _ in range(2):
        assert heal(made, fault, undo).ok
    assert stack.databases[WEST].done == stack.databases[WEST].at
