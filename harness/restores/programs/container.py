"""A place made in a container without a network. Its folder is mounted at the same path, with the socket file in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from harness.errors import Unable
from harness.restores.programs.left import LABEL, Mark
from harness.restores.programs.process import addresses
from harness.stacks.local.database_user import NOBODY
from harness.system.command import Commands

ISOLATION = "a container without a network, in which no other file of this machine is in sight"
MADE = timedelta(minutes=2)
PATIENCE = 3  # seconds that a connection may take
TRIED = timedelta(seconds=60)
PASSWD = "passwd"  # file: PostgreSQL looks up who it runs as, and the image need not know us
# As libpq has them, to the words for it; whatever else it says, somebody has taken the connection.
NOT_TAKEN = {
    "Connection refused": "refused",
    "Network is unreachable": "Network is unreachable",
    "No route to host": "No route to host",
    "timeout expired": f"nothing within {PATIENCE} s",
    "could not translate host name": "no such name",
    "No such file or directory": "No such file or directory",
    "Cannot assign requested address": "Cannot assign requested address",
}


class ContainerRoom:
    """Fills `Room`."""

    isolation = ISOLATION

    def __init__(self, image: str, bin_: Path, *, labels: Sequence[str], commands: Commands) -> None:
        self._image = image
        self._bin = bin_
        self._labels = labels
        self._commands = commands
        self._container = ""
        self._owner = NOBODY if os.geteuid() == 0 else None

    def bin(self) -> Path:
        return self._bin

    def words(self, argv: Sequence[str], *, server: bool, env: Sequence[str] = ()) -> list[str]:
        given = [word for name in env for word in ("--env", name)]
        user = self._account() if server else _ourselves()
        return ["docker", "exec", "--interactive", *given, "--user", user, self._container, *argv]

    def make(self, mark: Mark, kept: Sequence[Path]) -> None:
        mark.note(containers=True)
        user, group = self._account().split(":")
        passwd = mark.folder / PASSWD
        passwd.write_text(f"root:x:0:0::/:/bin/sh\npostgres:x:{user}:{group}::/nonexistent:/bin/sh\n")
        passwd.chmod(0o644)
        elsewhere = [path for path in kept if not path.is_relative_to(mark.folder)]
        # Root of the container, that we are where we are root, enters folders of the server's account.
        rights = ["--cap-drop", "ALL", *(["--cap-add", "DAC_OVERRIDE"] if os.geteuid() == 0 else [])]
        words = [
            "docker", "run", "--detach", "--rm", "--pull", "never", "--network", "none", "--user", _ourselves(),
            *self._labels, "--label", f"{LABEL}={mark.key}", *rights, "--security-opt", "no-new-privileges",
            "--security-opt", "label=disable", "--read-only", "--tmpfs", "/tmp", "--workdir", "/", "--env", "TZ=UTC",
            "--env", "LC_ALL=C.UTF-8", *bound(mark.folder), *(word for path in elsewhere for word in bound(path)),
            *bound(passwd, target=Path("/etc/passwd"), read_only=True),
            "--entrypoint", "sleep", self._image, "infinity",
        ]  # fmt: skip  # arguments in groups
        self._container = self._commands.run(words, within=MADE, hint="does `docker info` answer?").out.strip()
        self._must_share_files(kept[-1])

    def owner(self) -> int | None:
        return self._owner

    def reach(self, address: str) -> str:
        """By psql, which every image with PostgreSQL has: it says what the network said, or that somebody answered."""
        found = []
        for each in addresses(address):
            host, _, port = (each, "", "5432") if each.startswith("/") else each.rpartition(":")
            where = f"host='{host}' port={port} connect_timeout={PATIENCE} user=postgres sslmode=disable"
            words = self.words([str(self._bin / "psql"), where, "-Xqc", "SELECT 1"], server=False)
            done = self._commands.run(words, within=TRIED, check=False, quiet=True)
            found.append(next((said for word, said in NOT_TAKEN.items() if word in done.err), "taken"))
        return "taken" if "taken" in found else "; ".join(dict.fromkeys(found))

    def _account(self) -> str:
        return f"{NOBODY}:{NOBODY}" if os.geteuid() == 0 else _ourselves()

    def _must_share_files(self, folder: Path) -> None:
        """Errors: `Unable` where the engine is another machine's, or gives what it makes to somebody else."""
        if self._owner is not None:
            os.chown(folder, self._owner, self._owner)
        tried = folder / "tried"
        self._commands.run(self.words(["touch", str(tried)], server=True), within=MADE)
        user = tried.stat().st_uid if tried.exists() else None
        tried.unlink(missing_ok=True)
        if user != (self._owner if self._owner is not None else os.geteuid()):
            raise Unable(
                "a container's files are not ours" if user is not None else "a container does not see our files",
                hint="use an engine of this machine that is not rootless, or leave `image` out",
            )


def _ourselves() -> str:
    return f"{os.geteuid()}:{os.getegid()}"


def bound(path: Path, *, target: Path | None = None, read_only: bool = False) -> list[str]:
    """The words that mount a path of this machine, at the same path where nothing else is said."""
    fields = ["type=bind", f"source={path}", f"target={target or path}", *(["readonly"] if read_only else [])]
    quoted = [f'"{field.replace(chr(34), chr(34) * 2)}"' if set(field) & {",", '"'} else field for field in fields]
    return ["--mount", ",".join(quoted)]
