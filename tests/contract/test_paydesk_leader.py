"""The payments desk's database, which nothing promotes by itself, drilled for real by `make test-docker`.

Each verdict is compared with what the tests see for themselves: what both servers have, and which of them leads.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import Exit
from harness.system import control_files, wait
from harness.system.command import end_labelled
from tests import paydesks
from tests.contract.desk_runs import (
    Drilled,
    argv,
    drdrill,
    drilled,
    environment,
    keys,
    left_in_peace,
    of_scenario,
    stored,
)
from tests.contract.test_paydesk_wrong import guardian_of
from tests.paydesks import Desk

LONG, OFTEN = timedelta(seconds=120), timedelta(milliseconds=5)
FAILOVER = "database-failover"
LEADS = "select not pg_is_in_recovery()"
LEFT = {"heal": "MISSED", "steady-after": "MISSED"}  # what led is down, and its owner has to make a copy of it


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="desk-", dir="/tmp") as folder, paydesks.standing(Path(folder)) as found:
        yield found


def leader(desk: Desk) -> tuple[str, str]:
    """Who leads, and the other one: each test has them change places."""
    (led,) = [name for name in ("db-1", "db-2") if desk.asks(name, LEADS) == ["t"]]
    return led, "db-2" if led == "db-1" else "db-1"


def without_rejoin(desk: Desk) -> Path:
    """The stack file of an owner who has said no way to make a server a copy again."""
    lines = [line for line in desk.file.read_text().splitlines() if not line.startswith("  rejoin:")]
    file = desk.file.with_name("by-hand.yaml")
    file.write_text("\n".join([*lines, ""]))
    return file


def place(desk: Desk) -> Path:
    """Where runs on the desk meet."""
    (found,) = (desk.folder.parent / "state" / "drdrill" / "platforms").glob(f"{desk.name}*")
    return found


def heal(desk: Desk) -> str:
    """As a person does, from anywhere; what it says."""
    healed = drdrill(desk, "heal", "--on", place(desk))
    assert healed.returncode == Exit.MET, healed.stdout + healed.stderr
    return healed.stderr


def left_fenced(desk: Desk, run: Drilled, died: str) -> None:
    """The run has said so, and did not let it back."""
    assert run.last("fault.healed")["how"] == "left fenced" and died in run.last("fault.healed")["seen"]
    assert run.last("stack.left")["steady"] is False and run.ended.returncode == Exit.MISSED, run.words()
    left_in_peace(desk, run, fenced=died)


def test_it_dies_and_its_owner_has_the_other_lead(desk: Desk) -> None:
    """By the file's command, within the time; nothing that was told is lost, and who led is a copy in the end."""
    died, leads = leader(desk)
    run = drilled(desk, FAILOVER, "The leader dies")
    assert run.not_met() == {} and run.ended.returncode == Exit.MET, run.words()
    assert leader(desk) == (leads, died) and desk.asks(died, paydesks.STREAMS) == ["1"]
    assert keys(run, "ledger") <= set(desk.asks(died, stored(run)))
    left_in_peace(desk, run)


def test_an_owner_who_says_no_way_back_makes_it_a_copy_by_hand(desk: Desk) -> None:
    """Until then it stays down, nobody waits for what cannot come, and what is said is what helps."""
    died, leads = leader(desk)
    run = drilled(desk, FAILOVER, "The leader dies", file=without_rejoin(desk))
    assert run.not_met() == LEFT, run.words()
    assert desk.container(died).status == "exited" and desk.asks(leads, LEADS) == ["t"]
    healed = run.last("fault.healed")
    assert f"make {died} a copy of {leads} by hand and start it, then `drdrill heal --on " in healed["seen"]
    assert healed["latest"] - healed["earliest"] < 20e9
    left_fenced(desk, run, died)
    checked = drdrill(desk, "stack", "check", desk.file)
    assert "docker start" not in checked.stdout and f"{leads} leads: first make {died} a copy of it" in checked.stdout
    assert "the address of" not in checked.stdout and f"drdrill heal --on {place(desk)}" in checked.stdout
    status = drdrill(desk, "stack", "status")
    assert status.returncode == Exit.UNKNOWN and f"drdrill heal --on {place(desk)}" in status.stdout, status.stdout
    paydesks.rebuild(desk, died, leads)
    heal(desk)


def test_a_copy_that_was_cut_off_loses_what_was_told(desk: Desk) -> None:
    """MISSED, and the pack says exactly which: those that who led has on its disk, and who leads now has not."""
    died, leads = leader(desk)
    run = drilled(desk, FAILOVER, "A copy is cut off before the leader dies", file=without_rejoin(desk))
    assert run.not_met() == {**LEFT, "no-loss": "MISSED"}, run.words()
    there = set(desk.asks(leads, stored(run)))
    lost = keys(run, "ledger") - there
    assert lost and lost <= set(paydesks.kept_by(desk, died, stored(run)))
    assert run.findings["no-loss"]["figure"] == len(lost) and keys(run, "rows") == there
    numbers = sorted(int(key.rpartition("-")[2]) for key in lost)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    page = b"".join(path.read_bytes() for path in run.pack.glob("*.html")).decode()
    assert f"outside: {numbers[0]} to {numbers[-1]}<" in page
    left_fenced(desk, run, died)
    paydesks.rebuild(desk, died, leads)
    heal(desk)


def test_two_lead_while_one_is_cut_off(desk: Desk) -> None:
    """MISSED; who led is not joined again, for it would go on with leading. Once it is stopped it becomes a copy."""
    died, leads = leader(desk)
    run = drilled(desk, FAILOVER, "The leader is cut off")
    assert run.not_met() == {**LEFT, "one-leader": "MISSED", "rejoined": "MISSED"}, run.words()
    assert f"{min(died, leads)} and {max(died, leads)} said that they lead" in run.findings["one-leader"]["reason"]
    assert [desk.asks(name, LEADS) for name in (died, leads)] == [["t"], ["t"]]
    left_fenced(desk, run, died)
    assert f"stop {died}, then `drdrill heal --on" in run.last("fault.healed")["seen"]
    desk.container(died).stop()
    assert f"the owner's `rejoin` makes {died} a copy of it" in heal(desk)
    assert leader(desk) == (leads, died) and desk.asks(died, paydesks.STREAMS) == ["1"]


def test_a_page_that_says_well_while_nobody_is_served(desk: Desk) -> None:
    """MISSED: the desk's own page knows nothing of its database."""
    died, leads = leader(desk)
    run = drilled(desk, FAILOVER, "Nobody has another server lead")
    assert run.not_met() == {"honest-health": "MISSED", "automatic": "MISSED"}, run.words()
    assert leader(desk) == (leads, died)


def test_whoever_drills_is_killed_while_it_is_made_a_copy(desk: Desk) -> None:
    """Another process goes on by what lies on disk: never two lead, and it is a copy in the end."""
    died, leads = leader(desk)
    words = of_scenario(desk, FAILOVER, "The leader dies")
    evidence = Path(str(words[words.index("--evidence") + 1]))
    with subprocess.Popen(argv(desk, *words), env=environment(desk), stdout=subprocess.DEVNULL) as run:
        journal = wait.poll(lambda: list(evidence.glob("*/journal.jsonl")), within=LONG)[0]
        begun = place(desk) / "stack" / "rejoins.json"
        assert wait.poll(
            lambda: died in (control_files.read(begun) or {}), within=LONG, every=timedelta(milliseconds=5)
        )
        os.kill(guardian_of(journal.parent), signal.SIGKILL)  # first: it would heal at once
        run.kill()
        end_labelled(journal.parent.name.removesuffix(".unfinished"))
    assert desk.asks(leads, LEADS) == ["t"] and not streams(desk, died)
    healed = drdrill(desk, "heal", "--evidence", evidence)
    assert healed.returncode == Exit.MET and "kill_component" in healed.stdout, healed.stdout + healed.stderr
    assert leader(desk) == (leads, died) and streams(desk, died)


def streams(desk: Desk, server: str) -> bool:
    return desk.container(server).status == "running" and desk.asks(server, paydesks.STREAMS) == ["1"]
