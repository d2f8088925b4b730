"""What a stack lacks for a drill: told before anything starts. In the pack it is told by the real tests of it."""

from __future__ import annotations

import json

from click.testing import CliRunner

from harness.cli import drdrill
from harness.errors import Refused
from tests.test_house import HOME

CUT = "The leader's zone is cut off"


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
