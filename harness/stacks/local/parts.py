"""What an embedded stack is made of, put together; nothing is started here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.stacks import Entrance
from harness.stacks.backup_tools.barman.backups import BarmanBackups
from harness.stacks.backup_tools.vault import Vault
from harness.stacks.load_balancers import PORT as ENTRANCE_PORT
from harness.stacks.load_balancers import LoadBalancer
from harness.stacks.load_balancers.envoy import Envoy
from harness.stacks.local import watching
from harness.stacks.local.ground import LocalGround
from harness.stacks.local.layout import EAST
from harness.stacks.parts.api import API_PORT, api
from harness.stacks.parts.bucket import Bucket
from harness.stacks.parts.etcd import Etcd
from harness.stacks.parts.fence_device import FenceDevice
from harness.stacks.parts.ground import Runs, Unit
from harness.stacks.parts.in_service import InService
from harness.stacks.parts.layout import Layout
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.messages import Messages
from harness.stacks.parts.monitor import Monitor, alert_receiver
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.postgres import Roles, settings
from harness.stacks.parts.receivers import unit as receivers
from harness.stacks.parts.releases import FileReleases
from harness.stacks.parts.replicator import Replicator
from harness.stacks.parts.s3 import S3Server
from harness.stacks.parts.settings import Settings
from harness.stacks.parts.standby import KEPT, PatroniStandby, followed_by, following
from harness.stacks.parts.tls import Issuer
from harness.stacks.stand_in import HOSTS
from harness.system.resolver import Resolver

QUORUM = {"synchronous_mode": "quorum"}  # a commit is on one other zone, and only such a zone is promoted


@dataclass(frozen=True)
class Parts:
    """The components of one region."""

    ground: LocalGround
    etcd: Etcd
    s3: S3Server
    vault: Vault
    members: Sequence[PatroniMember]
    cluster: PatroniCluster
    backups: BarmanBackups
    services: Mapping[str, Unit]
    releases: FileReleases
    balancers: Sequence[Unit]
    entrance: Entrance
    balancer_entrances: Mapping[str, Entrance]  # each load balancer alone, by its name
    standby: PatroniStandby
    replicator: Replicator | None = None  # which copies the store of the first region to this one
    prober: Unit | None = None  # of all regions; only for sabotage does it stand in this one

    def components(self) -> list[Unit | PatroniMember]:
        found: list[Unit | PatroniMember] = [*self.etcd.members, *self.members, *self.services.values()]
        edge = [self.replicator.unit if self.replicator else None, self.prober]
        return [*found, *self.balancers, self.s3.unit, *filter(None, edge)]

    def store_is_back(self) -> None:
        """Barman keeps nothing in it that has to be there before the first file."""

    def replicated(self, source: Bucket, *, authority: Issuer) -> Parts:
        """With a process at its edge that copies another region's store to its own."""
        target = self.s3.bucket
        return replace(
            self,
            replicator=Replicator(self.ground, source=source, target=target, ca=authority.ca, place=self.ground.edge),
        )


@dataclass(frozen=True)
class Outside:
    """What belongs to a stack, and to none of its regions."""

    monitor: Monitor
    messages: Messages
    watchers: Sequence[Unit]
    prober: Unit


def put_together(
    ground: LocalGround, layout: Layout, *, roles: Roles, sockets: Path, authority: Issuer, chosen: Settings,
    resolver: Resolver, others: Mapping[str, Sequence[str]], device: FenceDevice, service: InService,
) -> Parts:  # fmt: skip  # parameters in groups
    """The parts of a region on its ground. `resolver`: of the name by which customers come into it.

    `others`: the database servers of the other regions, by the region's name; the first of them leads at first.
    """
    etcd = Etcd(ground, zones=layout.stores)
    s3 = S3Server(ground, authority=authority, name=layout.own("s3"), place=ground.edge)
    leads, upstream = layout is EAST, next(iter(others.values()), ())
    regional = followed_by(list(others)) if leads else following(layout.name, upstream)

    def leader_dsn() -> str:
        leader = cluster.leader()
        return leader.dsn if leader else ""

    def database_settings() -> dict[str, str]:
        command = chosen.archive_command(backups.archive_command(), folder=ground.folder)
        return {
            **settings(archive_command=command, archive_timeout=chosen.archive_timeout),
            **(KEPT if others else {}),
        }

    waits = chosen.synchronous == "on"
    members = [
        PatroniMember(
            ground,
            zone=zone,
            sockets=sockets / zone,
            roles=roles,
            stores=etcd.endpoints(),
            settings=database_settings,
            env=s3.env,
            synchronous=QUORUM if waits else {},
            regional=regional,
            kept_off=partial(device.why, layout.name),
        )
        for zone in ground.zones
    ]
    cluster = PatroniCluster(
        ground, members=members, etcd=etcd, roles=roles, synchronous=len(members) - 1 if waits else 0
    )
    vault = Vault(s3.bucket)
    backups = BarmanBackups(
        vault=vault, env=s3.env(), commands=ground.commands, folder=ground.folder / layout.own("backups"),
        source_dsn=leader_dsn, as_database_user=ground.as_database_user,
    )  # fmt: skip  # arguments in groups

    services: dict[str, Unit] = {}
    releases = FileReleases(ground.folder / layout.own("releases"), services=services)
    services |= {
        zone: api(ground, zone=zone, authority=authority, roles=roles, release=releases.file, ready=chosen.ready)
        for zone in ground.zones
    }
    entrances = tuple(ground.entrances[: chosen.balancers])

    def envoy(name: str, address: str) -> list[str]:
        chain, key = authority.issue(name, [*HOSTS, address])
        upstreams = {f"api-{zone}": (ground.address(zone), API_PORT) for zone in ground.zones}
        balancer: LoadBalancer = Envoy(
            address=address, upstreams=upstreams, chain=chain, key=key, ca=authority.ca, checks=chosen.health_checks
        )
        return balancer.argv(ground.folder / name)

    addresses = dict(zip(layout.balancers, entrances, strict=False))
    balancers = [
        ground.unit(name, runs=Runs.PART, place=ground.edge, argv=partial(envoy, name, address))
        for name, address in addresses.items()
    ]
    entrance = Entrance(HOSTS[0], resolver, ENTRANCE_PORT, authority.ca)
    return Parts(
        ground=ground,
        etcd=etcd,
        s3=s3,
        vault=vault,
        members=members,
        cluster=cluster,
        backups=backups,
        services=services,
        releases=releases,
        balancers=balancers,
        entrance=entrance,
        balancer_entrances={name: entrance.alone(address) for name, address in addresses.items()},
        standby=PatroniStandby(
            cluster,
            members,
            etcd=etcd,
            roles=roles,
            region=layout.name,
            others=others,
            led=partial(service.is_now, layout.name),
        ),
    )


def put_outside(ground: LocalGround, parts: Sequence[Parts], chosen: Settings) -> Outside:
    """What watches all regions, and tells people. `ground`: of the first of them."""
    receiver = alert_receiver(ground, address=ground.watch)
    inside = ground.edge if chosen.monitoring == "inside" else ""
    watched = watching.Watching(ground, list(map(_watched, parts)), chosen=chosen, place=inside)
    return Outside(
        monitor=Monitor(by=watching.BY, folder=ground.folder, receiver=receiver, sees=watched.condition),
        messages=Messages(ground, address=ground.watch),
        watchers=[receiver, receivers.unit(ground, address=ground.watch), watched.unit],
        prober=watched.unit,
    )


def _watched(parts: Parts) -> watching.Watched:
    found = {name: entrance.addresses[0] for name, entrance in parts.balancer_entrances.items()}
    stores = [member.zone for member in parts.etcd.members]
    return watching.Watched(parts.ground, parts.entrance, found, parts.s3.unit.name, parts.s3.url, stores)
