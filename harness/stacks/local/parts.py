"""What an embedded stack is made of, put together; nothing is started here."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness.command import Commands
from harness.stacks import Entrance
from harness.stacks.local.backups import BarmanBackups
from harness.stacks.local.cluster import PatroniCluster
from harness.stacks.local.database_user import database_user
from harness.stacks.local.envoy import HOSTS
from harness.stacks.local.envoy import PORT as ENTRANCE_PORT
from harness.stacks.local.etcd import Etcd
from harness.stacks.local.leftovers import STALLED
from harness.stacks.local.member import LocalMember
from harness.stacks.local.network import Network
from harness.stacks.local.postgres import Roles, settings
from harness.stacks.local.process import LocalProcess
from harness.stacks.local.s3 import S3Server
from harness.stacks.local.service import api, entrance
from harness.stacks.local.tls import Issuer

S3_PORT = 9000


@dataclass(frozen=True)
class LocalSettings:
    """What may be chosen. `archiving` "off" is for sabotage twins: nothing reaches the archive, and nothing says so."""

    scale: float = 1.0  # 1.0: 200,000 transactions
    archive_timeout: timedelta = timedelta(seconds=5)
    archiving: str = "on"


@dataclass(frozen=True)
class Parts:
    """The components of one stack."""

    etcd: Etcd
    s3: S3Server
    members: Sequence[LocalMember]
    cluster: PatroniCluster
    backups: BarmanBackups
    services: Mapping[str, LocalProcess]
    envoy: LocalProcess
    entrance: Entrance


def put_together(
    *, folder: Path, commands: Commands, rung: str, zones: Sequence[str], network: Network, roles: Roles,
    sockets: Path, authority: Issuer, chosen: LocalSettings,
) -> Parts:  # fmt: skip
    """The parts of a stack whose files are in `folder`."""
    user = database_user(rung)
    etcd = Etcd(commands, network=network, zones=zones, folder=folder)
    s3 = S3Server(address=network.storage, port=S3_PORT, authority=authority, folder=folder, commands=commands)

    def leader_dsn() -> str:
        leader = cluster.leader()
        return leader.dsn if leader else ""

    def database_settings() -> dict[str, str]:
        return settings(
            archive_command=_archive_command(folder, backups, chosen), archive_timeout=chosen.archive_timeout
        )

    members = [
        LocalMember(
            commands, zone=zone, folder=folder, network=network, user=user, roles=roles, sockets=sockets,
            stores=etcd.endpoints(), settings=database_settings, env=s3.env,
        )
        for zone in zones
    ]  # fmt: skip
    cluster = PatroniCluster(commands=commands, members=members, etcd=etcd, roles=roles, aside=folder / "aside")
    backups = BarmanBackups(
        server=s3, commands=commands, folder=folder / "backups", source_dsn=leader_dsn,
        as_database_user=lambda words: [*user.words, *words],
    )  # fmt: skip
    services = {
        zone: api(commands, zone=zone, zones=zones, folder=folder, network=network, authority=authority, roles=roles)
        for zone in zones
    }
    return Parts(
        etcd=etcd,
        s3=s3,
        members=members,
        cluster=cluster,
        backups=backups,
        services=services,
        envoy=entrance(commands, zones=zones, folder=folder, network=network, authority=authority),
        entrance=Entrance(HOSTS[0], network.entrance, ENTRANCE_PORT, authority.ca),
    )


def _archive_command(folder: Path, backups: BarmanBackups, chosen: LocalSettings) -> str:
    if chosen.archiving == "off":
        return "true"
    stalled = shlex.quote(str(folder / STALLED)).replace("%", "%%")
    return f"test ! -e {stalled} && {backups.archive_command()}"
