"""A cluster whose servers are down is made to follow that of another region before any of them is started."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import Refused
from harness.stacks.capabilities.backups import Branch
from harness.stacks.parts.histories import History
from harness.stacks.parts.member import COPY
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.postgres import Roles
from harness.stacks.parts.standby import PatroniStandby, followed_by, following
from harness.system.recorder import Memory

BASE = "/drdrill/quantumnest/"
THERE = ["10.0.0.14", "10.0.0.15"]
PAST = "1\t0/64\tno recovery target specified\n"
PROMOTED = History(3, (Branch(1, 100), Branch(2, 200)))


class Store(dict[str, str]):
    """etcd."""

    recorder = None

    def read(self, key: str) -> str:
        return self.get(key, "")

    def write(self, key: str, value: str) -> None:
        self[key] = value

    def forget(self, prefix: str) -> None:
        for key in [key for key in self if key.startswith(prefix)]:
            del self[key]


class Server:
    """A member that is down, on timeline 2."""

    def __init__(self, folder: Path, zone: str, *, copy: bool, up: bool = False, ends: int = 200) -> None:
        self.ends = ends
        self.name, self.data, self.alive = f"patroni-{zone}", folder / zone, lambda: up
        self.running = lambda: zone == "b"
        (self.data / "pg_wal").mkdir(parents=True)
        (self.data / "pg_wal" / "00000002.history").write_text(PAST)
        if copy:
            (self.data / COPY).touch()

    def has_data(self) -> bool:
        return self.data.exists()

    def has_written(self, timeline: int, *, past: int) -> bool:
        return timeline == 2 and self.ends > past


def standby(store: Store, *members: Server, theirs: History = PROMOTED) -> PatroniStandby:
    def aside(gone: list[Server]) -> None:
        for member in gone:
            member.data.rename(member.data.with_suffix(".aside"))

    cluster: Any = SimpleNamespace(move_aside=aside, forget_earlier=lambda: None, leader=lambda: None)
    found: Any = members
    etcd: Any = store
    made = PatroniStandby(cluster, found, etcd=etcd, roles=Roles(), region="us-east-1", others={"us-west-2": THERE})
    asked: Any = made
    asked._history_at = lambda _: theirs
    return made


@pytest.fixture
def store() -> Store:
    content = {"ttl": 20, **followed_by(["us-west-2"])}
    known = {f"{BASE}{key}": "x" for key in ("leader", "sync", "initialize")}
    return Store({f"{BASE}config": json.dumps(content), **known})


def test_a_copy_keeps_what_it_has_and_who_led_is_cloned_anew(tmp_path: Path, store: Store) -> None:
    """The store says whom to follow, and forgets who led; what the leader alone had is kept aside."""
    led, copy = Server(tmp_path, "a", copy=False), Server(tmp_path, "b", copy=True)
    made = standby(store, led, copy)
    assert made.follows() == ""
    assert "cloned anew once started: patroni-a" in made.follow(THERE)
    assert json.loads(store[f"{BASE}config"]) == {"ttl": 20, **following("us-east-1", THERE)}
    assert set(store) == {f"{BASE}config", f"{BASE}initialize"}
    assert (led.has_data(), copy.has_data()) == (False, True) and (tmp_path / "a.aside").exists()
    assert made.follows() == "us-west-2" and made.goes_on(THERE)
    assert made.follow(THERE) == "what it has is kept"


def test_a_copy_that_received_more_than_the_other_region_is_cloned_anew(tmp_path: Path, store: Store) -> None:
    """It would have to be rewound, with all of the other's log over the link."""
    more, less = Server(tmp_path, "a", copy=True, ends=201), Server(tmp_path, "b", copy=True)
    made = standby(store, more, less)
    assert not made.goes_on(THERE)
    assert "cloned anew once started: patroni-a" in made.follow(THERE)
    assert (more.has_data(), less.has_data()) == (False, True) and made.goes_on(THERE)


def test_where_nobody_has_anything_that_can_go_on_the_cluster_is_made_anew(tmp_path: Path, store: Store) -> None:
    """Else all of them would wait for one that has."""
    servers = Server(tmp_path, "a", copy=False), Server(tmp_path, "b", copy=True)
    standby(store, *servers, theirs=History(2, (Branch(1, 99),))).follow(THERE)
    assert set(store) == {f"{BASE}config"}


def test_copies_of_another_history_of_the_same_number_are_cloned_anew(tmp_path: Path, store: Store) -> None:
    """Unless they follow that cluster already."""
    equal = History(2, (Branch(1, 100),))
    copy = Server(tmp_path, "b", copy=True)
    standby(store, copy, theirs=equal).follow(THERE)
    assert not copy.has_data()
    again = Server(tmp_path, "c", copy=True)
    standby(store, again, theirs=equal).follow(THERE)
    assert again.has_data()


def test_a_cluster_that_runs_and_does_not_lead_alone_is_left_as_it_is(tmp_path: Path, store: Store) -> None:
    """Also where it runs while the other leads: patched onto that, it would look well, and be two databases in one."""
    before = dict(store)
    some = standby(store, Server(tmp_path, "a", copy=True, up=True))
    with pytest.raises(Refused, match="lead: two databases"):
        some.follow(THERE)
    asked: Any = some
    asked._leads_at = lambda _: False
    with pytest.raises(Refused, match="nobody leads in us-east-1"):
        some.follow(THERE)
    assert dict(store) == before


def test_a_database_that_was_restored_beside_a_replica_follows_nobody(store: Store) -> None:
    """Of a cluster that followed, its configuration stays, but for whom and how it followed; else nothing stays."""
    ground: Any = SimpleNamespace(folder=Path("nowhere"))
    etcd: Any = store
    cluster = PatroniCluster(ground, members=[], etcd=etcd, roles=Roles(), synchronous=0)
    held = {"recovery_conf": {"recovery_min_apply_delay": "1d"}, "use_slots": True}
    store[f"{BASE}config"] = json.dumps({"ttl": 20, **following("us-west-2", THERE), "postgresql": held})
    cluster.forget_state()
    assert {key: json.loads(value) for key, value in store.items()} == {
        f"{BASE}config": {"ttl": 20, "postgresql": {"use_slots": True}}
    }
    cluster.forget_state()
    assert not store


def test_replay_is_held_back_by_the_clusters_own_configuration(tmp_path: Path, store: Store) -> None:
    """Until each of its servers does so, and until none does; whatever else is set beside it is taken out again."""
    made: Any = standby(store, Server(tmp_path, "a", copy=True), Server(tmp_path, "b", copy=True))
    told: list[Any] = []
    made._patch = lambda member, change: told.append((member.name, change))
    made._holds = lambda member: bool(told[-1][1]["postgresql"]["recovery_conf"]["recovery_min_apply_delay"])
    made._recorder = Memory()
    made.hold_replay()
    assert made.holds_replay() == ["patroni-a", "patroni-b"]
    made.release_replay()
    assert made.holds_replay() == []
    assert [(name, change["postgresql"]["recovery_conf"]) for name, change in told] == [
        ("patroni-b", {"recovery_min_apply_delay": "1d"}),
        ("patroni-b", {"recovery_min_apply_delay": None}),
    ]
