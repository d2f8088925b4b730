"""Where a container stack stands: fills `Ground` with containers.

The run's folder is mounted at its own path in every container, so a path means the same everywhere. The database and
the other parts run from the image, but Patroni is the one that is pinned for both kinds of stack: Debian 12 has 3.0.2,
whose leader takes its lock back by force when it sees etcd again after a cut, and what was stored by the next one is
lost (mended in 3.0.3). The platform's API and the backup store are programs of this project: they run by
this machine's own Python, in a container that has this machine's root, read-only, at /host.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from harness.stacks.backup_tools.pgbackrest import CONFIGURATION
from harness.stacks.docker.container import ContainerUnit, Surroundings
from harness.stacks.docker.inside import HOST, here
from harness.stacks.docker.layout import STORAGE, Places
from harness.stacks.docker.links import Links
from harness.stacks.docker.network import DockerNetwork
from harness.stacks.docker.store import HOST as STORE_HOST
from harness.stacks.parts.ground import SOON, Runs
from harness.stacks.parts.layout import Layout
from harness.system.command import Commands

NOBODY = 65534  # whose database it is where we are root: PostgreSQL refuses to run as root
POSTGRES = "/usr/lib/postgresql/15/bin"
PATRONI = "/opt/patroni"  # this machine's own; it is pure Python, and what it imports comes with the image
Mounts = dict[str, dict[str, str]]


class DockerGround:
    """Fills `Ground`."""

    # Debian's PostgreSQL 15: no checksums unless asked for.
    initdb = ("--locale=C.UTF-8", "--data-checksums")

    def __init__(
        self, folder: Path, *, commands: Commands, image: str, places: Places, sockets: Path, prefix: str = ""
    ) -> None:
        """Of the first region; `of_region` makes that of another one."""
        self.folder = folder
        self.commands = commands
        self.sockets = sockets
        self.places = places
        self.layout: Layout = places.regions[0]
        self._around = Surroundings(image=image, volumes=self._mounts())
        self.network = DockerNetwork(commands, self._around, places=places, prefix=prefix)
        self.links = Links(self.network, folder=folder / "links")

    def of_region(self, layout: Layout) -> DockerGround:
        """Where another region of the same stack stands."""
        found = copy(self)
        found.layout = layout
        return found

    @property
    def zones(self) -> Sequence[str]:
        return tuple(self.layout.zones)

    @property
    def store_place(self) -> str:
        """The pod of the region's store."""
        return self.layout.own(STORAGE)

    @property
    def storage(self) -> str:
        return self.network.of_place(self.store_place)

    def address(self, zone: str) -> str:
        return self.network.address(zone)

    def listen(self, zone: str) -> str:
        """All of the zone's addresses: also the one on its own network, which a cut leaves alone."""
        return "0.0.0.0"

    def beside(self, zone: str) -> str:
        """On the zone's own network. Of a stack of one region nobody is asked so: there it is rare, and done inside."""
        several = len(self.places.regions) > 1
        return self.network.zone_address(zone) if several and self.network.runs(zone) else ""

    def store_address(self, zone: str) -> str:
        """The zone's own: what etcd says is told apart by its ports."""
        return self.address(zone)

    def store_listen(self, zone: str) -> str:
        return self.listen(zone)

    def program(self, name: str) -> list[str]:
        if name == "patroni":
            return ["env", f"PYTHONPATH={PATRONI}", "python3", "-m", "patroni"]
        at = f"{POSTGRES}/{name}"
        return [at] if name == "postgres" or name.startswith(("pg_", "initdb")) else [name]

    def make(self) -> None:
        """Networks and pods, of all regions. Errors: `DrillError`."""
        zones = self.network.zones
        for zone in zones:
            self.configuration(zone).parent.mkdir(parents=True, exist_ok=True)
            self.configuration(zone).touch()
        passwd = self.folder / "passwd"
        passwd.write_text(f"root:x:0:0::/root:/bin/sh\npostgres:x:{_user()}:{_group()}::/tmp:/bin/sh\n")
        of_zone = {zone: self._of_zone(zone) for zone in zones}
        self.network.make(store=STORE_HOST, ours=self._ours(), of_zone=of_zone)

    def configuration(self, zone: str) -> Path:
        """Of pgBackRest, for the zone's database."""
        return self.folder / "zones" / zone / "pgbackrest.conf"

    def unit(
        self, name: str, *, runs: Runs, zone: str = "", place: str = "", argv: Callable[[], Sequence[str]],
        env: Callable[[], Mapping[str, str]] = dict, stop_within: timedelta = SOON,
    ) -> ContainerUnit:  # fmt: skip  # parameters in groups
        ours = runs is Runs.HARNESS
        database = runs is Runs.DATABASE
        return ContainerUnit(
            self.commands, self._around, name=name, zone=zone, pod=lambda: self.network.pod(zone or place),
            log=self.folder / "logs" / f"{name}.log",
            argv=(lambda: here(argv())) if ours else argv,
            env=env,
            user="0" if ours else f"{_user()}:{_group()}" if database else f"{os.geteuid()}:{os.getegid()}",
            stop_within=stop_within,
            volumes=self._ours() if ours else self._of_zone(zone) if database else {},
        )  # fmt: skip  # arguments in groups

    def words(self, zone: str) -> list[str]:
        """In the zone's pod, as the database's own user."""
        module = [sys.executable, "-m", "harness.stacks.docker.inside"]
        return [*module, f"--user={_user()}:{_group()}", self.network.pod(zone), "--"]

    def own(self, folder: Path) -> None:
        """Give a folder, and what is in it, to the database's user."""
        if os.geteuid() != 0:
            return
        os.chown(folder, NOBODY, NOBODY)
        for root, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(Path(root, name), NOBODY, NOBODY, follow_symlinks=False)

    def forget_numbers(self, files: Sequence[Path]) -> None:
        for file in files:
            file.unlink(missing_ok=True)

    def release(self, volume: Path) -> None:
        """Nothing: a container's shared memory ends with it."""

    def _mounts(self) -> Mounts:
        folder, sockets = str(self.folder), str(self.sockets)
        return {
            folder: {"bind": folder, "mode": "rw"},
            sockets: {"bind": sockets, "mode": "rw"},
            f"{folder}/passwd": {"bind": "/etc/passwd", "mode": "ro"},
        }

    def _ours(self) -> Mounts:
        """This machine's root, read-only, and of it what customers write in."""
        written = str(written_by_customers(self.folder, label=self.commands.label))
        return {"/": {"bind": HOST, "mode": "ro"}, written: {"bind": f"{HOST}{written}", "mode": "rw"}}

    def _of_zone(self, zone: str) -> Mounts:
        return {
            str(self.configuration(zone)): {"bind": CONFIGURATION, "mode": "ro"},
            _patroni(): {"bind": f"{PATRONI}/patroni", "mode": "ro"},
        }


def written_by_customers(folder: Path, *, label: str) -> Path:
    """Of a stack in this folder: its run's own folder. One that stands by itself has the label that its folder is
    called by; runs come and go beside it, so it is the folder of evidence.
    """
    run = folder.parent
    return run.parent if run.name == label else run


def _patroni() -> str:
    """Where its package is."""
    found = find_spec("patroni")
    assert found is not None and found.origin is not None
    return str(Path(found.origin).parent)


def _user() -> int:
    return os.geteuid() or NOBODY


def _group() -> int:
    return os.getegid() if os.geteuid() else NOBODY
