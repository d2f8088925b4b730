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
from harness.stacks.local.tls import Authority

API_PORT = 8443
ROLE = "quantumnest_app"
STOP_LIMIT = timedelta(seconds=5)


def api(
    commands: Commands, *, zone: str, zones: Sequence[str], folder: Path, network: Network, authority: Authority,
    roles: Roles,
) -> LocalProcess:  # fmt: skip
    """The platform's API in a zone. It finds the database server that takes writes by itself."""
    address = network.address(zone)
    chain, key = authority.issue(f"api-{zone}", [*HOSTS, address])
    servers = [network.address(one) for one in zones]
    target = dsn(
        ",".join(servers), PORT, role=ROLE, password="", connect_timeout="2", tcp_user_timeout="3000",
        application_name=f"api-{zone}",
    )  # fmt: skip
    words = [
        *(*network.inside(zone), sys.executable, "-P", "-m", "harness.stacks.platform.api"),
        *(f"--zone={zone}", f"--listen={address}:{API_PORT}", f"--cert={chain}", f"--key={key}"),
        f"--dsn={target.replace('password= ', '')}",
    ]
    env = {"PGPASSWORD": roles.password(ROLE)}
    return LocalProcess(
        commands, name=f"api-{zone}", zone=zone, folder=folder, argv=lambda: words, env=lambda: env,
        stop_within=STOP_LIMIT,
    )  # fmt: skip


def entrance(
    commands: Commands, *, zones: Sequence[str], folder: Path, network: Network, authority: Authority
) -> LocalProcess:
    """Envoy, in front of the zones' APIs."""
    chain, key = authority.issue("entrance", [*HOSTS, network.entrance])
    envoy = Envoy(
        address=network.entrance,
        upstreams=[(network.address(zone), API_PORT) for zone in zones],
        chain=chain,
        key=key,
        ca=authority.ca,
    )
    return LocalProcess(
        commands, name="envoy", zone="", folder=folder, argv=lambda: envoy.argv(folder), stop_within=STOP_LIMIT
    )
