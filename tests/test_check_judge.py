"""Verdicts: what is asked, what is always asked, and that nothing empty, stopped or ineffective ever passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import RULES, Finding, Outcome, load, merge
from harness.checks.evidence import Evidence, Line
from harness.checks.judge import judge, judge_run
from harness.checks.rules import CURRENT
from harness.errors import Refused
from tests.histories import NAME, ZONES, History, a_mistake, lost_volumes

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def by_id(history: History) -> dict[str, Finding]:
    return {finding.id: finding for finding in judge(history.evidence())}


@pytest.mark.parametrize("made", [a_mistake, lost_volumes])
def test_a_sound_drill_is_met_in_every_finding(made: Callable[[], History]) -> None:
    """Every finding that counts is MET; only the decision that nobody took is UNKNOWN, and does not count."""
    findings = judge(made().evidence())
    assert merge(findings) is MET
    assert {finding.id for finding in findings if finding.outcome is not MET} == {"decision"}
    asked = {finding.id for finding in findings}
    assert asked >= {"rto", "rpo", "loss", "exposure", "exactness"}
    # These are asked only where the records do not fit together, and where an incident has lasted.
    assert {*CURRENT.always} - asked == {"records", "lasting-told"}


def test_a_fault_that_did_not_bite_leaves_every_finding_unknown() -> None:
    """Then nothing was drilled, whatever went well or badly meanwhile."""
    history = lost_volumes()
    history.drop("fault.effective")
    history.say(30.02, "fault.effective", fault="lose", ok=False, proof="no effect was seen")
    history.lose("a", 5)
    findings = judge(history.evidence())
    assert {finding.outcome for finding in findings} == {UNKNOWN}
    assert all("did not take effect" in finding.reason for finding in findings)


def not_begun() -> History:
    history = History()
    history.say(1.0, "scenario.begin", scenario=NAME, title="A zone is cut off", tags=[])
    history.expect("rto", 60.0)
    history.expect("split-brain")
    for what, capability in (("cutting a zone off", "Divisible"), ("2 zones", "Zones")):
        history.say(2.0, "not_exercised", what=what, why="none", capability=capability, given_by=f"more {capability}")
    history.say(3.0, "scenario.end", scenario=NAME, outcome="not exercised", error="cutting a zone off, 2 zones")
    return history


def test_what_a_stack_lacks_leaves_all_that_was_asked_unknown() -> None:
    """With its name, and once with what would give it; nothing else is asked of a scenario that was not begun."""
    findings = judge(not_begun().evidence())
    assert [finding.id for finding in findings] == ["rto", "split-brain", "scenario"]
    assert {finding.outcome for finding in findings} == {UNKNOWN} and merge(findings) is UNKNOWN
    why = "not exercised on this stack: cutting a zone off, 2 zones"
    assert [finding.reason for finding in findings] == [why, why, f"{why}; it takes more Divisible; more Zones"]
    assert not any(finding.advisory for finding in findings)


@pytest.mark.parametrize("kind", ["sentence", "fault.intent", "workload.begin", "steady", "failed"])
def test_whoever_did_something_cannot_say_that_it_was_not_exercised(kind: str) -> None:
    """What was measured stands, whatever the last line says: a miss is not laundered by these words."""
    history = lost_volumes()
    history.drop("scenario.end", "fault.healed")
    history.say(2.0, "not_exercised", what="pausing", why="none", capability="Pausable", given_by="more")
    history.say(99.0, "scenario.end", scenario=NAME, outcome="not exercised", error="pausing")
    assert "not exercised on this stack" not in " ".join(each.reason for each in judge(history.evidence()))
    begun = not_begun()
    begun.say(2.5, kind, fault="lose", ok=False, moment="before", conditions=[])
    found = judge(begun.evidence())
    assert len(found) > 3 and merge(found) is not MET


def test_a_scenario_without_a_fault_is_not_met() -> None:
    """Sentences about a recovery cannot be met where nothing was to be recovered from."""
    history = a_mistake()
    history.drop("fault.intent", "fault.effective", "fault.healed")
    assert merge(judge(history.evidence())) is UNKNOWN


NEEDED = (
    "steady", "reconciliation", "reconciliation.rules", "fault.intent", "fault.effective", "fault.healed",
    "recovery.ordered", "recovery.reached", "verified", "in_service", "health", "procedure", "step.end", "span.end",
    "exposure.sample", "salvaged", "expect", "scenario.end",
)  # fmt: skip  # a list


@settings(deadline=None, max_examples=40)
@given(kinds=st.sets(st.sampled_from(NEEDED), min_size=1))
def test_a_journal_with_facts_left_out_is_not_met(kinds: set[str]) -> None:
    """Whatever facts of a sound drill are left out, in any company, it is no longer MET."""
    history = a_mistake()
    history.drop(*kinds)
    assert merge(judge(history.evidence())) is not MET


def test_an_empty_history_never_passes() -> None:
    """No line, no ledger, no row: UNKNOWN."""
    evidence = Evidence(NAME, (), (), frozenset(), lambda zone: (), lambda moment, zone: ())
    assert merge(judge(evidence)) is UNKNOWN
    assert merge([]) is UNKNOWN


def test_a_scenario_that_expects_nothing_is_not_met() -> None:
    """Where no sentence asks for anything, a drill that ran through shows nothing."""
    history = a_mistake()
    history.drop("expect")
    assert by_id(history)["expectations"].outcome is UNKNOWN


def test_a_finding_that_the_rules_do_not_know_is_unknown() -> None:
    """A sentence that asks for something unheard of is not passed over."""
    history = a_mistake()
    history.expect("niceness", 3.0)
    found = by_id(history)["niceness"]
    assert (found.outcome, found.objective, found.demands) == (UNKNOWN, 3.0, ("OBJ-5",))


def test_a_stopped_run_keeps_what_was_decided() -> None:
    """What was MISSED stays MISSED, what was MET stays MET, the rest is UNKNOWN with who stopped it."""
    history = lost_volumes()
    history.drop("expect", where=lambda data: data["finding"] == "rpo")
    history.expect("exposure", 3.0)
    history.cut(41)
    history.say(41, "stopped", who="the commander", why="a real incident")
    found = by_id(history)
    assert found["exposure"].outcome is MISSED
    assert found["exactness"].outcome is MET
    for name in ("rto", "scenario", "procedure", "health", "consistency", "steady-after"):
        assert found[name].outcome is UNKNOWN
        assert "the commander: a real incident" in found[name].reason, name
    assert merge(found.values()) is MISSED


def test_a_recovery_point_brings_its_two_halves() -> None:
    """Loss and exposure stand beside the recovery point, against the same objective, unless asked for themselves."""
    found = by_id(a_mistake())
    assert found["loss"].objective == found["exposure"].objective == found["rpo"].objective == 20.0
    assert found["loss"].demands == ("OBJ-5",)
    history = a_mistake()
    history.expect("loss", 0.0)
    assert [each.objective for each in judge(history.evidence()) if each.id == "loss"] == [0.0]


def test_a_limit_of_transactions_stays_one_where_there_is_no_figure() -> None:
    """What was asked for is shown as 0 transactions, not as 0 s."""
    history = a_mistake()
    history.expect("no-loss", 0.0)
    del history.requests[ZONES[1]]
    found = by_id(history)["no-loss"]
    assert (found.outcome, found.figure, found.objective, found.unit) == (UNKNOWN, None, 0.0, "transactions")
    nobody = Evidence(NAME, tuple(history.evidence().lines), (), frozenset(), lambda zone: (), lambda moment, zone: ())
    (found,) = (each for each in judge(nobody) if each.id == "no-loss")
    assert (found.figure, found.objective, found.unit) == (None, 0.0, "transactions")


def test_a_full_disk_under_it_all_says_nothing_of_the_platform() -> None:
    """Neither good nor bad: what failed may have failed for want of room."""
    history = a_mistake()
    history.say(30, "disk.full", free=4096)
    for finding in judge(history.evidence()):
        assert finding.outcome is UNKNOWN and "was full (4096 bytes were left)" in finding.reason


def test_a_sentence_said_twice_is_judged_once_with_all_its_demands() -> None:
    """The same expectation from two sentences is one finding."""
    history = a_mistake()
    history.say(1.5, "expect", finding="rto", objective="", limit=60.0, demands=["OBJ-1"])
    found = [each for each in judge(history.evidence()) if each.id == "rto"]
    assert [each.demands for each in found] == [("OBJ-5", "OBJ-1")]


def test_availability_stands_beside_and_counts_only_where_asked() -> None:
    """A bad second is a fact of every disaster; it counts against a budget only where a sentence sets one."""
    assert by_id(a_mistake())["availability"].advisory
    history = a_mistake()
    history.expect("availability", 1.0)
    assert (by_id(history)["availability"].outcome, by_id(history)["availability"].advisory) == (MISSED, False)


def test_a_journal_that_is_not_as_it_must_be_is_unknown_and_not_an_error() -> None:
    """A field that is missing makes the finding UNKNOWN and is named."""
    history = a_mistake()
    history.drop("health")
    history.say(46, "health", ok=True, checks=[{"name": "/health", "ok": True}])
    found = by_id(history)["health"]
    assert found.outcome is UNKNOWN
    assert "seconds" in found.reason


def test_a_planned_scenario_that_never_began_is_unknown() -> None:
    """It is named with what ended the run before it."""
    begin = Line(0, "run.begin", 0, "", {"scenarios": [NAME, "another"]})
    stop = Line(1, "stopped", 1, "", {"who": "ci", "why": "time is up"})
    end = Line(2, "run.end", 2, "", {"outcome": "killed", "by": "drdrill heal"})
    for lines, words in (([begin], "never begun"), ([begin, stop], "stopped by ci"), ([begin, end], "killed")):
        found = judge_run(lines, [a_mistake().evidence()])[-1]
        assert (found.scenario, found.outcome) == ("another", UNKNOWN)
        assert words in found.reason


def test_a_pack_is_judged_like_the_history_it_was_written_from(tmp_path: Path) -> None:
    """Reading the files changes nothing; and the same pack gives the same bytes of findings."""
    history = lost_volumes()
    folder = history.write(tmp_path / "pack")
    findings = load.judged(folder)
    assert [(each.id, each.outcome, each.figure) for each in findings] == [
        (each.id, each.outcome, each.figure) for each in judge(history.evidence())
    ]
    content = load.findings_json(findings)
    assert content == load.findings_json(load.judged(folder))
    said = json.loads(content)
    assert (said["rules"], said["verdict"], said["verdicts"]) == (RULES, "MET", {NAME: "MET"})
    assert [Finding(**{**each, "outcome": Outcome(each["outcome"])}).id for each in said["findings"]] == [
        each.id for each in findings
    ]


def test_a_bare_file_name_lies_in_the_scenarios_folder(tmp_path: Path) -> None:
    """The journal names a file from the pack's root or from the scenario's folder."""
    folder = lost_volumes().write(tmp_path / "pack")
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace(f"scenarios/{NAME}/", ""))
    assert merge(load.judged(folder)) is MET


@pytest.mark.parametrize("name", ["../../secret.jsonl", "/etc/passwd", ""])
def test_a_journal_that_names_files_outside_the_pack_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing outside the folder is read."""
    folder = lost_volumes().write(tmp_path / "pack")
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace(f"scenarios/{NAME}/ledger-a.jsonl", name))
    with pytest.raises(Refused, match="outside the pack"):
        load.evidence(folder)


def _cut_the_ledger(folder: Path) -> None:
    (folder / "scenarios" / NAME / "ledger-a.jsonl").unlink()


def _spoil_the_ledger(folder: Path) -> None:
    (folder / "scenarios" / NAME / "ledger-a.jsonl").write_text("what?\nwhat?\n")


def _remove_rows(folder: Path) -> None:
    (folder / "scenarios" / NAME / "rows-final-b.jsonl").unlink()


def _spoil_rows(folder: Path) -> None:
    path = folder / "scenarios" / NAME / "rows-final-b.jsonl"
    path.write_text(path.read_text().replace('"amount":"1', '"amount":"one', 1))


@pytest.mark.parametrize("breaking", [_cut_the_ledger, _spoil_the_ledger, _remove_rows, _spoil_rows])
def test_a_file_that_is_not_there_or_is_spoilt_makes_the_loss_unknown(
    tmp_path: Path, breaking: Callable[[Path], None]
) -> None:
    """It is named, and there is no traceback."""
    folder = lost_volumes().write(tmp_path / "pack")
    breaking(folder)
    found = {each.id: each for each in load.judged(folder)}["loss"]
    assert found.outcome is UNKNOWN
    assert "jsonl" in found.reason


def test_a_torn_last_line_is_left_out_and_another_is_refused(tmp_path: Path) -> None:
    """The last line of a killed run may be torn; anything else that is no journal line is named with its number."""
    folder = lost_volumes().write(tmp_path / "pack")
    journal = folder / "journal.jsonl"
    whole = journal.read_text()
    journal.write_text(whole + '{"v":1,"seq":9')
    assert merge(load.judged(folder)) is MET
    journal.write_text("{}\n" + whole)
    with pytest.raises(Refused, match=r"journal\.jsonl:1"):
        load.judged(folder)
    with pytest.raises(Refused, match="No such file"):
        load.judged(tmp_path / "nowhere")


def test_customers_of_all_zones_are_needed() -> None:
    """A zone whose ledger is missing leaves open what its customers saw and lost."""
    history = a_mistake()
    del history.requests[ZONES[1]]
    found = by_id(history)
    for name in ("rto", "loss", "exposure", "exactness", "salvage", "availability", "ledger-agreement"):
        assert found[name].outcome is UNKNOWN, name


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(NEEDED),
    value=st.sampled_from([None, "x", 7, [], {}, [1], ["x"], {"x": 1}, -1.5]),
    key=st.integers(0, 9),
)
def test_a_line_of_a_wrong_form_breaks_nothing(kind: str, value: object, key: int) -> None:
    """Whatever a field of a line holds instead of what it must, or if it is not there, there are findings."""
    history = a_mistake()
    for at, (_, name, data) in enumerate(history.lines):
        if name == kind and data:
            field = sorted(data)[key % len(data)]
            history.lines[at] = (history.lines[at][0], name, {**data, field: value})
            assert judge(history.evidence())
            history.lines[at] = (history.lines[at][0], name, {k: v for k, v in data.items() if k != field})
            assert judge(history.evidence())
            return


@pytest.mark.parametrize(
    ("kind", "fields", "finding"),
    [
        ("exposure.sample", {"position": "7"}, "exposure"),
        ("steady", {"conditions": ["x"], "ok": False}, "steady"),
        ("procedure", {"steps": ["x"]}, "procedure"),
        ("expect", {"limit": "soon"}, "scenario"),
        ("fault.effective", {"injection": None, "ok": True}, "effective"),
    ],
)
def test_what_cannot_be_read_is_unknown_with_a_reason(kind: str, fields: dict[str, object], finding: str) -> None:
    """Neither a verdict nor a traceback."""
    history = a_mistake()
    history.lines = [(at, name, {**data, **fields} if name == kind else data) for at, name, data in history.lines]
    found = by_id(history)[finding]
    assert found.outcome is UNKNOWN and found.reason
    assert merge(judge(history.evidence())) is not MET
