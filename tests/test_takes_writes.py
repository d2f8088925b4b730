"""Whether a database server takes writes, by what its own zone answers; and whether its manager holds it back."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import NotReady
from harness.stacks.parts import fencing
from harness.stacks.parts.etcd import Etcd
from harness.stacks.parts.member import COPY, PatroniMember
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.postgres import Roles
from harness.system import clock
from harness.system.command import CommandFailed, Commands, Done
from harness.system.recorder import Memory
from tests.one_host import one_host

CUT_OFF = (2, "", "could not connect to server: timeout expired")


class Answers(Commands):
    """What is run is answered; the words are kept."""

    def __init__(self, *answers: tuple[int, str, str] | None) -> None:
        super().__init__(Memory(), label="x")
        self.answers = list(answers)
        self.asked: list[list[str]] = []

    def run(self, argv: Sequence[str | Path], **_: Any) -> Done:
        self.asked.append([str(word) for word in argv])
        answer = self.answers.pop(0)
        if answer is None:
            raise CommandFailed("not done in time", hint="")
        return Done((), *answer, timedelta(0))


def member(folder: Path, commands: Commands, *, zone: str = "a", up: bool = True) -> PatroniMember:
    made = PatroniMember(
        one_host(folder, commands, ourselves=True), zone=zone, roles=Roles(), sockets=folder / "sockets", stores=[],
        settings=dict, synchronous={},
    )  # fmt: skip  # arguments in groups
    made.running = made.alive = lambda: up  # nothing is started
    return made


@pytest.mark.parametrize(
    ("answer", "takes"),
    [
        ((0, "t\n", ""), True),
        ((0, "f\n", ""), False),
        ((2, "", "connection to server failed: Connection refused"), False),
        ((2, "", "FATAL:  the database system is shutting down"), None),
        ((2, "", "FATAL:  the database system is starting up"), None),
        (CUT_OFF, None),
        (None, None),
    ],
)
def test_a_server_is_asked_in_its_own_zone(
    tmp_path: Path, answer: tuple[int, str, str] | None, takes: bool | None
) -> None:
    """What says nothing is not known, unless its own files say that it is a copy; no password is among the words."""
    commands = Answers(answer, answer)
    asked = member(tmp_path, commands)
    assert fencing.writable(asked) is takes
    assert not [word for word in commands.asked[0] if asked.password in word]
    asked.data.mkdir(parents=True)
    (asked.data / COPY).touch()
    assert fencing.writable(asked) is (False if takes is None else takes)


@pytest.mark.parametrize(
    ("said", "takes"),
    [
        ("received fast shutdown request", False),
        ("received smart shutdown request", None),
        ("received smart shutdown request\nreceived fast shutdown request", False),
        ("", None),
    ],
)
def test_a_server_that_shuts_down_may_let_its_sessions_go_on(tmp_path: Path, said: str, takes: bool | None) -> None:
    """Its own log says how it was asked to; where that is not known, nobody can say."""
    asked = member(tmp_path, Answers((2, "", "FATAL:  the database system is shutting down")))
    asked.database_log.parent.mkdir(parents=True)
    asked.database_log.write_text(f"LOG:  {said}\n")
    assert fencing.writable(asked) is takes


def test_a_server_is_asked_also_where_its_manager_is_gone(tmp_path: Path) -> None:
    """It may have outlived it, or been started by hand; where nothing runs, and nobody answers, it takes none."""
    assert fencing.writable(member(tmp_path, Answers((0, "t\n", "")), up=False)) is True
    assert fencing.writable(member(tmp_path, Answers(None), up=False)) is False
    outlived = member(tmp_path, Answers(None), up=False)
    outlived.alive = lambda: True
    assert fencing.writable(outlived) is None
    assert fencing.why_no_copy(outlived) == "its PostgreSQL runs without its Patroni"


def test_a_manager_that_is_frozen_or_paused_makes_no_copy(tmp_path: Path) -> None:
    """Then it is not sure what the server comes back as, unless its own files say that it is a copy; one that is down
    comes back as its manager says."""
    commands = Answers((0, "{}", ""), (0, '{"pause": true}', ""), (0, "gone", ""), (1, "", ""), None)
    asked, down = member(tmp_path, commands), member(tmp_path, commands, zone="b", up=False)
    cluster = PatroniCluster(asked.ground, members=[asked, down], etcd=Etcd(asked.ground), roles=Roles(), synchronous=1)
    assert cluster.comes_back_as_copy("patroni-a") == ""
    assert cluster.comes_back_as_copy("patroni-a") == "its Patroni is paused, and lets it do what it does"
    assert cluster.comes_back_as_copy("patroni-a") == ""
    assert cluster.comes_back_as_copy("patroni-a") == "its Patroni does not answer"
    assert cluster.comes_back_as_copy("patroni-a") == "its Patroni does not answer"
    assert cluster.comes_back_as_copy("patroni-b") == ""
    asked.data.mkdir(parents=True)
    (asked.data / COPY).touch()
    assert cluster.comes_back_as_copy("patroni-a") == ""


def test_who_leads_is_what_a_majority_says(tmp_path: Path) -> None:
    """A member of the store that has none, or is in a zone without power, is passed over."""
    commands = Answers((1, "", "context deadline exceeded"), None, (0, "b\n", ""), (0, "\n", ""), *([None] * 9))
    one, other = member(tmp_path, commands), member(tmp_path, commands, zone="b")
    one.ground.zones = ("a", "b", "c")  # a part alone stands in none
    etcd = Etcd(one.ground)
    cluster = PatroniCluster(one.ground, members=[one, other], etcd=etcd, roles=Roles(), synchronous=1)
    assert cluster.holder() == "patroni-b"
    assert cluster.holder() == ""
    with pytest.raises(NotReady, match="majority"):
        cluster.holder()


def test_a_zone_where_nobody_can_be_sent_is_passed_over(tmp_path: Path) -> None:
    """As one of containers without power: the words for going there are refused already."""
    one = member(tmp_path, Answers((0, "c\n", "")))
    one.ground.zones = ("a", "b", "c")
    there = one.ground.words

    def words(zone: str) -> list[str]:
        if zone == "a":
            raise NotReady("zone a has no power", hint="`drdrill heal`")
        return there(zone)

    one.ground.words = words
    assert Etcd(one.ground).read("leader") == "c"
    assert fencing.writable(one) is None


@pytest.mark.parametrize(("listens", "takes"), [(False, False), (True, None)])
def test_a_server_that_is_reached_beside_is_asked_without_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listens: bool, takes: bool | None
) -> None:
    """Nobody who listens takes no writes; one who takes a connection and says nothing may."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        monkeypatch.setattr(fencing, "PORT", door.getsockname()[1])
        if not listens:
            door.close()
        commands = Answers()
        one = member(tmp_path, commands)
        ground: Any = one.ground
        ground.beside = lambda zone: "127.0.0.1"
        begin = clock.mono()
        assert fencing.writable(one) is takes and not commands.asked
        assert clock.mono() - begin < 8_000_000_000
    ground.beside = lambda zone: ""
    commands.answers.append((0, "t\n", ""))
    assert fencing.writable(one) is True
