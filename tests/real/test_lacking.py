"""A drill of which its stack can run nothing is never green; where it cannot run one scenario the rest is drilled, and,
that declared, the rest is what is judged."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.build import build
from tests.notebooks import NOTEBOOK, Place, journal, of_two_scenarios, pack_of
from tests.test_house import HOME


def quantumnest_on_a_notebook(folder: Path) -> Place:
    """QuantumNest's features, sentences and plan, and the notebook's kind of stack."""
    for part in ("features", "drills"):
        shutil.copytree(HOME / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(NOTEBOOK / "notebook", folder / "notebook", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(HOME / "contacts.yaml", folder / "contacts.yaml")
    (folder / "project.yaml").write_text((HOME / "project.yaml").read_text() + "stack: notebook.stack\n")
    plan = folder / "drills" / "plan.yaml"
    plan.write_text(re.sub(r"(?m)^    - drill: .*\n", r"\g<0>      at_least: embedded\n", plan.read_text()))
    return Place(folder)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Path, str]]:
    """QuantumNest's month asked of the notebook: the place, the pack, and what was said."""
    place = quantumnest_on_a_notebook(tmp_path_factory.mktemp("asked") / "both")
    done = place.drdrill("run", "monthly", "--evidence", place.evidence)
    assert done.returncode == 2, done.stdout + done.stderr
    yield place, pack_of(place), done.stdout


def test_no_drill_of_quantumnest_is_exercised_on_a_notebook(month: tuple[Place, Path, str]) -> None:
    """Each scenario is announced, begins, says what is lacking and ends; no stack is started, nothing looked at."""
    _, pack, _ = month
    lines = journal(pack)
    announced = lines[0]["data"]["scenarios"]
    ended = [line["data"] for line in lines if line["kind"] == "scenario.end"]
    assert len(announced) == 34 and [each["scenario"] for each in ended] == announced
    assert {each["outcome"] for each in ended} == {"not exercised"}
    assert {line["kind"] for line in lines} == {
        "run.begin", "scenario.begin", "expect", "not_exercised", "scenario.end", "run.end",
    }  # fmt: skip  # a set
    assert lines[-1]["data"]["outcome"] == "completed"
    lacking = [line["data"] for line in lines if line["kind"] == "not_exercised"]
    assert all(set(each) == {"what", "why", "capability", "given_by"} and all(each.values()) for each in lacking)


def test_every_finding_of_it_is_unknown_and_says_why(month: tuple[Place, Path, str]) -> None:
    """In the findings, in JUnit and on the page; the terminal says what it would take."""
    _, pack, said = month
    found = json.loads((pack / "findings.json").read_text())
    assert (found["verdict"], set(found["verdicts"].values())) == ("UNKNOWN", {"UNKNOWN"})
    assert {each["outcome"] for each in found["findings"]} == {"UNKNOWN"}
    assert all(each["reason"].startswith("not exercised on this stack: ") for each in found["findings"])
    junit = (pack / "junit.xml").read_text()
    assert 'failures="0"' in junit and 'message="no figure: not exercised on this stack: ' in junit
    page = (pack / "index.html").read_text()
    assert "Not exercised on this stack: " in page and "cutting a zone off" in page
    line = "NOT EXERCISED on this stack: cutting a zone off (it takes a network whose zones can be cut and joined)"
    assert line in said


def test_its_pack_verifies_and_does_no_duty(month: tuple[Place, Path, str]) -> None:
    """Whole, and judged again to the same; for the gate the month was not drilled."""
    place, pack, _ = month
    verified = place.drdrill("verify", pack, "--judge", "--json")
    found = json.loads(verified.stdout)
    answers = {name: found[name] for name in ("integrity", "completeness")}
    assert set(answers.values()) == {"MET"} and found["judged"]["outcome"] == "MET", found
    gate = place.drdrill("gate", "--evidence", place.evidence, "--json")
    assert gate.returncode == 2, gate.stdout + gate.stderr
    duties = [each for each in json.loads(gate.stdout)["checks"] if each["kind"] == "duty" and not each["advisory"]]
    assert [each["outcome"] for each in duties] == ["UNKNOWN"] * 5


def test_a_run_goes_on_with_what_can_be_exercised(tmp_path: Path) -> None:
    """A scenario that is lacking something is left, and the next one is drilled on a stack as ever."""
    place = of_two_scenarios(tmp_path / "notebook")
    done = place.drdrill("run", "monthly", "--evidence", place.evidence)
    assert done.returncode == 2, done.stdout + done.stderr
    verdicts = json.loads((pack_of(place) / "findings.json").read_text())["verdicts"]
    assert verdicts == {"somebody-is-told": "UNKNOWN", "the-service-dies": "MET"}
    kinds = [line["kind"] for line in journal(pack_of(place))]
    assert kinds.count("scenario.begin") == 2 and kinds.index("stack.begin") > kinds.index("scenario.end")


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, str]:
    """The notebook's drill, one scenario of which its stack cannot run; that is declared."""
    place = of_two_scenarios(tmp_path_factory.mktemp("declared") / "notebook")
    folder = place.folder
    (folder / "project.yaml").write_text((folder / "project.yaml").read_text() + "waivers: waivers.yaml\n")
    (folder / "waivers.yaml").write_text(
        "cannot_run:\n  - drill: service-recovery\n    scenario: Somebody is told\n    who: Ada\n"
        "    why: nobody watches a notebook\n    until: 2199-12-31\n"
    )
    dry = place.drdrill("run", "monthly", "--dry-run", "--evidence", place.evidence)
    by = "declared until 2199-12-31 by Ada: nobody watches a notebook"
    assert f"the verdict of the run leaves it out: {by}" in dry.stdout, dry.stdout + dry.stderr
    listed = place.drdrill("list")
    assert f"cannot be run: {by}" in listed.stdout, listed.stdout + listed.stderr
    done = place.drdrill("run", "monthly", "--evidence", place.evidence)
    assert done.returncode == 0, done.stdout + done.stderr
    return place, done.stdout


def test_a_run_is_judged_without_it(declared: tuple[Place, str]) -> None:
    """The declaration is in the journal before what is lacking; the last lines, the page and JUnit say it."""
    place, said = declared
    pack = pack_of(place)
    found = json.loads((pack / "findings.json").read_text())
    assert (found["verdict"], found["verdicts"]) == ("MET", {"somebody-is-told": "UNKNOWN", "the-service-dies": "MET"})
    lines = journal(pack)
    (line,) = [line["data"] for line in lines if line["kind"] == "declared"]
    assert line == {
        "scenario": "somebody-is-told", "environment": "", "who": "Ada", "why": "nobody watches a notebook",
        "until": "2199-12-31", "ends": "2200-01-01T00:00:00.000000Z",
    }  # fmt: skip  # a table
    kinds = [line["kind"] for line in lines]
    assert kinds.index("expect") < kinds.index("declared") < kinds.index("not_exercised")
    by = "declared until 2199-12-31 by Ada: nobody watches a notebook"
    words = " ".join(said.split())
    assert f"LEFT OUT of the verdict: {by[:20]}" in words
    assert f"“Somebody is told” is left out of the verdict of the run: it cannot be run, {by}." in words
    assert "MET for what was exercised: the verdict of the run" in words and "Not MET, of what counts" not in words
    built = build(pack)
    for name in ("index.html", "junit.xml"):
        assert by in " ".join(built[name].decode().split()), name
    assert 'errors="0"' in built["junit.xml"].decode().split("<testsuite ")[0]


def test_its_pack_verifies_and_is_judged_again(declared: tuple[Place, str]) -> None:
    """From its records alone, without the file; without its line in the journal it would say otherwise."""
    place, _ = declared
    pack = pack_of(place)
    found = json.loads(place.drdrill("verify", pack, "--judge", "--json").stdout)
    assert (found["integrity"], found["judged"]["outcome"]) == ("MET", "MET"), found
    checks = json.loads(place.drdrill("gate", "--evidence", place.evidence, "--json").stdout)["checks"]
    assert [(each["name"], each["advisory"]) for each in checks if each["kind"] == "declared"] == []
    duty = next(each for each in checks if each["kind"] == "duty")
    assert duty["lesser"]["environment"] == "embedded" and duty["lesser"]["verdict"] == "MET"


def test_one_that_is_over_is_not_used(declared: tuple[Place, str], tmp_path: Path) -> None:
    """The run is UNKNOWN, as without it, and its journal has nothing of it; a slip of the pen ends a run at once."""
    place, _ = declared
    again = Place(Path(shutil.copytree(place.folder, tmp_path / "notebook")))
    file = again.folder / "waivers.yaml"
    file.write_text(file.read_text().replace("2199-12-31", "2026-01-01"))
    done = again.drdrill("run", "monthly", "--only", "Somebody is told", "--evidence", again.evidence)
    assert done.returncode == 2 and "declared" not in done.stdout, done.stdout + done.stderr
    assert "declared" not in {line["kind"] for line in journal(pack_of(again))}
    file.write_text(file.read_text().replace("Somebody is told", "Sombody is told"))
    for words in (("run", "monthly"), ("list",), ("calendar",), ("gate",)):
        refused = again.drdrill(*words)
        assert refused.returncode == 3, refused.stdout
        assert f'{file}:3: cannot_run[1].scenario: "Sombody is told" is not a scenario' in refused.stderr
        assert 'HINT: did you mean "Somebody is told"?' in refused.stderr
