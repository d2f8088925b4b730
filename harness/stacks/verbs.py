"""Which verb each kind of stack has: `python -m harness.stacks.verbs` prints the table of `docs/stacks.md`."""

from __future__ import annotations

from collections.abc import Sequence

from harness.stacks.backup_tools.barman.backups import BarmanBackups
from harness.stacks.backup_tools.pgbackrest import PgBackRest
from harness.stacks.backup_tools.vault import Vault
from harness.stacks.capabilities.backups import Archive, BaseBackups, Damageable, ObjectStore
from harness.stacks.capabilities.clocks import Clocked
from harness.stacks.capabilities.components import Asked, Killable, KilledTogether, Logged, Pausable, Startable
from harness.stacks.capabilities.database import (
    Cluster,
    Fenced,
    Fillable,
    Guarded,
    LogReadable,
    OnVolume,
    Positioned,
    Queried,
    Restorable,
    RestoreTarget,
    Verified,
)
from harness.stacks.capabilities.emulated import Emulated
from harness.stacks.capabilities.entrance import (
    Balanced,
    DirectAccess,
    Explorable,
    Reachable,
    Standpoints,
    ZoneServices,
)
from harness.stacks.capabilities.monitoring import Monitoring
from harness.stacks.capabilities.network import Divisible, Flappable, Linked, Powered, Slowable
from harness.stacks.capabilities.releases import Publishing, Releases
from harness.stacks.capabilities.sabotage import Deafenable, Stallable, Unfenced
from harness.stacks.docker.container import ContainerUnit
from harness.stacks.docker.stack import DockerStack
from harness.stacks.local.process import LocalProcess
from harness.stacks.local.stack import LocalStack
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.monitor import Monitor
from harness.stacks.parts.patroni import PatroniCluster
from harness.stacks.parts.positions import PostgresPositions
from harness.stacks.parts.region import PlatformRegion
from harness.stacks.parts.releases import FileReleases
from harness.stacks.parts.restore_target import PostgresRestoreTarget
from harness.stacks.parts.users import PostgresUsers

# Protocol, what fills it on the embedded stack, and what fills it on containers.
ROLES: Sequence[tuple[type, type, type]] = (
    (Startable, LocalProcess, ContainerUnit),
    (Killable, LocalProcess, ContainerUnit),
    (Logged, LocalProcess, ContainerUnit),
    (Pausable, LocalProcess, ContainerUnit),
    (Asked, PatroniMember, PatroniMember),
    (KilledTogether, LocalStack, DockerStack),
    (Reachable, PlatformRegion, PlatformRegion),
    (Balanced, PlatformRegion, PlatformRegion),
    (ZoneServices, PlatformRegion, PlatformRegion),
    (DirectAccess, PlatformRegion, PlatformRegion),
    (Standpoints, LocalStack, DockerStack),
    (Explorable, LocalStack, DockerStack),
    (Cluster, PatroniCluster, PatroniCluster),
    (Fenced, PatroniCluster, PatroniCluster),
    (Queried, PatroniCluster, PatroniCluster),
    (Positioned, PostgresPositions, PostgresPositions),
    (Guarded, PostgresUsers, PostgresUsers),
    (Restorable, PatroniCluster, PatroniCluster),
    (RestoreTarget, PostgresRestoreTarget, PostgresRestoreTarget),
    (Verified, PostgresRestoreTarget, PostgresRestoreTarget),
    (LogReadable, PatroniMember, PatroniMember),
    (OnVolume, PatroniMember, PatroniMember),
    (Fillable, PatroniMember, PatroniMember),
    (BaseBackups, BarmanBackups, PgBackRest),
    (Archive, BarmanBackups, PgBackRest),
    (ObjectStore, Vault, Vault),
    (Damageable, Vault, Vault),
    (Releases, FileReleases, FileReleases),
    (Publishing, FileReleases, FileReleases),
    (Monitoring, Monitor, Monitor),
    (Divisible, LocalStack, DockerStack),
    (Linked, LocalStack, DockerStack),
    (Slowable, LocalStack, DockerStack),
    (Flappable, LocalStack, DockerStack),
    (Powered, LocalStack, DockerStack),
    (Clocked, LocalStack, DockerStack),
    (Emulated, LocalStack, DockerStack),
    (Unfenced, PatroniMember, PatroniMember),
    (Stallable, LocalStack, DockerStack),
    (Deafenable, Monitor, Monitor),
)


def verbs(protocol: type) -> list[str]:
    """The methods that a protocol itself asks for, in alphabetical order."""
    verbs = {name for name, found in vars(protocol).items() if callable(found) or isinstance(found, property)}
    return sorted(name for name in verbs if not name.startswith("_"))


def table() -> str:
    """Markdown: a row per verb, a column per kind."""
    lines = ["| role | verb | local | docker |", "|---|---|---|---|"]
    for protocol, *kinds in ROLES:
        for verb in verbs(protocol):
            has = ["yes" if _has(kind, verb) else "no" for kind in kinds]
            lines.append(f"| {protocol.__name__} | `{verb}` | {' | '.join(has)} |")
    return "\n".join(lines)


def _has(kind: type, verb: str) -> bool:
    """Also where it is said of its objects alone."""
    return hasattr(kind, verb) or any(verb in vars(each).get("__annotations__", {}) for each in kind.__mro__)


if __name__ == "__main__":
    print(table())
