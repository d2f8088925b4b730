"""A project is found, read and imported; each part that is missing or broken is one error with place and HINT."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness import project
from harness.cli import drdrill, with_reports
from harness.errors import Exit, Refused
from harness.evidence.places import MACHINE, places
from harness.evidence.redact import Redactor
from harness.evidence.run_folder import CONTROL, UNFINISHED
from harness.run.code import machine_files, project_files
from harness.safety import begin
from harness.system import control_files
from tests import warm

HOME = Path(__file__).parent.parent
NOTEBOOK = HOME / "tests" / "projects" / "notebook"
SMALLEST = HOME / "tests" / "projects" / "smallest"
DRILL = "service-recovery"
ALL = (
    ("list",),
    ("list", "--json"),
    ("run", DRILL, "--dry-run"),
    ("run", DRILL),
    ("run", "due"),
    ("prove", DRILL),
    ("calendar",),
    ("calendar", "--json"),
    ("gate",),
    ("history",),
    ("pytest",),
)
IMPORTING = tuple(words for words in ALL if words[0] in ("list", "run", "prove", "pytest") and words[-1] != "due")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SMALLEST, tmp_path / "smallest", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is imported of a project is not there for the next test."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in [name for name in set(sys.modules) - known if name.partition(".")[0] == "smallest"]:
        del sys.modules[name]


def call(*words: str, about: Path | None, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command, or pytest, as a user of an installed machine starts it, in whichever folder."""
    given = ["--project", str(about)] if about else []
    if words[0] == "pytest":
        features = str((about or cwd) / "features")
        words = ("pytest", "-p", project.PLUGIN, "-p", "no:cacheprovider", *given, *words[1:], features)
    else:
        words = ("harness", *given, *words)
    env = {**os.environ, "PYTHONPATH": str(HOME), "PYTHONDONTWRITEBYTECODE": "1"}
    return warm.python(*words, cwd=cwd, env=env)


def write(copy: Path, name: str, text: str) -> None:
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_text(text)


def change(copy: Path, name: str, old: str, new: str) -> None:
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new))


def with_contacts(copy: Path, text: str) -> None:
    write(copy, "contacts.yaml", text)
    change(copy, "project.yaml", "sentences:", "contacts: contacts.yaml\nsentences:")
    change(copy, "plan.yaml", "roles: []", "roles: [keeper]")
    one = "channels: [{use: primary, name: Slack, by: slack, next_after: 2 min}]"
    change(copy, "plan.yaml", "channels: []", one)
    change(copy, "plan.yaml", "templates: {}", "templates: {call-out: call-out.txt}")


def without_contacts(copy: Path) -> None:
    with_contacts(copy, "")
    change(copy, "project.yaml", "contacts: contacts.yaml\n", "")


def with_contacts_in_a_circle(copy: Path) -> None:
    with_contacts(copy, "")
    (copy / "contacts.yaml").unlink()
    (copy / "contacts.yaml").symlink_to("contacts.yaml")


def with_template(copy: Path, text: str) -> None:
    (copy / "texts").mkdir()
    write(copy, "texts/initial.txt", text)
    change(copy, "project.yaml", "sentences:", "templates: texts\nsentences:")
    change(copy, "plan.yaml", "templates: {}", "templates: {initial: initial.txt}")


# A whole one


@pytest.mark.parametrize("where", ["inside", "elsewhere"])
def test_a_project_is_found_from_inside_and_given_from_elsewhere(copy: Path, tmp_path: Path, where: str) -> None:
    """Which one it is is the first line of what people read, and of nothing else."""
    about, cwd = (None, copy / "features") if where == "inside" else (copy, tmp_path)
    for words, said in (
        (("list",), "The service dies"),
        (("run", DRILL, "--dry-run"), "rto: RTO of The service, at most 1 min (SML-1)"),
        (("calendar",), "Service Recovery, first Monday of the month"),
        (("history",), "Smallest Plan, version 1"),
    ):
        done = call(*words, about=about, cwd=cwd)
        assert done.returncode == Exit.MET, done.stderr
        first, _, rest = done.stdout.partition("\n")
        assert first == f"project: Smallest ({copy})" and said in rest
    assert call("calendar", "--json", about=about, cwd=cwd).stdout.startswith("{")
    assert call("gate", about=about, cwd=cwd).returncode == Exit.MISSED


def test_pytest_collects_the_features_of_a_project(copy: Path, tmp_path: Path) -> None:
    """From elsewhere, and from inside; a folder that is no project's is left to pytest."""
    for about, cwd in ((copy, tmp_path), (None, copy)):
        done = call("pytest", "--collect-only", about=about, cwd=cwd)
        assert done.returncode == 0 and f"project: Smallest ({copy})" in done.stdout, done.stdout + done.stderr
        assert "collector.py" in done.stdout and "test_the_service_dies" in done.stdout


def test_the_nearest_upward_is_taken() -> None:
    """Not another one further up."""
    assert project.find(start=SMALLEST / "features" / "monthly").name == "Smallest"
    assert project.find(start=SMALLEST.parent).folder == HOME


def test_a_project_may_do_without_twins_and_waivers() -> None:
    """Then it has none."""
    found = project.load(SMALLEST)
    assert (found.waivers, found.contacts, found.twins, found.twin("x")) == (None, None, {}, None)


def test_the_code_of_a_project_is_what_it_names_and_what_lies_beside_that() -> None:
    """By the name that it has in the project, wherever that lies."""
    found = project.load(SMALLEST)
    names = set(project_files(found.code))
    assert names == {"smallest/__init__.py", "smallest/client.py", "smallest/steps.py"}
    assert {"harness/project/project.json", "reports/build.py"} <= set(machine_files())


# None, or none that can be used


@pytest.mark.parametrize("words", ALL[:-1], ids=" ".join)
def test_where_there_is_no_project_every_command_says_so(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Neither here nor above; and nothing is made."""
    must_be_refused(call(*words, about=None, cwd=tmp_path), f"there is no project.yaml in {tmp_path}, nor above it")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_named_has_to_be_a_project(tmp_path: Path) -> None:
    """Whatever lies above it."""
    for about, said in ((tmp_path, "holds no project.yaml"), (SMALLEST / "gone", "there is no such folder")):
        must_be_refused(call("list", about=about, cwd=HOME), f"{about}: {said}")


def test_pytest_says_so_too(tmp_path: Path) -> None:
    """Of a folder that was named; without one it is asked about ordinary tests."""
    (tmp_path / "features").mkdir()
    must_be_refused(call("pytest", about=tmp_path, cwd=tmp_path), f"{tmp_path}: holds no project.yaml")
    must_be_refused(call("pytest", about=tmp_path / "gone", cwd=tmp_path), "there is no such folder")


# What is done to it, and what is said of it; {} is the folder of the project.
SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "no YAML": (lambda p: change(p, "project.yaml", "name: Smallest", "name: [S"), "{}/project.yaml:4: is not YAML"),
    "contacts that lead to themselves": (with_contacts_in_a_circle, ": contacts: there is no file contacts.yaml in {}"),
    "empty": (lambda p: write(p, "project.yaml", ""), "{}/project.yaml: is empty"),
    "a list": (lambda p: write(p, "project.yaml", "- x\n"), "{}/project.yaml:1: is a list, where a block of fields"),
    "unknown field": (
        lambda p: change(p, "project.yaml", "features:", "fetures:"),
        "{}/project.yaml:5: fetures: is not a field of a project",
    ),
    "missing field": (
        lambda p: change(p, "project.yaml", "name: Smallest\n", ""),
        "{}/project.yaml:2: name: is missing",
    ),
    "other format": (
        lambda p: change(p, "project.yaml", "format: 1", "format: 3"),
        '{}/project.yaml:2: format: is the text "3", where "1" belongs',
    ),
    "outside": (
        lambda p: change(p, "project.yaml", "plan: plan.yaml", "plan: ../plan.yaml"),
        "{}/project.yaml:4: plan: ../plan.yaml lies outside of the project",
    ),
    "outside by a link": (
        lambda p: (p / "plan.yaml").rename(p.parent / "p") and (p / "plan.yaml").symlink_to(p.parent / "p"),
        "{}/project.yaml:4: plan: plan.yaml lies outside of the project",
    ),
    "no plan": (lambda p: (p / "plan.yaml").unlink(), "{}/project.yaml:4: plan: there is no file plan.yaml"),
    "no features": (
        lambda p: shutil.rmtree(p / "features"),
        "{}/project.yaml:5: features: there is no folder features",
    ),
    "no waivers": (
        lambda p: change(p, "project.yaml", "sentences:", "waivers: waivers.yaml\nsentences:"),
        "{}/project.yaml:6: waivers: there is no file waivers.yaml",
    ),
    "no templates": (
        lambda p: change(p, "project.yaml", "sentences:", "templates: texts\nsentences:"),
        "{}/project.yaml:6: templates: there is no folder texts",
    ),
    "no module": (
        lambda p: change(p, "project.yaml", "smallest.steps", "smallest.stepz"),
        "{}/project.yaml:6: sentences: there is no module smallest.stepz",
    ),
    "no twins": (
        lambda p: change(p, "project.yaml", "sentences:", "twins: smallest.twins\nsentences:"),
        "{}/project.yaml:6: twins: there is no module smallest.twins",
    ),
    "no name of a module": (
        lambda p: change(p, "project.yaml", "smallest.steps", "smallest/steps.py"),
        '{}/project.yaml:6: sentences: "smallest/steps.py" is not the name of a Python module',
    ),
    "a broken plan": (
        lambda p: change(p, "plan.yaml", "rto: 1 min", "rto: 1 mine"),
        "{}/plan.yaml:13: objectives.",
    ),
}
STEPS = "smallest/steps.py"
BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "no Python": (lambda p: write(p, STEPS, "import os\nif x\n"), "{}/smallest/steps.py:2: SyntaxError: expected ':'"),
    "imports what is not there": (
        lambda p: write(p, STEPS, "\n\nimport nosuch.thing\n"),
        "{}/smallest/steps.py:3: ModuleNotFoundError: No module named 'nosuch'",
    ),
    "imports of itself what is not there": (
        lambda p: write(p, STEPS, "from smallest import steps, more\n"),
        "{}/smallest/steps.py:1: ImportError: ",
    ),
    "breaks": (
        lambda p: write(p, STEPS, "def f():\n    return {}['x']\n\n\nf()\n"),
        "{}/smallest/steps.py:2: KeyError: 'x'",
    ),
    "breaks in the machine": (
        lambda p: write(p, STEPS, "from harness.plan.lengths import length_of_time\n\nlength_of_time(3)\n"),
        "{}/smallest/steps.py:3: ",
    ),
    "ends Python": (lambda p: write(p, STEPS, "import sys\n\nsys.exit(0)\n"), "{}/smallest/steps.py:3: SystemExit: 0"),
    "its package breaks": (lambda p: write(p, "smallest/__init__.py", "1 / 0\n"), "{}/smallest/__init__.py:1: ZeroDiv"),
    "no sentences": (lambda p: write(p, STEPS, "SENTENCES = []\n"), "{}/smallest/steps.py: declares no SENTENCES"),
    "a name that is taken": (
        lambda p: (p / "smallest").rename(p / "yaml") and change(p, "project.yaml", "smallest.", "yaml."),
        "{}/project.yaml:6: the name yaml is taken: Python finds ",
    ),
    "a contact without a channel": (
        lambda p: with_contacts(p, "format: 1\npeople:\n  - role: keeper\n    channels: {}\n"),
        '{}/contacts.yaml:4: people[1].channels: "keeper" has no channel',
    ),
    "nobody whom the plan tells": (
        lambda p: with_contacts(p, "format: 1\npeople: []\n"),
        "{}/contacts.yaml: there is no keeper, whom the plan tells",
    ),
    "no contacts at all": (without_contacts, "{}/project.yaml:1: names no contacts, and the plan tells keeper"),
    "a template that loops": (
        lambda p: with_template(p, "Subject: Down\n\n{% for each in all %}{{ each }}{% endfor %}\n"),
        "{}/texts/initial.txt:3: loops, which a template may not",
    ),
    "a template that says nothing": (
        lambda p: with_template(p, ""),
        "{}/texts/initial.txt:1: the first line is no subject",
    ),
    "a name of Python's own": (
        lambda p: (p / STEPS).rename(p / "sys.py") and change(p, "project.yaml", "smallest.steps", "sys"),
        "{}/project.yaml:6: the name sys is taken: Python finds a part of Python",
    ),
}


def must_be_refused(done: subprocess.CompletedProcess[str], said: str) -> None:
    """Exit code 3, one error with a HINT, and nothing else where a program may read."""
    assert done.returncode == Exit.REFUSED, done.stdout + done.stderr
    everything = done.stdout + done.stderr
    assert said in everything and everything.count("HINT: ") == 1 and "Traceback" not in everything, everything
    assert done.stdout == "" or "Exit: " in everything, "pytest says it in its own way"


@pytest.mark.parametrize("what", SPOILED)
def test_a_part_that_is_missing_or_wrong_is_told_with_its_line(copy: Path, what: str) -> None:
    """Before anything of it is imported; with what to do."""
    spoil, said = SPOILED[what]
    spoil(copy)
    with pytest.raises(Refused) as refused:
        project.find(copy).load_plan()
    assert said.replace("{}", str(copy), 1) in refused.value.message and refused.value.hint


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_refuses_a_project_that_is_not_whole(copy: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Also those that import nothing of it; and nothing is made."""
    spoil, said = SPOILED["no module"]
    spoil(copy)
    left = sorted(copy.rglob("*"))
    must_be_refused(call(*words, about=copy, cwd=tmp_path), said.replace("{}", str(copy), 1))
    assert sorted(copy.rglob("*")) == left and not (tmp_path / "evidence").exists()


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_on_import_is_told_with_its_line(copy: Path, what: str, forgotten: None) -> None:
    """That of the project, wherever it leads; and no module of that name stays."""
    spoil, said = BROKEN[what]
    spoil(copy)
    with pytest.raises(Refused) as refused:
        project.find(copy).drills()
    assert refused.value.message.startswith(said.replace("{}", str(copy), 1)) and refused.value.hint


@pytest.mark.parametrize("words", IMPORTING, ids=" ".join)
def test_every_command_that_imports_refuses_what_breaks(copy: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    """And what only reads the plan and the packs goes on."""
    spoil, said = BROKEN["breaks"]
    spoil(copy)
    must_be_refused(call(*words, about=copy, cwd=tmp_path), said.replace("{}", str(copy), 1))
    assert not (tmp_path / "evidence").exists()
    if words == ("list",):
        assert call("calendar", about=copy, cwd=tmp_path).returncode == Exit.MET


@pytest.mark.parametrize(
    ("text", "said"),
    [("TWINS = []\n", "twins.py: declares no TWINS"), ("1 / 0\n", "twins.py:1: ZeroDivisionError: division by zero")],
)
def test_twins_that_are_none_are_told_by_who_wants_them(copy: Path, text: str, said: str, forgotten: None) -> None:
    """A drill that is not sabotaged does without them."""
    change(copy, "project.yaml", "sentences:", "twins: smallest.twins\nsentences:")
    change(copy, "project.yaml", "smallest.steps", "smallest.steps.own")
    (copy / "smallest" / "steps").mkdir()
    (copy / STEPS).rename(copy / "smallest" / "steps" / "own.py")
    write(copy, "smallest/twins.py", text)
    for words in (("prove", DRILL), ("run", DRILL, "--sabotage", "x")):
        done = CliRunner().invoke(drdrill, ["--project", str(copy), *words, "--evidence", str(copy / "e")])
        assert isinstance(done.exception, Refused) and said in done.exception.message
    assert [drill.name for drill in project.find(copy).drills()] == [DRILL]


def test_a_sabotage_that_there_is_not_is_refused_by_pytest_too(copy: Path, tmp_path: Path) -> None:
    """Otherwise the first line would name one that nothing did."""
    must_be_refused(call("pytest", "--sabotage", "x", about=copy, cwd=tmp_path), "there is no sabotage 'x'")


# Words for its folders


def test_the_folders_of_machine_and_project_have_a_word_each(copy: Path, tmp_path: Path) -> None:
    """Also to whoever heals a run that was killed; where both are one folder it is the project."""
    folder = tmp_path / f"r1{UNFINISHED}"
    (folder / CONTROL).mkdir(parents=True)
    paths = f"{copy}/plan.yaml {MACHINE}/harness/x.py"
    assert Redactor(places=places(folder)).text(paths).endswith(" <project>/harness/x.py")
    control_files.leave(folder / "control" / "project.json", {"folder": str(copy)})
    assert Redactor(places=places(folder)).text(paths) == "<project>/plan.yaml <machine>/harness/x.py"
    inner = Redactor(places=places(folder)).text(f"{SMALLEST}/plan.yaml")
    control_files.leave(folder / "control" / "project.json", {"folder": str(SMALLEST)})
    assert (inner, Redactor(places=places(folder)).text(f"{SMALLEST}/plan.yaml")) == (
        "<machine>/tests/projects/smallest/plan.yaml",
        "<project>/plan.yaml",
    )


def test_a_run_leaves_word_of_its_project_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever heals it may do so at any moment."""
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "key.pem"))
    seen = []
    monkeypatch.setattr(begin, "_must_still_be_free", lambda folder, _: seen.append(places(folder)[str(SMALLEST)]))
    monkeypatch.setattr(begin.Guardian, "start", lambda folder, viewer: None)
    monkeypatch.setenv(begin.FOLDER, "")
    monkeypatch.setenv(begin.LABEL, "")
    _, lock = with_reports.begin(tmp_path / "e", "r1", project=SMALLEST)
    os.close(lock)
    assert seen == ["<project>"]
