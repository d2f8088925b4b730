"""Restores that are broken on purpose, so that their proof is shown to notice it: what a sabotage twin does to one.

Only what was restored is touched, in its own place: no repository, and nothing of the original.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import Unable
from harness.restores import Brought, Kept, Place
from harness.restores.answering import await_answer
from harness.restores.choice import Chosen
from harness.restores.described import Backup

ANOTHER_SYSTEM = "1"  # no server has it
PAGE = 8192  # bytes
OWN = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'"
LARGEST = (
    "SELECT pg_relation_filepath(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    f" WHERE c.relkind = %s AND {OWN} AND pg_relation_size(c.oid) > 0 ORDER BY pg_relation_size(c.oid) DESC LIMIT 1"
)
TABLES = (
    "SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    f" WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {OWN} ORDER BY pg_total_relation_size(c.oid) DESC"
)
SEQUENCES = (
    "SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_depend d ON d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0"
    " JOIN pg_class t ON t.oid = d.refobjid WHERE c.relkind = 'S' AND t.reltuples <> 0"
)


@dataclass(frozen=True)
class Broken:
    """One way; the plain one breaks nothing.

    `asks`: of what is asked of a backup. `chooses`: of a catalogue. `brings`: of what was brought, before it starts.
    `holds`: of the database that runs, by its names. `removes`: whether its place is.
    """

    asks: Callable[[Backup], Backup] = lambda backup: backup
    chooses: Callable[[Sequence[Kept], Chosen], Chosen] = lambda catalogue, chosen: chosen
    brings: Callable[[Place, Brought], None] = lambda place, brought: None
    holds: Callable[[Place, Sequence[str]], None] = lambda place, names: None
    isolated: bool = True
    removes: bool = True


NOT = Broken()


def _oldest(catalogue: Sequence[Kept], chosen: Chosen) -> Chosen:
    return replace(chosen, kept=catalogue[0])


def _without_wal(place: Place, brought: Brought) -> None:
    """Neither what the archive had nor what came with the backup."""
    for folder in filter(None, (brought.wal, place.data / "pg_wal")):
        for path in folder.iterdir():
            if path.is_file():
                path.unlink()


def _flipped(kind: str) -> Callable[[Place, Sequence[str]], None]:
    """A byte in the middle of the first page of the largest one. `kind`: `r` or `i`, as in pg_class."""

    def flip(place: Place, names: Sequence[str]) -> None:
        for name in names:
            if path := _first(place, name, LARGEST, kind):
                place.stop()
                _flip(place.data / path, PAGE - 16)
                place.start({})
                await_answer(place, "it answers again")
                return
        raise Unable("it has no rows that a byte could be flipped in", hint="prove it with a backup that has some")

    return flip


def _flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0xFF]))
        os.fsync(file.fileno())


def _said(sql: str, of: str) -> Callable[[Place, Sequence[str]], None]:
    """`sql`: of each that `of` finds, whose name stands for {}."""

    def carry_out(place: Place, names: Sequence[str]) -> None:
        done = 0
        for name in names:
            with place.connect(name) as connection:
                for (found,) in connection.execute(of.replace("%%", "%")).fetchall():
                    connection.execute(sql.format(found).encode())
                    done += 1
        if not done:
            raise Unable("it has nothing that could be broken so", hint="prove it with a backup that has some")

    return carry_out


def _first(place: Place, name: str, sql: str, *given: Any) -> str:
    with place.connect(name) as connection:
        row = connection.execute(sql, given).fetchone()
    return str(row[0]) if row else ""


WAYS: Mapping[str, Broken] = {
    "": NOT,
    "another system": Broken(asks=lambda backup: replace(backup, system=ANOTHER_SYSTEM)),
    "oldest for newest": Broken(chooses=_oldest),
    "no WAL": Broken(brings=_without_wal),
    "byte in a table": Broken(holds=_flipped("r")),
    "byte in an index": Broken(holds=_flipped("i")),
    "emptied": Broken(holds=_said("DROP TABLE {} CASCADE", TABLES)),
    "rows gone": Broken(holds=_said("TRUNCATE {} CASCADE", TABLES)),
    "sequences behind": Broken(holds=_said("SELECT setval('{}', 1, false)", SEQUENCES)),
    "role missing": Broken(asks=lambda backup: replace(backup, roles=("a role that nobody has",))),
    "extension missing": Broken(asks=lambda backup: replace(backup, extensions=("an extension that nobody has",))),
    "nothing expected": Broken(asks=lambda backup: replace(backup, checks=())),
    "way out": Broken(isolated=False),
    "left behind": Broken(removes=False),
}
