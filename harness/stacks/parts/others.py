"""The regions of a stack that follow the one in service: whether they stand by, and have its backups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Protocol

from harness.stacks import Condition, Entrance
from harness.stacks.backup_tools.vault import Vault
from harness.stacks.parts import lifecycle, replicator
from harness.stacks.parts.beyond import Beyond
from harness.stacks.parts.bucket import Bucket
from harness.stacks.parts.etcd import Etcd
from harness.stacks.parts.ground import Unit
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.region import PlatformRegion
from harness.stacks.parts.replicator import Replicator
from harness.stacks.parts.standby import PatroniStandby
from harness.system import clock, wait
from harness.system.recorder import Recorder

COPIED_WITHIN = timedelta(seconds=60)


class Store(Protocol):
    """The object store of a region, whatever serves it."""

    @property
    def name(self) -> str:
        """Of the component that holds the objects."""

    @property
    def url(self) -> str: ...
    @property
    def bucket(self) -> Bucket: ...
    def ready(self) -> bool: ...


class RegionParts(Protocol):
    """What a region is made of, as far as both kinds of stack share it."""

    @property
    def entrance(self) -> Entrance: ...
    @property
    def etcd(self) -> Etcd: ...
    @property
    def members(self) -> Sequence[PatroniMember]: ...
    @property
    def standby(self) -> PatroniStandby: ...
    @property
    def s3(self) -> Store: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def replicator(self) -> Replicator | None: ...
    def components(self) -> list[Unit | PatroniMember]: ...
    def store_is_back(self) -> None:
        """Whatever its backup tool wants in a store that lost all it had."""


Followers = Sequence[tuple[PlatformRegion, RegionParts]]


def standing_by(followers: Followers, primary: PatroniCluster) -> list[Beyond]:
    """How each is asked. `primary`: the database that they follow."""
    return [
        Beyond(
            region, primary, parts.standby, parts.s3.name, parts.s3.bucket.answers,
            parts.replicator.condition if parts.replicator else None,
        )
        for region, parts in followers
    ]  # fmt: skip  # arguments in groups


def is_home(regions: Sequence[PlatformRegion], first: str) -> list[Condition]:
    """That the first of several regions is in service. `regions`: the one in service first."""
    if len(regions) < 2:
        return []
    now, how = regions[0].name, "hand the lead back by the runbook of a regional failover"
    seen = "it is" if now == first else f"{now} is, since it was promoted, and nobody hands that back by himself: {how}"
    return [Condition(f"{first} is in service", ok=now == first, seen=seen)]


def addresses(followers: Followers) -> dict[str, str]:
    """For people: what is where."""
    found = {}
    for region, parts in followers:
        of = lifecycle.addresses(parts.entrance, parts.members, store=parts.s3.url, bucket=parts.vault.bucket.name)
        found[region.name] = f"{of.pop('entrance')}; storage {of.pop('storage')}"
        found |= {what: said for what, said in of.items() if what.startswith("zone ")}
    return found


def replicators(regions: Iterable[RegionParts]) -> list[Replicator]:
    return [parts.replicator for parts in regions if parts.replicator]


def simulated(regions: Iterable[RegionParts]) -> list[str]:
    return [replicator.simulated()] if replicators(regions) else []


def wait_copied(regions: Iterable[RegionParts], recorder: Recorder) -> None:
    """Until the other regions have all backups that there are now. Errors: `NotInTime`."""
    begin, copies = clock.mono(), replicators(regions)

    def copied() -> bool:
        return all(each.condition(behind=clock.since(begin)).ok for each in copies)

    if copies:
        wait.until(copied, what="the backups are in both regions", within=COPIED_WITHIN, recorder=recorder)
