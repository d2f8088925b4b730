"""A restore beside, made up for tests: the lines that a sound one leaves, for one database or several.

`sound` has everything; a test takes it and breaks it in one way.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Any

from harness.checks import Finding
from harness.checks.evidence import Evidence, Line
from harness.checks.judge import judge
from harness.checks.restored import TITLES
from tests.histories import NAME, History, ns, utc

ORDERS, USERS = "orders", "users"
NONCE = "a-word-of-the-auditor"
SYSTEM = "7301234567890123456"
LIMITS = {"restore-time": 600.0, "backup-age": 900.0}
IDS = ("20261121F", "20261122F", "20261123F")
LAST = 120.0  # when the scenario ends
DIGEST = "ab" * 32


def backup(id: str, ended: float, **more: Any) -> dict[str, Any]:
    """As `restore.catalogue` lists it; `ended` in seconds of the scenario, so that it is below 0."""
    return {
        "id": id, "began": utc(ended - 60), "ended": utc(ended), "version": 15, "form": "files", "kind": "full",
        "size": 5_000_000_000, "stored": 1_800_000_000, "digest": DIGEST, "digest_of": "the manifest", "system": SYSTEM,
        "sound": "", **more,
    }  # fmt: skip  # a line of the journal


def sound(*databases: str, which: str = "newest", named: str = "", point: str = "") -> History:
    """Each of them was restored in 60 s, from the newest of three, up to 5 s before the archive was read."""
    history = History()
    names = list(databases or (ORDERS,))
    history.say(0.0, "scenario.begin", scenario=NAME)
    for finding in TITLES:
        if finding != "point-in-time" or point:
            history.expect(finding, LIMITS.get(finding))
    history.say(
        2.0, "restore.asked", databases=names, which=which, named=named, point=point, at_once=2, within=3600.0,
        keep="never",
    )  # fmt: skip  # a line of the journal
    for name in names:
        _one(history, name)
    history.say(LAST, "scenario.end", scenario=NAME, outcome="completed", error="")
    return history


def _one(history: History, name: str) -> None:
    def say(at: float, kind: str, /, **data: Any) -> None:
        history.say(at, f"restore.{kind}", database=name, **data)

    every = [backup(id, -86_400.0 * (3 - place)) for place, id in enumerate(IDS)]
    inventory = {
        "files": 412,
        "bytes": 5_400_000_000,
        "digest": DIGEST,
        "read_only": "a read-only mount",
        "changed": [],
        "came": [],
    }
    say(3.0, "inventory", moment="before", **inventory)
    say(
        4.0, "catalogue", tool="pgBackRest 2.45", read_only="a read-only mount", backups=every, chosen=IDS[-1],
        how="the newest of 3", digest=hashlib.sha256(json.dumps(every).encode()).hexdigest(), system_expected=SYSTEM,
    )  # fmt: skip  # a line of the journal
    say(5.0, "place", moment="before", version=15, programs="this machine", isolation="a network of its own, without a "
        "way out", empty=True, free=10**11, needed=10**10)  # fmt: skip  # a line of the journal
    say(24.0, "brought", digest=DIGEST, digest_of="the manifest")
    for at, part, seconds, size in PARTS:
        say(at, "part", part=part, seconds=seconds, bytes=size)
    say(55.5, "reached", point=point_of(history), ordered={}, at=utc(20.0), lsn="16/B374D848", timeline=3,
        archive_end="0000000300000016000000B3", stopped_before={}, ended_early=False)  # fmt: skip  # the same
    for about, named, seen in LOOKS:
        expected = EXPECTED.get(about, "nothing")
        say(58.0, "look", about=about, name=named, ok=True, seen=seen, text="…", expected=expected, figure=1.0)
    say(60.0, "heartbeat", number=1_234_567, at=utc(20.0), rows=86_400, missing=0, every=1.0, now=utc(25.0), behind=5.0)
    say(61.0, "place", moment="after", isolation="a network of its own, without a way out", archive_mode="off",
        # a line of the journal
        tries=[{"address": "10.0.0.5:5432", "became": "Network is unreachable"}], conninfo_left=[])  # fmt: skip
    say(65.0, "part", part="verify", seconds=10.0, bytes=0)
    say(66.0, "inventory", moment="after", **inventory)
    say(70.0, "end", outcome="restored", why="", seconds=60.0, size=5_000_000_000, removed=True, left="", kept="")


PARTS = (
    (25.0, "fetch", 20.0, 1_800_000_000),
    (40.0, "restore", 15.0, 5_000_000_000),
    (55.0, "replay", 15.0, 64_000_000),
)
LOOKS = (
    ("log", "what the tools said", "nothing was skipped, ignored or wrong"),
    ("log", "what the server said", "nothing wrong in 40 lines"),
    ("pages", "the checksum of every page", "610351 pages, and every checksum is right"),
    ("pages", "amcheck of app", "41 tables and indexes, nothing found"),
    ("pages", "rows and index entries of app", "9 tables, as many entries as rows in each"),
    ("structure", "databases", "1: app"),
    ("structure", "owners and grantees that are gone", "none"),
    ("structure", "tables of app", "12 tables, 29 indexes, 0 views"),
    ("structure", "invalid indexes, in app", "none"),
    ("structure", "constraints that were never validated, in app", "none"),
    ("structure", "materialised views that are not filled, in app", "none"),
    ("structure", "pieces of large objects that belong to none, in app", "none"),
    ("structure", "sequences of app", "9, and each is ahead"),
    ("structure", "extensions of app", "1: plpgsql"),
    ("rows", "orders of yesterday", "7"),
    ("identity", "whose it is", f"of system {SYSTEM}"),
    ("identity", "when it was taken", "its last checkpoint is of 2026-11-23T20:54:30+00:00"),
)
EXPECTED = {"rows": "at least 5 and at most 9", "identity": SYSTEM}


def point_of(history: History) -> str:
    (asked,) = (data for _, kind, data in history.lines if kind == "restore.asked")
    return asked["point"] or "the end of the archive"


def change(history: History, what: str, database: str = ORDERS, **data: Any) -> History:
    """Other values in the lines of a kind."""
    for _, kind, said in history.lines:
        if kind == f"restore.{what}" and said.get("database", database) == database:
            said.update(data)
    return history


def looks(history: History, about: str, **data: Any) -> History:
    """Other values in the looks about something."""
    for _, kind, said in history.lines:
        if kind == "restore.look" and said["about"] == about:
            said.update(data)
    return history


def without(history: History, what: str, where: Callable[[dict[str, Any]], bool] = lambda data: True) -> History:
    history.drop(f"restore.{what}", where=where)
    return history


def evidence(history: History, **begin: Any) -> Evidence:
    """With a first line, which has the nonce."""
    first = {"scenarios": [NAME], "nonce": NONCE, "nonce_by": "auditor", **begin}
    found = history.evidence()
    lines = (Line(0, "run.begin", ns(-1.0), utc(-1.0), first), *found.lines)
    return dataclasses.replace(found, run=lines)


def finding(history: History, id: str, database: str = ORDERS) -> Finding:
    """What the newest rules say."""
    found = [each for each in judge(evidence(history)) if each.id == id]
    return next(each for each in found if ("database", database) in each.beside)
