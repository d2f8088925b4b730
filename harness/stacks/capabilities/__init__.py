"""What a stack, a region or a component may have or not have: each a small protocol that is asked for by its type.

Whoever needs one says so (`harness.stacks.needs`); what a stack lacks is found before anything starts, and told by the
word that stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from harness.errors import Unable
from harness.stacks.capabilities import (
    backups,
    clocks,
    components,
    database,
    emulated,
    entrance,
    indexes,
    messaging,
    monitoring,
    names,
    network,
    pages,
    regions,
    releases,
    sabotage,
)

Wanted = TypeVar("Wanted")


@dataclass(frozen=True)
class Capability:
    """One protocol, and how people are told of it."""

    protocol: type
    word: str  # "a stack of kind X has not: ..."
    given_by: str  # what would give it, where it is lacking
    whose: Literal["stack", "component"] = "stack"  # who has it: components, or the stack with what its regions hold


COMPONENT: Final = "component"
CAPABILITIES = (
    Capability(entrance.Reachable, "entrance", "an `entrance` that customers come in by"),
    Capability(entrance.Balanced, "load balancers", "the `balancers` that stand at the entrance"),
    Capability(entrance.ZoneServices, "service in every zone", "an API in each zone, with an entrance of its own"),
    Capability(entrance.Standpoints, "customers in zones", "a way to run a command outside of all zones, and in one"),
    Capability(entrance.DirectAccess, "direct access to databases", "a connection to each zone's own database server"),
    Capability(entrance.Readable, "reading of its own", "a `reading` for the project's client"),
    Capability(entrance.Entrusted, "secrets of the client", "a `secret` for each that the project's client names"),
    Capability(entrance.Explorable, "looking around", "the words with which people ask it"),
    Capability(database.Cluster, "database cluster", "a cluster that says who its members are, and who leads"),
    Capability(database.Fenced, "knowing who may write", "a cluster that says who leads, and who takes writes"),
    Capability(database.Coordinated, "consensus store", "a store, a member in each zone, by which a leader is chosen"),
    Capability(database.Connected, "sessions with the database", "a `connect` to the server that leads"),
    Capability(database.Queried, "database queries", "a connection to the database, as its operators have one"),
    Capability(database.Positioned, "positions of the database", "a database that says how far it has written"),
    Capability(database.Guarded, "users with passwords", "a database in which a user's password can expire"),
    Capability(database.Restorable, "restored databases", "a place to restore into, and a cluster that adopts it"),
    Capability(database.Verified, "verifying of databases", "servers whose pages and structure are checked", COMPONENT),
    Capability(database.Switched, "handing over the lead", "a cluster whose lead is handed to a named server"),
    Capability(database.FailsOver, "failing over by the owner's command", "a cluster whose owner says how"),
    Capability(database.Rejoins, "rejoining by the owner's command", "a cluster whose owner says how"),
    Capability(database.Claimed, "servers that say who leads", "a cluster of which each server is asked by itself"),
    Capability(database.Rebuilt, "rebuilding of servers", "a cluster of which a server is made anew from the leader"),
    Capability(database.Standby, "following another region", "a cluster that follows another one, and is promoted"),
    Capability(database.Delayable, "holding back of replay", "a cluster that follows another one, and can be delayed"),
    Capability(database.LogReadable, "changes as text", "database servers that read the record of changes", COMPONENT),
    Capability(database.OnVolume, "volumes of databases", "database servers whose volumes can be lost", COMPONENT),
    Capability(database.Fillable, "volumes that fill", "database servers whose volumes can be made full", COMPONENT),
    Capability(database.Losable, "files that can be lost", "servers whose own files can be moved away", COMPONENT),
    Capability(pages.Paged, "pages of databases", "database servers whose pages can be looked at", COMPONENT),
    Capability(indexes.Indexed, "pages of indexes", "servers that say what an index is made of", COMPONENT),
    Capability(pages.Corruptible, "pages that can be damaged", "servers whose pages can be replaced", COMPONENT),
    Capability(backups.BaseBackups, "backups", "a backup tool that takes, lists, checks and restores backups"),
    Capability(backups.Archive, "archive", "an archive of what was written since the last backup"),
    Capability(backups.ObjectStore, "object store", "the store of the backups, read object by object"),
    Capability(backups.Damageable, "objects that can be damaged", "a store whose objects can be replaced"),
    Capability(backups.Replicated, "backups in another region", "a copy of the store of the backups in another region"),
    Capability(backups.Kept, "backups to restore beside", "a stack file's `backups`"),
    Capability(releases.Releases, "releases", "what is deployed, and a way to deploy another"),
    Capability(releases.Publishing, "publishing of releases", "a place where a release is put before it is deployed"),
    Capability(monitoring.Monitoring, "monitoring", "what watches it, and a receiver that its alerts go to"),
    Capability(messaging.Messaged, "services that tell people", "what stands in for Slack, e-mail and others"),
    Capability(messaging.Reaching, "channels that reach people", "channels of its own that are real"),
    Capability(messaging.Interruptible, "services that can fail", "such services, which can be made to fail"),
    Capability(components.Startable, "starting and stopping", "components that can be started and stopped", COMPONENT),
    Capability(components.Killable, "killing", "components that can be killed", COMPONENT),
    Capability(components.KilledTogether, "killing at one instant", "a way to kill several components together"),
    Capability(components.Pausable, "pausing", "components that can be frozen and thawed", COMPONENT),
    Capability(components.Detachable, "cutting a component off", "components that can be cut and joined", COMPONENT),
    Capability(components.Roled, "roles of components", "components that say what they are there for", COMPONENT),
    Capability(components.Asked, "asking a component", "components that say where they are asked, and how", COMPONENT),
    Capability(components.Logged, "logs of components", "components whose logs are files", COMPONENT),
    Capability(network.Divisible, "cutting a zone off", "a network whose zones can be cut and joined"),
    Capability(network.Linked, "cutting a link", "a network in which two zones can be made blind for each other"),
    Capability(network.Slowable, "slow links", "a network whose links can be made slow"),
    Capability(network.Flappable, "links that come and go", "a network whose links can be made to come and go"),
    Capability(network.Powered, "power of zones", "zones whose power can be cut and restored"),
    Capability(regions.RegionDivisible, "cutting a region off", "a network whose regions can be cut and joined"),
    Capability(regions.RegionPowered, "power of regions", "regions whose power can be cut and restored"),
    Capability(regions.RegionFence, "fencing a region", "a device that keeps the database servers of a region off"),
    Capability(names.Named, "names of regions", "names that are switched from one region to another"),
    Capability(clocks.Clocked, "known clocks", "how far its clocks are from the journal's"),
    Capability(emulated.Emulated, "emulators", "words for each part that only speaks the protocol of a real service"),
    Capability(sabotage.Unfenced, "freezing a manager (sabotage)", "a database manager that can be frozen", COMPONENT),
    Capability(sabotage.Stallable, "stalling the archive (sabotage)", "an archive that can be made to stall"),
    Capability(sabotage.Deafenable, "losing alerts (sabotage)", "a monitoring whose receiver can be lost"),
    Capability(sabotage.Overruled, "overruling a fence (sabotage)", "a fence of regions that can be overruled"),
)  # fmt: skip  # a table
_BY_PROTOCOL = {each.protocol: each for each in CAPABILITIES}


def capability(protocol: type) -> Capability:
    """Its line of the table."""
    return _BY_PROTOCOL[protocol]


def find(place: object, wanted: type[Wanted]) -> Wanted | None:
    """What of `place` has the capability: itself, else what it holds; of a stack also its first region. None: nothing.

    `place` is a stack, a region or a component.
    """
    if isinstance(place, wanted):
        return place
    for region in tuple(getattr(place, "regions", ()))[:1]:
        return find(region, wanted)
    return next((each for each in getattr(place, "holds", ()) if isinstance(each, wanted)), None)


def has(place: object, wanted: type) -> bool:
    """Whether it, or what it holds, has the capability."""
    return find(place, wanted) is not None


def need(place: object, wanted: type[Wanted]) -> Wanted:
    """As `find`. Errors: `Unable`, which names what is lacking and what would give it."""
    found = find(place, wanted)
    if found is None:
        raise lacking(place, wanted)
    return found


def lacking(place: object, wanted: type) -> Unable:
    """The error of whoever cannot do without it."""
    known = _BY_PROTOCOL[wanted]
    name = getattr(place, "name", "")
    whose = name or f"a stack of kind {getattr(place, 'kind', 'unknown')}"
    return Unable(f"{whose} has not: {known.word}", hint=f"it takes {known.given_by}; docs/stacks.md lists who has it")
