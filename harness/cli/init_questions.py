"""What `drdrill init` asks: each question has an option of its own, and a proposal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from harness.evidence.environments import CLASSES
from harness.plan.lengths import length_of_time
from harness.stacks.attached.file import formats
from harness.stacks.attached.proposed.proposal import Proposal, with_zones

NONE = "none"
NOWHERE = CLASSES[:1]  # at a table nothing runs


def _always(found: Proposal) -> bool:
    return True


def _has_database(found: Proposal) -> bool:
    return found.database is not None


@dataclass(frozen=True)
class Question:
    """`now`: what is proposed; `change`: the proposal with an answer. Errors of that: `ValueError`."""

    name: str
    words: str
    help: str
    now: Callable[[Proposal], str]
    change: Callable[[Proposal, str], Proposal]
    metavar: str = "TEXT"
    applies: Callable[[Proposal], bool] = _always

    @property
    def option(self) -> str:
        return f"--{self.name.replace('_', '-')}"


def _field(name: str, check: Callable[[str], object] = str) -> Callable[[Proposal, str], Proposal]:
    def change(found: Proposal, said: str) -> Proposal:
        said = said.strip()
        if not said or not said.isprintable():
            raise ValueError("nothing is said")
        check(said)
        return replace(found, **cast(Any, {name: said}))

    return change


def _one_of(*words: str) -> Callable[[str], object]:
    def check(said: str) -> None:
        if said not in words:
            raise ValueError(f'"{said}" is not one of {", ".join(words)}')

    return check


def _at(found: Proposal, said: str) -> Proposal:
    if said.strip() in ("", NONE):
        return replace(found, at="", at_why="")
    formats.origin(said.strip())
    why = found.at_why if said.strip() == found.at else ""
    return replace(found, at=said.strip().rstrip("/"), at_why=why)


def _page(found: Proposal, said: str) -> Proposal:
    if not said.startswith("/") or " " in said:
        raise ValueError(f'"{said}" is no path')
    return replace(found, page=said)


def _zones_now(found: Proposal) -> str:
    """As `_zones` reads it."""
    names = dict.fromkeys(part.zone for part in found.parts if part.zone)
    return " ".join(f"{zone}={','.join(part.name for part in found.parts if part.zone == zone)}" for zone in names)


def _zones(found: Proposal, said: str) -> Proposal:
    """`a=api-a,db-1 b=api-b,db-2`; `none` where there are none."""
    known = {part.name for part in found.parts}
    zones: dict[str, str] = {}
    for each in [] if said.strip() == NONE else said.split():
        zone, equals, names = each.partition("=")
        if not equals or not zone or not names:
            raise ValueError(f'"{each}" says no zone')
        formats.plain_name(zone)
        for name in names.split(","):
            if name not in known:
                raise ValueError(f"there is no component {name}")
            zones[name] = zone
    if not zones:
        return replace(found, parts=[replace(part, zone="") for part in found.parts])
    return replace(found, parts=with_zones(found.parts, zones))


def _database(name: str) -> Callable[[Proposal, str], Proposal]:
    def change(found: Proposal, said: str) -> Proposal:
        if not said.strip() and name == "user":
            raise ValueError("nothing is said")
        if said.strip():  # of what nobody has said is told that it is to be filled in
            formats.plain_name(said.strip())
        assert found.database is not None
        return replace(found, database=replace(found.database, **cast(Any, {name: said.strip()})))

    return change


QUESTIONS = (
    Question("name", "what is the platform called", "How people call it.", lambda f: f.name, _field("name")),
    Question("owner", "who answers for it", "Who answers for it.", lambda f: f.owner, _field("owner")),
    Question(
        "environment", "of which class is it", f"Its class: {', '.join(c for c in CLASSES if c not in NOWHERE)}.",
        lambda f: f.environment, _field("environment", _one_of(*(c for c in CLASSES if c not in NOWHERE))),
    ),
    Question(
        "stands", "does it stand already, or is it brought up for a run",
        "`already`: found by its labels; `for the run`: brought up by compose, and taken down.",
        lambda f: f.stands, _field("stands", _one_of("already", "for the run")),
        applies=lambda f: bool(f.files),
    ),
    Question(
        "at", "where do customers come in", f"URL at which customers come in; `{NONE}` where it is not known yet.",
        lambda f: f.at or NONE, _at, "URL",
    ),
    Question("rate", "how often do they write", "Such as `5 a second`.", lambda f: f.rate,
             _field("rate", formats.rate)),
    Question("page", "which page says that it is well", "Path asked of a platform that is well.", lambda f: f.page,
             _page),
    Question(
        "zones", "what dies together", f"Such as `a=api-a,db-1 b=api-b,db-2`; `{NONE}`. One each where it is left out.",
        lambda f: _zones_now(f) or NONE, _zones,
    ),
    Question(
        "database_name", "what is its database called", "The database that customers' transactions are in.",
        lambda f: f.database.name if f.database else "", _database("name"), applies=_has_database,
    ),
    Question(
        "database_user", "by which role is it read", "A role that only reads; its password is a reference.",
        lambda f: f.database.user if f.database else "", _database("user"), applies=_has_database,
    ),
    Question("rto", "within which time is service back", "Recovery time, such as `5 min`.", lambda f: f.rto,
             _field("rto", length_of_time)),
    Question("rpo", "how much may be lost", "Recovery point, such as `1 min`.", lambda f: f.rpo,
             _field("rpo", length_of_time)),
)  # fmt: skip  # a table
