"""A database volume that fills up. SIMULATED: by a limit on the size of the server's files, not by real data.

The server's own word for it is then "File too large", where a full disk says "No space left on device"; what cannot be
written, and what the server does about it, is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady, Refused
from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, Fillable, Member
from harness.system.clock import Moment

SIMULATED = "simulated by a limit on file size"


@dataclass(frozen=True)
class FillDisk:
    """`member` is a database server's name; "leader": whoever leads when the fault is prepared."""

    member: str
    needs: ClassVar[tuple[Any, ...]] = (Cluster, Fillable)
    name = "fill_disk"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Which one that is now: healing must hit the same, when another leads. Errors: `NotReady`, `Unable`."""
        name = self.member
        if name == "leader":
            if (leader := need(stack, Cluster).leader()) is None:
                raise NotReady("nobody leads", hint="read the logs of the database servers")
            name = leader.name
        need(self._member(stack, name), Fillable)
        return {"member": _probes.running(stack, name).name}

    def affects(self, undo: Undo) -> list[str]:
        return [undo["member"]]

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Errors: `Unable` on a machine that cannot; then nothing is hurt."""
        found = self._member(stack, undo["member"])
        return need(found, Fillable).fill_volume()

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """The volume is said to be full, and a write on it fails, or the server is down: it could not write either."""
        found = self._member(stack, undo["member"])
        volume = need(found, Fillable)
        said = volume.refused_write() if volume.volume_is_full() else ""
        return f"the volume of {found.name} takes no more ({SIMULATED}): {said}" if said else ""

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        found = self._member(stack, undo["member"])
        return need(found, Fillable).free_volume()

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """The volume has room, and a query that has to write on it succeeds."""
        found = self._member(stack, undo["member"])
        volume = need(found, Fillable)
        if volume.volume_is_full():
            return f"the volume of {found.name} takes no more"
        said = volume.refused_write()
        return f"{found.name} cannot write: {said}" if said else ""

    def _member(self, stack: Stack, name: str) -> Member:
        for member in need(stack, Cluster).members:
            if member.name == name:
                return member
        known = ", ".join(member.name for member in need(stack, Cluster).members)
        raise Refused(f"the stack has no database server {name!r}", hint=f"it has {known}")
