"""The regions of an embedded stack that follow the one in service: whether they stand by, and have its backups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from harness.stacks.local.parts import Parts
from harness.stacks.parts import lifecycle, replicator
from harness.stacks.parts.beyond import Beyond
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.region import PlatformRegion
from harness.stacks.parts.replicator import Replicator
from harness.system import clock, wait
from harness.system.recorder import Recorder

COPIED_WITHIN = timedelta(seconds=60)
Followers = Sequence[tuple[PlatformRegion, Parts]]


def standing_by(followers: Followers, primary: PatroniCluster) -> list[Beyond]:
    """How each is asked. `primary`: the database that they follow."""
    return [
        Beyond(
            region, primary, parts.standby, parts.s3.unit.name, parts.s3.bucket.answers,
            parts.replicator.condition if parts.replicator else None,
        )
        for region, parts in followers
    ]  # fmt: skip  # arguments in groups


def addresses(followers: Followers) -> dict[str, str]:
    """For people: what is where."""
    found = {}
    for region, parts in followers:
        of = lifecycle.addresses(parts.entrance, parts.members, store=parts.s3.url, bucket=parts.vault.bucket.name)
        found[region.name] = f"{of.pop('entrance')}; storage {of.pop('storage')}"
        found |= {what: said for what, said in of.items() if what.startswith("zone ")}
    return found


def replicators(regions: Iterable[Parts]) -> list[Replicator]:
    return [parts.replicator for parts in regions if parts.replicator]


def simulated(regions: Iterable[Parts]) -> list[str]:
    return [replicator.simulated()] if replicators(regions) else []


def wait_copied(regions: Iterable[Parts], recorder: Recorder) -> None:
    """Until the other regions have all backups that there are now. Errors: `NotInTime`."""
    begin, copies = clock.mono(), replicators(regions)

    def copied() -> bool:
        return all(each.condition(behind=clock.since(begin)).ok for each in copies)

    if copies:
        wait.until(copied, what="the backups are in both regions", within=COPIED_WITHIN, recorder=recorder)
