"""The lead of a database is moved as its owner does it; and which component is meant by a role."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import NotInTime, NotReady, Refused, Unable
from harness.faults.cut_component import CutComponent
from harness.faults.kill_component import KillComponent
from harness.procedures import fail_over
from harness.procedures.fail_over import FailOver
from harness.run.run import Run
from harness.run.sabotage import Sabotage
from harness.scenario.active_faults import ActiveFaults
from harness.scenario.leadership import Leadership
from harness.scenario.roles import one_of
from harness.stacks import Stack
from harness.stacks.capabilities.components import Killable, Pausable
from harness.system.recorder import Memory
from tests.fake_stack import FakeStack, Part


class Cluster:
    """Two servers, of which one leads."""

    kind = "fake"

    def __init__(self, *, leads: str = "db-1", obeys: bool = True) -> None:
        self.members = [Part("db-1", "a"), Part("db-2", "b")]
        self.leads = leads
        self.obeys = obeys
        self.regions: Sequence[Any] = ()

    def leader(self) -> Part | None:
        return next((each for each in self.members if each.name == self.leads and each.up), None)

    def healthy(self) -> list[Any]:
        return []

    def hand(self, name: str) -> None:
        self.leads = name if self.obeys else self.leads


class Owned(Cluster):
    """Whose owner has a way of theirs."""

    def fail_over(self, *, to: str = "") -> str:
        self.hand(to or "db-2")
        return "db-2"


class Handed(Cluster):
    """Whose lead is handed over by name."""

    def switch(self, to: Part) -> None:
        self.hand(to.name)


def moved(stack: Cluster, *, skip: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """The ends of its steps."""
    memory = Memory()
    FailOver(cast(Stack, stack), memory, led="db-1", skip=skip).procedure().run("repair")
    return [data for kind, data in memory.facts if kind == "step.end"]


@pytest.mark.parametrize("made", [Owned, Handed])
def test_another_server_leads_and_is_seen_to(made: type[Cluster]) -> None:
    """By the owner's own way, else by handing it the lead; who was left is said first."""
    stack = made()
    stack.members[0].kill()
    looked, ordered, seen = moved(stack)
    assert looked["facts"] == {"led": "db-1", "running": ["db-2"], "leads": ""}
    assert ordered["facts"] == seen["facts"] == {"leads": "db-2"} and stack.leads == "db-2"


def test_from_when_on_the_other_serves_is_recorded() -> None:
    """What customers lost is counted up to then, and not up to the end of the run."""
    stack, memory = Owned(), Memory()
    stack.members[0].kill()
    FailOver(cast(Stack, stack), memory, led="db-1").procedure().run("repair")
    kinds = [kind for kind, _ in memory.facts]
    (serving,) = [data for kind, data in memory.facts if kind == "in_service"]
    assert serving["member"] == "db-2" and kinds.index("in_service") > kinds.index("step.end")


def test_a_server_that_is_said_to_lead_and_does_not_is_no_failover(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order alone shows nothing."""
    monkeypatch.setattr(fail_over, "LEADS_WITHIN", timedelta(0))
    with pytest.raises(NotInTime, match="db-2 leads"):
        moved(Owned(obeys=False))


def test_where_nobody_is_left_or_nobody_can_it_is_told() -> None:
    """Nothing is promoted then."""
    stack = Handed()
    for member in stack.members:
        member.kill()
    with pytest.raises(NotReady, match="no other database server runs"):
        moved(stack)
    with pytest.raises(Unable, match="failing over by the owner"):
        moved(Cluster())


def test_a_step_can_be_left_out_by_a_twin() -> None:
    """And then nobody leads: which a finding has to notice."""
    stack = Owned()
    assert len(moved(stack, skip=frozenset({"fail over", "see it lead"}))) == 1 and stack.leads == "db-1"


# Roles


class Roles(FakeStack):
    """Of which each component says what it is there for, by the beginning of its name."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, part in self.by_name.items():
            vars(part)["role"] = name.partition("-")[0]


@pytest.fixture
def stack() -> Roles:
    return Roles()


def test_the_first_of_a_role_that_runs_is_meant(stack: Roles) -> None:
    """In the stack's order."""
    assert one_of(stack, "api", able=Killable) == "api-a"
    stack.by_name["api-a"].up = False
    assert one_of(stack, "api", able=Pausable) == "api-b"


def test_who_leads_the_database_is_not_one_of_several(stack: Roles) -> None:
    """Unless there is no other."""
    stack.fake_cluster.leads = stack.by_name["patroni-a"]
    assert one_of(stack, "patroni", able=Killable) == "patroni-b"
    for name in ("patroni-b", "patroni-c"):
        stack.by_name[name].up = False
    with pytest.raises(NotReady, match="patroni-b, patroni-c"):
        one_of(stack, "patroni", able=Killable)
    stack.fake_cluster.leads = stack.by_name["s3"]
    assert one_of(stack, "s3", able=Killable) == "s3"


def test_a_role_that_nobody_has_is_refused_with_those_that_there_are(stack: Roles) -> None:
    """And so is one of which none can have done to it what is meant."""
    with pytest.raises(Refused, match="no component of the role 'worker'") as refused:
        one_of(stack, "worker", able=Killable)
    assert "api, envoy, etcd, patroni, s3" in refused.value.hint
    with pytest.raises(NotReady, match="api-a, api-b, api-c"):
        one_of(stack, "api", able=type("Nothing", (), {}))


# One fault of several is ended


def test_what_was_cut_off_is_joined_and_what_died_stays_dead(
    stack: Roles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is looked at before; the other one is healed in the end."""
    from harness.faults import _probes  # noqa: PLC0415  (only here)

    monkeypatch.setattr(_probes, "asked_at", stack.door)
    monkeypatch.setattr(_probes, "door", lambda _, name: stack.door(stack.by_name[name]))
    memory = Memory()
    run = SimpleNamespace(
        stack=stack, journal=memory, folder=tmp_path, options=SimpleNamespace(sabotage=Sabotage()),
        guardian=SimpleNamespace(ensure=lambda: None),
    )  # fmt: skip  # arguments in groups
    faults = ActiveFaults(cast(Run, run), cast(Leadership, SimpleNamespace(known=None)))
    faults.inject(CutComponent("api-b"))
    faults.inject(KillComponent(("api-a",)))
    faults.end(of=CutComponent)
    assert not stack.by_name["api-b"].off and not stack.by_name["api-a"].up
    faults.heal()
    assert stack.by_name["api-a"].up
    healed = [(data["injection"], data["by"], data["ok"]) for kind, data in memory.facts if kind == "fault.healed"]
    assert healed == [(1, "scenario", True), (2, "harness", True)]
    looked = [data["injection"] for kind, data in memory.facts if kind == "fault.still_active"]
    assert looked == [1, 2]
