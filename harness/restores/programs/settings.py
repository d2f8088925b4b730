"""The settings of a place's server: all of them ours. They lie beside the data directory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.stacks.parts.postgres import as_conf

PORT = "5432"
CONFIGURATION, HBA, IDENT = "postgresql.conf", "pg_hba.conf", "pg_ident.conf"
# Who reaches the socket file, in a folder of ours, may be anybody; nobody reaches anything else.
RULES = "local all all trust\nlocal replication all trust\n"
NOTHING = "false"  # a restore command that finds nothing: the backup has all that it needs in it
SIGNALLED = 12  # the first major version in which a file says that it recovers, and the settings are ordinary ones
LEAST = {"max_connections": 100, "max_worker_processes": 8, "max_wal_senders": 10, "max_locks_per_transaction": 64}
CONTROLLED = {  # what recovery asks for at least as much of as the original had, as pg_controldata names it
    "max_connections": "max_connections setting",
    "max_worker_processes": "max_worker_processes setting",
    "max_wal_senders": "max_wal_senders setting",
    "max_prepared_transactions": "max_prepared_xacts setting",
    "max_locks_per_transaction": "max_locks_per_xact setting",
}
USUAL = {
    "hot_standby": "on",
    "autovacuum": "off",  # nothing changes what was restored
    "max_logical_replication_workers": "0",
    "max_replication_slots": "100",  # a copy of files may have some in it, and too few keep a server from starting
    "dynamic_shared_memory_type": "mmap",  # in the data directory: a killed server leaves nothing in /dev/shm
    "huge_pages": "off",
    "log_timezone": "UTC",
    "log_checkpoints": "on",
    "log_connections": "off",
    "lc_messages": "C",
}
LOGGED = {
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
}


def controlled(said: str) -> dict[str, str]:
    """From what pg_controldata says: the settings without which recovery would not go on."""
    facts = dict(re.findall(r"^([^:\n]+):\s+(.*?)\s*$", said, re.MULTILINE))
    numbers = {name: facts.get(word, "") for name, word in CONTROLLED.items()}
    found = {
        name: max(int(value or 0) if value.isdigit() else 0, LEAST.get(name, 0)) for name, value in numbers.items()
    }
    return {
        **{name: str(value) for name, value in found.items()},
        "wal_level": "logical" if facts.get("wal_level setting") == "logical" else "replica",
        "track_commit_timestamp": "on" if facts.get("track_commit_timestamp setting") == "on" else "off",
    }


def whole(
    given: Mapping[str, str], *, folder: Path, sockets: Path, version: int, recovery: bool,
    control: str, libraries: Sequence[str],
) -> tuple[dict[str, str], dict[str, str]]:  # fmt: skip  # parameters in groups
    """The settings of the server, and those that lie in recovery.conf, which no version from 12 on has.

    `given` is added; what keeps the server apart stands against it.
    """
    recovering = {"restore_command": NOTHING, "recovery_target_action": "promote"} if recovery else {}
    asked = {**recovering, **{name: value for name, value in given.items() if name.startswith("recovery_")}}
    if "restore_command" in given:
        asked["restore_command"] = given["restore_command"]
    ordinary = {
        **USUAL,
        **controlled(control),
        **({"shared_preload_libraries": ",".join(libraries)} if libraries else {}),
        **{name: value for name, value in given.items() if name not in asked},
        **(asked if version >= SIGNALLED else {}),
        **LOGGED,
        "archive_mode": "off",
        "archive_command": "",
        "listen_addresses": "",
        "port": PORT,
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "hba_file": str(folder / HBA),
        "ident_file": str(folder / IDENT),
        "ssl": "off",
    }
    return ordinary, {} if version >= SIGNALLED else asked


def write(folder: Path, ordinary: Mapping[str, str]) -> None:
    """Everybody may read them: the server is another account's."""
    for name, text in ((CONFIGURATION, as_conf(ordinary)), (HBA, RULES), (IDENT, "")):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o644)
