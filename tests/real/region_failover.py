"""A region is lost and the other one takes over, and back: `python -m tests.real.region_failover FOLDER`.

Where a stack of two regions stands, by the verbs of its capabilities alone. Prints what was measured.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from harness.errors import DrillError, NotReady
from harness.stacks import Region, Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import BaseBackups
from harness.stacks.capabilities.database import Cluster, Member, Queried, Standby
from harness.stacks.capabilities.entrance import Reachable
from harness.stacks.capabilities.names import Named
from harness.stacks.capabilities.regions import RegionFence, RegionPowered
from harness.stacks.parts.visitor import Visitor
from harness.system import clock
from tests.contract.attaching import attached
from tests.contract.patience import until

ORIGIN = "run-1/region"
STORED = "SELECT number FROM quantumnest.financial_transactions WHERE origin = %s"
WRITES = "SELECT NOT pg_is_in_recovery()"


class Customers:
    """They write by the name, one transaction after another, and remember which were acknowledged."""

    def __init__(self, stack: Stack) -> None:
        self._entrance = need(stack, Reachable).entrance
        self._ended = threading.Event()
        self.acknowledged: list[int] = []
        self._number = 0
        self._thread = threading.Thread(target=self._write, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._ended.is_set():
            self._number += 1
            body = {"origin": ORIGIN, "number": self._number, "from": 1, "to": 2, "amount": "0.01"}
            with suppress(OSError):
                if Visitor(self._entrance).ask("POST", "/transactions", body)[0] == 201:
                    self.acknowledged.append(self._number)
            self._ended.wait(0.02)


class Watch:
    """Whether any server of a region takes writes, asked past everything every 20 ms."""

    def __init__(self, members: list[Member]) -> None:
        self._members = members
        self._ended = threading.Event()
        self.seen: list[str] = []
        self.asked = 0
        self.answered = 0
        self._threads = [threading.Thread(target=self._look, args=(member,), daemon=True) for member in members]

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _look(self, member: Any) -> None:
        while not self._ended.wait(0.02):
            self.asked += 1
            with suppress(psycopg.Error), psycopg.connect(member.dsn, autocommit=True) as connection:
                row = connection.execute(WRITES).fetchone()
                self.answered += 1
                self.seen += [member.name] if row and row[0] else []


def lost(stack: Stack, region: Region, customers: Customers) -> list[int]:
    """Which of the acknowledged transactions are not there."""
    with need(region, Queried).connect() as connection:
        rows = connection.execute(
            "SELECT number FROM quantumnest.financial_transactions WHERE origin = %s", (ORIGIN,)
        ).fetchall()
    return sorted(set(customers.acknowledged) - {row[0] for row in rows})


def over(stack: Stack) -> None:
    """Blackout, fence, promotion, return, rejoining, and the switch back."""
    first, second = sorted(stack.regions, key=lambda region: region.name)
    here, there = need(first, Standby), need(second, Standby)
    powers, fences = need(stack, RegionPowered), need(stack, RegionFence)
    customers = Customers(stack)
    customers.begin()
    until(lambda: len(customers.acknowledged) > 200, "customers write")
    powers.cut_region_power(first.name)
    begin = clock.mono()
    fences.fence_region(first.name)
    until(lambda: not there.receives(), "nothing comes any more")
    say("nothing comes any more", begin)
    received = there.received()
    until(lambda: there.replayed() == received, "all that came was replayed")
    begin = clock.mono()
    promoted = there.promote()
    assert promoted is not None and there.follows() == ""
    say("promoted", begin)
    print(f"received up to {received}, the new history begins at {there.parted()}")
    assert there.parted() >= received  # all that had come is in it
    names_to(stack, second)
    begin, before = clock.mono(), len(customers.acknowledged)
    until(lambda: len(customers.acknowledged) > before + 20, "customers are served by the second region")
    say("customers served after the switch of names", begin)
    gone = lost(stack, second, customers)
    print(f"lost {len(gone)} of {before} acknowledged")
    assert gone == [one for one in customers.acknowledged[:before] if gone and one >= gone[0]], gone  # the last, alone
    returned(stack, customers)
    back(stack, customers)
    assert lost(stack, first, customers) == gone and here.follows() == ""
    need(stack, BaseBackups).take()
    until(lambda: all(one.ok for one in stack.steady()), "the stack is steady as it was")


def returned(stack: Stack, customers: Customers) -> None:
    """The first region has its power again: its servers never take writes, and follow the other."""
    first, second = sorted(stack.regions, key=lambda region: region.name)
    here, powers, fences = need(first, Standby), need(stack, RegionPowered), need(stack, RegionFence)
    members = list(need(first, Cluster).members)
    with Watch(members) as watch:
        begin = clock.mono()
        assert "fenced" in powers.restore_region_power(first.name)
        say("power restored, fenced", begin)
        for refused in (lambda: fences.unfence_region(first.name), members[0].start):
            try:
                refused()
            except DrillError as error:
                print(error.message)
            else:
                raise AssertionError("nothing was refused")
        begin = clock.mono()
        print(here.follow(need(second, Standby).addresses))
        say("made to follow", begin)
        assert here.follows() == second.name
        fences.unfence_region(first.name)
        begin = clock.mono()
        for member in members:
            member.start()
        until(lambda: all(one.ok for one in here.standing_by()), "the first region follows the second")
        say("rejoined, all stream", begin)
        until(lambda: (age := here.replay_age()) is not None and age.total_seconds() < 2, "it is not behind")
    assert not watch.seen, watch.seen
    print(f"asked {watch.asked} times, answered {watch.answered}: never writable")


def back(stack: Stack, customers: Customers) -> None:
    """Planned, and nothing is lost: customers are stopped first."""
    first, second = sorted(stack.regions, key=lambda region: region.name)
    here, there = need(first, Standby), need(second, Standby)
    customers.end()
    begin = clock.mono()
    print(there.follow(here.addresses))
    say("demoted", begin)
    until(lambda: here.replayed() >= there.replayed(), "the first has all that the second has written")
    here.promote()
    say("from the order to demote until the first takes writes", begin)
    names_to(stack, first)
    until(lambda: all(one.ok for one in there.standing_by()), "the second region follows again")
    say("until the second follows", begin)
    with Watch(list(need(second, Cluster).members)) as watch:
        until(lambda: Visitor(need(stack, Reachable).entrance).ask("POST", "/test/transaction")[0] == 201, "it serves")
    assert not watch.seen


def names_to(stack: Stack, region: Region) -> None:
    named = need(stack, Named)
    for name in named.names:
        named.switch_name(name, region.name)
    until(lambda: all(named.answered(name) == region.name for name in named.names), "the names stand for it")


def say(what: str, begin: int) -> None:
    print(f"{what}: {clock.since(begin).total_seconds():.1f} s", flush=True)


if __name__ == "__main__":
    try:
        over(attached(Path(sys.argv[1]) / "stack"))
    except NotReady as error:
        raise AssertionError(error.message) from error
