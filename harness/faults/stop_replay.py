"""A region that follows another receives all that is written, and replays nothing of it any more; nobody is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import DrillError
from harness.faults import Undo
from harness.stacks import Stack, regional
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, Delayable, Standby
from harness.stacks.needs import Regions
from harness.system import wait

SOON = timedelta(seconds=5)
OFTEN = timedelta(milliseconds=100)


@dataclass(frozen=True)
class StopReplay:
    """Of `region`: its servers hold back what is committed, as a delayed copy does, and go on receiving."""

    region: str
    needs: ClassVar[tuple[Any, ...]] = (Delayable, Standby, Cluster, Regions(2))
    name = "stop_replay"
    ttl = timedelta(minutes=20)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        need(regional.region(stack, self.region), Delayable)
        return {"region": self.region}

    def affects(self, undo: Undo) -> list[str]:
        """Nothing that monitoring sees: it streams."""
        return []

    def inject(self, stack: Stack, undo: Undo) -> None:
        need(regional.region(stack, undo["region"]), Delayable).hold_replay()

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """Each server holds back what is committed, and some of what they have received is not replayed."""
        place = regional.region(stack, undo["region"])
        standby, known = need(place, Standby), len(need(place, Cluster).members)
        try:
            if len(need(place, Delayable).holds_replay()) < known:
                return ""
            if not (waits := standby.received() - standby.replayed()):
                need(place, Delayable).give_to_replay()  # there may be nothing to hold back
                waits = wait.poll(lambda: standby.received() - standby.replayed(), within=SOON, every=OFTEN)
        except DrillError:
            return ""
        return f"{undo['region']} has received {waits} bytes that it does not replay" if waits > 0 else ""

    def heal(self, stack: Stack, undo: Undo) -> None:
        """Servers whose data was made anew meanwhile have nothing of it."""
        need(regional.region(stack, undo["region"]), Delayable).release_replay()

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        held = need(regional.region(stack, undo["region"]), Delayable).holds_replay()
        return f"{', '.join(held)} of {undo['region']} hold back what they receive" if held else ""
