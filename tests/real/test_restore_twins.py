"""Backups that are wrong in one way each, by the command line: all of one version in one run, sound ones beside them.

Each has to come out not MET by the finding that is named for it, and hurts no other one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real.barman_servers import CREDENTIALS
from tests.real.by_command import NEWEST, Verdict, drdrill, run_drill
from tests.real.damaged import in_store, made_fresh
from tests.real.grounds import NAME, PACKAGED, Ground, ground
from tests.real.restore_twins import TWINS, entry, stack_file

ENV = {"STORE_SECRET": CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
TOOLS = ("pgbackrest", "barman", "barman-cloud", "pg_basebackup", "pg_dump")
MAY_BE_LOST = 20  # seconds, of the plan of those that are old


@dataclass(frozen=True)
class Told:
    """`verdict`: of one run with all twins of the version. `since`: nothing was written any more, by time.time()."""

    of: Ground
    project: Path
    names: list[str]
    verdict: Verdict
    since: float


@pytest.fixture(scope="module", params=(PACKAGED, 18), ids=lambda version: f"PostgreSQL {version}")
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with ground(request.param) as of:
        names = [name for name, twin in TWINS.items() if of.packaged or not twin.packaged]
        project = begun(of, tmp_path_factory.mktemp("twins"), "24 h")
        databases = {name: TWINS[name].make(of, name) for name in names}
        since = time.time()
        (project / "twins.yaml").write_text(stack_file(databases))
        verdict = run_drill(project, "--only", NEWEST, stack="twins.yaml", **ENV)
        yield Told(of, project, names, verdict, since)


def begun(of: Ground, folder: Path, rpo: str) -> Path:
    """A project whose plan allows so much to be lost; what it restores is written by the tests."""
    words = ["--backups", "pg_dump", "--repository", of.repository("pg_dump"), "--rpo", rpo, "--no-look", "--yes"]
    ended = drdrill("init", *words, "--into", "project", cwd=folder)
    assert ended.exit == 0, ended.said
    return folder / "project"


def test_all_are_judged_in_one_run(told: Told) -> None:
    """Each database has all of its findings, and the run is missed."""
    assert told.verdict.ended.exit == 1, told.verdict.ended.said
    assert sorted(told.verdict.findings) == sorted(told.names)
    sound = told.verdict.outcomes("dump-sound")
    assert [name for name in told.names if set(told.verdict.outcomes(name)) != set(sound)] == []


@pytest.mark.parametrize("name", [name for name, twin in TWINS.items() if not twin.finding])
def test_a_sound_one_beside_them_is_met(told: Told, name: str) -> None:
    """One finding each: what is wrong with others says nothing of it."""
    if name in told.names:
        assert told.verdict.not_met(name) == {}, reasons(told, name)


@pytest.mark.parametrize("name", [name for name, twin in TWINS.items() if twin.finding])
def test_each_is_found_by_what_is_named_for_it(told: Told, name: str) -> None:
    """With the reason, and nothing else of it is taken for wrong in its place or at the original."""
    if name not in told.names:
        return
    twin = TWINS[name]
    assert told.verdict.outcomes(name)[twin.finding] == twin.outcome, reasons(told, name)
    assert re.search(twin.words, told.verdict.findings[name][twin.finding]["reason"]), reasons(told, name)
    assert not {"original-untouched", "place-removed"} & {
        id for id, outcome in told.verdict.not_met(name).items() if outcome == "MISSED"
    }, reasons(told, name)


def reasons(told: Told, name: str) -> str:
    found = told.verdict.findings[name]
    return "\n".join(f"{each['outcome']} {id}: {each['reason']}" for id, each in found.items())


def test_an_old_backup_is_old_though_its_files_are_from_now(told: Told, tmp_path: Path) -> None:
    """Of each tool a copy, which makes all files new: a minute ago is more than the plan allows."""
    of, project = told.of, begun(told.of, tmp_path, f"{MAY_BE_LOST} s")
    databases: dict[str, Any] = {}
    for tool in TOOLS if of.packaged else TOOLS[1:]:
        name = f"old-{tool}-{of.version}"
        if tool == "barman-cloud":
            databases[tool] = entry(of, tool, in_store(of, name, {}))
        else:
            repository = of.copy(tool, name)
            made_fresh(repository)
            databases[tool] = entry(of, tool, repository)
    (project / "old.yaml").write_text(stack_file(databases))
    time.sleep(max(0.0, told.since + 2 * MAY_BE_LOST - time.time()))
    least = time.time() - told.since
    verdict = run_drill(project, "--only", NEWEST, stack="old.yaml", **ENV)
    assert {name: verdict.not_met(name) for name in databases} == {name: {"backup-age": "MISSED"} for name in databases}
    for name in databases:
        assert verdict.findings[name]["backup-age"]["figure"] >= least, verdict.ended.said


def test_a_check_that_expects_nothing_is_refused(told: Told, tmp_path: Path) -> None:
    """When the file is read, with what to add; so is one in a run."""
    project = begun(told.of, tmp_path, "24 h")
    nothing = entry(told.of, "pg_dump", checks=[{"name": "orders", "sql": "SELECT count(*) FROM orders"}])
    (project / "stack.yaml").write_text(stack_file({NAME: nothing}))
    for words in (("stack", "check", "stack.yaml"), ("run", "backup-restoration", "--stack", "stack.yaml")):
        ended = drdrill(*words, cwd=project, **ENV)
        assert ended.exit == 3 and "HINT" in ended.said and "at least" in ended.said, ended.said
