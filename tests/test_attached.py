"""A stack of a stack file: it has what the file gives, and no more; it is found, asked, and never hurt against it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DrillError, NotInTime, NotReady, Refused
from harness.evidence.run_folder import CONTROL, PROJECT
from harness.faults.kill_component import KillComponent
from harness.faults.kill_zone import KillZone
from harness.safety.permission import must_permit
from harness.stacks import brought_up, kinds
from harness.stacks.as_said import must_be_as_said
from harness.stacks.attached import inventory, place, secrets
from harness.stacks.attached.database import Database
from harness.stacks.attached.doing import Acts
from harness.stacks.attached.file import acts
from harness.stacks.attached.file.read import load
from harness.stacks.attached.has import has
from harness.stacks.attached.maker import AttachedMaker
from harness.stacks.attached.stack import AttachedStack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.components import Asked, Detachable, Killable, Logged, Pausable, Roled
from harness.stacks.capabilities.database import Claimed, Cluster, Connected, FailsOver, Fenced, Positioned, Queried
from harness.stacks.capabilities.entrance import Entrusted, Reachable, Readable
from harness.stacks.capabilities.monitoring import Monitoring
from harness.stacks.capabilities.network import Divisible, Powered
from harness.stacks.needs import Copies, Need, Zones
from harness.system.command import Commands
from harness.system.recorder import Memory
from tests.stack_files import LEAST, WHOLE, written

SECRETS = {"api key": "key-of-the-api", "db": "word-of-the-database"}
CHANGED: dict[str, list[tuple[tuple[str | int, ...], Any]]] = {
    "whole": [],
    "no customers": [(("customers",), None)],
    "no database": [(("database",), None)],
    "no failover": [(("database", "failover"), None)],
    "no alerts": [(("alerts",), None)],
    "no zones": [(("components", name, "zone"), None) for name in ("api-a", "api-b", "db-1", "db-2")],
    "all protected": [(("safety", "protected"), list(WHOLE["components"]))],
}


def made(folder: Path, *changes: tuple[tuple[str | int, ...], Any], of: Mapping[str, Any] = WHOLE) -> AttachedStack:
    """Of a file with changes; nothing is asked of any engine."""
    said = load(written(folder, *changes, of=of))
    given = {name: SECRETS[name] for name in said.secrets}
    return AttachedStack(said, folder / "stack", recorder=Memory(), label="a-run", secrets=given)


@pytest.mark.parametrize("changes", CHANGED.values(), ids=CHANGED)
def test_it_has_what_its_file_gives_and_no_more(tmp_path: Path, changes: list[Any]) -> None:
    """A drill would be left out that it could have, or one begun that it cannot."""
    stack = made(tmp_path, *changes)
    must_be_as_said(stack, has(stack.said))


def test_the_least_file_has_what_its_container_has(tmp_path: Path) -> None:
    """It can be killed, paused and cut, and has a log; nobody can ask it, and no customer comes in."""
    stack = made(tmp_path, of=LEAST)
    must_be_as_said(stack, has(stack.said))
    found = set(has(stack.said))
    assert {Killable, Pausable, Detachable, Logged} <= found and not {Asked, Reachable, Cluster} & found


LEFT_OUT: list[tuple[str, set[Need]]] = [
    ("customers", {Reachable}),
    ("database", {Cluster, Connected, Claimed, Copies(1), FailsOver, Fenced, Positioned}),
    ("alerts", {Monitoring}),
    ("database.failover", {FailsOver}),
]


@pytest.mark.parametrize(("part", "costs"), LEFT_OUT)
def test_a_part_that_is_left_out_costs_what_it_gives(tmp_path: Path, part: str, costs: set[Need]) -> None:
    """And nothing else."""
    whole = set(has(load(written(tmp_path))))
    assert whole - set(has(load(written(tmp_path, (tuple(part.split(".")), None))))) == costs


def test_zones_and_their_verbs_come_with_what_stands_in_them(tmp_path: Path) -> None:
    """Without a word about zones there are none to cut."""
    assert {Zones(2), Divisible, Powered} <= set(has(load(written(tmp_path))))
    assert not {Divisible, Powered} & set(has(load(written(tmp_path, *CHANGED["no zones"]))))


def test_the_client_has_its_secrets_from_the_file(tmp_path: Path) -> None:
    """By the file's own names; one that it has not is told with its line."""
    known = find(made(tmp_path), Entrusted)
    assert known is not None and known.secret("api key") == SECRETS["api key"]
    with pytest.raises(Refused, match=r'paydesk.yaml:.*there is no secret "key"'):
        known.secret("key")


def test_a_component_has_the_role_that_the_file_says(tmp_path: Path) -> None:
    """One of which it says none has none."""
    parts = made(tmp_path, (("components", "api-b", "role"), None)).components()
    assert {name: one.role for name, one in parts.items() if isinstance(one, Roled)} == {
        "api-a": "api", "db-1": "database", "db-2": "database", "entrance": "load balancer", "batch": "worker",
    }  # fmt: skip  # a table


def test_operators_statements_are_not_ours(tmp_path: Path) -> None:
    """It is read, and never written as its operators may."""
    found = has(load(written(tmp_path)))
    assert Readable in found and Connected in found and Queried not in found


def test_what_is_never_to_be_hurt_has_no_verb_that_hurts(tmp_path: Path) -> None:
    """Neither by `hurt: never` nor under `protected`."""
    parts = made(tmp_path, (("safety", "protected"), ["db-1"])).components()
    for name in ("entrance", "db-1"):
        assert not any(isinstance(parts[name], each) for each in (Killable, Pausable, Detachable))
    assert isinstance(parts["db-2"], Killable) and isinstance(parts["batch"], Killable)
    assert not isinstance(parts["batch"], Pausable)


def test_a_fault_that_would_reach_it_is_refused_before_anything(tmp_path: Path) -> None:
    """Alone, or with its zone; the line of the file is named."""
    stack = made(tmp_path, (("components", "db-1", "hurt"), "never"), (("safety", "may"), ["kill", "power"]))
    with pytest.raises(Refused, match="kill_component would reach entrance"):
        must_permit(stack, KillComponent(("entrance",)), {"names": ["entrance"]})
    with pytest.raises(Refused, match=r"kill_zone would reach db-1.*never") as caught:
        must_permit(stack, KillZone("a"), {"zone": "a", "components": ["api-a"]})
    assert "paydesk.yaml:" in caught.value.hint
    must_permit(stack, KillZone("b"), {"zone": "b", "components": ["api-b", "db-2"]})


# The kind


def test_a_stack_file_is_a_kind(tmp_path: Path) -> None:
    """By what looks like a file; and another process makes the same of what is written down."""
    path = written(tmp_path)
    assert kinds.is_file("x.yaml") and kinds.is_file("./x") and not kinds.is_file("local")
    kind = kinds.named(str(path))
    assert (kind.name, kind.environment, kind.file) == ("attached", "staging", path)
    assert kinds.told(json.loads(json.dumps(kinds.words(kind)))) == kind
    assert kind.offer().lacking([Reachable, Cluster]) == []
    with pytest.raises(Refused, match="there is no such file"):
        kinds.named(str(tmp_path / "other.yaml"))


def test_a_run_keeps_the_file_and_its_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever heals it has these, whatever becomes of the file; nobody else can read the secrets."""
    monkeypatch.setenv("PAYDESK_DB", SECRETS["db"])
    (tmp_path / "api.key").write_text(f"{SECRETS['api key']}\n")
    (tmp_path / "compose.yaml").touch()
    kind = kinds.of_file(written(tmp_path, (("compose", "stands"), "for the run")))
    control = tmp_path / "run" / CONTROL
    control.mkdir(parents=True)
    kinds.remember(kind, tmp_path / "run" / PROJECT, tmp_path)
    assert kind.file is not None
    kind.file.unlink()
    monkeypatch.delenv("PAYDESK_DB")
    found = kinds.of_run(tmp_path / "run")
    assert found.file == control / kinds.FILE and found.environment == "staging"
    assert found.maker.secrets_left(tmp_path) == list(SECRETS.values())
    assert (control / secrets.FILE).stat().st_mode & 0o077 == 0
    assert isinstance(found.maker, AttachedMaker) and found.maker.said.base == tmp_path


def test_runs_that_drill_one_platform_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, whichever file describes it; the folder is as that of a stack that stands."""
    monkeypatch.setenv(place.STATE, str(tmp_path / "state"))
    monkeypatch.setenv("PAYDESK_DB", SECRETS["db"])
    (tmp_path / "api.key").write_text(SECRETS["api key"])
    kind = kinds.of_file(written(tmp_path))
    folder = kind.maker.stands
    assert folder is not None and folder.is_relative_to(tmp_path / "state") and folder.name.startswith("paydesk-")
    place.make(folder)
    kept = place.keep(kind, folder)
    stands = brought_up.find(folder)
    assert stands.attached and stands.alive() and stands.kind == kept and kept.file == folder / kinds.FILE
    stands.must_stand()
    other = kinds.of_file(written(tmp_path, (("platform", "name"), "Pay Desk")))
    assert other.maker.stands != folder


def test_one_for_the_run_stands_nowhere_and_one_that_stands_is_not_made(tmp_path: Path) -> None:
    """So nobody takes down what he has not brought up."""
    stands = kinds.of_file(written(tmp_path)).maker
    with pytest.raises(Refused, match="stands already: nobody makes it here"):
        stands.open(tmp_path / "x", recorder=Memory(), label="x", scale=1.0, broken={})
    (tmp_path / "compose.yaml").touch()
    assert kinds.of_file(written(tmp_path, (("compose", "stands"), "for the run"))).maker.stands is None


# Secrets


def test_a_secret_that_cannot_be_had_is_named_and_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By variable, file and command; one that is too short to be masked is none."""
    monkeypatch.delenv("PAYDESK_DB", raising=False)
    said = load(
        written(tmp_path, (("secrets",), {"db": {"env": "PAYDESK_DB"}}), (("probes", "x"), {"tcp": {"target": "a:1"}}))
    )
    with pytest.raises(Refused, match="the variable PAYDESK_DB is not set"):
        secrets.read(said)
    monkeypatch.setenv("PAYDESK_DB", "short")
    with pytest.raises(Refused, match="has 5 characters") as caught:
        secrets.read(said)
    assert "short" not in caught.value.message
    words = {"a": {"command": [sys.executable, "-c", "print('from-a-command')"]}}
    least = {**LEAST, "secrets": words}
    assert secrets.read(load(written(tmp_path, of=least))) == {"a": "from-a-command"}
    words["a"]["command"] = [sys.executable, "-c", "raise SystemExit(3)"]
    with pytest.raises(Refused, match="exited 3"):
        secrets.read(load(written(tmp_path, of=least)))


# Acts of the owner's own


def acting(folder: Path) -> Acts:
    return Acts(Commands(Memory(), label="a-run"), boxes={}, probes={}, values={"address": "127.0.0.1"})


def verb(folder: Path, *, bites: bool = True, heals: bool = True) -> Any:
    """A component that runs as long as a file is there."""
    file = folder / "runs"
    touch = [sys.executable, "-c", f"open({str(file)!r}, 'w')"]
    remove = [sys.executable, "-c", f"import pathlib; pathlib.Path({str(file)!r}).unlink(missing_ok=True)"]
    nothing, look = (
        [sys.executable, "-c", ""],
        [sys.executable, "-c", f"import os; print(os.path.exists({str(file)!r}))"],
    )
    file.touch()
    return acts.verb(
        {
            "do": {"run": remove if bites else nothing},
            "undo": {"run": touch if heals else nothing},
            "proof": {"run": look, "says": "False", "within": "500 ms"},
            "undone": {"run": look, "says": "True", "within": "500 ms"},
        },
        folder,
    )


def test_an_act_of_ones_own_hurts_and_is_undone(tmp_path: Path) -> None:
    """Each until its proof is there; either is harmless when repeated."""
    doing, own = acting(tmp_path), verb(tmp_path)
    assert doing.heal(own, what="start x") is None
    moment = doing.hurt(own, what="kill x")
    assert moment is not None and moment.earliest < moment.latest and not (tmp_path / "runs").exists()
    assert doing.hurt(own, what="kill x") is None
    assert doing.heal(own, what="start x") is not None and (tmp_path / "runs").exists()


def test_an_act_without_effect_is_told(tmp_path: Path) -> None:
    """What does not bite is no fault, and what is not undone is not healed."""
    with pytest.raises(NotInTime, match=r"kill x: not seen within 0.5 s; last seen: .*True"):
        acting(tmp_path).hurt(verb(tmp_path, bites=False), what="kill x")
    own = verb(tmp_path, heals=False)
    acting(tmp_path).hurt(own, what="kill x")
    with pytest.raises(NotInTime, match="start x"):
        acting(tmp_path).heal(own, what="start x")


def test_an_act_that_fails_says_so(tmp_path: Path) -> None:
    """With its last words."""
    failing = acts.action({"run": [sys.executable, "-c", "raise SystemExit('no such unit')"]}, tmp_path)
    with pytest.raises(DrillError, match="no such unit"):
        acting(tmp_path).do(failing)


def test_words_stand_for_what_they_name(tmp_path: Path) -> None:
    """Also in a look; a connection is looked at as it is."""
    look = acts.look({"run": [sys.executable, "-c", "print('${address}')"], "says": r"^127\.0\.0\.1$"})
    assert acting(tmp_path).seen(look).ok
    assert acting(tmp_path).seen(acts.look({"tcp": "127.0.0.1:1", "is": "refused"})).ok
    assert not acting(tmp_path).seen(acts.look({"tcp": "127.0.0.1:1", "is": "taken"})).ok


# Who leads


class Told(Database):
    """Whose servers say what the test says; `beside`: what one says in its own network."""

    says: dict[str, bool | None]
    beside: bool | None = None

    def _leads(self, name: str, within: timedelta = timedelta(0)) -> bool | None:
        return self.says[name]

    def _beside(self, name: str) -> bool | None:
        return self.beside


def database(folder: Path, says: dict[str, bool | None], *, down: tuple[str, ...] = (), last: str = "db-1") -> Told:
    """`last`: who led when somebody looked last."""
    stack = made(folder)
    (folder / "stack").mkdir(exist_ok=True)
    assert stack.said.database is not None
    parts = stack.components()
    for name in ("db-1", "db-2"):
        parts[name]._runs = lambda name=name: name not in down
    found = Told(
        stack.said.database, parts=parts, values={}, cutter=stack._cutter, folder=folder / "stack",
        boxed=["db-1", "db-2"],
    )  # fmt: skip  # arguments in groups
    found.says = says
    found._remember(last)
    return found


def test_one_leads_or_nobody_knows(tmp_path: Path) -> None:
    """Two that say so are nobody, and no steady stack."""
    one = database(tmp_path, {"db-1": True, "db-2": False})
    leader = one.leader()
    assert leader is not None and leader.name == "db-1" and one.holder() == "db-1"
    both = database(tmp_path, {"db-1": True, "db-2": True})
    assert both.leader() is None and not both.healthy()[0].ok
    assert both.healthy()[0].seen == "db-1 and db-2 lead"
    with pytest.raises(NotReady, match="db-1 and db-2 lead"):
        both.holder()
    with pytest.raises(NotReady, match="lead"):
        both.connect()


def test_who_is_silent_leads_still_where_no_other_does(tmp_path: Path) -> None:
    """Killed, frozen or cut off: as long as nobody was promoted it comes back as what it was."""
    found = database(tmp_path, {"db-1": None, "db-2": False}, down=("db-1",))
    assert found.holder() == "db-1" and found.comes_back_as_copy("db-1") == "" and found.writable("db-1") is False
    with pytest.raises(NotReady, match="nobody leads, and db-2 did not answer"):
        database(tmp_path, {"db-1": False, "db-2": None}).holder()


def test_who_led_does_not_come_back_beside_another(tmp_path: Path) -> None:
    """Down, it is let back only where the file says that it returns as a copy; running and silent, never."""
    down = database(tmp_path, {"db-1": None, "db-2": True}, down=("db-1",))
    assert down.holder() == "db-2"
    assert "does not say that db-1 returns as a copy" in down.comes_back_as_copy("db-1")
    cut = database(tmp_path, {"db-1": None, "db-2": True})
    cut.beside = True
    assert cut.writable("db-1") is True and "does not say that it is a copy" in cut.comes_back_as_copy("db-1")
    cut.beside = None
    assert "does not say that it is a copy" in cut.comes_back_as_copy("db-1")
    cut.beside = False  # a copy that is cut off says so where the cut does not reach
    assert cut.comes_back_as_copy("db-1") == ""
    assert database(tmp_path, {"db-1": False, "db-2": True}).comes_back_as_copy("db-1") == ""


def test_each_server_is_asked_whether_it_leads_also_where_a_cut_hides_it(tmp_path: Path) -> None:
    """Then two that lead at one time are seen; what is dead leads nobody, and silence is no word."""
    cut = database(tmp_path, {"db-1": None, "db-2": True})
    cut.beside = True
    assert cut.claims() == {"db-1": True, "db-2": True}
    cut.beside = None
    assert cut.claims() == {"db-1": None, "db-2": True}
    assert database(tmp_path, {"db-1": None, "db-2": True}, down=("db-1",)).claims() == {"db-1": False, "db-2": True}


def test_who_returns_as_a_copy_is_let_back(tmp_path: Path) -> None:
    """As the file says."""
    said = load(written(tmp_path, (("database", "returns"), "as a copy"))).database
    assert said is not None and said.returns_as_copy


# The engine before and after


def seen(**containers: str) -> dict[str, Any]:
    nothing: dict[str, Any] = {"networks": {}, "volumes": {}, "images": {}}
    others = {"containers": ["aa"], "networks": [], "volumes": [], "images": []}
    return {"platform": {"containers": containers, **nothing}, "others": others}


def test_what_is_new_gone_or_another_is_told() -> None:
    """Of the platform; what else came and went is told apart, for it is somebody else's."""
    before, after = seen(a="1", b="2"), seen(a="9", c="3")
    assert inventory.changed(before, after) == [
        "container b is gone",
        "container c is new",
        "container a is another one",
    ]
    assert inventory.changed(before, before) == []
    after["others"]["containers"] = ["bb"]
    assert inventory.beside(before, after) == {"came": ["container bb"], "gone": ["container aa"]}


def test_nothing_is_asked_before_it_is_needed(tmp_path: Path) -> None:
    """A stack is made without an engine, a database or a network: a list and a dry run look at it."""
    stack = made(tmp_path)
    assert find(stack, Reachable) is not None and find(stack, FailsOver) is not None
    entrance = find(stack, Reachable).entrance
    assert (entrance.host, entrance.port, entrance.ca) == ("127.0.0.1", 18080, None)
    assert stack.secrets == list(SECRETS.values()) and stack.environment == "staging"
    assert timedelta(seconds=2) == stack.said.probes["batch"].timeout
