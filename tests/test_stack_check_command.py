"""`drdrill stack check` as a command: what it prints, for people and for machines, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from harness.cli import drdrill
from harness.cli.check import Can, next_of
from harness.features.catalog import Scenario
from harness.safety import running
from harness.stacks.attached import place
from harness.stacks.attached.file.read import load
from tests import small_platform, warm
from tests.small_platform import KEY, Shop
from tests.test_house import HOME
from tests.test_stack_check import least


@pytest.fixture
def shop() -> Iterator[Shop]:
    with small_platform.shop() as found:
        yield found


@pytest.fixture
def file(tmp_path: Path, shop: Shop) -> Path:
    """The stack file, with nobody's project above it."""
    path = tmp_path / "stack.yaml"
    path.write_text(yaml.safe_dump(least(shop.at)))
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One that `drdrill init` has begun, with its client filled in."""
    into = tmp_path / "project"
    begun = CliRunner().invoke(drdrill, ["init", "--component", "shop=api", "--into", str(into), "--yes"])
    assert begun.exit_code == 0, begun.output
    small_platform.plain(into)
    return into


def checked(file: Path, *words: object, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    more = {"PYTHONPATH": str(HOME), "XDG_STATE_HOME": str(file.parent / "state"), "SHOP_KEY": KEY}
    return warm.drdrill(*before, "stack", "check", file, *words, cwd=file.parent, env={**os.environ, **more})


def test_all_of_it_holds(file: Path, project: Path, shop: Shop) -> None:
    """Exit code 0, also where the file does not give what some scenario takes; either place of --project will do."""
    ended = checked(file, before=("--project", str(project)))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"project: Platform ({project})" in ended.stdout
    assert "✓ probes: shop: health is red for a page that is not there: HTTP 404" in ended.stdout
    assert "scenarios: 0 of 1 can run, as the file says" in ended.stdout
    assert "? part-recovery: shop dies\n    lacks killing: it takes components that can be killed" in ended.stdout
    said = json.loads(checked(file, "--project", project, "--json").stdout)
    assert said["outcome"] == "MET" and all(line["ok"] for line in said["lines"]) and len(shop.stored) == 2
    assert [each["title"] for each in said["scenarios"]] == ["shop dies"]


def test_what_comes_next_can_be_copied() -> None:
    """The drill has its name where only one can run."""
    title = Scenario("a", "A", (), (), 1)
    able = [Can("restoration", title, []), Can("restoration", title, []), Can("recovery", title, ["killing"])]
    assert next_of(Path("a b.yaml"), able) == "drdrill run restoration --stack 'a b.yaml' --dry-run"
    assert next_of(Path("stack.yaml"), able[2:]) == "drdrill run NAME --stack stack.yaml --dry-run"


def test_something_does_not_hold(file: Path, project: Path, shop: Shop) -> None:
    """Exit code 1, and a hint."""
    shop.moods.add("ill")
    ended = checked(file, "--project", project)
    assert ended.returncode == 1 and "✗ probes: shop: health is green: HTTP 404\n    HINT: " in ended.stdout
    assert "wrong (✗)" in ended.stdout.splitlines()[-1]


def test_nobody_can_tell_without_a_project(file: Path, shop: Shop) -> None:
    """Exit code 2: nothing is written, and it says so."""
    ended = checked(file)
    assert ended.returncode == 2 and "skipped: no project says how one is written" in ended.stdout
    assert shop.posts == 0 and "scenarios" not in ended.stdout


def test_a_role_that_nobody_has_is_missing(file: Path, project: Path, shop: Shop) -> None:
    """A scenario about any of a role takes one that may be hurt."""
    (feature,) = (project / "features" / "monthly").glob("*.feature")
    feature.write_text(feature.read_text().replace("the component shop dies", "one component of the role cache dies"))
    ended = checked(file, "--project", project)
    assert ended.returncode == 0 and "a component of the role cache that may be hurt" in ended.stdout, ended.stdout


def test_a_file_that_is_wrong_is_refused(file: Path, shop: Shop) -> None:
    """Exit code 3, and nothing is asked."""
    file.write_text(file.read_text().replace("alive: health", "alive: helth"))
    ended = checked(file)
    assert ended.returncode == 3 and 'did you mean "health"?' in ended.stderr + ended.stdout


def test_a_platform_that_is_drilled_now_is_left_alone(file: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Much of it is red on purpose."""
    monkeypatch.setenv("XDG_STATE_HOME", str(file.parent / "state"))
    folder = place.folder_of(load(file))
    place.make(folder)
    with running.held(folder):
        ended = checked(file)
    assert ended.returncode == 3 and "is being drilled now" in ended.stderr + ended.stdout
