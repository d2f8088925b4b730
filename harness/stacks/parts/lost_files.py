"""Files that a PostgreSQL server loses while it runs: they are moved aside, beside its volume.

What it holds open it goes on with. So it finds out when it next opens one, and that may be minutes later: it is asked
at once for what needs them, a checkpoint or the next segment of its log.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from harness.errors import NotReady
from harness.stacks.capabilities.database import FilesLost
from harness.system import control_files
from harness.system.clock import Moment, around, spanning
from harness.system.durable import sync_folder

PLACES: Mapping[FilesLost, str] = {"control file": "global/pg_control", "log of changes": "pg_wal"}
NEEDS: Mapping[FilesLost, str] = {"control file": "CHECKPOINT", "log of changes": "SELECT pg_switch_wal()"}
PATIENCE = 10  # seconds for a connection
RECORD = "lost.json"


@dataclass(frozen=True)
class LostFiles:
    """Of one server. `aside`: a folder beside its volume; `dsn`: how it is asked as a superuser.

    `made`: what tells its data from data that is made anew in its place; it raises `NotReady` where there is none.
    """

    data: Path
    aside: Path
    dsn: str
    made: Callable[[], str]

    def lose(self, which: FilesLost) -> Moment | None:
        """Errors: `NotReady` where the server has no data."""
        there, kept = self.data / PLACES[which], self._kept(which)
        if not there.exists():
            return None
        shutil.rmtree(self._folder(which), ignore_errors=True)  # of data that was made anew since
        self._folder(which).mkdir(mode=0o700, parents=True)
        record = {"directory": self.made(), "file": there.stat().st_ino}
        control_files.leave(self._folder(which) / RECORD, record)
        gone = around(lambda: there.rename(kept), by=f"the kernel: the rename of {there.name}")
        sync_folder(there.parent)
        return spanning(
            [gone, around(lambda: self._need(which), by=f"{there.name} is needed, and the server's answer")]
        )

    def lost(self, which: FilesLost) -> str:
        record = self._record(which)
        if record is None:
            return ""
        try:
            if self.made() != record["directory"]:
                return ""
        except NotReady:
            return "the server has no data at all now"
        there = self.data / PLACES[which]
        if not there.exists():
            return f"{there.name} is gone"
        if there.stat().st_ino != record["file"]:
            return f"{there.name} is another one than was lost: nobody knows whether it fits"
        return ""

    def put_back(self, which: FilesLost) -> Moment | None:
        record, moment = self._record(which), None
        if record is None:
            return None
        there = self.data / PLACES[which]
        with suppress(NotReady):
            if self.made() == record["directory"] and not there.exists():
                moment = around(lambda: self._kept(which).rename(there), by=f"the kernel: the rename of {there.name}")
                sync_folder(there.parent)
        return moment

    def _need(self, which: FilesLost) -> None:
        """The server dies of it: then nothing more can be asked."""
        with suppress(psycopg.Error), psycopg.connect(self.dsn, autocommit=True, connect_timeout=PATIENCE) as asked:
            asked.execute(NEEDS[which].encode())

    def _folder(self, which: FilesLost) -> Path:
        return self.aside / which.replace(" ", "-")

    def _kept(self, which: FilesLost) -> Path:
        return self._folder(which) / Path(PLACES[which]).name

    def _record(self, which: FilesLost) -> dict[str, Any] | None:
        return control_files.read(self._folder(which) / RECORD)
