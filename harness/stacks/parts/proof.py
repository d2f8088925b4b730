"""Whether a database server is sound, asked of that very server while it runs.

Streaming proves nothing: a copy replays the log whatever lies on its disk. Its pages are read from the disk by a base
backup of it that is thrown away, which compares each with its checksum; its structure is checked by amcheck.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from harness.errors import DrillError, NotReady
from harness.stacks.parts.postgres import PORT
from harness.stacks.stand_in import DATABASE

if TYPE_CHECKING:
    from harness.stacks.parts.member import PatroniMember
    from harness.system.command import Done

LONG = timedelta(minutes=30)
PAGE = 8192  # bytes
SIZE = "SELECT current_setting('data_checksums'), sum(pg_database_size(oid)) FROM pg_database"


class Damaged(DrillError):
    """A server has something on its disk that is not as its keepers wrote it; the message is what they say of it."""


def pages(member: PatroniMember, *, password: str) -> str:
    """`password`: of the role that copies are made by. Errors: `Damaged`; `NotReady` where it cannot be asked."""
    try:
        with psycopg.connect(member.dsn, autocommit=True) as connection:
            checksums, size = connection.execute(SIZE).fetchone() or ("off", 0)
    except psycopg.Error as error:
        raise NotReady(f"{member.name} cannot be asked: {_first(str(error))}", hint=f"read {member.log}") from error
    if checksums != "on":
        raise Damaged(f"{member.name} has no checksums: nobody can say whether its pages are sound",
                      hint="stop it, enable them (pg_checksums), and look again")  # fmt: skip  # arguments in groups
    words = (
        *("--target=blackhole", "--wal-method=fetch", "--checkpoint=fast", "--no-manifest", "--no-password"),
        *(f"--host={member.address}", f"--port={PORT}", "--username=replicator"),
    )
    done = _run(member, "pg_basebackup", *words, password=password)
    if not done.ok:
        raise Damaged(f"{member.name}: {_first(done.err, 'checksum')}", hint="rebuild it from a server that is sound")
    return f"{size // PAGE} pages read from the disk, every checksum is right"


def structure(member: PatroniMember, *more: str, port: int = PORT, name: str = "") -> str:
    """By amcheck: of the member itself, or of what runs beside it at another port and goes by that name.

    `more`: what it is to do besides. Errors: `Damaged`, also where amcheck is not there.
    """
    words = (
        *(f"--host={member.address}", f"--port={port}", "--username=postgres", "--no-password"),
        *("--heapallindexed", "--verbose", *more, DATABASE),
    )
    done = _run(member, "pg_amcheck", *words, password=member.password)
    checked = sum("checking" in line for line in (done.out + done.err).splitlines())
    if not done.ok or not checked:
        # What it finds stands in its output, and why it cannot look in its errors.
        found = [line for line in done.out.splitlines() if line.startswith((" ", "heap table", "btree"))]
        said = _first(" ".join(" ".join(found[:2]).split()) or done.err, "error")
        raise Damaged(f"{name or member.name}: {said}", hint="go on from what is sound")
    return f"{checked} tables and indexes checked, nothing found"


def _run(member: PatroniMember, program: str, *words: str, password: str) -> Done:
    argv = [*member.words(), *member.ground.program(program), *words]
    return member.ground.commands.run(argv, check=False, within=LONG, env={"PGPASSWORD": password})


def _first(said: str, word: str = "") -> str:
    """The first line that has the word, else the first one."""
    lines = said.strip().splitlines() or ["it says nothing"]
    return next((line for line in lines if word and word in line), lines[0])[:300]
