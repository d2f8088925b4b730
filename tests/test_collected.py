"""What pytest has collected is what the features say, each scenario once; and each that is announced has an end."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from drills import FEATURES
from harness import plan
from harness import project as project_module
from harness import pytest_plugin as plugin
from harness.checks import load, merge
from harness.errors import Refused
from harness.evidence.lines import read
from harness.features import catalog
from harness.features import collection as collected
from harness.features.sentences import Sentences
from harness.project import COLLECTOR
from harness.run.run import Options, Run
from tests import warm
from tests.this_project import PROJECT

pytest_plugins = ["pytester"]

HOME = FEATURES.parent
BIND = "from pytest_bdd import scenarios\nscenarios('monthly')\n"
TITLES = """\
Feature: Übung
  Scenario: 火事
    Given a
  Scenario: 水害
    Given a
  Scenario: 123 火
    Given a
  Scenario: !!!
    Given a
  Scenario Outline: <x> fällt aus
    Given a
    Examples:
      | x |
      | A |
      | B |
"""


def collect(pytester: pytest.Pytester, text: str, **modules: str) -> tuple[list[pytest.Item], list[catalog.Drill]]:
    """What pytest collects of a feature, and what was announced."""
    (pytester.path / "monthly").mkdir(exist_ok=True)
    (pytester.path / "monthly" / "x.feature").write_text(text, encoding="utf-8")
    pytester.makepyfile(**modules)
    items, _ = pytester.inline_genitems()
    return items, catalog.announced(pytester.path)


def test_every_title_is_collected_in_any_script(pytester: pytest.Pytester) -> None:
    """pytest-bdd makes a Python name of each title; none of them is lost, and none is hidden by another."""
    items, announced = collect(pytester, TITLES, test_x=BIND)
    collected.must_be_announced(items, announced)
    keys = [key for item in items if (key := collected.key_of(item))]
    assert keys == [("x", scenario.name) for scenario in announced[0].scenarios]
    assert len(set(keys)) == 6


def test_titles_that_make_one_python_name_are_both_collected(pytester: pytest.Pytester) -> None:
    """`A.b` and `Ab` are alike for Python, and `9 c` and `C` too; their short names are not."""
    text = "Feature: f\n" + "".join(f"Scenario: {title}\nGiven a\n" for title in ("A.b", "Ab", "9 c", "C"))
    items, announced = collect(pytester, text, test_x=BIND)
    collected.must_be_announced(items, announced)
    assert len(items) == 4


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ({"test_x": BIND, "test_y": BIND}, "2 tests run this scenario: test_x.py::"),
        ({"test_x": BIND + "def test_ab():\n    pass\n"}, r"x\.feature:2: no test runs this scenario"),
        ({"test_x": "def test_nothing():\n    pass\n"}, r"x\.feature:2: no test runs this scenario, and 1 more"),
    ],
    ids=["twice", "hidden", "unbound"],
)
def test_what_is_not_collected_once_is_refused(pytester: pytest.Pytester, modules: dict[str, str], said: str) -> None:
    """With the line of the feature, and the tests where there are some."""
    items, announced = collect(pytester, "Feature: f\nScenario: Ab\nGiven a\nScenario: c\nGiven a\n", **modules)
    with pytest.raises(Refused, match=said):
        collected.must_be_announced(items, announced)


def test_what_is_collected_and_not_announced_is_refused(pytester: pytest.Pytester) -> None:
    """A feature that lies elsewhere is no drill."""
    items, _ = collect(pytester, "Feature: f\nScenario: Ab\nGiven a\n", test_x=BIND)
    with pytest.raises(Refused, match=r"runs ab of x, which is in no feature"):
        collected.must_be_announced(items, [])


def test_a_single_test_or_feature_may_be_run(pytester: pytest.Pytester) -> None:
    """By the words of pytest's command line; whoever names nothing but a folder of features wants them all."""
    items, announced = collect(pytester, TITLES, test_x=BIND, test_z="def test_other():\n    pass\n")
    *scenarios, other = items
    feature = pytester.path / "monthly" / "x.feature"
    for words, kept in (
        ([str(pytester.path)], scenarios),
        ([str(feature.parent)], scenarios),
        ([str(feature)], scenarios),
        ([str(pytester.path / "annual")], []),
        ([f"{items[0].path}::{items[2].name}"], [items[2]]),
        ([f"{items[0].path}::{items[2].name}", str(items[0].path)], scenarios),
    ):
        assert collected.asked_for(words, items, announced) == [*kept, other]


def test_what_was_asked_for_is_what_is_left(pytester: pytest.Pytester) -> None:
    """As a list: a scenario that is left out, or there twice, is not what was asked for."""
    items, announced = collect(pytester, TITLES, test_x=BIND)
    wanted = collected.scenarios(announced, drills="x")
    collected.must_be_all(items, wanted)
    for wrong in (items[1:], [*items, items[0]]):
        with pytest.raises(Refused, match="was asked for"):
            collected.must_be_all(wrong, wanted)
    assert list(collected.scenarios(announced, only="水害")) == [("x", catalog.name_of("水害"))]
    for drills, only in (("y", ""), ("", "土"), ("x", "fällt aus")):
        with pytest.raises(Refused, match="there is no"):
            collected.scenarios(announced, drills=drills, only=only)


# With pytest as a user starts it


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, as far as pytest needs it to collect the drills."""
    for name in ("drills", "features"):
        shutil.copytree(HOME / name, tmp_path / name)
    for name in ("pyproject.toml", "project.yaml"):
        (tmp_path / name).symlink_to(HOME / name)
    shutil.copyfile(HOME / "contacts.yaml", tmp_path / "contacts.yaml")
    return tmp_path


def run_pytest(
    project: Path, *more: str, words: Sequence[str] = ("features",), **environment: str
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(HOME), **environment}
    return warm.python("pytest", *words, "-q", "--collect-only", "-p", "no:cacheprovider", *more, cwd=project, env=env)


def test_pytest_refuses_what_drdrill_refuses(project: Path) -> None:
    """Plain `pytest features` ends with the same words and the same code, before it runs anything."""
    path = project / "features" / "monthly" / "network_failover.feature"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n  Scenario: A slow link\n    Given nothing\n", encoding="utf-8")
    done = run_pytest(project)
    assert done.returncode == 3
    assert "there is a scenario 'A slow link' already" in done.stdout + done.stderr
    assert "HINT: " in done.stdout + done.stderr


def test_a_feature_or_a_test_of_it_is_chosen_by_its_name(project: Path) -> None:
    """The one that is named and no other, and it is said of which project; ordinary tests may stand beside."""
    feature = "features/monthly/network_failover.feature"
    assert "7/43 tests collected" in run_pytest(project, words=[feature]).stdout
    slow = f"{COLLECTOR}::test_a_slow_link"
    done = run_pytest(project, words=[slow, "-vv"])
    assert "1/43 tests collected" in done.stdout and f"project: QuantumNest ({project})" in done.stdout
    (project / "test_other.py").write_text("def test_other():\n    pass\n")
    done = run_pytest(project, words=[feature, "test_other.py"])
    assert "8/44 tests collected" in done.stdout and "test_other.py::test_other" in done.stdout


def test_nothing_else_may_choose_among_what_was_asked_for(project: Path) -> None:
    """Where `drdrill` names a drill, a variable of the caller's shell leaves no scenario out."""
    assert run_pytest(project, "--drill=network-failover").returncode == 0
    done = run_pytest(project, "--drill=network-failover", PYTEST_ADDOPTS="-k slow")
    assert done.returncode == 3 and "was asked for, and pytest would leave it out" in done.stdout


# While it runs


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that has announced one scenario, and has not begun it; an editor has a feature open."""
    monkeypatch.setattr(project_module, "_CURRENT", [PROJECT])  # for this test alone: others drill no project
    features = Path(shutil.copytree(FEATURES, tmp_path / "features"))
    (features / "monthly" / ".#network_failover.feature").symlink_to("me@here.1")
    given = SimpleNamespace(
        name="ours", folder=tmp_path, features=features, contacts=None, code=(), client=PROJECT.client,
        health=PROJECT.health, books=None,
    )  # fmt: skip  # arguments in groups
    run = Run(
        tmp_path / "r1.unfinished",
        Options(evidence=tmp_path),
        plan.load(HOME / "drills" / "plan.yaml"),
        level="none",
        project=cast(Any, given),
        guardian=cast(Any, None),
        listener=cast(Any, SimpleNamespace(stopping=False, shield=nullcontext)),
    )
    run.begin(drills=["network-failover"], scenarios=["a-slow-link"])
    return run


def enter(run: Run, monkeypatch: pytest.MonkeyPatch) -> dict[Any, Any]:
    """The way into its scenario, as pytest-bdd goes it; what pytest remembers afterwards."""
    key = ("network-failover", "a-slow-link")
    announced = collected.scenarios(catalog.announced(FEATURES))
    monkeypatch.setattr(collected, "key_of", lambda _: key)
    config = SimpleNamespace(stash={plugin.WANTED: announced})
    node = SimpleNamespace(stash={})
    request: Any = SimpleNamespace(config=config, node=node, getfixturevalue=lambda _: run)
    feature: Any = SimpleNamespace(filename=str(FEATURES / "monthly" / "network_failover.feature"))
    try:
        plugin.pytest_bdd_before_scenario(request, feature, cast(Any, None))
    finally:
        run.end(outcome="aborted" if config.stash.get(cast(Any, plugin.ABORTED)) else "completed", by="harness")
    return config.stash


@pytest.mark.parametrize("breaks", ["folder", "promise"])
def test_a_scenario_that_dies_on_its_way_in_has_an_end(
    begun: Run, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    """It begins and ends in the journal, with the reason; the run is aborted, and not MET."""
    if breaks == "folder":
        (begun.folder / "scenarios").write_text("in the way")
    else:
        monkeypatch.setattr(Sentences, "expected", lambda *_: plan.load(begun.folder))
    with pytest.raises((OSError, Refused)):
        enter(begun, monkeypatch)
    lines = {line.kind: line.data for line in read(begun.folder / "journal.jsonl")}
    assert lines["scenario.begin"]["title"] == "A slow link"
    assert lines["scenario.end"]["outcome"] == "aborted" and lines["scenario.end"]["error"]
    assert lines["run.end"]["outcome"] == "aborted"
    assert merge(load.judged(begun.folder)) == "UNKNOWN"


def test_a_run_in_which_a_scenario_has_no_end_is_not_completed(begun: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever left it out, and however well the rest went; the last line names it."""
    enter(begun, monkeypatch)
    last = read(begun.folder / "journal.jsonl")[-1].data
    assert last == {"outcome": "aborted", "by": "harness", "error": "never run to an end: a-slow-link"}
    assert merge(load.judged(begun.folder)) == "UNKNOWN"


def test_a_run_whose_scenarios_all_have_ends_is_completed(begun: Run) -> None:
    """Then its last line says no more than that."""
    begun.ended.append("a-slow-link")
    begun.end(outcome="completed", by="harness")
    assert read(begun.folder / "journal.jsonl")[-1].data == {"outcome": "completed", "by": "harness"}
