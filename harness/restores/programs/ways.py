"""How programs of a restore are kept apart on this machine: found by really trying, once.

Three ways, best first: `privileged` (namespaces as root; the server as another account), `rootless` (a user namespace
of our own), and `none`, where the machine allows no namespace: then nothing is read-only and nothing is kept from the
network, and whoever asks is told so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.errors import Unable
from harness.stacks.local import sandbox_init
from harness.stacks.local.database_user import NOBODY
from harness.system.environment import handed_on

HERE = Path(__file__).parent
ALONE = (sys.executable, "-I", "-S")  # Python, for a file that needs nothing but itself
ENV = Path("/usr/bin/env")  # a program that everybody may run
PATIENCE = 30.0  # seconds for one try
NAMESPACES = ("--net", "--mount", "--pid", "--ipc")
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
# What the account may besides: nothing; enter folders of ours, where the place lies in one; where even that is refused
# to us, open all files.
# Root without all of its rights cannot see what another account's process carries: its parent is ours, and carries it.
FOUND = ("sh", "-c", '"$@"; exit $?', "sh")
ENTERS = 'cd "$1" && exec "$2" --version'
RIGHTS = ((), ("dac_read_search",), ("dac_override",))


@dataclass(frozen=True)
class Way:
    """`why`: how each better way failed, in the system's words; empty where there is none."""

    name: str
    why: str = ""

    @property
    def apart(self) -> bool:
        return self.name != "none"

    def holder(self, kept: Sequence[Path], *, reads: Sequence[Path], trying: bool = False) -> list[str]:
        """What holds the namespaces of a place, and ends with all that is in them. Only `kept` is written in there; of
        what is no part of the system, only that and `reads` is in sight."""
        user = ["--user", "--map-root-user"] if self.name == "rootless" else []
        first = [*ALONE, str(Path(sandbox_init.__file__)), "--", *ALONE, str(HERE / "holder.py")]
        tried = ["--try"] if trying else []
        return ["unshare", *user, *NAMESPACES, *first, *tried, *map(str, kept), "--", *map(str, reads)]

    def join(self, holder: int, *, view: bool) -> list[str]:
        """What goes before a command that runs in there. `view`: it sees the files as the server does, too.

        Errors: `Unable` where the holder is gone.
        """
        try:
            first = Path(f"/proc/{holder}/task/{holder}/children").read_text(encoding="ascii").split()[0]
        except (OSError, IndexError):
            raise Unable("the namespaces of the place are gone", hint="somebody ended them: restore again") from None
        user = ["--user", "--preserve-credentials"] if self.name == "rootless" else []
        spaces = [space for space in NAMESPACES if view or space != "--mount"]
        return ["nsenter", f"--target={first}", *user, *spaces, "--wd=/", "--"]

    def account(self, folder: Path, program: Path) -> tuple[list[str], int | None]:
        """The words before PostgreSQL's server, which refuses root, and who must own its files (None: us).

        It must be able to enter the folder and to run the program. Errors: `Unable` where no account can.
        """
        if self.name == "rootless":
            return ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"], None
        if os.geteuid() != 0:
            return [], None
        why = ""
        for rights in RIGHTS:
            some = [f"--{kind}-caps=+{right}" for right in rights for kind in ("inh", "ambient")]
            words = [*AS_NOBODY, *some, "--"]
            why = _failed([*words, "sh", "-c", ENTERS, "sh", str(folder), str(program)])
            if not why:
                return [*([] if self.apart else FOUND), *words], NOBODY
        raise Unable(
            f"the account {NOBODY} cannot run PostgreSQL in {folder}: {why}",
            hint="it does not run as root: name a `folder` that everybody may enter, or run as an ordinary user",
        )

    def tool(self, reads: Sequence[Path], *, network: bool) -> list[str]:
        """What goes before a tool: it cannot write `reads`, and reaches nothing without `network`."""
        if not self.apart or (not reads and network):
            return []
        user = ["--user", "--map-root-user"] if self.name == "rootless" else []
        spaces = ["--mount", *([] if network else ["--net"])]
        again = [] if self.name == "privileged" else _ourselves()
        paths = [str(path) for path in reads]
        return ["unshare", *user, *spaces, *ALONE, str(HERE / "enclosed.py"), *paths, "--", *again]


NO_WAY = Way("none")


def _ourselves() -> list[str]:
    """In a user namespace where we are called root: back to who we are, without a right over the mounts."""
    return ["unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}", "--"]


@cache
def best_way() -> Way:
    """The best way that holds here."""
    whys: list[str] = []
    for name in ("privileged", "rootless"):
        failed = _tried(Way(name))
        if not failed:
            return Way(name, "; ".join(whys))
        whys.append(f"{name}: {failed}")
    return Way("none", "; ".join(whys))


def _tried(way: Way) -> str:
    """What keeps this way from being gone; empty where nothing does."""
    if way.name == "privileged" and os.geteuid() != 0:
        return "not root"
    return (
        _failed(way.holder([], reads=[HERE], trying=True))
        or _failed([*way.tool([HERE], network=False), "test", "!", "-w", str(HERE / "ways.py")])
        or _accountless(way)
    )


def _accountless(way: Way) -> str:
    try:
        way.account(Path("/"), ENV)
    except Unable as error:
        return error.message
    return ""


def _failed(words: Sequence[str]) -> str:
    try:
        ended = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False,
            start_new_session=True, env=handed_on(),
        )  # fmt: skip  # arguments in groups
    except subprocess.TimeoutExpired:
        return f"no answer within {PATIENCE:g} s"
    except OSError as error:
        return f"{words[0]}: {error.strerror}"
    said = (ended.stdout + ended.stderr).strip().splitlines()
    return "" if ended.returncode == 0 else said[-1] if said else f"exited {ended.returncode} without a word"
