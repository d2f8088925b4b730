"""The gate of a CI, on sealed packs of made-up drills: what closes it, and that nothing else opens it."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from harness.checks import Outcome
from harness.checks.again import judge_again
from harness.evidence.withhold import redact_copy
from harness.schedule import gate, runs, slower, standing
from harness.schedule.gate import Check
from harness.schedule.waivers import Waiver
from harness.schedule.whole import whole as whole_drills
from reports.calendar import gate_junit
from reports.calendar import text as calendar_text
from reports.past import history
from tests import junit_rules
from tests.made_months import DUTIES, FIRST, SCENARIOS, SECOND, Made, made_plan, on, run
from tests.made_packs import OTHERS, OUR_PRINT

pytestmark = pytest.mark.usefixtures("as_sealed")

PLAN = made_plan(duties=(DUTIES[0], DUTIES[1], DUTIES[3]))  # two monthly ones, and one that is not built
NOW = {(drill, name) for drill, names in SCENARIOS.items() for name in names}
TODAY = date(2026, 11, 25)
DONE = (Made(on("2026-11-02")), Made(on("2026-11-09"), (SECOND,)))


def look(
    evidence: Path, *made: Made, today: date = TODAY, waivers: tuple[Waiver, ...] = (), key: str | None = None
) -> list[Check]:
    for each in made:
        run(evidence, each)
    folder = runs.read(evidence, key=key).until(today, PLAN.time_zone)
    found = standing.standings(PLAN, folder.runs, waivers, today)
    return gate.checks(folder, found, slower.comparisons(folder.runs), scenarios=NOW, today=today)


def of(found: list[Check], name: str) -> Check:
    return next(check for check in found if name in check.name)


def test_all_done_and_met_is_open(tmp_path: Path) -> None:
    """Every duty that is built was done and is MET; what is not built and what is too new to tell is neither."""
    found = look(tmp_path / "e", *DONE)
    assert gate.outcome(found) is Outcome.MET
    assert of(found, "Year Drill").advisory and "not built: needs people" in of(found, "Year Drill").reason
    few = [check for check in found if check.kind == "regression"]
    assert len(few) == 3 and all(check.advisory and "too few to tell" in check.reason for check in few)
    said = calendar_text.gate(found)
    assert "3 figures have fewer than 5 earlier runs like theirs" in said and few[0].name not in said


def test_one_run_of_several_drills_does_each(tmp_path: Path) -> None:
    """`drdrill run monthly` is one run; a drill of it that missed closes the gate, and not for the others."""
    found = look(tmp_path / "e", Made(on("2026-11-10"), (FIRST, SECOND), verdicts={"three": "MISSED"}))
    assert of(found, "First Drill").outcome is Outcome.MET
    assert of(found, "Second Drill").outcome is Outcome.MISSED
    assert gate.outcome(found) is Outcome.MISSED


@pytest.mark.parametrize(
    ("made", "outcome", "why"),
    [
        (DONE[:1], Outcome.MISSED, "late: due 2026-11-09, 16 days ago"),
        ((*DONE[:1], Made(on("2026-11-09"), (SECOND,), verdicts={"three": "MISSED"})), Outcome.MISSED, "is MISSED"),
        ((*DONE[:1], Made(on("2026-11-09"), (SECOND,), verdicts={"three": "UNKNOWN"})), Outcome.UNKNOWN, "is UNKNOWN"),
        ((*DONE[:1], Made(on("2026-11-09"), (SECOND,), outcome="stopped")), Outcome.MISSED, "late"),
        ((*DONE[:1], Made(on("2026-11-09"), (SECOND,), sabotage="no-archiving")), Outcome.MISSED, "late"),
        ((*DONE, Made(on("2026-11-10"), (SECOND,), verdicts={"three": "MISSED"}, outcome="stopped")),
         Outcome.MISSED, "which is newer and does not count"),
        ((*DONE, Made(on("2026-11-10"), (SECOND,), verdicts={"three": "MISSED"}, sabotage="x")), Outcome.MET, "is MET"),
        ((*DONE, Made(on("2026-11-10"), (SECOND,), verdicts={"three": "MISSED"}, outcome="aborted")),
         Outcome.MET, "is MET"),
        ((*DONE, Made(on("2026-11-10"), (SECOND,), verdicts={"three": "MISSED"}), Made(on("2026-11-11"), (SECOND,))),
         Outcome.MET, "is MET"),
    ],
)  # fmt: skip  # a table
def test_what_closes_it(tmp_path: Path, made: tuple[Made, ...], outcome: Outcome, why: str) -> None:
    """Late, missed, unknown; a run that was stopped launders nothing, a sabotaged or aborted one says nothing."""
    found = look(tmp_path / "e", *made)
    assert gate.outcome(found) is outcome
    assert why in of(found, "Second Drill").reason


def test_a_part_of_a_drill_does_no_duty(tmp_path: Path) -> None:
    """`--only` leaves it late; when such a run missed, it closes the gate all the same."""
    found = look(tmp_path / "e", DONE[1], Made(on("2026-11-02"), only="one"))
    assert "late" in of(found, "First Drill").reason
    worse = look(tmp_path / "f", *DONE, Made(on("2026-11-11"), only="one", verdicts={"one": "MISSED"}))
    assert of(worse, "First Drill").outcome is Outcome.MISSED


def test_without_a_pack_nothing_was_shown(tmp_path: Path) -> None:
    """Late where a date has passed; on a day on which none has, UNKNOWN: never open."""
    assert gate.outcome(look(tmp_path / "none")) is Outcome.MISSED
    assert gate.outcome(look(tmp_path / "none", today=date(2026, 11, 1))) is Outcome.UNKNOWN
    waivers = tuple(Waiver(drill, "2026-11", "Ada", "moving", date(2026, 12, 1), 2) for drill in (FIRST, SECOND))
    assert gate.outcome(look(tmp_path / "none", waivers=waivers)) is Outcome.UNKNOWN


def test_a_waiver_holds_it_open_until_it_ends(tmp_path: Path) -> None:
    """Who, why and until when stand in the reason; the day after, it is closed."""
    waived = (Waiver(SECOND, "2026-11", "Ada", "a holiday", TODAY, 2),)
    found = look(tmp_path / "e", DONE[0], waivers=waived)
    assert gate.outcome(found) is Outcome.MET
    second = of(found, "Second Drill")
    assert second.advisory and "waived until 2026-11-25 by Ada: a holiday" in second.reason
    assert gate.outcome(look(tmp_path / "e", today=date(2026, 11, 26), waivers=waived)) is Outcome.MISSED


def test_a_damaged_pack_never_counts(tmp_path: Path) -> None:
    """Its drill is late again; and where it is newer than what counts, the gate says that it cannot know."""
    evidence = tmp_path / "e"
    look(evidence, *DONE)
    newest = sorted(evidence.iterdir())[-1]
    findings = newest / "findings.json"
    findings.write_text(findings.read_text().replace("MET", "MISSED"))
    found = look(evidence)
    assert "late" in of(found, "Second Drill").reason
    assert "does not verify: file-changed: findings.json" in of(found, "packs of the folder").reason
    run(evidence, Made(on("2026-11-12"), (FIRST, SECOND)))
    assert gate.outcome(look(evidence)) is Outcome.MET, "what counts is newer than the damage"


def test_a_missing_run_leaves_it_unknown(tmp_path: Path) -> None:
    """A run that was removed after the ones that count could have said otherwise."""
    evidence = tmp_path / "e"
    look(evidence, *DONE, Made(on("2026-11-20"), verdicts={"one": "MISSED"}), Made(on("2026-11-21"), (SECOND,)))
    shutil.rmtree(sorted(evidence.iterdir())[2])
    found = look(evidence)
    assert gate.outcome(found) is Outcome.UNKNOWN
    assert "run 3 is missing" in of(found, "packs of the folder").reason


def test_an_unfinished_run_leaves_it_unknown(tmp_path: Path) -> None:
    """It goes on, or was killed; `drdrill heal` seals it. A folder of proofs is no history."""
    evidence = tmp_path / "e"
    look(evidence, *DONE)
    shutil.copytree(sorted(evidence.iterdir())[0], evidence / "proof-x" / "run-1")
    assert gate.outcome(look(evidence)) is Outcome.MET
    (evidence / "run-x.unfinished").mkdir()
    assert gate.outcome(look(evidence)) is Outcome.UNKNOWN


def test_a_copy_of_a_pack_counts_once(tmp_path: Path) -> None:
    """The same pack under another name is listed as a copy, and does no second month."""
    evidence = tmp_path / "e"
    look(evidence, *DONE)
    first = sorted(evidence.iterdir())[0]
    shutil.copytree(first, evidence / "z-copy")
    copies = [each for each in runs.read(evidence).runs if each.problem]
    assert [(each.name, each.problem) for each in copies] == [("z-copy", f"it is a copy of {first.name}")]


@pytest.mark.parametrize("name", ["0-copy", "z-copy"])
@pytest.mark.parametrize("how", ["file", "envelope", "journal", "withheld", "not at all"])
def test_a_spoiled_copy_takes_no_duty_away(tmp_path: Path, name: str, how: str) -> None:
    """Whatever it is called, and also where its envelope itself is spoiled: the sound pack beside it speaks for it."""
    evidence = tmp_path / "e"
    look(evidence, *DONE)
    sound = sorted(evidence.iterdir())[-1]
    copy = evidence / name
    if how == "withheld":
        redact_copy(sound, copy, [2, 3])
    else:
        shutil.copytree(sound, copy)
    if how in ("file", "envelope", "journal"):
        path = copy / {"file": "findings.json", "envelope": "pack.dsse.json", "journal": "journal.jsonl"}[how]
        path.write_bytes(path.read_bytes().replace(b"e", b"E", 1))
    found = look(evidence)
    assert of(found, "Second Drill").outcome is Outcome.MET
    assert gate.outcome(found) is Outcome.MET, "it could not have said otherwise: what it is a copy of is here"
    assert f"{name} is left alone: it is a" in of(found, "packs of the folder").reason
    (spoiled,) = (each for each in runs.read(evidence).runs if each.problem)
    assert spoiled.name == name and sound.name in spoiled.problem


def test_withheld_lines_do_no_duty(tmp_path: Path) -> None:
    """Whoever holds no key can withhold them; what they said cannot be judged, and the reason says so everywhere."""
    evidence = tmp_path / "e"
    look(evidence, *DONE)
    whole = sorted(evidence.iterdir())[-1]
    redact_copy(whole, tmp_path / "copy", [2])
    shutil.rmtree(whole)
    (tmp_path / "copy").rename(whole)
    found = look(evidence)
    assert "late" in of(found, "Second Drill").reason
    assert "withheld: 1 line of its journal cannot be read" in of(found, "packs of the folder").reason
    folder = runs.read(evidence)
    assert any("withheld: 1 line" in line for line in calendar_text.about(folder))
    told = history.tell(PLAN, folder, standing.standings(PLAN, folder.runs, (), TODAY), TODAY)
    assert any("withheld: 1 line" in mark for entry in told.entries for mark in entry.marks)


def test_without_a_key_anybody_opens_it(tmp_path: Path) -> None:
    """It says so in words, to a machine and in JUnit; with a key it does not, and nothing else opens it for that."""
    evidence = tmp_path / "e"
    look(evidence, DONE[0])
    run(evidence, DONE[1], key=OTHERS)
    for key in (None, OUR_PRINT):
        found = look(evidence, key=key)
        folder = runs.read(evidence, key=key)
        told = (
            calendar_text.gate(found),
            json.dumps(calendar_text.gate_json(found, folder, TODAY)),
            gate_junit.xml(found, today=TODAY).decode(),
        )
        for each in told:
            words = " ".join(each.split())
            assert ("whoever can write this folder opens the gate" in words) == (key is None)
            assert "sealed with 2 keys" in words
        assert gate.outcome(found) is (Outcome.MET if key is None else Outcome.MISSED)
        assert any("sealed with 2 keys" in line for line in calendar_text.about(folder))
        shown = history.tell(PLAN, folder, standing.standings(PLAN, folder.runs, (), TODAY), TODAY)
        assert any("sealed with 2 keys" in note for note in shown.notes)
        assert calendar_text.folder_json(folder)["key"] == key
    alone = [check for check in look(tmp_path / "none", today=date(2026, 11, 1)) if not check.advisory]
    assert gate.outcome(alone) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("announced", "verdicts", "whole"),
    [
        (["one", "two"], ["one", "two"], True),
        (["two", "one", "three"], ["one", "two", "three"], True),
        (["one"], ["one"], False),
        (["one", "two"], ["one"], False),
        (["one", "two", "two"], ["one", "two"], False),
        (["one", "two", "three", "three"], ["one", "two", "three"], True),
        (["one", "two", ""], ["one", "two", ""], False),
        (["one", "two", "ten"], ["one", "two"], False),
    ],
)
def test_each_announced_scenario_is_counted(announced: list[str], verdicts: list[str], whole: bool) -> None:
    """As a list: one that is there twice, has no verdict, or is of no drill leaves the drill unfinished."""
    known = {FIRST: (("one", "One"), ("two", "Two")), SECOND: (("three", "Three"),)}
    found = whole_drills(known, announced, dict.fromkeys(verdicts, Outcome.MET))
    assert (FIRST in found) == whole
    twice = {FIRST: (*known[FIRST], ("two", "Two!")), SECOND: known[SECOND]}
    assert FIRST not in whole_drills(twice, announced, dict.fromkeys(verdicts, Outcome.MET))


def test_many_packs_are_read_as_few_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verified by several processes, they give the same answers."""
    look(tmp_path / "e", *DONE)
    damaged = run(tmp_path / "e", Made(on("2026-11-12"))) / "findings.json"
    damaged.write_text("{}")
    real = lambda pack, signed: judge_again(pack, signed=signed)  # noqa: E731  other processes have no other
    monkeypatch.setattr(runs, "judge_again", real)
    few = runs.read(tmp_path / "e", key=OUR_PRINT)
    monkeypatch.setattr(runs, "MANY", 1)
    assert runs.read(tmp_path / "e", key=OUR_PRINT) == few


def test_the_key_says_whose_packs_count(tmp_path: Path) -> None:
    """Sealed by somebody else, a run does not count where a key is given."""
    evidence = tmp_path / "e"
    for made in DONE:
        run(evidence, made, key=OTHERS)
    assert gate.outcome(look(evidence)) is Outcome.MET
    assert gate.outcome(look(evidence, key=OUR_PRINT)) is Outcome.MISSED


def test_slower_closes_it(tmp_path: Path) -> None:
    """With its reason; a scenario that is no longer in the features is left alone."""
    evidence = tmp_path / "e"
    usual = [Made(on(f"2026-11-{day:02}"), (FIRST, SECOND)) for day in range(9, 14)]
    found = look(evidence, *usual, Made(on("2026-11-14"), (FIRST, SECOND), rto=40.0))
    slow = of(found, "Three: recovery time")
    assert slow.outcome is Outcome.MISSED
    assert slow.reason.startswith("slower: 40.0 s in 20261114") and "limit 22.0 s, median 20.0 s of 5" in slow.reason
    assert gate.outcome(found) is Outcome.MISSED
    folder = runs.read(evidence)
    standings = standing.standings(PLAN, folder.runs, (), TODAY)
    none = gate.checks(folder, standings, slower.comparisons(folder.runs), scenarios=set(), today=TODAY)
    assert gate.outcome(none) is Outcome.MET


def test_the_reasons_are_in_junit(tmp_path: Path) -> None:
    """One case for each duty, each comparison and the folder; only what is advisory is skipped."""
    made = Made(on("2026-11-09"), (SECOND,), verdicts={"three": "UNKNOWN"})
    found = look(tmp_path / "e", made)
    root = Xml.fromstring(gate_junit.xml(found, today=TODAY))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert len(cases) == len(found)
    assert "late: due 2026-11-02" in (cases["First Drill"].find("failure").get("message") or "")
    assert cases["Second Drill"].find("error").get("type") == "UNKNOWN"
    assert "not built" in (cases["Year Drill"].find("skipped").get("message") or "")
    totals = [sum(case.find(tag) is not None for case in cases.values()) for tag in ("failure", "error", "skipped")]
    assert [root.get("failures"), root.get("errors")] == list(map(str, totals[:2])) and totals[2]
    assert junit_rules.broken(root) == []
    assert json.loads(json.dumps([vars(check) for check in found])), "it can be told to a machine"
