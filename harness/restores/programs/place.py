"""The empty place of one restore: a PostgreSQL server of its own, whatever its programs come from.

In its folder: `data`; `sockets`, or a short folder elsewhere; settings; `server.log`; what a source adds, as the pieces
of the archive and tablespaces; and the mark by which a later process finds all of it.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import Refused, Unable
from harness.evidence.run_folder import temporary_prefix
from harness.restores.programs import cleared, left, settings
from harness.restores.programs.left import KEY, Mark
from harness.stacks.parts.postgres import as_conf
from harness.system import wait
from harness.system.command import CommandFailed, Commands, Done, Process, reap
from harness.system.environment import NOWHERE

if TYPE_CHECKING:
    import psycopg

SOCKET_LIMIT = 107 - len(f"/.s.PGSQL.{settings.PORT}.lock")  # bytes of a unix socket's path, Linux
AS_SERVER = {"initdb", "postgres", "pg_ctl", "pg_resetwal", "pg_rewind", "pg_upgrade", "pg_createsubscriber"}
AS_SERVER |= {"psql"}  # what a script has it do is done in there, too
OPEN = 0o711  # the server is another account, which enters the folder; what is in it is closed to all others
MADE = timedelta(minutes=5)
STOPPED = timedelta(minutes=30)  # a clean end writes all that is in memory
SOON = timedelta(seconds=60)
FROM = 'exec "$@" <"$0"'  # the shell opens the file, as us, before the program goes inside
THERE = (
    'for name in "$@"; do for of in lib lib/postgresql; do [ -e "$0/../$of/$name.so" ] && echo "$name"; done; done; :'
)


class Room(Protocol):
    """What a place is made in: namespaces of this machine, or a container."""

    isolation: str

    def bin(self) -> Path:
        """The folder of PostgreSQL's programs, as it is called inside."""

    def words(self, argv: Sequence[str], *, server: bool, env: Sequence[str] = ()) -> list[str]:
        """What runs it inside. `server`: as the server's account, with its view of the files; else as us, with ours.
        `env`: names of variables that go in."""

    def make(self, mark: Mark, kept: Sequence[Path]) -> None:
        """Make it; `kept` are the folders that are in sight inside. Errors: `Unable`, `CommandFailed`."""

    def owner(self) -> int | None:
        """Who must own the server's files; None: us."""

    def reach(self, address: str) -> str:
        """As `Place.reach`."""


class OwnPlace:
    """Fills `Place`. It makes its folder, which must not be there, or be empty."""

    def __init__(self, folder: Path, version: int, *, room: Room, commands: Commands) -> None:
        self.folder = folder.parent.resolve() / folder.name
        self.data = self.folder / "data"
        self.version = version
        self._room = room
        self._commands = commands
        self._server: Process | None = None
        self._superuser = "postgres"
        self._mark, self._sockets = _made(self.folder, commands.label)
        try:
            room.make(self._mark, [self.folder, self._sockets])
        except BaseException:
            self.remove()
            raise

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def isolation(self) -> str:
        return self._room.isolation

    def run(
        self, program: str, *words: str, within: timedelta, env: Mapping[str, str] | None = None, check: bool = True,
        stdin: Path | None = None, quiet: bool = False,
    ) -> Done:  # fmt: skip  # parameters in groups
        """What connects is told where, and as whom. Programs of the server run as its account; others as us."""
        given = {
            "PGHOST": str(self._sockets),
            "PGPORT": settings.PORT,
            "PGUSER": self._superuser,
            "PGDATABASE": "postgres",
            KEY: self._mark.key,
            **(env or {}),
        }
        if program in AS_SERVER and not self.running():
            _own(self.data, self._sockets, self._room.owner())
        argv = [str(self._room.bin() / program), *words]
        argv = self._room.words(argv, server=program in AS_SERVER, env=list(given))
        if stdin is not None:
            argv = ["sh", "-c", FROM, str(stdin), *argv]
        hint = f"read {self.log}"
        return self._commands.run(argv, within=within, env=given, check=check, quiet=quiet, hint=hint)

    def initialise(self, *words: str) -> None:
        """The superuser is `postgres`, unless the words say otherwise. Errors: `CommandFailed`."""
        self.run("initdb", "-D", str(self.data), "--username=postgres", "--auth=trust", *words, within=MADE)

    def start(self, settings_: Mapping[str, str], *, recovery: bool = False) -> None:
        """With `recovery` all settings of the original are taken out of `data` first. Where nothing is said of an
        archive, the backup must have all that it needs in it.

        Errors: `NotReady` where the server would write outside of the place; `Refused` where it runs.
        """
        if self.running():
            raise Refused("the restored server runs already", hint="stop it first")
        libraries: list[str] = []
        if recovery:
            libraries = _there(cleared.preloaded(self.data), self._room, self._commands)
            cleared.clear(self.data)
        cleared.must_stay_inside(self.data, self.folder)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        control = self.run("pg_controldata", "-D", str(self.data), within=SOON, check=False).out
        ordinary, recovering = settings.whole(
            settings_, folder=self.folder, sockets=self._sockets, version=self.version, recovery=recovery,
            control=control, libraries=libraries,
        )  # fmt: skip  # arguments in groups
        settings.write(self.folder, ordinary)
        if recovery and self.version >= settings.SIGNALLED:
            (self.data / "recovery.signal").touch()
        elif recovery:
            (self.data / "recovery.conf").write_text(as_conf(recovering))
        _own(self.data, self._sockets, self._room.owner())
        roles = cleared.superusers(self.data, self.version)
        self._superuser = roles[0] if roles and "postgres" not in roles else "postgres"
        configuration = f"config_file={self.folder / settings.CONFIGURATION}"
        argv = [str(self._room.bin() / "postgres"), "-D", str(self.data), "-c", configuration]
        self._server = self._commands.start(
            self._room.words(argv, server=True, env=[KEY]), log=self.log, env={KEY: self._mark.key}, part=False,
            keep=self._mark.started,
        )  # fmt: skip  # arguments in groups

    def running(self) -> bool:
        reap()
        return self._server is not None and self._server.running()

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """As the superuser of the cluster, whatever it is called."""
        import psycopg  # noqa: PLC0415  a quarter of a second, and it may not be installed where nothing is restored

        return psycopg.connect(
            host=str(self._sockets), port=int(settings.PORT), user=self._superuser, dbname=database,
            autocommit=True, connect_timeout=10, passfile=f"{NOWHERE}/pgpass", gssencmode="disable",
        )  # fmt: skip  # arguments in groups

    def stop(self) -> None:
        """Errors: `CommandFailed` where it does not end cleanly: it is there still, unless it died."""
        if not self.running():
            return
        seconds = str(int(STOPPED.total_seconds()))
        words = ("stop", "-D", str(self.data), "-m", "fast", "-w", "-t", seconds)
        done = self.run("pg_ctl", *words, within=STOPPED + SOON, check=False)
        if wait.poll(lambda: not self.running(), within=SOON if done.ok else timedelta(0)):
            return
        said = (done.err or done.out).strip().splitlines()
        raise CommandFailed(
            f"the restored server does not end: {said[-1] if said else 'without a word'}", hint=f"read {self.log}"
        )

    def reach(self, address: str) -> str:
        return self._room.reach(address)

    def remove(self) -> str:
        """All of it is killed: it is thrown away."""
        said = [left.end(self._mark), left.remove_files(self._mark)]
        self._server = None
        return "; ".join(words for words in said if words)


def _there(libraries: Sequence[str], room: Room, commands: Commands) -> list[str]:
    """Those of the libraries that these programs have."""
    if not libraries:
        return []
    found = commands.run(room.words(["sh", "-c", THERE, str(room.bin()), *libraries], server=False), within=SOON).out
    return [name for name in libraries if name in found.split()]


def _own(data: Path, sockets: Path, owner: int | None) -> None:
    """Give the server what it must read and write. Never what has a second name: that may be somebody else's."""
    data.chmod(0o700)
    if owner is None:
        return
    for path in (sockets, *(path for path in data.parent.iterdir() if not path.is_symlink() and path.is_dir())):
        path.chmod(0o700)
        os.chown(path, owner, owner)
        for root, folders, files in os.walk(path):
            for name in (*folders, *files):
                one = Path(root, name)
                with suppress(FileNotFoundError):  # a running server removes files
                    found = one.lstat()
                    if found.st_uid != owner and (stat.S_ISDIR(found.st_mode) or found.st_nlink == 1):
                        os.chown(one, owner, owner, follow_symlinks=False)


def _made(folder: Path, run: str) -> tuple[Mark, Path]:
    """The folder with its mark, and the folder of the socket. Errors: `Refused`, `Unable`."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise Refused(
            f"{folder} is not empty", hint="a backup is restored into an empty folder alone: name another one"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(OPEN if os.geteuid() == 0 else 0o700)
        mark = Mark.new(folder, run=run)
        (folder / "data").mkdir(mode=0o700)
        sockets = folder / "sockets"
        if len(str(sockets).encode()) > SOCKET_LIMIT:
            sockets = left.TEMPORARY / f"{temporary_prefix(run)}{secrets.token_hex(4)}"
            mark.note(sockets=str(sockets))
        sockets.mkdir(mode=0o700)
    except OSError as error:
        raise Unable(f"no place can be made in {folder}: {error.strerror}", hint="may it be written?") from None
    return mark, sockets
