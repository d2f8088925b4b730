"""`drdrill init --backups` writes what the machine reads at once, from a look at a catalogue, which is made up here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness import project
from harness.cli import drdrill, init_backups
from harness.errors import DrillError, Exit, NotReady, Unable
from harness.restores import many, programs, sources
from harness.restores.twins import DRILL
from harness.sentences import GENERIC
from harness.stacks import kinds
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.file.read import load
from harness.stacks.attached.proposed.backups_text import FEATURE
from tests.restored_beside import Restoring, kept

FILES = [".gitignore", FEATURE, "plan.yaml", "project.yaml", "stack.yaml", "twins.py"]
PROPOSED = "checks:\n  - {name: rows of orders, sql: SELECT count(*) FROM orders, at least: 7}\n"


@pytest.fixture
def restoring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Restoring]:
    """Whose catalogue and place the command looks at; what is imported of what it writes is forgotten."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    found = Restoring(monkeypatch, tmp_path)
    monkeypatch.setattr(programs, "programs", many.programs)
    monkeypatch.setattr(sources, "source", many.source)
    yield found
    sys.modules.pop("twins", None)


def init(folder: Path, *words: object, tool: str = "pg_basebackup") -> tuple[int, str]:
    """Exit code, and all that was said."""
    given = ["init", "--backups", tool, *words]
    if "--into" not in words:
        given += ["--into", folder / "drdrill"]
    done = CliRunner().invoke(drdrill, [str(each) for each in given])
    if isinstance(done.exception, DrillError):
        return done.exception.exit, f"{done.output}{done.exception}"
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def begun(folder: Path, *words: object, tool: str = "pg_basebackup") -> StackFile:
    code, said = init(folder, *words, tool=tool)
    assert code == Exit.MET, said
    return load(folder / "drdrill" / "stack.yaml")


def test_what_it_writes_is_read_by_the_machine(restoring: Restoring, tmp_path: Path) -> None:
    """Stack file, project, plan, features and twins; and every scenario can run there."""
    found = begun(tmp_path, "--repository", "/srv/backups", "--no-look")
    assert found.backups is not None and not found.components
    one = found.backups.databases["backups"]
    assert (one.tool, one.repository, one.system) == ("pg_basebackup", Path("/srv/backups"), "71")
    there = tmp_path / "drdrill"
    assert sorted(str(path.relative_to(there)) for path in there.rglob("*") if path.is_file()) == FILES
    made = project.load(there)
    (drill,) = made.drills()
    assert drill.name == DRILL and {twin.finding for twin in made.twins[DRILL]}
    offer = kinds.of_file(there / "stack.yaml").offer()
    for scenario in drill.scenarios:
        assert len(GENERIC.meant(scenario.sentences)) == len(scenario.sentences)
        assert made.lacking(scenario, offer) == []
    assert not made.client.name and not made.load_plan().health


def test_it_says_what_it_wrote_and_what_comes_next(restoring: Restoring, tmp_path: Path) -> None:
    """Each command can be copied."""
    code, said = init(tmp_path, "--repository", "/srv/backups", "--no-look")
    there = tmp_path / "drdrill"
    assert code == 0 and all(name in said for name in FILES)
    assert f"drdrill --project {there} stack check {there / 'stack.yaml'}" in said
    assert f"drdrill --project {there} run {DRILL} --stack {there / 'stack.yaml'}" in said
    assert "place" not in restoring.told


def test_the_newest_is_restored_once_to_propose_checks(
    restoring: Restoring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They go into the file, to be corrected."""
    monkeypatch.setattr("harness.restores.proof.proposed.proposed", lambda connect, names: PROPOSED)
    found = begun(tmp_path, "--repository", "/srv/backups")
    assert found.backups is not None
    (check,) = found.backups.databases["backups"].checks
    assert (check.name, check.expected) == ("rows of orders", "at least 7")
    assert [*restoring.told].count("place") == 1 and not restoring.left


def test_one_that_cannot_be_restored_is_begun_all_the_same(restoring: Restoring, tmp_path: Path) -> None:
    """It says why, and proposes nothing of its rows."""
    restoring.told.fails["bring"] = Unable("there is no PostgreSQL 15 here", hint="-")
    code, said = init(tmp_path, "--repository", "/srv/backups")
    assert code == 0 and "it could not be restored: there is no PostgreSQL 15 here" in said
    found = load(tmp_path / "drdrill" / "stack.yaml").backups
    assert found is not None and not found.databases["backups"].checks


def test_every_server_of_a_repository_is_a_database(restoring: Restoring, tmp_path: Path) -> None:
    """Found where the tool has them, or named; a twin needs several backups of one."""
    for stanza in ("main", "audit"):
        (tmp_path / "repo" / "backup" / stanza).mkdir(parents=True)
        (tmp_path / "repo" / "backup" / stanza / "backup.info").touch()
    restoring.source.has = [kept("b1"), kept("b2", days=1)]
    found = begun(tmp_path, "--repository", tmp_path / "repo", "--no-look", tool="pgbackrest").backups
    assert found is not None and list(found.databases) == ["audit", "main"]
    assert found.databases["main"].server == "main"
    assert "OF_SEVERAL" in (tmp_path / "drdrill" / "twins.py").read_text()
    code, _ = init(
        tmp_path, "--repository", "/x", "--server", "a", "--no-look", "--into", tmp_path / "b", tool="barman"
    )
    named = load(tmp_path / "b" / "stack.yaml").backups
    assert code == 0 and named is not None and list(named.databases) == ["a"]


def test_a_dump_is_called_by_its_database(restoring: Restoring, tmp_path: Path) -> None:
    """It has no files, so no twin is of its archive."""
    restoring.source.has = [kept("d1", form="dump", database="shop", system="")]
    found = begun(tmp_path, "--repository", "s3://bucket/dumps", "--no-look", tool="pg_dump").backups
    assert found is not None and found.databases["shop"].repository == "s3://bucket/dumps"
    assert "OF_FILES" not in (tmp_path / "drdrill" / "twins.py").read_text()


def test_answers_and_an_image_are_taken(restoring: Restoring, tmp_path: Path) -> None:
    """Also a version that only the backup knows."""
    found = begun(
        tmp_path, "--repository", "/x", "--no-look", "--name", "The Shop: 1", "--owner", "DBA", "--environment",
        "production", "--rto", "30 min", "--rpo", "1 h", "--image", "postgres:${version}",
    )  # fmt: skip  # options and their values
    assert (found.platform.name, found.platform.owner, found.platform.environment) == (
        "The Shop: 1", "DBA", "production",
    )  # fmt: skip  # in groups
    assert found.backups is not None and found.backups.image == "postgres:${version}"
    assert "rto: 30 min " in (tmp_path / "drdrill" / "plan.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        ((), "nothing says where the backups are", "--repository FOLDER or s3://bucket/prefix"),
        (("--repository", "/x", "--rto", "soon"), "--rto: ", "such as `4 h`"),
        (("--repository", "/x", "--rpo", "0"), "--rpo: ", "such as `4 h`"),
        (
            ("--repository", "s3://b/x", "--backups", "pgbackrest"),
            "pgbackrest may have backups of several servers",
            "--server NAME",
        ),
        (("--repository", "/x", "--component", "a"), "--backups begins with backups alone", "components"),
        (("--repository", "/x", "--at", "http://x"), "--backups begins with backups alone", "--at"),
        (("--repository", "/x", "--environment", "moon"), "what would be written cannot be read", "another answer"),
    ],
)
def test_what_cannot_be_taken_is_refused(
    restoring: Restoring, tmp_path: Path, words: tuple[str, ...], said: str, hint: str
) -> None:
    """Before anything is looked at, and nothing is written."""
    code, found = init(tmp_path, *words)
    assert code == Exit.REFUSED and said in found and hint in found.partition("HINT: ")[2]
    assert not (tmp_path / "drdrill").exists() and not restoring.told


def test_two_projects_have_two_names(restoring: Restoring, tmp_path: Path) -> None:
    """Of their folders: by one name they would wait for each other, as runs of one platform do."""
    for name, called in (("shop-backups", "shop-backups"), ("drdrill", "Backups")):
        assert init(tmp_path, "--repository", "/x", "--no-look", "--into", tmp_path / name)[0] == 0
        assert load(tmp_path / name / "stack.yaml").platform.name == called
    assert "name: Backups of shop-backups\n" in (tmp_path / "shop-backups" / "plan.yaml").read_text()


def test_nothing_is_written_over(restoring: Restoring, tmp_path: Path) -> None:
    """And it is said before a backup is restored, which may take hours."""
    (tmp_path / "drdrill").mkdir()
    (tmp_path / "drdrill" / "project.yaml").write_text("mine")
    code, said = init(tmp_path, "--repository", "/srv/backups")
    assert code == Exit.REFUSED and "has project.yaml already, and nothing is written over" in said
    assert (tmp_path / "drdrill" / "project.yaml").read_text() == "mine" and not restoring.told
    assert [path.name for path in (tmp_path / "drdrill").iterdir()] == ["project.yaml"]


def test_an_empty_repository_is_none(restoring: Restoring, tmp_path: Path) -> None:
    """Exit code 2: whether it is the right one nobody can tell."""
    restoring.source.has = []
    code, said = init(tmp_path, "--repository", "/srv/backups")
    assert code == Exit.UNKNOWN and "/srv/backups: pg_basebackup finds no backup in it" in said
    assert "HINT: is it the repository? name a server of it: --server NAME" in said
    assert not (tmp_path / "drdrill").exists()


@pytest.mark.parametrize("error", [NotReady("it cannot be read", hint="as root"), Unable("no pgbackrest", hint="apt")])
def test_one_that_cannot_be_read_is_no_empty_one(restoring: Restoring, tmp_path: Path, error: DrillError) -> None:
    """Exit code 2, in the words of whoever looked."""
    restoring.told.fails["catalogue"] = error
    code, said = init(tmp_path, "--repository", "/srv/backups")
    assert code == Exit.UNKNOWN and str(error) in said and not (tmp_path / "drdrill").exists()


@pytest.mark.parametrize(
    ("proposal", "items"),
    [(PROPOSED, "- {name: rows of orders, sql: SELECT count(*) FROM orders, at least: 7}"), ("", "")],
)
def test_a_proposal_is_a_list(proposal: str, items: str) -> None:
    """Without what stands above it; one that has none is no list."""
    assert init_backups._items(proposal) == items


@pytest.mark.parametrize(
    ("name", "plain"), [("orders", "orders"), ("my backups", "my-backups"), (".hidden", "hidden"), ("", "backups")]
)
def test_a_folder_gives_a_name(name: str, plain: str) -> None:
    """One that a stack file takes."""
    assert init_backups._plain(name) == plain


def test_a_path_is_seen_from_the_stack_file(tmp_path: Path) -> None:
    """Within its own tree; elsewhere it is whole, as is one in S3."""
    seen: Callable[[Any, Path], str] = init_backups._seen_from
    assert seen(str(tmp_path / "a" / "repo"), tmp_path / "a") == "repo"
    assert seen(str(tmp_path / "repo"), tmp_path / "a") == str(tmp_path / "repo")
    assert seen("s3://b/p", tmp_path) == "s3://b/p" and seen("", tmp_path) == ""
