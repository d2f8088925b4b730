"""Which verb each kind of stack has: `python -m harness.stacks.verbs` prints the table of `docs/stacks.md`."""

from __future__ import annotations

from collections.abc import Sequence

from harness.stacks import (
    Backups,
    Cluster,
    Component,
    Divisible,
    Fillable,
    Flappable,
    KilledTogether,
    Linked,
    Member,
    Monitoring,
    ObjectStore,
    Pausable,
    Powered,
    Releases,
    RestoreTarget,
    Slowable,
    Stack,
    Unfenced,
)
from harness.stacks.backup_tools.barman.backups import BarmanBackups
from harness.stacks.backup_tools.pgbackrest import PgBackRest
from harness.stacks.backup_tools.vault import Vault
from harness.stacks.docker.container import ContainerUnit
from harness.stacks.docker.stack import DockerStack
from harness.stacks.local.process import LocalProcess
from harness.stacks.local.stack import LocalStack
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.monitor import Monitor
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.releases import FileReleases
from harness.stacks.parts.restore_target import PostgresRestoreTarget
from harness.stacks.powers import Clocked

# Protocol, what fills it on the embedded stack, and what fills it on containers.
ROLES: Sequence[tuple[type, type, type]] = (
    (Stack, LocalStack, DockerStack),
    (Divisible, LocalStack, DockerStack),
    (Linked, LocalStack, DockerStack),
    (Slowable, LocalStack, DockerStack),
    (Flappable, LocalStack, DockerStack),
    (Powered, LocalStack, DockerStack),
    (KilledTogether, LocalStack, DockerStack),
    (Clocked, LocalStack, DockerStack),
    (Component, LocalProcess, ContainerUnit),
    (Pausable, LocalProcess, ContainerUnit),
    (Cluster, PatroniCluster, PatroniCluster),
    (Member, PatroniMember, PatroniMember),
    (Fillable, PatroniMember, PatroniMember),
    (Unfenced, PatroniMember, PatroniMember),
    (RestoreTarget, PostgresRestoreTarget, PostgresRestoreTarget),
    (Backups, BarmanBackups, PgBackRest),
    (ObjectStore, Vault, Vault),
    (Releases, FileReleases, FileReleases),
    (Monitoring, Monitor, Monitor),
)


def verbs(protocol: type) -> list[str]:
    """The methods that a protocol itself asks for, in alphabetical order."""
    return sorted(name for name, found in vars(protocol).items() if callable(found) and not name.startswith("_"))


def table() -> str:
    """Markdown: a row per verb, a column per kind."""
    lines = ["| role | verb | local | docker |", "|---|---|---|---|"]
    for protocol, *kinds in ROLES:
        for verb in verbs(protocol):
            has = ["yes" if callable(getattr(kind, verb, None)) else "no" for kind in kinds]
            lines.append(f"| {protocol.__name__} | `{verb}` | {' | '.join(has)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
