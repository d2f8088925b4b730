"""`drdrill init --backups`: a stack file with nothing but backups, and a drill that restores them beside."""

from __future__ import annotations

import os
import re
import shlex
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from harness.errors import NotReady, Refused
from harness.plan.lengths import length_of_time, roughly
from harness.plan.sizes import measured
from harness.restores import Kept, Place, Source
from harness.restores.choice import Asked as Asking
from harness.restores.described import NEVER, Backup, Backups, Tool
from harness.stacks.attached.file.backups import SERVED
from harness.stacks.attached.proposed.backups_text import DRILL, Database, ProposedBackups, files_of
from harness.stacks.attached.proposed.files import PLAN, PROJECT, STACK
from harness.system import clock
from harness.system.command import Commands
from harness.system.later import fetch
from harness.system.operator import operator_name
from harness.system.recorder import Memory
from reports.words import counted

TOOLS = ("pgbackrest", "barman", "barman-cloud", "pg_basebackup", "pg_dump")
ANSWERS = ("name", "owner", "environment", "rto", "rpo")  # of the questions of `drdrill init`, those that fit
RTO, RPO = "4 h", "24 h"
NAME, USUAL = "Backups", "drdrill"  # the name, where the folder is the usual one
LABEL = "init-backups"
ALL_WITHIN = timedelta(hours=4)
# Where a server's own folder is, in a repository that is a folder.
WHERE_SERVERS = {"pgbackrest": "backup/*/backup.info", "barman": "*/base"}


Writes = Callable[[Mapping[str, str], Path], None]  # errors: `Refused`


@dataclass(frozen=True)
class Asked:
    """What the command was given. `servers` empty: all that are found."""

    tool: Tool
    repository: str
    servers: Sequence[str]
    config: Path | None
    image: str
    given: Mapping[str, str]  # name, owner, environment, rto, rpo
    restores: bool  # to propose what its rows have to be


def begin_with_backups(asked: Asked, *, into: Path, tried: Writes, write: Writes) -> None:
    """`tried`: whether files could be read and written there; asked before it is looked, which may take hours.

    Errors: `Refused` where nothing says which backups, one of the answers is none, or a file is there; `NotReady`.
    """
    if not asked.repository and asked.config is None:
        raise Refused("nothing says where the backups are", hint="--repository FOLDER or s3://bucket/prefix")
    for name in ("rto", "rpo"):
        if name in asked.given:
            _length(name, asked.given[name])
    owner = operator_name()
    stands_in = Database("backups", asked.tool, asked.repository, server=_server(asked), config=str(asked.config or ""))
    tried(files_of(_proposal(asked, into, owner, [stands_in])), into)
    found = proposed(asked, into=into.absolute(), owner=owner, say=lambda said: click.echo(said, err=True))
    files = files_of(found)
    tried(files, into)
    write(files, into)
    click.echo(f"{found.name}: written in {into}, to be read and changed by you:")
    whats = {
        STACK: f"which backups, and what has to be true of them: {counted(len(found.databases), 'database')}",
        PROJECT: "where the parts of the project lie",
        PLAN: f"what is promised: restored within {found.rto}, at most {found.rpo} lost; and when it is drilled",
    }
    for name in files:
        click.echo(f"  {name:<48} {whats.get(name, '')}".rstrip())
    here, said = shlex.quote(str(into)), shlex.quote(str(into / STACK))
    click.echo("next:")
    click.echo("  correct what was proposed, and what each check expects")
    click.echo(f"  drdrill --project {here} stack check {said}   # asks all of it, and restores nothing")
    click.echo(f"  drdrill --project {here} run {DRILL} --stack {said}")


def _server(asked: Asked) -> str:
    """Any; empty where the tool has none. Errors: `Refused` where only whoever asks could name one."""
    if asked.tool not in SERVED:
        return ""
    if not asked.servers and (asked.tool not in WHERE_SERVERS or not asked.repository or _in_s3(asked.repository)):
        raise Refused(f"{asked.tool} may have backups of several servers there", hint="name one: --server NAME")
    return next(iter(asked.servers), "any")


def _length(name: str, said: str) -> None:
    try:
        length_of_time(said)
    except ValueError as error:
        raise Refused(f"--{name}: {error}", hint="such as `4 h`") from None


def proposed(asked: Asked, *, into: Path, owner: str, say: Callable[[str], None]) -> ProposedBackups:
    """What a look at the repository proposes. Errors: `Refused`, `NotReady` where it cannot be read."""
    databases = list(_databases(asked, into, say))
    if not databases:
        hint = "is it the repository? name a server of it: --server NAME"
        raise NotReady(f"{asked.repository or asked.config}: {asked.tool} finds no backup in it", hint=hint)
    return _proposal(asked, into, owner, databases)


def _proposal(asked: Asked, into: Path, owner: str, databases: Sequence[Database]) -> ProposedBackups:
    """Called by its folder where nobody gives a name: runs of one name wait for each other."""
    given = asked.given
    folder = into.absolute().name
    name = folder if folder not in ("", USUAL) else NAME
    return ProposedBackups(
        name=given.get("name", name), owner=given.get("owner", owner), environment=given.get("environment", "staging"),
        rto=given.get("rto", RTO), rpo=given.get("rpo", RPO), databases=databases, image=asked.image,
    )  # fmt: skip  # arguments in groups


def _databases(asked: Asked, into: Path, say: Callable[[str], None]) -> Iterable[Database]:
    """One for each server; of dumps, one for each database that they say they are of."""
    for server in [*asked.servers] or _servers(asked) or [""]:
        backup = _backup(asked, server)
        found = _source(backup, asked.image)
        by_database: dict[str, list[Kept]] = {}
        for each in found.catalogue():
            by_database.setdefault(each.database if asked.tool == "pg_dump" else "", []).append(each)
        for database, catalogue in by_database.items():
            name = _plain(server or database or Path(asked.repository).name)
            own = replace(backup, name=name, names=(database,) if database else ())
            yield _database(own, found, catalogue, asked=asked, into=into, say=say)


def _database(
    backup: Backup, found: Source, catalogue: Sequence[Kept], *, asked: Asked, into: Path, say: Callable[[str], None]
) -> Database:
    kept = catalogue[-1]
    of = [each for each in catalogue if each.version == kept.version]
    say(f"{backup.name}: {counted(len(catalogue), 'backup')}, the newest is {_words(kept)}")
    roles = [*(found.needs(kept).roles or ())]
    look = _checks(replace(backup, roles_elsewhere=tuple(roles)), kept, asked, say) if asked.restores else Looked()
    return Database(
        name=backup.name, tool=asked.tool, repository=_seen_from(asked.repository, into), server=backup.server,
        names=backup.names, roles=roles, heartbeat=look.heartbeat,
        config=_seen_from(str(asked.config), into) if asked.config else "", system=kept.system,
        number=len(catalogue),
        seen=f"{counted(len(of), 'backup')} of PostgreSQL {kept.version}, the newest {_words(kept)}",
        checks=look.checks,
    )  # fmt: skip  # arguments in groups


def _servers(asked: Asked) -> list[str]:
    """Those that lie in a folder; none where only the tool could tell. Errors: `NotReady` where it cannot be read."""
    root = Path(asked.repository)
    if asked.tool not in WHERE_SERVERS or not asked.repository or _in_s3(asked.repository):
        return []
    try:
        return sorted(path.relative_to(root).parts[WHERE_SERVERS[asked.tool].count("/") - 1]
                      for path in root.glob(WHERE_SERVERS[asked.tool]))  # fmt: skip  # one expression
    except OSError as error:
        raise NotReady(f"{root}: {error.strerror}", hint="run it as somebody who may read the repository") from None


def _backup(asked: Asked, server: str) -> Backup:
    repository: Path | str | None = asked.repository or None
    if asked.repository and not _in_s3(asked.repository):
        repository = Path(asked.repository).expanduser().absolute()
    return Backup(server or "backups", asked.tool, repository=repository, server=server, config=asked.config)


def _said(backup: Backup, image: str) -> Backups:
    return Backups({backup.name: backup}, 1, ALL_WITHIN, None, None, image, NEVER)


def _source(backup: Backup, image: str) -> Source:
    commands = Commands(Memory(), label=LABEL)
    where = fetch("harness.restores.programs:programs")(_said(backup, image), commands)
    found: Source = fetch("harness.restores.sources:source")(backup, programs=where, commands=commands, values={})
    return found


@dataclass
class Looked:
    """What a first restore has shown: checks as YAML, and the table of a heartbeat."""

    checks: str = ""
    heartbeat: str = ""


def _checks(backup: Backup, kept: Kept, asked: Asked, say: Callable[[str], None]) -> Looked:
    """What the rows of the newest backup are like, as checks to be corrected: it is restored beside for that, once."""
    say(f"  it is restored beside once, to propose what its rows have to be ({measured(kept.size or kept.stored)})")
    found = Looked()

    def look(place: Place, names: Sequence[str]) -> None:
        found.checks = _items(fetch("harness.restores.proof.proposed:proposed")(place.connect, names))
        found.heartbeat = fetch("harness.restores.proof.heartbeat:found")(place.connect, names)

    recorder = Memory()
    with TemporaryDirectory(prefix="drdrill-init-") as folder:
        made = fetch("harness.restores.many:Restores")(
            _said(backup, asked.image), names=[backup.name], values={}, label=LABEL, folder=Path(folder),
            kept=Path(folder), recorder=recorder, then=look,
        )  # fmt: skip  # arguments in groups
        made.carry_out(Asking(), seed="")
    if why := _why(recorder):
        say(f"  it could not be restored: {why}")
    return found


def _items(proposal: str) -> str:
    """Those of its list, without what stands above it; empty where it has none."""
    return textwrap.dedent(proposal.partition("checks:\n")[2]).rstrip()


def _why(recorder: Memory) -> str:
    return next((str(data["why"]) for kind, data in reversed(recorder.facts) if kind == "restore.end"), "")


def _words(kept: Kept) -> str:
    if kept.ended is None:
        return f"{kept.id}, of unknown age"
    return f"{kept.id}, {roughly(clock.now().utc - kept.ended)} old"


def _in_s3(repository: str) -> bool:
    return repository.startswith("s3://")


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.@-]", "-", name).lstrip("-.") or "backups"


def _seen_from(path: str, into: Path) -> str:
    """As the stack file has it: one within its own tree is relative."""
    if not path or _in_s3(path):
        return path
    found = Path(path).expanduser().absolute()
    return os.path.relpath(found, into) if found.is_relative_to(into) else str(found)
