"""The processes of the platform in a local stack: the API of a zone, and Envoy at the entrance."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from harness.command import Commands
from harness.stacks.local.envoy import HOSTS, Envoy
from harness.stacks.local.network import Network
from harness.stacks.local.postgres import PORT, Roles, dsn
from harness.stacks.local.process import LocalProcess
from harness.stacks.local.tls import Issuer

API_PORT = 8443
ROLE = "quantumnest_app"
STOP_LIMIT = timedelta(seconds=5)


def api(
    commands: Commands, *, zone: str, zones: Sequence[str], folder: Path, network: Network, authority: Issuer,
    roles: Roles,
) -> LocalProcess:  # fmt: skip
    """The platform's API in a zone. It finds the database server that takes writes by itself."""
    address = network.address(zone)
    servers = [network.address(one) for one in zones]
    target = dsn(
        ",".join(servers), PORT, role=ROLE, password="", connect_timeout="2", tcp_user_timeout="3000",
        application_name=f"api-{zone}",
    )  # fmt: skip

    def words() -> list[str]:
        chain, key = authority.issue(f"api-{zone}", [*HOSTS, address])
        return [
            *(*network.inside(zone), sys.executable, "-P", "-m", "harness.stacks.platform.api"),
            *(f"--zone={zone}", f"--listen={address}:{API_PORT}", f"--cert={chain}", f"--key={key}"),
            f"--dsn={target}",
        ]

    env = {"PGPASSWORD": roles.password(ROLE)}
    return LocalProcess(
        commands, name=f"api-{zone}", zone=zone, folder=folder, argv=words, env=lambda: env,
        stop_within=STOP_LIMIT,
    )  # fmt: skip


def entrance(
    commands: Commands, *, zones: Sequence[str], folder: Path, network: Network, authority: Issuer
) -> LocalProcess:
    """Envoy, in front of the zones' APIs."""

    def words() -> list[str]:
        chain, key = authority.issue("entrance", [*HOSTS, network.entrance])
        upstreams = [(network.address(zone), API_PORT) for zone in zones]
        return Envoy(address=network.entrance, upstreams=upstreams, chain=chain, key=key, ca=authority.ca).argv(folder)

    return LocalProcess(commands, name="envoy", zone="", folder=folder, argv=words, stop_within=STOP_LIMIT)
