"""The kinds of stacks: one table, and one of a project's own that joins it; what is wrong with that is told."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import plan, project
from harness.errors import Refused, Unable
from harness.stacks import PlainRegion, kinds
from harness.stacks.capabilities import CAPABILITIES, find, has, need
from harness.stacks.capabilities.components import Startable
from harness.stacks.capabilities.database import Cluster, Fillable, Queried
from harness.stacks.capabilities.entrance import Reachable
from harness.stacks.capabilities.network import Divisible, Flappable, Linked, Powered, Slowable
from harness.stacks.needs import Zones
from harness.system.recorder import Memory
from tests.test_house import HOME
from tests.this_project import PROJECT

NOTEBOOK = HOME / "tests" / "projects" / "notebook"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of the notebook; what is imported of it is not there for the next test."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Path(shutil.copytree(NOTEBOOK, tmp_path / "notebook", ignore=shutil.ignore_patterns("__pycache__")))
    for name in [name for name in set(sys.modules) - known if name.partition(".")[0] == "notebook"]:
        del sys.modules[name]


def test_a_kind_that_there_is_not_is_refused_and_all_are_listed(copy: Path) -> None:
    """Of a project with a kind of its own, that too; nothing falls through to another kind."""
    with pytest.raises(Refused, match="no kind of stack named 'cloud'") as refused:
        PROJECT.kind("cloud")
    assert refused.value.hint == "kinds: docker, local; a stack file is named as FILE.yaml"
    with pytest.raises(Refused) as refused:
        project.load(copy).kind("cloud")
    assert refused.value.hint == "kinds: docker, local, notebook; a stack file is named as FILE.yaml"


def test_a_project_with_a_kind_of_its_own_takes_it_unless_another_is_named(copy: Path) -> None:
    """Its environment class is the class's."""
    found = project.load(copy)
    assert (found.kind().name, found.kind().environment) == ("notebook", "embedded")
    assert found.kind("local") == kinds.KINDS["local"] and PROJECT.kind() == kinds.USUAL
    assert copy / "notebook" in found.code


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("STACK = Notebook", "", "declares no class STACK"),
        ('kind = "notebook"', 'kind = "local"', "a stack of the kind local is there already"),
        ('kind = "notebook"', 'kind = ""', "has no `kind`"),
        ('kind = "notebook"', 'kind = "my notes"', "has the `kind` 'my notes', and plain are letters"),
        ('environment = "embedded"', 'environment = "home"', "none of tabletop, emulated, embedded"),
        ("def attach(", "def reach(", "has no `attach`"),
        ("    capabilities = (", "    has = (", "has no `capabilities`"),
        ("from harness.errors", "from harness.nowhere", "ModuleNotFoundError"),
    ],
)
def test_a_class_that_makes_no_stacks_is_refused(copy: Path, was: str, now: str, said: str) -> None:
    """With the file, before anything starts."""
    file = copy / "notebook" / "stack.py"
    file.write_text(file.read_text().replace(was, now))
    with pytest.raises(Refused, match=re.escape(said)):
        project.load(copy).kind()


def test_what_a_stack_must_have_is_asked_before_it_is_started(copy: Path, tmp_path: Path) -> None:
    """And only that: the notebook lacks most of what there is."""
    maker = project.load(copy).kind().maker
    made = maker.open(tmp_path / "stack", recorder=Memory(), label="r1", scale=1.0, broken={})
    assert {each.word for each in CAPABILITIES if has(made, each.protocol)} == {
        "entrance", "reading of its own", "starting and stopping",
    }  # fmt: skip  # a set
    file = copy / "notebook" / "stack.py"
    file.write_text(file.read_text().replace("    def steady(", "    def stready("))
    sys.modules.pop("notebook.stack")
    with pytest.raises(Refused, match="Notebook is no stack: it has no `steady`"):
        project.load(copy).kind().maker.open(tmp_path / "stack", recorder=Memory(), label="r1", scale=1.0, broken={})


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("def reading(", "def leafing(", "Notebook says that it has: reading of its own, and has no `reading`"),
        ("    def pause(", "    def still(", "Notebook says that it has: pausing, and has no `pause` of a component"),
        ("Reachable, Readable)", "Reachable)", "Notebook has Readable, and does not say so"),
        ("Reachable, Readable)", "Reachable, Readable, Zones(3))", "Notebook says that it has 3 zones, and has 0"),
        ("Reachable, Readable)", "Reachable, Copies(2))", "says that it has 2 copies of the database, and has 0"),
        ('PlainRegion("here")', 'PlainRegion("here", ["a"])', "Notebook has Zones(number=1), and does not say so"),
        ("Reachable, Readable)", "Reachable, Path)", "is nothing that a stack has"),
    ],
)
def test_what_a_kind_says_that_it_has_is_what_its_stack_has(
    copy: Path, tmp_path: Path, was: str, now: str, said: str
) -> None:
    """No less, or a drill would be begun that it cannot have; no more, or one is left out that it could have."""
    file = copy / "notebook" / "stack.py"
    imported = "from harness.stacks.needs import Copies, Zones\n"
    file.write_text(file.read_text().replace(was, now).replace("\nHERE = ", f"{imported}\nHERE = ", 1))
    with pytest.raises(Refused, match=re.escape(said)):
        project.load(copy).kind().maker.open(tmp_path / "stack", recorder=Memory(), label="r1", scale=1.0, broken={})


def test_what_a_kind_has_is_known_without_a_stack(copy: Path) -> None:
    """Of a project's own kind, what its class says."""
    offer = project.load(copy).kind().offer()
    assert (offer.kind, offer.number(Zones), offer.lacking([Reachable, Startable])) == ("notebook", 0, [])
    assert [lack.capability for lack in offer.lacking([Cluster, Zones(1)])] == ["Cluster", "Zones"]


def test_the_second_project_lacks_nothing_for_its_own_drill(copy: Path) -> None:
    """There is no list of exceptions: it has what its sentences need."""
    found = project.load(copy)
    offer = found.kind().offer()
    scenarios = [one for drill in found.drills() for one in drill.scenarios]
    assert len(scenarios) == 2 and [found.lacking(one, offer) for one in scenarios] == [[], []]


def test_on_addresses_of_loopback_no_zone_is_a_network() -> None:
    """Known before anything starts, with the reason; on the other levels, and of containers, nothing is withheld."""
    asked = (Divisible, Linked, Slowable, Flappable, Powered)
    lacking = kinds.KINDS["local"].offer(level="loopback").lacking(asked)
    assert [lack.capability for lack in lacking] == ["Divisible", "Linked", "Slowable", "Flappable"]
    assert {lack.why for lack in lacking} == {"on the sandbox level loopback zones are addresses and no networks"}
    assert all(lack.given_by.startswith("zones that are networks: ") for lack in lacking)
    assert kinds.KINDS["local"].offer(level="rootless").lacking(asked) == []
    assert kinds.KINDS["docker"].offer().lacking(asked) == []


def test_what_a_stack_lacks_is_named_with_what_would_give_it(copy: Path, tmp_path: Path) -> None:
    """Of the stack, and of one of its components."""
    made = project.load(copy).kind().maker.open(tmp_path / "stack", recorder=Memory(), label="r1", scale=1.0, broken={})
    with pytest.raises(Unable, match="a stack of kind notebook has not: database queries") as unable:
        need(made, Queried)
    assert "a connection to the database" in unable.value.hint
    with pytest.raises(Unable, match="service has not: volumes that fill"):
        need(made.components()["service"], Fillable)


def test_a_region_is_asked_for_what_it_holds() -> None:
    """Of a stack the first region; a second one only where it is named."""

    class Follows:
        def members(self) -> list[str]:
            return ["two"]

        leader = healthy = members

    class Two:
        kind = "two"
        regions = (PlainRegion("one", ("a",)), PlainRegion("other", ("b",), (Follows(),)))

    assert find(Two(), Cluster) is None and need(Two.regions[1], Cluster).members() == ["two"]


def test_whoever_heals_knows_the_kind_without_the_project(copy: Path, tmp_path: Path) -> None:
    """By the run's control file; where the project is gone, nothing is left but its processes, which carry a label."""
    kind = project.load(copy).kind()
    (tmp_path / "control").mkdir()
    kinds.remember(kind, tmp_path / "control" / "project.json", copy)
    shutil.rmtree(copy)
    found = kinds.of_run(tmp_path)
    assert (found.name, found.place, found.project) == ("notebook", "notebook.stack", copy)
    found.maker.remove_left("r1", tmp_path / "stack")
    assert found.maker.secrets_left(tmp_path / "stack") is None


def test_a_run_without_a_word_about_its_kind_has_that_of_its_stack(tmp_path: Path) -> None:
    """As one of an older harness; where nothing was started, the usual one."""
    assert kinds.of_run(tmp_path) == kinds.USUAL
    (tmp_path / "stack").mkdir()
    (tmp_path / "stack" / "stack.json").write_text('{"kind": "docker"}')
    assert kinds.of_run(tmp_path) == kinds.KINDS["docker"]


# What the plan says of findings


def changed(tmp_path: Path, was: str, now: str) -> plan.Plan:
    file = tmp_path / "plan.yaml"
    file.write_text((NOTEBOOK / "plan.yaml").read_text().replace(was, now))
    return plan.load(file)


def test_the_plan_says_which_demands_a_finding_answers_and_in_which_time(tmp_path: Path) -> None:
    """Of a finding that it does not name it says nothing; a time that it does not give is asked for in vain."""
    found = changed(tmp_path, "", "")
    assert found.finding("no-loss").demands == ("OBJ-3",) and found.finding("alert").demands == ()
    assert found.time_for("automatic").total_seconds() == 15
    with pytest.raises(Refused, match="the plan gives no time for confirmation"):
        found.time_for("confirmation")


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("no-loss: {demands: [OBJ-3]}", "no-loss: {demands: [OBJ-9]}", "OBJ-9 is not among the demands"),
        ("automatic: {category: failure of the service, ", "automatic: {", "category: is missing"),
        ("limit: restart, demands: [SUP-1]", "limit: repair", 'has no limit "repair"'),
        ("category: failure of the service, limit: restart, demands: [SUP-1]", "category: flood, limit: restart",
         'there is no category "flood"'),
    ],
)  # fmt: skip  # a table
def test_what_the_plan_says_of_a_finding_leads_somewhere(tmp_path: Path, was: str, now: str, said: str) -> None:
    """Each error with its line."""
    with pytest.raises(Refused, match=said):
        changed(tmp_path, was, now)


def test_a_finding_that_there_is_not_is_refused(copy: Path) -> None:
    """Once the drills are looked at, with the closest that there is."""
    file = copy / "plan.yaml"
    file.write_text(file.read_text().replace("  no-loss:", "  no-los:"))
    with pytest.raises(Refused, match="'no-los' is no finding") as refused:
        project.load(copy).drills()
    assert 'did you mean "no-loss"?' in refused.value.hint and "one-leader, " in refused.value.hint
    line = (
        file.read_text().splitlines().index(next(one for one in file.read_text().splitlines() if "no-los:" in one)) + 1
    )
    assert f"plan.yaml:{line}: findings" in refused.value.message
