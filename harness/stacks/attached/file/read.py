"""Reads a stack file: as plain values, or one error that names every problem with file, line, field and HINT."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from harness.evidence.redact import Redactor
from harness.plan import shape, text
from harness.plan.lengths import length_of_time
from harness.stacks.attached.file import acts, agree, backups, described, formats, references, safety
from harness.stacks.attached.file.described import HERE, StackFile

OF = "a stack file"
LEADS = "SELECT NOT pg_is_in_recovery()"
AS_A_COPY = "as a copy"
NONE = "none"  # what is said in words where there is nothing
CUSTOMERS_WAIT = "5 s"


def schema() -> dict[str, Any]:
    """What a stack file may hold; its descriptions are the reference for people."""
    found: dict[str, Any] = json.loads(resources.files(__package__).joinpath("schema.json").read_text(encoding="utf-8"))
    return found


def load(path: Path, *, base: Path | None = None) -> StackFile:
    """`base`: the folder that its relative paths are seen from, where it is a copy of one that lies there.

    Errors: `Refused`, with every problem in one message.
    """
    read = text.read(path)
    shape.check(read, schema(), of=OF, formats=formats.FORMATS)
    base = (base or path.parent).absolute()
    if not read.problems:
        references.check(read, base)
    if read.problems:
        raise text.refuse(path, read.problems)
    return _described(read, base)


def _described(read: text.Text, base: Path) -> StackFile:
    given: dict[str, Any] = read.values
    private = {word: alias for alias, word in given.get("private", {}).items()}
    told = Redactor(aliases=private).aliased(read.path.read_text(encoding="utf-8"))
    kept = given.get("backups", NONE)
    return StackFile(
        path=read.path,
        base=base,
        told=told,
        digest=hashlib.sha256(told.encode()).hexdigest(),
        platform=described.Platform(**given["platform"]),
        components={name: _component(name, each, given, base) for name, each in given["components"].items()},
        secrets={name: _secret(each, base) for name, each in given.get("secrets", {}).items()},
        compose=_compose(given["compose"], base) if "compose" in given else None,
        zones={name: described.Zone(name, each.get("region", HERE)) for name, each in given.get("zones", {}).items()},
        probes={name: acts.probe(name, each, base) for name, each in given.get("probes", {}).items()},
        customers=_customers(given["customers"], base) if "customers" in given else None,
        database=_database(given["database"], base) if "database" in given else None,
        backups=None if kept == NONE else backups.described_backups(kept, base),
        alerts=_alerts(given["alerts"]) if "alerts" in given else None,
        safety=safety.described_safety(given.get("safety", {}), base),
        private=private,
        lines=read.lines,
    )


def _secret(given: Mapping[str, Any], base: Path) -> described.Secret:
    file = base / Path(given["file"]).expanduser() if "file" in given else None
    return described.Secret(given.get("env", ""), file, tuple(given.get("command", ())))


def _compose(given: Mapping[str, Any], base: Path) -> described.Compose:
    files = tuple(base / each for each in given.get("files", ()))
    return described.Compose(given["project"], given["stands"], files, given.get("helper", ""))


def _component(name: str, given: Mapping[str, Any], whole: Mapping[str, Any], base: Path) -> described.Component:
    said = {
        word: given[word] for word in ("zone", "host", "role", "hurt", "alive", "container", "label") if word in given
    }
    verbs = {word: acts.verb(given[word], base) for word in described.VERBS if word in given}
    return described.Component(
        name=name,
        service=agree.service(name, given, whole),
        log=base / given["log"] if "log" in given else None,
        verbs=verbs,
        **said,
    )


def _customers(given: Mapping[str, Any], base: Path) -> described.Customers:
    at = given["at"]
    return described.Customers(
        at=tuple(at) if isinstance(at, list) else (at,),
        rate=formats.rate(given["rate"]) if "rate" in given else None,
        timeout=length_of_time(given.get("timeout", CUSTOMERS_WAIT)),
        ca=base / given["ca_file"] if "ca_file" in given else None,
    )


def _database(given: Mapping[str, Any], base: Path) -> described.Database:
    planned = given.get("failover")
    failover = None
    if planned:
        undo = planned["undo"]
        failover = described.Failover(
            acts.action(planned["do"], base), None if undo == NONE else acts.action(undo, base)
        )
    return described.Database(
        kind=given["kind"],
        members=given["members"],
        dsn=given["dsn"],
        leader=given.get("leader", {}).get("sql", LEADS),
        returns_as_copy=given.get("returns") == AS_A_COPY,
        failover=failover,
        rejoin=acts.action(given["rejoin"], base) if "rejoin" in given else None,
    )


def _alerts(given: Mapping[str, Any]) -> described.Alerts:
    labels = {name: given.get("labels", {}).get(name, name) for name in ("component", "zone", "region")}
    return described.Alerts(given.get("receive", ""), given.get("poll", ""), labels)
