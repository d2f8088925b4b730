"""What is done in one place only: another one would differ from it one day. Each exception says why."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.test_house import PYTHON, said, tree_of

pytestmark = pytest.mark.xdist_group("house")
OURS = [path for path in PYTHON if said(path).startswith(("harness/", "reports/", "drills/"))]
CLIENTS = ("urllib3", "urllib.request", "http.client", "requests", "httpx", "aiohttp", "geventhttpclient")
SLEEPS = {
    "harness/system/wait.py": "the one loop",
    "harness/system/clock.py": "the one door to time",
    "harness/cli/prompt.py": "paces the screen where nobody can be asked, or the terminal is gone",
    "harness/communications/hook.py": "waits before it sends again, as long as who is asked says",
    "harness/workload/open_loop.py": "lets others go first",
    "harness/stacks/local/zone_holder.py": "runs alone in a zone's namespace, and starts in milliseconds",
    "harness/stacks/docker/flapper.py": "runs in a pod, which has nothing of this project",
    "harness/stacks/docker/stamped.py": "as the flapper",
}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def asks_by_http(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        if any(name == client or name.startswith(f"{client}.") for name in names for client in CLIENTS):
            return True
    return False


def sleeps(tree: ast.AST) -> bool:
    return any(isinstance(call.func, ast.Attribute) and call.func.attr == "sleep" for call in calls(tree))


def syncs_a_folder(tree: ast.AST) -> bool:
    """What is opened and synced, and not written to in between."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        called = {ast.unparse(call.func) for call in calls(function)}
        if {"os.open", "os.fsync"} <= called and not re.search("O_WRONLY|O_RDWR", ast.unparse(function)):
            return True
    return False


def names_the_journal(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Constant) and node.value == "journal.jsonl" for node in ast.walk(tree))


def chooses_the_disaster(tree: ast.AST) -> bool:
    """The first that harms data, or so."""
    return any(ast.unparse(call.func) == "next" and "harms_data" in ast.unparse(call) for call in calls(tree))


def matches_an_alert(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Compare) and re.search(r"affected\.get\(", ast.unparse(node)) for node in ast.walk(tree)
    )


@pytest.mark.parametrize(
    ("does", "where"),
    [
        (
            asks_by_http,
            {
                "harness/system/http.py": "the one client",
                "harness/workload/connection.py": "customers are timed: its docstring says why",
                "harness/stacks/docker/engine.py": "the errors of Docker's own library",
            },
        ),
        (sleeps, SLEEPS),
        (syncs_a_folder, {"harness/system/durable.py": "the one door"}),
        (
            names_the_journal,
            {
                "harness/evidence/lines.py": "its name",
                "harness/evidence/verify.py": "stands alone: one file is all that it may need",
            },
        ),
        (chooses_the_disaster, {"harness/checks/evidence.py": "the one rule"}),
        (matches_an_alert, {"harness/checks/alerts.py": "the one rule"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_it_is_done_in_one_place(does: Callable[[ast.AST], bool], where: dict[str, str]) -> None:
    """And nowhere else, but for the exceptions that say why."""
    assert {said(path) for path in OURS if does(tree_of(path))} == set(where)
