"""What a container stack is made of, put together; nothing is started here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.errors import DrillError
from harness.stacks import Entrance
from harness.stacks.backup_tools.pgbackrest import PgBackRest, configuration
from harness.stacks.backup_tools.vault import Vault
from harness.stacks.docker import store as stores
from harness.stacks.docker.ground import DockerGround
from harness.stacks.docker.layout import NAMES, WATCH, entrance
from harness.stacks.docker.store import Store
from harness.stacks.docker.watching import BY, Platform, Target, Watching
from harness.stacks.load_balancers import PORT as ENTRANCE_PORT
from harness.stacks.load_balancers import LoadBalancer, haproxy
from harness.stacks.load_balancers.haproxy import HAProxy
from harness.stacks.parts import naming
from harness.stacks.parts.api import API_PORT, api
from harness.stacks.parts.bucket import Bucket
from harness.stacks.parts.etcd import CLIENTS, Etcd
from harness.stacks.parts.fence_device import FenceDevice
from harness.stacks.parts.ground import Runs, Unit
from harness.stacks.parts.in_service import InService
from harness.stacks.parts.member import REST, PatroniMember
from harness.stacks.parts.messages import Messages
from harness.stacks.parts.monitor import RECEIVER, Monitor, alert_receiver, named
from harness.stacks.parts.naming import Naming
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.positions import PostgresPositions
from harness.stacks.parts.postgres import PORT, Roles, settings
from harness.stacks.parts.receivers import unit as receivers
from harness.stacks.parts.region import PlatformRegion
from harness.stacks.parts.releases import FileReleases
from harness.stacks.parts.replicator import Replicator
from harness.stacks.parts.s3 import CREDENTIALS, REGION
from harness.stacks.parts.settings import Settings
from harness.stacks.parts.standby import KEPT, PatroniStandby, followed_by, following
from harness.stacks.parts.tls import Issuer
from harness.stacks.parts.users import PostgresUsers
from harness.stacks.stand_in import HEALTH, HOSTS, READY
from harness.system.recorder import Recorder
from harness.system.resolver import Resolver


@dataclass(frozen=True)
class Parts:
    """The components of one region."""

    ground: DockerGround
    etcd: Etcd
    s3: Store
    members: Sequence[PatroniMember]
    cluster: PatroniCluster
    backups: PgBackRest
    vault: Vault
    services: Mapping[str, Unit]
    releases: FileReleases
    balancers: Sequence[Unit]
    entrance: Entrance
    balancer_entrances: Mapping[str, Entrance]  # each load balancer alone, by its name
    standby: PatroniStandby
    replicator: Replicator | None = None  # which copies the store of the first region to this one

    def components(self) -> list[Unit | PatroniMember]:
        copies = [self.replicator.unit] if self.replicator else []
        units = [*self.etcd.members, *self.services.values(), *self.balancers, *self.s3.units, *copies]
        return [*units, *self.members]

    def store_is_back(self) -> None:
        """Without a stanza nothing can be archived; the next base backup makes one, too, where this fails."""
        with_data = [member.zone for member in self.members if member.has_data()]
        with suppress(DrillError):
            if with_data:
                self.backups.revive(with_data[0])

    def replicated(self, source: Bucket, *, authority: Issuer) -> Parts:
        """With a process beside its store that copies another region's store to its own."""
        ground = self.ground
        copies = Replicator(ground, source=source, target=self.s3.bucket, ca=authority.ca, place=ground.store_place)
        return replace(self, replicator=copies)


@dataclass(frozen=True)
class Outside:
    """What belongs to a stack, and to none of its regions."""

    monitor: Monitor
    messages: Messages
    watchers: Sequence[Unit]  # without Prometheus, which finds them there
    prometheus: Unit


def put_together(
    ground: DockerGround, *, roles: Roles, authority: Issuer, chosen: Settings, resolver: Resolver,
    others: Mapping[str, Sequence[str]], device: FenceDevice, service: InService,
) -> Parts:  # fmt: skip  # parameters in groups
    """The parts of a region on its ground. `resolver`: of the name by which customers come into it.

    `others`: the database servers of the other regions, by the region's name; the first of them leads at first.
    """
    layout = ground.layout
    etcd = Etcd(ground, zones=layout.stores)
    store = Store(ground, authority=authority)
    vault = Vault(store.bucket)
    backups = PgBackRest(
        vault=vault,
        commands=ground.commands,
        leader=lambda: cluster.leader(),  # noqa: PLW0108  made below
        words=ground.words,
        password=roles.postgres,
    )
    leads, upstream = layout.name == REGION, next(iter(others.values()), ())
    regional = followed_by(list(others)) if leads else following(layout.name, upstream)

    def database_settings() -> dict[str, str]:
        command = chosen.archive_command(backups.archive_command(), folder=ground.folder)
        kept = KEPT if others else {}
        return {**settings(archive_command=command, archive_timeout=chosen.archive_timeout), **kept}

    waits = chosen.synchronous == "on"
    members = [
        PatroniMember(
            ground,
            zone=zone,
            sockets=ground.sockets / zone,
            roles=roles,
            stores=etcd.endpoints(),
            settings=database_settings,
            synchronous={"synchronous_mode": True} if waits else {},
            regional=regional,
            kept_off=partial(device.why, layout.name),
        )
        for zone in ground.zones
    ]
    cluster = PatroniCluster(ground, members=members, etcd=etcd, roles=roles, synchronous=1 if waits else 0)
    services: dict[str, Unit] = {}
    releases = FileReleases(ground.folder / layout.own("releases"), services=services)
    services |= {
        zone: api(ground, zone=zone, authority=authority, roles=roles, release=releases.file, ready=chosen.ready)
        for zone in ground.zones
    }
    balancers = _balancers(ground, authority=authority, chosen=chosen)
    way_in = Entrance(HOSTS[0], resolver, ENTRANCE_PORT, authority.ca)
    return Parts(
        ground=ground,
        etcd=etcd,
        s3=store,
        members=members,
        cluster=cluster,
        backups=backups,
        vault=vault,
        services=services,
        releases=releases,
        balancers=list(balancers),
        entrance=way_in,
        balancer_entrances={one.name: way_in.alone(address) for one, address in balancers.items()},
        standby=PatroniStandby(
            cluster, members, etcd=etcd, roles=roles, region=layout.name, others=others,
            led=partial(service.is_now, layout.name),
        ),
    )  # fmt: skip  # arguments in groups


def put_outside(ground: DockerGround, regions: Sequence[Parts], *, ca: Path, chosen: Settings) -> Outside:
    """What watches all regions, and tells people. `ground`: of the first of them, which is the one that is to serve."""
    watch = ground.network.watch
    targets = [one for number, parts in enumerate(regions) for one in _targets(parts, chosen, serves=number == 0)]
    watching = Watching(
        watch, targets, Platform(HOSTS[0], stores.HOST, ca), f"http://{watch}:{RECEIVER}/alertmanager",
        ground.folder / "watching",
    )  # fmt: skip  # arguments in groups
    receiver = alert_receiver(ground, address=watch, place=WATCH)
    return Outside(
        monitor=Monitor(by=BY, folder=ground.folder, receiver=receiver, sees=watching.condition),
        messages=Messages(ground, address=watch),
        watchers=[
            receiver,
            receivers.unit(ground, address=watch, place=WATCH),
            ground.unit("blackbox", runs=Runs.PART, place=WATCH, argv=watching.blackbox),
            ground.unit("alertmanager", runs=Runs.PART, place=WATCH, argv=watching.alertmanager),
        ],
        prometheus=ground.unit("prometheus", runs=Runs.PART, place=WATCH, argv=watching.prometheus),
    )


def put_region(
    parts: Parts, outside: Outside, beyond: Sequence[object], roles: Roles, recorder: Recorder
) -> PlatformRegion:
    """`beyond`: what it holds because of other regions."""
    ground, cluster = parts.ground, parts.cluster
    return PlatformRegion(
        ground.layout.name, ground.zones,
        (
            cluster, PostgresPositions(cluster), parts.standby, PostgresUsers(cluster, cluster.log_in, recorder),
            parts.backups, parts.vault, parts.releases, outside.monitor, outside.messages, *beyond,
        ),
        parts.entrance, parts.balancers, parts.balancer_entrances, parts.services,
        {zone: ground.network.zone_address(zone) for zone in ground.zones}, roles,
    )  # fmt: skip  # arguments in groups


def put_names(regions: Sequence[DockerGround], *, authority: Issuer, chosen: Settings) -> Naming:
    """Both of it in a pod of its own, outside of the regions."""
    first = regions[0]
    at = first.network.of_place(NAMES)
    ways_in = {ground.layout.name: list(entrances(ground, chosen=chosen).values()) for ground in regions}
    return naming.put_names(
        first, authority=authority, api=at, answers=at, entrances=ways_in, place=NAMES, ttl=chosen.ttl
    )


def write_backup_settings(parts: Parts, *, ca: Path) -> None:
    """pgBackRest's settings, for every zone's database."""
    for member in parts.members:
        file = parts.ground.configuration(member.zone)
        file.write_text(
            configuration(
                data=member.data, sockets=member.sockets, port=PORT, host=stores.HOST, store_port=stores.PORT,
                bucket=parts.vault.bucket.name, ca=ca, credentials=CREDENTIALS, region=REGION,
            )
        )  # fmt: skip  # arguments in groups


def entrances(ground: DockerGround, *, chosen: Settings) -> dict[str, str]:
    """Each load balancer of a region, and the address that it has for itself, in the order in which customers try
    them."""
    names = list(ground.layout.balancers)[: chosen.balancers]
    return {name: ground.network.of_place(entrance(name)) for name in names}


# In a region that follows no server is ready, and each that is asked asks all of its databases to find out: that is not
# done twice a second.
FOLLOWERS_EVERY = "2s"


def _balancers(ground: DockerGround, *, authority: Issuer, chosen: Settings) -> dict[Unit, str]:
    upstreams = {f"api-{zone}": (ground.address(zone), API_PORT) for zone in ground.zones}
    rare = FOLLOWERS_EVERY if len(ground.places.regions) > 1 else ""

    def argv(name: str, address: str) -> list[str]:
        chain, key = authority.issue(name, [*HOSTS, address])
        balancer: LoadBalancer = HAProxy(
            address=address, upstreams=upstreams, chain=chain, key=key, ca=authority.ca, checks=chosen.health_checks,
            down_every=rare,
        )  # fmt: skip  # arguments in groups
        return balancer.argv(ground.folder / name)

    found: dict[Unit, str] = {}
    for name, address in entrances(ground, chosen=chosen).items():
        words = partial(argv, name, address)
        found[ground.unit(name, runs=Runs.PART, place=entrance(name), argv=words)] = address
    return found


def _targets(parts: Parts, chosen: Settings, *, serves: bool) -> list[Target]:
    """A region that follows has to be alive, and not ready: its database takes no writes."""
    ground, found = parts.ground, []
    for zone in ground.zones:
        address = ground.address(zone)
        for job, part, at in (
            ("patroni", "patroni", f"{address}:{REST}"),
            ("etcd", "etcd", f"{address}:{CLIENTS}"),
            ("health", "api", f"https://{address}:{API_PORT}{HEALTH}"),
            ("ready", "api", f"https://{address}:{API_PORT}{READY}"),
        ):
            if (job != "etcd" or zone in ground.layout.stores) and (job != "ready" or serves):
                found.append(Target(job, *named(f"{part}-{zone}", zone, chosen=chosen), at))
    for name, way_in in parts.balancer_entrances.items():
        address = way_in.addresses[0]
        found.append(Target("haproxy", name, "", f"{address}:{haproxy.METRICS}"))
        if serves:
            found.append(Target("entrance", name, "", f"https://{address}:{ENTRANCE_PORT}{HEALTH}"))
    store, (holds, front) = f"{ground.storage}:{stores.PORT}", (unit.name for unit in parts.s3.units)
    return [*found, Target("store", holds, "", f"https://{store}/"), Target("store-front", front, "", store)]
