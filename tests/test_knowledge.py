"""The machine does not know its platform: what knowledge is, where it belongs, and each place that has some besides.

Looked for in all of `harness/` and `reports/`: code, texts and comments. Where a kind belongs is its home; any other
place is a line of the table, with why it stays. A line that is not true any more is an error too, so that the table
only shrinks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from tests.test_house import HOME, TRACKED, said, text_of

STAND_IN = "harness/stacks/stand_in/"  # a platform of our own, which belongs to no project
PARTS = (  # the kinds of stack, and what they are made of
    STAND_IN, "harness/stacks/kinds.py", "harness/stacks/local/", "harness/stacks/docker/",
    "harness/stacks/attached/", "harness/stacks/parts/",
    "harness/stacks/backup_tools/", "harness/stacks/load_balancers/",
    "harness/restores/",  # backups of any platform's database, which is what they are for
    "harness/stacks/capabilities/database.py", "harness/stacks/capabilities/backups.py",  # what these two are for
)  # fmt: skip  # a list


class Kind(NamedTuple):
    """What is looked for, whatever its case, and where it may be for good."""

    words: str
    homes: tuple[str, ...]


def word(words: str) -> str:
    """Also as a part of a name: `lost_amount` knows of an amount."""
    return rf"(?<![a-z])(?:{words})(?![a-z])"


KINDS = {
    "brand": Kind(r"quantum.?nest", (STAND_IN,)),
    "path": Kind(r"(?<!checks)/(?:health|ready|transactions?|test/transaction)\b(?!\.\w)", (STAND_IN,)),
    "field": Kind(rf"{word('accounts?|balances|amounts?')}|[\"'`](?:stored|from|to)[\"'`]", (STAND_IN,)),
    "table": Kind(
        rf"{word('financial_transactions|test_transactions|id_seq')}|reconciliation\.table|schema\.table|\bid % 2"
        r"|[\"'](?:tables|sequences)[\"']",
        (STAND_IN,),
    ),
    "connection": Kind(
        rf"{word('dsn|superuser|connect_as|rolname|rolvalid[a-z]*|conninfo')}|(?-i:\bROLE\b)", PARTS
    ),  # to a database, and as whom
    "stand-in": Kind(STAND_IN.strip("/").split("/", 1)[1].replace("/", "[./]") + r"\b", PARTS),
    "SQL": Kind(r"(?-i:\b(?:SELECT|INSERT|UPDATE|DELETE|TRUNCATE|ALTER|GRANT|VACUUM|CREATE (?:TABLE|ROLE)))\b", PARTS),
    "PostgreSQL": Kind(r"postgres|psycopg|\bpsql|\bpg_?[a-z]\w+|(?-i:\bPG[A-Z(\[])|amcheck|libpq|\bxid\b", PARTS),
    "WAL": Kind(rf"{word('wal|segments?')}|lsn|xlog|write-ahead|(?:archive|restore)_command", PARTS),
    "timeline": Kind(rf"(?<!class=\")(?<!svg\.)(?<!run\.){word('timelines?')}(?!\.draw)", PARTS),
    "Patroni": Kind(r"patroni", PARTS),
    "etcd": Kind(r"etcd", PARTS),
    "S3": Kind(rf"{word('s3|boto[a-z0-9]*|moto|aws')}|bucket", PARTS),
    "load balancer": Kind(r"envoy|haproxy", PARTS),
    "backup tool": Kind(r"barman|backrest", PARTS),
}

REASONS = {
    "PROCEDURE": "stays: a procedure asks for the capability, and may name what it is for",
    "MONEY": "stays: an amount may be known, so that lost money is told",
    "FORMAT-1": "stays with the reader of packs of format 1, and with the rules of that time",
    "OWN": "stays: it is an example, or the page or word of another part, and only has the same name",
    "BESIDE": "stays: it judges, or begins, what is restored beside, by the tools' and the server's own words",
    "MASK": "stays: secrets are masked whoever made them",
}

# Room: below it kind, reason and the files (a path in the room; without `.py`).
TABLE = """
harness/alerts
    path           OWN         receiver
harness/checks
    field          MONEY       evidence loss salvage split_brain
    field          FORMAT-1    version3/loss
    field          BESIDE      restored_backup
    connection     BESIDE      restored_place
    PostgreSQL     FORMAT-1    version2/exactness version3/exactness
    PostgreSQL     BESIDE      restored_backup restored_looks
    WAL            BESIDE      restored_looks
    timeline       BESIDE      restored_looks
    WAL            FORMAT-1    version2/exactness version3/exactness
harness/cli
    PostgreSQL     BESIDE      init init_backups
    S3             BESIDE      init init_backups
    backup tool    BESIDE      init init_backups
harness/communications
    field          OWN         channels/mail
harness/evidence
    path           FORMAT-1    format1
    field          FORMAT-1    format1
    field          OWN         redact
    table          FORMAT-1    format1
    PostgreSQL     MASK        redact
    PostgreSQL     FORMAT-1    format1
    WAL            MASK        redact
    WAL            FORMAT-1    format1
    timeline       FORMAT-1    format1
    Patroni        FORMAT-1    format1
    S3             MASK        redact
    S3             FORMAT-1    format1
    backup tool    FORMAT-1    format1
harness/plan
    path           OWN         shape
harness/procedures
    field          MONEY       reconciliation restore_database
    SQL            PROCEDURE   find_mistake rebuild_index restore_database
    PostgreSQL     PROCEDURE   find_mistake rebuild_index replace_damaged_server restore_database
    WAL            PROCEDURE   find_mistake find_sound_backup rebuild_index restore_database
    timeline       PROCEDURE   find_mistake find_sound_backup restore_database
harness/restores
    field          OWN         programs/container programs/place programs/process programs/settings programs/ways
    field          OWN         proof/proposed sources/barman sources/barman_home sources/barman_info sources/own
    field          OWN         programs/holder sources/load
    field          OWN         sources/pgbackrest_config sources/pgbackrest_tool sources/storage
harness/stacks
    path           OWN         attached/monitoring local/watching parts/etcd
    field          OWN         attached/proposed/client_text
    field          OWN         backup_tools/barman/archive backup_tools/barman/backups parts/messages
harness/workload
    field          MONEY       client customers ledger plain/client rows
    field          OWN         plain/client.json plain/file
    SQL            OWN         plain/file
    field          FORMAT-1    format1
harness/system
    S3             OWN         environment
reports
    field          MONEY       run/losses run/rows
    field          BESIDE      run/restores
    connection     BESIDE      run/restores
    PostgreSQL     BESIDE      run/restores
    WAL            BESIDE      run/restores
    timeline       BESIDE      run/restores
"""


class Found(NamedTuple):
    room: str
    kind: str
    file: str


def room_of(path: str) -> tuple[str, str]:
    """The room, and the name of the file in it."""
    parts = path.removesuffix(".py").split("/")
    rooms = 2 if parts[0] == "harness" and len(parts) > 2 else 1
    return "/".join(parts[:rooms]), "/".join(parts[rooms:])


def known(files: Mapping[str, str]) -> dict[Found, str]:
    """Every kind of knowledge that a file has outside of its homes, and the first place: `line: words`."""
    found = {}
    for path, text in files.items():
        for name, kind in KINDS.items():
            match = None if path.startswith(kind.homes) else re.search(kind.words, text, re.IGNORECASE)
            if match:
                room, file = room_of(path)
                found[Found(room, name, file)] = f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
    return found


def lines_of(table: str) -> Iterator[tuple[str, str, str, list[str]]]:
    """Room, kind, reason and files of each line."""
    room = ""
    for line in filter(str.strip, table.splitlines()):
        if not line.startswith(" "):
            room = line
            continue
        words = re.fullmatch(r"    (\S.*?)  +([A-Z0-9-]+)  +(\S.*)", line)
        assert words, f"not `    KIND  REASON  FILES`: {line}"
        yield room, words[1], words[2], words[3].split()


def line(kind: str, reason: str, files: list[str]) -> str:
    return f"    {kind:<13}  {reason:<10}  {' '.join(sorted(files))}"


def wrong(files: Mapping[str, str], table: str) -> list[str]:
    """What has to be done to the table, or better to the files, in words that can be copied."""
    found, told, listed = known(files), [], set()
    for room, kind, reason, names in lines_of(table):
        if kind not in KINDS or reason not in REASONS:
            told.append(f"{room}: no such kind or reason: {line(kind, reason, names)}")
            continue
        listed |= {Found(room, kind, name) for name in names}
        left = [name for name in names if Found(room, kind, name) in found]
        if left != names:
            now = f"write   {line(kind, reason, left)}" if left else "nothing: remove the line"
            told.append(f"{room}: better than told! Instead of {line(kind, reason, names)}\n  {now}")
    for (room, kind, file), where in found.items():
        if (room, kind, file) not in listed:
            told.append(f"{where}\n  move it where it belongs; else, below {room}:\n{line(kind, 'REASON', [file])}")
    return told


def test_the_machine_does_not_know_its_platform() -> None:
    """But for what the table tells, with why it stays; and all that it tells is so."""
    files = {said(path): text_of(path) for path in TRACKED if said(path).startswith(("harness/", "reports/"))}
    assert len(files) > 200
    told = wrong(files, TABLE)
    assert not told, "\n".join(["the table of tests/test_knowledge.py:", *told])


def test_homes_are_there_and_reasons_are_used() -> None:
    """A folder that was renamed is no home any more, and a reason without a line has gone with the last one."""
    assert [home for kind in KINDS.values() for home in kind.homes if not (HOME / home).exists()] == []
    assert {reason for _, _, reason, _ in lines_of(TABLE)} == set(REASONS)


# That it can fail

EXAMPLES = {
    "brand": ('HOST = "api.quantumnest.com"', "quantum leap, nest egg"),
    "path": ('ask("GET", "/ready")', "harness/checks/ready"),
    "field": ('answer["stored"]', "what is stored"),
    "table": ("# WHERE id % 2 = 1", "a table of findings"),
    "connection": ("member.dsn", "the role of the incident commander"),
    "stand-in": (f"import {STAND_IN.strip('/').replace('/', '.')}.api", "the platform of the project"),
    "SQL": ('"SELECT 1"', "select one, and delete the other"),
    "PostgreSQL": ('"""Asks pg_current_wal_lsn()."""', "a page of figures"),
    "WAL": ("sample.lsn", "a wall, and what else there is"),
    "timeline": ('body.get("timeline")', '<svg class="timeline wide">'),
    "Patroni": ('f"patroni-{zone}"', "a patron"),
    "etcd": ('part: Literal["", "etcd"]', "etc. d"),
    "S3": ("self.bucket", 'font: "Roboto"'),
    "load balancer": ('"envoy-1"', "the active load balancer"),
    "backup tool": ("pgBackRest adds a digest", "a backup tool"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_where_it_is_and_nowhere_else(kind: str) -> None:
    """In a room, and not in its homes; a word that only looks like it is none."""
    has, has_not = EXAMPLES[kind]
    assert Found("harness/x", kind, "a/b") in known({"harness/x/a/b.py": f"one\n{has}\n"})
    assert Found("reports", kind, "page.html") in known({"reports/page.html": has})
    assert known({"harness/x/a.py": has_not}) == {}
    for home in KINDS[kind].homes:
        path = home if home.endswith(".py") else f"{home}a.py"
        assert kind not in {found.kind for found in known({path: has})}


MADE = {"harness/x/a.py": "lsn = 1\n", "harness/x/b.py": "nothing\n"}


def test_what_the_table_does_not_tell_is_an_error_with_the_line_to_add() -> None:
    """The place, the words, and the line."""
    (told,) = wrong(MADE, "")
    assert "harness/x/a.py:1: lsn" in told and line("WAL", "REASON", ["a"]) in told


def test_what_the_table_tells_and_is_gone_is_an_error_with_the_line_as_it_is_now() -> None:
    """Of several files one, or all: the table can only shrink."""
    room = "harness/x\n"
    assert wrong(MADE, room + line("WAL", "OWN", ["a"])) == []
    (told,) = wrong(MADE, room + line("WAL", "OWN", ["a", "b"]))
    assert told.endswith(f"write   {line('WAL', 'OWN', ['a'])}")
    (told,) = wrong(MADE, f"{room}{line('WAL', 'OWN', ['a'])}\n{line('etcd', 'OWN', ['b'])}")
    assert "remove the line" in told and "etcd" in told


def test_a_line_has_a_reason_and_a_kind_that_are_known() -> None:
    """Whoever is in a hurry cannot write `LATER`."""
    assert any("no such kind or reason" in told for told in wrong(MADE, f"harness/x\n{line('WAL', 'LATER', ['a'])}"))
    assert any("no such kind or reason" in told for told in wrong(MADE, f"harness/x\n{line('water', 'OWN', ['a'])}"))
