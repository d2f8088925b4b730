"""What a stack file says of backups, as plain values. They know no tool, no network and no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

from harness.restores import Point

Tool = Literal["pgbackrest", "barman", "barman-cloud", "pg_basebackup", "pg_dump", "commands"]
NEVER, ON_FAILURE = "never", "on failure"  # whether a place is kept


@dataclass(frozen=True)
class S3:
    """`key` and `secret` may hold `${secret:NAME}`; both empty: as the machine's environment has it."""

    endpoint: str = ""
    region: str = "us-east-1"
    ca: Path | None = None
    key: str = ""
    secret: str = ""


@dataclass(frozen=True)
class RowCheck:
    """`database` empty: the first that is looked at. At least one bound, or nothing is expected."""

    name: str
    sql: str
    database: str = ""
    least: Decimal | None = None
    most: Decimal | None = None

    @property
    def expected(self) -> str:
        """`"exactly 5"`, `"at least 5 and at most 9"`; empty where nothing is."""
        if self.least is not None and self.least == self.most:
            return f"exactly {self.least}"
        bounds = (("at least", self.least), ("at most", self.most))
        return " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)


@dataclass(frozen=True)
class Heartbeat:
    table: str
    database: str
    every: timedelta


@dataclass(frozen=True)
class Backup:
    """Of one server, or one database. `repository` is a folder, a URL of S3, or None: its own configuration says."""

    name: str
    tool: Tool
    repository: Path | str | None = None
    server: str = ""
    config: Path | None = None
    s3: S3 = S3()
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    zone: str = ""  # of the clock in a dump, by its name: a dump has the time and not the zone; empty: UTC
    system: str = ""
    names: tuple[str, ...] = ()
    original: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    roles_elsewhere: tuple[str, ...] = ()  # of dumps: made before one is loaded
    extensions: tuple[str, ...] = ()
    checks: tuple[RowCheck, ...] = ()
    books: str = ""  # the database in which the project's are asked; empty: they are not
    heartbeat: Heartbeat | None = None
    points: Mapping[str, Point] = field(default_factory=dict)


@dataclass(frozen=True)
class Backups:
    """`room` None: what is free. `folder` None: beside the run's evidence."""

    databases: Mapping[str, Backup]
    at_once: int
    within: timedelta
    room: int | None
    folder: Path | None
    image: str
    keep: str
