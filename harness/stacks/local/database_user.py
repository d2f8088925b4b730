"""PostgreSQL refuses to run as root: how its programs are run on each level, and who owns its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534  # has an entry in /etc/passwd everywhere; initdb and libpq look the user up there


@dataclass(frozen=True)
class DatabaseUser:
    """`words` go before a program of the database; `owner` must own its folders (None: whoever makes them)."""

    words: tuple[str, ...]
    owner: int | None

    def own(self, folder: Path) -> None:
        """Give a folder, and what is in it, to the database's user."""
        if self.owner is None:
            return
        os.chown(folder, self.owner, self.owner)
        for root, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(Path(root, name), self.owner, self.owner, follow_symlinks=False)


def database_user(level: str) -> DatabaseUser:
    """The database's user on a level, for the user we are.

    - rootless: a user namespace inside the sandbox, in which we are not called root. Files need no other owner.
    - as root elsewhere: another uid, which keeps the one capability that opens folders of ours (CAP_DAC_OVERRIDE),
      so that it works below a home folder that only root may enter.
    - as an ordinary user on loopback: nothing.
    """
    if level == "rootless":
        return DatabaseUser(("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"), None)
    if os.geteuid() != 0:
        return DatabaseUser((), None)
    words = (
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--",
    )
    return DatabaseUser(words, NOBODY)
