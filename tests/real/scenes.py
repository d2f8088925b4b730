"""What the tests of the embedded stack do inside its world: `python -m tests.real.scenes SCENE FOLDER LABEL`.

`hold` starts a stack and keeps it; the other scenes attach to it from a process of their own, as a person's would.
A scene that fails ends with a traceback and exit code 1.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness import clock, wait
from harness.recorder import Memory
from harness.stacks.local import LocalStack
from harness.stacks.local.world import WORLD
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.settings import Settings
from harness.stacks.parts.visitor import Visitor

READY, PARTS = "ready", "parts"
ORIGIN = "run-1/scene"


def hold(folder: Path, label: str) -> None:
    """Start a stack, write `ready` beside it, and remove it at SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    recorder = Memory()
    stack = LocalStack(folder / "stack", recorder=recorder, label=label, settings=Settings(scale=0.1))
    begin = clock.mono()
    try:
        stack.start()
        parts = [f"{data['part']} {data['seconds']}" for kind, data in recorder.facts if kind == "stack.part"]
        (folder / PARTS).write_text(f"{clock.since(begin).total_seconds():.1f} s: {', '.join(parts)}")
        (folder / "ready.new").write_text(os.environ.get(WORLD, ""))
        (folder / "ready.new").rename(folder / READY)
        ended.wait()
    finally:
        stack.stop()


def serve(stack: LocalStack) -> None:
    """A transaction is stored once, read back, and refused where it cannot be."""
    visitor = Visitor(stack.entrance)
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


def stop_services(stack: LocalStack) -> None:
    """Where no zone serves, the entrance itself says that nothing is stored."""
    visitor = Visitor(stack.entrance)
    for zone in stack.zones:
        stack.service(zone).stop()
    _until(lambda: "zone" not in visitor.ask("GET", "/ready")[1], "no zone is asked any more")
    body = {"origin": ORIGIN, "number": 4, "from": 1, "to": 2, "amount": "1.00"}
    status, answer = visitor.ask("POST", "/transactions", body)
    assert (status, answer["stored"]) == (503, False), answer
    for zone in stack.zones:
        stack.service(zone).start()
    _until(lambda: visitor.ask("GET", "/ready")[0] == 200, "the zones serve again")


def lose_leader(stack: LocalStack) -> None:
    """The leader dies with all it has started: customers are refused, another zone takes over, the old one rejoins."""
    visitor = Visitor(stack.entrance)
    leader = stack.cluster.leader()
    assert isinstance(leader, PatroniMember)
    leader.kill()
    assert not leader.running()
    _until(lambda: visitor.ask("GET", "/ready")[0] == 503, "customers are refused")
    body = {"origin": ORIGIN, "number": 9, "from": 1, "to": 2, "amount": "1.00"}
    status, answer = visitor.ask("POST", "/transactions", body)
    assert (status, answer["stored"]) == (503, False), answer
    _until(lambda: visitor.ask("GET", "/ready")[0] == 200, "another zone takes over")
    assert stack.cluster.leader() not in (None, leader)
    assert visitor.ask("GET", f"/transactions/{ORIGIN}/1")[0] == 200
    leader.start()
    _until(lambda: all(one.ok for one in stack.cluster.healthy()), "the old leader rejoins")


def adopt(stack: LocalStack) -> None:
    """A base backup is recovered in an empty place, put in service, and cloned; its timeline is archived whole."""
    visitor = Visitor(stack.entrance)
    _until(lambda: stack.steady()[-1].ok, "what was written is archived")
    place = stack.cluster.empty_place("b")
    stack.backups.restore(stack.backups.backups()[-1], place)
    place.recover(restore_command=stack.backups.restore_command(), target={})
    _until(place.recovered, "recovery ends")
    place.verify_structure()
    place.stop()
    assert place.verify_pages()
    place.start()
    with place.connect() as connection:
        connection.execute("CREATE TABLE quantumnest.while_restored AS SELECT 1 AS one")
    place.stop()
    stack.cluster.stop()
    _until(lambda: visitor.ask("GET", "/ready")[0] == 503, "nothing serves")
    assert stack.cluster.adopt(place).zone == "b"
    _until(lambda: visitor.ask("GET", "/ready")[0] == 200, "the restored database serves")
    assert visitor.ask("GET", f"/transactions/{ORIGIN}/1")[0] == 200
    _until(lambda: all(one.ok for one in stack.cluster.healthy()), "the other zones are cloned")
    with stack.cluster.connect() as connection:
        assert connection.execute("SELECT one FROM quantumnest.while_restored").fetchone() == (1,)
    _until(lambda: all(one.ok for one in stack.steady()), "the stack is steady")
    assert not [one for one in stack.backups.archive() if one.damage]
    assert sorted(path.name for path in (stack.folder / "aside" / "1").iterdir()) == ["a", "b", "c"]


def _until(condition: Callable[[], bool], what: str) -> None:
    wait.until(condition, what=what, within=timedelta(seconds=90), recorder=Memory())


SCENES: dict[str, Callable[[LocalStack], None]] = {
    "serve": serve,
    "stop_services": stop_services,
    "lose_leader": lose_leader,
    "adopt": adopt,
}

if __name__ == "__main__":
    name, where, label = sys.argv[1:]
    if name == "hold":
        hold(Path(where), label)
    else:
        SCENES[name](LocalStack.attach(Path(where) / "stack", recorder=Memory()))
