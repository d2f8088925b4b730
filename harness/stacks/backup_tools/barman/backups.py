"""Base backups and the WAL archive by Barman's cloud tools, with digests of our own beside them: see `vault`."""

from __future__ import annotations

import gzip
import json
import shlex
import sys
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.errors import DrillError, NotReady, Refused
from harness.evidence.run_folder import temporary_prefix
from harness.stacks.backup_tools.barman import archive as archive_program
from harness.stacks.backup_tools.barman import fetch as fetch_program
from harness.stacks.backup_tools.barman import info
from harness.stacks.backup_tools.vault import Vault, must_be_empty, recorded
from harness.stacks.capabilities.backups import ArchivedFile, Backup, Branch, Damage
from harness.stacks.capabilities.database import RestoreTarget
from harness.stacks.parts import wal
from harness.stacks.parts.bucket import Stored
from harness.stacks.parts.wal import SPOOL
from harness.stacks.stand_in import NAME
from harness.system.command import Commands

BACKUP_WITHIN = timedelta(minutes=10)
RESTORE_WITHIN = timedelta(minutes=30)
# Measured with 89 MB on two cores: 3.8 s, packed by gzip 8.4 s, and not faster with a second sender.
BACKUP_OPTIONS = ("--immediate-checkpoint", "--jobs", "1")
BASES = "database-backups/base-backups"  # the plan's prefixes
WALS = "database-backups/wal-archives"
READERS = 4  # objects compared at a time; the store answers in Python, more do not make it faster


class BarmanBackups:
    """Fills `Backups`.

    `source_dsn` names the server that base backups are taken from: the leader, as a superuser. `as_database_user` puts
    before a command the words that make it run as PostgreSQL's own user, where it can read the database's files and
    reach the store. `folder` is readable by that user.
    """

    def __init__(
        self,
        *,
        vault: Vault,
        env: Mapping[str, str],
        commands: Commands,
        folder: Path,
        source_dsn: Callable[[], str],
        as_database_user: Callable[[list[str]], list[str]],
        server_name: str = NAME,
    ) -> None:
        self._vault = vault
        self._store = vault.bucket
        self._env = dict(env)
        self._server_name = server_name
        self._commands = commands
        self._source_dsn = source_dsn
        self._as_database_user = as_database_user
        self._bases = f"{BASES}/{server_name}/base/"
        self._wals = f"{WALS}/{server_name}/wals/"
        self._wal_digests = f"{vault.digests}/wal/"
        self._listed = wal.Listed()
        folder.mkdir(parents=True, exist_ok=True)
        self._settings = folder / "archive.json"
        self._settings.write_text(
            json.dumps(
                {
                    "env": self._env,
                    "bucket": self._store.name,
                    "wal_url": f"s3://{self._store.name}/{WALS}",
                    "server_name": server_name,
                    "digests": self._wal_digests.rstrip("/"),
                }
            )
        )

    # What PostgreSQL runs

    def archive_command(self) -> str:
        """For postgresql.conf, not yet quoted for it: stores one WAL file and its digest."""
        return f'{self._program(archive_program.__file__)} "%p"'

    def fetch_command(self, *, before: str = "") -> str:
        """For postgresql.conf, not yet quoted for it: fetches one WAL file; its spool is where PostgreSQL runs it.

        Where `before` names a segment, the archive ends before it.
        """
        words = f'"%f" "%p" {SPOOL} {before}'
        return f"{self.fetch_program()} {words}".rstrip()

    def fetch_program(self) -> str:
        """What the restore_command begins with; `%f %p SPOOL [BEFORE]` follow."""
        return self._program(fetch_program.__file__)

    def _program(self, file: str) -> str:
        return f"{_quoted(sys.executable)} -I {_quoted(file)} {_quoted(self._settings)}"

    # Base backups

    def take(self) -> Backup:
        """Make a base backup and record the digest of every object of it. Returns when both are stored.

        Barman asks for an immediate checkpoint, and waits until the last WAL segment that the backup needs is archived.
        Errors: `NotReady` when there is no server to back up, `CommandFailed`.
        """
        before = self._ids()
        settings = conninfo_to_dict(self._source_dsn())
        if not settings:
            raise NotReady("there is no leader to take a base backup from", hint="look at the cluster's health first")
        password = settings.pop("password", None)  # not for a command line, which is recorded
        self._barman(
            "backup",
            [*BACKUP_OPTIONS, "--dbname", make_conninfo("", **settings)],
            [f"s3://{self._store.name}/{BASES}", self._server_name],
            within=BACKUP_WITHIN,
            env={"PGPASSWORD": str(password)} if password else {},
        )
        new = sorted(self._ids() - before)
        backup = self._described(new[-1]) if new else None
        if backup is None:
            raise DrillError("barman-cloud-backup left no complete backup", hint="read what it printed, in the journal")
        self._vault.seal(backup)
        self._listed.origins = None
        return backup

    def backups(self) -> list[Backup]:
        """Oldest first, from the store alone. One whose objects are damaged or gone is listed still."""
        found = (self._described(id) for id in sorted(self._ids()))
        return [backup for backup in found if backup is not None]

    def check(self, backup: Backup) -> list[Damage]:
        """Read every object of it and compare with the digests recorded."""
        return self._vault.check(backup, prefix=f"{self._bases}{backup.id}/")

    def restore(self, backup: Backup, place: RestoreTarget) -> None:
        """Bring the base backup into the empty place, as the database's own user.

        Errors: `Refused` when the place is not empty, `CommandFailed`.
        """
        must_be_empty(place)
        self._barman(
            "restore",
            [],
            [f"s3://{self._store.name}/{BASES}", self._server_name, backup.id, str(place.data)],
            within=RESTORE_WITHIN,
        )

    def _barman(
        self, verb: str, options: list[str], words: list[str], *, within: timedelta, env: dict[str, str] | None = None
    ) -> None:
        """Barman makes a unix socket three folders below its temporary one, so that one's path must be short."""
        program = Path(sys.executable).parent / f"barman-cloud-{verb}"
        with TemporaryDirectory(prefix=temporary_prefix(self._commands.label), dir="/tmp") as temporary:
            Path(temporary).chmod(0o777)
            self._commands.run(
                self._as_database_user([str(program), "--addressing-style", "path", *options, *words]),
                within=within,
                env={**self._env, **(env or {}), "TMPDIR": temporary},
            )

    def _ids(self) -> set[str]:
        """Of everything that is, was or becomes a backup: a deleted backup.info does not hide one."""
        stored = {one.key.removeprefix(self._bases).partition("/")[0] for one in self._store.objects(self._bases)}
        return stored | self._vault.sealed()

    def _described(self, id: str) -> Backup | None:
        if known := self._vault.backup(id):
            return known
        said = self._store.find(f"{self._bases}{id}/backup.info") or b""
        return info.from_barman(id, said.decode(errors="replace"), [*self._store.objects(f"{self._bases}{id}/")])

    # The WAL archive

    def archive(self, *, since: str = "") -> list[ArchivedFile]:
        """Every file of the archive in order of name, from `since` on, each read and compared with its digest."""
        recorded = {Path(one.key).stem for one in self._store.objects(self._wal_digests)}
        stored = {_name(one.key): one for one in self._store.objects(self._wals)}
        names = sorted(name for name in {*stored, *recorded} if name >= since)
        with ThreadPoolExecutor(READERS) as pool:
            found = pool.map(lambda name: self._compared(name, stored.get(name)), names)
            return [segment for segment in found if segment is not None]

    def _compared(self, name: str, stored: Stored | None) -> ArchivedFile | None:
        facts = recorded(self._store.find(f"{self._wal_digests}{name}.json"))
        if stored is None and facts.get("state") != "stored":
            return None  # archiving it was begun, and is not finished or never was
        key = stored.key if stored else facts["key"]
        size, written = stored.size if stored else 0, wal.is_segment(name)
        if not facts:
            return ArchivedFile(name, key, size, "no digest recorded", "", written, self._past(name, key))
        wanted, found = facts["stored_sha256"], self._store.sha256(key)
        if found == wanted:
            return ArchivedFile(name, key, size or facts["stored_bytes"], "", "", written, self._past(name, key))
        versions = (
            version.id
            for version in self._store.versions(key)
            if not version.deletion and self._store.sha256(key, version=version.id) == wanted
        )
        sound = next(versions, "")
        past = self._past(name, key, version=sound) if sound else ()
        return ArchivedFile(name, key, size, "digest differs" if found else "missing", sound, written, past)

    def restore_version(self, file: ArchivedFile) -> None:
        """Make the sound earlier version of a damaged object the current one. Errors: `Refused` where there is none."""
        if not file.sound_version:
            raise Refused(f"{file.key} has no sound earlier version", hint="end the recovery before this segment")
        self._store.write(file.key, self._store.read(file.key, version=file.sound_version))

    def archived(self) -> int:
        """The position up to which everything needed for a recovery is archived, as the store lists it.

        Cheap enough to be asked often: it lists only what is new since the last time. So it does not notice that
        something older has gone or is damaged: `archive` does.
        """
        listed = self._listed
        after = f"{self._wals}{listed.last[:16]}/{listed.last}.gz" if listed.last else ""
        listed.names |= {_name(one.key) for one in self._store.objects(self._wals, after=after)}
        for name in listed.names:
            timeline = wal.history_of(name)
            if timeline and timeline not in listed.histories:
                past = self._past(name, f"{self._wals}{name}.gz")
                listed.histories |= {timeline: past} if past else {}
        if listed.origins is None:
            listed.origins = [backup.first_file for backup in self.backups()]
        return listed.complete_until()

    def _past(self, name: str, key: str, *, version: str = "") -> tuple[Branch, ...]:
        """What a history file says; () of any other file, and where it cannot be read: nobody can recover along it."""
        packed = self._store.find(key, version=version) if wal.history_of(name) else None
        try:
            return wal.branches(gzip.decompress(packed).decode()) if packed else ()
        except (OSError, EOFError, ValueError, zlib.error):
            return ()


def _name(key: str) -> str:
    """The name of an archived file, without its folder and the ending of its packing."""
    return key.rpartition("/")[2].removesuffix(".gz")


def _quoted(word: str | Path) -> str:
    """For the shell, inside a command in which PostgreSQL replaces what follows a percent sign."""
    return shlex.quote(str(word)).replace("%", "%%")
