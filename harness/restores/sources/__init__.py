"""One file a backup tool: what its catalogue has, and how one backup of it becomes files or a database.

A source only reads: whatever a tool wants to write (locks, logs) goes to a folder of our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.restores import Programs, Source
from harness.restores.described import Backup, Tool
from harness.system.command import Commands
from harness.system.later import fetch

SOURCES: Mapping[Tool, str] = {
    "pgbackrest": "pgbackrest:PgBackRest",
    "barman": "barman:Barman",
    "barman-cloud": "barman_cloud:BarmanCloud",
    "pg_basebackup": "base_backup:BaseBackupFolders",
    "pg_dump": "dump:Dumps",
    "commands": "own:OwnCommands",
}  # the class of each tool, imported where it is used


def source(backup: Backup, *, programs: Programs, commands: Commands, values: Mapping[str, str]) -> Source:
    """`values`: what `${…}` stands for in the stack file."""
    made: Any = fetch(f"{__name__}.{SOURCES[backup.tool]}")
    found: Source = made(backup, programs=programs, commands=commands, values=values)
    return found
