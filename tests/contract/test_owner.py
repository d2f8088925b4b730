"""A platform of somebody else is hurt no further than its owner lets, by `make test-docker`: vetoed in the middle,
also where the harness hangs; a fault is not let; its window is closed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from harness.evidence.lines import read
from harness.system import wait
from harness.system.command import labelled
from tests import tills
from tests.contract.test_attached import SCENARIOS, containers, drdrill, environment
from tests.tills import Till

LONG = timedelta(seconds=90)
SAFETY = "safety:\n"


@pytest.fixture(scope="module")
def till() -> Iterator[Till]:
    with tempfile.TemporaryDirectory(prefix="till-", dir="/tmp") as folder, tills.standing(Path(folder)) as found:
        yield found


def words(till: Till, evidence: str, *more: str) -> list[str]:
    """Of a run of the first scenario."""
    named = ["run", "part-recovery", "--only", SCENARIOS[0], "--stack", str(till.file)]
    return [*named, "--evidence", str(till.folder / evidence), *more]


def said(till: Till, more: str, *, instead: str = SAFETY) -> None:
    """The stack file with more under `safety`, as it is written from here on."""
    original = till.file.with_suffix(".original")
    if not original.exists():
        original.write_text(till.file.read_text())
    text = original.read_text()
    assert instead in text
    till.file.write_text(text.replace(instead, more))


@pytest.mark.parametrize("hangs", [False, True])
def test_a_veto_in_the_middle_heals_at_once(till: Till, *, hangs: bool) -> None:
    """Also where the harness itself hangs: then the guardian ends it. The pack says who, what and why."""
    said(till, f"{SAFETY}  abort when: [{{file: ./STOP}}]\n")
    before, veto, evidence = containers(till), till.file.parent / "STOP", f"v{hangs}"
    argv = [sys.executable, "-m", "harness", "--project", str(till.folder), *words(till, evidence)]
    with subprocess.Popen(argv, cwd=till.folder, env=environment(till), stdout=subprocess.DEVNULL) as run:
        found = wait.poll(lambda: list((till.folder / evidence).glob("*/journal.jsonl")), within=LONG)
        assert found, "no run began"
        journal = found[0]
        wait.poll(lambda: b"fault.effective" in journal.read_bytes(), within=LONG)
        assert till.container("api-a").status == "exited"
        if hangs:
            for process in labelled(journal.parent.name.removesuffix(".unfinished")):
                if b"harness.pytest_plugin" in Path(f"/proc/{process.pid}/cmdline").read_bytes():
                    os.kill(process.pid, signal.SIGSTOP)
        veto.write_text("the quarter ends\n")
        try:
            code = run.wait(timeout=120)
        finally:
            veto.unlink()
    assert till.container("api-a").status == "running" and containers(till) == before
    (pack,) = (path for path in (till.folder / evidence).iterdir() if (path / "pack.dsse.json").is_file())
    lines = list(read(pack / "journal.jsonl"))
    assert code == 2, (pack / "findings.json").read_text()[:6000]
    states = [line.data["state"] for line in lines if line.kind == "abort.condition"]
    assert states == ["clear", "true"]
    (healed,) = [line.data for line in lines if line.kind == "fault.healed"]
    assert healed["ok"] is True and (healed["by"] in ("guardian", "drdrill run")) == hangs
    (stopped,) = [line.data for line in lines if line.kind == ("stop.asked" if hangs else "stopped")]
    assert stopped["who"] == "guardian"
    assert "a veto in the file ./STOP" in stopped["why"] and "the quarter ends" in stopped["why"]
    if not hangs:
        assert next(line.data for line in lines if line.kind == "writes")["sent"] > 0


def test_what_is_not_let_is_refused_in_the_run(till: Till) -> None:
    """The exit code is 3, the journal says it, and no container was touched."""
    said(till, "  may: [pause, cut]\n", instead="  may: [kill, pause, cut]\n")
    started = till.container("api-a").attrs["State"]["StartedAt"]
    ended = drdrill(till, *words(till, "m", "--json"))
    assert ended.returncode == 3 and "kill_component is not let" in ended.stderr, ended.stderr
    lines = list(read(Path(json.loads(ended.stdout)["pack"]) / "journal.jsonl"))
    (refused,) = [line.data for line in lines if line.kind == "refused"]
    assert refused["fault"] == "kill_component" and "stack.yaml:" in refused["hint"]
    assert not [line for line in lines if line.kind.startswith("fault.")]
    assert till.container("api-a").attrs["State"]["StartedAt"] == started


def test_the_bound_of_writes_ends_the_run(till: Till) -> None:
    """No more is sent than the file lets; the run heals and ends, and is no pass."""
    said(till, f"{SAFETY}  writes: {{number: 40}}\n")
    ended = drdrill(till, *words(till, "w", "--json"))
    assert ended.returncode in (1, 2), ended.stderr
    lines = list(read(Path(json.loads(ended.stdout)["pack"]) / "journal.jsonl"))
    (written,) = [line.data for line in lines if line.kind == "writes"]
    assert 30 <= written["sent"] <= 41 and written["most"] == 40
    (stopped,) = [line.data for line in lines if line.kind == "stopped"]
    assert stopped["who"] == "harness" and "as many writes are sent" in stopped["why"]


def test_before_anything_is_made_it_is_asked_for(till: Till) -> None:
    """A window that is closed, a name that nobody gave, production without a word: 3, and no run began."""
    asked = {
        "  windows: [Mon 00:00-00:01 UTC, Thu 00:00-00:01 UTC]\n": "may not be drilled now",
        "  confirm: typed name\n": "nobody has said",
    }  # fmt: skip  # a table
    for number, (more, why) in enumerate(asked.items()):
        said(till, SAFETY + more)
        ended = drdrill(till, *words(till, f"n{number}"))
        assert ended.returncode == 3 and why in ended.stderr, ended.stderr
        assert not list((till.folder / f"n{number}").glob("*"))
    dry = drdrill(till, *words(till, "d", "--dry-run"))
    assert "do:   docker kill $(docker ps -aq" in dry.stdout and "undo: docker start" in dry.stdout, dry.stdout
