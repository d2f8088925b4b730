"""A payments desk that others wrote, with a project that has no Python, drilled for real by `make test-docker`.

Each verdict is compared with what the tests see for themselves: of the containers, and of both databases.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stacks.docker.engine import RUN, engine
from tests import paydesks, tills
from tests.contract.desk_runs import Drilled, drdrill, drilled, ids
from tests.paydesks import Desk

APPLICATION, DATABASE = "application-recovery", "database-failover"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="desk-", dir="/tmp") as folder, paydesks.standing(Path(folder)) as found:
        yield found


def left_in_peace(desk: Desk, run: Drilled) -> None:
    """Nothing of the run is left; its pack is whole, and holds no key."""
    assert not engine().containers.list(all=True, filters={"label": f"{RUN}={run.pack.name}"})
    everything = b"".join(path.read_bytes() for path in run.pack.rglob("*") if path.is_file())
    assert desk.key.encode() not in everything
    verified = drdrill(desk, "verify", run.pack)
    assert "integrity" in verified.stdout and verified.returncode in (0, 1, 2), verified.stdout


def keys(run: Drilled, kept: str) -> set[str]:
    """Of what customers were told is stored (`ledger`), or of what was read in the end (`rows`), as the desk has it."""
    (folder,) = (run.pack / "scenarios").iterdir()
    name = {"ledger": "ledger-outside.jsonl", "rows": "rows-final-outside.jsonl"}[kept]
    first, *lines = map(json.loads, (folder / name).read_text().splitlines())
    told = [line["n"] for line in lines if kept == "rows" or line["e"] == "acknowledged"]
    return {f"{first['origin']}/{first['group']}-{number}" for number in told}


def stored(run: Drilled) -> str:
    """SQL: what a server has of the customers of this run."""
    return f"select external_id from apipayments where external_id like '{run.pack.name}/%/outside-%'"


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
    """MET; the very same containers go on."""
    before = ids(desk)
    run = drilled(desk, APPLICATION, scenario)
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


def test_the_leader_dies_and_its_owner_has_the_other_lead(desk: Desk) -> None:
    """By the file's command. Nothing that was told is lost; who led is not started beside who leads now."""
    run = drilled(desk, DATABASE, "The leader dies")
    assert run.not_met() == {}, run.words()
    assert desk.asks("db-2", "select pg_is_in_recovery()") == ["f"]
    assert desk.container("db-1").status == "exited"
    assert keys(run, "ledger") <= set(desk.asks("db-2", stored(run)))
    left_in_peace(desk, run)
    paydesks.rebuild(desk, "db-1", "db-2")


def test_a_copy_that_was_cut_off_loses_what_was_told(desk: Desk) -> None:
    """MISSED, and the pack says exactly which: those that who led has on its disk, and who leads now has not."""
    run = drilled(desk, DATABASE, "A copy is cut off before the leader dies")
    assert run.ended.returncode == 1 and run.outcomes["no-loss"] == "MISSED", run.words()
    died, leads = "db-2", "db-1"
    there = set(desk.asks(leads, stored(run)))
    lost = keys(run, "ledger") - there
    assert lost and lost <= set(paydesks.kept_by(desk, died, stored(run)))
    assert run.findings["no-loss"]["figure"] == len(lost)
    assert keys(run, "ledger") - keys(run, "rows") == lost and keys(run, "rows") == there
    left_in_peace(desk, run)
    paydesks.rebuild(desk, died, leads)


def test_two_led_while_one_was_cut_off(desk: Desk) -> None:
    """MISSED; who led is not let back, for it would go on with leading."""
    run = drilled(desk, DATABASE, "The leader is cut off")
    assert run.ended.returncode == 1 and run.outcomes["one-leader"] == "MISSED", run.words()
    assert [desk.asks(name, "select pg_is_in_recovery()") for name in ("db-1", "db-2")] == [["f"], ["f"]]
    left_in_peace(desk, run)
    paydesks.rebuild(desk, "db-1", "db-2")


def test_a_page_that_says_well_while_nobody_is_served(desk: Desk) -> None:
    """MISSED: the desk's own page knows nothing of its database."""
    run = drilled(desk, DATABASE, "Nobody has another server lead")
    assert run.outcomes["honest-health"] == "MISSED" and run.outcomes["automatic"] == "MISSED", run.words()
    left_in_peace(desk, run)
    paydesks.rebuild(desk, "db-2", "db-1")


def test_one_for_the_run_is_brought_up_and_taken_down(tmp_path: Path) -> None:
    """By testcontainers: the drill is MET, and nothing of the project is left."""
    made = paydesks.written(tmp_path, stands="for the run")
    try:
        run = drilled(made, DATABASE, "The leader dies")
        assert run.not_met() == {}, run.words()
        assert run.last("stack.begin")["owned"] is True and run.all("stack.left") == []
        assert tills.left(made.name) == []
    finally:
        tills.remove(made.name)
