"""A server that led is made a copy as the stack file says: where it is down and one other leads, and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DrillError, NotReady, Refused
from harness.evidence.run_folder import UNHEALED
from harness.faults.kill_component import KillComponent
from harness.safety import fencing, healing
from harness.safety.healing import Healing
from harness.stacks import PlainRegion
from harness.stacks.attached import commands, rejoining, sessions
from harness.stacks.attached.database import Database
from harness.stacks.attached.file.described import Action
from harness.stacks.attached.file.read import load
from harness.stacks.attached.maker import AttachedMaker
from harness.stacks.attached.rejoining import OwnersRejoin
from harness.stacks.attached.stack import AttachedStack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.database import Rejoins
from harness.system import control_files
from harness.system.recorder import Memory
from tests.stack_files import written

REJOIN = {"run": ["./rejoin", "${server}", "${leader}", "${address}", "${secret:db}"], "within": "90 s"}
SECRETS = {"api key": "key-of-the-api", "db": "word-of-the-database"}
GONE: dict[str, bool | None] = {"db-1": None, "db-2": True}  # who led is dead, the other one was promoted


class Desk(Database):
    """Whose servers say what the test says, and of which one that is started is a copy."""

    says: dict[str, bool | None]
    follows = ""  # why a server that runs does not follow

    def _leads(self, name: str, within: timedelta = timedelta(0)) -> bool | None:
        return self.says[name]

    def follows_not(self, name: str, leads: str) -> str:
        return self.follows


class Owner:
    """Carries out what the file says, as far as it goes."""

    def __init__(self, desk: Platform) -> None:
        self.desk = desk
        self.done: list[dict[str, str]] = []
        self.breaks: Exception | None = None

    def do(self, action: Action, **more: str) -> None:
        self.done.append(more)
        assert control_files.read(self.desk.folder / "stack" / "rejoins.json"), "it was not on disk before"
        if self.breaks:
            raise self.breaks
        self.desk.up.add(more["server"])
        self.desk.cluster.says = {**self.desk.cluster.says, more["server"]: False}


class Platform:
    """One of a stack file; `up`: the servers that run."""

    def __init__(self, folder: Path, says: dict[str, bool | None], *, up: set[str], rejoin: Any = REJOIN) -> None:
        self.folder, self.up = folder, up
        (folder / "stack").mkdir(exist_ok=True)
        (folder / UNHEALED).mkdir(exist_ok=True)
        more = [(("database", "rejoin"), rejoin)] if rejoin else []
        said = load(written(folder, *more))
        self.stack = AttachedStack(said, folder / "stack", recorder=Memory(), label="t", secrets=SECRETS)
        assert said.database is not None
        parts = self.stack.components()
        for name in ("db-1", "db-2"):
            parts[name]._runs = lambda name=name: name in up
            parts[name].start = lambda name=name: up.add(name)
        self.cluster = Desk(
            said.database, parts=parts, values={}, cutter=self.stack._cutter, folder=folder / "stack",
            boxed=["db-1", "db-2"], heal="drdrill heal --on HERE",
        )  # fmt: skip  # arguments in groups
        self.cluster.says = says
        self.owner = Owner(self)
        holds: list[object] = [self.cluster]
        if said.database.rejoin:
            acts: Any = self.owner
            holds.append(OwnersRejoin(said.database.rejoin, self.cluster, acts, Memory(), gate=self.stack.gate))
        self.stack.regions = (PlainRegion("here", ("a", "b"), holds),)

    def hurts(self, *names: str) -> None:
        """As `harness.safety.undo` leaves it beside the stack."""
        content = {"fault": "kill_component", "settings": {"names": list(names)}, "undo": {"names": list(names)}}
        control_files.leave(self.folder / UNHEALED / "r-000-kill_component.json", content)

    def healed(self, said: list[str] | None = None) -> Healing:
        self.hurts("db-1")
        into = [] if said is None else said
        return healing.heal(self.stack, Killed(("db-1",)), {"names": ["db-1"]}, say=into.append)

    def rejoin(self) -> bool:
        rejoins = find(self.stack, Rejoins)
        assert rejoins is not None
        return rejoins.rejoin("db-1", say=lambda _: None)


class Killed(KillComponent):
    """Nobody asks at its door: there is no engine."""

    def still_hurt(self, stack: Any, undo: Any) -> str:
        return "" if stack.components()["db-1"].running() else "db-1 does not run"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FENCED_LIMIT", "LOOK_LIMIT"):
        monkeypatch.setattr(healing, name, timedelta(milliseconds=600))
    monkeypatch.setattr(rejoining, "STREAMS_WITHIN", timedelta(milliseconds=300))
    monkeypatch.setattr(rejoining, "KNOWN_WITHIN", timedelta(0))


def test_it_is_made_a_copy_instead_of_started(tmp_path: Path) -> None:
    """With the names of both, and who waits is told for what and how long at most."""
    desk, said = Platform(tmp_path, GONE, up={"db-2"}), []
    assert desk.healed(said).ok and desk.up == {"db-1", "db-2"}
    assert [(one["server"], one["leader"]) for one in desk.owner.done] == [("db-1", "db-2")]
    assert said[0] == "db-2 leads: the owner's `rejoin` makes db-1 a copy of it, which takes at most 90 s"
    assert said[1] == "db-1 streams from db-2, at most 0.3 s"
    assert not desk.cluster.rejoining("db-1")


def test_who_leads_still_is_started(tmp_path: Path) -> None:
    """Nobody was promoted: there is nobody to copy."""
    desk = Platform(tmp_path, {"db-1": None, "db-2": False}, up={"db-2"})
    desk.cluster._remember("db-1")
    assert desk.healed().ok and desk.owner.done == [] and "db-1" in desk.up


def test_never_where_it_runs(tmp_path: Path) -> None:
    """Least of all where it takes writes: then it stays fenced, and stopping it is what helps."""
    desk = Platform(tmp_path, {"db-1": True, "db-2": True}, up={"db-1", "db-2"})
    found = desk.healed()
    assert (found.ok, found.how, desk.owner.done) == (False, "left fenced", [])
    assert "stop db-1, then `drdrill heal --on HERE`, which makes it a copy of db-2" in found.seen
    assert desk.rejoin() is False and desk.owner.done == []


@pytest.mark.parametrize("says", [{"db-1": None, "db-2": None}, {"db-1": None, "db-2": False}])
def test_never_where_nobody_is_known_to_lead(tmp_path: Path, says: dict[str, bool | None]) -> None:
    """What it had would be gone, and nobody has more."""
    desk = Platform(tmp_path, says, up={"db-2"})
    desk.hurts("db-1")
    with pytest.raises(NotReady):
        desk.rejoin()
    assert desk.owner.done == []


def test_never_of_a_server_that_no_fault_has_reached(tmp_path: Path) -> None:
    """Somebody else has stopped it."""
    desk = Platform(tmp_path, GONE, up={"db-2"})
    desk.hurts("api-a")
    with pytest.raises(Refused, match="no fault that is written down reaches it"):
        desk.rejoin()
    assert desk.owner.done == []


def test_one_that_fails_leaves_it_fenced_with_its_words(tmp_path: Path) -> None:
    """Nothing is started, and the next healer begins it again."""
    desk = Platform(tmp_path, GONE, up={"db-2"})
    desk.owner.breaks = DrillError("rejoin exits 1: no room", hint="")
    found = desk.healed()
    assert (found.ok, found.how, desk.up) == (False, "left fenced", {"db-2"})
    assert found.seen.startswith(
        "left fenced: rejoin exits 1: no room; see why `rejoin` failed, then `drdrill heal --on"
    )
    assert desk.cluster.rejoining("db-1")
    desk.owner.breaks = None
    assert desk.healed().ok and len(desk.owner.done) == 2


def test_one_after_which_it_does_not_stream_leaves_it_fenced(tmp_path: Path) -> None:
    """Until whoever heals next sees it stream; it is not made anew for that."""
    desk = Platform(tmp_path, GONE, up={"db-2"})
    desk.cluster.follows = "db-1 receives nothing"
    found = desk.healed()
    assert found.how == "left fenced" and "db-1 streams from db-2: not within 0.3 s" in found.seen
    assert "last seen: db-1 receives nothing" in found.seen
    assert desk.healed().how == "left fenced"
    desk.cluster.follows = ""
    assert desk.healed().ok and len(desk.owner.done) == 1


def test_one_that_was_killed_in_the_middle_is_not_started_as_it_is(tmp_path: Path) -> None:
    """Who leads has died, too, since then: what the server has is not known any more."""
    desk = Platform(tmp_path, {"db-1": None, "db-2": False}, up={"db-2"})
    desk.cluster._remember("db-1")
    desk.cluster.begin_rejoin("db-1", "db-2")
    found = desk.healed()
    assert (found.how, desk.up) == ("left fenced", {"db-2"}) and "a rejoin of db-1 was begun" in found.seen
    desk.hurts("db-1")
    with pytest.raises(NotReady, match="did not end"):
        desk.rejoin()


def test_without_the_field_nobody_waits_for_what_cannot_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is dead, another leads, and only its owner brings it back; what the owner does is said."""
    monkeypatch.setattr(healing, "FENCED_LIMIT", timedelta(minutes=5))
    desk, said = Platform(tmp_path, GONE, up={"db-2"}, rejoin=None), []
    found = desk.healed(said)
    assert found.how == "left fenced" and said == [] and found.latest - found.earliest < 5e9
    assert found.seen.endswith("make db-1 a copy of db-2 by hand and start it, then `drdrill heal --on HERE`")


def test_by_hand_nobody_is_told_to_start_one_while_who_leads_is_not_known(tmp_path: Path) -> None:
    """Only one server may be who all others follow."""
    desk = Platform(tmp_path, {"db-1": None, "db-2": None}, up=set(), rejoin=None)
    words = fencing.what_to_do(desk.stack, Killed(("db-1",)), {"names": ["db-1"]})
    assert words == "see who leads, have every other server be a copy of that, then `drdrill heal --on HERE`"


def test_a_copy_has_received_what_its_leader_had_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In recovery, streaming, and not behind; what this role may not see is no reason against it."""
    desk = Platform(tmp_path, {"db-1": False, "db-2": True}, up={"db-1", "db-2"})
    rows: list[Any] = [(1, "streaming", True), (1, None, True), (0, None, True), (1, "catchup", True)]
    rows += [(1, "streaming", False), None]
    monkeypatch.setattr(sessions, "one", lambda *_, **__: "0/16B6C50")
    monkeypatch.setattr(sessions, "row", lambda *_, **__: rows.pop(0))
    monkeypatch.setattr(Desk, "dsn_now", lambda *_: "")
    found = [Database.follows_not(desk.cluster, "db-1", "db-2") for _ in range(6)]
    assert found == [
        "", "", "db-1 receives nothing", "db-1 is catchup", "db-1 has not received all that db-2 has written",
        "db-1 receives nothing",
    ]  # fmt: skip  # a table
    desk.cluster.says = {"db-1": True, "db-2": True}
    assert Database.follows_not(desk.cluster, "db-1", "db-2") == "db-1 does not say that it is a copy"


WRONG: list[tuple[list[tuple[tuple[str | int, ...], Any]], str]] = [
    ([(("database", "rejoin"), {"in": "${leader}"})], r"rejoin.*run"),
    ([(("database", "rejoin"), {"run": ["x", "${survivor}"]})], r"\$\{survivor\} stands for nothing here"),
    ([(("database", "failover", "do", "run"), ["x", "${server}"])], r"\$\{server\} stands for nothing here"),
    ([(("database", "rejoin"), {"run": ["x"], "in": "${server}"})], r"stands for nothing|no component"),
    ([(("database", "rejoin"), REJOIN), (("database", "returns"), "as a copy")], r"returns as a copy"),
    ([(("database", "rejoin"), {"run": ["x"], "within": "5 min"})], r"within: may take 5 min, and after 5 min"),
]


@pytest.mark.parametrize(("changes", "said"), WRONG)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, changes: list[Any], said: str) -> None:
    """Before anything is asked."""
    with pytest.raises(Refused, match=said):
        load(written(tmp_path, *changes))


def test_a_dry_run_has_it_as_the_inverse_and_no_secret(tmp_path: Path) -> None:
    """Of a server of the database alone; without it that it stays down."""
    said = load(written(tmp_path, (("database", "rejoin"), REJOIN)))
    lines = "\n".join(commands.of_fault(said, KillComponent, {"names": ["db-1"]}))
    assert "docker start" in lines
    assert "where another leads: ./rejoin db-1 '${leader}' '${address}' '${secret:db}'" in lines
    assert "where another leads" not in "\n".join(commands.of_fault(said, KillComponent, {"names": ["api-a"]}))
    plain = load(written(tmp_path))
    assert "it stays down (left fenced)" in "\n".join(commands.of_fault(plain, KillComponent, {"names": ["db-1"]}))


def test_who_heals_from_outside_is_given_the_time_for_it(tmp_path: Path) -> None:
    """Else it would be ended in the middle."""
    assert AttachedMaker(written(tmp_path)).heals_in == timedelta(0)
    path = written(tmp_path, (("database", "rejoin"), REJOIN))
    assert AttachedMaker(path).heals_in == 2 * timedelta(seconds=90 + 120)
