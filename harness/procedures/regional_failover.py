"""Fail over to the second region: fence what is gone, prove that all that came was replayed, promote, switch the names.

That a region does not answer does not show that it is dead. So nothing is promoted before the fence device has its
database servers off, and keeps them off, whatever comes back. And nothing is promoted while anything that was received
waits to be replayed: what a customer was told is stored may be in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady
from harness.procedures import Change, Facts, Procedure, Step
from harness.stacks import Stack, regional
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, Fenced, Positioned, Standby
from harness.stacks.capabilities.names import Named
from harness.stacks.capabilities.regions import RegionFence
from harness.stacks.needs import Regions
from harness.system import clock, wait
from harness.system.recorder import Recorder

REPLAYED_WITHIN = timedelta(seconds=60)
QUIET_WITHIN = timedelta(seconds=30)  # until no server receives any more: whoever is cut off notices it late
READY_WITHIN = timedelta(seconds=90)
ANSWERED_WITHIN = timedelta(seconds=30)
OFTEN = timedelta(milliseconds=200)
REPLAYED = "wait-until-all-is-replayed"
Ready = Callable[
    [str], Mapping[str, str]
]  # by service of that region: what shows that it works; empty where it does not


@dataclass
class RegionalFailover:
    """One failover under way, from the region `lost` to the other.

    `ready`: asks every service of a region as its users do. `restored`: what leads in the other region was restored
    from its backups, since what it had received could not be used. For sabotage twins alone: `skip`, steps that are
    left out, and `tolerates`, so many bytes that may wait to be replayed.
    """

    needs: ClassVar[tuple[Any, ...]] = (RegionFence, Standby, Cluster, Fenced, Positioned, Named, Regions(2))
    stack: Stack
    lost: str
    ready: Ready
    recorder: Recorder
    changes: Sequence[Change] = ()
    restored: bool = False
    skip: frozenset[str] = frozenset()
    tolerates: int = 0
    _received: int | None = field(init=False, default=None)

    def procedure(self) -> Procedure:
        """The list of steps, made as data."""
        steps = (
            Step("fence", "fence-the-lost-region", "Have the fence device keep the database servers of the lost region "
                 "off, whatever comes back of it", self._fence),
            Step("activate", REPLAYED, "Wait until no server of the second region receives any "
                 "more, and all that any of them has received is replayed", self._await_replayed),
            Step("activate", "promote-the-second-region", "Promote the second region's database, and compare where its "
                 "new history begins with what had been received", self._promote),
            Step("activate", "see-every-service-ready", "Ask every service of the second region, as its users do, "
                 "whether it is ready", self._see_ready),
            Step("switch", "switch-the-names", "Change the record of each name so that it stands for the second region "
                 "alone", self._switch),
            Step("switch", "see-what-resolvers-say", "Ask for each name as a resolver does that has kept nothing",
                 self._see_answers),
        )  # fmt: skip  # a table
        skip = self.skip | ({REPLAYED} if self.restored else frozenset())
        kept = tuple(step for step in steps if step.name not in skip and step.phase not in skip)
        return Procedure("regional-failover", kept, recorder=self.recorder, changes=self.changes)

    @property
    def _second(self) -> str:
        return regional.other(self.stack, self.lost).name

    @property
    def _standby(self) -> Standby:
        return need(regional.region(self.stack, self._second), Standby)

    def _fence(self) -> Facts:
        need(self.stack, RegionFence).fence_region(self.lost)
        return {
            "region": self.lost,
            "fenced": need(self.stack, RegionFence).region_is_fenced(self.lost),
            "servers": regional.writable(regional.region(self.stack, self.lost)),
        }

    def _await_replayed(self) -> Facts:
        standby = self._standby
        receives = wait.poll(standby.receives, within=QUIET_WITHIN, every=OFTEN, enough=lambda still: not still)
        done = wait.poll(
            lambda: standby.received_whole() - standby.replayed() <= self.tolerates, within=REPLAYED_WITHIN, every=OFTEN
        )
        received, replayed = standby.received_whole(), standby.replayed()
        self._received = received
        facts = {"region": self._second, "receives": bool(receives), "received": received, "replayed": replayed}
        age = standby.replay_age()
        facts |= {"age": None if age is None else age.total_seconds()}
        if not done or receives:
            why = "it still receives" if receives else f"{received - replayed} bytes that it received are not replayed"
            raise NotReady(f"{self._second} is not promoted: {why}", hint="restore the database from its backups there")
        return facts

    def _promote(self) -> Facts:
        """Errors: those of `Standby.promote`."""
        name, standby = self._second, self._standby
        moment = standby.promote()
        cluster = need(regional.region(self.stack, name), Cluster)
        leader = wait.until(
            cluster.leader, what=f"{name} has a leader", within=READY_WITHIN, recorder=self.recorder, every=OFTEN
        )
        parted = standby.parted()
        if not self.restored:  # else that was verified, and put in service
            self._verify(leader.name, parted)
        history = need(regional.region(self.stack, name), Positioned).history(leader)
        took = None if moment is None else (moment.latest - moment.earliest) / 1e9
        return {"region": name, "leads": leader.name, "parted": parted, "history": history, "promotion": took}

    def _verify(self, leader: str, parted: int) -> None:
        whole = self._received is not None and parted >= self._received
        seen = f"received up to {self._received}, and the new history begins at {parted}"
        checks = [{"name": "all that was received", "ok": whole, "seen": seen}]
        self.recorder.record("verified", ok=whole, checks=checks)
        self.recorder.record("in_service", member=leader, how=f"promoted in {self._second}")

    def _see_ready(self) -> Facts:
        """All are asked again until all are ready; who is not in time is named, and nothing is switched."""
        name = self._second
        found = wait.poll(
            lambda: dict(self.ready(name)), within=READY_WITHIN, every=OFTEN * 5,
            enough=lambda said: bool(said) and all(said.values()),
        )  # fmt: skip  # arguments in groups
        if late := [each for each, said in found.items() if not said]:
            raise NotReady(f"not ready in {name}: {', '.join(late)}", hint="read their logs")
        return {"region": name, "ready": found}

    def _switch(self) -> Facts:
        named, name = need(self.stack, Named), self._second
        for each in named.names:
            named.switch_name(each, name)
        return {
            "region": name,
            "recorded": {each: named.recorded(each) for each in named.names},
            "ttl": named.ttl.total_seconds(),
        }

    def _see_answers(self) -> Facts:
        named, name = need(self.stack, Named), self._second
        begin = clock.mono()
        wait.until(
            lambda: all(named.answered(each) == name for each in named.names), what="resolvers say the second region",
            within=ANSWERED_WITHIN, every=OFTEN, recorder=self.recorder,
        )  # fmt: skip  # arguments in groups
        answered = {each: named.answered(each) for each in named.names}
        return {"region": name, "answered": answered, "seconds": clock.since(begin).total_seconds()}
