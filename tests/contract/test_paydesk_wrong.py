"""Stack files that are wrong, and twins of right ones, on a payments desk that stands: none ends green.

Each is a copy of the project and its platform's files with something changed; the desk itself is one.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import Exit
from harness.system import wait
from harness.system.command import end_labelled
from tests import paydesks
from tests.contract.desk_runs import argv, containers, drdrill, drilled, environment, ids, of_scenario
from tests.paydesks import Desk

LONG = timedelta(seconds=120)
STACK, CLIENT, KEY = "platform/stack.yaml", "client.yaml", "platform/api.key"
DIES = ("application-recovery", "An API server dies")
STORED = "a numbered transaction is stored and read back"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="desk-", dir="/tmp") as folder, paydesks.standing(Path(folder)) as found:
        found.asks("db-1", "create database elsewhere")
        copied = "pg_dump -h 127.0.0.1 --schema-only lnbits | psql -q -h 127.0.0.1 elsewhere"
        code, said = found.container("db-1").exec_run(["bash", "-c", copied])
        assert code == 0, said
        yield found


def otherwise(desk: Desk, into: Path, file: str, was: str, now: str) -> Desk:
    """The same desk by a file that says something else."""
    folder = into / "paydesk"
    if not folder.exists():
        shutil.copytree(desk.folder, folder)
    text = (folder / file).read_text()
    assert was in text
    (folder / file).write_text(text.replace(was, now))
    return replace(desk, folder=folder)


def wrong(desk: Desk, case: str, into: Path) -> Desk:
    if case == "nobody is there":
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            free = found.getsockname()[1]
        return otherwise(desk, into, STACK, f'at: "http://127.0.0.1:{desk.port}"', f'at: "http://127.0.0.1:{free}"')
    if case == "a wrong key":
        return otherwise(desk, into, KEY, desk.key, desk.key[::-1])
    if case == "no key at all":
        return otherwise(desk, into, CLIENT, "X-Api-Key:", "X-Api-Kay:")
    if case == "stored that is never true":
        return otherwise(desk, into, CLIENT, "status: [201]", "status: [299]")
    return otherwise(desk, into, STACK, "dbname=lnbits", "dbname=elsewhere")


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("nobody is there", "failed"), ("a wrong key", "404"), ("no key at all", "401"),
        ("stored that is never true", "in_doubt"), ("a read-back of another database", "there is nothing"),
    ],
)  # fmt: skip  # a table
def test_what_is_wrong_is_told_before_anything_is_hurt(desk: Desk, tmp_path: Path, case: str, said: str) -> None:
    """By `stack check`, and by a run: no write was acknowledged and read back, so it is not steady, and not green."""
    other, before = wrong(desk, case, tmp_path), containers(desk)
    checked = drdrill(other, "stack", "check", other.file)
    assert checked.returncode == Exit.MISSED and STORED in checked.stdout, checked.stdout + checked.stderr
    run = drilled(other, *DIES)
    assert run.ended.returncode == Exit.UNKNOWN, run.words()
    assert run.all("fault.intent") == [] and set(run.outcomes.values()) <= {"UNKNOWN"}, run.words()
    end = run.last("trial.end")
    assert said in f"{end['outcome']} {end['why']}" and end["read"] is not True
    assert containers(desk) == before


def test_a_probe_that_is_green_whatever_happens(desk: Desk, tmp_path: Path) -> None:
    """The check says so; a run finds no proof that anything was hurt."""
    was = 'http: {url: "http://${address}:5000/api/v1/health", valid_status_codes: [200]}'
    codes = otherwise(desk, tmp_path / "codes", STACK, "valid_status_codes: [200]", "valid_status_codes: [200, 404]")
    checked = drdrill(codes, "stack", "check", codes.file)
    assert checked.returncode == Exit.MISSED and "can be red" in checked.stdout, checked.stdout
    now = f'http: {{url: "http://127.0.0.1:{desk.port}/api/v1/health", valid_status_codes: [200]}}'
    other = otherwise(desk, tmp_path / "elsewhere", STACK, was, now)
    before = ids(desk)
    run = drilled(other, *DIES)
    assert run.ended.returncode != Exit.MET and "MET" not in run.outcomes.get("rto", ""), run.words()
    assert run.last("fault.healed")["ok"] is True and ids(desk) == before and desk.serves()


KILL = """
    kill:
      do: {run: [docker, kill, NAME]}
      undo: {run: ["UNDO"]}
      proof: {run: [docker, inspect, -f, "{{.State.Status}}", NAME], says: exited}
      undone: {run: [docker, inspect, -f, "{{.State.Status}}", NAME], says: running, within: 3 s}
"""


@pytest.mark.parametrize("undo", ["false", "true"], ids=["fails", "does nothing"])
def test_an_inverse_that_does_not(desk: Desk, tmp_path: Path, undo: str) -> None:
    """It is never called healed: the run says what is hurt, and the next is refused until somebody has mended it."""
    was, before = "  api-a: {zone: a, role: api, alive: api health}\n", ids(desk)
    container = f"{desk.name}-api-a-1"
    acts = KILL.replace("NAME", container).replace("UNDO", undo)
    now = f"  api-a:\n    service: api-a\n    zone: a\n    role: api\n    alive: api health{acts}"
    other = otherwise(desk, tmp_path, STACK, was, now)
    try:
        run = drilled(other, *DIES)
        assert run.ended.returncode in (Exit.MISSED, Exit.UNKNOWN), run.words()
        assert run.last("fault.healed")["ok"] is False and desk.container("api-a").status == "exited"
        again = drdrill(other, *of_scenario(other, *DIES))
        assert again.returncode == Exit.REFUSED and "heal --on" in again.stderr, again.stdout + again.stderr
        (place,) = (tmp_path / "state" / "drdrill" / "platforms").iterdir()
        assert drdrill(other, "heal", "--on", place).returncode == Exit.UNKNOWN
    finally:
        desk.container("api-a").start()
    healed = drdrill(other, "heal", "--on", place)
    assert healed.returncode == Exit.MET, healed.stdout + healed.stderr
    assert ids(desk) == before and wait.poll(desk.serves, within=LONG)


def test_a_run_that_is_killed_is_healed_by_another_process(desk: Desk, tmp_path: Path) -> None:
    """kill -9 of all of it while a component is cut off: `drdrill heal` joins it, by what is on disk."""
    other = otherwise(desk, tmp_path, CLIENT, "format: 1", "format: 1")
    before = containers(desk)
    words = of_scenario(other, "application-recovery", "An API server is cut off")
    evidence = Path(str(words[words.index("--evidence") + 1]))
    with subprocess.Popen(argv(other, *words), env=environment(other), stdout=subprocess.DEVNULL) as run:
        journal = wait.poll(lambda: list(evidence.glob("*/journal.jsonl")), within=LONG)[0]
        assert wait.poll(lambda: b"fault.effective" in journal.read_bytes(), within=LONG)
        os.kill(guardian_of(journal.parent), signal.SIGKILL)  # first: it would heal at once
        run.kill()
        end_labelled(journal.parent.name.removesuffix(".unfinished"))
    assert not answers(desk, "api-a")
    healed = drdrill(other, "heal", "--evidence", evidence)
    assert healed.returncode == Exit.MET and "cut_component" in healed.stdout, healed.stdout + healed.stderr
    assert answers(desk, "api-a") and containers(desk) == before


def guardian_of(folder: Path) -> int:
    """Its pid: it carries no label."""
    words = [b"harness.cli.guardian", str(folder.resolve()).encode()]
    said = {int(each.name): each / "cmdline" for each in Path("/proc").iterdir() if each.name.isdigit()}
    (found,) = [pid for pid, line in said.items() if all(word in read_or_nothing(line).split(b"\0") for word in words)]
    return found


def read_or_nothing(file: Path) -> bytes:
    """Of a process that may have ended."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def answers(desk: Desk, service: str) -> bool:
    networks = desk.container(service).attrs["NetworkSettings"]["Networks"].values()
    at = next(network["IPAddress"] for network in networks)
    try:
        socket.create_connection((at, 5000), timeout=2).close()
    except OSError:
        return False
    return True


def test_a_condition_that_is_true_in_the_middle(desk: Desk, tmp_path: Path) -> None:
    """Customers' own page fails for too long: who led is started again at once, and the run is no pass."""
    at = f'url: "http://127.0.0.1:{desk.port}/api/v1/wallet", headers: {{X-Api-Key: "${{secret:api key}}"}}'
    probes = f"probes:\n  wallet:\n    http: {{{at}}}\n"
    other = otherwise(desk, tmp_path, STACK, "probes:\n", probes)
    otherwise(other, tmp_path, STACK, "safety:\n", "safety:\n  abort when: [{probe: wallet, fails for: 3 s}]\n")
    before = ids(desk)
    run = drilled(other, "database-failover", "Nobody has another server lead")
    assert run.ended.returncode == Exit.UNKNOWN, run.words()
    assert [each["state"] for each in run.all("abort.condition")][:3] == ["clear", "failing", "true"]
    assert run.last("stopped")["who"] == "guardian" and "wallet" in run.last("stopped")["why"]
    assert run.last("fault.healed")["ok"] is True and ids(desk) == before
    assert wait.poll(desk.serves, within=LONG)


def test_a_selection_that_reaches_too_far(desk: Desk, tmp_path: Path) -> None:
    """A copy is cut off and the leader dies: two components. The second is refused, and the first is healed."""
    other, before = otherwise(desk, tmp_path, STACK, "components: 2", "components: 1"), containers(desk)
    run = drilled(other, "database-failover", "A copy is cut off before the leader dies")
    assert run.ended.returncode == Exit.REFUSED, run.words()
    assert [each["fault"] for each in run.all("fault.intent")] == ["cut_component"]
    (refused,) = run.all("refused")
    assert refused["fault"] == "kill_component" and "would hurt 2 components at once" in refused["why"]
    assert run.last("fault.healed")["ok"] is True and containers(desk) == before and desk.serves()
