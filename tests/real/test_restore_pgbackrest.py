"""Backups that a real pgBackRest made of a real server, restored beside it; and its damaged twins."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import DrillError, NotReady
from harness.restores import Kept, Point
from harness.restores.described import Backup
from harness.restores.sources.pgbackrest import PgBackRest
from harness.system.command import CommandFailed
from tests.real.own_postgres import COMMANDS, FACTS, MACHINE, Server, brought, everybodys, own, restored, run
from tests.real.stores import SECRET, store

CONFIGURATION = """\
[global]
repo1-path={repo}
repo1-retention-full=9
compress-level=1
start-fast=y
log-level-file=off
lock-path={folder}/lock
log-path={folder}/lock
spool-path={folder}/lock
[main]
pg1-path={folder}/data
pg1-socket-path={folder}
pg1-user=postgres
"""


@dataclass(frozen=True)
class Original:
    """A server with a repository. `last`: the last segment that it archived."""

    server: Server
    repo: Path
    config: Path
    full: str
    diff: str
    last: str

    def source(self, repo: Path | None = None) -> PgBackRest:
        described = Backup("shop", "pgbackrest", repository=repo or self.repo, server="main")
        return PgBackRest(described, programs=MACHINE, commands=COMMANDS, values={})

    def kept(self, id: str, source: PgBackRest | None = None) -> Kept:
        return next(each for each in (source or self.source()).catalogue() if each.id == id)


@pytest.fixture(scope="module")
def original() -> Iterator[Original]:
    with everybodys() as top:
        yield from backed_up(top)


def backed_up(top: Path) -> Iterator[Original]:
    folder, repo, space = own(top / "server"), own(top / "repo"), own(top / "fast")
    own(folder / "lock")
    config = top / "pgbackrest.conf"
    config.write_text(CONFIGURATION.format(repo=repo, folder=folder))
    tool = f"pgbackrest --config={config} --stanza=main"
    server = Server(folder, {"archive_mode": "on", "archive_command": f"{tool} archive-push %p"})
    try:
        server.make()
        run(*tool.split(), "stanza-create")
        server.sql(
            f"CREATE TABLESPACE \"fa st\" LOCATION '{space}'",
            "CREATE TABLE t AS SELECT g, repeat('x', 50) FROM generate_series(1, 20000) g",
            'CREATE TABLE u TABLESPACE "fa st" AS SELECT g FROM generate_series(1, 1000) g',
        )
        run(*tool.split(), "--type=full", "backup")
        server.sql("INSERT INTO t SELECT g, 'later' FROM generate_series(1, 5000) g")
        run(*tool.split(), "--type=diff", "backup")
        for _ in range(3):
            server.sql("INSERT INTO t SELECT g, 'log' FROM generate_series(1, 1000) g")
            last = server.switch()
        labels = sorted(path.name for path in (repo / "backup/main").iterdir() if re.match(r"\d{8}-", path.name))
        yield Original(server, repo, config, labels[0], labels[1], last)
    finally:
        server.stop()


@pytest.fixture
def twin(original: Original, tmp_path: Path) -> Path:
    """A copy of the repository, to be damaged."""
    shutil.copytree(original.repo, tmp_path / "repo", symlinks=True)
    return tmp_path / "repo"


def flip(path: Path, at: int = -1) -> None:
    """Change one byte; in the middle, where it is not said which."""
    content = bytearray(path.read_bytes())
    content[at if at >= 0 else len(content) // 2] ^= 0xFF
    path.chmod(0o600)
    path.write_bytes(content)


def test_the_catalogue_has_both(original: Original) -> None:
    """With the system's identifier, as the server has it; and nothing of the repository changes."""
    source = original.source()
    before = source.inventory()
    full, diff = source.catalogue()
    assert (full.id, diff.id, diff.kind, diff.facts["needs"]) == (
        original.full, original.diff, "differential", original.full,
    )  # fmt: skip  # in pairs
    system = original.server.sql("SELECT system_identifier FROM pg_control_system()")[0][0]
    assert full.system == diff.system == str(system) and full.version == 15
    assert source.needs(diff).tablespaces == ["fa st"]
    assert source.tool.startswith("pgBackRest 2.") and source.read_only
    assert source.inventory() == before


@pytest.mark.parametrize("which", ["full", "diff"])
def test_each_is_restored_to_the_end_of_the_archive(original: Original, tmp_path: Path, which: str) -> None:
    """With its tablespace inside of the place, and without a change in the repository."""
    source = original.source()
    before, kept = source.inventory(), original.kept(getattr(original, which))
    with restored(source, kept, tmp_path / "place") as beside:
        assert beside.sql("SELECT count(*) FROM t") == 28000 and beside.sql("SELECT count(*) FROM u") == 1000
        assert (beside.brought.said, beside.brought.archive_end) == ([], original.last)
        (space,) = (beside.place.data / "pg_tblspc").iterdir()
        assert space.readlink() == beside.place.folder / "tablespaces" / space.name
        assert sum(part.bytes for part in beside.brought.parts if part.name == "fetch") % (16 << 20) == 0
    assert source.inventory() == before


def test_the_owners_own_configuration_will_do(original: Original, tmp_path: Path) -> None:
    """Its links, its host and its tablespaces do not count."""
    hostile = tmp_path / "theirs.conf"
    text = original.config.read_text().replace("[main]", "link-map=pg_wal=/nonexistent\ndelta=y\n[main]\npg1-host=far")
    hostile.write_text(text)
    described = Backup("shop", "pgbackrest", config=hostile, server="main")
    source = PgBackRest(described, programs=MACHINE, commands=COMMANDS, values={})
    with restored(source, source.catalogue()[-1], tmp_path / "place") as beside:
        assert beside.sql("SELECT count(*) FROM t") == 28000 and not beside.brought.said
    assert hostile.read_text() == text and {name.partition("/")[0] for name in source.inventory()} == {"repo1"}


def test_it_is_restored_from_objects(original: Original, tmp_path: Path) -> None:
    """Of S3, by a key that no command line has; each object is the same afterwards."""
    with store(tmp_path) as objects:
        objects.put(original.repo, "shop/db")
        described = Backup("shop", "pgbackrest", repository="s3://vault/shop/db", server="main", s3=objects.s3)
        source = PgBackRest(described, programs=MACHINE, commands=COMMANDS, values=objects.values)
        before = source.inventory()
        with restored(source, source.catalogue()[-1], tmp_path / "place") as beside:
            assert beside.sql("SELECT count(*) FROM t") == 28000 and not beside.brought.said
        assert source.inventory() == before and len(before) > 900
        assert all(SECRET not in str(fact) for fact in FACTS.facts)
        wrong = Backup("shop", "pgbackrest", repository="s3://nothing/shop", server="main", s3=objects.s3)
        with pytest.raises(NotReady):
            PgBackRest(wrong, programs=MACHINE, commands=COMMANDS, values=objects.values).catalogue()


def test_what_is_not_there_is_never_empty(original: Original, tmp_path: Path) -> None:
    """A folder that is not there, a stanza that is not, a pass phrase that is wrong."""
    with pytest.raises(NotReady, match="missing stanza path"):
        original.source(tmp_path).catalogue()
    other = Backup("shop", "pgbackrest", repository=original.repo, server="other")
    with pytest.raises(NotReady, match="missing stanza path"):
        PgBackRest(other, programs=MACHINE, commands=COMMANDS, values={}).catalogue()
    wrong = tmp_path / "wrong.conf"
    words = "repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=wrong\n[main]"
    wrong.write_text(original.config.read_text().replace("[main]", words))
    secret = Backup("shop", "pgbackrest", config=wrong, server="main")
    with pytest.raises(NotReady, match="cipher header invalid"):
        PgBackRest(secret, programs=MACHINE, commands=COMMANDS, values={}).catalogue()


def test_a_repository_without_a_backup_is_empty(original: Original) -> None:
    """Its stanza is there, and says that it has none."""
    repo = own(original.config.parent / "empty")
    config = original.config.with_name("empty.conf")
    config.write_text(CONFIGURATION.format(repo=repo, folder=original.server.folder))
    run("pgbackrest", f"--config={config}", "--stanza=main", "stanza-create")
    assert original.source(repo).catalogue() == []


@pytest.mark.parametrize("what", ["data", "index"])
def test_a_flipped_byte_of_a_relation_fails_the_restore(
    original: Original, twin: Path, tmp_path: Path, what: str
) -> None:
    """In the tool's own words."""
    table = (
        "SELECT pg_relation_filepath('t')" if what == "data" else "SELECT pg_relation_filepath('pg_class_oid_index')"
    )
    path = original.server.sql(table)[0][0]
    flip(twin / "backup/main" / original.full / "pg_data" / f"{path}.gz")
    source = original.source(twin)
    with (
        pytest.raises(CommandFailed, match=r"pgbackrest restore: \[\d+\]"),
        restored(source, original.kept(original.full, source), tmp_path / "place"),
    ):
        pass


def test_a_flipped_byte_of_the_archive_is_told(original: Original, twin: Path, tmp_path: Path) -> None:
    """It is not taken for the archive's end."""
    log = sorted((twin / "archive/main/15-1").rglob("*-*.gz"))
    flip(log[-2], 400)
    source = original.source(twin)
    with restored(source, original.kept(original.diff, source), tmp_path / "place") as beside:
        name = log[-2].name.partition("-")[0]
        assert any(said.startswith(f"{name} ") for said in beside.brought.said), beside.brought.said
        assert beside.brought.archive_end == original.last
        assert beside.sql("SELECT count(*) FROM t") < 28000


def test_a_gap_in_the_archive_is_told(original: Original, twin: Path, tmp_path: Path) -> None:
    """Neither is that."""
    log = sorted((twin / "archive/main/15-1").rglob("*-*.gz"))
    log[-2].unlink()
    source = original.source(twin)
    done = brought(source, original.kept(original.diff, source), tmp_path / "place")
    assert done.archive_end == original.last
    assert [said.partition(" ")[0] for said in done.said] == [log[-2].name.partition("-")[0]]


def test_a_base_without_its_log_fails(original: Original, twin: Path, tmp_path: Path) -> None:
    """Before anything is restored."""
    source = original.source(twin)
    kept = original.kept(original.diff, source)
    for path in (twin / "archive/main/15-1").rglob(f"{kept.facts['first']}-*"):
        path.unlink()
    place = MACHINE.place(tmp_path / "place", 15)
    try:
        with pytest.raises(DrillError, match="is without its write-ahead log"):
            source.bring(kept, place, point=Point(), within=timedelta(minutes=2))
        assert not any(place.data.iterdir())
    finally:
        place.remove()


def test_a_file_that_is_gone_fails_the_restore(original: Original, twin: Path, tmp_path: Path) -> None:
    """A hole in the repository is none that PostgreSQL finds later."""
    path = original.server.sql("SELECT pg_relation_filepath('t')")[0][0]
    (twin / "backup/main" / original.full / "pg_data" / f"{path}.gz").unlink()
    source = original.source(twin)
    with (
        pytest.raises(CommandFailed, match="missing file"),
        restored(source, original.kept(original.full, source), tmp_path / "place"),
    ):
        pass


def test_a_damaged_catalogue_is_never_empty(original: Original, twin: Path) -> None:
    """Both copies of it: one alone is read instead of the other."""
    for name in ("backup.info", "backup.info.copy"):
        assert len(original.source(twin).catalogue()) == 2
        flip(twin / "backup/main" / name)
    with pytest.raises(NotReady, match="unable to load info file"):
        original.source(twin).catalogue()
