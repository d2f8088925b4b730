"""A script that imports nothing of the project computes the same figures from a pack."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import RULES, Finding, Outcome, load
from harness.checks.answer import answer
from harness.checks.evidence import Evidence, Expectation
from harness.checks.loss import tally
from harness.checks.rules import CURRENT
from tests import recompute
from tests.histories import INTENT, NAME, ZONES, History, a_mistake, lost_volumes, ns
from tests.region_losses import EAST_SERVER, SECOND, SERVED, a_region_lost
from tests.test_check_failover import acknowledged
from tests.test_check_loss import built, fates
from tests.test_check_regions import answered, looks
from tests.test_rules import STORED, VERSION, unpacked
from tests.zone_cuts import DATABASE_A, OLD, a_zone_cut, an_alert

SCRIPT = Path(recompute.__file__)
WITH_FIGURES = ("rto", "exposure", "exactness", "detection")


def asked(evidence: Evidence, expected: Expectation) -> Finding:
    return answer(CURRENT.checks[expected.finding], evidence, expected)


def agree(pack: Path) -> dict[str, Any]:
    """Compare the script with the project on one pack; returns what the script said."""
    said = recompute.recompute(pack)[NAME]
    evidence = load.evidence(pack)[0]
    _same_bar(said["rto"], asked(evidence, Expectation("rto", limit=60.0)))
    told = asked(evidence, Expectation("detection", limit=60.0))
    assert (told.figure is None) == (said["detection"] == [])
    if told.figure is not None:
        wanted = (told.figure, told.low, told.high, told.lower_bound)
        listed = [tuple(each[name] for name in ("figure", "low", "high", "lower_bound")) for each in said["detection"]]
        assert wanted in [pytest.approx(each, abs=1e-6) for each in listed]
    _same_split_brain(said["split-brain"], asked(evidence, Expectation("split-brain")))
    _same_sides(said["both-sides"], asked(evidence, Expectation("region-fenced")))
    _same_bar(said["exposure"], asked(evidence, Expectation("exposure", limit=5.0)))
    _same_exactness(said["exactness"], asked(evidence, Expectation("exactness")))
    found = asked(evidence, Expectation("loss", limit=5.0))
    if said["loss"] is None:
        assert found.figure is None
        return said
    total = tally(evidence)
    assert said["loss"]["lost_seconds"] == pytest.approx(found.figure, abs=1e-6)
    assert said["loss"]["lower_bound"] == found.lower_bound
    assert Decimal(said["loss"]["lost_amount"]) == total.lost_amount
    for name in ("acknowledged", "lost", "in_doubt", "in_doubt_stored", "duplicates", "changed", "strangers"):
        assert said["loss"][name] == getattr(total, name), name
    return said


def _same_bar(said: dict[str, Any] | None, found: Finding) -> None:
    if said is None:
        assert found.figure is None
        return
    assert said["lower_bound"] == found.lower_bound
    for end in ("figure", "low", "high"):
        value = getattr(found, end)
        assert said[end] == (None if value is None else pytest.approx(value, abs=1e-6))


def _same_exactness(said: dict[str, Any] | None, found: Finding) -> None:
    if said is None:
        assert found.outcome is Outcome.UNKNOWN
    elif found.outcome is Outcome.UNKNOWN:  # nothing was acknowledged before the point
        assert said == {"missing": 0, "surplus": 0}
    else:
        assert said["missing"] + said["surplus"] == found.figure


def _same_split_brain(said: dict[str, Any] | None, found: Finding) -> None:
    if said is None:
        assert found.outcome is not Outcome.MET
    elif many := said["overlapping"] + said["twofold"]:
        assert (found.outcome, found.figure) == (Outcome.MISSED, many)
    elif said["touching"]:
        assert found.outcome is not Outcome.MET
    else:
        assert found.outcome is not Outcome.MISSED or "not in the surviving rows" in found.reason


def _same_sides(said: dict[str, Any] | None, found: Finding) -> None:
    """Whether a region that was fenced took a write."""
    if said is None:
        assert found.outcome is not Outcome.MET
    elif said["writes"] or said["answers"]:
        assert (found.outcome, found.figure) == (Outcome.MISSED, said["writes"])
    else:
        assert found.outcome is not Outcome.MISSED and f"{said['looks']} looks" in found.reason


def packed(history: History) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return agree(history.write(Path(folder) / "pack"))


@settings(max_examples=8, deadline=None)
@given(
    lost=st.sets(st.tuples(st.sampled_from(ZONES), st.integers(1, 580)), max_size=5),
    doubted=st.sets(st.tuples(st.sampled_from(ZONES), st.integers(1, 580)), max_size=5),
    twice=st.sets(st.tuples(st.sampled_from(ZONES), st.integers(1, 400)), max_size=3),
    cut=st.one_of(st.none(), st.floats(31, 60)),
    mistake=st.booleans(),
    left_out=st.sampled_from(["", "verified", "in_service", "fault.effective", "recovery.reached", "span.end"]),
    pause=st.one_of(st.none(), st.tuples(st.sampled_from(ZONES), st.floats(31, 55), st.floats(0.5, 4))),
)
def test_both_agree_on_any_history(
    *,
    lost: set[tuple[str, int]],
    doubted: set[tuple[str, int]],
    twice: set[tuple[str, int]],
    cut: float | None,
    mistake: bool,
    left_out: str,
    pause: tuple[str, float, float] | None,
) -> None:
    """Losses, requests in doubt, duplicates, pauses, runs cut short and facts left out: never a different figure."""
    history = a_mistake() if mistake else lost_volumes()
    for zone, number in lost:
        history.lose(zone, number)
    for zone, number in doubted:
        history.requests[zone][number - 1] = history.requests[zone][number - 1]._replace(outcome="in_doubt")
    for zone, number in twice:
        rows = history.rows["final", zone]
        history.rows["final", zone] = sorted([*rows, *(row for row in rows if row.number == number)])
    if left_out:
        history.drop(left_out)
    if pause:
        zone, begin, length = pause
        kept = [each for each in history.requests[zone] if not ns(begin) < each.due < ns(begin + length)]
        history.requests[zone] = [each._replace(number=number) for number, each in enumerate(kept, 1)]
    if cut is not None:
        history.cut(cut)
        history.say(cut, "stopped", who="somebody", why="enough")
    packed(history)


@settings(max_examples=20, deadline=None)
@given(zones=fates, strangers=st.integers(0, 2))
def test_both_agree_on_any_fate_of_a_request(zones: list[list[str]], strangers: int) -> None:
    """Every fate that a request can have is counted the same by both."""
    history = built(zones, strangers)
    history.say(0, "scenario.begin", scenario=NAME)
    history.expect("rto", 1.0)
    history.expect("rpo", 1.0)
    packed(history)


@settings(max_examples=15, deadline=None)
@given(
    alerts=st.lists(st.tuples(st.floats(25, 97), st.sampled_from(["a", "b"]), st.booleans()), max_size=4),
    old=st.sets(st.floats(31, 90), max_size=3),
    left_out=st.sampled_from(["", "alert.awaited", "scenario.end", "fault.effective", "fault.healed", "health"]),
    cut=st.one_of(st.none(), st.floats(31, 98)),
    again=st.booleans(),
    held=st.booleans(),
)
def test_both_agree_on_any_zone_cut(
    *,
    alerts: list[tuple[float, str, bool]],
    old: set[float],
    left_out: str,
    cut: float | None,
    again: bool,
    held: bool,
) -> None:
    """Alerts in any order, an old leader that still answers, customers inside: never a different figure."""
    history = a_zone_cut()
    history.drop("alert", *([left_out] if left_out else []))
    for at, zone, firing in alerts:
        an_alert(history, at, "ZoneDown", zone=zone, state="firing" if firing else "resolved", read=97.5)
    for at in old:
        acknowledged(history, DATABASE_A, at, OLD)
    if again:
        history.say(80, "fault.intent", fault="kill_component", affects=[{"component": "api-b"}], harms_data=False)
        history.say(80.1, "fault.effective", fault="kill_component", ok=True, proof="gone")
        history.say(90, "alert.awaited", within=60.0, seconds=9.0, named=False)
    if not held:
        history.drop("fault.still_active")
        history.say(74.9, "fault.still_active", fault="cut_zone", ok=False, proof="over")
    if cut is not None:
        history.cut(cut)
    packed(history)


def test_it_says_what_was_built_into_a_zone_cut() -> None:
    """Detection, customers inside, and an old leader that still answered."""
    said = packed(acknowledged(a_zone_cut(), DATABASE_A, 60.0, OLD))
    assert said["split-brain"] == {"overlapping": 1, "touching": False, "twofold": 0}
    assert [each["figure"] for each in said["detection"]] == [pytest.approx(11.0)]
    assert said["rto"]["figure"] == pytest.approx(22.01)


def test_it_says_what_was_built_in() -> None:
    """Not only do both agree: what they say is what happened."""
    history = lost_volumes()
    history.requests["a"][100] = history.requests["a"][100]._replace(outcome="in_doubt")
    said = packed(history)
    assert said["loss"]["lost"] == 144
    assert said["loss"]["in_doubt"] == said["loss"]["in_doubt_stored"] == 1
    assert said["rto"]["figure"] == pytest.approx(45.01 - INTENT)


def test_it_imports_nothing_of_the_project_and_runs_alone(tmp_path: Path) -> None:
    """Only modules of Python itself; started by path, in isolation, it prints JSON."""
    tree = ast.parse(SCRIPT.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
    pack = a_mistake().write(tmp_path / "pack")
    argv = [sys.executable, "-I", str(SCRIPT)]
    done = subprocess.run([*argv, str(pack)], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(done.stdout)[NAME]["loss"]["lost"] == 0
    assert "usage" in subprocess.run(argv, capture_output=True, text=True, check=False).stderr


OF_FAULTS = [one for one in STORED if VERSION[one] == RULES and "restored-beside" not in one.name]


@pytest.mark.parametrize("archive", OF_FAULTS, ids=lambda path: path.name)
def test_the_figures_of_a_stored_pack_are_those_that_were_sealed(archive: Path, tmp_path: Path) -> None:
    """A real run, as it was sealed: recovery time, exposure, exactness and detection, with their bars."""
    pack = unpacked(archive, tmp_path)
    said = recompute.recompute(pack)
    found = [
        each for each in json.loads((pack / "findings.json").read_bytes())["findings"] if each["id"] in WITH_FIGURES
    ]
    assert {each["id"] for each in found} >= {"rto", "exposure", "exactness"} or "load-balancer" in archive.name
    for each in found:
        figures = said[each["scenario"]][each["id"]]
        if each["id"] == "exactness":
            assert figures["missing"] + figures["surplus"] == each["figure"]
            continue
        (figures,) = figures if each["id"] == "detection" else (figures,)
        for name in ("figure", "low", "high", "lower_bound"):
            assert figures[name] == pytest.approx(each[name], abs=1e-6), (each["id"], name)


def test_it_says_what_was_built_into_a_lost_region() -> None:
    """Recovery time up to a planned interruption, a look that saw a second writer, and two servers on one timeline."""
    said = packed(a_region_lost())
    assert said["rto"]["figure"] == pytest.approx(SERVED - 30, abs=0.2)
    assert said["both-sides"] == {"looks": 227, "writes": 0, "answers": 0}
    assert packed(looks((43, False), (71, True)))["both-sides"] == {"looks": 2, "writes": 1, "answers": 0}
    said = packed(answered(a_region_lost(), 62, server=EAST_SERVER, timeline=SECOND))
    assert (said["split-brain"]["twofold"], said["both-sides"]["answers"]) == (1, 1)
