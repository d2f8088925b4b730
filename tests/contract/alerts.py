"""What the contract asks of a stack's own monitoring: `python -m tests.contract.alerts SCENE FOLDER`.

Each scene prints how long an alert took. It ends with a traceback and exit code 1 where it fails.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from harness.stacks import Stack, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.capabilities.entrance import ZoneServices
from harness.stacks.capabilities.monitoring import Alert, Monitoring
from harness.stacks.capabilities.network import Divisible
from harness.stacks.capabilities.sabotage import Deafenable
from harness.system import clock, wait
from harness.system.recorder import Memory
from tests.contract.attaching import attached

TOLD_WITHIN = timedelta(seconds=20)  # a busy machine's; what was measured is printed
OVER_WITHIN = timedelta(seconds=60)  # a zone that was cut catches up
QUIET = timedelta(seconds=8)


def kill(stack: Stack) -> None:
    """An API is killed: an alert names it, and nothing else that has failed; it is taken back once it serves again."""
    begin = clock.mono()
    need(stack, ZoneServices).service("a").kill()
    told = _told(stack, begin, lambda one: (one.state, one.component) == ("firing", "api-a"))
    print(f"{need(stack, Monitoring).by}: {told.name} {told.component} after {(told.received - begin) / 1e9:.1f} s")
    assert told.zone == "a" and told.summary and told.starts
    need(stack, ZoneServices).service("a").start()
    _told(stack, told.received, lambda one: (one.state, one.component) == ("resolved", "api-a"), within=OVER_WITHIN)
    assert {one.component for one in _since(stack, begin) if one.component} == {"api-a"}
    _steady(stack)


def cut(stack: Stack) -> None:
    """A zone is cut: an alert says that nothing of it answers, and no alert names a component of another."""
    assert isinstance(stack, Divisible)
    leader = need(stack, Cluster).leader()
    zone = next(zone for zone in zones(stack) if leader is None or zone != leader.zone)
    begin = clock.mono()
    stack.cut(zone)
    told = _told(stack, begin, lambda one: (one.name, one.state, one.zone) == ("ZoneUnreachable", "firing", zone))
    print(f"{need(stack, Monitoring).by}: {told.name} {told.zone} after {(told.received - begin) / 1e9:.1f} s")
    assert {one.zone for one in _since(stack, begin)} <= {zone, ""}
    stack.join(zone)
    over = ("ZoneUnreachable", "resolved", zone)
    _told(stack, told.received, lambda one: (one.name, one.state, one.zone) == over, within=OVER_WITHIN)
    _steady(stack)


def quiet(stack: Stack) -> None:
    """Nothing is told while all is well, and the stack says that an alert would arrive."""
    _steady(stack)
    begin = clock.mono()
    clock.sleep(QUIET)
    assert _since(stack, begin) == []
    assert need(stack, Monitoring).condition().ok


def lose_receiver(stack: Stack) -> None:
    """Nobody is told; the missing watchdog gives it away; what still fires arrives once there is a receiver again."""
    need(stack, Deafenable).lose_receiver()
    begin = clock.mono()  # what was under way came in before
    need(stack, ZoneServices).service("b").kill()
    wait.until(
        lambda: "no alert would arrive" in need(stack, Monitoring).condition().seen, what="the silence is noticed",
        within=timedelta(seconds=40), recorder=Memory(), last_seen=lambda: need(stack, Monitoring).condition().seen,
    )  # fmt: skip  # arguments in groups
    assert _since(stack, begin) == []
    stack.components()["alert-receiver"].start()
    _told(stack, begin, lambda one: (one.state, one.component) == ("firing", "api-b"))
    need(stack, ZoneServices).service("b").start()
    _steady(stack)


def _since(stack: Stack, begin: int) -> list[Alert]:
    return [one for one in need(stack, Monitoring).alerts() if one.received > begin]


def _told(stack: Stack, begin: int, wanted: Callable[[Alert], bool], *, within: timedelta = TOLD_WITHIN) -> Alert:
    return wait.until(
        lambda: next((one for one in _since(stack, begin) if wanted(one)), None), what="the alert", within=within,
        recorder=Memory(), last_seen=lambda: str(_since(stack, begin)),
    )  # fmt: skip  # arguments in groups


def _steady(stack: Stack) -> None:
    seen = stack.steady()

    def holds() -> bool:
        nonlocal seen
        seen = stack.steady()
        return all(one.ok for one in seen)

    wait.until(
        holds, what="the stack is steady", within=timedelta(seconds=90), recorder=Memory(),
        last_seen=lambda: "; ".join(f"{one.name}: {one.seen}" for one in seen if not one.ok),
    )  # fmt: skip  # arguments in groups


if __name__ == "__main__":
    scenes: dict[str, Callable[[Stack], None]] = {scene.__name__: scene for scene in (kill, cut, quiet, lose_receiver)}
    scenes[sys.argv[1]](attached(Path(sys.argv[2]) / "stack"))
