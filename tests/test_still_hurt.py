"""Whether something of a fault is still there: a look that must see that nothing is, and not one that sees nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from drills.mistake import recent_transactions_destroyed
from harness.errors import NotReady, Refused, Unable
from harness.faults import Fault, _probes, table
from harness.faults.cut_link import CutLink
from harness.faults.cut_zone import CutZone
from harness.faults.damage_stored_object import DamageStoredObject
from harness.faults.destroy_recent_rows import DestroyRecentRows
from harness.faults.fill_disk import FillDisk
from harness.faults.flap_link import FlapLink
from harness.faults.kill_component import KillComponent
from harness.faults.kill_zone import KillZone
from harness.faults.lose_volumes import LoseVolumes
from harness.faults.noop import Noop
from harness.faults.pause_component import PauseComponent
from harness.faults.poison_release import PoisonRelease
from harness.faults.reject_credentials import RejectCredentials
from harness.faults.slow_link import SlowLink
from tests.contract.faults import CASES
from tests.fake_stack import FakeStack, Part, PlainStack, unused

SECOND = timedelta(seconds=1)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> FakeStack:
    made = FakeStack()
    monkeypatch.setattr(_probes, "door", lambda _, name: made.door(made.by_name[name]))
    monkeypatch.setattr(_probes, "asked_at", made.door)
    return made


# From disk and back


@pytest.mark.parametrize("case", CASES)
def test_every_fault_comes_back_from_disk(case: str) -> None:
    """With the very settings, whatever type they have."""
    fault = CASES[case]("b", "c")
    assert table.of(fault.name, json.loads(json.dumps(table.to_disk(fault)))) == fault


def test_what_another_drdrill_wrote_is_refused() -> None:
    """Whoever heals says so, and does not fail."""
    for name, settings in (("unheard_of", {}), ("cut_zone", {"zones": 1}), ("cut_zone", {})):
        with pytest.raises(Refused):
            table.of(name, settings)
    with pytest.raises(Refused):
        table.of("slow_link", {"zone": "b", "latency": "0:00:01"})


# The network


def test_silence_is_no_sign_of_healing(stack: FakeStack) -> None:
    """A zone is joined when somebody outside has an answer, even a refusal."""
    fault = CutZone("b")
    undo = fault.prepare(stack)
    stack.by_name["patroni-b"].up = False
    assert fault.still_hurt(stack, undo) == ""
    stack.cut("b")
    assert fault.still_hurt(stack, undo) == "zone b is silent"


def test_a_flapping_link_that_is_up_just_now_is_hurt(stack: FakeStack) -> None:
    """And so is one that was left down."""
    fault = FlapLink("b", SECOND, SECOND, SECOND)
    undo = fault.prepare(stack)
    fault.inject(stack, undo)
    assert "comes and goes" in fault.still_hurt(stack, undo)
    fault.heal(stack, undo)
    stack.cut("b")
    assert fault.still_hurt(stack, undo) == "zone b is silent"


def test_each_of_the_links_is_looked_at(stack: FakeStack) -> None:
    """Also what was cut of them alone."""
    fault = CutLink("a", ("b", "c"), "etcd")
    undo = fault.prepare(stack)
    stack.cut_link("a", "c", part="etcd")
    assert fault.still_hurt(stack, undo) == "zone a does not see the etcd of zone c"


# Components


def test_what_runs_and_takes_no_connections_is_not_back(stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is another fault's: it says nothing about this one."""
    fault = KillComponent(("api-b",))
    undo = fault.prepare(stack)
    monkeypatch.setattr(_probes, "door", lambda *_: SimpleNamespace(said=lambda: "refused"))
    assert fault.still_hurt(stack, undo) == "api-b takes no connections yet"
    stack.by_name["api-b"].up = False
    assert fault.still_hurt(stack, undo) == "api-b does not run"
    stack.by_name["api-b"].up = True
    monkeypatch.setattr(_probes, "door", lambda *_: SimpleNamespace(said=lambda: "silent"))
    assert not fault.still_hurt(stack, undo)


def test_a_dark_zone_needs_power_components_and_a_network(stack: FakeStack) -> None:
    """Each of them is looked at."""
    fault = KillZone("b")
    undo = fault.prepare(stack)
    fault.inject(stack, undo)
    assert fault.still_hurt(stack, undo) == "zone b has no power"
    stack.dark.clear()
    assert "api-b does not run" in fault.still_hurt(stack, undo)
    for part in stack.by_name.values():
        part.up = True
    stack.cut("b")
    assert fault.still_hurt(stack, undo) == "zone b is silent"


def test_what_was_frozen_must_answer(stack: FakeStack) -> None:
    """One that has died meanwhile does not go on."""
    fault = PauseComponent("api-b")
    undo = fault.prepare(stack)
    fault.inject(stack, undo)
    assert fault.still_hurt(stack, undo) == "api-b answers no request"
    stack.by_name["api-b"].up = False
    assert fault.still_hurt(stack, undo) == "api-b does not run"


def test_a_rollback_after_which_nobody_serves_is_not_enough(stack: FakeStack) -> None:
    """The servers must answer."""
    fault = PoisonRelease("1.1")
    undo = fault.prepare(stack)
    fault.inject(stack, undo)
    assert "is deployed" in fault.still_hurt(stack, undo)
    fault.heal(stack, undo)
    stack.by_name["api-c"].frozen = True
    assert fault.still_hurt(stack, undo) == "api-c answers no request"


def test_a_volume_with_room_on_which_nothing_can_be_written(stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not healed."""
    fault = FillDisk("patroni-b")
    undo = fault.prepare(stack)
    monkeypatch.setattr(Part, "refused_write", lambda *_: "the server is down")
    assert fault.still_hurt(stack, undo) == "patroni-b cannot write: the server is down"


@pytest.mark.parametrize("fault", [FlapLink("b", SECOND, SECOND, SECOND), KillZone("b"), SlowLink("b")])
def test_nobody_can_look_where_the_power_is_missing(fault: Fault) -> None:
    """That is an error, and no healing."""
    with pytest.raises(Unable):
        fault.still_hurt(PlainStack(), {"zone": "b", "components": []})


def test_nothing_is_left_of_nothing(stack: FakeStack) -> None:
    """`noop` hurts nothing."""
    assert not Noop().still_hurt(stack, {})


# Data


def a_database(ask: Callable[[str, Any], Any], *, away: bool = False) -> Any:
    """A stack of which only the database is asked."""

    class Connection:
        def __enter__(self) -> Connection:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def close(self) -> None:
            pass

        def execute(self, query: Any, words: Any = None) -> Any:
            return SimpleNamespace(fetchone=lambda: (ask(str(query), words),))

    def connect(*_: object) -> Connection:
        if away:
            raise NotReady("nobody leads", hint="")
        return Connection()

    return SimpleNamespace(connect=connect, run_as=unused, answers=unused)


def test_what_customers_add_stands_in_for_no_destroyed_row() -> None:
    """Only rows of before the mistake are counted, up to a moment of the database's own clock."""
    asked: list[Any] = []

    def ask(query: str, words: Any) -> Any:
        asked.append(words)
        return "2026-11-29 00:00:00+00" if "now()::text" in query else left

    left = 100
    fault = recent_transactions_destroyed(24)
    undo = fault.prepare(a_database(ask))
    assert undo == {"at": "2026-11-29 00:00:00+00", "sound": 100}
    assert asked[-1] == {"at": undo["at"]} and "%(at)s" in fault.sound
    assert not fault.still_hurt(a_database(ask), undo)
    left = 97
    said = fault.still_hurt(a_database(ask), undo)
    assert "3 are missing" in said and "recovery" in said
    with pytest.raises(NotReady):
        fault.still_hurt(a_database(ask, away=True), undo)


def test_a_database_that_is_away_says_nothing_about_a_role() -> None:
    """The role is healed when it is let in."""
    said: list[str | Exception] = ["", "authentication failed", NotReady("nobody leads", hint="")]

    def refusal(_: str) -> str:
        if isinstance(now := said.pop(0), Exception):
            raise now
        return now

    stack: Any = SimpleNamespace(valid_until=unused, expire=unused, renew=unused, refusal=refusal)
    fault = RejectCredentials("app")
    assert not fault.still_hurt(stack, {})
    assert fault.still_hurt(stack, {}) == "the database says to app: authentication failed"
    with pytest.raises(NotReady):
        fault.still_hurt(stack, {})


def test_lost_volumes_come_back_by_a_recovery_alone() -> None:
    """An empty volume is none of it: data on each, and one who leads."""
    data = {"a": False, "b": False}
    members = [
        SimpleNamespace(name=name, has_data=lambda name=name: data[name], lose_volume=unused, renew_volume=unused)
        for name in data
    ]
    leads: list[Any] = [None]
    stack: Any = SimpleNamespace(members=members, leader=lambda: leads[0], healthy=unused)
    fault = LoseVolumes()
    assert fault.still_hurt(stack, {}).startswith("no data on a, b, no database server leads")
    data["a"], leads[0] = True, members[0]
    assert fault.still_hurt(stack, {}).startswith("no data on b: ")
    data["b"] = True
    assert not fault.still_hurt(stack, {})


@dataclass
class Store:
    """Two objects, and what was set aside of them."""

    content: dict[str, bytes] = field(default_factory=lambda: {"one": b"sound", "two": b"other"})
    aside: dict[str, bytes] = field(default_factory=dict)
    version: int = 1

    def current_version(self, key: str) -> str:
        return f"{key}-{self.version}" if key in self.content else ""

    def read(self, key: str) -> bytes:
        return self.content[key]

    def size_of(self, key: str) -> int:
        return len(self.content[key])

    def damage(self, key: str, content: bytes | None, *, keep_versions: bool) -> str:
        before = self.current_version(key)
        self.aside[before] = self.content.pop(key)
        if content is not None:
            self.content[key] = content
        return before

    def undo_damage(self, key: str, version: str) -> None:
        if version in self.aside:
            self.content[key] = self.aside[version]


@pytest.mark.parametrize("how", ["flip a byte", "delete"])
@pytest.mark.parametrize("keep", [True, False])
def test_a_stored_object_is_read_back_whole(how: Any, keep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes decide, whatever version they are in; what the store has nowhere any more is not healed."""
    monkeypatch.setattr(DamageStoredObject, "_names", lambda *_: {"one": "", "two": ""})
    store = Store()
    stack: Any = store
    fault = DamageStoredObject("latest base backup", how, keep)
    undo = json.loads(json.dumps(fault.prepare(stack)))
    fault.inject(stack, undo)
    assert fault.still_hurt(stack, undo) == "not in the store as it was: one, two"
    kept = dict(store.aside)
    store.aside.clear()
    fault.heal(stack, undo)
    assert fault.still_hurt(stack, undo)
    store.aside = kept
    fault.heal(stack, undo)
    store.version = 2
    assert not fault.still_hurt(stack, undo)


def test_what_a_project_destroys_names_the_moment() -> None:
    """A query that counts what came later, too, would find everything healed."""
    assert isinstance(recent_transactions_destroyed(1), DestroyRecentRows)
    assert "created_at < %(at)s" in recent_transactions_destroyed(1).sound
