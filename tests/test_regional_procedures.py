"""Failover to the second region and the way back: what is done in which order, and what stops it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from harness.errors import DrillError, NotReady, Refused
from harness.procedures import regional_failback, regional_failover
from harness.procedures.regional_failback import RegionalFailback
from harness.procedures.regional_failover import RegionalFailover
from harness.stacks import regional, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.system.recorder import Memory
from tests import runbook
from tests.two_regions import EAST, NAMES, WEST, TwoRegions

SOON = timedelta(seconds=0.3)
FAILOVER, FAILBACK = ("fence", "activate", "switch"), ("return", "switchback")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (regional_failover, regional_failback):
        for name in [each for each in vars(module) if each.endswith("_WITHIN")]:
            monkeypatch.setattr(module, name, SOON)


@pytest.fixture
def stack() -> TwoRegions:
    """Whose first region is gone."""
    made = TwoRegions()
    made.cut_region_power(EAST)
    return made


def ready(stack: TwoRegions, name: str) -> Mapping[str, str]:
    leads = stack.databases[name].leader() is not None
    return {
        f"zone {each.zone}": "HTTP 200" if each.up and leads else "" for each in stack.of(name) if "api" in each.name
    }


def fail_over(stack: TwoRegions, *, without: frozenset[str] = frozenset(), tolerates: int = 0) -> Memory:
    memory = Memory()
    made = RegionalFailover(
        stack.made(), EAST, lambda name: ready(stack, name), memory, skip=without, tolerates=tolerates
    ).procedure()
    for phase in FAILOVER:
        made.run(phase)
    return memory


def fail_back(stack: TwoRegions, *, without: frozenset[str] = frozenset()) -> Memory:
    memory = Memory()
    made = RegionalFailback(stack.made(), EAST, lambda name: ready(stack, name), memory, skip=without).procedure()
    for phase in FAILBACK:
        made.run(phase)
    return memory


def told(memory: Memory, step: str) -> dict[str, Any]:
    return next(data["facts"] for kind, data in memory.facts if kind == "step.end" and data["name"] == step)


def test_the_second_region_leads_only_once_the_first_is_fenced(stack: TwoRegions) -> None:
    """And the facts of each step are what the checks need."""
    memory = fail_over(stack)
    assert [each for each in stack.said if "fenced" in each or "promoted" in each] == [
        "us-east-1 is fenced",
        "us-west-2 is promoted",
    ]
    assert regional.writers(stack.made()) == [WEST]
    assert told(memory, "wait-until-all-is-replayed")["received"] == 1000
    assert told(memory, "promote-the-second-region")["parted"] == 1000
    assert told(memory, "switch-the-names")["recorded"] == dict.fromkeys(NAMES, WEST)
    assert [kind for kind, _ in memory.facts if kind in ("verified", "in_service")] == ["verified", "in_service"]
    assert next(data["ok"] for kind, data in memory.facts if kind == "verified")


def test_nothing_is_promoted_while_what_was_received_waits_to_be_replayed(stack: TwoRegions) -> None:
    """It says how much that is."""
    stack.databases[WEST].done = 900
    with pytest.raises(NotReady, match="100 bytes that it received are not replayed"):
        fail_over(stack)
    assert "us-west-2 is promoted" not in stack.said


def test_so_little_that_it_is_tolerated_is_told_and_promoted(stack: TwoRegions) -> None:
    """For a sabotage twin alone: the facts say both positions."""
    stack.databases[WEST].done = 900
    memory = fail_over(stack, tolerates=100)
    assert stack.said[-1] == "us-west-2 is promoted"
    assert {key: told(memory, "wait-until-all-is-replayed")[key] for key in ("received", "replayed")} == {
        "received": 1000,
        "replayed": 900,
    }


def test_nothing_is_promoted_while_the_first_region_still_sends() -> None:
    """Without a fence it may go on for ever."""
    alive = TwoRegions()
    with pytest.raises(NotReady, match="it still receives"):
        fail_over(alive, without=frozenset({"fence-the-lost-region"}))


def test_a_promotion_that_drops_what_was_received_is_told(stack: TwoRegions) -> None:
    """Left out on purpose: then the data is not verified."""
    stack.databases[WEST].done = 900
    memory = fail_over(stack, without=frozenset({"wait-until-all-is-replayed"}))
    assert not next(data["ok"] for kind, data in memory.facts if kind == "verified")


def test_names_are_not_switched_to_a_region_that_is_not_ready(stack: TwoRegions) -> None:
    """Each service that is not ready is named."""
    stack.parts["api-west-b"].up = False
    with pytest.raises(NotReady, match="not ready in us-west-2: zone west-b"):
        fail_over(stack)
    assert stack.stands_for == dict.fromkeys(NAMES, EAST)


def test_a_name_that_nobody_switched_is_noticed(stack: TwoRegions) -> None:
    """Resolvers are asked for each of them."""
    stack.stubborn.add(NAMES[1])
    with pytest.raises(DrillError, match="resolvers say the second region"):
        fail_over(stack)


def test_the_first_region_returns_as_a_follower_and_takes_over_without_a_second_writer(stack: TwoRegions) -> None:
    """Its servers are let on once it follows; the second is demoted before it is promoted."""
    fail_over(stack)
    stack.said.clear()
    memory = fail_back(stack)
    assert stack.said == [
        "us-east-1 has its power back",
        "us-east-1 follows us-west-2",
        "us-east-1 is let on",
        "us-west-2 follows us-east-1",
        "us-east-1 is promoted",
    ]
    assert regional.writers(stack.made()) == [EAST]
    assert all(each.up for each in stack.parts.values()) and not stack.fenced
    assert stack.stands_for == dict.fromkeys(NAMES, EAST)
    assert told(memory, "make-it-follow")["how"] == "cloned anew"
    assert told(memory, "see-it-follow")["follows"] == WEST
    assert stack.backed_up == [EAST]
    assert told(memory, "stop-the-writers")["stopped"] == ["api-west-a", "api-west-b"]


@pytest.mark.parametrize("streams", [True, False])
def test_a_region_that_streams_and_is_no_copy_is_not_let_go_on(stack: TwoRegions, *, streams: bool) -> None:
    """Two histories of one number look whole; where it does not stream either, that is why."""
    fail_over(stack)
    stack.databases[EAST].whole = False
    stack.databases[EAST].streams = streams
    with pytest.raises(NotReady, match="what us-east-1 has is no beginning of what us-west-2 has written"):
        fail_back(stack)
    assert regional.writers(stack.made()) == [WEST]


def test_the_lead_is_not_handed_to_a_region_that_lacks_the_newest_writes(stack: TwoRegions) -> None:
    """It is not promoted, and the second goes on leading."""
    fail_over(stack)
    stack.databases[EAST].done = 400
    with pytest.raises(DrillError, match="us-east-1 has replayed up to 1000"):
        fail_back(stack)
    assert regional.writers(stack.made()) == [WEST]


def test_a_region_that_came_back_as_a_follower_by_itself_is_left_so(stack: TwoRegions) -> None:
    """Whoever gave it its power back has made it follow."""
    fail_over(stack)
    regional.follow(stack.made(), EAST)
    regional.let_on(stack.made(), EAST)
    memory = fail_back(stack)
    assert told(memory, "make-it-follow")["how"] == "it was made to follow as its power came back"


def test_the_runbook_has_the_steps_of_both_procedures() -> None:
    """A person and the program take the same steps, by the same names, in the same order."""
    made = TwoRegions().made()
    failover = RegionalFailover(made, EAST, lambda name: {}, Memory()).procedure()
    failback = RegionalFailback(made, EAST, lambda name: {}, Memory()).procedure()
    by_program = [step.name for step in (*failover.steps, *failback.steps)]
    assert [step.title for step in runbook.regional_steps()] == by_program


@pytest.mark.parametrize("step", runbook.regional_steps(), ids=lambda step: step.title)
def test_every_step_of_the_runbook_says_what_to_do_what_to_see_and_what_else(step: runbook.Section) -> None:
    """Each has exactly one block of commands, in none of which the stack's own variables are named."""
    (block,) = step.blocks("sh")
    _, after = step.text.rsplit("```", 1)
    assert 0 <= after.find("*You should see*") < after.find("*If not*")
    assert "STACK_" not in block


def test_where_the_database_was_restored_nothing_waits_for_a_replica(stack: TwoRegions) -> None:
    """That it leads is all that is left to do there, and it is not verified by what the replica had."""
    stack.databases[WEST].done = 900
    stack.databases[WEST].upstream = ""
    memory = Memory()
    made = RegionalFailover(stack.made(), EAST, lambda name: ready(stack, name), memory, restored=True).procedure()
    assert "wait-until-all-is-replayed" not in [step.name for step in made.steps]
    for phase in FAILOVER:
        made.run(phase)
    assert stack.stands_for == dict.fromkeys(NAMES, WEST)
    assert not [kind for kind, _ in memory.facts if kind in ("verified", "in_service")]


def test_a_procedure_that_knows_of_no_regions_is_asked_of_one(stack: TwoRegions) -> None:
    """All that it asks the stack for is that region's."""
    alone = regional.alone(stack.made(), WEST)
    assert [each.name for each in alone.regions] == [WEST] and zones(alone) == ["west-a", "west-b"]
    assert need(alone, Cluster) is stack.databases[WEST] and alone.kind == "fake"
    assert alone.components() is stack.parts
    with pytest.raises(Refused, match="has no region 'elsewhere'"):
        regional.alone(stack.made(), "elsewhere")
