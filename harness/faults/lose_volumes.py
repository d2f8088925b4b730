"""The database volumes of all zones are gone at one instant: every server dies and its data directory is removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.faults import BY_RECOVERY, Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Killable
from harness.stacks.capabilities.database import Cluster, OnVolume
from harness.system.clock import Moment


@dataclass(frozen=True)
class LoseVolumes:
    needs: ClassVar[tuple[Any, ...]] = (Cluster, OnVolume, Killable)
    name = "lose_volumes"
    ttl = timedelta(minutes=15)
    harms_data = True
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        return {"members": [member.name for member in need(stack, Cluster).members]}

    def affects(self, undo: Undo) -> list[str]:
        return list(undo["members"])

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Customers are touched when the servers die, and all of them when the last one has: what then goes from
        their volumes nobody sees."""
        moment = _probes.kill(stack, need(stack, Cluster).members)
        for member in need(stack, Cluster).members:
            need(member, OnVolume).lose_volume()
        return moment

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        members = need(stack, Cluster).members
        gone = [one.name for one in members if not need(one, OnVolume).has_data() and not one.running()]
        if len(gone) < len(members):
            return ""
        return f"no data directory and no server left on {', '.join(gone)}"

    def heal(self, stack: Stack, undo: Undo) -> None:
        """Give the zones empty volumes; what was on them comes back by the recovery procedure alone."""
        for member in need(stack, Cluster).members:
            need(member, OnVolume).renew_volume()

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """Each server has data again, and one leads: no command brings that back, only a recovery."""
        cluster = need(stack, Cluster)
        bare = [member.name for member in cluster.members if not need(member, OnVolume).has_data()]
        said = [f"no data on {', '.join(bare)}"] if bare else []
        if cluster.leader() is None:
            said.append("no database server leads")
        return f"{', '.join(said)}: what was lost comes back {BY_RECOVERY}" if said else ""
