"""What a name stands for: read anew for each question, whole while it is written, and the same in another process."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import NotReady, Refused
from harness.stacks import Entrance
from harness.stacks.parts.visitor import Visitor
from harness.system.http import DIRECT, NoAnswer
from harness.system.resolver import Dns, Fixed, HostsFile, NotResolved, Resolver, resolver
from harness.workload.probe import Probe

NAME = "api.example"


def test_a_hosts_file_is_read_as_the_system_reads_one(tmp_path: Path) -> None:
    """Comments, several names a line, whatever their case; addresses in the order of the lines."""
    names = HostsFile(tmp_path / "hosts")
    names.path.write_text(
        "# the name of today\n10.0.0.6 Api.Example app.example # second\n\n10.0.0.5\tapi.example\n::1 x\n"
    )
    assert names.resolve("API.example") == ("10.0.0.6", "10.0.0.5")
    assert names.resolve("app.example") == ("10.0.0.6",) and names.resolve("x") == ("::1",)


@pytest.mark.parametrize("text", [None, "", "10.0.0.5 other.example", "10.0.0.5", "# 10.0.0.5 api.example"])
def test_a_name_that_is_not_there_is_said_and_not_guessed(tmp_path: Path, text: str | None) -> None:
    """Also where there is no file; whoever needs an address now is told so with a hint."""
    names = HostsFile(tmp_path / "hosts")
    if text is not None:
        names.path.write_text(text)
    with pytest.raises(NotResolved, match=f"name not resolved: {NAME}: "):
        names.resolve(NAME)
    with pytest.raises(NotReady, match="name not resolved"):
        _ = Entrance(NAME, names, 443, None).addresses


def test_what_is_written_takes_the_place_of_what_was(tmp_path: Path) -> None:
    """All of it; nothing else is left in the folder, and others may read it."""
    names = HostsFile(tmp_path / "hosts")
    names.write({NAME: ["10.0.0.5", "10.0.0.6"], "app.example": ["10.0.0.5"]})
    assert names.resolve(NAME) == ("10.0.0.5", "10.0.0.6")
    names.write({NAME: ["10.1.0.5"]})
    assert names.resolve(NAME) == ("10.1.0.5",) and names.path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [names.path]
    with pytest.raises(NotResolved):
        names.resolve("app.example")


OF_EACH_KIND = [
    HostsFile(Path("/x/hosts")),
    Fixed(("10.0.0.5", "10.0.0.6")),
    Dns("10.0.0.2", 5300, keeps=timedelta(seconds=90)),
]


@pytest.mark.parametrize("one", OF_EACH_KIND, ids=["hosts", "fixed", "dns"])
def test_a_resolver_travels_as_json(one: Resolver) -> None:
    """To a process of customers."""
    assert resolver(json.loads(json.dumps(one.said()))) == one


NO_PORT = {"kind": "dns", "server": "10.0.0.2", "port": "x", "keeps": 0, "within": 2}


@pytest.mark.parametrize(
    "said", [None, [], {}, {"kind": "guess"}, {"kind": "hosts"}, {"kind": ["hosts"]}, "hosts", NO_PORT]
)
def test_what_is_no_resolver_is_refused(said: object) -> None:
    """With the kinds that there are."""
    with pytest.raises(Refused, match="not a resolver") as refused:
        resolver(said)
    assert "dns, fixed, hosts" in refused.value.hint


def test_an_entrance_is_resolved_each_time_it_is_asked(tmp_path: Path) -> None:
    """Unless somebody goes past the name, to one address alone."""
    names = HostsFile(tmp_path / "hosts")
    entrance = Entrance(NAME, names, 443, None)
    names.write({NAME: ["10.0.0.5"]})
    alone = entrance.alone("10.0.0.9")
    assert entrance.addresses == ("10.0.0.5",)
    names.write({NAME: ["10.1.0.5"]})
    assert entrance.addresses == ("10.1.0.5",) and alone.addresses == ("10.0.0.9",)


def test_a_request_whose_name_is_not_resolved_has_no_answer(tmp_path: Path) -> None:
    """Nobody took a connection, for none was tried; a probe and a visitor do not raise for it."""
    entrance, soon = Entrance(NAME, HostsFile(tmp_path / "hosts"), 443, None), timedelta(seconds=1)
    with pytest.raises(NoAnswer, match="name not resolved") as broken:
        DIRECT.ask("GET", entrance.url("/"), within=soon, resolver=entrance.resolver)
    assert not broken.value.taken and not broken.value.late
    answer = Probe(entrance).ask("GET", "/", within=soon)
    assert (answer.status, answer.ok) == (0, False) and "name not resolved" in answer.error
    assert "name not resolved" in Visitor(entrance).ready().seen
