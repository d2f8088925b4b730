"""What the contract asks of a stack's optional powers: `python -m tests.contract.powers SCENE FOLDER`.

Each scene leaves the stack as it was. Where this machine cannot do a thing, the stack says so and why, and the scene
prints it. A scene that fails ends with a traceback and exit code 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from harness.errors import Unable
from harness.run.run import new_id
from harness.stacks import Stack, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Killable, Startable
from harness.stacks.capabilities.database import Cluster, Fillable, Queried
from harness.stacks.capabilities.entrance import Balanced, DirectAccess, Reachable, Standpoints, ZoneServices
from harness.stacks.capabilities.network import Divisible, Flappable, Linked, Powered, Slowable, Slowness
from harness.stacks.capabilities.releases import Releases
from harness.stacks.capabilities.sabotage import Unfenced
from harness.stacks.parts.visitor import Visitor
from harness.system import clock, wait
from harness.system.recorder import Memory
from harness.system.resolver import HostsFile
from harness.workload import ledger
from harness.workload.client import ClientModule
from harness.workload.connection import OLDEST
from harness.workload.workload import Workload, outside
from tests.contract.attaching import attached
from tests.contract.patience import LONG, until

SECOND = timedelta(seconds=1)


def links(stack: Stack) -> None:
    """Two zones are blind for each other, as silently as by a cut, or their etcds alone; the third sees both."""
    assert isinstance(stack, Linked)
    one, other, third = zones(stack)
    stack.join_link(one, other)
    try:
        _blind(stack, one, other, third)
    finally:
        for _ in range(2):
            stack.join_link(one, other)
    assert stack.sees(one, other, part="consensus store") and stack.sees(other, one, part="consensus store")
    _healthy(stack)


def _blind(stack: Linked, one: str, other: str, third: str) -> None:
    for _ in range(2):
        stack.cut_link(one, other)
    for here, there in ((one, other), (other, one)):
        assert not stack.sees(here, there) and not stack.sees(here, there, part="consensus store")
        assert stack.sees(here, third) and stack.sees(third, here, part="consensus store")
    stack.join_link(one, other)
    stack.cut_link(one, other, part="consensus store")
    for here, there in ((one, other), (other, one)):
        assert stack.sees(here, there) and not stack.sees(here, there, part="consensus store")


def slow(stack: Stack) -> None:
    """A zone's link is as slow as the kernel says; what it cannot do is said."""
    assert isinstance(stack, Slowable)
    zone = _follows(stack)
    assert not stack.slowed(zone)
    stack.unslow(zone)
    try:
        for _ in range(2):
            refused = stack.slow(zone, Slowness(kilobytes=50, latency=SECOND / 10, loss=1.0))
        print("; ".join(refused) or "all of it")
        assert stack.slowed(zone)
    except Unable as unable:
        print(unable)
    for _ in range(2):
        stack.unslow(zone)
    assert not stack.slowed(zone)
    _healthy(stack)


def flap(stack: Stack) -> None:
    """A zone's link comes and goes until its time is up, or it is settled; either way it is joined then."""
    assert isinstance(stack, Flappable) and isinstance(stack, Linked)
    zone = _follows(stack)
    other = next(one for one in zones(stack) if one != zone)
    stack.settle(zone)
    assert stack.flaps(zone) == 0
    stack.flap(zone, down=SECOND, up=SECOND, lasting=5 * SECOND)
    wait.until(lambda: stack.flaps(zone) >= 2, what="it goes down again", within=10 * SECOND, recorder=Memory())
    wait.until(lambda: stack.flaps(zone) == 0, what="its time is up", within=15 * SECOND, recorder=Memory())
    assert stack.sees(zone, other)
    stack.flap(zone, down=60 * SECOND, up=SECOND, lasting=90 * SECOND)
    assert stack.flaps(zone) == 1 and not stack.sees(zone, other)
    for _ in range(2):
        stack.settle(zone)
    assert stack.flaps(zone) == 0 and stack.sees(zone, other)
    _healthy(stack)


def power(stack: Stack) -> None:
    """A zone without power is gone whole, and customers are served by the others; with power it is whole again."""
    assert isinstance(stack, Powered)
    zone = _follows(stack)
    mine = [one for one in stack.components().values() if one.zone == zone]
    assert stack.has_power(zone) and {one.name for one in mine} == {
        f"{part}-{zone}" for part in ("api", "etcd", "patroni")
    }
    for _ in range(2):
        stack.cut_power(zone)
    assert not stack.has_power(zone) and not any(one.running() for one in mine)
    visitor = Visitor(need(stack, Reachable).entrance)
    until(lambda: visitor.ask("POST", "/test/transaction")[0] == 201, "the other zones serve")
    for _ in range(2):
        stack.restore_power(zone)
    assert stack.has_power(zone) and all(one.running() for one in mine)
    _steady(stack)


def fill(stack: Stack) -> None:
    """The leader's volume takes no more: nothing is acknowledged that is lost, another leads; with room it is back."""
    visitor, leader = Visitor(need(stack, Reachable).entrance), need(stack, Cluster).leader()
    assert leader is not None and isinstance(leader, Fillable)
    leader.free_volume()
    assert not leader.volume_is_full()
    begin = clock.mono()
    for _ in range(2):
        leader.fill_volume()
    assert leader.volume_is_full()
    number, kept = 0, []
    while need(stack, Cluster).leader() in (leader, None) or not kept:
        assert clock.since(begin) < LONG, "nobody else leads"
        number += 1
        body = {"origin": "powers/fill", "number": number, "from": 1, "to": 2, "amount": "1.00"}
        try:
            status, answer = visitor.ask("POST", "/transactions", body)
        except OSError:
            continue  # nothing was acknowledged
        kept += [number] if status == 201 else []
        assert answer["stored"] is not True or status == 201
    print(f"another led after {clock.since(begin).total_seconds():.1f} s")
    for _ in range(2):
        leader.free_volume()
    assert not leader.volume_is_full()
    _healthy(stack)
    for one in kept:
        assert visitor.ask("GET", f"/transactions/powers/fill/{one}")[0] == 200


def unfence(stack: Stack) -> None:
    """A server whose manager is frozen goes on; thawed, its manager does too."""
    leader = need(stack, Cluster).leader()
    assert leader is not None and isinstance(leader, Unfenced)
    leader.thaw_manager()
    for _ in range(2):
        leader.freeze_manager()
    with need(stack, Queried).connect(leader) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
    for _ in range(2):
        leader.thaw_manager()
    _healthy(stack)


def release(stack: Stack) -> None:
    """A release that lacks what the API needs serves nowhere; the one before it, deployed again, serves everywhere."""
    visitor, releases = Visitor(need(stack, Reachable).entrance), need(stack, Releases)
    before, sound = releases.history(), releases.current()
    assert visitor.ask("GET", "/health")[1]["version"] == sound == before[-1]
    releases.publish("poisoned", {})
    assert releases.history() == before
    releases.deploy("poisoned")
    assert releases.history() == [*before, "poisoned"]
    until(lambda: not any(need(stack, ZoneServices).service(zone).running() for zone in zones(stack)), "no API runs")
    releases.deploy(sound)
    until(lambda: visitor.ask("GET", "/ready")[0] == 200, "the release before serves")
    assert releases.history() == [*before, "poisoned", sound] and releases.content(sound)
    _steady(stack)
    assert {visitor.ask("GET", "/health")[1]["version"] for _ in range(6)} == {sound}


def balancers(stack: Stack) -> None:
    """Whichever load balancer dies, customers reach the other."""
    visitor = Visitor(need(stack, Reachable).entrance)
    assert len(need(stack, Balanced).balancers) == len(need(stack, Reachable).entrance.addresses) == 2
    for one in need(stack, Balanced).balancers:
        alone = Visitor(need(stack, Balanced).balancer_entrance(one.name))
        assert alone.ask("GET", "/ready")[0] == 200
        one.kill()
        assert visitor.ask("GET", "/ready")[0] == 200
        one.start()
        until(partial(_ready, alone), "it takes requests again")
    _steady(stack)


def names(stack: Stack) -> None:
    """Customers who are writing follow a switch of the name: a second later the balancer that it left can die."""
    entrance, (first, second) = need(stack, Reachable).entrance, need(stack, Balanced).balancers
    published, there = entrance.resolver, need(stack, Balanced).balancer_entrance(second.name).addresses
    assert isinstance(published, HostsFile)
    before = published.path.read_text()
    folder = stack.folder.parent / "scenarios" / "names"  # where customers can write, also from a pod
    client, memory = ClientModule(Path(__file__).parents[2], "drills.client"), Memory()
    workload = Workload(
        stack, memory, stack.commands, folder, client=client, origin=f"names/{new_id()}", groups=[outside(50.0)]
    )
    workload.begin()
    try:
        until(lambda: workload.good_for(SECOND), "customers are served")
        published.write({entrance.host: there})
        until(lambda: _resolved(workload)[-1] == list(there), "customers have seen the switch")
        switched = clock.mono()
        until(lambda: clock.since(switched) > OLDEST, "no connection is older than the switch")
        need(first, Killable).kill()
        _served(workload, "customers are served by the other")
        assert entrance.addresses == there and workload.recent().bad == 0
        published.path.unlink()
        until(lambda: not _resolved(workload)[-1], "customers cannot resolve the name")
    finally:
        published.path.write_text(before)
        need(first, Startable).start()
    _served(workload, "customers are served again")
    workload.end()
    with workload.files["outside"].open() as lines:
        ended = list(ledger.outcomes(lines))
    bad = {one.why.split(": ")[1] for one in ended if one.outcome != "acknowledged"}
    assert bad == {"name not resolved"} and len(_resolved(workload)) == 4, bad
    _steady(stack)


def _served(workload: Workload, what: str) -> None:
    """From now on."""
    begin = clock.mono()
    until(lambda: workload.good_for(SECOND, after=begin), what)


def _resolved(workload: Workload) -> list[list[str]]:
    """Each answer that the customers outside were given, where it was another one."""
    facts = map(json.loads, workload.files["outside"].read_text().splitlines()[1:])
    return [fact["addresses"] for fact in facts if fact["e"] == "resolved"]


def zone_endpoints(stack: Stack) -> None:
    """Each zone's own database server is reached as the API's role; an answer names the timeline that it leads on."""
    leads = need(stack, Cluster).leader()
    assert leads is not None
    for zone in zones(stack):
        dsn, environment = need(stack, DirectAccess).zone_database(zone)
        script = f"import psycopg; print(*psycopg.connect({dsn!r}).execute({ASKS!r}).fetchone())"
        words = [*need(stack, Standpoints).stand_in(zone), sys.executable, "-c", script]
        said = stack.commands.run(words, env=environment).out.split()
        assert said == ["quantumnest_app", str(zone != leads.zone)]
    with need(stack, Queried).connect() as connection:
        row = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
    body = {"origin": "powers/beside", "number": 1, "from": 1, "to": 2, "amount": "1.00"}
    for _ in range(2):
        answer = Visitor(need(stack, Reachable).entrance).ask("POST", "/transactions", body)[1]
        assert row and answer["timeline"] == int(row[0][:8], 16)
    outside = [*need(stack, Standpoints).stand_outside(), sys.executable, "-m", "tests.contract.reach"]
    for address in need(stack, Reachable).entrance.addresses:
        assert (
            stack.commands.run([*outside, address, str(need(stack, Reachable).entrance.port)]).out.strip()
            == "connected"
        )


ASKS = "SELECT current_user, pg_is_in_recovery()"


def refused(stack: Stack) -> None:
    """Where zones are no networks the stack says so and why; undoing what was not done is harmless."""
    assert isinstance(stack, Linked) and isinstance(stack, Slowable) and isinstance(stack, Flappable)
    assert isinstance(stack, Divisible)
    for act in (
        lambda: stack.cut_link("a", "b"),
        lambda: stack.slow("a", Slowness(kilobytes=50)),
        lambda: stack.flap("a", down=SECOND, up=SECOND, lasting=SECOND),
    ):
        try:
            act()
        except Unable as unable:
            assert "loopback" in unable.message and "sandbox level" in unable.hint
        else:
            raise AssertionError("nothing was said")
    stack.join_link("a", "b")
    stack.unslow("a")
    stack.settle("a")
    assert not stack.slowed("a") and stack.flaps("a") == 0


def _ready(visitor: Visitor) -> bool:
    try:
        return visitor.ask("GET", "/ready")[0] == 200
    except OSError:
        return False


def _follows(stack: Stack) -> str:
    """A zone whose database server does not lead."""
    leader = need(stack, Cluster).leader()
    return next(zone for zone in zones(stack) if leader is not None and zone != leader.zone)


def _healthy(stack: Stack) -> None:
    until(lambda: all(one.ok for one in need(stack, Cluster).healthy()), "all replicate")


def _steady(stack: Stack) -> None:
    until(lambda: all(one.ok for one in stack.steady()), "the stack is steady")


SCENES: dict[str, Callable[[Stack], None]] = {
    scene.__name__: scene
    for scene in (links, slow, flap, power, fill, unfence, release, balancers, names, zone_endpoints, refused)
}

if __name__ == "__main__":
    SCENES[sys.argv[1]](attached(Path(sys.argv[2]) / "stack"))
