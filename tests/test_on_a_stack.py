"""A drill on a stack that stands: everything that is refused before anything is made, and what is told of the stack."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import drdrill, with_reports
from harness.cli.screen import exit_of
from harness.errors import Exit, Refused
from harness.evidence.run_folder import UNHEALED, keep_logs, lengths
from harness.run.sabotage import NONE
from harness.safety import begin
from harness.safety.heal import heal_run
from harness.safety.running import held
from harness.safety.standing import Standing
from harness.stacks import Condition, brought_up, kinds
from harness.stacks.brought_up import BroughtUp
from harness.stacks.docker.ground import written_by_customers
from harness.stacks.kinds import KINDS, USUAL
from harness.system import clock
from harness.system.command import LABEL, Commands, Process, labelled
from harness.system.recorder import Memory
from tests import warm
from tests.notebooks import NOTEBOOK

STEADY = [Condition("serves", ok=True, seen="200")]
HURT = [Condition("serves", ok=True, seen="200"), Condition("leader", ok=False, seen="nobody leads")]
DRILL = "application-recovery"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BroughtUp:
    """One that is held by this process, serves, and says of itself that it is steady."""
    monkeypatch.setenv(begin.FOLDER, "")
    monkeypatch.setenv(LABEL, "")
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setattr(begin.Guardian, "start", lambda folder, viewer: None)
    monkeypatch.setattr(begin, "DISK_WANTED", 0)
    for place in ("harness.safety.begin", "harness.safety.left_hurt", "harness.cli.stack"):
        monkeypatch.setattr(f"{place}.MOMENT", timedelta(seconds=0.2))  # nobody else looks here whether it is held
    found = BroughtUp(tmp_path / "s" / "stack-1")
    found.folder.mkdir(parents=True)
    brought_up.remember(found.folder, USUAL, scale=0.1, regions=1, holder=Process.of(os.getpid()))
    (found.folder / brought_up.READY).write_text("{}")
    answers(monkeypatch, STEADY)
    return found


def answers(monkeypatch: pytest.MonkeyPatch, conditions: Sequence[Condition]) -> None:
    monkeypatch.setattr(BroughtUp, "conditions", lambda _: conditions)


def changed(stack: BroughtUp, **facts: Any) -> None:
    (stack.folder / brought_up.HELD).write_text(json.dumps({**stack.said, **facts}))


def run(stack: BroughtUp | Path, *words: str) -> Result:
    """In a folder of evidence that is not there before."""
    folder = stack.folder if isinstance(stack, BroughtUp) else stack
    evidence = folder.parent.parent / "e"
    said = CliRunner().invoke(drdrill, ["run", DRILL, "--on", str(folder), "--evidence", str(evidence), *words])
    assert not evidence.exists(), "nothing is left behind"
    return said


def refused(result: Result) -> str:
    assert isinstance(result.exception, Refused), (result.output, result.exception)
    assert result.exception.hint
    return result.exception.message


def test_a_folder_without_a_stack_is_refused(tmp_path: Path) -> None:
    """Also one that is not there."""
    assert "no stack was brought up there" in refused(run(tmp_path))
    assert "no stack was brought up there" in refused(run(tmp_path / "nowhere"))


def test_the_folder_above_is_enough_where_one_is_up(stack: BroughtUp) -> None:
    """Of two it has to be said which."""
    assert brought_up.find(stack.folder) == brought_up.find(stack.folder.parent) == stack
    other = stack.folder.with_name("stack-2")
    other.mkdir()
    assert brought_up.find(stack.folder.parent) == stack
    brought_up.remember(other, USUAL, scale=0.1, regions=1, holder=Process.of(os.getpid()))
    assert "2 stacks are up" in refused(run(stack.folder.parent))


def test_a_dead_stack_is_refused(stack: BroughtUp) -> None:
    """Its process is known by its start: another one with the same number is not taken for it."""
    ours = Process.of(os.getpid())
    changed(stack, holder=[ours.pid, ours.started - 1])
    assert "stack-1 is dead" in refused(run(stack))
    assert "stack-1 is dead" in refused(run(stack.folder.parent))


def test_a_stack_of_another_machine_or_boot_is_refused(stack: BroughtUp) -> None:
    """Process numbers and addresses say nothing there."""
    changed(stack, boot="another")
    assert "before this machine was started again" in refused(run(stack))
    changed(stack, machine="another")
    assert "another machine" in refused(run(stack))


def test_a_stack_that_does_not_serve_yet_is_refused(stack: BroughtUp) -> None:
    """It is still starting."""
    (stack.folder / brought_up.READY).unlink()
    assert "does not serve yet" in refused(run(stack))


def test_a_stack_of_another_kind_is_refused(stack: BroughtUp) -> None:
    """Also one whose kind is of another class of environment than it was, and one of another project."""
    assert "is of the kind local, not docker" in refused(run(stack, "--stack", "docker"))
    changed(stack, environment="staging")
    assert "was brought up as staging, and local is embedded" in refused(run(stack))
    changed(stack, kind="notebook", place="notebook.stack:Notebook", folder=str(NOTEBOOK))
    assert f"is a stack of the project in {NOTEBOOK}" in refused(run(stack))


def test_size_and_sandbox_are_those_that_it_has(stack: BroughtUp) -> None:
    """Another one is refused; the same one is not."""
    assert "was brought up with --scale 0.1" in refused(run(stack, "--scale", "1"))
    assert "its own sandbox" in refused(run(stack, "--sandbox", "rootless"))
    assert run(stack, "--scale", "0.1", "--dry-run").exit_code == Exit.MET


def test_a_sabotage_that_a_stack_does_not_get_over_is_refused(stack: BroughtUp) -> None:
    """What only the recovery leaves out is not."""
    assert "breaks the stack itself (a stack that is made otherwise)" in refused(
        run(stack, "--sabotage", "archiving-off")
    )
    assert replace(NONE, idle=True, without=frozenset({"restore"})).of_stack() == []
    kept = replace(NONE, archive_stalls=True, receiver_lost=True, no_sound_backup=True, altered=True)
    assert len(kept.of_stack()) == 4


def test_a_stack_is_drilled_by_one_run_at_a_time(stack: BroughtUp) -> None:
    """Whoever comes second is told so, and the first one keeps it."""
    first = Standing(stack)
    first.take()
    try:
        assert "stack-1 is busy" in refused(run(stack))
        down = CliRunner().invoke(drdrill, ["stack", "down", "--evidence", str(stack.folder.parent)])
        assert "stack-1 is busy" in refused(down) and stack.folder.is_dir()
        assert brought_up.state(stack, busy=True)[0] == "busy"
    finally:
        first.let_go()
    with held(stack.folder) as free:
        assert free


def test_a_stack_that_an_earlier_run_has_left_hurt_is_refused(stack: BroughtUp) -> None:
    """Whether it answers or not: what is still there of the fault is told in a file."""
    (stack.folder / UNHEALED).mkdir()
    (stack.folder / UNHEALED / "r0-000-kill_zone.json").write_text("{}")
    assert "stack-1 is hurt: a run has left it so" in refused(run(stack))
    assert brought_up.state(stack, busy=False)[0] == "hurt"


def test_a_stack_that_is_not_steady_is_refused(stack: BroughtUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what does not hold; it is asked for a while, and then let go of."""
    answers(monkeypatch, HURT)
    monkeypatch.setattr("harness.safety.standing.STEADY_WITHIN", brought_up.ANSWERS_WITHIN * 0)
    result = run(stack)
    assert "stack-1 is hurt: it is not steady: leader: nobody leads" in refused(result)
    assert "not yet: leader: nobody leads" in result.stderr
    assert brought_up.state(stack, busy=False) == ("hurt", "leader: nobody leads")
    with held(stack.folder) as free:
        assert free


def test_containers_are_drilled_where_they_were_brought_up(stack: BroughtUp, tmp_path: Path) -> None:
    """What their customers can write in was settled when they were made; a run's own stack is its folder's."""
    stack.stack.mkdir()
    (stack.stack / kinds.SAVED).write_text(json.dumps({"label": stack.name, "boot": clock.boot()}))
    docker = KINDS["docker"].maker
    docker.must_reach(stack.stack, stack.folder.parent)
    docker.must_reach(stack.stack, stack.folder.parent / "proof-1")
    with pytest.raises(Refused, match="where it was brought up"):
        docker.must_reach(stack.stack, tmp_path / "e")
    KINDS["local"].maker.must_reach(stack.stack, tmp_path / "e")
    run = tmp_path / "e" / "r1.unfinished"
    assert written_by_customers(run / "stack", label="r1") == run


def test_a_run_holds_the_stack_and_says_that_it_is_not_its_own(stack: BroughtUp, tmp_path: Path) -> None:
    """For whoever heals it: nothing of the stack is removed, and a fault that nobody healed is not called healed."""
    on = Standing(stack)
    (stack.stack / "logs").mkdir(parents=True)
    folder, lock = with_reports.begin(tmp_path / "e", "r1", project=tmp_path, kind=USUAL, on=on)
    with held(stack.folder) as free:
        assert not free
    assert kinds.of_run(folder) == USUAL and kinds.stands_on(folder) == stack.folder
    os.close(lock)
    on.let_go()
    heal_run(folder, by="drdrill heal", reports=lambda _: {})
    assert not folder.exists() and (stack.stack / "logs").is_dir()


def test_a_command_that_is_waited_for_ends_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that a stack runs which is not the run's own; what it starts for long is the stack's."""
    monkeypatch.setenv(LABEL, "r1")
    assert Commands(Memory(), label="stack-1").run(["printenv", LABEL]).out == "r1\n"
    assert Commands(Memory(), label="stack-1").environment()[LABEL] == "stack-1"


def test_logs_are_those_of_the_time_of_the_run(tmp_path: Path) -> None:
    """What a component said before is left out; one whose log was begun anew is kept whole."""
    logs = {name: tmp_path / f"{name}.log" for name in ("old", "new", "first")}
    for name in ("old", "new"):
        logs[name].write_text("said before the run, and long\n")
    since = lengths(logs)
    logs["old"].write_text(logs["old"].read_text() + "said in the run\n")
    logs["new"].write_text("anew\n")
    logs["first"].write_text("begun in the run\n")
    keep_logs(logs, tmp_path / "kept", since=since)
    kept = {path.stem: path.read_text() for path in (tmp_path / "kept").iterdir()}
    assert kept == {"old": "said in the run\n", "new": "anew\n", "first": "begun in the run\n"}


@pytest.mark.parametrize(
    ("verdict", "left", "code"),
    [
        ("MET", None, Exit.MET),
        ("MET", True, Exit.MET),
        ("MET", False, Exit.UNKNOWN),
        ("MISSED", False, Exit.MISSED),
    ],
)
def test_a_stack_that_was_left_hurt_is_never_green(tmp_path: Path, verdict: str, left: bool | None, code: Exit) -> None:
    """The findings stand, and the exit code says that something is not as it was."""
    (tmp_path / "findings.json").write_text(json.dumps({"verdict": verdict}))
    data = {"kind": "local", "seconds": 1.0, "steady": left, "conditions": []}
    line = {"v": 2, "seq": 0, "prev": "0" * 64, "salt": "0" * 32, "utc": "2026-01-01T00:00:00.000000Z", "mono": 1}
    fact = {**line, "kind": "stack.end" if left is None else "stack.left", "data": data}
    (tmp_path / "journal.jsonl").write_text(json.dumps(fact, separators=(",", ":")) + "\n")
    assert exit_of(tmp_path) is code


def test_a_plan_says_on_which_stack(stack: BroughtUp) -> None:
    """And that it stays; nothing is touched."""
    result = run(stack, "--dry-run")
    assert result.exit_code == Exit.MET and f"it stands in {stack.folder}" in result.output
    assert KINDS["local"].environment in result.output


def test_what_is_up_is_told_for_people_and_machines(stack: BroughtUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steady, busy, hurt or dead."""
    words = ["stack", "status", "--evidence", str(stack.folder.parent)]
    assert "it is        steady" in CliRunner().invoke(drdrill, words).output
    (found,) = json.loads(CliRunner().invoke(drdrill, [*words, "--json"]).output)
    assert (found["stack"], found["state"], found["scale"], found["folder"]) == (
        "stack-1", "steady", 0.1, str(stack.folder),
    )  # fmt: skip  # a list
    answers(monkeypatch, HURT)
    hurt = CliRunner().invoke(drdrill, words)
    assert "it is        hurt: leader: nobody leads" in hurt.output and hurt.exit_code == Exit.UNKNOWN
    changed(stack, holder=[1, 1])
    assert "stack-1: dead" in CliRunner().invoke(drdrill, words).output


def test_a_stack_of_a_project_is_brought_up_and_asked(tmp_path: Path) -> None:
    """Its own kind is taken, where it has one; it is asked in a process of its own, and nothing of it is left."""
    where = ["--evidence", str(tmp_path / "e")]

    def drdrill(*words: str) -> subprocess.CompletedProcess[str]:
        return warm.drdrill("--project", NOTEBOOK, *words, *where)

    up = drdrill("stack", "up")
    try:
        assert up.returncode == 0, up.stderr
        assert "starting stack-" in up.stderr and "drill it:" in up.stdout
        (found,) = json.loads(drdrill("stack", "status", "--json").stdout)
        assert (found["kind"], found["state"], found["why"]) == ("notebook", "steady", "")
        stack = brought_up.find(tmp_path / "e")
        assert (stack.kind.project, stack.kind.environment) == (NOTEBOOK, "embedded")
        planned = drdrill("run", "service-recovery", "--on", str(stack.folder), "--dry-run")
        assert planned.returncode == Exit.MET and "stack: notebook" in planned.stdout
    finally:
        down = drdrill("stack", "down")
    assert down.returncode == 0 and list((tmp_path / "e").iterdir()) == [] and labelled(stack.name) == []
