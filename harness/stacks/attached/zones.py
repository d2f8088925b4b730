"""What the zones of an attached platform can have done to them: cut off, or all of it dead at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from harness.errors import DrillError, Refused
from harness.stacks.attached.containers import together
from harness.stacks.attached.cutting import Cutter
from harness.stacks.attached.gate import Gate
from harness.stacks.attached.parts import Part
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Detachable, Killable, Startable
from harness.system.clock import Moment, spanning

Parts = Callable[[], Mapping[str, Part]]


class _Zones:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def _of(self, zone: str) -> list[Part]:
        """Errors: `Refused` where nothing stands in it."""
        found = [part for part in self._parts().values() if part.zone == zone]
        if not found:
            raise Refused(f"nothing stands in zone {zone}", hint="the stack file says under zone where a component is")
        return found


class CuttableZones(_Zones):
    """Fills `Divisible`. Containers of a zone still reach each other; what has acts of its own is cut by these."""

    def __init__(self, parts: Parts, cutter: Cutter, boxed: Sequence[str], gate: Gate) -> None:
        super().__init__(parts)
        self._cutter = cutter
        self._boxed = boxed
        self._gate = gate

    def cut(self, zone: str) -> Moment | None:
        containers, others = self._split(zone)
        self._gate.must_let("cut", [*containers, *(part.name for part in others)])
        acts = [partial(self._cutter.cut, containers)] if containers else []
        return spanning(together([*acts, *(need(part, Detachable).cut for part in others)]))

    def join(self, zone: str) -> Moment | None:
        containers, others = self._split(zone)
        acts = [partial(self._cutter.join, containers)] if containers else []
        return spanning(together([*acts, *(need(part, Detachable).join for part in others)]))

    def _split(self, zone: str) -> tuple[list[str], list[Part]]:
        found = self._of(zone)
        return [part.name for part in found if part.name in self._boxed], [
            part for part in found if part.name not in self._boxed
        ]


class PoweredZones(_Zones):
    """Fills `Powered`: every component of the zone is killed at once. A container that is dead has no address."""

    def cut_power(self, zone: str) -> Moment | None:
        return spanning(together([need(part, Killable).kill for part in self._of(zone)]))

    def restore_power(self, zone: str) -> None:
        """In the order of the file. One that cannot be started keeps no other down. Errors: those of the first."""
        wrong: list[DrillError] = []
        for part in self._of(zone):
            try:
                if not part.running():
                    need(part, Startable).start()
            except DrillError as error:
                wrong.append(error)
        if wrong:
            raise wrong[0]

    def has_power(self, zone: str) -> bool:
        return any(part.running() for part in self._of(zone))
