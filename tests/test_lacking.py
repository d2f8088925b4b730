"""What a stack lacks for a drill: told before anything starts, and in the pack, and never green."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import drdrill
from harness.errors import Refused
from tests.notebooks import NOTEBOOK, Place, journal, pack_of
from tests.test_house import HOME

CUT = "The leader's zone is cut off"


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


@pytest.mark.xdist_group("lacking")
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


@pytest.mark.xdist_group("lacking")
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


@pytest.mark.xdist_group("lacking")
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


def said(*words: object) -> str:
    done = CliRunner().invoke(drdrill, list(map(str, words)))
    assert done.exit_code == 0, done.output
    return done.output


def test_the_list_and_a_dry_run_say_it_before_anything() -> None:
    """Under each scenario; on the usual level nothing is lacking."""
    line = "not exercised on local: cutting a zone off\n"
    takes = "\nwhat local lacks, and what it takes:\n  cutting "
    listed = said("--project", HOME, "list", "--stack", "local", "--sandbox", "loopback")
    assert listed.count(line) == 1 and listed.index(CUT) < listed.index(line) < listed.index(takes)
    assert "slow links; links that come and go; cutting a region off: zones that are networks: " in listed
    monthly = said("--project", HOME, "list", "--stack", "docker").partition("full-regional-failover")[0]
    assert "not exercised" not in monthly
    dry = said("--project", HOME, "run", "network-failover", "--dry-run", "--sandbox", "loopback")
    assert dry.count(line) == 1 and takes in dry and dry.count("not exercised on local: ") == 5
    found = json.loads(said("--project", HOME, "list", "--stack", "local", "--sandbox", "loopback", "--json"))
    (cut,) = [one for drill in found for one in drill["scenarios"] if one["title"] == CUT]
    assert [lack["capability"] for lack in cut["not_exercised"]] == ["Divisible"]
    plain = json.loads(said("--project", HOME, "list", "--json"))
    assert all("not_exercised" not in one for drill in plain for one in drill["scenarios"])


def test_a_level_without_a_kind_is_refused() -> None:
    """It would say nothing."""
    done = CliRunner().invoke(drdrill, ["--project", str(HOME), "list", "--sandbox", "loopback"])
    assert isinstance(done.exception, Refused) and "--sandbox is of a stack" in str(done.exception)
