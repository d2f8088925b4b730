"""The platform's API in a zone. It finds the database server that takes writes by itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from harness.stacks.parts.ground import Ground, Runs, Unit
from harness.stacks.parts.postgres import PORT, Roles, dsn
from harness.stacks.parts.tls import Issuer
from harness.stacks.stand_in import HOSTS, ROLE

API_PORT = 8443
STOP_LIMIT = timedelta(seconds=5)


def own_database(address: str, *, zone: str, roles: Roles) -> tuple[str, dict[str, str]]:
    """DSN of one zone's database server for the API's role, and the environment with its password."""
    target = dsn(address, PORT, role=ROLE, password="", application_name=f"beside-{zone}")
    return target, {"PGPASSWORD": roles.password(ROLE)}


def api(ground: Ground, *, zone: str, authority: Issuer, roles: Roles, release: Callable[[], Path], ready: str) -> Unit:
    """Not started. `release` is asked for at each start; `ready`: see `Settings`."""
    servers = ",".join(ground.address(one) for one in ground.zones)
    target = dsn(
        servers, PORT, role=ROLE, password="", connect_timeout="2", tcp_user_timeout="3000",
        application_name=f"api-{zone}",
    )  # fmt: skip  # arguments in groups

    def argv() -> list[str]:
        chain, key = authority.issue(f"api-{zone}", [*HOSTS, ground.address(zone)])
        return [
            *(sys.executable, "-P", "-m", "harness.stacks.stand_in.api", f"--zone={zone}"),
            *(f"--listen={ground.listen(zone)}:{API_PORT}", f"--cert={chain}", f"--key={key}", f"--dsn={target}"),
            *(f"--release={release()}", f"--ready={ready}"),
        ]

    return ground.unit(
        f"api-{zone}", zone=zone, runs=Runs.HARNESS, argv=argv, env=lambda: {"PGPASSWORD": roles.password(ROLE)},
        stop_within=STOP_LIMIT,
    )  # fmt: skip  # arguments in groups
