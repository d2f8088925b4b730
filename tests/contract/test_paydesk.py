"""A payments desk that others wrote, with a project that has no Python, drilled for real by `make test-docker`: a part
of it fails, and customers go on; compose brings it up, or it stands already."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import paydesks, tills
from tests.contract.desk_runs import drdrill, drilled, ids, keys, left_in_peace, stored
from tests.paydesks import Desk

APPLICATION, DATABASE = "application-recovery", "database-failover"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="desk-", dir="/tmp") as folder, paydesks.standing(Path(folder)) as found:
        yield found


def test_it_is_checked(desk: Desk) -> None:
    """All of it holds but what nobody can tell, and each scenario can run."""
    before = ids(desk)
    ended = drdrill(desk, "stack", "check", desk.file, "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = {line["what"]: line["seen"] for line in json.loads(ended.stdout)["lines"]}
    assert "HTTP 401" in found["an empty or wrong key is noticed"]
    assert all(one["missing"] == [] for one in json.loads(ended.stdout)["scenarios"])
    assert ids(desk) == before and desk.key not in ended.stdout


@pytest.mark.parametrize(
    "scenario",
    ["An API server dies", "An API server hangs", "An API server is cut off", "A copy of the database is cut off"],
)
def test_a_part_fails_and_customers_go_on(desk: Desk, scenario: str) -> None:
    """MET; the very same containers go on. What was started again is back once it answers, and what nothing verifies is
    waited for all the same."""
    before = ids(desk)
    run = drilled(desk, APPLICATION, scenario)
    if scenario == "An API server dies":
        assert run.last("rotation")["seen"] == "runs, and answers a real request", run.words()
    assert run.ended.returncode == 0 and run.not_met() == {}, run.words()
    assert run.last("stack.begin")["owned"] is False and run.last("stack.left")["steady"] is True
    assert run.last("fault.healed")["ok"] is True and run.last("stack.inventory")["changed"] == []
    assert ids(desk) == before and desk.serves()
    assert keys(run, "ledger") <= set(desk.asks("db-1", stored(run)))
    left_in_peace(desk, run)


def test_the_leader_hangs(desk: Desk) -> None:
    """It goes on where it was."""
    run = drilled(desk, DATABASE, "The leader hangs")
    assert run.ended.returncode == 0 and run.not_met() == {}, run.words()
    assert desk.asks("db-1", "select pg_is_in_recovery()") == ["f"]
    left_in_peace(desk, run)


def test_one_for_the_run_is_brought_up_and_taken_down(tmp_path: Path) -> None:
    """By testcontainers: the drill is MET, and nothing of the project is left."""
    made = paydesks.written(tmp_path, stands="for the run")
    try:
        run = drilled(made, APPLICATION, "An API server dies")
        assert run.ended.returncode == 0 and run.not_met() == {}, run.words()
        assert run.last("stack.begin")["owned"] is True and run.all("stack.left") == []
        assert tills.left(made.name) == []
    finally:
        tills.remove(made.name)
