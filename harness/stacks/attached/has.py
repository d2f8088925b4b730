"""What the stack of a file has, worked out from the file alone: a part that is left out costs what it gives."""

from __future__ import annotations

from collections.abc import Sequence

from harness.stacks.attached.file.described import Component, StackFile
from harness.stacks.capabilities.backups import Kept
from harness.stacks.capabilities.components import (
    Asked,
    Detachable,
    Killable,
    KilledTogether,
    Logged,
    Pausable,
    Roled,
    Startable,
)
from harness.stacks.capabilities.database import Claimed, Cluster, Connected, FailsOver, Fenced, Positioned, Rejoins
from harness.stacks.capabilities.entrance import Entrusted, Reachable, Readable
from harness.stacks.capabilities.monitoring import Monitoring
from harness.stacks.capabilities.network import Divisible, Powered
from harness.stacks.needs import Copies, Need, Regions, Zones


def has(said: StackFile) -> tuple[Need, ...]:
    """Capabilities, zones, copies and regions."""
    found: list[Need] = [Entrusted]
    regions = regions_of(said)
    if home := regions[0][1]:
        found.append(Zones(len(home)))
    if len(regions) > 1:
        found.append(Regions(len(regions)))
    if said.customers:
        found.append(Reachable)
    if said.customers or said.database:
        found.append(Readable)
    if said.database:
        found += [Copies(len(said.database.members) - 1), Cluster, Connected, Claimed, Fenced, Positioned]
        found += [FailsOver] if said.database.failover else []
        found += [Rejoins] if said.database.rejoin else []
    found += [Monitoring] if said.alerts else []
    found += [Kept] if said.backups else []
    return (*found, *_of_components(said), *_of_zones(said))


def regions_of(said: StackFile) -> list[tuple[str, tuple[str, ...]]]:
    """Each with its zones, in the order of the file; there is always one."""
    names = list(dict.fromkeys(zone.region for zone in said.zones.values())) or ["here"]
    return [(name, tuple(one.name for one in said.zones.values() if one.region == name)) for name in names]


def can(said: StackFile, one: Component, verb: str) -> bool:
    """Whether a component can be killed, paused or cut."""
    return one.name not in said.never and (one.is_container or verb in one.verbs)


def divisible(said: StackFile) -> bool:
    """Whether every zone can be cut off. One in which nothing may be cut is told when somebody asks for it."""
    return _every_zone(said, "cut")


def powered(said: StackFile) -> bool:
    return _every_zone(said, "kill")


def _of_components(said: StackFile) -> Sequence[Need]:
    all_ = list(said.components.values())
    members = said.database.members if said.database else {}
    found: list[Need] = []
    if any(can(said, one, "kill") for one in all_):
        found += [Startable, Killable, KilledTogether]
    found += [Pausable] if any(can(said, one, "pause") for one in all_) else []
    found += [Detachable] if any(can(said, one, "cut") for one in all_) else []
    found += [Roled] if any(one.role for one in all_) else []
    found += [Asked] if members or any(one.alive for one in all_) else []
    found += [Logged] if any(one.is_container or one.log for one in all_) else []
    return found


def _of_zones(said: StackFile) -> Sequence[Need]:
    return [*([Divisible] if divisible(said) else []), *([Powered] if powered(said) else [])]


def _every_zone(said: StackFile, verb: str) -> bool:
    """Each has a component, and each of these can be hurt so, but for what may never be."""
    by_zone = {name: [one for one in said.components.values() if one.zone == name] for name in said.zones}
    return bool(by_zone) and all(
        parts and all(one.name in said.never or can(said, one, verb) for one in parts) for parts in by_zone.values()
    )
