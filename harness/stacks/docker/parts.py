"""What a container stack is made of, put together; nothing is started here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.stacks import Entrance
from harness.stacks.backup_tools.pgbackrest import PgBackRest, configuration
from harness.stacks.backup_tools.vault import Vault
from harness.stacks.docker import store as stores
from harness.stacks.docker.ground import DockerGround
from harness.stacks.docker.network import ENTRANCE, WATCH
from harness.stacks.docker.store import Store
from harness.stacks.docker.watching import BY, Platform, Target, Watching
from harness.stacks.load_balancers import PORT as ENTRANCE_PORT
from harness.stacks.load_balancers import LoadBalancer, haproxy
from harness.stacks.load_balancers.haproxy import HAProxy
from harness.stacks.parts.api import API_PORT, api
from harness.stacks.parts.etcd import CLIENTS, Etcd
from harness.stacks.parts.ground import Runs, Unit
from harness.stacks.parts.member import REST, PatroniMember
from harness.stacks.parts.monitor import RECEIVER, Monitor, alert_receiver, named
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.postgres import PORT, Roles, settings
from harness.stacks.parts.releases import FileReleases
from harness.stacks.parts.s3 import CREDENTIALS, REGION
from harness.stacks.parts.settings import Settings
from harness.stacks.parts.tls import Issuer
from harness.stacks.platform import HOSTS


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
    balancer: Unit
    monitor: Monitor
    watchers: Sequence[Unit]
    entrance: Entrance


def put_together(ground: DockerGround, *, roles: Roles, authority: Issuer, chosen: Settings) -> Parts:
    """The parts of a stack on its ground."""
    etcd = Etcd(ground)
    store = Store(ground, authority=authority)
    vault = Vault(store.bucket)
    backups = PgBackRest(
        vault=vault, commands=ground.commands, leader=lambda: cluster.leader(),  # noqa: PLW0108  made below
        words=ground.words,
        password=roles.postgres,
    )  # fmt: skip

    def database_settings() -> dict[str, str]:
        command = chosen.archive_command(backups.archive_command(), folder=ground.folder)
        return settings(archive_command=command, archive_timeout=chosen.archive_timeout)

    members = [
        PatroniMember(
            ground, zone=zone, sockets=ground.sockets / zone, roles=roles, stores=etcd.endpoints(),
            settings=database_settings, synchronous={"synchronous_mode": True},
        )
        for zone in ground.zones
    ]  # fmt: skip
    cluster = PatroniCluster(ground, members=members, etcd=etcd, roles=roles, synchronous=1)
    services: dict[str, Unit] = {}
    releases = FileReleases(ground.folder / "releases", services=services)
    services |= {
        zone: api(
            ground, zone=zone, authority=authority, roles=roles, release=releases.file, ready=chosen.ready
        )
        for zone in ground.zones
    }  # fmt: skip
    watch = ground.network.watch
    watching = Watching(
        watch, _targets(ground, {"haproxy": ground.entrance}, chosen), Platform(HOSTS[0], stores.HOST, authority.ca),
        f"http://{watch}:{RECEIVER}/alertmanager", ground.folder / "watching",
    )  # fmt: skip
    receiver = alert_receiver(ground, address=watch, place=WATCH)
    return Parts(
        etcd=etcd,
        store=store,
        members=members,
        cluster=cluster,
        backups=backups,
        vault=vault,
        services=services,
        releases=releases,
        balancer=ground.unit("haproxy", runs=Runs.PART, place=ENTRANCE, argv=lambda: _haproxy(ground, authority)),
        monitor=Monitor(by=BY, folder=ground.folder, receiver=receiver, sees=watching.condition),
        watchers=[
            receiver,
            ground.unit("blackbox", runs=Runs.PART, place=WATCH, argv=watching.blackbox),
            ground.unit("prometheus", runs=Runs.PART, place=WATCH, argv=watching.prometheus),
            ground.unit("alertmanager", runs=Runs.PART, place=WATCH, argv=watching.alertmanager),
        ],
        entrance=Entrance(HOSTS[0], (ground.entrance,), ENTRANCE_PORT, authority.ca),
    )


def write_backup_settings(ground: DockerGround, parts: Parts) -> None:
    """pgBackRest's settings, for every zone's database."""
    for member in parts.members:
        file = ground.configuration(member.zone)
        file.write_text(
            configuration(
                data=member.data, sockets=member.sockets, port=PORT, host=stores.HOST, store_port=stores.PORT,
                bucket=parts.vault.bucket.name, ca=parts.entrance.ca, credentials=CREDENTIALS, region=REGION,
            )
        )  # fmt: skip


def _haproxy(ground: DockerGround, authority: Issuer) -> list[str]:
    chain, key = authority.issue("entrance", [*HOSTS, ground.entrance])
    upstreams = {f"api-{zone}": (ground.address(zone), API_PORT) for zone in ground.zones}
    balancer: LoadBalancer = HAProxy(
        address=ground.entrance, upstreams=upstreams, chain=chain, key=key, ca=authority.ca
    )
    return balancer.argv(ground.folder / "haproxy")


def _targets(ground: DockerGround, balancers: Mapping[str, str], chosen: Settings) -> list[Target]:
    """`balancers`: name to address."""
    found = []
    for zone in ground.zones:
        address = ground.address(zone)
        for job, part, at in (
            ("patroni", "patroni", f"{address}:{REST}"),
            ("etcd", "etcd", f"{address}:{CLIENTS}"),
            ("health", "api", f"https://{address}:{API_PORT}/health"),
            ("ready", "api", f"https://{address}:{API_PORT}/ready"),
        ):
            found.append(Target(job, *named(f"{part}-{zone}", zone, zones=ground.zones, chosen=chosen), at))
    for name, address in balancers.items():
        found.append(Target("haproxy", name, "", f"{address}:{haproxy.METRICS}"))
        found.append(Target("entrance", name, "", f"https://{address}:{ENTRANCE_PORT}/health"))
    store = f"{ground.storage}:{stores.PORT}"
    return [*found, Target("store", "s3", "", f"https://{store}/"), Target("store-front", "s3-tls", "", store)]
