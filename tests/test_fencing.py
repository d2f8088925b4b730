"""Healing must not hurt: who stays fenced, and who is let back."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from harness.errors import NotReady
from harness.faults import LED, Fault
from harness.faults.cut_link import CutLink
from harness.faults.cut_zone import CutZone
from harness.faults.kill_component import KillComponent
from harness.faults.pause_component import PauseComponent
from harness.safety import fencing
from harness.stacks import PlainRegion
from harness.stacks.capabilities import need
from tests.fake_stack import ZONES, FakeCluster, FakeStack

OLD = "patroni-a"


@dataclass
class AskedCluster(FakeCluster):
    """One that can be asked who may write."""

    leading: str | None = OLD
    writes: dict[str, bool | None] = field(default_factory=dict)
    unsure: str = ""

    def holder(self) -> str:
        if self.leading is None:
            raise NotReady("no majority", hint="")
        return self.leading

    def writable(self, name: str) -> bool | None:
        return self.writes.get(name, False)

    def comes_back_as_copy(self, name: str) -> str:
        return self.unsure


@pytest.fixture
def stack() -> FakeStack:
    made = FakeStack()
    made.regions = [PlainRegion("region-1", ZONES, (AskedCluster(made.named("patroni")),))]
    return made


def asked(stack: FakeStack) -> AskedCluster:
    return need(stack, AskedCluster)


def why(stack: FakeStack, fault: Fault | None = None) -> str:
    fault = fault or CutZone("a")
    components = [name for name, part in stack.by_name.items() if part.zone == "a"]
    undo = {"zone": "a", "components": components, "names": components, "component": OLD}
    return fencing.must_stay(stack, fault, undo)


def test_it_leads_still(stack: FakeStack) -> None:
    """Nobody took the lead from it: it may take writes."""
    asked(stack).writes[OLD] = True
    assert not why(stack)


def test_one_that_leads_with_a_manager_that_does_not_look_stays(stack: FakeStack) -> None:
    """Its lease runs out, another is promoted, and nobody tells it; what was frozen whole goes on whole."""
    asked(stack).unsure = "its Patroni does not answer"
    assert why(stack) == "patroni-a leads, and may go on when its lease is over: its Patroni does not answer"
    assert not fencing.must_stay(stack, PauseComponent(OLD), {"component": OLD, LED: OLD})


def test_what_stands_in_the_zone_is_asked_whatever_is_written_down(stack: FakeStack) -> None:
    """A list that was edited, or that an older harness did not write, hides no server."""
    asked(stack).leading, asked(stack).writes = "patroni-b", {OLD: True}
    for undo in ({"zone": "a", "components": []}, {"zone": "a", "components": ["api-a"]}):
        assert fencing.must_stay(stack, CutZone("a"), undo) == "patroni-b leads, and patroni-a takes writes"
    undo = {"one": "c", "others": ["a"], "part": ""}
    assert "patroni-a takes writes" in fencing.must_stay(stack, CutLink("c", ("a",)), undo)


def test_two_that_take_writes_are_seen_after_a_healing(stack: FakeStack) -> None:
    """Whoever let one back looks at all of them."""
    asked(stack).writes = {OLD: True}
    undo = {"zone": "a", "components": [OLD]}
    assert fencing.several_write(stack, CutZone("a"), undo) == ""
    asked(stack).writes["patroni-c"] = True
    assert fencing.several_write(stack, CutZone("a"), undo) == "patroni-a and patroni-c take writes at once"
    assert fencing.several_write(stack, KillComponent(("api-a",)), {"names": ["api-a"]}) == ""


def test_another_leads_and_the_old_one_takes_writes(stack: FakeStack) -> None:
    """Two would take writes."""
    cluster = asked(stack)
    cluster.leading, cluster.writes = "patroni-b", {OLD: True}
    assert why(stack) == "patroni-b leads, and patroni-a takes writes"
    cluster.writes[OLD] = None
    assert "nobody can say whether patroni-a" in why(stack)


def test_another_leads_and_the_old_one_has_given_up(stack: FakeStack) -> None:
    """It follows, as its manager obeys the store; with a manager that does not, nobody knows."""
    cluster = asked(stack)
    cluster.leading = "patroni-b"
    assert not why(stack)
    cluster.unsure = "its Patroni does not answer"
    assert why(stack).endswith("may come back as more than a copy: its Patroni does not answer")


def test_nobody_can_be_asked_who_leads(stack: FakeStack) -> None:
    """Then only one that is seen to take no writes, with a manager that is seen, is let back."""
    cluster = asked(stack)
    cluster.leading, cluster.writes = None, {OLD: True}
    assert why(stack) == "who leads cannot be asked (no majority), and patroni-a takes writes"
    cluster.writes[OLD] = None
    assert "who leads cannot be asked" in why(stack)
    cluster.writes[OLD] = False
    assert not why(stack)
    stack.by_name[OLD].up = False
    assert "is down" in why(stack)


def test_a_dead_server_whose_store_answers_comes_back(stack: FakeStack) -> None:
    """Its manager takes the lead from nobody."""
    stack.by_name[OLD].up = False
    for leads in ("patroni-b", "", OLD):
        asked(stack).leading = leads
        assert not why(stack, KillComponent((OLD,)))


def test_one_that_nobody_leads_and_that_takes_writes_stays(stack: FakeStack) -> None:
    """It has lost the lead, and does not know."""
    asked(stack).leading, asked(stack).writes = "", {OLD: True}
    assert why(stack) == "nobody leads, and patroni-a takes writes"


def test_a_frozen_leader_stays_frozen_once_another_leads(stack: FakeStack) -> None:
    """It would go on taking writes until its manager has looked."""
    asked(stack).leading, asked(stack).writes = "patroni-b", {OLD: None}
    fault = PauseComponent(OLD)
    assert why(stack, fault)
    assert "stop patroni-a" in fencing.what_to_do(stack, fault, {"component": OLD})


def silent() -> None:
    raise TimeoutError


def test_a_copy_that_was_frozen_while_another_led_stays_frozen(
    stack: FakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been about to take the lead, and goes on with that once thawed; stopped, it comes back."""
    undo = {"component": OLD, LED: "patroni-b"}
    monkeypatch.setattr(stack.by_name[OLD], "ask", silent, raising=False)
    for leads, stays in (("patroni-b", False), ("patroni-c", True), ("", True), (None, True)):
        asked(stack).leading = leads
        assert bool(fencing.must_stay(stack, PauseComponent(OLD), undo)) is stays
    asked(stack).leading = "patroni-c"
    monkeypatch.setattr(stack.by_name[OLD], "ask", bool, raising=False)
    assert not fencing.must_stay(stack, PauseComponent(OLD), undo)  # it was thawed already
    monkeypatch.setattr(stack.by_name[OLD], "ask", silent, raising=False)
    stack.by_name[OLD].up = False
    assert not fencing.must_stay(stack, PauseComponent(OLD), undo)


def test_who_led_is_known_of_what_was_frozen(stack: FakeStack) -> None:
    """Where somebody can be asked."""
    asked(stack).leading = "patroni-b"
    assert PauseComponent(OLD).prepare(stack)[LED] == "patroni-b"
    asked(stack).leading = None
    assert LED not in PauseComponent(OLD).prepare(stack)


def test_no_database_server_is_let_back(stack: FakeStack) -> None:
    """Then nobody is asked."""
    asked(stack).leading = None
    assert not fencing.must_stay(stack, KillComponent(("api-a",)), {"names": ["api-a"]})
    assert not fencing.must_stay(stack, PauseComponent("api-a"), {"component": "api-a"})


def test_a_cluster_that_nobody_can_ask() -> None:
    """What it lets back is not known, so it lets nobody back."""
    assert "nobody can be asked who leads" in why(FakeStack())
