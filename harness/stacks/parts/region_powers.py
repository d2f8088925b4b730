"""What can be done to a whole region of a stack: cut off, without power, its database servers fenced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from harness.errors import DrillError, Refused
from harness.stacks.capabilities.components import Startable
from harness.stacks.parts import fencing
from harness.stacks.parts.fence_device import FenceDevice
from harness.stacks.parts.others import RegionParts
from harness.stacks.parts.steady import SERVES_WITHIN
from harness.system import wait
from harness.system.clock import Moment
from harness.system.recorder import Recorder

FENCED = "its database servers stay fenced"


class Grid(Protocol):
    """What a kind of stack can do to the network and the power of a region."""

    def cut_region(self, name: str) -> Moment | None:
        """As `RegionDivisible` has it."""

    def join_region(self, name: str) -> Moment | None:
        """As `RegionDivisible` has it."""

    def black_out(self, name: str) -> Moment | None:
        """All of it is killed at one instant, and its network is silent."""

    def start(self, parts: Sequence[Startable]) -> None:
        """All of these; harmless for those that run."""

    def light_up(self, name: str) -> None:
        """Its components can be started again, and its network is back. Harmless where its power is on."""


class RegionPowers:
    """Fills the protocols RegionDivisible, RegionPowered, RegionFence and Overruled."""

    def __init__(
        self, grid: Grid, parts: Mapping[str, RegionParts], *, device: FenceDevice,
        kill: Callable[[Sequence[str]], Moment | None], recorder: Recorder,
    ) -> None:  # fmt: skip  # parameters in groups
        """`parts`: by the name of the region. `kill`: all of these components at one instant."""
        self._grid = grid
        self._parts = parts
        self._device = device
        self._kill = kill
        self._recorder = recorder

    def cut_region(self, name: str) -> Moment | None:
        return self._grid.cut_region(name)

    def join_region(self, name: str) -> Moment | None:
        return self._grid.join_region(name)

    def cut_region_power(self, name: str) -> Moment | None:
        return self._grid.black_out(name)

    def restore_region_power(self, name: str) -> str:
        self._grid.light_up(name)
        parts = self._parts[name]
        led = [] if all(member.running() for member in parts.members) else self._others(name)[0]
        if led:
            self._device.keep_off(name, asked=False)
        self._grid.start([one for one in parts.components() if one not in parts.members])
        wait.until(parts.s3.ready, what=f"{name}: its store serves", within=SERVES_WITHIN, recorder=self._recorder)
        parts.store_is_back()
        if self._device.asked(name):
            return f"{name}: {FENCED}, as before"
        if led and (why := self._made_to_follow(name)):
            return f"{name}: {FENCED}: {why}"
        self._device.let_on(name, asked=False)
        for member in parts.members:
            member.start()
        return ""

    def region_has_power(self, name: str) -> bool:
        return any(one.running() for one in self._parts[name].components())

    def fence_region(self, name: str) -> Moment | None:
        self._device.keep_off(name, asked=True)  # first: nobody starts one after it was killed
        return self._kill([member.name for member in self._parts[name].members])

    def unfence_region(self, name: str) -> None:
        if self.region_is_fenced(name) and (why := self._would_lead(name)):
            raise Refused(f"{name} stays fenced: {why}", hint="make it follow the region that leads first")
        self._device.let_on(name, asked=True)

    def region_is_fenced(self, name: str) -> bool:
        return self._device.fenced(name)

    def let_lead(self, name: str) -> None:
        """For sabotage only."""
        parts = self._parts[name]
        self._device.let_on(name, asked=True)
        for member in parts.members:
            member.start()
        wait.until(
            lambda: any(fencing.writable(member) for member in parts.members),
            what=f"{name} leads, too", within=SERVES_WITHIN, recorder=self._recorder,
        )  # fmt: skip  # arguments in groups

    def follow_unlooked(self, name: str) -> None:
        """For sabotage only."""
        others = [parts.standby.addresses for other, parts in self._parts.items() if other != name]
        self._parts[name].standby.follow_unlooked(others[0])

    def _others(self, name: str) -> tuple[list[str], list[str]]:
        """The other regions that have led, by what their servers say and by their disks; and those that lead now."""
        led, lead = [], []
        for other, parts in self._parts.items():
            if other != name:
                writes = [fencing.writable(member) for member in parts.members]
                alone = [member for member in parts.members if member.has_data() and not fencing.is_copy(member)]
                led += [other] if alone or any(one is not False for one in writes) else []
                lead += [other] if True in writes else []
        return led, lead

    def _made_to_follow(self, name: str) -> str:
        """Follow the region that leads, and end the fence; why that cannot be, in words, or empty."""
        led, lead = self._others(name)
        if len(lead) != 1:
            return f"{' and '.join(led)} has led, and {'several lead' if lead else 'nobody leads there now'}"
        parts = self._parts[name]
        try:
            parts.etcd.wait_ready()
            parts.standby.follow(self._parts[lead[0]].standby.addresses)
        except DrillError as error:
            return error.message
        return self._would_lead(name)

    def _would_lead(self, name: str) -> str:
        """Why its servers, once they are started, would not follow the region that has led; empty where they would."""
        led, lead = self._others(name)
        if not led:
            return ""
        standby = self._parts[name].standby
        try:
            if not lead or standby.follows() != lead[0]:
                return f"{' and '.join(led)} has led, and it does not follow {lead[0] if lead else 'anybody who leads'}"
            if not standby.goes_on(self._parts[lead[0]].standby.addresses):
                return f"what it has is no beginning of what {lead[0]} has"
        except DrillError as error:
            return error.message
        return ""
