"""Fail back: the region that was lost returns as a follower, and takes over again as planned, without a loss.

Its database servers are not let on before they are made to follow the region that leads: by going on where their
history is the beginning of that one's, else as a clone. Equal numbers of histories say nothing. And the lead is handed
over the other way round: the region that leads is demoted first, and the first is promoted only once it has all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotInTime, NotReady
from harness.procedures import Change, Facts, Procedure, Step
from harness.procedures.regional_failover import Ready
from harness.stacks import Condition, Stack, regional
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.backups import BaseBackups
from harness.stacks.capabilities.components import Startable
from harness.stacks.capabilities.database import Cluster, Positioned, Standby
from harness.stacks.capabilities.entrance import ZoneServices
from harness.stacks.capabilities.names import Named
from harness.stacks.capabilities.regions import RegionDivisible, RegionFence, RegionPowered
from harness.stacks.needs import Regions
from harness.system import clock, wait
from harness.system.clock import Moment
from harness.system.recorder import Recorder

FOLLOWS_WITHIN = timedelta(seconds=180)  # a whole clone over the link between the regions
CAUGHT_UP_WITHIN = timedelta(seconds=60)
READY_WITHIN = timedelta(seconds=90)
OFTEN = timedelta(milliseconds=200)


@dataclass
class RegionalFailback:
    """One failback under way: `first` is the region that was lost, and takes over again from the other.

    `ready`, `skip`: as for `RegionalFailover`.
    """

    needs: ClassVar[tuple[Any, ...]] = (
        RegionDivisible | RegionPowered, RegionFence, Standby, Cluster, Positioned, ZoneServices, Startable,
        BaseBackups, Named, Regions(2),
    )  # fmt: skip  # a list
    stack: Stack
    first: str
    ready: Ready
    recorder: Recorder
    changes: Sequence[Change] = ()
    skip: frozenset[str] = frozenset()

    def procedure(self) -> Procedure:
        """The list of steps, made as data."""
        steps = (
            Step("return", "restore-the-region", "Let power and network of the lost region come back, with its "
                 "database servers kept off", self._restore),
            Step("return", "make-it-follow", "Compare the histories of both regions, and make the lost one follow: "
                 "with what it has, or as a clone", self._follow),
            Step("return", "let-its-servers-on", "End the fence, and start its database servers", self._let_on),
            Step("return", "see-it-follow", "Wait until each of its database servers streams, and compare what it has "
                 "with the history of the region that leads", self._see_it_follow),
            Step("switchback", "stop-the-writers", "Stop the platform's API in every zone of the second region",
                 self._stop_writers),
            Step("switchback", "wait-until-the-first-has-all", "Wait until the first region has replayed all that was "
                 "written", self._await_caught_up),
            Step("switchback", "demote-the-second-region", "Demote the second region as planned, so that it follows "
                 "the first", self._demote),
            Step("switchback", "see-that-all-has-come", "See that the first region has replayed all that the second "
                 "wrote last, as it was shut down", self._see_all),
            Step("switchback", "promote-the-first-region", "Promote the first region's database", self._promote),
            Step("switchback", "start-the-services", "Start the second region's services again, and see that all of "
                 "the first are ready", self._start_services),
            Step("switchback", "switch-the-names-back", "Change the record of each name so that it stands for the "
                 "first region alone", self._switch_back),
            Step("switchback", "see-the-second-follow", "Wait until each database server of the second region streams",
                 self._see_second_follow),
            Step("switchback", "back-up-the-first-region", "Take a base backup of the first region: its store may have "
                 "died with it", self._back_up),
            Step("switchback", "let-health-decide", "Wait until the checks of health see the first region well, and "
                 "publish the names anew, with it as the primary", self._publish),
        )  # fmt: skip  # a table
        kept = tuple(step for step in steps if step.name not in self.skip and step.phase not in self.skip)
        return Procedure("regional-failback", kept, recorder=self.recorder, changes=self.changes)

    @property
    def _second(self) -> str:
        return regional.other(self.stack, self.first).name

    def _standby(self, name: str) -> Standby:
        return need(regional.region(self.stack, name), Standby)

    # The region returns

    def _restore(self) -> Facts:
        """A region that has only been cut off has its power, and one that lost it is joined with it."""
        left = ""
        if powers := find(self.stack, RegionPowered):  # which brings the network back, too
            left = powers.restore_region_power(self.first)
        else:
            need(self.stack, RegionDivisible).join_region(self.first)
        return {"region": self.first, "left": left}

    def _follow(self) -> Facts:
        if not need(self.stack, RegionFence).region_is_fenced(self.first):
            return {"region": self.first, "how": "it was made to follow as its power came back"}
        return {"region": self.first, "how": regional.follow(self.stack, self.first)}

    def _let_on(self) -> Facts:
        return {"region": self.first, "started": regional.let_on(self.stack, self.first)}

    def _see_it_follow(self) -> Facts:
        """That it streams shows nothing: with two histories of one number it does so, too, and is no copy."""
        try:
            streams = self._streams(self.first)
        except NotInTime:
            self._must_go_on()  # else that is why
            raise
        self._must_go_on()
        return streams

    def _must_go_on(self) -> None:
        if not self._standby(self.first).goes_on(self._standby(self._second).addresses):
            raise NotReady(
                f"what {self.first} has is no beginning of what {self._second} has written",
                hint="keep it off, and clone it anew",
            )

    # It takes over again

    def _stop_writers(self) -> Facts:
        services = self._services(self._second)
        for each in services:
            need(each, Startable).stop()
        return {"stopped": [each.name for each in services]}

    def _await_caught_up(self) -> Facts:
        position, first = self._written(), self._standby(self.first)
        self._until(lambda: first.replayed() >= position, f"{self.first} has replayed up to {position}")
        return {"position": position, "replayed": first.replayed()}

    def _demote(self) -> Facts:
        second, first = self._standby(self._second), self._standby(self.first)
        return {"region": self._second, "how": second.follow(first.addresses)}

    def _see_all(self) -> Facts:
        first, second = self._standby(self.first), self._standby(self._second)

        def has_all() -> bool:
            with suppress(NotReady):  # a server that was demoted is started anew
                return first.replayed() >= second.replayed()
            return False

        self._until(has_all, f"{self.first} has replayed all that {self._second} has")
        return {"position": second.replayed(), "replayed": first.replayed()}

    def _promote(self) -> Facts:
        standby, place = self._standby(self.first), regional.region(self.stack, self.first)
        moment: Moment | None = standby.promote()
        leader = wait.until(
            need(place, Cluster).leader, what=f"{self.first} has a leader", within=READY_WITHIN, every=OFTEN,
            recorder=self.recorder,
        )  # fmt: skip  # arguments in groups
        took = None if moment is None else (moment.latest - moment.earliest) / 1e9
        history = need(place, Positioned).history(leader)
        return {
            "region": self.first, "leads": leader.name, "parted": standby.parted(), "history": history,
            "promotion": took,
        }  # fmt: skip  # a table

    def _start_services(self) -> Facts:
        """Those of the second region live again, and are not ready: their database takes no writes."""
        for each in self._services(self._second):
            if not each.running():
                need(each, Startable).start()
        found = wait.poll(
            lambda: dict(self.ready(self.first)), within=READY_WITHIN, every=OFTEN * 5,
            enough=lambda said: bool(said) and all(said.values()),
        )  # fmt: skip  # arguments in groups
        return {"region": self.first, "ready": found}

    def _switch_back(self) -> Facts:
        named = need(self.stack, Named)
        for each in named.names:
            named.switch_name(each, self.first)
        return self._answered(named)

    def _back_up(self) -> Facts:
        backup = need(regional.region(self.stack, self.first), BaseBackups).take()
        return {"region": self.first, "backup": backup.id, "bytes": backup.size}

    def _publish(self) -> Facts:
        """Not before the checks of health have seen that it is back: they would lead customers away from it."""
        named = need(self.stack, Named)
        self._until(lambda: named.healthy(self.first), f"the checks of health see {self.first} well")
        named.publish_names(self.first)
        return self._answered(named)

    def _answered(self, named: Named) -> Facts:
        self._until(
            lambda: all(named.answered(each) == self.first for each in named.names), "resolvers say the first region"
        )
        return {"region": self.first, "answered": {each: named.answered(each) for each in named.names}}

    def _see_second_follow(self) -> Facts:
        return self._streams(self._second)

    def _streams(self, name: str) -> Facts:
        begin, standby = clock.mono(), self._standby(name)
        seen: list[Condition] = []

        def all_stream() -> bool:
            seen[:] = standby.standing_by()
            return bool(seen) and all(each.ok for each in seen)

        wait.until(
            all_stream, what=f"{name} follows", within=FOLLOWS_WITHIN, every=OFTEN * 2, recorder=self.recorder,
            last_seen=lambda: "; ".join(f"{each.name}: {each.seen}" for each in seen),
        )  # fmt: skip  # arguments in groups
        return {
            "region": name, "follows": standby.follows(), "seen": {each.name: each.seen for each in seen},
            "seconds": clock.since(begin).total_seconds(),
        }  # fmt: skip  # a table

    def _written(self) -> int:
        positions = need(regional.region(self.stack, self._second), Positioned).positions()
        try:
            return positions.now()
        finally:
            positions.close()

    def _services(self, name: str) -> Sequence[Any]:
        place = regional.region(self.stack, name)
        return [need(place, ZoneServices).service(zone) for zone in place.zones]

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        wait.until(holds, what=what, within=CAUGHT_UP_WITHIN, every=OFTEN, recorder=self.recorder)
