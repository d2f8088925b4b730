"""Dumps of real servers of two major versions are restored beside, and each that is spoilt is told for its reason."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from botocore.session import Session

from harness.errors import DrillError, Refused, quietly
from harness.restores import Brought, Kept, Place, Point, Programs
from harness.restores.described import S3, Backup, Backups
from harness.restores.programs import programs
from harness.restores.sources.dump import Dumps
from harness.restores.sources.own import OwnCommands
from harness.system import wait
from harness.system.command import Commands
from harness.system.recorder import Memory
from tests.real.dumped import ROLES, ROWS, SAMPLE, change, cut, flip, largest, looked_at, without_restrict

VERSIONS = (15, 18)
SOON = timedelta(minutes=2)


@pytest.fixture(scope="module")
def commands() -> Commands:
    return Commands(Memory(), label=f"test-dumps-{os.getpid()}")


@pytest.fixture(scope="module")
def machine(commands: Commands) -> Programs:
    return programs(Backups({}, 1, SOON, None, None, "", "never"), commands)


@contextmanager
def served(machine: Programs, folder: Path, version: int) -> Iterator[Place]:
    """A place with an empty cluster that runs."""
    place = machine.place(folder, version)
    try:
        place.initialise("--encoding=UTF8", "--locale=C.UTF-8")
        place.start({"fsync": "off"})
        assert wait.poll(lambda: answers(place), within=SOON)
        yield place
    finally:
        assert place.remove() == ""


def answers(place: Place) -> bool:
    try:
        place.connect().close()
    except psycopg.Error:
        return False
    return True


@dataclass
class Made:
    """Dumps of one server, which is gone."""

    version: int
    folder: Path
    since: datetime

    def only(self, *names: str, into: Path) -> Path:
        """A repository with those alone; the first may be spoilt in it."""
        for name in names:
            at = into / name
            into.mkdir(exist_ok=True)
            if (self.folder / name).is_dir():
                shutil.copytree(self.folder / name, at)
            else:
                shutil.copy(self.folder / name, at)
        return into


@pytest.fixture(scope="module", params=VERSIONS)
def made(request: pytest.FixtureRequest, machine: Programs, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One of each form, and what `pg_dumpall` writes, of a server of its own."""
    folder = tmp_path_factory.mktemp("dumps")
    since = datetime.now(UTC)
    with served(machine, tmp_path_factory.mktemp("original") / "place", request.param) as place:
        with place.connect() as connection:
            for each in (*ROLES, "create database shop owner app"):
                connection.execute(each)
        with place.connect("shop") as connection:
            for each in SAMPLE:
                connection.execute(each)
        for name, words in {
            "shop.dump": ("-Fc",), "plain.dump": ("-Fc", "-Z0"), "shop.dir": ("-Fd",), "plain.dir": ("-Fd", "-Z0"),
            "shop.tar": ("-Ft",), "shop.sql": (), "said.sql": ("--verbose", "--create"),
            "inserts.dir": ("-Fd", "-Z0", "--inserts"),
        }.items():  # fmt: skip  # in groups
            place.run("pg_dump", *words, f"--file={folder / name}", "shop", within=SOON, env={"TZ": "UTC"})
        place.run("pg_dumpall", f"--file={folder / 'all.sql'}", within=SOON)
        place.run("pg_dumpall", "--globals-only", f"--file={folder / 'globals.sql'}", within=SOON)
    (folder / "shop.sql.gz").write_bytes(gzip.compress((folder / "shop.sql").read_bytes()))
    (folder / "shop.dump.gz").write_bytes(gzip.compress((folder / "shop.dump").read_bytes()))
    return Made(request.param, folder, since)


@dataclass
class Restored:
    """What became of the one dump of a repository."""

    kept: Kept
    brought: Brought
    seen: dict[str, tuple[Any, ...]]  # by database


ALL = (ROWS + 2, ROWS + 2, 1, ROWS + 2, "app", 3)


@pytest.fixture
def restore(machine: Programs, commands: Commands, tmp_path: Path) -> Any:
    """Restore the newest dump of a repository, and look at all databases in which the sample is."""

    number = iter(range(9))

    def restored(repository: Path | str, *, version: int, id: str = "", **more: Any) -> Restored:
        values = {"secret:KEY": "key", "secret:SECRET": "secret"}
        source = Dumps(
            Backup("shop", "pg_dump", repository, **more), programs=machine, commands=commands, values=values
        )
        found = {each.id: each for each in source.catalogue()}
        kept = found[id] if id else list(found.values())[-1]
        before = source.inventory()
        with served(machine, tmp_path / f"place{next(number)}", version) as place:
            brought = source.bring(kept, place, point=Point(), within=SOON)
            assert sorted(path.name for path in place.folder.iterdir() if path.name == "dump") == []
            return Restored(kept, brought, looked_at(place)) if source.inventory() == before else pytest.fail("changed")

    restored.repository = tmp_path / "repository"
    return restored


@pytest.mark.parametrize(
    "name",
    ["shop.dump", "plain.dump", "shop.dir", "plain.dir", "inserts.dir", "shop.tar", "shop.sql", "said.sql",
     "shop.sql.gz", "shop.dump.gz"],
)  # fmt: skip  # in groups
def test_each_form_comes_back(name: str, made: Made, restore: Any, tmp_path: Path) -> None:
    """All of it, with owners, and without a word of anything wrong; its time is that of its making."""
    found = restore(made.only(name, "globals.sql", into=tmp_path / "repository"), version=made.version)
    assert found.brought.said == []
    database = "shop" if "sql" not in name or name == "said.sql" else "restored"
    assert found.seen == {database: ALL}
    assert (found.kept.version, found.kept.sound) == (made.version, "")
    assert [part.name for part in found.brought.parts] == ["fetch", "restore"]
    assert len(found.brought.digest) == 64
    if "sql" in name and name != "said.sql":
        assert found.kept.ended is None
    else:
        assert made.since - timedelta(seconds=1) <= found.kept.ended <= datetime.now(UTC)


def test_a_cluster_comes_back(made: Made, restore: Any, tmp_path: Path) -> None:
    """With its roles; that the place's own first role is there already is no error."""
    found = restore(made.only("all.sql", into=tmp_path / "repository"), version=made.version)
    assert (found.brought.said, found.seen) == ([], {"shop": ALL})


def test_needs_are_known_before(made: Made, machine: Programs, commands: Commands, tmp_path: Path) -> None:
    """Of each form the same, from its beginning alone or from all of a script."""
    names = ("shop.dump", "shop.dir", "shop.tar", "shop.sql", "shop.sql.gz", "shop.dump.gz")
    at = made.only(*names, into=tmp_path / "repository")
    source = Dumps(Backup("shop", "pg_dump", at), programs=machine, commands=commands, values={})
    for kept in source.catalogue():
        needs = source.needs(kept)
        assert (kept.id, needs.extensions, needs.roles) == (kept.id, ["pg_trgm"], ['Odd "one"', "app", "reader"])
    made.only("globals.sql", into=at)
    assert [source.needs(kept).roles for kept in source.catalogue()] == [[]] * len(names)


@dataclass
class Untouched:
    """A place in which nothing may be begun: what is seen in the dump itself is told before."""

    folder: Path


def test_what_is_cut_short_is_told_before_it_is_loaded(
    made: Made, machine: Programs, commands: Commands, tmp_path: Path
) -> None:
    """By its end, and by its packing. A tar that is, pg_restore would wait for; rows that are, it would not see."""
    for name, spoil, said in (
        ("plain.dir", cut, "dat is cut short"),
        ("inserts.dir", cut, "dat is cut short"),
        ("shop.tar", cut, "it does not end as a tar does"),
        ("shop.sql", cut, "it is cut short"),
        ("said.sql", cut, "it is cut short"),
        ("all.sql", cut, "it is cut short"),
        ("shop.sql.gz", cut, "is cut short or spoilt"),
        ("shop.dump.gz", cut, "is cut short or spoilt"),
        ("shop.sql.gz", flip, "is cut short or spoilt"),
    ):
        at = made.only(name, into=tmp_path / f"{name} {spoil.__name__}")
        spoil(largest(at / name))
        source = Dumps(Backup("shop", "pg_dump", at), programs=machine, commands=commands, values={})
        place: Any = Untouched(tmp_path / "place")
        with pytest.raises(DrillError, match=said):
            source.bring(source.catalogue()[0], place, point=Point(), within=SOON)


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("shop.dump", cut, "could not find block ID|could not read from input file"),
        ("plain.dump", cut, "could not find block ID|could not read from input file"),
        ("shop.dir", cut, "pg_restore exited 1"),
        ("shop.dump", flip, "pg_restore exited 1"),
        ("shop.dir", flip, "pg_restore exited 1"),
    ],
)
def test_what_is_spoilt_does_not_come_back(name: str, spoil: Any, said: str, made: Made, restore: Any) -> None:
    """Archives, cut short or with a byte flipped where it is packed."""
    at = made.only(name, "globals.sql", into=restore.repository)
    spoil(largest(at / name))
    with pytest.raises(DrillError, match=said) as caught:
        restore(at, version=made.version)
    print(name, spoil.__name__, caught.value.message)


def test_roles_that_nothing_brings_are_named(made: Made, restore: Any) -> None:
    """An archive has all else; a script is stopped at the first."""
    found = restore(made.only("shop.dump", into=restore.repository), version=made.version)
    assert found.brought.said[-1] == 'roles that it names and nothing brings: Odd "one", app, reader'
    assert any("errors ignored on restore" in line for line in found.brought.said)
    assert found.seen["shop"][0] == ROWS + 2


def test_a_script_without_its_roles_is_stopped(made: Made, restore: Any) -> None:
    """And all of them are named, so that it need not be tried again for each."""
    at = made.only("shop.sql", into=restore.repository)
    with pytest.raises(DrillError, match=r'psql exited 3: .* role "Odd "one"" does not exist') as caught:
        restore(at, version=made.version)
    assert caught.value.message.endswith('; roles that it names and nothing brings: Odd "one", app, reader')


def test_an_extension_that_is_not_there_is_told(made: Made, restore: Any) -> None:
    """By name, and what needs it is missing."""
    at = made.only("shop.dump", "globals.sql", into=restore.repository)
    change(at / "shop.dump", (b"pg_trgm", b"pg_trgx"))
    found = restore(at, version=made.version)
    assert any('extension "pg_trgx" is not available' in line for line in found.brought.said)
    assert found.seen["shop"][-1] == ALL[-1] - 1


def test_a_script_with_an_error_in_the_middle_is_stopped(made: Made, restore: Any, commands: Any) -> None:
    """psql alone would go on and exit with 0. No value of a row is in what is said."""
    at = made.only("shop.sql", "globals.sql", into=restore.repository)
    change(at / "shop.sql", (b"\n2000\t", b"\nsecret-row\t"))
    with pytest.raises(DrillError, match=r"psql exited 3: psql:shop\.sql:\d+: ERROR:  invalid input") as caught:
        restore(at, version=made.version)
    assert "secret-row" not in str(caught.value)
    assert "invalid input" in repr(commands.recorder.facts)
    assert "secret-row" not in repr(commands.recorder.facts)


def test_an_empty_dump_comes_back_empty(made: Made, restore: Any, machine: Programs, tmp_path: Path) -> None:
    """It is sound, and without a word: what is in it is for others to look at."""
    restore.repository.mkdir()
    with served(machine, tmp_path / "empty", made.version) as place:
        place.run("pg_dump", "-Fc", f"--file={restore.repository / 'empty.dump'}", "postgres", within=SOON)
    found = restore(restore.repository, version=made.version)
    assert (found.kept.database, found.kept.sound, found.brought.said, found.seen) == ("postgres", "", [], {})


def test_what_only_a_look_can_tell_comes_back(made: Made, restore: Any) -> None:
    """Sequences that were left behind, and a byte of a row of what is not packed: no tool has a word for them."""
    at = made.only("shop.sql", "globals.sql", into=restore.repository)
    change(at / "shop.sql", (b"\n2000\tnote 2000\t2000\n", b"\n2000\tnote 200X\t2000\n"))
    text = (at / "shop.sql").read_bytes()
    (at / "shop.sql").write_bytes(re.sub(rb"^SELECT pg_catalog.setval.*\n", b"", text, flags=re.MULTILINE))
    found = restore(at, version=made.version)
    assert found.brought.said == []
    assert found.seen["restored"][:2] == (ROWS + 2, 1)


def test_a_checksum_beside_it_tells_of_a_byte(made: Made, restore: Any) -> None:
    """Of what is not packed, too; and nothing of it is loaded."""
    at = made.only("shop.sql", "globals.sql", into=restore.repository)
    (at / "shop.sql.sha256").write_text(f"{sha256((at / 'shop.sql').read_bytes()).hexdigest()}  shop.sql\n")
    change(at / "shop.sql", (b"note 2000", b"note 200X"))
    with pytest.raises(DrillError, match=r"shop\.sql is not what it was"):
        restore(at, version=made.version)


def test_a_script_runs_no_command(made: Made, restore: Any, tmp_path: Path) -> None:
    """One from before `\\restrict` comes back; with an order in it, it does not, at whichever place of a line."""
    at = made.only("shop.sql", "globals.sql", into=restore.repository)
    text = without_restrict((at / "shop.sql").read_bytes())
    mark = tmp_path / "was here"
    order, anchor = b"\\! touch '%s'" % bytes(mark), b"SET row_security = off;"
    (at / "shop.sql").write_bytes(text.replace(anchor, b"SELECT 1 " + order + b"\n;"))
    with pytest.raises(DrillError, match="backslash commands are restricted"):
        restore(at, version=made.version)
    (at / "shop.sql").write_bytes(text.replace(anchor, order))
    with pytest.raises(Refused, match=r"shop\.sql has line \d+: \\! touch"):
        restore(at, version=made.version)
    assert not mark.exists()
    (at / "shop.sql").write_bytes(text)
    assert restore(at, version=made.version).brought.said == []


@pytest.fixture
def store(tmp_path: Path) -> Iterator[str]:
    """A store that speaks S3, on this machine alone."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    words = [sys.executable, "-m", "harness.stacks.parts.moto_server", "-H", "127.0.0.1", "-p", port]
    with (tmp_path / "store.log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as server:
        yield f"http://127.0.0.1:{port}"
        server.kill()


def test_a_bucket_is_a_repository(made: Made, restore: Any, store: str) -> None:
    """As a folder is: what is in it comes back, and is as it was."""
    s3 = S3(endpoint=store, key="a key", secret="${secret:KEY}")
    session = Session().create_client(
        "s3", endpoint_url=store, region_name="us-east-1", aws_access_key_id="a key", aws_secret_access_key="a secret"
    )
    assert wait.poll(lambda: quietly(lambda: session.create_bucket(Bucket="backups")) == "", within=SOON)
    for path in made.only("shop.dir", "shop.sql.gz", "globals.sql", into=restore.repository).rglob("*"):
        if path.is_file():
            key = f"daily/{path.relative_to(restore.repository)}"
            session.put_object(Bucket="backups", Key=key, Body=path.read_bytes())
    found = restore("s3://backups/daily", version=made.version, s3=s3)
    assert (found.kept.id, found.brought.said, found.seen) == ("shop.dir", [], {"shop": ALL})
    found = restore("s3://backups/daily", version=made.version, id="shop.sql.gz", s3=s3, names=("books",))
    assert (found.kept.ended, found.brought.said, found.seen) == (None, [], {"books": ALL})


def test_an_owners_commands_bring_a_dump(made: Made, machine: Programs, commands: Commands, tmp_path: Path) -> None:
    """With the globals beside it."""
    listed = json.dumps([{"id": "shop.tar", "ended": "2026-11-30T10:00:00Z", "version": made.version, "form": "dump",
                          "size": 0}])  # fmt: skip  # one object
    own = {
        "list": ("echo", listed),
        "fetch": ("sh", "-c", 'cp "$1/$2" "$1/globals.sql" "$3"', "fetch", str(made.folder), "${id}", "${into}"),
        "inventory": ("ls", "-l", str(made.folder)),
    }
    backup = Backup("shop", "commands", commands=own)
    source = OwnCommands(backup, programs=machine, commands=commands, values={})
    before = source.inventory()
    with served(machine, tmp_path / "place", made.version) as place:
        brought = source.bring(source.catalogue()[0], place, point=Point(), within=SOON)
        assert (brought.said, looked_at(place)) == ([], {"shop": ALL})
    assert brought.digest == sha256((made.folder / "shop.tar").read_bytes()).hexdigest()
    assert source.inventory() == before
