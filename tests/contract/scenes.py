"""What the contract of stacks asks of every kind: `python -m tests.contract.scenes SCENE KIND FOLDER LABEL`.

`hold` starts a stack and keeps it; the other scenes attach to it from a process of their own, as a person's would.
A scene that fails ends with a traceback and exit code 1.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.errors import Unable
from harness.stacks import Entrance, Stack, kinds, zones
from harness.stacks.as_said import there
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import Archive, BaseBackups, Replicated
from harness.stacks.capabilities.components import Pausable
from harness.stacks.capabilities.database import Cluster, Queried, Restorable
from harness.stacks.capabilities.entrance import Reachable, Standpoints, ZoneServices
from harness.stacks.capabilities.names import Named
from harness.stacks.capabilities.network import Divisible
from harness.stacks.local.sandbox import SANDBOX
from harness.stacks.needs import Regions
from harness.stacks.parts.visitor import Visitor
from harness.system import clock
from harness.system.http import NoAnswer
from harness.system.recorder import Memory
from tests.contract.attaching import attached
from tests.contract.patience import until

READY, PARTS = "ready", "parts"
ORIGIN = "run-1/scene"
LONG = 8.0  # seconds that a connection into a cut is waited for: longer than a kernel asks for a hardware address


def hold(kind: str, folder: Path, label: str, *, regions: int = 1) -> None:
    """Start a stack, write `ready` beside it, and remove it at SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    recorder = Memory()
    stack = kinds.named(kind).maker.open(
        folder / "stack", recorder=recorder, label=label, scale=0.1, broken={}, regions=regions
    )
    begin = clock.mono()
    try:
        stack.start()
        parts = [f"{data['part']} {data['seconds']}" for kind, data in recorder.facts if kind == "stack.part"]
        (folder / PARTS).write_text(f"{clock.since(begin).total_seconds():.1f} s: {', '.join(parts)}")
        (folder / "ready.new").write_text(os.environ.get(SANDBOX, ""))
        (folder / "ready.new").rename(folder / READY)
        ended.wait()
    finally:
        stack.stop()


def serve(stack: Stack) -> None:
    """A transaction is stored once, read back, and refused where it cannot be."""
    visitor = Visitor(need(stack, Reachable).entrance)
    assert not [condition for condition in stack.steady() if not condition.ok]

    def post(number: int, payee: int, amount: str) -> tuple[int, Any]:
        body = {"origin": ORIGIN, "number": number, "from": 1, "to": payee, "amount": amount}
        status, answer = visitor.ask("POST", "/transactions", body)
        return status, answer["stored"]

    before = visitor.ask("GET", "/accounts/2")[1]["balance"]
    assert post(1, 2, "1.50") == (201, True)
    assert post(1, 2, "1.50") == (200, True)
    assert post(1, 2, "1.51") == (409, False)
    assert post(2, 9_999_999, "1.50") == (422, False)
    assert post(3, 2, "-1") == (400, False)
    after = visitor.ask("GET", "/accounts/2")[1]["balance"]
    assert round(float(after) - float(before), 2) == 1.5
    found = visitor.ask("GET", f"/transactions/{ORIGIN}/1")[1]
    assert (found["from"], found["to"], found["amount"]) == (1, 2, "1.50")
    assert len({visitor.ask("GET", "/health")[1]["zone"] for _ in range(9)}) == 3
    with need(stack, Queried).connect() as connection:  # the harness itself must not wait for copies that may be gone
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("local",)


def still_serves(stack: Stack) -> None:
    """Ready, and a test transaction is stored and read back."""
    assert all(condition.ok for condition in Visitor(need(stack, Reachable).entrance).conditions())


def stop_services(stack: Stack) -> None:
    """Where no zone serves, the entrance itself says that nothing is stored."""
    visitor = Visitor(need(stack, Reachable).entrance)
    for zone in zones(stack):
        need(stack, ZoneServices).service(zone).stop()
    until(lambda: "zone" not in visitor.ask("GET", "/ready")[1], "no zone is asked any more")
    body = {"origin": ORIGIN, "number": 4, "from": 1, "to": 2, "amount": "1.00"}
    status, answer = visitor.ask("POST", "/transactions", body)
    assert (status, answer["stored"]) == (503, False), answer
    for zone in zones(stack):
        need(stack, ZoneServices).service(zone).start()
    until(lambda: visitor.ask("GET", "/ready")[0] == 200, "the zones serve again")


def lose_leader(stack: Stack) -> None:
    """The leader dies with all it has started: customers are refused, another zone takes over, the old one rejoins."""
    visitor = Visitor(need(stack, Reachable).entrance)
    leader = need(stack, Cluster).leader()
    assert leader is not None
    leader.kill()
    assert not leader.running()
    until(lambda: visitor.ask("GET", "/ready")[0] == 503, "customers are refused")
    body = {"origin": ORIGIN, "number": 9, "from": 1, "to": 2, "amount": "1.00"}
    status, answer = visitor.ask("POST", "/transactions", body)
    assert (status, answer["stored"]) == (503, False), answer
    until(lambda: visitor.ask("GET", "/ready")[0] == 200, "another zone takes over")
    assert need(stack, Cluster).leader() not in (None, leader)
    assert visitor.ask("GET", f"/transactions/{ORIGIN}/1")[0] == 200
    leader.start()
    until(lambda: all(one.ok for one in need(stack, Cluster).healthy()), "the old leader rejoins")


def adopt(stack: Stack) -> None:
    """A base backup is recovered in an empty place, put in service, and cloned; its timeline is archived whole."""
    visitor = Visitor(need(stack, Reachable).entrance)
    until(lambda: _archives(stack), "what was written is archived")
    place = need(stack, Restorable).restore_target("b")
    need(stack, BaseBackups).restore(need(stack, BaseBackups).backups()[-1], place)
    place.recover(fetch=need(stack, Archive).fetch_command(), target={})
    until(place.recovered, "recovery ends")
    place.verify_structure()
    place.stop()
    assert place.verify_pages()
    place.start()
    with place.connect() as connection:
        connection.execute("CREATE TABLE quantumnest.while_restored AS SELECT 1 AS one")
    place.stop()
    need(stack, Restorable).stop()
    until(lambda: visitor.ask("GET", "/ready")[0] == 503, "nothing serves")
    assert need(stack, Restorable).adopt(place).zone == "b"
    until(lambda: visitor.ask("GET", "/ready")[0] == 200, "the restored database serves")
    assert visitor.ask("GET", f"/transactions/{ORIGIN}/1")[0] == 200
    until(lambda: all(one.ok for one in need(stack, Cluster).healthy()), "the other zones are cloned")
    with need(stack, Queried).connect() as connection:
        assert connection.execute("SELECT one FROM quantumnest.while_restored").fetchone() == (1,)
    until(lambda: all(one.ok for one in stack.steady()), "the stack is steady")
    assert not [one for one in need(stack, Archive).archive() if one.damage]
    assert sorted(path.name for path in (stack.folder / "aside" / "1").iterdir()) == ["a", "b", "c"]


def kill_and_start(stack: Stack) -> None:
    """A killed API is gone at once and missed by nobody for long; started again, it is asked again. Its log stays."""
    one = need(stack, ZoneServices).service("a")
    one.kill()
    one.kill()
    assert not one.running()
    assert _connects(need(stack, ZoneServices).zone_entrance("a")) == "ConnectionRefusedError"
    visitor = Visitor(need(stack, Reachable).entrance)
    until(lambda: "a" not in _zones(visitor), "zone a is asked no more")
    one.start()
    one.start()
    assert one.running()
    until(lambda: "a" in _zones(visitor), "zone a is asked again")
    assert one.log.exists() and one.log.name in {log.name for log in stack.logs().values()}
    assert set(stack.components()) >= {"api-a", "etcd-b", "patroni-c"}


def pause(stack: Stack) -> None:
    """A frozen API still takes connections and answers none; resumed, it goes on where it was."""
    one = need(stack, ZoneServices).service("b")
    assert isinstance(one, Pausable)
    one.pause()
    one.pause()
    assert one.running()
    assert _connects(need(stack, ZoneServices).zone_entrance("b")) == ""
    assert _answers(need(stack, ZoneServices).zone_entrance("b")) == "late"
    visitor = Visitor(need(stack, Reachable).entrance)
    until(lambda: "b" not in _zones(visitor), "zone b is asked no more")
    one.resume()
    one.resume()
    until(lambda: "b" in _zones(visitor), "zone b is asked again")


def pause_database(stack: Stack) -> None:
    """All that a component has started is frozen with it; connections stay whole, and what is paused can be killed."""
    leader = need(stack, Cluster).leader()
    member = next(one for one in need(stack, Cluster).members if leader is None or one.zone != leader.zone)
    assert isinstance(member, Pausable)
    member.resume()
    query = "SELECT pg_postmaster_start_time()"
    with psycopg.connect(member.dsn, autocommit=True) as opened:
        began = opened.execute(query).fetchone()
        member.pause()
        assert member.running()
        assert _reaches(*_address(member.dsn)) == ""
        with pytest.raises(psycopg.OperationalError, match="timeout"):
            psycopg.connect(member.dsn, connect_timeout=2).close()
        member.resume()
        assert opened.execute(query).fetchone() == began
    member.pause()
    member.kill()
    assert not member.running()
    member.start()
    until(lambda: all(one.ok for one in need(stack, Cluster).healthy()), "the member that was killed follows again")


def show_logs(stack: Stack) -> None:
    """Every component runs and is listed with the log in which it speaks; so are the databases' own logs.

    And the stack has what its kind says that it has, no more and no less.
    """
    with_others = (Named, Replicated)  # what only a stack of several regions has
    has = kinds.KINDS[stack.kind].maker.has
    assert set(there(stack)) == {each for each in has if not isinstance(each, Regions) and each not in with_others}
    found, logs = stack.components(), stack.logs()
    assert {"s3", *(f"{part}-{zone}" for part in ("etcd", "patroni", "api") for zone in zones(stack))} <= set(found)
    for name, component in found.items():
        assert (component.name, component.running()) == (name, True)
        assert logs[name] == component.log and component.log.is_file(), name
    for member in need(stack, Cluster).members:
        assert f"I am ({member.zone})" in member.log.read_text()
        assert member.database_log in logs.values()
        assert "database system is ready" in member.database_log.read_text()


def cut(stack: Stack) -> None:
    """A cut is silent: what is new times out, what is open stalls, the zone itself goes on; joined, all is whole."""
    assert isinstance(stack, Divisible)
    leader = need(stack, Cluster).leader()
    zone = next(zone for zone in zones(stack) if leader is None or zone != leader.zone)
    member = next(member for member in need(stack, Cluster).members if member.zone == zone)
    address, port = _address(member.dsn)
    with socket.create_connection((address, port), timeout=5) as opened:
        stack.cut(zone)
        stack.cut(zone)
        begin = clock.mono()
        assert _reaches(address, port) == "TimeoutError"
        assert clock.since(begin).total_seconds() > LONG - 1, "it was told something"
        opened.settimeout(LONG)
        opened.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")  # "do you speak TLS?", which any server answers at once
        assert _said(opened) == "TimeoutError"
        inside = need(stack, ZoneServices).zone_entrance(zone)
        words = [*need(stack, Standpoints).stand_in(zone), sys.executable, "-m", "tests.contract.reach"]
        seen = stack.commands.run([*words, inside.addresses[0], str(inside.port)], check=False)
        assert seen.out.strip() == "connected", seen
        away = stack.commands.run(
            [*words, need(stack, Reachable).entrance.addresses[0], str(need(stack, Reachable).entrance.port)],
            check=False,
        )
        assert away.out.strip() == "TimeoutError", away
        visitor = Visitor(need(stack, Reachable).entrance)
        until(lambda: visitor.ask("POST", "/test/transaction")[0] == 201, "the other zones serve")
        stack.join(zone)
        stack.join(zone)
    until(lambda: all(one.ok for one in stack.steady()), "the stack is steady again")


def cut_refused(stack: Stack) -> None:
    """Where this machine cannot cut, it says so and why."""
    assert isinstance(stack, Divisible)
    try:
        stack.cut("a")
    except Unable as unable:
        assert "loopback" in unable.message and "sandbox level" in unable.hint
    else:
        raise AssertionError("nothing was said")
    stack.join("a")


def _zones(visitor: Visitor) -> set[str]:
    """Which zones answer at the entrance; "" where one has taken a request and does not answer."""

    def asked() -> str:
        try:
            return str(visitor.ask("GET", "/health")[1].get("zone"))
        except NoAnswer as error:
            assert error.late, error
            return ""

    return {asked() for _ in range(6)}


def _archives(stack: Stack) -> bool:
    return next(one.ok for one in stack.steady() if one.name == "archives")


def _address(dsn: str) -> tuple[str, int]:
    words = dict(word.split("=", 1) for word in dsn.split())
    return words["host"], int(words["port"])


def _connects(entrance: Entrance) -> str:
    return _reaches(entrance.addresses[0], entrance.port)


def _reaches(address: str, port: int) -> str:
    """ "" when a connection is made, or the name of the error."""
    try:
        socket.create_connection((address, port), timeout=LONG).close()
    except OSError as error:
        return type(error).__name__
    return ""


def _answers(entrance: Entrance) -> str:
    """ "" when a request is answered, `late` where nobody answers in time, or else why there is no answer."""
    try:
        Visitor(entrance).ask("GET", "/health")
    except NoAnswer as error:
        return "late" if error.late else str(error)
    return ""


def _said(opened: socket.socket) -> str:
    try:
        return repr(opened.recv(1))
    except OSError as error:
        return type(error).__name__


SCENES: dict[str, Callable[[Stack], None]] = {
    scene.__name__: scene
    for scene in (
        *(serve, show_logs, still_serves, stop_services, kill_and_start, pause, pause_database, cut, cut_refused),
        *(lose_leader, adopt),
    )
}

if __name__ == "__main__":
    name, kind, where, label, *more = sys.argv[1:]
    if name == "hold":
        hold(kind, Path(where), label, regions=int(more[0]))
    else:
        SCENES[name](attached(Path(where) / "stack"))
