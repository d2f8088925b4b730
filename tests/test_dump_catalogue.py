"""Which dumps a repository has: told by what they begin with, never by the name or the time of a file."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DrillError, NotReady, Refused
from harness.restores import Kept, Point
from harness.restores.described import Backup
from harness.restores.sources.dump import Dumps
from harness.restores.sources.dump_files import DumpFiles
from harness.restores.sources.load import Time
from harness.restores.sources.storage import Folder
from harness.stacks.attached.file.backups import described_backups
from harness.system.command import Commands
from harness.system.recorder import Memory
from tests import dumps

OLD = datetime(2026, 11, 1, 1, 2, 3)


def repository(at: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_bytes(content)
    return at


def source(at: Path, **more: Any) -> Dumps:
    commands = Commands(Memory(), label="test-dumps")
    return Dumps(Backup("orders", "pg_dump", at, **more), programs=None, commands=commands, values={})


def names(found: list[Kept]) -> list[str]:
    return [each.id for each in found]


def test_all_kinds_are_listed(tmp_path: Path) -> None:
    """Whatever they are called; the oldest first, and before them those that do not say when they were made."""
    at = repository(
        tmp_path,
        {
            "x": dumps.archive(),
            "daily/1/toc.dat": dumps.archive(kind=3, made=OLD),
            "daily/1/2581.dat.gz": b"rows",
            "daily/2.tar": dumps.tar(),
            "plain.sql": dumps.script("\\connect shop"),
            "said.sql.gz": gzip.compress(dumps.script(started="2026-11-02 00:00:00 UTC")),
            "all.sql": dumps.script(cluster=True),
            "globals.sql": dumps.script(cluster=True),
            "notes.txt": b"hello",
            "said.sql.gz.log": b"",
        },
    )
    found = source(at).catalogue()
    assert names(found) == ["all.sql", "plain.sql", "daily/1", "said.sql.gz", "daily/2.tar", "x"]
    assert [each.facts["kind"] for each in found] == ["cluster", "script", "directory", "script", "tar", "custom"]
    assert [each.database for each in found] == ["", "shop", "shop", "", "shop", "shop"]
    assert {each.version for each in found} == {15}
    assert {each.sound for each in found} == {""}
    assert found[2].stored == len(dumps.archive()) + 4
    assert (found[2].ended, found[0].ended) == (OLD.replace(tzinfo=UTC), None)
    assert [each.id for each in found if "zone" in each.facts] == ["daily/1", "daily/2.tar", "x"]


def test_an_old_dump_under_a_fresh_time_is_old(tmp_path: Path) -> None:
    """A copy has the time of its copying, and a name may say anything."""
    at = repository(tmp_path, {"2026-11-29.dump": dumps.archive(), "2026-11-30.dump": dumps.archive(made=OLD)})
    os.utime(at / "2026-11-29.dump", (1, 1))
    found = source(at).catalogue()
    assert names(found) == ["2026-11-30.dump", "2026-11-29.dump"]
    assert found[0].ended == OLD.replace(tzinfo=UTC)


def test_its_zone_is_the_makers(tmp_path: Path) -> None:
    """And a time that is yet to come tells that it is another one."""
    at = repository(tmp_path, {"a.dump": dumps.archive(made=datetime.now(UTC).replace(tzinfo=None, microsecond=0))})
    assert source(at).catalogue()[0].sound == ""
    assert "yet to come" in source(at, zone="America/New_York").catalogue()[0].sound
    assert source(at, zone="Asia/Tokyo").catalogue()[0].facts["zone"] == "Asia/Tokyo"


def test_a_stack_file_says_the_zone() -> None:
    """Of the clock of who dumps."""
    said = {"tool": "pg_dump", "repository": "dumps", "zone": "Asia/Tokyo"}
    assert described_backups({"databases": {"a": said}}, Path("/")).databases["a"].zone == "Asia/Tokyo"


def test_other_databases_are_not_its_backups(tmp_path: Path) -> None:
    """As far as a dump says which it is of."""
    at = repository(
        tmp_path, {"a.dump": dumps.archive(database="users"), "b.dump": dumps.archive(), "c.sql": dumps.script()}
    )
    assert names(source(at, names=("shop",)).catalogue()) == ["c.sql", "b.dump"]


def test_what_was_meant_to_be_one_is_listed(tmp_path: Path) -> None:
    """With what is wrong with it, and of no version."""
    at = repository(
        tmp_path,
        {
            "ok.dump": dumps.archive(),
            "a.dump": b"",
            "b.sql.gz": gzip.compress(dumps.script())[:12],
            "c.dump": dumps.archive()[:30],
            "d/toc.dat": b"nothing",
            "e.tar": b"other".ljust(257, b"\0") + b"ustar".ljust(255, b"\0"),
            "f.sql.gz": b"\x1f\x8bnothing at all",
        },
    )
    found = {each.id: each for each in source(at).catalogue()}
    said = {name: each.sound for name, each in found.items() if name != "ok.dump"}
    assert set(said) == {"a.dump", "b.sql.gz", "c.dump", "d", "e.tar", "f.sql.gz"}
    assert all(said.values())
    assert said["a.dump"] == "it is empty"
    assert {found[name].version for name in said} == {0}
    assert {found[name].ended for name in said} == {None}


def test_a_script_without_its_end_is_told(tmp_path: Path) -> None:
    """A script of a cluster has an end of its own, and that of a database is none of it."""
    whole = dumps.script(cluster=True)
    at = repository(
        tmp_path,
        {
            "whole.sql": dumps.script(),
            "cut.sql": dumps.script(end=False),
            "all.sql": whole,
            "all-cut.sql": whole.replace(b"cluster dump complete", b"dump complete"),
        },
    )
    found = {each.id: each.sound for each in source(at).catalogue()}
    assert {name for name, said in found.items() if said} == {"cut.sql", "all-cut.sql"}
    assert found["cut.sql"] == 'it is cut short: the line "PostgreSQL database dump complete" is not its last'


def test_files_that_are_no_dumps_are_not_an_empty_repository(tmp_path: Path) -> None:
    """They may be encrypted: nothing can be said of them. A folder without files has no backup, and that is said."""
    (tmp_path / "empty").mkdir()
    assert source(tmp_path / "empty").catalogue() == []
    at = repository(tmp_path, {"a.gpg": b"\x85\x01", "notes.txt": b"x", "b.gz": gzip.compress(b"no dump")})
    with pytest.raises(NotReady, match=r"has 3 files, such as a\.gpg, and none is a dump"):
        source(at).catalogue()
    with pytest.raises(NotReady, match="No such file"):
        source(tmp_path / "nothing").catalogue()


def test_checksums_beside_it_are_its_digest(tmp_path: Path) -> None:
    """As `sha256sum` writes them, for one or for all; without one, it is known once it is brought."""
    content = dumps.archive()
    known = sha256(content).hexdigest()
    at = repository(
        tmp_path,
        {
            "a.dump": content,
            "a.dump.sha256": f"{known.upper()}\n".encode(),
            "b.dump": content,
            "b.dump.sha256": f"{known}  ./b.dump\n".encode(),
            "more/c.dump": content,
            "more/SHA256SUMS": f"{'0' * 64} *other\n{known} *c.dump\n".encode(),
            "d.dump": content,
        },
    )
    found = {each.id: each for each in source(at).catalogue()}
    assert {name: each.digest for name, each in found.items()} == {
        "a.dump": known, "b.dump": known, "more/c.dump": known, "d.dump": "",
    }  # fmt: skip  # one a name
    assert found["a.dump"].digest_of == "the file, by the checksum beside it"
    assert found["d.dump"].digest_of == ""


def brought(at: Path, name: str, into: Path) -> tuple[int, str]:
    return DumpFiles(Folder(at), Commands(Memory(), label="test-dumps"), zone="").fetch(
        name, into, Time(timedelta(seconds=20))
    )


def test_what_is_brought_is_held_against_its_checksum(tmp_path: Path) -> None:
    """Of a file, and of each file of a folder, whose digest is that of the lines of `sha256sum`."""
    content, toc = dumps.archive(), dumps.archive(kind=3)
    lines = f"{sha256(b'rows').hexdigest()}  1.dat\n{sha256(toc).hexdigest()}  toc.dat\n".encode()
    at = repository(
        tmp_path / "repository",
        {
            "a.dump": content,
            "a.dump.sha256": sha256(content).hexdigest().encode(),
            "d/toc.dat": toc,
            "d/1.dat": b"rows",
            "d.sha256": lines,
        },
    )
    assert brought(at, "a.dump", tmp_path / "a") == (len(content), sha256(content).hexdigest())
    assert brought(at, "d", tmp_path / "d") == (len(toc) + 4, sha256(lines).hexdigest())
    (at / "a.dump").write_bytes(content[:-1] + b"x")
    (at / "d" / "1.dat").write_bytes(b"rowt")
    for name in ("a.dump", "d/1.dat"):
        with pytest.raises(DrillError, match=f"{name} is not what it was: its SHA-256 is "):
            brought(at, name.partition("/")[0], tmp_path / "again" / name.partition("/")[0])


def test_the_globals_beside_it_are_found(tmp_path: Path) -> None:
    """Its own before those of all, those in its folder before those above; packed, too."""
    at = repository(tmp_path, {"globals.sql.gz": b"", "x/y/b.dump": b"", "x/roles.sql": b"", "a.globals.sql": b""})
    files = DumpFiles(Folder(at), Commands(Memory(), label="test-dumps"), zone="")
    found = [files.globals_of(name) for name in ("a.dump", "other.dump.gz", "x/y/b.dump")]
    assert found == ["a.globals.sql", "globals.sql.gz", "x/roles.sql"]


def test_needs_of_a_script_are_read(tmp_path: Path) -> None:
    """Without the roles that lie beside it, and the one that every place has."""
    lines = (
        "ALTER TABLE x OWNER TO app;", "ALTER TABLE y OWNER TO postgres;", "ALTER TABLE z OWNER TO other;",
        "CREATE EXTENSION pg_trgm;",
    )  # fmt: skip  # in a line
    at = repository(tmp_path, {"a.sql.gz": gzip.compress(dumps.script(*lines))})
    made = source(at)
    needs = made.needs(made.catalogue()[0])
    assert (needs.roles, needs.extensions, needs.tablespaces) == (["app", "other"], ["pg_trgm"], [])
    repository(at, {"globals.sql": dumps.script("CREATE ROLE app;", cluster=True)})
    assert made.needs(made.catalogue()[0]).roles == ["other"]


def test_a_dump_has_no_point_in_time(tmp_path: Path) -> None:
    """It is of one moment."""
    at = repository(tmp_path, {"a.dump": dumps.archive()})
    made = source(at)
    with pytest.raises(Refused, match="a dump is of one moment, and not of the position 0/1"):
        made.bring(made.catalogue()[0], None, point=Point(lsn="0/1"), within=timedelta(1))
