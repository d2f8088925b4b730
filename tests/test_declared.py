"""Scenarios that the platform cannot run: what may be declared, what is sealed of it, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drills import FEATURES, PLAN
from harness import plan
from harness.checks import NOT_EXERCISED, Outcome, merge
from harness.checks.evidence import Evidence, Line
from harness.checks.judge import judge, judge_run
from harness.checks.rules import TABLE, VERSION_4
from harness.errors import Exit, Refused
from harness.evidence.environments import CLASSES
from harness.features.declared import Declaration, holding, load
from harness.schedule import gate, runs, slower, standing, told, waivers
from reports.calendar import gate_junit
from reports.calendar import text as calendar_text
from reports.past import history
from reports.past import page as history_page
from tests.made_months import DUTIES, FIRST, SCENARIOS, Made, made_plan, on, run

DRILL, TITLE, SCENARIO = "network-failover", "A slow link", "a-slow-link"
GOOD = """\
cannot_run:
  - drill: network-failover
    scenario: A slow link
    environment: staging
    who: Ada
    why: no such net
    until: 2026-11-05
"""
UNTIL = date(2026, 11, 5)
ADA = "declared until 2026-11-05 by Ada: no such net"


# What may stand in the file


def loaded(tmp_path: Path, text: str) -> tuple[Declaration, ...]:
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    the_plan = plan.load(PLAN)
    found = load(path, the_plan, FEATURES)
    assert waivers.load(path, the_plan, FEATURES) == ((), found), "the calendar reads the same"
    return found


def test_a_declaration_is_of_one_scenario(tmp_path: Path) -> None:
    """By its title or its short name; on a class of environment, or wherever a stack lacks what it takes."""
    (one,) = loaded(tmp_path, GOOD)
    assert (one.scenario, one.title, one.drill, one.environment, one.line) == (SCENARIO, TITLE, DRILL, "staging", 2)
    assert str(one) == ADA
    (same,) = loaded(tmp_path, GOOD.replace(TITLE, SCENARIO))
    assert same == one
    (anywhere,) = loaded(tmp_path, GOOD.replace("    environment: staging\n", ""))
    assert all(anywhere.covers(SCENARIO, each) for each in CLASSES)
    assert [each for each in CLASSES if one.covers(SCENARIO, each)] == ["staging"]
    two = loaded(tmp_path, GOOD + GOOD.removeprefix("cannot_run:\n").replace("staging", "production"))
    assert [each.environment for each in two] == ["staging", "production"]
    assert loaded(tmp_path, "cannot_run: []\n") == loaded(tmp_path, "waivers: []\n") == ()


BAD = [
    (GOOD.replace("network-failover", "network-failovre"), ":2:", "cannot_run[1].drill", 'mean "network-failover"?'),
    (GOOD.replace("network-failover", "third-party-dr-audit"), ":2:", "is not built", "the calendar has"),
    (GOOD.replace("A slow link", "A slow lnik"), ":3:", "is not a scenario of network", 'did you mean "A slow link"?'),
    (GOOD.replace("A slow link", "xyz"), ":3:", "is not a scenario of network-failover", "it has: The leader's zone"),
    (GOOD.replace("staging", "stageing"), ":4:", "is not one of tabletop", "waivers.yaml"),
    (GOOD.replace("    who: Ada\n", ""), ":2:", "is missing", 'add "who"'),
    (GOOD.replace("    why: no such net\n", ""), ":2:", "is missing", 'add "why"'),
    (GOOD.replace("    until: 2026-11-05\n", ""), ":2:", "is missing", 'add "until"'),
    (GOOD.replace("    scenario: A slow link\n", ""), ":2:", "is missing", 'add "scenario"'),
    (GOOD.replace("who: Ada", "who: ' '"), ":5:", "is empty", "write something"),
    (GOOD.replace("2026-11-05", "soon"), ":7:", '"soon"', "write a day"),
    (GOOD.replace("2026-11-05", "2026-11"), ":7:", "is a month, not a day", "write a day"),
    (GOOD + GOOD.removeprefix("cannot_run:\n"), ":8:", "is declared already, on line 2", "keep one of the two"),
    (GOOD + GOOD.removeprefix("cannot_run:\n").replace("    environment: staging\n", ""), ":8:", "already", "keep one"),
    (GOOD + "    whom: Bob\n", ":8:", "is not a field of a file of waivers", 'did you mean "who"?'),
    (GOOD.replace("cannot_run", "cannotrun"), ":1:", "is not a field", 'did you mean "cannot_run"?'),
]


@pytest.mark.parametrize(("text", "line", "what", "hint"), BAD, ids=[f"{at}" for at in range(len(BAD))])
def test_a_bad_declaration_is_refused(tmp_path: Path, text: str, line: str, what: str, hint: str) -> None:
    """With file, line, field and what to do; by the calendar as by whoever runs a drill."""
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    for read in (load, waivers.load):
        with pytest.raises(Refused) as refused:
            read(path, plan.load(PLAN), FEATURES)
        assert f"waivers.yaml{line}" in refused.value.message and what in refused.value.message
        assert hint in refused.value.hint and refused.value.exit is Exit.REFUSED


def test_problems_of_both_lists_are_one_error(tmp_path: Path) -> None:
    """Whoever mends the file sees all of it at once."""
    path = tmp_path / "waivers.yaml"
    path.write_text(f"waivers:\n  - {{drill: no, due: 2026-11, who: a, why: b, until: 2026-11-30}}\n{GOOD}".replace(
        "A slow link", "xyz"))  # fmt: skip  # arguments in groups
    with pytest.raises(Refused) as refused:
        waivers.load(path, plan.load(PLAN), FEATURES)
    first, second = refused.value.message.splitlines()
    assert ':2: waivers[1].drill: "no" is not a drill' in first
    assert ':5: cannot_run[1].scenario: "xyz" is not a scenario' in second


def test_one_that_is_over_counts_as_none() -> None:
    """On its last day it still holds; of several the one that lasts longest is used."""
    first = Declaration(SCENARIO, "Ada", "w", UNTIL)
    longer = replace(first, until=date(2026, 12, 31), environment="staging")
    asked = {"scenario": SCENARIO, "environment": "staging"}
    assert holding([first], **asked, day=UNTIL) is first
    assert holding([first], **asked, day=date(2026, 11, 6)) is None
    assert holding([first, longer], **asked, day=UNTIL) is longer
    assert holding([longer], scenario=SCENARIO, environment="production", day=UNTIL) is None
    assert first.ends(ZoneInfo("Europe/Berlin")).isoformat() == "2026-11-06T00:00:00+01:00"


# What is judged


def evidence(*, begin: str = "2026-11-05T22:59:59.999999Z", environment: str = "staging", **changed: Any) -> Evidence:
    """A scenario that was not begun, with a declaration; `changed`: of its line. `None` leaves that out."""
    said: dict[str, Any] = {
        "scenario": SCENARIO, "environment": "staging", "who": "Ada", "why": "no such net", "until": str(UNTIL),
        "ends": "2026-11-05T23:00:00.000000Z", **changed,
    }  # fmt: skip  # a table
    facts = [
        ("scenario.begin", {"scenario": SCENARIO, "title": TITLE}),
        ("expect", {"finding": "rto", "objective": "RTO", "limit": 60.0, "demands": ["INF-2"]}),
        ("declared", {name: value for name, value in said.items() if value is not None}),
        ("not_exercised", {"what": "a slow link", "why": "none", "capability": "Slowable", "given_by": "a net"}),
        ("scenario.end", {"scenario": SCENARIO, "outcome": NOT_EXERCISED, "error": "a slow link"}),
    ]
    lines = tuple(Line(seq, kind, seq, begin, data) for seq, (kind, data) in enumerate(facts, start=1))
    first = Line(0, "run.begin", 0, begin, {"environment": environment, "scenarios": [SCENARIO]})
    return Evidence(SCENARIO, lines, (), frozenset(), lambda _: (), lambda *_: (), run=(first, *lines))


def test_a_declared_scenario_is_left_out_of_the_verdict() -> None:
    """It is UNKNOWN, never green, and advisory: the rest decides. Where nothing else is, nothing was shown."""
    found = judge(evidence())
    why = "not exercised on this stack: a slow link"
    assert [(each.id, each.outcome, each.advisory) for each in found] == [
        ("rto", Outcome.UNKNOWN, True), ("scenario", Outcome.UNKNOWN, True)]  # fmt: skip  # a list
    assert [each.reason for each in found] == [why, f"{why}; it takes a net; {ADA}"]
    assert merge(found) is Outcome.UNKNOWN
    met = replace(found[0], scenario="other", outcome=Outcome.MET, advisory=False)
    assert merge([*found, met]) is Outcome.MET
    assert judge_run(evidence().run, [evidence()]) == found


@pytest.mark.parametrize(
    "changed",
    [
        {"who": ""}, {"who": None}, {"why": ""}, {"until": None}, {"ends": None}, {"ends": "soon"}, {"ends": 7},
        {"ends": "2026-11-05T22:59:59.999999Z"}, {"ends": "2026-11-05T23:00:00"},
        {"scenario": "another"}, {"scenario": None}, {"environment": "production"}, {"environment": None},
        {"begin": "2026-11-05T23:00:00.000000Z"},
    ],
    ids=str,
)  # fmt: skip  # a table
def test_a_declaration_that_is_none_changes_nothing(changed: dict[str, Any]) -> None:
    """Over when it was written down, of another scenario or class, or without one who says so: UNKNOWN, as ever."""
    found = judge(evidence(**changed))
    assert [(each.id, each.advisory) for each in found] == [("rto", False), ("scenario", False)]
    assert "declared" not in " ".join(each.reason for each in found)


def test_it_covers_nothing_that_was_done() -> None:
    """A scenario in which anything was done is judged by what was seen."""
    whole = evidence()
    hurt = Line(3, "fault.intent", 3, whole.lines[0].utc, {"fault": "slow_link", "injection": 1})
    found = judge(replace(whole, lines=(*whole.lines[:2], hurt, *whole.lines[2:])))
    assert merge(found) is not Outcome.MET and not all(each.advisory for each in found)


def test_older_rules_know_no_declaration() -> None:
    """What they say of a journal stays as it was, whatever stands in it."""
    assert not any(each.advisory for each in judge(evidence(), VERSION_4))
    assert [version for version, rules in TABLE.items() if rules.declared(evidence())] == ["6", "7", "8"]


# What calendar and gate say


def look(evidence: Path, *, today: str, now: tuple[Declaration, ...] = ()) -> tuple[Any, ...]:
    """Standing, checks and folder of a month in which the second scenario of the first drill was declared."""
    day, the_plan = date.fromisoformat(today), made_plan(duties=DUTIES[:1])
    folder = runs.read(evidence)
    found = standing.standings(the_plan, folder.runs, (), day, declared=now)
    scenarios = {(FIRST, name) for name in SCENARIOS[FIRST]}
    checks = gate.checks(folder, found, slower.comparisons(folder.runs), scenarios=scenarios, today=day)
    return the_plan, found, checks, folder, day


@pytest.mark.usefixtures("as_sealed")
def test_the_rest_of_the_drill_is_judged(tmp_path: Path) -> None:
    """The gate is open while the declaration holds, and says so everywhere; what was not met closes it as ever."""
    run(tmp_path / "e", Made(on("2026-11-02"), declared={"two": UNTIL}))
    the_plan, found, checks, folder, day = look(tmp_path / "e", today="2026-11-05")
    assert gate.outcome(checks) is Outcome.MET
    duty, left = checks[:2]
    assert duty.reason.endswith(" is MET for what was exercised")
    assert (left.kind, left.name, left.outcome, left.advisory) == ("declared", "Two", Outcome.UNKNOWN, True)
    assert left.reason == f"not exercised in {folder.runs[0].name}, for embedded cannot run it: {ADA}"
    assert ADA in calendar_text.gate(checks).replace("\n             ", "")
    junit = gate_junit.xml(checks, today=day).decode()
    assert 'name="what the platform cannot run"' in junit
    assert '<skipped type="UNKNOWN" message="advisory, UNKNOWN: not exercised in' in junit
    said = " ".join(calendar_text.calendar(the_plan, found, folder, day).split())
    assert "last: ✓ MET for what was exercised" in said and f"left out of it (advisory): “Two”, {ADA}" in said
    for shown in (
        calendar_text.gate_json(checks, folder, day)["checks"][1]["declared"],
        calendar_text.calendar_json(the_plan, found, folder, day)["duties"][0]["latest"]["left_out"][0]["declared"],
    ):
        assert (shown["scenario"], shown["who"], shown["until"], shown["holds"]) == ("two", "Ada", str(UNTIL), True)
    past = history.tell(the_plan, folder, found, day)
    assert f"left out of the verdict of the run: it cannot be run, {ADA}" in history_page.html(past)
    run(tmp_path / "e", Made(on("2026-11-03"), declared={"two": UNTIL}, verdicts={"one": "MISSED"}))
    assert gate.outcome(look(tmp_path / "e", today="2026-11-05")[2]) is Outcome.MISSED
    run(tmp_path / "e", Made(on("2026-11-04"), declared=dict.fromkeys(SCENARIOS[FIRST], UNTIL)))
    assert gate.outcome(look(tmp_path / "e", today="2026-11-05")[2]) is Outcome.UNKNOWN, "nothing was shown"


@pytest.mark.usefixtures("as_sealed")
def test_one_that_has_ended_since_the_run_counts_again(tmp_path: Path) -> None:
    """The gate is UNKNOWN from the day after on, unless it was prolonged; what was sealed stays as it is."""
    run(tmp_path / "e", Made(on("2026-11-02"), declared={"two": UNTIL}))
    checks = look(tmp_path / "e", today="2026-11-06")[2]
    assert gate.outcome(checks) is Outcome.UNKNOWN
    assert not checks[1].advisory and checks[1].reason.endswith(f"{ADA} (ended)")
    prolonged = Declaration("two", "Bob", "still none", date(2026, 12, 31), drill=FIRST, title="Two")
    the_plan, found, checks, folder, day = look(tmp_path / "e", today="2026-11-06", now=(prolonged,))
    assert gate.outcome(checks) is Outcome.MET and "(ended); now declared until 2026-12-31 by Bob" in checks[1].reason
    said = " ".join(calendar_text.calendar(the_plan, found, folder, day).split())
    assert "cannot be run (where a stack lacks what it takes): “Two”, declared until 2026-12-31 by Bob" in said
    ended = look(tmp_path / "e", today="2027-01-01", now=(prolonged,))
    assert "still none (ended)" in " ".join(calendar_text.calendar(*(ended[at] for at in (0, 1, 3, 4))).split())
    elsewhere = replace(prolonged, environment="staging")
    assert gate.outcome(look(tmp_path / "e", today="2026-11-06", now=(elsewhere,))[2]) is Outcome.UNKNOWN


@pytest.mark.usefixtures("as_sealed")
def test_what_was_unknown_is_not_made_good_afterwards(tmp_path: Path) -> None:
    """Only what the run itself has sealed is left out: a declaration of today changes no run of yesterday."""
    run(tmp_path / "e", Made(on("2026-11-02"), verdicts={"two": "UNKNOWN"}))
    late = Declaration("two", "Ada", "w", date(2026, 12, 31), drill=FIRST, title="Two")
    assert gate.outcome(look(tmp_path / "e", today="2026-11-05", now=(late,))[2]) is Outcome.UNKNOWN


def test_a_journal_of_any_kind_is_read(tmp_path: Path) -> None:
    """What is damaged in it says nothing."""
    lines = [
        {"kind": "recovery.reached", "data": {"bytes": 7}},
        {"kind": "scenario.begin", "data": {"scenario": "one"}},
        *({"kind": "recovery.reached", "data": {"bytes": size}} for size in (5, 9, 3, -1, True, "12", 10**19, None)),
        {"kind": "declared", "data": {"scenario": "one", "who": "a\x1b[1m", "why": "b", "until": "2026-11-05"}},
        *({"kind": "declared", "data": data} for data in ({}, {"scenario": "x", "who": "", "why": "", "until": "no"})),
        {"kind": "recovery.reached"},
        {"kind": "other", "data": {"said": "recovery.reached"}},
    ]
    path = tmp_path / "journal.jsonl"
    path.write_text("\n".join([*(json.dumps(line) for line in lines), '"declared"', '{"declared', "[]"]))
    found = told.read(path)
    assert found.restored == {"one": 9}
    assert {name: each.who for name, each in found.declared.items()} == {"one": "a\\x1b[1m"}
