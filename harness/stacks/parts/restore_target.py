"""An empty place: a PostgreSQL of its own beside a member, into which a database is restored. It serves nobody.

It never writes to the archive: `archive_command` is empty. `archive_mode` is on nevertheless, so that PostgreSQL
marks what it writes as *to be archived*: once the database is adopted, its new timeline reaches the archive whole.
Its settings lie beside the data directory, so that nothing of them is left in it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from harness.errors import DrillError, Refused
from harness.stacks.parts import proof
from harness.stacks.parts.ground import Runs, Unit
from harness.stacks.parts.logs import last_lines
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.postgres import PLACE_PORT, Roles, as_conf, dsn, logging, settings
from harness.system import wait

OFF = timedelta(0)
LONG = timedelta(minutes=30)
START_LIMIT = timedelta(minutes=2)
HBA = "local all all scram-sha-256\nhost all postgres,operator 0.0.0.0/0 scram-sha-256\n"


@dataclass
class PostgresRestoreTarget:
    """Fills the protocol Place. `folder` is on the zone's volume: `data` inside is where the backup goes."""

    folder: Path
    data: Path
    zone: str
    _member: PatroniMember
    _roles: Roles
    _unit: Unit

    @classmethod
    def make(cls, member: PatroniMember, *, roles: Roles) -> PostgresRestoreTarget:
        """An empty one on the member's volume; what an earlier one left there is removed.

        Errors: `Refused` when an earlier one still runs there.
        """
        folder, ground = member.volume / "restored", member.ground
        data = folder / "data"
        unit = ground.unit(
            f"restored-{member.zone}",
            zone=member.zone,
            runs=Runs.DATABASE,
            argv=lambda: [
                *ground.program("postgres"),
                "-D",
                str(data),
                "-c",
                f"config_file={folder / 'postgresql.conf'}",
            ],
        )
        if unit.running():
            raise Refused(f"a restored database runs in zone {member.zone} already", hint="stop it first")
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        member.own_volume()
        return cls(folder, data, member.zone, member, roles, unit)

    @property
    def log(self) -> Path:
        return self._member.database_log.with_name("restored.log")

    @property
    def dsn(self) -> str:
        return dsn(self._member.address, PLACE_PORT, role="postgres", password=self._roles.postgres)

    def words(self) -> list[str]:
        """The words before a command that must write here: in the zone, as the database's user."""
        return self._member.words()

    def recover(self, *, fetch: str, target: Mapping[str, str]) -> None:
        """Write recovery.signal and the settings, and start; `recovered` says when it is done."""
        self._configure({"restore_command": fetch, **target})
        for leftover in ("standby.signal", "postmaster.pid"):
            (self.data / leftover).unlink(missing_ok=True)
        (self.data / "recovery.signal").touch()
        self._member.own_volume()
        self.data.chmod(0o700)
        self._unit.start()

    def size(self) -> int:
        """Bytes of the files in it."""
        return sum(path.stat().st_size for path in self.data.rglob("*") if path.is_file())

    def recovered(self) -> bool:
        """Whether recovery has ended and the database takes writes.

        Errors: `DrillError` when PostgreSQL ended, with its last log lines.
        """
        if not self._unit.running():
            said = last_lines(self.log if self.log.exists() else self._unit.log)
            raise DrillError(f"the restored database has ended: {said}", hint=f"read {self.log}")
        try:
            with self.connect() as connection:
                row = connection.execute("SELECT NOT pg_is_in_recovery()").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and bool(row[0])

    def connect(self) -> psycopg.Connection[Any]:
        """As the superuser, autocommit."""
        return psycopg.connect(self.dsn, autocommit=True)

    def stop(self) -> None:
        """A clean stop: a checkpoint is written. Harmless when stopped. Errors: `CommandFailed`."""
        if self._unit.running():
            stop = ("-m", "fast", "-w", "-t", "600", "stop")
            self._member.ground.commands.run(self._words("pg_ctl", "-D", str(self.data), *stop), within=LONG)
        self._unit.kill()

    def start(self) -> None:
        """Start it again and wait until it answers. Errors: `DrillError`, `NotInTime`."""
        if not (self.data / "recovery.signal").exists():
            self._configure({})
        self._unit.start()
        wait.until(
            self.recovered,
            what="the restored database answers",
            within=START_LIMIT,
            recorder=self._member.ground.commands.recorder,
        )

    def verify_pages(self) -> str:
        """`pg_checksums --check` on the stopped database; what it counted. Errors: `CommandFailed`."""
        words = self._words("pg_checksums", "--check", "-D", str(self.data))
        counted = [
            " ".join(line.split()) for line in self._member.ground.commands.run(words, within=LONG).out.splitlines()
        ]
        return ", ".join(line for line in counted if line.startswith(("Blocks scanned", "Bad checksums")))

    def verify_structure(self) -> str:
        """On the running database; it alone can be asked to look for each row from the root of each index, too."""
        return proof.structure(self._member, "--rootdescend", port=PLACE_PORT, name="the restored database")

    def _words(self, program: str, *words: str) -> list[str]:
        return [*self._member.words(), *self._member.ground.program(program), *words]

    def _configure(self, recovery: Mapping[str, str]) -> None:
        hba = self.folder / "pg_hba.conf"
        hba.write_text(HBA)
        values = {
            **settings(archive_command="", archive_timeout=OFF),
            "listen_addresses": self._member.ground.listen(self.zone),
            "port": str(PLACE_PORT),
            "unix_socket_directories": str(self._member.sockets),
            "hba_file": str(hba),
            **logging(self.log.name),
            "log_directory": str(self.log.parent),
            **recovery,
        }
        (self.folder / "postgresql.conf").write_text(as_conf(values))
