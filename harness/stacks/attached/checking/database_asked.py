"""Whether every database server answers, and exactly one says that it leads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from harness.errors import DrillError
from harness.stacks.attached import sessions
from harness.stacks.attached.checking.at_once import Question
from harness.stacks.attached.checking.line import Line
from harness.stacks.attached.checking.platform import Platform
from harness.stacks.attached.database import Database

PART = "database"
WITHIN = timedelta(seconds=20)  # of several questions to each, and each has its own patience


def questions(platform: Platform) -> Iterator[Question]:
    """Each member by itself, and all about who leads."""
    if (database := platform.database) is None:
        return
    assert platform.said.database is not None
    for name in platform.said.database.members:
        yield Question(PART, name, partial(_member, platform, database, name), within=WITHIN)
    yield Question(PART, "who leads", lambda: _who(platform, database), within=WITHIN)


def _member(platform: Platform, database: Database, name: str) -> list[Line]:
    """It lets us in, and answers what only the one that leads answers with true."""
    said = platform.said.database
    assert said is not None
    platform.must_know(said.dsn)
    where = platform.said.where("database", "members", name)
    if not platform.running(platform.said.components[name]):
        return [Line(PART, f"{name} lets us in", False, "it does not run", way_back(platform, name))]
    try:
        database.ask(name)
    except (OSError, DrillError) as error:
        hint = f"{where}, and dsn below it, say how it is connected to; try psql by hand"
        return [Line(PART, f"{name} lets us in", False, _first(error), hint)]
    lines = [Line(PART, f"{name} lets us in", True, "it answers")]
    try:
        sessions.one(database.dsn_now(name), said.leader)
    except (OSError, DrillError) as error:
        hint = f"{platform.said.where('database', 'leader')}: it has to be asked of each, and be true of one"
        lines.append(Line(PART, f"{name} says whether it leads", False, _first(error), hint))
    return lines


def _who(platform: Platform, database: Database) -> list[Line]:
    """One leads, all others follow. Of several that lead none is the copy of another, or two write at once."""
    assert platform.said.database is not None
    platform.must_know(platform.said.database.dsn)
    hint = "members are the servers of one database: one that leads, and its copies; leave others out"
    first, *others = database.healthy()
    lines = [Line(PART, "one leads", first.ok, first.seen, "" if first.ok else hint)]
    follows = "is it a copy? pg_stat_wal_receiver says nothing of it"
    by_condition = {f"{name} replicates": name for name in platform.said.database.members}
    for one in others:
        name = by_condition[one.name]
        back = "" if one.ok or platform.running(platform.said.components[name]) else way_back(platform, name)
        lines.append(Line(PART, one.name, one.ok, one.seen, "" if one.ok else back or follows))
    return lines


def way_back(platform: Platform, name: str) -> str:
    """What to do about a database server that does not run, in words; empty for what is no database server.

    Nobody is told to start one while another may lead: then two would.
    """
    if platform.database is None or platform.said.database is None or name not in platform.said.database.members:
        return ""
    found = platform.database.who()
    leading = [other for other, leads in found.items() if leads]
    unknown = [other for other, leads in found.items() if leads is None and other != name]
    if len(leading) == 1 and platform.said.database.returns_as_copy:
        return f"{leading[0]} leads: have {name} started as its owner does it; it returns as a copy, says the file"
    if len(leading) == 1:
        return f"{leading[0]} leads: first make {name} a copy of it, and only then start it, or two lead"
    if leading:
        return f"{' and '.join(leading)} lead: first settle which of them does"
    silent = f", and {', '.join(unknown)} did not answer" if unknown else ""
    return f"nobody is seen to lead{silent}: first see by hand who led last; that one is started before any other"


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
