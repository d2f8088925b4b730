"""One dump that lies on this machine is loaded into a place that runs, and what the tools said of it is kept.

A dump is a program. Its statements run in the place; a script has, besides, lines by which psql itself does something,
such as running a command of this machine. pg_dump writes none of these but `\\connect`, and since August 2025 it has
psql refuse all others (`\\restrict`). A script from before that connects to nothing is loaded as if it had that line.
And each is searched for lines that begin so where nothing refuses them, and not loaded where it has one.

Roles are never made up. A dump of one database names roles and does not bring them: what `pg_dumpall --globals-only`
writes has to lie beside it, as it would have to in a disaster. Without it an archive loads all but ownership and
grants, and says so of each; a script is stopped at its first error.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import IO, Any

from harness.errors import DrillError, NotInTime, Refused, Unable
from harness.restores import Place
from harness.restores.sources.header import ARCHIVES, LONG, Header, NoHeader, Packed, packed, read_header
from harness.restores.sources.script import Script, read_script
from harness.restores.sources.storage import PIECE
from harness.system import clock
from harness.system.command import CommandFailed, Commands, Done
from harness.system.recorder import Recorder

TOC = "toc.dat"
UNNAMED = "restored"  # the database of a script that does not name one
FIRST = ("postgres", "template1")  # databases that an empty cluster has
ENGLISH = {"LC_ALL": "C", "PGOPTIONS": "-c lc_messages=C"}  # what is read in the tools' words must be theirs
WRONG = re.compile(r"\b(?:ERROR|FATAL|PANIC|WARNING|error|warning): ")
VALUE = re.compile(r'((?:: |\bvalue |at or near ))".*"')  # that may be of a row
NO_ROLE = re.compile(r'role "(.+)" does not exist')
IGNORED = "errors ignored on restore"
ROWS = re.compile(r"\d+\.dat")  # of a table, in a directory that is not compressed
TAR_END = 1024  # bytes, all of them 0
FOLLOWS = "a worker process died unexpectedly"  # which is what becomes of an error that was said before
MOST_SAID = 50
FILE = "--file=-"  # opened by us: psql runs as the server's account, which may not open it
UNGUARDED = "invalid command \\restrict"
GLOBALS = "put what `pg_dumpall --globals-only` writes beside the dumps, as globals.sql"
NO_END = 'it is cut short: the line "PostgreSQL database dump complete" is not its last'
MAKE_ANEW = "look at how the dump is made and copied: this one cannot be restored"
SPOILT = (OSError, EOFError, zlib.error, lzma.LZMAError)  # what Python's modules say of something packed


class Time:
    """What is left of it."""

    def __init__(self, within: timedelta) -> None:
        self._within, self._begin = within, clock.mono()

    @property
    def left(self) -> timedelta:
        """Errors: `NotInTime` where nothing is."""
        found = self._within - clock.since(self._begin)
        if found <= timedelta(0):
            raise NotInTime(f"the dump was not loaded within {self._within.total_seconds():g} s", hint="give it more")
        return found


@dataclass(frozen=True)
class Dump:
    """A file or a folder, not packed, and what is known of it. `script` None: it is an archive."""

    path: Path
    header: Header
    script: Script | None = None


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """What this machine's own files have against it, as the harness says that. Errors: `Unable`."""
    try:
        yield
    except OSError as error:
        hint = "it takes room for the dump, for what is packed in it, and for the database"
        raise Unable(f"{folder}: {error.strerror or error}", hint=hint) from None


def opened(source: IO[bytes], kind: Packed) -> IO[bytes]:
    """What is packed in it, to be read in order. Errors of reading are `SPOILT`."""
    readers: dict[Packed, Any] = {"gzip": lambda it: gzip.GzipFile(fileobj=it), "bzip2": bz2.BZ2File}
    made: IO[bytes] = readers.get(kind, lzma.LZMAFile)(source)
    return made


def read_dump(path: Path, commands: Commands, time: Time) -> Dump:
    """Unpacked beside itself where it is packed, and read as far as tells whether it is whole.

    Errors: `DrillError` where it is none, cut short or spoilt; `Refused` where psql would do more than load it.
    """
    if path.is_dir():
        header = _header(path / TOC, path.name)
        for each in sorted(path.iterdir()):
            if ROWS.fullmatch(each.name) and not _rows_end(each):
                raise DrillError(f"{path.name}: {each.name} is cut short", hint=MAKE_ANEW)
        return Dump(path, header)
    name, path = path.name, _unpacked(path, commands, time)
    header = _header(path, name)
    if header.kind == "tar" and not _tar_ends(path):
        raise DrillError(f"{name} is cut short: it does not end as a tar does", hint=MAKE_ANEW)
    if header.kind in ARCHIVES:
        return Dump(path, header)
    with path.open("rb") as lines:
        script = read_script(lines)
    if not is_whole(header, script.end):
        raise DrillError(f"{name}: {NO_END}", hint=MAKE_ANEW)
    if script.orders:
        raise Refused(
            f"{name} has {script.orders[0]}: pg_dump does not write that, and psql would do it on this machine",
            hint="if it stands in a text of yours, dump it anew: a pg_dump of today has psql refuse such lines",
        )
    return Dump(path, header, script)


def is_whole(header: Header, end: str) -> bool:
    """Whether a script ends as it began. `end` as that of `Script`."""
    return end == ("cluster" if header.kind == "cluster" else "database")


@dataclass(frozen=True)
class Inside:
    """A place in which the tools run, each until `time` ends. What they say may have values of rows: what is recorded
    of it has none.
    """

    place: Place
    superuser: str
    recorder: Recorder
    time: Time

    def run(
        self, program: str, *words: str, path: Path | None = None, but: str = "", stdin: Path | None = None
    ) -> tuple[Done, list[str]]:  # fmt: skip  # parameters in groups
        """And the lines in which something was wrong, without that which ends with `but`. `path`: of the dump."""
        within = self.time.left
        done = self.place.run(program, *words, within=within, env=ENGLISH, check=False, quiet=True, stdin=stdin)
        said = _wrong(done, path, but)
        seconds = done.length.total_seconds()
        self.recorder.record(
            "command", argv=list(done.argv), exit=done.exit, seconds=seconds, out="", err="\n".join(said)
        )
        return done, said

    def must(self, program: str, *words: str) -> None:
        """Errors: `CommandFailed` where it does not end with 0."""
        done, said = self.run(program, *words)
        if not done.ok:
            raise _failed(done, program, said)


def load(dump: Dump, place: Place, *, name: str, roles: Dump | None, recorder: Recorder, time: Time) -> list[str]:
    """Returns every line in which something was wrong. `name`: the database, where the dump names none. `roles`: what
    `pg_dumpall --globals-only` wrote.

    Errors: `CommandFailed` where it could not be loaded, or a script stopped.
    """
    with place.connect() as connection:
        (superuser,) = connection.execute("select current_user").fetchone()
    inside = Inside(place, superuser, recorder, time)
    said = _psql(roles, inside, "postgres") if roles else []
    if dump.script is None:
        return said + _archive(dump, inside)
    if dump.header.kind == "cluster":
        return said + _psql(dump, inside, "postgres")
    brought = {superuser, *(roles.script.created if roles and roles.script else ())}
    missing = sorted(set(dump.script.missing_roles) - brought)
    at = _made(dump.script, inside, name)
    try:
        return said + _psql(dump, inside, at)
    except CommandFailed as error:
        if missing and NO_ROLE.search(error.message):
            error.message += f"; roles that it names and nothing brings: {', '.join(missing)}"
            error.hint = GLOBALS
        raise


def _archive(dump: Dump, inside: Inside) -> list[str]:
    """Into a database of its own name, encoding and locale, which the archive knows."""
    name = dump.header.database
    at = "template1" if name == "postgres" else "postgres"
    words = [f"--dbname={name}"] if name == "template1" else ["--create", f"--dbname={at}"]
    if name == "postgres":
        _without_first(inside)
    if dump.header.kind != "tar":
        words.append(f"--jobs={len(os.sched_getaffinity(0))}")
    done, said = inside.run("pg_restore", *words, str(dump.path), path=dump.path)
    if not done.ok and IGNORED not in done.err:
        raise _failed(done, "pg_restore", said)
    missing = sorted(set(NO_ROLE.findall(done.err)))
    return said + ([f"roles that it names and nothing brings: {', '.join(missing)}"] if missing else [])


def _made(script: Script, inside: Inside, name: str) -> str:
    """The database to begin in: where the script makes none, one is made, of its encoding and the place's locale."""
    if script.databases:
        if "postgres" not in script.databases:
            return "postgres"
        _without_first(inside)
        return "template1"
    if name not in FIRST:
        encoding = script.encoding or "UTF8"
        words = [f"--encoding={encoding}", *([] if encoding == "UTF8" else ["--locale=C"])]
        inside.must("createdb", "--template=template0", *words, name)
    return name


def _without_first(inside: Inside) -> None:
    """The dump makes the database `postgres` itself."""
    inside.must("dropdb", "--maintenance-db=template1", "postgres")


def _psql(dump: Dump, inside: Inside, database: str) -> list[str]:
    """A script of one database stops at the first error. One of a cluster cannot: it makes the role that the place's
    first superuser is, too, which is the one error that is none.
    """
    stops = dump.header.kind == "script"
    script = dump.script
    guard = [] if script is None or script.restricted or script.connects else [f"--command=\\restrict {token_hex(16)}"]
    words = [
        "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=VERBOSITY=terse",
        f"--set=ON_ERROR_STOP={int(stops)}", f"--dbname={database}",
    ]  # fmt: skip  # in groups
    usual = "" if stops else f'ERROR:  role "{inside.superuser}" already exists'
    done, said = inside.run("psql", *words, *guard, FILE, path=dump.path, but=usual, stdin=dump.path)
    if guard and UNGUARDED in done.err:  # a psql from before; the script was searched
        done, said = inside.run("psql", *words, FILE, path=dump.path, but=usual, stdin=dump.path)
    if not done.ok:
        raise _failed(done, "psql", said)
    return said


def _failed(done: Done, program: str, said: Sequence[str]) -> CommandFailed:
    """With the first and the last of what was wrong: of the others, the first is the reason."""
    lines = [line for line in said if FOLLOWS not in line] or ["without a word"]
    words = "; ".join(dict.fromkeys((lines[0], lines[-1])))
    return CommandFailed(f"{program} exited {done.exit}: {words}", hint=MAKE_ANEW)


def _wrong(done: Done, path: Path | None, but: str) -> list[str]:
    """The lines of a tool in which something was wrong, without the values of rows."""
    under = f"{path.parent}/" if path else ""
    name = path.name if path else ""
    lines = [
        line.strip().replace("psql:<stdin>:", f"psql:{name}:").replace(under, "")
        for line in done.err.splitlines()
        if WRONG.search(line)
    ]
    lines = [VALUE.sub(r'\1"…"', line) for line in lines if not (but and line.endswith(but))]
    more = len(lines) - MOST_SAID
    return lines if more <= 1 else [*lines[: MOST_SAID - 1], f"and {more} more lines like these", lines[-1]]


def _header(path: Path, name: str) -> Header:
    try:
        with path.open("rb") as source:
            return read_header(source.read(LONG))
    except FileNotFoundError:
        raise DrillError(f"{name} has no {path.name}", hint=MAKE_ANEW) from None
    except NoHeader as error:
        raise DrillError(f"{name}: {error}", hint=MAKE_ANEW) from None


def _unpacked(path: Path, commands: Commands, time: Time) -> Path:
    """What is in it, instead of it."""
    with path.open("rb") as source:
        kind = packed(source.read(8))
        if not kind:
            return path
        target = path.with_name(f"{path.name}.unpacked")
        if kind == "zstd":
            words = ["zstd", "-d", "-q", "-f", "-o", str(target), "--", str(path)]
            hint = "it has to be installed here (apt-get install zstd), and what it unpacks sound"
            commands.run(words, within=time.left, hint=hint)
        else:
            source.seek(0)
            try:
                with opened(source, kind) as inside, target.open("wb") as out:
                    copy(inside, out, time)
            except SPOILT as error:
                if isinstance(error, OSError) and error.errno:
                    raise  # it is of the disk
                raise DrillError(f"{path.name} is cut short or spoilt: {error}", hint=MAKE_ANEW) from None
    path.unlink()
    return target


def copy(source: IO[bytes], target: IO[bytes], time: Time) -> None:
    """All of it. Errors: as those of `Time`."""
    while piece := source.read(PIECE):
        target.write(piece)
        _ = time.left


def _tar_ends(path: Path) -> bool:
    """Whether all is there that its members say. pg_restore would wait for ever for what is not."""
    with path.open("rb") as source, suppress(tarfile.TarError):
        with tarfile.open(fileobj=source, mode="r:") as members:
            for _ in members:
                pass
        source.seek(max(0, path.stat().st_size - TAR_END))
        return source.read() == bytes(TAR_END)
    return False


def _rows_end(path: Path) -> bool:
    """Whether what pg_dump writes at the end of a table's rows is there: pg_restore does not ask for it."""
    with path.open("rb") as source:
        inserts = source.read(6) == b"INSERT"
        source.seek(max(0, path.stat().st_size - 5))
        return source.read().endswith(b"\n\n" if inserts else b"\\.\n\n\n")
