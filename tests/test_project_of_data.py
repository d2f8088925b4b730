"""A project without a line of Python: its client and its books are files, which are found, read and told apart."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness import project
from harness.cli import drdrill
from harness.errors import Exit, Refused
from harness.run.code import digest_of_project, project_files
from harness.stacks.capabilities.database import Queried
from harness.stacks.capabilities.entrance import Entrusted, Reachable
from harness.stacks.needs import Offer
from harness.workload.client import ClientModule
from harness.workload.plain.client import ClientFile
from tests.plain_clients import LOOKING, PAYDESK
from tests.test_project import NOTEBOOK, call, change, must_be_refused, write


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PAYDESK, tmp_path / "paydesk"))


def test_it_has_no_python_and_is_listed_and_shown(desk: Path, tmp_path: Path) -> None:
    """All of its sentences are the machine's; a dry run prints the failover's steps."""
    assert not list(desk.rglob("*.py"))
    for words, said in (
        (("list",), "A copy is cut off before the leader dies"),
        (("run", "database-failover", "--dry-run"), "has another server lead, as the platform's owner does it"),
        (("run", "application-recovery", "--dry-run"), "consistency: the same books"),
    ):
        done = call(*words, about=desk, cwd=tmp_path)
        assert done.returncode == Exit.MET and said in done.stdout, done.stdout + done.stderr


def test_a_client_is_a_file_or_a_module() -> None:
    """By what project.yaml calls it."""
    found = project.load(PAYDESK).client
    assert isinstance(found, ClientFile) and (found.folder, found.name) == (PAYDESK, "client.yaml")
    assert isinstance(project.load(NOTEBOOK).client, ClientModule) and project.load(NOTEBOOK).client.secrets == ()


def test_what_takes_the_place_of_code_is_digested_as_code(desk: Path) -> None:
    """Another word in one of the files, and it is another project."""
    found = project.load(desk)
    assert set(project_files(found.code)) == {"client.yaml", "books.yaml"}
    before = digest_of_project(found.code)
    change(desk, "books.yaml", "is: 0", "at least: 0")
    assert digest_of_project(project.load(desk).code) != before


# What is done to it, and what is said of it; {} is the folder of the project.
SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no client": (lambda p: (p / "client.yaml").unlink(), "{}/project.yaml:6: client: there is no file client.yaml"),
    "no books": (lambda p: (p / "books.yaml").unlink(), "{}/project.yaml:7: books: there is no file books.yaml"),
    "a client elsewhere": (
        lambda p: change(p, "project.yaml", "client: client.yaml", "client: ../client.yaml"),
        "{}/project.yaml:6: client: ../client.yaml lies outside of the project",
    ),
    "a client that is neither": (
        lambda p: change(p, "project.yaml", "client: client.yaml", "client: client.yml.txt/x"),
        '{}/project.yaml:6: client: "client.yml.txt/x" is not the name of a Python module',
    ),
    "a broken client": (
        lambda p: change(p, "client.yaml", "amount: ${amount} ", "amount: ${sum} "),
        "{}/client.yaml:15: write.body.amount: ${sum} is not known",
    ),
    "broken books": (
        lambda p: change(p, "books.yaml", "at least: 1", "at least: one"),
        '{}/books.yaml:15: books.accounts.at least: "one" is not a number',
    ),
    "books that nobody says": (
        lambda p: change(p, "project.yaml", "books: books.yaml\n", ""),
        "{}/features/monthly/application_recovery.feature:6: is about the books, and {}/project.yaml names none",
    ),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_file_that_is_missing_or_wrong_is_told_with_its_line(desk: Path, tmp_path: Path, what: str) -> None:
    """Before anything starts, with exit code 3 and one HINT."""
    spoil, said = SPOILED[what]
    spoil(desk)
    with pytest.raises(Refused) as refused:
        project.find(desk).drills()
    assert said.replace("{}", str(desk)) in refused.value.message and refused.value.hint
    must_be_refused(call("list", about=desk, cwd=tmp_path), said.replace("{}", str(desk)))


def test_customers_who_ask_the_platform_back_want_no_database(desk: Path) -> None:
    """Neither does a client without secrets want somebody who knows them."""
    write(desk, "client.yaml", LOOKING)
    found = project.load(desk)
    (scenario,) = (
        each for drill in found.drills() for each in drill.scenarios if each.title == "An API server hangs"
    )  # fmt: skip  # one of many
    lacks = {lack.capability for lack in found.lacking(scenario, Offer("plain", (Reachable,)))}
    assert lacks and not lacks & {"Readable or Queried", "Entrusted", "Reachable"}
    of_desk = project.load(PAYDESK)
    lacks = {lack.capability for lack in of_desk.lacking(scenario, Offer("plain", (Reachable, Entrusted, Queried)))}
    assert lacks and not lacks & {"Readable or Queried", "Entrusted"}


def test_a_run_of_it_on_a_kind_that_lacks_everything_says_so(desk: Path) -> None:
    """And what would give it."""
    done = CliRunner().invoke(drdrill, ["--project", str(desk), "list", "--stack", "local"])
    assert "secrets of the client: a `secret` for each that the project's client names" in done.output
