"""The rooms of the house, and the arrows between them: each points down, from the command line to the machine."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.test_house import HOME, PYTHON, TRACKED, said, text_of, tree_of

pytestmark = pytest.mark.xdist_group("house")

# What each room may import of the others. Arrows point one way: from the command line down to the machine.
ROOMS = {
    "harness/system": "errors",
    "harness/plan": "errors system",
    "harness/features": "errors system plan stacks",
    "harness/evidence": "errors system",
    "harness/communications": "errors system plan evidence",
    "harness/alerts": "system stacks",  # stacks: what an alert is
    # communications: what a channel is; restores: which backups a stack file says are restored beside
    "harness/stacks": "errors system plan evidence alerts communications restores",
    # stacks: how a PostgreSQL and its log are read; run, checks: what a twin is; project: its books
    "harness/restores": "errors system plan evidence stacks checks run project",
    "harness/faults": "errors system stacks",
    "harness/procedures": "errors system plan stacks",
    "harness/workload": "errors system plan stacks procedures",  # plan: how a file is read, and its errors told
    "harness/checks": "errors evidence workload",
    "harness/safety": "errors system evidence communications stacks faults workload checks",
    "harness/schedule": "errors system plan features evidence checks",
    "harness/run": "errors system plan evidence communications stacks procedures checks safety workload",
    "harness/sentences": "errors system plan features stacks faults procedures restores scenario",
    "harness/project": "errors system plan communications features stacks procedures workload checks run scenario"
    " sentences",
    "harness/scenario": "errors system plan communications features stacks faults procedures workload alerts checks"
    " evidence restores safety run",
    "harness/pytest_plugin.py": "errors system features stacks checks safety run scenario project cli",  # it seals, too
    "harness/cli": "errors system plan communications features evidence stacks faults checks safety run scenario"
    " schedule reports project restores",
    "reports": "errors plan features evidence workload checks schedule",
    "drills": "errors system plan communications features stacks faults procedures workload checks run scenario"
    " sentences",
}
# What is no room, and what a room may not reach in one that it may import.
# Faults and procedures have the verbs of the stack and nothing else: files and processes are each kind's own business.
REACH = ("os", "shutil", "subprocess", "pathlib", "harness.system.command", "harness.stacks.local")
BUILDS = {"harness/cli/with_reports.py", "harness/cli/packs.py"}  # what seals, and `drdrill report`
ARROWS = [
    ("harness/faults/", REACH),
    ("harness/procedures/", REACH),
    ("harness/evidence/verify", ("harness", "drills", "reports")),
    ("harness/checks/", ("harness.evidence.journal", "harness.evidence.seal", "harness.evidence.keys")),
]


@cache
def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize(("part", "never"), ARROWS, ids=[f"{part} {never[0]}" for part, never in ARROWS])
def test_arrows_point_one_way(part: str, never: tuple[str, ...]) -> None:
    """A part does not import what stands above it; judging does not import what makes evidence."""
    found = [path for path in PYTHON if said(path).startswith(part)]
    assert found
    for path in found:
        wrong = {name for name in imported(path) for above in never if name == above or name.startswith(f"{above}.")}
        assert not wrong, f"{said(path)} imports {', '.join(sorted(wrong))}"


def room_of(name: str) -> str:
    """`harness.system.clock` is of `system`, `reports.words` of `reports`."""
    first, *rest = name.split(".")
    return rest[0] if first == "harness" and rest else first


def test_every_module_is_in_a_room() -> None:
    """Only the two ways in and the errors, which all share, lie beside the rooms."""
    loose = {path.name for path in PYTHON if path.parent == HOME / "harness"}
    assert loose == {"__init__.py", "__main__.py", "errors.py", "pytest_plugin.py"}
    found = {f"harness/{path.parent.relative_to(HOME / 'harness').parts[0]}" for path in PYTHON
             if said(path).startswith("harness/") and path.parent != HOME / "harness"}  # fmt: skip  # a list
    assert found <= set(ROOMS)


def test_the_machine_imports_nothing_of_a_project() -> None:
    """It is given one, by a folder."""
    machine = [path for path in PYTHON if said(path).startswith(("harness/", "reports/", "benchmarks/"))]
    assert (
        machine
        and {said(path) for path in machine for name in imported(path) if name.split(".")[0] == "drills"} == set()
    )


def test_only_the_command_line_knows_reports() -> None:
    """What seals is given what builds them, in one place."""
    knows = {said(path) for path in PYTHON if any(name.split(".")[0] == "reports" for name in imported(path))}
    machine = {path for path in knows if path.startswith("harness/")}
    assert machine and all(path.startswith("harness/cli/") for path in machine)
    assert {path for path in machine if "reports.build" in imported(HOME / path)} == BUILDS


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_lies_below_it(room: str) -> None:
    """And so a run that is asked for on the command line goes down, without climbing back."""
    own, allowed = Path(room).stem, {*ROOMS[room].split(), Path(room).stem}
    for path in (path for path in PYTHON if said(path) == room or said(path).startswith(f"{room}/")):
        names = {name for name in imported(path) if name.split(".")[0] in ("harness", "reports", "drills")}
        rooms = {room_of(name) for name in names} - {"harness", own}
        assert rooms <= allowed, f"{said(path)} imports of {', '.join(sorted(rooms - allowed))}"


@pytest.mark.parametrize("path", sorted((HOME / "harness" / "scenario").glob("*.py")), ids=lambda path: path.stem)
def test_a_scenario_has_parts(path: Path) -> None:
    """One obvious place for each, so that none grows into all of them again: 200 lines, and 12 verbs a class."""
    assert len(text_of(path).splitlines()) <= 200
    for made in (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)):
        verbs = [
            node.name
            for node in made.body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not node.decorator_list
        ]
        assert len(verbs) <= 12, f"{made.name}: {', '.join(verbs)}"


def test_no_file_of_the_machine_knows_the_notebook() -> None:
    """The project that tests drill for real: neither by its name nor by its words."""
    machine = [path for path in TRACKED if said(path).startswith(("harness/", "reports/"))]
    assert len(machine) > 200
    assert [said(path) for path in machine if "notebook" in text_of(path).lower()] == []
    assert all("notebook" not in said(path) for path in PYTHON if not said(path).startswith("tests/"))
