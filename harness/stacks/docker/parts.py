"""What a container stack is made of, put together; nothing is started here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.stacks import Entrance
from harness.stacks.backup_tools.pgbackrest import PgBackRest, configuration
from harness.stacks.backup_tools.vault import Vault
from harness.stacks.docker import store as stores
from harness.stacks.docker.ground import DockerGround
from harness.stacks.docker.network import ENTRANCES, WATCH
from harness.stacks.docker.store import Store
from harness.stacks.docker.watching import BY, Platform, Target, Watching
from harness.stacks.load_balancers import PORT as ENTRANCE_PORT
from harness.stacks.load_balancers import LoadBalancer, haproxy
from harness.stacks.load_balancers.haproxy import HAProxy
from harness.stacks.parts.api import API_PORT, api
from harness.stacks.parts.etcd import CLIENTS, Etcd
from harness.stacks.parts.ground import Runs, Unit
from harness.stacks.parts.member import REST, PatroniMember
from harness.stacks.parts.messages import Messages
from harness.stacks.parts.monitor import RECEIVER, Monitor, alert_receiver, named
from harness.stacks.parts.names import Names
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.postgres import PORT, Roles, settings
from harness.stacks.parts.receivers import unit as receivers
from harness.stacks.parts.releases import FileReleases
from harness.stacks.parts.s3 import CREDENTIALS, REGION
from harness.stacks.parts.settings import Settings
from harness.stacks.parts.tls import Issuer
from harness.stacks.stand_in import HEALTH, HOSTS, READY


@dataclass(frozen=True)
class Parts:
    """The components of one stack."""

    etcd: Etcd
    store: Store
    members: Sequence[PatroniMember]
    cluster: PatroniCluster
    backups: PgBackRest
    vault: Vault
    services: Mapping[str, Unit]
    releases: FileReleases
    balancers: Sequence[Unit]
    monitor: Monitor
    messages: Messages
    watchers: Sequence[Unit]  # without Prometheus, which finds them there
    prometheus: Unit
    entrance: Entrance
    balancer_entrances: Mapping[str, Entrance]  # each load balancer alone, by its name
    names: Names


def put_together(ground: DockerGround, *, roles: Roles, authority: Issuer, chosen: Settings) -> Parts:
    """The parts of a stack on its ground."""
    etcd = Etcd(ground)
    store = Store(ground, authority=authority)
    vault = Vault(store.bucket)
    backups = PgBackRest(
        vault=vault,
        commands=ground.commands,
        leader=lambda: cluster.leader(),  # noqa: PLW0108  made below
        words=ground.words,
        password=roles.postgres,
    )

    def database_settings() -> dict[str, str]:
        command = chosen.archive_command(backups.archive_command(), folder=ground.folder)
        return settings(archive_command=command, archive_timeout=chosen.archive_timeout)

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
        )
        for zone in ground.zones
    ]
    cluster = PatroniCluster(ground, members=members, etcd=etcd, roles=roles, synchronous=1 if waits else 0)
    services: dict[str, Unit] = {}
    releases = FileReleases(ground.folder / "releases", services=services)
    services |= {
        zone: api(ground, zone=zone, authority=authority, roles=roles, release=releases.file, ready=chosen.ready)
        for zone in ground.zones
    }
    balancers = _balancers(ground, authority=authority, chosen=chosen)
    watch = ground.network.watch
    named_balancers = {balancer.name: address for balancer, address in balancers.items()}
    watching = Watching(
        watch, _targets(ground, named_balancers, chosen), Platform(HOSTS[0], stores.HOST, authority.ca),
        f"http://{watch}:{RECEIVER}/alertmanager", ground.folder / "watching",
    )  # fmt: skip  # arguments in groups
    receiver = alert_receiver(ground, address=watch, place=WATCH)
    names = Names(ground.folder, tuple(balancers.values()))
    entrance = Entrance(HOSTS[0], names.resolver, ENTRANCE_PORT, authority.ca)
    return Parts(
        etcd=etcd,
        store=store,
        members=members,
        cluster=cluster,
        backups=backups,
        vault=vault,
        services=services,
        releases=releases,
        balancers=list(balancers),
        monitor=Monitor(by=BY, folder=ground.folder, receiver=receiver, sees=watching.condition),
        messages=Messages(ground, address=watch),
        watchers=[
            receiver,
            receivers.unit(ground, address=watch, place=WATCH),
            ground.unit("blackbox", runs=Runs.PART, place=WATCH, argv=watching.blackbox),
            ground.unit("alertmanager", runs=Runs.PART, place=WATCH, argv=watching.alertmanager),
        ],
        prometheus=ground.unit("prometheus", runs=Runs.PART, place=WATCH, argv=watching.prometheus),
        entrance=entrance,
        balancer_entrances={name: entrance.alone(address) for name, address in named_balancers.items()},
        names=names,
    )


def write_backup_settings(ground: DockerGround, parts: Parts, *, ca: Path) -> None:
    """pgBackRest's settings, for every zone's database."""
    for member in parts.members:
        file = ground.configuration(member.zone)
        file.write_text(
            configuration(
                data=member.data, sockets=member.sockets, port=PORT, host=stores.HOST, store_port=stores.PORT,
                bucket=parts.vault.bucket.name, ca=ca, credentials=CREDENTIALS, region=REGION,
            )
        )  # fmt: skip  # arguments in groups


def _balancers(ground: DockerGround, *, authority: Issuer, chosen: Settings) -> dict[Unit, str]:
    """Each load balancer, and the address that it has for itself, in the order in which customers try them."""
    upstreams = {f"api-{zone}": (ground.address(zone), API_PORT) for zone in ground.zones}

    def argv(name: str, address: str) -> list[str]:
        chain, key = authority.issue(name, [*HOSTS, address])
        balancer: LoadBalancer = HAProxy(
            address=address, upstreams=upstreams, chain=chain, key=key, ca=authority.ca, checks=chosen.health_checks
        )
        return balancer.argv(ground.folder / name)

    found: dict[Unit, str] = {}
    for number, place in enumerate(ENTRANCES[: chosen.balancers], start=1):
        name, address = f"haproxy-{number}", ground.network.of_place(place)
        words = partial(argv, name, address)
        found[ground.unit(name, runs=Runs.PART, place=place, argv=words)] = address
    return found


def _targets(ground: DockerGround, balancers: Mapping[str, str], chosen: Settings) -> list[Target]:
    """`balancers`: name to address."""
    found = []
    for zone in ground.zones:
        address = ground.address(zone)
        for job, part, at in (
            ("patroni", "patroni", f"{address}:{REST}"),
            ("etcd", "etcd", f"{address}:{CLIENTS}"),
            ("health", "api", f"https://{address}:{API_PORT}{HEALTH}"),
            ("ready", "api", f"https://{address}:{API_PORT}{READY}"),
        ):
            found.append(Target(job, *named(f"{part}-{zone}", zone, chosen=chosen), at))
    for name, address in balancers.items():
        found.append(Target("haproxy", name, "", f"{address}:{haproxy.METRICS}"))
        found.append(Target("entrance", name, "", f"https://{address}:{ENTRANCE_PORT}{HEALTH}"))
    store = f"{ground.storage}:{stores.PORT}"
    return [*found, Target("store", "s3", "", f"https://{store}/"), Target("store-front", "s3-tls", "", store)]
