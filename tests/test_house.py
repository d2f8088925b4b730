"""The promises about the project itself that nobody remembers to check."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from harness import plan
from harness.cli import drdrill
from harness.errors import Exit
from harness.faults import table
from harness.features import catalog

HOME = Path(__file__).parent.parent
PLAN = plan.load(HOME / "drills" / "plan.yaml")
pytestmark = pytest.mark.xdist_group("house")
DRILLS = {drill.name: drill for drill in catalog.announced(HOME / "features")}
TAGGED = {tag for drill in DRILLS.values() for scenario in drill.scenarios for tag in scenario.tags}
PYPROJECT = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
PAGES = [HOME / "README.md", HOME / "CHANGELOG.md", *sorted((HOME / "docs").glob("**/*.md"))]
PAGES += sorted((HOME / "drills").glob("**/*.md"))


def tracked() -> list[Path]:
    """Every file that git would hand on, also those that are new."""
    command = ["git", "-c", f"safe.directory={HOME}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=True)
    return [path for name in done.stdout.split("\0") if name and (path := HOME / name).is_file()]


TRACKED = tracked()
PYTHON = [path for path in TRACKED if path.suffix == ".py"]


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax of a Python file, which nobody changes; files of tests that look at it are one worker's."""
    return ast.parse(text_of(path))


def said(path: Path) -> str:
    return str(path.relative_to(HOME))


# The plan and the features


@pytest.mark.parametrize("demand", PLAN.demands.values(), ids=PLAN.demands)
def test_every_demand_is_exercised_or_says_why_not(demand: plan.Demand) -> None:
    """A demand is the tag of a scenario, or it is listed with a reason; never both, never neither."""
    assert (demand.id in TAGGED) != bool(demand.not_exercised), (
        f"{demand.id} is tagged and also listed under not_exercised"
        if demand.id in TAGGED
        else f"no scenario has the tag @{demand.id}, and drills/plan.yaml gives no reason under not_exercised"
    )


def test_every_tag_that_looks_like_a_demand_is_one() -> None:
    """No scenario claims a demand that the plan does not make."""
    assert {tag for tag in TAGGED if re.fullmatch(r"[A-Z0-9]{3}-\w+", tag)} <= set(PLAN.demands)


def test_the_calendar_declares_exactly_the_drills_that_are_built() -> None:
    """A feature is in the calendar; an entry without a feature says why, and one with a feature does not."""
    assert set(DRILLS) == {duty.drill for duty in PLAN.calendar if not duty.not_built}
    assert set(DRILLS) <= {duty.drill for duty in PLAN.calendar}


@pytest.mark.parametrize("drill", DRILLS.values(), ids=DRILLS)
def test_a_feature_is_what_its_calendar_entry_says(drill: catalog.Drill) -> None:
    """Its folder, its title and its tags are the cadence, the title and the demand of the entry."""
    duty = PLAN.drill(drill.name)
    assert drill.feature == HOME / "features" / duty.feature
    assert drill.title == duty.title
    for scenario in drill.scenarios:
        assert {duty.demand, duty.cadence} <= set(scenario.tags)


@pytest.mark.parametrize("drill", DRILLS.values(), ids=DRILLS)
def test_a_feature_is_read_by_an_auditor(drill: catalog.Drill) -> None:
    """No URL, no SQL, no JSON, and no length of time that the plan already gives."""
    for scenario in drill.scenarios:
        for sentence in scenario.texts:
            assert not re.search(r"https?://|\bSELECT\b|\bFROM\b|[{}<>]", sentence), sentence
            assert not re.search(r"\b[0-9]+ ?(s|min|h|seconds?|minutes?)\b", sentence), sentence


# The faults


def fault_modules() -> list[Path]:
    """One file each; what begins with an underscore is what they share, and `table.py` lists them."""
    return sorted(path for path in (HOME / "harness" / "faults").glob("[!_]*.py") if path.stem != "table")


@pytest.mark.parametrize("path", fault_modules(), ids=lambda path: path.stem)
def test_a_fault_has_one_name(path: Path) -> None:
    """File, class and word are the same name, and the page of faults has a line for it."""
    module = importlib.import_module(f"harness.faults.{path.stem}")
    fault = getattr(module, "".join(word.capitalize() for word in path.stem.split("_")))
    assert fault.name == path.stem
    assert table.TABLE.get(path.stem) == f"{module.__name__}:{fault.__name__}"
    assert re.search(rf"^\| `{path.stem}` \|", text_of(HOME / "docs" / "faults.md"), re.MULTILINE)


def test_the_table_of_faults_has_no_fault_that_is_gone() -> None:
    """Every line of the table is about a fault that exists, in order of name."""
    assert list(table.TABLE) == [path.stem for path in fault_modules()]


def test_the_page_of_faults_has_no_fault_that_is_gone() -> None:
    """Every line of the page is about a fault that exists."""
    listed = re.findall(r"^\| `(\w+)` \|", text_of(HOME / "docs" / "faults.md"), re.MULTILINE)
    assert sorted(listed) == [path.stem for path in fault_modules()]


# The pages


def links(page: Path) -> Iterator[str]:
    outside_code = re.sub(r"```.*?```|`[^`\n]*`", "", text_of(page), flags=re.DOTALL)
    yield from re.findall(r"\]\(([^)\s]+)\)", outside_code)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=said)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link of a page leads to a file of this project, and to a heading that is there."""
    for link in links(page):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{said(page)} links to {link}"
        assert target.is_relative_to(HOME), f"{said(page)} links outside: {link}"
        assert not anchor or anchor in anchors(target), f"{said(page)} links to {link}: no such heading"


def test_every_page_is_reached_from_the_readme() -> None:
    """Nobody has to find a page by listing the folder."""
    reached = {(HOME / link.partition("#")[0]).resolve() for link in links(HOME / "README.md")}
    assert [said(page) for page in (HOME / "docs").glob("*.md") if page not in reached] == []


def test_the_documented_exit_codes_are_the_real_ones() -> None:
    """The table of the README has each code of `drdrill` once, with its word."""
    rows = re.findall(r"^\| (\d) \| (\w+) \|", text_of(HOME / "README.md"), re.MULTILINE)
    assert {word: int(code) for code, word in rows} == {code.name.lower(): int(code) for code in Exit}
    assert len(rows) == len(Exit)


def test_the_readme_lists_every_command() -> None:
    """Each command of `drdrill` is in the README's table, and nothing that is not a command."""
    listed = re.findall(r"^\| `drdrill (\w+)", text_of(HOME / "README.md"), re.MULTILINE)
    assert sorted(listed) == sorted(drdrill.commands)


def test_the_changelog_speaks_of_the_version_that_this_is() -> None:
    """The newest heading is the version of the package, under what is not released yet."""
    headings = re.findall(r"^## (\S+)", text_of(HOME / "CHANGELOG.md"), re.MULTILINE)
    assert next(heading for heading in headings if heading != "Unreleased") == PYPROJECT["project"]["version"]


# What is printed to be copied

COMMAND = re.compile(r"(\bdrdrill|\bls -|\bchmod|\bopenssl|\brm|\bmv|--evidence) [^`;:]*$")
A_PATH = re.compile(r"\b(path|pack|folder|evidence|file|key|home|where|root|tarball)\b")
SAFE = re.compile(r"quote\(|shlex|option\(|^where$|fingerprint")


def commands_with_paths() -> Iterator[tuple[str, str]]:
    """Each value that is put into the words of a command in a text, and where."""
    for path in PYTHON:
        for node in ast.walk(tree_of(path)) if said(path).startswith(("harness/", "reports/")) else ():
            before = ""
            for part in node.values if isinstance(node, ast.JoinedStr) else ():
                if isinstance(part, ast.Constant):
                    before += str(part.value)
                elif isinstance(part, ast.FormattedValue):
                    if COMMAND.search(before):
                        yield ast.unparse(part.value), f"{said(path)}:{node.lineno}"
                    before += "…"


def test_a_command_that_is_printed_quotes_its_paths() -> None:
    """A folder with a space or a quote in its name can be copied with the command, and does nothing else in a shell."""
    found = list(commands_with_paths())
    assert len(found) > 10
    assert [each for each in found if A_PATH.search(each[0]) and not SAFE.search(each[0])] == []


# The workflow in the docs


def test_nothing_but_a_drill_is_in_the_group_of_the_drills() -> None:
    """GitHub cancels what is pending in a group when another comes: a pull request must not be that other."""
    block = (
        text_of(HOME / "docs" / "calendar.md").split("### In GitHub Actions")[1].split("```yaml\n")[1].split("```")[0]
    )
    workflow = yaml.safe_load(block)
    assert "concurrency" not in workflow
    runs = {name: str(job["steps"]).count("drdrill run") for name, job in workflow["jobs"].items()}
    for name, job in workflow["jobs"].items():
        assert ("concurrency" in job) == bool(runs[name])
        assert (job["if"] == "github.event_name == 'pull_request'") != bool(runs[name])
    drill = workflow["jobs"]["drill"]
    assert drill["concurrency"]["cancel-in-progress"] is False and "!= 'pull_request'" in drill["if"]


# The journal


def facts_written() -> Iterator[tuple[str, set[str], str]]:
    """Every call of the machine that records a fact: its kind, its fields, and where it is."""
    for path in PYTHON:
        for node in ast.walk(tree_of(path)) if said(path).startswith(("harness/", "drills/")) else ():
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr.lstrip("_") == "record"
            ):
                kind = node.args[0]
                if isinstance(kind, ast.Constant):
                    fields = {each.arg for each in node.keywords if each.arg}
                    yield str(kind.value), fields, f"{said(path)}:{node.lineno}"


def test_the_page_of_the_journal_has_every_kind_that_is_written() -> None:
    """Each kind has its line with all its fields, and no line is about a kind that nobody writes."""
    table = text_of(HOME / "docs" / "journal.md").split("## Journal")[1].split("### Format 1")[0]
    listed: dict[str, set[str]] = {}
    for kinds, data in re.findall(r"^\| (`.+?) \| (.+?) \|", table, re.MULTILINE):
        listed |= {kind: set(re.findall(r"\w+", data)) for kind in re.findall(r"`([\w.]+)`", kinds)}
    written = list(facts_written())
    assert [f"{kind}: {where}" for kind, _, where in written if kind not in listed] == []
    assert set(listed) <= {kind for kind, _, _ in written}
    assert [where for kind, fields, where in written if not fields <= listed[kind]] == []


# The packages


def test_every_direct_dependency_says_why() -> None:
    """Each line of pyproject.toml that names a package has a comment with the reason."""
    lines = text_of(HOME / "pyproject.toml").split("[project.scripts]")[0].splitlines()
    named = [line for line in lines if re.match(r'^    "[A-Za-z]', line)]
    assert len(named) == len(direct_dependencies())
    assert [line for line in named if not re.search(r'",\s*# \S+', line)] == []


def direct_dependencies() -> list[str]:
    project = PYPROJECT["project"]
    return [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]


def test_everything_installed_has_one_exact_version() -> None:
    """constraints.txt is `name==version` lines, each once, with every direct dependency and Barman among them."""
    pins = [line for line in text_of(HOME / "constraints.txt").splitlines() if line and not line.startswith("#")]
    names = [re.sub(r"[-_.]+", "-", pin.split("==")[0]).lower() for pin in pins]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", pin)] == []
    assert len(names) == len(set(names))
    for dependency in [*direct_dependencies(), "barman", "setuptools"]:
        name = re.match(r"[A-Za-z0-9_.-]+", dependency)
        assert name
        assert re.sub(r"[-_.]+", "-", name[0]).lower() in names


# The code

# Words that must not be in any file. They are put together here, so that this file does not hold them itself.
FORBIDDEN = {
    "a path of a machine": re.compile("|".join(["/wo" + "rk/", "/ro" + "ot/", "/far" + "m/", r"\.libr" + "ary"])),
    "a registry's host": re.compile(
        "|".join([r"pypi\.o" + "rg", "pythonho" + "sted", r"registry\.np" + "mjs", r"deb\.deb" + "ian"])
    ),
    "ending processes by name": re.compile("|".join(["pki" + "ll", "kil" + "lall"])),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    """Tracked files name no path of a machine and no registry, and end nothing by its name."""
    found = [f"{said(path)}: {match[0]}" for path in TRACKED if (match := FORBIDDEN[what].search(text_of(path)))]
    assert found == []


def test_no_test_is_left_out() -> None:
    """A test runs or fails; none is skipped or expected to fail."""
    left_out = re.compile(r"\b(pytest\.|mark\.)(sk" + r"ip|xf" + r"ail|importorsk" + r"ip)|unittest\.sk" + "ip")
    assert [said(path) for path in PYTHON if left_out.search(text_of(path))] == []


@pytest.mark.parametrize("path", [path for path in PYTHON if "test" in said(path)], ids=said)
def test_a_test_says_what_is_true(path: Path) -> None:
    """The docstring of every test is a sentence, ended by a full stop."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            sentence = ast.get_docstring(node) or ""
            assert sentence.rstrip().endswith("."), f"{said(path)}:{node.lineno}: {node.name}"


def test_no_error_is_swallowed_without_a_trace() -> None:
    """No `except` clause of everything has an empty body."""
    for path in PYTHON:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler) and all(isinstance(line, ast.Pass) for line in node.body):
                kind = ast.unparse(node.type) if node.type else "BaseException"
                assert kind not in ("Exception", "BaseException"), f"{said(path)}:{node.lineno}"


def test_files_stay_small() -> None:
    """A Python file has at most 400 lines; only what may need nothing but itself is longer."""
    alone = {"harness/evidence/verify.py", "tests/recompute.py"}
    assert {said(path) for path in PYTHON if text_of(path).count("\n") > 400} <= alone


def test_modules_say_what_they_are_for() -> None:
    """Every module of the harness and the reports begins with a docstring."""
    modules = [path for path in PYTHON if said(path).startswith(("harness/", "reports/", "drills/")) and text_of(path)]
    assert [said(path) for path in modules if not ast.get_docstring(tree_of(path))] == []
