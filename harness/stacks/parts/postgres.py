"""PostgreSQL's settings and its roles, the same on every ground."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from harness.stacks.stand_in import DATABASE, ROLE

PORT = 5432
PLACE_PORT = 5433  # of a restored database that does not serve yet


@dataclass(frozen=True)
class Roles:
    """A password for every role, made anew for every stack."""

    postgres: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    replicator: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    operator: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    api: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)  # of the platform

    def password(self, role: str) -> str:
        return self.all()[role]

    def all(self) -> dict[str, str]:
        """By the name of the role."""
        return {ROLE if name == "api" else name: word for name, word in self.saved().items()}

    def saved(self) -> dict[str, str]:
        """JSON, from which the same are made in another process."""
        return asdict(self)


def filled_in(command: str, *, f: str, p: str) -> str:
    """An `archive_command` or `restore_command` with its percent signs replaced, as PostgreSQL does it."""
    return re.sub("%(.)", lambda found: {"f": f, "p": p}.get(found[1], found[1]), command)


def dsn(address: str, port: int, *, role: str, password: str, database: str = DATABASE, **more: str) -> str:
    """A connection string; links that are cut are noticed within some seconds. An empty password is left out."""
    words = {
        "host": address,
        "port": str(port),
        "dbname": database,
        "user": role,
        "password": password,
        "connect_timeout": "3",
        "keepalives_idle": "2",
        "keepalives_interval": "1",
        "keepalives_count": "3",
        "tcp_user_timeout": "5000",
        **more,
    }
    return " ".join(f"{key}={value}" for key, value in words.items() if value)


def settings(*, archive_command: str, archive_timeout: timedelta) -> dict[str, str]:
    """PostgreSQL's settings for every member. Nothing here weakens what a commit promises: fsync stays on."""
    return {
        "archive_mode": "on",
        "archive_command": archive_command,
        "archive_timeout": f"{round(archive_timeout.total_seconds())}s",
        "wal_level": "replica",
        "wal_log_hints": "on",
        "wal_keep_size": "512MB",  # pg_waldump must find the last minutes
        "max_wal_size": "1GB",
        "max_connections": "100",
        "max_worker_processes": "8",
        "max_wal_senders": "10",
        "max_replication_slots": "10",
        "shared_buffers": "64MB",
        "dynamic_shared_memory_type": "mmap",  # in the data directory: a killed server leaves nothing in /dev/shm
        "hot_standby": "on",
        "track_commit_timestamp": "on",  # when did which transaction commit
        "password_encryption": "scram-sha-256",
        # A cut link says nothing: who waits on one must notice by itself.
        "wal_sender_timeout": "5s",
        "wal_receiver_timeout": "5s",
        "wal_receiver_status_interval": "1s",
        "wal_retrieve_retry_interval": "1s",
        "tcp_keepalives_idle": "2",
        "tcp_keepalives_interval": "1",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "5000",
        "client_connection_check_interval": "5s",
        **logging("postgresql.log"),
    }


def logging(file: str) -> dict[str, str]:
    """Everything goes to one file; who did what can be found in it afterwards."""
    return {
        "log_destination": "stderr",
        "logging_collector": "on",
        "log_filename": file,
        "log_rotation_age": "0",
        "log_rotation_size": "0",
        "log_truncate_on_rotation": "off",
        "log_line_prefix": "%m [%p] xid=%x user=%u app=%a ",
        "log_timezone": "UTC",
        "log_checkpoints": "on",
        "lc_messages": "C",
    }


HBA = (
    "local all all scram-sha-256",
    "host all all 0.0.0.0/0 scram-sha-256",
    "host replication replicator 0.0.0.0/0 scram-sha-256",
)


def as_conf(values: Mapping[str, str]) -> str:
    """Lines of `postgresql.conf`."""
    return "".join(f"{key} = '{_quoted(value)}'\n" for key, value in values.items())


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
