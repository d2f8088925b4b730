"""The replacement of a damaged database server: whom it proves, whom it hands the lead, and what it makes anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from harness.errors import DrillError, Refused
from harness.procedures import replace_damaged_server
from harness.procedures.looks import BOOKS, PAGES, Look, NotSound
from harness.procedures.replace_damaged_server import ReplaceDamagedServer
from harness.stacks import Stack
from harness.system.recorder import Memory


@dataclass
class Server:
    name: str
    killed: bool = False

    def kill(self) -> None:
        self.killed = True


@dataclass
class Servers:
    """`patroni-a` leads and is damaged; what else is, and who may not lead, is said by each test."""

    damaged: set[str] = field(default_factory=lambda: {"patroni-a"})
    refuses: set[str] = field(default_factory=set)
    leads: str = "patroni-a"
    rebuilt: list[str] = field(default_factory=list)
    serves: bool = True  # who leads
    says: bool | None = True  # whether it takes writes

    def __post_init__(self) -> None:
        self.members = [Server(f"patroni-{zone}") for zone in "abc"]

    def leader(self) -> Server | None:
        return next((each for each in self.members if each.name == self.leads and self.serves), None)

    def holder(self) -> str:
        return self.leads

    def writable(self, name: str) -> bool | None:
        return self.says

    def switch(self, to: Server) -> None:
        if to.name in self.refuses:
            raise Refused(f"{to.name} is not let lead", hint="another")
        self.leads, self.serves = to.name, True

    def rebuild(self, member: Server) -> str:
        self.rebuilt.append(member.name)
        self.damaged.discard(member.name)
        return "made anew"

    def looked_at(self, stack: object, member: Server, books: object) -> list[Look]:
        return [Look(PAGES, member.name not in self.damaged, "a page is wrong"), Look(BOOKS, True, "as before")]


def carry_out(monkeypatch: pytest.MonkeyPatch, servers: Servers, *, without: frozenset[str] = frozenset()) -> Memory:
    monkeypatch.setattr(replace_damaged_server, "looked_at", servers.looked_at)
    monkeypatch.setattr(replace_damaged_server, "need", lambda stack, wanted: servers)
    memory = Memory()
    made = ReplaceDamagedServer(cast(Stack, servers), lambda connection: [], memory, skip=without).procedure()
    for phase in ("replace", "rebuild", "verify"):
        made.run(phase)
    return memory


def told(memory: Memory, step: str) -> dict[str, Any]:
    return next(data["facts"] for kind, data in memory.facts if kind == "step.end" and data["name"] == step)


def test_a_copy_that_was_proved_leads_and_the_damaged_server_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is verified before it serves, and all of them after."""
    servers = Servers()
    memory = carry_out(monkeypatch, servers)
    assert (servers.leads, servers.rebuilt) == ("patroni-b", ["patroni-a"])
    assert list(told(memory, "prove-each-copy")["sound"]) == ["patroni-b", "patroni-c"]
    order = [kind for kind, _ in memory.facts if kind in ("verified", "in_service")]
    assert order == ["verified", "in_service", "verified"]


@pytest.mark.parametrize(("says", "killed"), [(True, False), (False, False), (None, True)])
def test_who_holds_the_lead_and_does_not_answer_is_ended_first(
    monkeypatch: pytest.MonkeyPatch, says: bool | None, killed: bool
) -> None:
    """Its manager may hold the lead for long; one that says whether it takes writes is handed the lead from."""
    servers = Servers(serves=False, says=says)
    memory = carry_out(monkeypatch, servers)
    assert servers.members[0].killed is killed
    assert told(memory, "fence-who-does-not-answer")["ended"] == (["patroni-a"] if killed else [])
    assert (servers.leads, servers.rebuilt) == ("patroni-b", ["patroni-a"])


def test_a_sound_copy_that_has_taken_the_lead_by_itself_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is handed the lead; what was lost with it is made anew."""
    servers = Servers(damaged={"patroni-b"})
    memory = carry_out(monkeypatch, servers)
    assert (servers.leads, servers.rebuilt) == ("patroni-a", ["patroni-b"])
    assert [data["member"] for kind, data in memory.facts if kind == "in_service"] == ["patroni-a"]


def test_a_damaged_copy_is_not_let_lead_and_made_anew_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """However well it streams."""
    servers = Servers(damaged={"patroni-a", "patroni-b"})
    memory = carry_out(monkeypatch, servers)
    assert (servers.leads, servers.rebuilt) == ("patroni-c", ["patroni-a", "patroni-b"])
    assert list(told(memory, "prove-each-copy")["damaged"]) == ["patroni-b"]


def test_one_that_the_cluster_does_not_let_lead_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next that was proved is asked; where none is let, that is an error."""
    servers = Servers(refuses={"patroni-b"})
    memory = carry_out(monkeypatch, servers)
    assert servers.leads == "patroni-c" and told(memory, "hand-over-the-lead")["refused"]
    with pytest.raises(NotSound, match="no copy can lead"):
        carry_out(monkeypatch, Servers(refuses={"patroni-b", "patroni-c"}))


def test_where_no_copy_is_sound_nobody_is_promoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left then is a backup."""
    servers = Servers(damaged={"patroni-a", "patroni-b", "patroni-c"})
    with pytest.raises(NotSound, match=r"patroni-b, pages: .*patroni-c, pages"):
        carry_out(monkeypatch, servers)
    assert servers.leads == "patroni-a" and not servers.rebuilt


def test_what_is_still_damaged_in_the_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where somebody has left the rebuilding out."""
    with pytest.raises(DrillError, match="not sound after the repair: patroni-a"):
        carry_out(monkeypatch, Servers(), without=frozenset({"rebuild-each-damaged-server"}))
