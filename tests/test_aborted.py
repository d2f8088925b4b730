"""A bug of the harness is neither the plan's fault nor a verdict: the run is aborted, and says so by its exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from harness import pytest_plugin as plugin
from harness.__main__ import main
from harness.checks import Outcome, Verdict
from harness.cli.run import why_no_pack
from harness.errors import Exit, NotInTime, NotReady, Refused
from harness.evidence.journal import Journal
from harness.evidence.seal import seal
from harness.procedures import Facts, Procedure, Step
from harness.system.bugs import is_bug
from harness.system.recorder import Memory
from tests.made_packs import OURS, unfinished

BUGS = [KeyError("x"), AssertionError("never"), AttributeError("y"), ZeroDivisionError()]
OF_THE_DRILL = [
    NotReady("not steady", hint="wait"), NotInTime("late", hint="wait"), psycopg.OperationalError("gone"),
    ConnectionRefusedError(), KeyboardInterrupt(),
]  # fmt: skip  # a list


def test_only_what_nobody_foresaw_is_a_bug() -> None:
    """What the harness says in its own words, a server that is gone and a Ctrl-C are none."""
    assert all(map(is_bug, BUGS))
    assert not any(map(is_bug, [*OF_THE_DRILL, None]))


def test_what_any_database_driver_raises_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told by the standard for drivers, and not by its name; an `Error` of another module is a bug."""
    ours, theirs = type("Error", (Exception,), {}), type("Error", (Exception,), {})
    monkeypatch.setitem(sys.modules, "a_driver", cast(Any, SimpleNamespace(apilevel="2.0", Error=ours)))
    monkeypatch.setitem(sys.modules, "no_driver", cast(Any, SimpleNamespace(Error=theirs)))
    assert not is_bug(type("Gone", (ours,), {})("gone")) and is_bug(theirs("broken"))


@pytest.mark.parametrize(
    ("error", "outcome", "said"),
    [
        (KeyError("x"), "aborted", "the harness itself failed: KeyError: 'x'"),
        (NotReady("not steady", hint="wait"), "failed", "not steady"),
        (KeyboardInterrupt(), "stopped", ""),
    ],
    ids=["bug", "drill", "stop"],
)
def test_a_scenario_says_how_it_ended(error: BaseException, outcome: str, said: str) -> None:
    """It is finished all the same: healed and judged."""
    finished: list[dict[str, str]] = []

    def finish(**how: str) -> Verdict:
        finished.append(how)
        return Verdict(Outcome.UNKNOWN, ())

    under_way = SimpleNamespace(finish=finish, run=SimpleNamespace(listener=SimpleNamespace(stopping=False)))
    request: Any = SimpleNamespace(node=SimpleNamespace(stash={plugin.SCENARIO: under_way}))
    with pytest.raises(type(error)):
        try:
            raise error
        finally:
            plugin.pytest_bdd_after_scenario(request, cast(Any, None), cast(Any, None))
    assert finished == [{"outcome": outcome, "error": said}]


@pytest.mark.parametrize(("error", "aborted"), [(KeyError("x"), True), (plugin.NotMet("MISSED"), False)])
def test_a_bug_aborts_the_run_and_a_verdict_does_not(error: Exception, aborted: bool) -> None:
    """A bug in the harness's own hooks counts as one in a sentence."""
    node: Any = SimpleNamespace(config=SimpleNamespace(stash={}))
    plugin.pytest_exception_interact(node, cast(Any, SimpleNamespace(excinfo=SimpleNamespace(value=error))))
    assert node.config.stash == ({plugin.ABORTED: True} if aborted else {})


@pytest.mark.parametrize(("error", "ends"), [(KeyError("x"), 0), (NotInTime("late", hint="wait"), 1)])
def test_a_step_that_meets_a_bug_has_not_failed(error: Exception, ends: int) -> None:
    """It has no end, like one that was stopped; one that does not do what it should has failed."""

    def run() -> Facts:
        raise error

    recorder = Memory()
    with pytest.raises(type(error)):
        Procedure("p", [Step("restore", "a-step", "Do it", run)], recorder=recorder).run("restore")
    assert [data["ok"] for kind, data in recorder.facts if kind == "step.end"] == [False] * ends


@pytest.mark.parametrize("outcome", ["aborted", "completed"])
def test_an_aborted_run_ends_with_the_code_of_the_harness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], outcome: str
) -> None:
    """Whatever its verdict; the pack is sealed, and the error says where it is."""
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "key.pem"))
    folder = unfinished(tmp_path / "r1", end=False)
    with Journal.resume(folder) as journal:
        error = "the harness itself failed: KeyError: 'x'" if outcome == "aborted" else ""
        journal.record("scenario.end", scenario="Another", outcome=outcome, error=error)
        journal.record("run.end", outcome=outcome, by="harness")
    pack = seal(folder, tmp_path / "r1", key=OURS)
    monkeypatch.setattr("harness.cli.run.carry_out", lambda request, quiet: pack)
    monkeypatch.setattr(sys, "argv", ["drdrill", "run", "monthly", "--json", "--evidence", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    if outcome == "completed":
        assert (ended.value.code, said) == (Exit.MET, "")
    else:
        assert ended.value.code == Exit.FAILED
        assert said.startswith(f"error: {error}\nHINT: what was measured before stands in {pack}")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Refused("the plan is gone", hint="put it back"), Exit.REFUSED, "the plan is gone\nHINT: put it back"),
        (FileNotFoundError(2, "gone", "boot_id"), Exit.FAILED, "the run could not begin: FileNotFoundError"),
    ],
)
def test_what_breaks_before_the_first_line_is_one_error(error: Exception, code: Exit, said: str) -> None:
    """There is no pack that could say it, so the command does."""
    with pytest.raises(pytest.exit.Exception) as left, plugin._told():
        raise error
    assert left.value.returncode == code and said in str(left.value.msg) and "HINT: " in str(left.value.msg)


@pytest.mark.parametrize(
    ("words", "code", "said", "hint"),
    [
        ("!!! _pytest.outcomes.Exit: no room\nHINT: free some !!!\n\nno tests ran in 0.1s", 3, "no room", "free some"),
        ("E   KeyError: 'x'\nERROR drills/a.py\n1 error in 0.2s", 2, "KeyError: 'x'", "run `drdrill doctor`"),
        ("Segmentation fault\n", 1, "Segmentation fault", "run `drdrill doctor`"),
        ("", -9, "the drill's process ended without a word", "run `drdrill doctor`"),
    ],
)
def test_what_pytest_says_is_one_error_and_never_a_count(words: str, code: int, said: str, hint: str) -> None:
    """With the HINT that came with it, or the one that looks at the machine."""
    error = why_no_pack(words, code=code)
    assert (error.message, error.hint) == (said, hint)
    assert error.exit == (Exit.REFUSED if code == Exit.REFUSED else Exit.FAILED)
