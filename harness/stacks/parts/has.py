"""What a stack has that is made of the parts in this folder. A contract test compares it with one that runs."""

from __future__ import annotations

from harness.stacks.capabilities.backups import Archive, BaseBackups, Damageable, ObjectStore, Replicated
from harness.stacks.capabilities.clocks import Clocked
from harness.stacks.capabilities.components import Asked, Killable, KilledTogether, Logged, Pausable, Startable
from harness.stacks.capabilities.database import (
    Cluster,
    Connected,
    Coordinated,
    Delayable,
    Fenced,
    Fillable,
    Guarded,
    LogReadable,
    Losable,
    OnVolume,
    Positioned,
    Queried,
    Rebuilt,
    Restorable,
    Standby,
    Switched,
    Verified,
)
from harness.stacks.capabilities.emulated import Emulated
from harness.stacks.capabilities.entrance import (
    Balanced,
    DirectAccess,
    Explorable,
    Reachable,
    Standpoints,
    ZoneServices,
)
from harness.stacks.capabilities.indexes import Indexed
from harness.stacks.capabilities.messaging import Interruptible, Messaged
from harness.stacks.capabilities.monitoring import Monitoring
from harness.stacks.capabilities.names import Named
from harness.stacks.capabilities.network import Divisible, Flappable, Linked, Powered, Slowable
from harness.stacks.capabilities.pages import Corruptible, Paged
from harness.stacks.capabilities.regions import RegionDivisible, RegionFence, RegionPowered
from harness.stacks.capabilities.releases import Publishing, Releases
from harness.stacks.capabilities.sabotage import Deafenable, Overruled, Stallable, Unfenced
from harness.stacks.needs import Copies, Need, Regions, Zones

PLATFORM: tuple[Need, ...] = (
    Zones(3), Copies(2),
    Startable, Killable, Pausable, Asked, Logged,
    Reachable, Balanced, ZoneServices, DirectAccess,
    Cluster, Fenced, Coordinated, Connected, Queried, Positioned, Guarded, Restorable, LogReadable, OnVolume,
    Fillable, Verified, Switched, Rebuilt, Losable, Paged, Corruptible, Indexed,
    BaseBackups, Archive, ObjectStore, Damageable,
    Releases, Publishing, Monitoring, Messaged, Interruptible,
    Unfenced, Deafenable,
)  # fmt: skip  # a table
# What the ground adds that both kinds of ours have: networks of zones, and a place for customers in each.
GROUND: tuple[Need, ...] = (
    KilledTogether, Standpoints, Explorable, Clocked, Emulated,
    Divisible, Linked, Slowable, Flappable, Powered,
    Stallable,
)  # fmt: skip  # a table
# What both have once they are made with a second region.
REGIONAL: tuple[Need, ...] = (
    Regions(2), Standby, Delayable, RegionDivisible, RegionPowered, RegionFence, Overruled, Named, Replicated,
)  # fmt: skip  # a table
