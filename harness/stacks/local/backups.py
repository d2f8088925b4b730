"""Base backups and the WAL archive of the embedded stack, by Barman's cloud tools, with digests of our own beside them.

Barman restores a backup with a flipped byte without a word, so every object's SHA-256 is recorded when it is made,
under `database-backups/digests/` of the same bucket, and compared before anything is restored.
"""

from __future__ import annotations

import gzip
import json
import shlex
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.command import Commands
from harness.errors import DrillError, NotReady, Refused
from harness.stacks import ArchivedSegment, Backup, Damage, Place, wal
from harness.stacks.local import archive as archive_program
from harness.stacks.local import backup_info
from harness.stacks.local import fetch as fetch_program
from harness.stacks.local.bucket import Stored
from harness.stacks.local.s3 import S3Server

SPOOL = "fetched_wal"  # in the folder that `restore_command` runs in: what it fetched ahead and nobody asked for yet
BACKUP_WITHIN = timedelta(minutes=10)
RESTORE_WITHIN = timedelta(minutes=30)
# Measured with 89 MB on two cores: 3.8 s, packed by gzip 8.4 s, and not faster with a second sender.
BACKUP_OPTIONS = ("--immediate-checkpoint", "--jobs", "1")
READERS = 4  # objects compared at a time; the store answers in Python, more do not make it faster


def temporary_prefix(label: str) -> str:
    """What the names of a run's temporary folders in /tmp begin with: short, and its own."""
    return f"drd-{label[-11:]}-"


class BarmanBackups:
    """Fills `Backups`.

    `source_dsn` names the server that base backups are taken from: the leader, as a superuser. `as_database_user` puts
    before a command the words that make it run as PostgreSQL's own user, where it can read the database's files and
    reach the store. `folder` is readable by that user.
    """

    def __init__(
        self,
        *,
        server: S3Server,
        commands: Commands,
        folder: Path,
        source_dsn: Callable[[], str],
        as_database_user: Callable[[list[str]], list[str]],
        base_prefix: str = "database-backups/base-backups",
        wal_prefix: str = "database-backups/wal-archives",
        digest_prefix: str = "database-backups/digests",
        aside_prefix: str = "drill-set-aside",
        server_name: str = "quantumnest",
    ) -> None:
        self.bucket = server.bucket.name
        self.base_prefix = base_prefix
        self.wal_prefix = wal_prefix
        self._store = server.bucket
        self._env = server.env()
        self._server_name = server_name
        self._commands = commands
        self._source_dsn = source_dsn
        self._as_database_user = as_database_user
        self._bases = f"{base_prefix}/{server_name}/base/"
        self._wals = f"{wal_prefix}/{server_name}/wals/"
        self._base_digests = f"{digest_prefix}/base/"
        self._wal_digests = f"{digest_prefix}/wal/"
        self._aside = f"{aside_prefix}/"
        self._listed = wal.Listed()
        folder.mkdir(parents=True, exist_ok=True)
        self._settings = folder / "archive.json"
        self._settings.write_text(
            json.dumps(
                {
                    "env": self._env,
                    "bucket": self.bucket,
                    "wal_url": f"s3://{self.bucket}/{wal_prefix}",
                    "server_name": server_name,
                    "digests": self._wal_digests.rstrip("/"),
                }
            )
        )

    # What PostgreSQL runs

    def archive_command(self) -> str:
        """For postgresql.conf, not yet quoted for it: stores one WAL file and its digest."""
        return f'{self._program(archive_program.__file__)} "%p"'

    def restore_command(self, *, before: str = "") -> str:
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
            [f"s3://{self.bucket}/{self.base_prefix}", self._server_name],
            within=BACKUP_WITHIN,
            env={"PGPASSWORD": str(password)} if password else {},
        )
        new = sorted(self._ids() - before)
        backup = self._described(new[-1]) if new else None
        if backup is None:
            raise DrillError("barman-cloud-backup left no complete backup", hint="read what it printed, in the journal")
        digests = {key: self._store.sha256(key) for key in backup.objects}
        self._store.write(f"{self._base_digests}{backup.id}.json", backup_info.record(backup, digests))
        self._listed.origins = None
        return backup

    def backups(self) -> list[Backup]:
        """Oldest first, from the store alone. One whose objects are damaged or gone is listed still."""
        found = (self._described(id) for id in sorted(self._ids()))
        return [backup for backup in found if backup is not None]

    def check(self, backup: Backup) -> list[Damage]:
        """Read every object of it and compare with the digests recorded."""
        recorded = self._digests(backup.id)
        stored = {one.key for one in self._store.objects(f"{self._bases}{backup.id}/")}

        def damage(key: str) -> str:
            if key not in recorded:
                return "no digest recorded"
            if key not in stored:
                return "missing"
            return "" if self._store.sha256(key) == recorded[key] else "digest differs"

        keys = sorted(stored | set(recorded) | set(backup.objects))
        return [Damage(key, what) for key, what in zip(keys, map(damage, keys), strict=True) if what]

    def restore(self, backup: Backup, place: Place) -> None:
        """Bring the base backup into the empty place, as the database's own user.

        Errors: `Refused` when the place is not empty, `CommandFailed`.
        """
        if place.data.exists() and any(place.data.iterdir()):
            raise Refused(
                f"{place.data} is not empty: a backup is never restored over something",
                hint="make a new empty place, or move what is there aside",
            )
        self._barman(
            "restore",
            [],
            [f"s3://{self.bucket}/{self.base_prefix}", self._server_name, backup.id, str(place.data)],
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
        recorded = {one.key.removeprefix(self._base_digests) for one in self._store.objects(self._base_digests)}
        return stored | {name.removesuffix(".json") for name in recorded}

    def _described(self, id: str) -> Backup | None:
        facts = backup_info.recorded(self._store.find(f"{self._base_digests}{id}.json"))
        if facts:
            return backup_info.from_record(facts)
        info = self._store.find(f"{self._bases}{id}/backup.info") or b""
        return backup_info.from_barman(id, info.decode(errors="replace"), [*self._store.objects(f"{self._bases}{id}/")])

    def _digests(self, id: str) -> dict[str, str]:
        return dict(backup_info.recorded(self._store.find(f"{self._base_digests}{id}.json")).get("sha256", {}))

    # The WAL archive

    def archive(self, *, since: str = "") -> list[ArchivedSegment]:
        """Every file of the archive in order of name, from `since` on, each read and compared with its digest."""
        recorded = {Path(one.key).stem for one in self._store.objects(self._wal_digests)}
        stored = {_name(one.key): one for one in self._store.objects(self._wals)}
        names = sorted(name for name in {*stored, *recorded} if name >= since)
        with ThreadPoolExecutor(READERS) as pool:
            found = pool.map(lambda name: self._compared(name, stored.get(name)), names)
            return [segment for segment in found if segment is not None]

    def _compared(self, name: str, stored: Stored | None) -> ArchivedSegment | None:
        facts = backup_info.recorded(self._store.find(f"{self._wal_digests}{name}.json"))
        if stored is None and facts.get("state") != "stored":
            return None  # archiving it was begun, and is not finished or never was
        key = stored.key if stored else facts["key"]
        size = stored.size if stored else 0
        if not facts:
            return ArchivedSegment(name, key, size, "no digest recorded", "", self._past(name, key))
        wanted, found = facts["stored_sha256"], self._store.sha256(key)
        if found == wanted:
            return ArchivedSegment(name, key, size or facts["stored_bytes"], "", "", self._past(name, key))
        versions = (
            version.id
            for version in self._store.versions(key)
            if not version.deletion and self._store.sha256(key, version=version.id) == wanted
        )
        sound = next(versions, "")
        past = self._past(name, key, version=sound) if sound else ()
        return ArchivedSegment(name, key, size, "digest differs" if found else "missing", sound, past)

    def restore_version(self, segment: ArchivedSegment) -> None:
        """Make the sound earlier version of a damaged object the current one. Errors: `Refused` where there is none."""
        if not segment.sound_version:
            raise Refused(f"{segment.key} has no sound earlier version", hint="end the recovery before this segment")
        self._store.write(segment.key, self._store.read(segment.key, version=segment.sound_version))

    def archived(self) -> str:
        """The LSN up to which everything needed for a recovery is archived, as the store lists it.

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
            listed.origins = [backup.begin_segment for backup in self.backups()]
        return wal.lsn(listed.complete_until())

    def _past(self, name: str, key: str, *, version: str = "") -> tuple[wal.Branch, ...]:
        """What a history file says; () of any other file, and where it cannot be read: nobody can recover along it."""
        packed = self._store.find(key, version=version) if wal.history_of(name) else None
        try:
            return wal.branches(gzip.decompress(packed).decode()) if packed else ()
        except (OSError, EOFError, ValueError, zlib.error):
            return ()

    # For faults

    def read(self, key: str) -> bytes:
        """What is stored at a key. Errors: `Refused` where nothing is."""
        return self._store.read(key)

    def size_of(self, key: str) -> int:
        """Bytes as stored; 0 where there is no such object."""
        stored = self._store.current(key)
        return stored.size if stored else 0

    def current_version(self, key: str) -> str:
        """Id of the version that a reader gets now; "" where there is none or it is deleted."""
        stored = self._store.current(key)
        return stored.version if stored else ""

    def damage(self, key: str, content: bytes | None, *, keep_versions: bool) -> str:
        """Put other bytes at a key, or delete it where `content` is None; returns the version that was current before.

        Where the earlier versions are destroyed too, what was current is set aside under a prefix that no recovery
        reads, so that the damage can be undone. Errors: `Refused` where nothing is stored.
        """
        before = self.current_version(key)
        if not before:
            raise Refused(f"no object {key} in bucket {self.bucket}", hint="list the backups and the archive")
        if not keep_versions:
            self._store.write(f"{self._aside}{before}", self._store.read(key))
            for version in self._store.versions(key):
                self._store.delete(key, version=version.id)
        if content is not None:
            self._store.write(key, content)
        elif keep_versions:
            self._store.delete(key)
        return before

    def undo_damage(self, key: str, version: str) -> None:
        """Store again what `version` was; harmless where that is what is stored."""
        kept = any(one.id == version for one in self._store.versions(key))
        wanted = self._store.find(key, version=version) if kept else self._store.find(f"{self._aside}{version}")
        if wanted is None:
            raise Refused(f"{key} has no version {version}", hint="heal with the version that the damage returned")
        if self._store.find(key) != wanted:
            self._store.write(key, wanted)


def _name(key: str) -> str:
    """The name of an archived file, without its folder and the ending of its packing."""
    return key.rpartition("/")[2].removesuffix(".gz")


def _quoted(word: str | Path) -> str:
    """For the shell, inside a command in which PostgreSQL replaces what follows a percent sign."""
    return shlex.quote(str(word)).replace("%", "%%")
