"""Backups that are wrong in one way each, on every kind of source: what finds it, and what it says of it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.barman_servers import CREDENTIALS
from tests.real.damaged import (
    INDEX,
    TABLE,
    Change,
    change,
    cut,
    file_of,
    flipped,
    in_store,
    in_tar,
    later_piece,
    page,
    server_of,
    zipped,
)
from tests.real.grounds import ALL, NAME, ROWS, Ground, run

Entry = dict[str, Any]  # of a database in the stack file
MISSED, UNKNOWN = "MISSED", "UNKNOWN"
NO_LOG = "without its write-ahead log|of the archive it needs"
OTHER = "7301234567890123456"  # the system identifier of a server that is not ours
IN_LOG = 0x2000 + 300  # bytes into a piece: in a record of its second page
CHECKS = [
    {"name": "orders", "sql": "SELECT count(*) FROM orders", "is": str(ALL)},
    {"name": "totals", "sql": "SELECT sum(total) FROM orders WHERE note LIKE 'note%'",
     "is": str(ROWS * (ROWS + 1) // 2)},
]  # fmt: skip  # the second in groups


@dataclass(frozen=True)
class Twin:
    """`finding`: has to be `outcome`, and to say `words` (a regular expression). Empty: the backup is sound."""

    make: Callable[[Ground, str], Entry]
    finding: str = ""
    words: str = ""
    outcome: str = MISSED
    packaged: bool = False  # only of the version that Debian's packages have


def entry(of: Ground, tool: str, repository: Path | str = "", **more: Any) -> Entry:
    """Of a sound backup, where nothing else is said."""
    found: Entry = {"tool": tool, "names": [NAME], "checks": CHECKS, "roles": ["app"], "extensions": ["pg_trgm"]}
    if tool == "barman-cloud":
        s3 = {"endpoint": of.url, "key": CREDENTIALS["AWS_ACCESS_KEY_ID"], "secret": "${secret:STORE}"}
        found |= {"repository": str(repository or of.cloud), "s3": s3}
    else:
        found |= {"repository": str(repository or of.repository(tool))}
    if tool != "pg_dump":
        found |= {"system": of.system}
    if tool not in ("pg_dump", "pg_basebackup"):
        found |= {"server": NAME}
    return {name: value for name, value in (found | more).items() if value}  # what is empty is left out


def sound(tool: str) -> Callable[[Ground, str], Entry]:
    return lambda of, name: entry(of, tool)


def of_another_system(tool: str) -> Callable[[Ground, str], Entry]:
    return lambda of, name: entry(of, tool, system=OTHER)


def copied(tool: str, damage: Callable[[Ground, Path], None], **more: Any) -> Callable[[Ground, str], Entry]:
    """A copy of the repository, damaged."""

    def make(of: Ground, name: str) -> Entry:
        repository = of.copy(tool, name)
        damage(of, repository)
        return entry(of, tool, repository, **more)

    return make


def in_cloud(changes: Callable[[Ground], dict[str, Any]]) -> Callable[[Ground, str], Entry]:
    return lambda of, name: entry(of, "barman-cloud", in_store(of, f"{name}-{of.version}", changes(of)))


# Of pgBackRest


def _packed_file(relation: str) -> Callable[[Ground, Path], None]:
    def damage(of: Ground, repository: Path) -> None:
        (path,) = repository.glob(f"backup/{NAME}/*F/pg_data/{file_of(of, relation)}.gz")
        change(path, lambda content: flipped(content, len(content) // 2))

    return damage


def _archive_of_pgbackrest(of: Ground, repository: Path) -> None:
    change(later_piece(of, repository / "archive"), lambda content: flipped(content, 400))


def _no_archive_of_pgbackrest(of: Ground, repository: Path) -> None:
    for path in repository.glob(f"archive/{NAME}/*/*/"):
        shutil.rmtree(path)


# Of Barman


def _base_of_barman(relation: str) -> Callable[[Ground, Path], None]:
    def damage(of: Ground, repository: Path) -> None:
        (path,) = server_of(repository).glob(f"base/*/data/{file_of(of, relation)}")
        change(path, page(relation))

    return damage


def _log_of_barman(of: Ground, repository: Path) -> None:
    change(later_piece(of, server_of(repository) / "wals"), zipped(lambda log: flipped(log, IN_LOG)))


def _no_log_of_barman(of: Ground, repository: Path) -> None:
    for path in (server_of(repository) / "wals").iterdir():
        if path.is_dir():
            shutil.rmtree(path)


# Of base backups


def _plain(of: Ground, repository: Path, log: str = "fetch") -> Path:
    """Instead of the tar: a folder with a copy of the data directory. `log`: the piece that it needs, or `none`."""
    shutil.rmtree(repository / "first")
    of.base_backup("plain", "-X", log)
    return Path(shutil.move(of.repository("pg_basebackup") / "plain", repository / "plain"))


def _plain_file(relation: str) -> Callable[[Ground, Path], None]:
    return lambda of, repository: change(_plain(of, repository) / file_of(of, relation), page(relation))


def _tar_cut(of: Ground, repository: Path) -> None:
    change(repository / "first" / "base.tar.gz", cut)


def _log_of_base(of: Ground, repository: Path) -> None:
    change(later_piece(of, repository / "wal"), lambda log: flipped(log, IN_LOG))


def _no_log_of_base(of: Ground, repository: Path) -> None:
    _plain(of, repository, "none")
    shutil.rmtree(repository / "wal")


def _sequence_behind(of: Ground, name: str) -> Entry:
    """As a replica by logical replication leaves it; the backup itself is sound."""
    return _set_back(of, lambda: entry(of, "pg_dump", _dumped(of, name)))


def _set_back(of: Ground, made: Callable[[], Entry]) -> Entry:
    of.sql("SELECT setval('orders_id_seq', 5)")
    try:
        return made()
    finally:
        of.sql(f"SELECT setval('orders_id_seq', {ALL})")
        of.switch()  # no archive ends in between


def _base_with_sequence_behind(of: Ground, name: str) -> Entry:
    def made() -> Entry:
        of.base_backup(name)
        repository = of.folder / name
        repository.mkdir()
        shutil.move(of.repository("pg_basebackup") / name, repository / name)
        return entry(of, "pg_basebackup", repository)

    return _set_back(of, made)


# Of dumps


def _dumped(
    of: Ground, name: str, file: str = "shop.dump", words: str = "-Fc", *, how: Change | None = None, roles: bool = True
) -> Path:
    """A repository with one dump of the server as it is, of which the file, or the rows of a folder, are changed."""
    repository = of.folder / name
    path = of.dump(file, words, folder=repository)
    if how is not None:
        inside = path if path.is_file() else max(path.glob("*.dat*"), key=lambda each: each.stat().st_size)
        change(inside, how)
    if roles:
        shutil.copy(of.repository("pg_dump") / "globals.sql", repository)
    return repository


def dumped(file: str, words: str, how: Change | None = None, *, roles: bool = True) -> Callable[[Ground, str], Entry]:
    return lambda of, name: entry(of, "pg_dump", _dumped(of, name, file, words, how=how, roles=roles))


def _emptied(of: Ground, name: str) -> Entry:
    """Of a database in which nobody ever made a table; it is called as the full one."""
    of.sql(f"ALTER DATABASE {NAME} RENAME TO full_one", f"CREATE DATABASE {NAME}", database="postgres")
    try:
        return entry(of, "pg_dump", _dumped(of, name), extensions=[])
    finally:
        of.sql(f"DROP DATABASE {NAME}", f"ALTER DATABASE full_one RENAME TO {NAME}", database="postgres")


def _replaced(old: str, new: str) -> Change:
    def how(content: bytes) -> bytes:
        assert old.encode() in content
        return content.replace(old.encode(), new.encode())

    return how


def _error_in_the_middle(of: Ground, name: str) -> Entry:
    """With it psql alone exits with 0."""
    old, new = "\nALTER TABLE ONLY public.orders\n", "\nALTER TABLE ONLY public.ordres\n"
    repository = _dumped(of, name, "shop.sql", "-Fp", how=_replaced(old, new))
    of.sql("CREATE DATABASE alone", database="postgres")
    connected = ["-h", of.server, "-U", "postgres", "-d", "alone"]
    assert 'ERROR:  relation "public.ordres"' in run(of.bin / "psql", "-X", *connected, "-f", repository / "shop.sql")
    of.sql("DROP DATABASE alone", database="postgres")
    return entry(of, "pg_dump", repository)


def _one_total(content: bytes) -> bytes:
    """A digit of one row is another one."""
    return re.sub(rb"\tnote 1500\t1500\n", b"\tnote 1500\t1501\n", content)


TWINS: dict[str, Twin] = {
    "pgbackrest-sound": Twin(sound("pgbackrest"), packaged=True),
    "pgbackrest-byte-in-data": Twin(
        copied("pgbackrest", _packed_file(TABLE)), "restore-time", "pgbackrest restore", packaged=True
    ),
    "pgbackrest-byte-in-index": Twin(
        copied("pgbackrest", _packed_file(INDEX)), "restore-time", "pgbackrest restore", packaged=True
    ),
    "pgbackrest-byte-in-log": Twin(
        copied("pgbackrest", _archive_of_pgbackrest), "restore-complete", "0000000", packaged=True
    ),
    "pgbackrest-no-log": Twin(copied("pgbackrest", _no_archive_of_pgbackrest), "restore-time", NO_LOG, packaged=True),
    "pgbackrest-other-system": Twin(of_another_system("pgbackrest"), "backup-identity", OTHER, packaged=True),
    "barman-sound": Twin(sound("barman")),
    "barman-byte-in-data": Twin(copied("barman", _base_of_barman(TABLE)), "pages-sound", "checksum"),
    "barman-byte-in-index": Twin(copied("barman", _base_of_barman(INDEX)), "pages-sound", "checksum"),
    "barman-byte-in-log": Twin(copied("barman", _log_of_barman), "restore-complete", "checksum|invalid|0000000"),
    "barman-no-log": Twin(copied("barman", _no_log_of_barman), "restore-time", NO_LOG),
    "barman-other-system": Twin(of_another_system("barman"), "backup-identity", OTHER),
    "cloud-sound": Twin(sound("barman-cloud")),
    "cloud-byte-in-data": Twin(
        in_cloud(lambda of: {"/data.tar": in_tar(file_of(of, TABLE), page(TABLE))}), "pages-sound", "checksum"
    ),
    "cloud-byte-in-index": Twin(
        in_cloud(lambda of: {"/data.tar": in_tar(file_of(of, INDEX), page(INDEX))}), "pages-sound", "checksum"
    ),
    "cloud-byte-in-log": Twin(
        in_cloud(lambda of: {f"{of.later}.gz": zipped(lambda log: flipped(log, IN_LOG))}),
        "restore-complete",
        "checksum|invalid|0000000",
    ),
    "cloud-no-log": Twin(
        in_cloud(lambda of: dict.fromkeys((f"{path.name}.gz" for path in of.pieces.iterdir()), None)),
        "restore-time",
        NO_LOG,
    ),
    "cloud-cut-short": Twin(in_cloud(lambda of: {"/data.tar": cut}), "restore-time", "barman-cloud-restore"),
    "cloud-other-system": Twin(of_another_system("barman-cloud"), "backup-identity", OTHER),
    "base-sound": Twin(sound("pg_basebackup")),
    "base-byte-in-data": Twin(copied("pg_basebackup", _plain_file(TABLE)), "pages-sound", "checksum"),
    "base-byte-in-index": Twin(copied("pg_basebackup", _plain_file(INDEX)), "pages-sound", "checksum"),
    "base-byte-in-log": Twin(copied("pg_basebackup", _log_of_base), "restore-complete", "checksum|invalid|0000000"),
    "base-no-log": Twin(copied("pg_basebackup", _no_log_of_base), "restore-time", NO_LOG),
    "base-cut-short": Twin(copied("pg_basebackup", _tar_cut), "restore-time", "is damaged"),
    "base-other-system": Twin(of_another_system("pg_basebackup"), "backup-identity", OTHER),
    "base-sequence-behind": Twin(_base_with_sequence_behind, "structure-sound", "orders_id_seq"),
    "dump-sound": Twin(sound("pg_dump")),
    "dump-cut-short": Twin(dumped("shop.dump", "-Fc", cut), "restore-time", "pg_restore exited 1"),
    "dump-folder-cut-short": Twin(dumped("shop.dir", "-Fd", cut), "restore-time", "pg_restore exited 1"),
    "dump-tar-cut-short": Twin(dumped("shop.tar", "-Ft", cut), "restore-time", "does not end as a tar does"),
    "dump-script-cut-short": Twin(dumped("shop.sql", "-Fp", cut), "restore-time", "is cut short"),
    "dump-byte-flipped": Twin(
        dumped("shop.dump", "-Fc", lambda text: flipped(text, len(text) // 2)), "restore-time", "pg_restore exited 1"
    ),
    "dump-other-number": Twin(dumped("shop.sql", "-Fp", _one_total), "rows-proved", "totals"),
    "dump-error-in-the-middle": Twin(_error_in_the_middle, "restore-time", "psql exited 3"),
    "dump-no-roles": Twin(dumped("shop.dump", "-Fc", roles=False), "restore-complete", 'role "app" does not exist'),
    "dump-extension-missing": Twin(
        dumped("shop.dump", "-Fc", _replaced("pg_trgm", "pg_trgx")), "restore-complete", '"pg_trgx" is not available'
    ),
    "dump-sequence-behind": Twin(_sequence_behind, "structure-sound", "orders_id_seq"),
    "dump-of-nothing": Twin(_emptied, "structure-sound", "table"),
}


def stack_file(databases: dict[str, Entry], **more: Any) -> str:
    """All of them in one file, of a format that is YAML, too."""
    backups = {"at once": 2, "within": "2 h", **more, "databases": databases}
    return json.dumps(
        {
            "format": 1,
            "platform": {"name": f"Twins {os.getpid()}", "owner": "Somebody", "environment": "staging"},
            "secrets": {"STORE": {"env": "STORE_SECRET"}},
            "backups": backups,
        },
        indent=1,
    )
