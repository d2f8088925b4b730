"""What a stack file says under `backups`: what of it has to agree, and as plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.plan.lengths import length_of_time
from harness.plan.sizes import size_of_data
from harness.plan.text import Text, Where
from harness.restores import Point
from harness.restores.described import NEVER, S3, Backup, Backups, Heartbeat, RowCheck
from harness.stacks.attached.file.agree import one_of

ALL_WITHIN, EVERY = "2 h", "1 s"
KINDS_OF_POINTS = ("time", "lsn", "xid", "name")
WHOLE_SECRET = re.compile(r"\$\{secret:[^{}]+\}")
LSN = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")
SERVED = ("pgbackrest", "barman", "barman-cloud")  # tools whose repository has several servers
CONFIGURED = ("pgbackrest", "barman")  # and whose own configuration may say where it is


def check(read: Text) -> None:
    """List in `read.problems` whatever does not agree."""
    given = read.values.get("backups")
    if not isinstance(given, Mapping):
        return
    if int(given.get("at once", "1")) == 0:
        read.problem(("backups", "at once"), "none would be restored", hint="write 1, or more")
    for name, each in given["databases"].items():
        _backup(read, ("backups", "databases", name), each)


def _backup(read: Text, where: Where, given: Mapping[str, Any]) -> None:
    tool = given["tool"]
    if tool == "commands":
        _belongs(read, where, given, wanted=("commands",), alien=("repository", "config", "s3", "server"))
    else:
        _belongs(read, where, given, wanted=(), alien=("commands",))
        if "repository" not in given and not ("config" in given and tool in CONFIGURED):
            read.problem((*where, "repository"), "is missing: nothing says where the backups are", hint="add it")
    if tool in SERVED and "server" not in given:
        read.problem((*where, "server"), "is missing: a repository may have several", hint="add server: NAME")
    if tool not in (*SERVED, "commands") and "server" in given:
        read.problem((*where, "server"), f"is nothing that {tool} knows", hint="take it out")
    if "zone" in given and tool != "pg_dump":
        read.problem((*where, "zone"), f"is nothing that {tool} needs: its times have one", hint="take it out")
    if "roles kept elsewhere" in given and tool not in ("pg_dump", "commands"):
        hint = "a copy of files brings its roles"
        read.problem((*where, "roles kept elsewhere"), "is of dumps", hint=hint)
    if "s3" in given and not str(given.get("repository", "")).startswith("s3://"):
        read.problem((*where, "s3"), "is there, and the repository is not in S3", hint="s3://bucket/prefix")
    if tool == "barman-cloud" and not str(given.get("repository", "s3://")).startswith("s3://"):
        read.problem((*where, "repository"), "is not in S3, as barman-cloud's are", hint="s3://bucket/prefix")
    if not WHOLE_SECRET.fullmatch(given.get("s3", {}).get("secret", "${secret:NAME}")):
        hint = "name it under secrets, and write ${secret:NAME} here, and nothing else"
        read.problem((*where, "s3", "secret"), "is written out, and this file goes into every pack", hint=hint)
    _checks(read, where, given)
    for name, each in given.get("points", {}).items():
        one_of(read, (*where, "points", name), each, KINDS_OF_POINTS)
        _point(read, (*where, "points", name), each)


def _checks(read: Text, where: Where, given: Mapping[str, Any]) -> None:
    for at, each in enumerate(given.get("checks", ())):
        if not {"is", "at least", "at most"} & set(each):
            hint = "add `is`, `at least` or `at most`: a check that expects nothing cannot fail"
            read.problem((*where, "checks", at), f"{each['name']} expects nothing", hint=hint)
        if "is" in each and {"at least", "at most"} & set(each):
            read.problem((*where, "checks", at), f"{each['name']} has `is` and a bound", hint="keep one of them")
        if "at least" in each and Decimal(each["at least"]) > Decimal(each.get("at most", "Infinity")):
            read.problem((*where, "checks", at), f"{each['name']} can never be so", hint="at least 5, at most 9")


def _belongs(
    read: Text, where: Where, given: Mapping[str, Any], *, wanted: tuple[str, ...], alien: tuple[str, ...]
) -> None:
    for word in wanted:
        if word not in given:
            read.problem((*where, word), f"is missing, and the tool is {given['tool']}", hint=f'add "{word}"')
    for word in alien:
        if word in given:
            read.problem((*where, word), f"is nothing that the tool {given['tool']} has", hint="take it out")


def _point(read: Text, where: Where, given: Mapping[str, str]) -> None:
    if "time" in given and _time(given["time"]) is None:
        hint = "write it like 2026-11-30 10:00:00+00: a time without its zone is another one elsewhere"
        read.problem((*where, "time"), f'"{given["time"]}" is no time with its zone', hint=hint)
    if "lsn" in given and not LSN.fullmatch(given["lsn"]):
        read.problem((*where, "lsn"), f'"{given["lsn"]}" is no position', hint="write it like 0/3000148")
    if "xid" in given and not given["xid"].isdecimal():
        read.problem((*where, "xid"), f'"{given["xid"]}" is no transaction', hint="write its number, such as 745")


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def described_backups(given: Mapping[str, Any], base: Path) -> Backups:
    """As plain values; relative paths are seen from `base`."""
    return Backups(
        databases={name: _described(name, each, base) for name, each in given["databases"].items()},
        at_once=int(given.get("at once", "1")),
        within=length_of_time(given.get("within", ALL_WITHIN)),
        room=size_of_data(given["room"]) if "room" in given else None,
        folder=_path(given["folder"], base) if "folder" in given else None,
        image=given.get("image", ""),
        keep=given.get("keep", NEVER),
    )


def _described(name: str, given: Mapping[str, Any], base: Path) -> Backup:
    names = tuple(given.get("names", ()))
    return Backup(
        name=name,
        tool=given["tool"],
        repository=_repository(given.get("repository"), base),
        server=given.get("server", ""),
        config=_path(given["config"], base) if "config" in given else None,
        s3=_s3(given.get("s3", {}), base),
        commands={word: tuple(words) for word, words in given.get("commands", {}).items()},
        zone=given.get("zone", ""),
        system=given.get("system", ""),
        names=names,
        original=tuple(given.get("original", ())),
        roles=tuple(given.get("roles", ())),
        roles_elsewhere=tuple(given.get("roles kept elsewhere", ())),
        extensions=tuple(given.get("extensions", ())),
        checks=tuple(map(_row_check, given.get("checks", ()))),
        books=given.get("books", ""),
        heartbeat=_heartbeat(given["heartbeat"], names) if "heartbeat" in given else None,
        points={
            point: Point(
                time=_time(each.get("time", "")), **{word: each[word] for word in KINDS_OF_POINTS[1:] if word in each}
            )
            for point, each in given.get("points", {}).items()
        },
    )


def _repository(said: str | None, base: Path) -> Path | str | None:
    if said is None or said.startswith("s3://"):
        return said
    return _path(said, base)


def _path(said: str, base: Path) -> Path:
    return base / Path(said).expanduser()


def _s3(given: Mapping[str, str], base: Path) -> S3:
    ca = _path(given["ca_file"], base) if "ca_file" in given else None
    words = {word: given[word] for word in ("endpoint", "region", "key", "secret") if word in given}
    return S3(ca=ca, **words)


def _row_check(given: Mapping[str, str]) -> RowCheck:
    exactly = given.get("is")
    least, most = given.get("at least", exactly), given.get("at most", exactly)
    return RowCheck(
        name=given["name"],
        sql=given["sql"],
        database=given.get("database", ""),
        least=None if least is None else Decimal(least),
        most=None if most is None else Decimal(most),
    )


def _heartbeat(given: Mapping[str, str], names: tuple[str, ...]) -> Heartbeat:
    database = given.get("database", names[0] if names else "")
    return Heartbeat(given["table"], database, length_of_time(given.get("every", EVERY)))
