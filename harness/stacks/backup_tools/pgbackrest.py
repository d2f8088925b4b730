"""Base backups and the WAL archive by pgBackRest, with digests of the base backups' objects recorded beside them.

pgBackRest names an archived segment by the SHA-1 of what PostgreSQL wrote (`<segment>-<sha1>.gz`), so a segment is
checked against its own name. `pgbackrest verify` is not asked: it exits 0 with a repository that it cannot reach.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.errors import DrillError, NotReady, Refused
from harness.stacks.backup_tools.vault import Vault, must_be_empty
from harness.stacks.capabilities.backups import ArchivedFile, Backup, Branch, Damage
from harness.stacks.capabilities.database import Member, RestoreTarget
from harness.stacks.parts import wal
from harness.stacks.stand_in import NAME
from harness.system.command import Commands

STANZA = NAME
CONFIGURATION = "/etc/pgbackrest.conf"  # where the program looks, in every container of the database
BACKUP_WITHIN = timedelta(minutes=10)
RESTORE_WITHIN = timedelta(minutes=30)
READERS = 4
CANNOT_GO_ON = 200  # PostgreSQL ends a recovery on what is above 125, and takes what is below for the archive's end
SEGMENT = re.compile(r"([0-9A-F]{24})-([0-9a-f]{40})\.gz")
OTHER = re.compile(r"([0-9A-F]{8}\.history|[0-9A-F]{24}\.[0-9A-F]{8}\.backup)(\.gz)?")


def configuration(*, data: Path, sockets: Path, port: int, host: str, store_port: int, bucket: str, ca: Path,
                  credentials: Mapping[str, str], region: str) -> str:  # fmt: skip  # parameters in groups
    """`pgbackrest.conf` of one database server."""
    return f"""\
[global]
repo1-type=s3
repo1-path=/database-backups
repo1-s3-bucket={bucket}
repo1-s3-endpoint={host}
repo1-s3-region={region}
repo1-s3-key={credentials["AWS_ACCESS_KEY_ID"]}
repo1-s3-key-secret={credentials["AWS_SECRET_ACCESS_KEY"]}
repo1-s3-uri-style=path
repo1-storage-port={store_port}
repo1-storage-ca-file={ca}
repo1-bundle=y
repo1-retention-full=99
compress-type=gz
compress-level=1
process-max=2
start-fast=y
archive-timeout=60
io-timeout=20
lock-path=/tmp/pgbackrest
spool-path=/tmp/pgbackrest
log-level-console=info
log-level-file=off
log-timestamp=n
[{STANZA}]
pg1-path={data}
pg1-port={port}
pg1-socket-path={sockets}
pg1-user=postgres
"""


class PgBackRest:
    """Fills `Backups`.

    `leader` is the server that base backups are taken from. `words` puts before a command what makes it run in a zone,
    as the database's own user.
    """

    base_prefix = f"database-backups/backup/{STANZA}"
    wal_prefix = f"database-backups/archive/{STANZA}"

    def __init__(
        self,
        *,
        vault: Vault,
        commands: Commands,
        leader: Callable[[], Member | None],
        words: Callable[[str], list[str]],
        password: str,
    ) -> None:
        self._vault = vault
        self._commands = commands
        self._leader = leader
        self._words = words
        self._password = password
        self._listed = wal.Listed()

    def archive_command(self) -> str:
        """For postgresql.conf: stores one WAL file."""
        return f'pgbackrest --stanza={STANZA} --log-level-console=warn archive-push "%p"'

    def fetch_command(self, *, before: str = "") -> str:
        """For postgresql.conf: fetches one WAL file; nothing from segment `before` on, where given.

        pgBackRest wants a data directory to know whose archive it is: the one it runs in, or else the server's own.
        Whatever else goes wrong than that the file is not there ends the recovery, and is never taken for the end of
        the archive.
        """
        ends = f'n=%f; [ ${{#n}} != 24 ] || [ "${{n#????????}}" \\< {before[8:]} ] || exit 1; ' if before else ""
        where = 'if [ -f global/pg_control ]; then set -- --pg1-path="$PWD"; fi'
        get = f'pgbackrest --stanza={STANZA} --log-level-console=warn "$@" archive-get %f "$PWD/%p"'
        return f"{ends}{where}; {get}; c=$?; [ $c -le 1 ] && exit $c; exit {CANNOT_GO_ON}"

    def prepare(self) -> None:
        """Make the stanza; harmless where it is there. Errors: `CommandFailed`, `NotReady` where nobody leads."""
        self._run("stanza-create", zone=self._leading(), within=BACKUP_WITHIN)

    def revive(self, zone: str) -> None:
        """Make the stanza of a store that has lost it, by the files of this zone's server, which may be down. Harmless
        where it is there. Errors: `CommandFailed`."""
        if self._vault.bucket.find(f"{self.wal_prefix}/archive.info") is None:
            self._run("--no-online", "stanza-create", zone=zone, within=BACKUP_WITHIN)

    # Base backups

    def take(self) -> Backup:
        """Make a full base backup and record the digest of every object of it. Returns when both are stored.

        pgBackRest waits until the last WAL segment that the backup needs is archived.
        Errors: `NotReady` when there is no server to back up, `CommandFailed`.
        """
        if self._vault.bucket.find(f"{self.wal_prefix}/archive.info") is None:
            self.prepare()  # the store has lost all that it had
        before = set(self._known())
        self._run("--type=full", "backup", zone=self._leading(), within=BACKUP_WITHIN)
        new = sorted(set(self._known()) - before)
        if not new:
            raise DrillError("pgbackrest left no complete backup", hint="read what it printed, in the journal")
        backup = self._described(new[-1], self._known()[new[-1]])
        self._vault.seal(backup)
        self._listed.origins = None
        return backup

    def backups(self) -> list[Backup]:
        """Oldest first, from the store alone. One whose objects are damaged or gone is listed still."""
        known = self._known()
        found = {id: self._vault.backup(id) or self._described(id, known[id]) for id in known}
        for id in self._vault.sealed() - set(known):
            if backup := self._vault.backup(id):
                found[id] = backup
        return [found[id] for id in sorted(found)]

    def check(self, backup: Backup) -> list[Damage]:
        """Read every object of it and compare with the digests recorded."""
        return self._vault.check(backup, prefix=f"{self.base_prefix}/{backup.id}/")

    def restore(self, backup: Backup, place: RestoreTarget) -> None:
        """Bring the base backup into the empty place, as the database's own user.

        Errors: `Refused` when the place is not empty, `CommandFailed`.
        """
        must_be_empty(place)
        self._commands.run([*self._words(place.zone), "mkdir", "--parents", "--mode=700", str(place.data)])
        where = [f"--set={backup.id}", f"--pg1-path={place.data}", "--type=none"]
        self._run(*where, "restore", zone=place.zone, within=RESTORE_WITHIN)

    def _run(self, *words: str, zone: str, within: timedelta) -> None:
        argv = [*self._words(zone), "pgbackrest", f"--stanza={STANZA}", *words]
        self._commands.run(argv, within=within, env={"PGPASSWORD": self._password})

    def _leading(self) -> str:
        leader = self._leader()
        if leader is None:
            raise NotReady("there is no leader to take a base backup from", hint="look at the cluster's health first")
        return leader.zone

    def _known(self) -> dict[str, dict[str, Any]]:
        """What pgBackRest's own list says of every complete backup; {} where the list cannot be read."""
        text = (self._vault.bucket.find(f"{self.base_prefix}/backup.info") or b"").decode(errors="replace")
        section = text.partition("[backup:current]\n")[2].partition("\n[")[0]
        lines = (line.partition("=") for line in section.splitlines() if "=" in line)
        try:
            return {id: json.loads(facts) for id, _, facts in lines}
        except ValueError:
            return {}

    def _described(self, id: str, facts: Mapping[str, Any]) -> Backup:
        objects = [*self._vault.bucket.objects(f"{self.base_prefix}/{id}/")]
        return Backup(
            id=id,
            began=datetime.fromtimestamp(facts["backup-timestamp-start"], UTC),
            ended=datetime.fromtimestamp(facts["backup-timestamp-stop"], UTC),
            first_file=facts["backup-archive-start"],
            begin=wal.position(facts["backup-lsn-start"]),
            end=wal.position(facts["backup-lsn-stop"]),
            objects=tuple(sorted(one.key for one in objects)),
            size=sum(one.size for one in objects),
        )

    # The WAL archive

    def archive(self, *, since: str = "") -> list[ArchivedFile]:
        """Every file of the archive in order of name, from `since` on, each read and compared with its name's digest.

        A file that was deleted is listed as missing as long as the bucket keeps its versions.
        """
        keys = {key for key in self._vault.bucket.ever(f"{self.wal_prefix}/") if (_name(key) or "") >= (since or "0")}
        with ThreadPoolExecutor(READERS) as pool:
            return sorted(pool.map(self._compared, sorted(keys)), key=lambda file: file.name)

    def _compared(self, key: str) -> ArchivedFile:
        bucket, name = self._vault.bucket, _name(key)
        found = bucket.find(key)
        if found is not None and _sound(key, found):
            return ArchivedFile(name, key, len(found), "", "", wal.is_segment(name), _past(name, found))
        for version in bucket.versions(key):
            before = None if version.deletion else bucket.find(key, version=version.id)
            if _sound(key, before):
                sound, past = version.id, _past(name, before)
                break
        else:
            sound, past = "", ()
        damage = "digest differs" if found else "missing"
        return ArchivedFile(name, key, len(found or b""), damage, sound, wal.is_segment(name), past)

    def restore_version(self, file: ArchivedFile) -> None:
        """Make the sound earlier version of a damaged object the current one. Errors: `Refused` where there is none."""
        if not file.sound_version:
            raise Refused(f"{file.key} has no sound earlier version", hint="end the recovery before this segment")
        bucket = self._vault.bucket
        bucket.write(file.key, bucket.read(file.key, version=file.sound_version))

    def archived(self) -> int:
        """The position up to which everything needed for a recovery is archived, as the store lists it.

        It does not notice that something older has gone or is damaged: `archive` does.
        """
        bucket, listed = self._vault.bucket, self._listed
        for one in bucket.objects(f"{self.wal_prefix}/"):
            name = _name(one.key)
            if name:
                listed.names.add(name)
            timeline = wal.history_of(name)
            if timeline and timeline not in listed.histories:
                past = _past(name, bucket.find(one.key))
                listed.histories |= {timeline: past} if past else {}
        if listed.origins is None:
            listed.origins = [backup.first_file for backup in self.backups()]
        return listed.complete_until()


def _name(key: str) -> str:
    """The name of the WAL file that is archived at a key; "" where it is none."""
    file = key.rpartition("/")[2]
    found = SEGMENT.fullmatch(file) or OTHER.fullmatch(file)
    return found.group(1) if found else ""


def _past(name: str, content: bytes | None) -> tuple[Branch, ...]:
    """What a history file says; () of any other file, and where it cannot be read."""
    try:
        return wal.branches(_plain(content).decode()) if content and wal.history_of(name) else ()
    except (OSError, EOFError, ValueError, zlib.error):
        return ()


def _plain(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def _sound(key: str, content: bytes | None) -> bool:
    """Whether the bytes are what PostgreSQL wrote. A history or a label, which has no digest, must be readable."""
    if content is None:
        return False
    named = SEGMENT.fullmatch(key.rpartition("/")[2])
    try:
        plain = _plain(content)
        return (
            hashlib.sha1(plain, usedforsecurity=False).hexdigest() == named.group(2) if named else bool(plain.decode())
        )
    except (OSError, EOFError, ValueError, zlib.error):
        return False
