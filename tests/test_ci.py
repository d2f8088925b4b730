"""The parts of .ci/run: each comes in its turn, none is forgotten, and a run fits into its time."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from drills.twins import TWINS
from harness import project
from harness.features.catalog import Drill
from harness.stacks.kinds import KINDS
from harness.stacks.needs import Regions, regions_for
from tests.test_house import DRILLS, HOME, TRACKED, said

TWELVE = 12


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ci_parts", HOME / ".ci" / "parts.py")
    assert spec and spec.loader
    module = sys.modules["ci_parts"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CI = loaded()
ALL = CI.load()
MINUTES = tomllib.loads((HOME / ".ci" / "parts.toml").read_text())["minutes"]
ROTATING = ALL.fixed("turn")
FIXED = [*ALL.fixed("first"), *ALL.fixed("last")]


def names(parts: Sequence[Any]) -> list[str]:
    return [part.name for part in parts]


def test_every_part_comes_within_twelve_turns() -> None:
    """Whatever has changed, and whichever the first of the twelve is."""
    for first in range(1, 30):
        came = {part.name for turn in range(first, first + TWELVE) for why, part in ALL.plan(turn, []) if why == "turn"}
        assert came == set(names(ROTATING))


def test_a_part_is_named_once_and_fits_its_budget() -> None:
    """What comes every time takes 25 minutes at most, and no part is longer than a turn's share."""
    assert len(set(names(ALL.parts))) == len(ALL.parts) == len(FIXED) + len(ROTATING)
    assert CI.total(FIXED) <= 60 * MINUTES["fixed"] <= 25 * 60
    assert max(part.seconds for part in ROTATING) <= ALL.turn
    assert max(map(CI.total, ALL.turns())) <= ALL.turn
    assert MINUTES["fixed"] + MINUTES["turn"] <= MINUTES["all"] <= 62


@pytest.mark.parametrize(
    "changed", [None, [], ["harness/system/wait.py"], ["features/monthly/network_failover.feature"]]
)
@pytest.mark.parametrize("turn", [1, 2, 5, 11, 12, 40])
def test_a_run_fits_into_its_time(turn: int, changed: list[str] | None) -> None:
    """Fixed parts begin and end it; what has changed goes before what only fills the room; nothing comes twice."""
    planned = ALL.plan(turn, changed)
    assert CI.total([part for _, part in planned]) <= ALL.all
    assert len({part.name for _, part in planned}) == len(planned)
    order = [why for why, _ in planned]
    first, last = len(ALL.fixed("first")), len(ALL.fixed("last"))
    assert order[:first] == ["fixed"] * first and order[-last:] == ["fixed"] * last
    between = order[first:-last]
    assert between == sorted(between, key=["turn", "changed", "room"].index)
    assert ALL.plan(turn, changed) == planned
    left = [part for part in ROTATING if part.name not in {part.name for _, part in planned}]
    room = ALL.all - CI.total([part for _, part in planned])
    assert all(part.seconds > room for part in left)


def test_what_has_changed_brings_its_parts() -> None:
    """One feature brings its drill on both kinds of stack and its twins; the other kind of stack brings nothing."""
    about = [part for part in ROTATING if part.covers_any(["drills/steps/network.py"])]
    assert {"drill: network failover", "drill: network failover, containers"} <= set(names(about))
    assert all("network-failover" in part.run for part in about)
    containers = [part for part in ROTATING if part.covers_any(["harness/stacks/docker/engine.py"])]
    assert containers and all("docker" in part.run for part in containers)
    assert not any(part.covers_any(["docs/stack.md", "harnessed/x.py"]) for part in ROTATING)
    whys = {part.name: why for why, part in ALL.plan(3, ["drills/steps/network.py"])}
    assert {whys[part.name] for part in about if part.name in whys} <= {"turn", "changed"}
    assert list(whys.values()).count("changed") >= 4


def test_every_path_of_the_table_is_there() -> None:
    """A folder that was moved takes its line of the table with it."""
    files = {said(path) for path in TRACKED}
    paths = {path.removeprefix("!") for part in ALL.parts for path in part.covers}
    assert [
        path for path in paths if path not in files and not any(file.startswith(f"{path}/") for file in files)
    ] == []


def test_whatever_a_real_stack_runs_brings_a_part() -> None:
    """No file of the machine, its drills, or its tests on real stacks changes without a part that looks."""
    real = ("harness/", "drills/", "features/", "reports/", "tests/real/", "tests/contract/")
    files = [said(path) for path in TRACKED if said(path).startswith(real)]
    without = [file for file in files if not any(part.covers_any([file]) for part in ROTATING)]
    assert without == [], "name them under [covers] of .ci/parts.toml"


@cache
def regions_of(*, docker: bool) -> int:
    """With how many regions a stack of the kind can be made."""
    return KINDS["docker" if docker else "local"].offer().number(Regions)


def has_regions_for(drill: Drill, *, docker: bool) -> bool:
    """Whether any scenario of the drill finds all its regions there: else the drill is not exercised there as a whole.

    As soon as stacks of the kind say that they can have them, a part has to run it.
    """
    needs = project.load(HOME).sentences.needs
    fewest = min(regions_for(needs(scenario.sentences)) for scenario in drill.scenarios)
    return fewest <= regions_of(docker=docker)


def test_only_a_drill_of_regions_has_no_part_on_containers() -> None:
    """And none at all on the embedded stack."""
    assert all(has_regions_for(drill, docker=False) for drill in DRILLS.values())
    without = {name for name, drill in DRILLS.items() if not has_regions_for(drill, docker=True)}
    assert without == ({"full-regional-failover"} if regions_of(docker=True) < 2 else set())


def run_alone(drill: str, title: str, runs: Sequence[str]) -> bool:
    """Whether a part runs this scenario by its title, or proves it, which runs it as it is first."""
    return any(f'"{title}"' in run for run in runs if re.search(rf"\b(run|prove) {drill}\b", run))


@pytest.mark.parametrize("docker", [False, True], ids=["embedded", "containers"])
def test_every_drill_and_every_twin_is_in_a_part(docker: bool) -> None:
    """On both kinds of stack, where these can have the regions for it."""
    runs = [part.run for part in ROTATING if ("docker" in part.run) == docker]
    where = " on containers" if docker else " on the embedded stack"
    there = {name for name, drill in DRILLS.items() if has_regions_for(drill, docker=docker)}
    for drill in there:
        whole = any(re.match(rf"make drill DRILL={drill}\b", run) and "--only" not in run for run in runs)
        left = (
            [] if whole else [each.title for each in DRILLS[drill].scenarios if not run_alone(drill, each.title, runs)]
        )
        assert not left, f"no part of .ci/parts.toml runs all of {drill}{where}, or each of its scenarios: {left}"
    for drill in there & set(TWINS):
        for twin in TWINS[drill]:
            assert any(f"prove {drill} " in run and f'--only "{twin.scenario}"' in run for run in runs), (
                f"no part of .ci/parts.toml proves {drill}, {twin.scenario!r}, for its twin {twin.name}{where}"
            )


def test_every_test_on_a_real_stack_is_in_a_part() -> None:
    """A new file is asked of containers, too, and is in exactly one part of the real tests."""
    docker = " ".join(part.run for part in ROTATING if part.run.startswith("make test-docker"))
    for path in (HOME / "tests" / "contract").glob("test_*.py"):
        beyond = path.stem == "test_regions" and regions_of(docker=True) < 2
        assert docker.count(said(path)) == (0 if beyond else 1)
    assert [part.run for part in ROTATING if part.run.startswith("make test-contract")] == ["make test-contract"]
    runs = [part.run for part in ROTATING if "make test-real" in part.run]
    (left_out,) = [set(re.findall(r"tests/real/\w+\.py", run)) for run in runs if "--ignore" in run]
    named = [file for run in runs if "--ignore" not in run for file in re.findall(r"tests/real/\w+\.py", run)]
    assert sorted(named) == sorted(left_out) and all((HOME / file).is_file() for file in named)


def test_the_last_turn_of_a_part_and_its_next() -> None:
    """As the table tells them."""
    turns = ALL.turns()
    assert ALL.turn_of(turns[1][0], 2) == (2, 2 + len(turns))
    assert ALL.turn_of(turns[1][0], 1 + len(turns)) == (2, 2 + len(turns))
    assert ALL.turn_of(turns[-1][0], 1) == (0, len(turns))
    assert CI.present_turn() >= 1


def test_the_table_has_what_ran_and_what_was_left_out(tmp_path: Path) -> None:
    """Every part has one line."""
    ran, left = ROTATING[0], ROTATING[-1]
    (tmp_path / "results").write_text(f"turn\t0\t77\t{ran.name}\tlog\nfixed\tno-time\t0\t{FIXED[0].name}\tlog\n")
    lines = list(CI.table_lines(tmp_path / "results"))[1:]
    assert [line.split("  ")[0] for line in lines] == names(ALL.parts)
    by = dict(zip(names(ALL.parts), lines, strict=True))
    assert "exit 0" in by[ran.name] and "77 s" in by[ran.name]
    assert "exit no-time" in by[FIXED[0].name] and "every turn" in by[FIXED[0].name]
    assert "left out" in by[left.name] and "next" in by[left.name]


def test_what_failed_is_told_at_the_end(tmp_path: Path) -> None:
    """Its name, what it said of it and its last lines, at most 62 lines a part; of a part that went well nothing."""
    said = [*(f"fine {n}" for n in range(90)), "    ✗ MISSED  recovery time  3 s", "E   AssertionError: 1 == 2"]
    (tmp_path / "long").write_text("\n".join([*said, *(f"end {n}" for n in range(30)), "x" * 9000, "FAILED at last"]))
    (tmp_path / "short").write_bytes(b"no \xff network\n")
    (tmp_path / "much").write_text("FAILED\n" * 500)
    rows = [("0", "good", "gone"), ("1", "a part", "long"), ("124", "another", "short"), ("2", "more", "much")]
    results = tmp_path / "results"
    results.write_text("".join(f"turn\t{code}\t9\t{name}\t{tmp_path / log}\n" for code, name, log in rows))
    lines = list(CI.failed_lines(results))
    heads = [n for n, line in enumerate(lines) if line.startswith("==== ")]
    assert [lines[n] for n in heads] == [f"==== FAILED: {name} (exit {code})" for code, name, _ in rows[1:]]
    assert lines[1:4] == [*said[-2:], "… and at its end:"] and lines[heads[1] - 1] == "FAILED at last"
    assert "end 6" not in lines and "end 7" in lines and max(map(len, lines)) == 300
    assert heads[2] - heads[1] == 2 and len(lines) - heads[2] == 62


def test_what_differs_is_told_from_the_turn_before(tmp_path: Path) -> None:
    """Wherever in a piece of work the turn was raised; where nothing is known, all may have changed."""

    def git(*words: str) -> None:
        who = {f"GIT_{role}_{what}": "x" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(
            ["git", *words], cwd=tmp_path, check=True, capture_output=True, env={**os.environ, **who, **quiet}
        )

    def commit(*files: str, turn: int = 0) -> None:
        (tmp_path / ".ci").mkdir(exist_ok=True)
        for file in files:
            (tmp_path / file).write_text(f"{file} {turn}\n")
        if turn:
            (tmp_path / ".ci" / "turn").write_text(f"{turn}\n")
        git("add", ".")
        git("commit", "-q", "-m", "x")

    assert CI.changed_since_last(tmp_path) is None
    git("init", "-q")
    commit("old", turn=1)
    assert CI.changed_since_last(tmp_path) is None
    commit("landed with the first turn")
    commit("ä new", "b")  # the second turn's work, before and after it is raised
    commit(turn=2)
    commit("c")
    assert CI.changed_since_last(tmp_path) == [".ci/turn", "b", "c", "landed with the first turn", "ä new"]
    commit("d", turn=3)
    assert CI.changed_since_last(tmp_path) == [".ci/turn", "c", "d"]
