"""One sentence, one place: what is derived of its declaration, and what is refused before anything starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from drills import FEATURES
from harness import plan
from harness.checks.rules import CURRENT
from harness.errors import Refused
from harness.features import catalog
from harness.features.sentences import Approval, Expected, Sentences
from harness.features.soundness import sound_drills
from tests import warm
from tests.this_project import PROJECT

HOME = FEATURES.parent
PLAN = plan.load(HOME / "drills" / "plan.yaml", features=FEATURES)
OTHER = PLAN.calendar[-1]
ASKED = Approval("Go on?", "technical lead")


def promised(finding: str = "rto") -> list[Expected]:
    return [Expected(finding, "an objective", None, ())]


def declared() -> Sentences:
    """A few of each kind."""
    made = Sentences()
    made.given("customers write")(lambda: None)
    made.when("the {what} of zone {number:d} is cut", promises=lambda _, what, number: promised("rto"))(lambda: None)
    made.when("it is mended", asks=ASKED, carries_out=lambda: "a procedure", returns="mended")(lambda: None)
    made.promise("nothing is lost", lambda _: promised("no-loss"))
    return made


def features(folder: Path, *lines: str, name: str = "monthly/network_failover") -> Path:
    """One scenario of these sentences; the first stands in line 3."""
    path = folder / f"{name}.feature"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["Feature: F", "Scenario: S", *lines, ""]))
    return folder


def refused(folder: Path, sentences: Sentences) -> Refused:
    with pytest.raises(Refused) as error:
        sound_drills(folder, plan=PLAN, sentences=sentences, findings=CURRENT.checks)
    assert error.value.hint
    return error.value


# What is derived


def test_everything_is_derived_of_the_declaration(tmp_path: Path) -> None:
    """In the order of the scenario's sentences: promises, questions, procedures."""
    lines = ("Given customers write", "When the link of zone 2 is cut", "And it is mended", "Then nothing is lost")
    known = declared()
    (drill,) = sound_drills(features(tmp_path, *lines), plan=PLAN, sentences=known, findings=CURRENT.checks)
    sentences = drill.scenarios[0].sentences
    assert [sentence.line for sentence in sentences] == [3, 4, 5, 6]
    assert [one.finding for one in known.expected(sentences, PLAN)] == ["rto", "no-loss"]
    assert known.approvals(sentences) == [ASKED]
    assert known.procedures(sentences) == ["a procedure"]
    (cut,) = known.matching("when", "the link of zone 2 is cut")
    assert cut.filled("the link of zone 2 is cut") == {"what": "link", "number": 2}
    assert cut.filled("the link of zone b is cut") is None


def test_sentences_of_several_modules_are_joined() -> None:
    """Each module keeps its own, and none of them is changed."""
    one, other = declared(), Sentences()
    other.given("it rains")(lambda: None)
    joined = Sentences.joined([one, other])
    assert len(joined.definitions) == 5 and len(one.definitions) == 4
    assert joined.matching("given", "it rains")[0].place.startswith(__file__)


def test_what_this_project_promises_is_what_it_promised() -> None:
    """One scenario in full: its findings, with their objectives and demands, in the order of its sentences."""
    (scenario,) = (
        each for drill in catalog.drills(FEATURES) for each in drill.scenarios if each.name == "an-operators-mistake"
    )
    known = PROJECT.sentences
    found = known.expected(scenario.sentences, PLAN)
    objective = PLAN.objective("critical financial data")
    assert [one.finding for one in found] == [
        "verified",
        "in-service",
        "rto",
        "rpo",
        "salvage",
        "exactness",
        "consistency",
        "health",
    ]
    assert found[2] == Expected("rto", "RTO of critical financial data", objective.rto, (objective.demands["rto"],))
    assert known.approvals(scenario.sentences) == [
        Approval("Stop the writers and restore to just before the mistake?", "incident commander")
    ]
    (procedure,) = known.procedures(scenario.sentences)
    assert {step.phase for step in procedure.steps} >= {"restore", "verify", "salvage", "serve"}


BOUND = """
from pytest_bdd import scenarios
from harness.project.binding import bind
from harness.features.sentences import Sentences

known, done = Sentences(), []


@known.given("{number:d} customers", returns="customers")
def _some(number):
    return number


@known.when("it rains")
@known.when("it snows")
def _wet(customers):
    done.append(customers)


known.promise("{what} is dry", lambda plan, what: [])
bind(known)
scenarios("x.feature")


def test_what_was_done():
    assert done == [3, 3]
"""


def test_what_is_declared_is_what_pytest_carries_out(tmp_path: Path) -> None:
    """With what is filled in, what an earlier sentence returned, and two sentences of one function."""
    sentences = ("Given 3 customers", "When it rains", "And it snows", "Then nothing is dry")
    (tmp_path / "x.feature").write_text("\n".join(["Feature: F", "Scenario: S", *sentences, ""]))
    (tmp_path / "test_x.py").write_text(BOUND)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HOME)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout


# What is refused


def test_a_sentence_that_no_step_knows_is_refused(tmp_path: Path) -> None:
    """Each with its line, and what may have been meant."""
    folder = features(tmp_path, "Given customers wrote", "When it is mended", "Then nothing at all rings a bell")
    error = refused(folder, declared())
    first, second = error.message.splitlines()
    assert first.endswith("network_failover.feature:3: no step says what this means: customers wrote")
    assert ":5: " in second
    assert 'did you mean "customers write"?' in error.hint and "docs/write-a-drill.md" in error.hint


def test_a_sentence_of_another_kind_is_refused(tmp_path: Path) -> None:
    """What happens is no condition: the hint says what it is."""
    error = refused(features(tmp_path, "Given it is mended"), declared())
    assert ":3: no step" in error.message and "'it is mended' is a When" in error.hint


def test_a_sentence_that_two_steps_match_is_refused(tmp_path: Path) -> None:
    """Both are named, with their places."""
    known = declared()
    known.when("the link of {zone} is cut")(lambda: None)
    error = refused(features(tmp_path, "When the link of zone 2 is cut"), known)
    assert ":3: more than one step" in error.message
    assert len(re.findall(r"test_sentences\.py:\d+", error.hint)) == 2


def test_a_sentence_that_is_declared_twice_is_refused(tmp_path: Path) -> None:
    """Although no feature says it; of two kinds it may be."""
    known = declared()
    known.when("nothing is lost")(lambda: None)
    sound_drills(features(tmp_path, "Given customers write"), plan=PLAN, sentences=known, findings=CURRENT.checks)
    known.promise("nothing is lost", lambda _: promised())
    error = refused(tmp_path, known)
    assert re.search(
        r"test_sentences\.py:\d+: this sentence is declared already, at .*test_sentences\.py:\d+", error.message
    )


def test_a_promise_that_no_finding_knows_is_refused(tmp_path: Path) -> None:
    """With the place of the declaration, and the closest finding."""
    known = declared()
    known.promise("it is quick", lambda _: promised("rtoo"))
    error = refused(features(tmp_path, "Then it is quick"), known)
    assert re.search(r"test_sentences\.py:\d+: it promises 'rtoo', which is no finding", error.message)
    assert 'did you mean "rto"?' in error.hint


def test_a_promise_that_the_plan_does_not_know_is_refused(tmp_path: Path) -> None:
    """A tier that is misspelt, with the line of the sentence."""
    text = "Then customers are served again within the recovery time of prodction"
    error = refused(features(tmp_path, text), PROJECT.sentences)
    assert ":3: " in error.message and 'no tier "prodction"' in error.message and '"production"' in error.hint


def test_a_demand_that_is_not_in_the_plan_is_refused(tmp_path: Path) -> None:
    """Of a promise: its finding would exercise nothing."""
    known = declared()
    known.promise("it is quick", lambda _: [Expected("rto", "an objective", None, ("INF-99",))])
    error = refused(features(tmp_path, "Then it is quick"), known)
    assert re.search(r"test_sentences\.py:\d+: it promises for INF-99, which is not among the demands", error.message)


def test_a_step_that_wants_what_nothing_gives_it_is_refused(tmp_path: Path) -> None:
    """What stands in the braces, and what earlier sentences return, it may want; and what has a default."""
    known = declared()
    known.when("it rains for {hours:d} h")(lambda scenario, hours, mended, more=0: None)
    rain = ("When it is mended", "When it rains for 3 h")
    sound_drills(features(tmp_path, *rain), plan=PLAN, sentences=known, findings=CURRENT.checks)
    error = refused(features(tmp_path, *reversed(rain)), known)
    assert re.search(r"test_sentences\.py:\d+: the function wants mended, which nothing gives it", error.message)


def test_a_promise_that_does_not_take_what_is_filled_in_is_refused(tmp_path: Path) -> None:
    """And one that wants more than is filled in."""
    for sentence, promise in (("all of {it}", lambda plan: []), ("all", lambda plan, it: [])):
        known = Sentences()
        known.promise(sentence, promise)
        error = refused(features(tmp_path, "Then all of it" if "{" in sentence else "Then all"), known)
        assert re.search(r"test_sentences\.py:\d+: what it promises cannot be called", error.message)


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("monthly/network_failovr", "has no drill network-failovr", "did you mean monthly/network_failover.feature?"),
        ("annual/network_failover", "the annual calendar", "add it to the calendar"),
        ("weekly/network_failover", "weekly is no cadence", "monthly"),
        ("network_failover", "no drill is looked for in this folder", "move it to a cadence"),
    ],
)
def test_a_feature_that_nobody_would_collect_is_refused(tmp_path: Path, name: str, said: str, hint: str) -> None:
    """One that the calendar does not ask for, or that lies elsewhere."""
    error = refused(features(tmp_path, "Given customers write", name=name), declared())
    assert f"{name}.feature: " in error.message and said in error.message and hint in error.hint


# With the commands as a user starts them


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, as far as commands need it before they start anything."""
    for name in ("drills", "features"):
        shutil.copytree(HOME / name, tmp_path / name)
    for name in ("harness", "reports", "pyproject.toml", "project.yaml"):
        (tmp_path / name).symlink_to(HOME / name)
    shutil.copyfile(HOME / "contacts.yaml", tmp_path / "contacts.yaml")
    return tmp_path


FEATURE, STEPS = "features/monthly/network_failover.feature", "drills/steps/network.py"
TWICE = "\n\n@when({!r})\ndef _again(scenario: ScenarioRun) -> None:\n    pass\n"
JOINED = "the zone is joined again"
STRAY = "Feature: F\nScenario: It burns\nGiven fire\n"
# What is done to a file of the project, and what is said of it.
SPOILED = {
    "misspelt": (
        FEATURE,
        lambda text: text.replace(JOINED, "the zone is jioned again"),
        rf"failover\.feature:15: no step.*\n.*HINT: did you mean \"{JOINED}\"",
    ),
    "ambiguous": (
        STEPS,
        lambda text: text + TWICE.format("the zone is {how} again"),
        r"failover\.feature:15: more than one step",
    ),
    "twice": (
        STEPS,
        lambda text: text + TWICE.format("the active load balancer dies"),
        r"network\.py:\d+: this sentence is declared already, at .*network\.py:\d+",
    ),
    "no finding": (
        STEPS,
        lambda text: text.replace('"failovers"', '"failover"'),
        r"network\.py:\d+: it promises 'failover', which is no finding",
    ),
    "no sentences": (
        "drills/steps/fire.py",
        lambda _: "pass\n",
        r"steps/fire\.py: declares no SENTENCES",
    ),
    "broken": (
        "drills/steps/fire.py",
        lambda _: "from harness.faults.no_operation import Noop\n",
        r"steps/fire\.py:1: ModuleNotFoundError: No module named",
    ),
    "no python": (
        "drills/steps/fire.py",
        lambda _: "SENTENCES = [\n",
        r"steps/fire\.py:1: SyntaxError: ",
    ),
    "elsewhere": (
        f"features/{OTHER.cadence}/network_fire.feature",
        lambda _: STRAY,
        r"network_fire\.feature: the .* calendar of .* has no drill network-fire",
    ),
    "no cadence": (
        "features/weekly/fire.feature",
        lambda _: STRAY,
        r"weekly/fire\.feature: weekly is no cadence",
    ),
}
COMMANDS = (
    ("harness", "list"),
    ("harness", "list", "--json"),
    ("harness", "run", "application-recovery", "--dry-run"),
    ("harness", "run", "application-recovery"),
    ("pytest", "features", "-p", "no:cacheprovider"),
)


def started(project: Path, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return warm.python(*words, cwd=project, env={**os.environ, "PYTHONPATH": str(HOME)})


@pytest.mark.parametrize("what", SPOILED)
def test_no_command_starts_anything(project: Path, what: str) -> None:
    """Exit code 3, the place, a HINT, and nothing is made: also where another drill is meant than the spoiled one."""
    name, spoil, said = SPOILED[what]
    path = project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(spoil(path.read_text() if path.exists() else ""))
    for words in COMMANDS:
        done = started(project, words)
        assert done.returncode == 3, (words, done.stdout, done.stderr)
        assert re.search(said, done.stdout + done.stderr), (words, done.stdout, done.stderr)
        assert "HINT: " in done.stdout + done.stderr
    assert not (project / "evidence").exists()


def test_a_drill_of_another_cadence_is_a_feature_an_entry_and_steps(project: Path) -> None:
    """No test module has to be made for it, and `-m` chooses it by its folder."""
    duty = next(duty for duty in PLAN.calendar if duty.cadence == "annual")
    path = project / "features" / duty.feature
    path.parent.mkdir()
    given = "the platform serves customers, replicates and archives"
    path.write_text(f"Feature: {duty.title}\n\n  Scenario: It burns\n    Given {given}\n    When it burns\n")
    step = f"from harness.features.sentences import Sentences\n\nSENTENCES = Sentences()\n{TWICE.format('it burns')}"
    (project / "drills" / "steps" / "fire.py").write_text(
        step.replace("@when", "@SENTENCES.when").replace(": ScenarioRun", "")
    )
    written = (project / "drills" / "plan.yaml").read_text()
    at = written.index(f"drill: {duty.drill}\n")
    entry, begins, more = written[at:].partition("not_built:")
    assert begins
    (project / "drills" / "plan.yaml").write_text(written[:at] + entry.rstrip() + "\n" + more.partition("\n")[2])
    assert "It burns" in started(project, ("harness", "list")).stdout
    assert started(project, ("harness", "run", duty.drill, "--dry-run")).returncode == 0
    words = ("-m", "pytest", "features", "-q", "--collect-only", "-p", "no:cacheprovider", "-m", "annual")
    done = subprocess.run(  # with a machine that lies in the project: what it collects has a place there
        [sys.executable, *words], cwd=project, env={**os.environ, "PYTHONPATH": str(project)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip  # arguments in groups
    assert done.returncode == 0 and "collector.py::test_it_burns" in done.stdout
    assert re.search(r"\b1/\d+ tests collected", done.stdout)


def test_the_page_is_right() -> None:
    """Its example is a module of steps, word for word, and nothing of it is unknown here."""
    page = (HOME / "docs" / "write-a-drill.md").read_text()
    (example,) = re.findall(r"```python\n(\"\"\"Fire.*?)```", page, re.DOTALL)
    made: dict[str, object] = {"__name__": "fire"}
    exec(compile(example, "write-a-drill.md", "exec"), made)
    known = made["SENTENCES"]
    assert isinstance(known, Sentences)
    assert [each.kind for each in known.definitions] == ["when", "then"]
    assert {one.finding for each in known.definitions for one in each.expected(each.pattern, PLAN)} <= set(
        CURRENT.checks
    )
