"""Streams: two runners that work at the same time have a chain each, and a folder is complete stream by stream."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from harness.checks import Outcome
from harness.errors import Refused
from harness.evidence import receipts
from harness.evidence.numbers import newest
from harness.evidence.verify import FolderReport, Receipt, check_receipts, receipts_in, verify_folder
from harness.schedule import gate, runs, standing, streams
from harness.schedule.past import Folder, in_order
from harness.schedule.series import Gap
from reports.calendar import text as calendar_text
from reports.past import history
from tests.made_months import DUTIES, FIRST, SECOND, Made, made_plan, on, past, run
from tests.made_packs import OUR_PRINT

pytestmark = pytest.mark.usefixtures("as_sealed")

NAMES = ("ci-a", "ci-b")
PLAN = replace(made_plan(duties=DUTIES[:2]), streams={"ci-a": "the first runner", "ci-b": "the second one"})
A = tuple(Made(on(f"2026-11-{day:02}", 10), stream="ci-a", streams=NAMES) for day in (2, 3, 5))
B = tuple(Made(on(f"2026-11-{day:02}", 11), (SECOND,), stream="ci-b", streams=NAMES) for day in (2, 9))


def told(pack: Path) -> None:
    """Its receipts, as a run leaves them beside the packs."""
    for receipt in receipts.both(pack):
        receipts.add(pack.parent, receipt)


@pytest.fixture
def packs(tmp_path: Path) -> list[Path]:
    """Those of two runners, each in a folder of its own, put together by an auditor; their receipts in one file."""
    made = [run(tmp_path / each.stream, each) for each in (A[0], B[0], A[1], A[2], B[1])]
    (tmp_path / "e").mkdir()
    for pack in made:
        told(pack)
        shutil.copytree(pack, tmp_path / "e" / pack.name)
    mails = "".join((tmp_path / name / receipts.NAME).read_text() for name in NAMES)
    (tmp_path / "e" / receipts.NAME).write_text(mails)
    (tmp_path / "mails.txt").write_text(mails)
    return [tmp_path / "e" / pack.name for pack in made]


def held(tmp_path: Path) -> FolderReport:
    answer = verify_folder(tmp_path / "e", key=OUR_PRINT)
    check_receipts(answer, tmp_path / "mails.txt")
    return answer


def folder(tmp_path: Path) -> Folder:
    return streams.said_of(PLAN, runs.read(tmp_path / "e"))


def evidence_check(found: Folder, *, today: date = date(2026, 11, 25)) -> gate.Check:
    standings = standing.standings(PLAN, found.runs, (), today)
    return next(
        check
        for check in gate.checks(found, standings, (), scenarios=set(), today=today)
        if check.name == "the packs of the folder"
    )


def test_two_runners_at_the_same_time_fork_nothing(tmp_path: Path, packs: list[Path]) -> None:
    """Each has the numbers 1, 2, … for itself; put together they are whole, by packs and by receipts."""
    answer = held(tmp_path)
    assert answer.outcome == "MET", answer.problems
    assert {(pack.facts["stream"], pack.facts["number"]) for pack in answer.packs} == {
        ("ci-a", 1), ("ci-a", 2), ("ci-a", 3), ("ci-b", 1), ("ci-b", 2),
    }  # fmt: skip  # a table
    assert newest(tmp_path / "e", stream="ci-a")[0] == 3 and newest(tmp_path / "e", stream="ci-b")[0] == 2
    assert newest(tmp_path / "e", stream="new") == (0, "none")
    found = folder(tmp_path)
    assert (found.gaps, found.notes, found.remarks) == ((), (), ())
    assert evidence_check(found).outcome is Outcome.MET
    assert "run 1 to 2 of the stream ci-b is missing" in evidence_check(found).reason


def test_without_streams_they_would_have_forked(tmp_path: Path) -> None:
    """The same two runners, with the one chain that there was."""
    for at, each in enumerate((A[0], B[0])):
        pack = run(tmp_path / str(at), replace(each, stream="main"))
        shutil.copytree(pack, tmp_path / "e" / pack.name)
    assert verify_folder(tmp_path / "e").names() == {"duplicate", "branch"}


def test_what_is_missing_is_missing_in_its_stream(tmp_path: Path, packs: list[Path]) -> None:
    """That the other stream has a pack of the number is no excuse."""
    shutil.rmtree(packs[2])
    assert {"gap", "receipt-no-pack"} <= held(tmp_path).names()
    assert any("run 2 of the stream ci-a" in problem.text for problem in held(tmp_path).problems)
    found = folder(tmp_path)
    assert found.gaps == (Gap("ci-a", range(2, 3)),)
    assert "run 2 of the stream ci-a is missing" in "\n".join(calendar_text.about(found))
    assert calendar_text.folder_json(found)["missing_numbers"] == {"ci-a": [2]}
    told_of = history.tell(PLAN, found, (), date(2026, 11, 25))
    whats = [entry.what for entry in told_of.entries]
    gap = next(place for place, what in enumerate(whats) if "is missing" in what)
    assert packs[3].name in whats[gap + 1] and "of the stream ci-a" in whats[gap + 1]


def test_a_pack_that_was_put_into_another_stream_is_replaced(tmp_path: Path, packs: list[Path]) -> None:
    """The second of a stream names the first one of its own."""
    shutil.rmtree(packs[1])
    made = run(tmp_path / "other", replace(B[0], at=on("2026-11-04")))
    shutil.copytree(made, tmp_path / "e" / made.name)
    assert {"replaced", "receipt-no-pack"} <= held(tmp_path).names()


def test_an_empty_stream_is_said(tmp_path: Path, packs: list[Path]) -> None:
    """Whoever removes all packs of one leaves no gap."""
    for pack in (packs[1], packs[4]):
        shutil.rmtree(pack)
    answer = verify_folder(tmp_path / "e", key=OUR_PRINT)
    assert "the stream ci-b is declared in the plan and has no pack here" in answer.notes
    assert {"receipt-no-pack"} == held(tmp_path).names()
    found = folder(tmp_path)
    assert "the stream ci-b of the plan has no pack here" in found.remarks
    assert "the stream ci-b of the plan has no pack here" in "\n".join(calendar_text.about(found))
    assert found.gaps == (Gap("ci-b", range(1, 3)),)  # by the receipts, which lie beside the packs
    (tmp_path / "e" / receipts.NAME).unlink()
    quiet = evidence_check(folder(tmp_path))
    assert quiet.outcome is Outcome.MET and "the stream ci-b of the plan has no pack here" in quiet.reason


def test_a_pack_of_an_undeclared_stream_is_said(tmp_path: Path, packs: list[Path]) -> None:
    """By the plan of the newest pack; and by the project's own the gate is not open."""
    pack = run(tmp_path / "e", Made(on("2026-11-04"), stream="ci-x", streams=("ci-x",)))
    notes = verify_folder(tmp_path / "e").notes
    assert any(note.startswith("the stream ci-x is not declared") and pack.name in note for note in notes)
    check = evidence_check(folder(tmp_path))
    assert check.outcome is Outcome.UNKNOWN and f"ci-x is not declared in the plan: {pack.name}" in check.reason


def test_a_damaged_pack_of_another_stream_that_is_newer_closes_the_gate(tmp_path: Path, packs: list[Path]) -> None:
    """Newer by the time it names, since numbers of two streams say nothing of each other."""
    old, new = packs[2], packs[4]
    for pack, outcome in ((old, Outcome.MET), (new, Outcome.UNKNOWN)):
        journal = pack / "journal.jsonl"
        before = journal.read_bytes()
        journal.write_bytes(before.replace(b'"cpus":2', b'"cpus":3'))
        found = runs.read(tmp_path / "e")
        kept = replace(found, runs=tuple(each for each in found.runs if each.stream == "ci-a" or each.problem))
        latest = standing.standings(made_plan(duties=DUTIES[:1]), kept.runs, (), date(2026, 11, 25))
        said = gate.checks(kept, latest, (), scenarios=set(), today=date(2026, 11, 25))
        check = next(each for each in said if each.name == "the packs of the folder")
        assert (check.outcome, pack.name in check.reason) == (outcome, outcome is Outcome.UNKNOWN), check.reason
        journal.write_bytes(before)


def test_runs_of_streams_are_shown_by_time_and_each_stream_by_number() -> None:
    """A clock that was set does not change the order within a stream."""
    one, two = past("2026-11-02", number=1), past("2026-11-01", number=2)
    other = replace(past("2026-11-03", number=1), stream="b", folder=Path("evidence/b-1"))
    assert in_order([other, two, one]) == [one, two, other]
    assert two.is_after(one) and not one.is_after(two) and other.is_after(two)
    assert replace(other, began=None).is_after(two)


# Receipts


def test_receipts_name_their_stream() -> None:
    """Those of version 1 are of the one that there was; a letter of the stream that was changed is damage."""
    begin, end = Receipt(7, nonce="n", first="ab" * 32, stream="ci-a"), Receipt(7, payload="cd" * 32, stream="ci-a")
    assert begin.line.startswith("drdrill-receipt 2 begin stream:ci-a number:7 nonce:n first:")
    assert receipts_in(f"{begin.line}\n{end.line}\n".encode()) == ([begin, end], [])
    old = Receipt(7, payload="cd" * 32)
    assert old.old_line.startswith("drdrill-receipt 1 end number:7 payload:") and old.stream == "main"
    assert receipts_in(f"{old.old_line}\n{old.line}\n".encode()) == ([old], [])
    found, problems = receipts_in(end.line.replace("ci-a", "ci-b").encode())
    assert found == [] and [problem.name for problem in problems] == ["receipt-damaged"]


# The plan


def test_which_stream_is_meant() -> None:
    """Without a name `main`, or the only one; a wrong name is told with the closest."""
    assert made_plan().stream() == "main" and replace(PLAN, streams={"x": "y"}).stream() == "x"
    assert PLAN.stream("ci-b") == "ci-b"
    with pytest.raises(Refused, match='no stream "ci-bb"') as wrong:
        PLAN.stream("ci-bb")
    assert wrong.value.hint == 'did you mean "ci-b"?'
    with pytest.raises(Refused, match="several streams") as none:
        PLAN.stream()
    assert none.value.hint == "name one with --stream: ci-a, ci-b"


# Runs that count for nothing


@pytest.mark.parametrize(
    ("made", "why"),
    [(Made(on("2026-11-02"), rehearsal=True), "rehearsal"),
     (Made(on("2026-11-02"), compression=60), "clock compressed 1:60")],
    ids=["rehearsal", "compressed"],
)  # fmt: skip  # a table
def test_a_rehearsal_does_no_duty(tmp_path: Path, made: Made, why: str) -> None:
    """Nor does it close a gate where it missed; calendar and history say what it was."""
    run(tmp_path / "e", Made(on("2026-11-01")))
    run(tmp_path / "e", replace(made, verdicts={"one": "MISSED"}))
    plan = made_plan(duties=DUTIES[:1])
    found, today = runs.read(tmp_path / "e"), date(2026, 11, 5)
    standings = standing.standings(plan, found.runs, (), today)
    assert standings[0].latest is found.runs[0] and why in found.runs[1].why_not()
    checks = gate.checks(found, standings, (), scenarios=set(), today=today)
    assert gate.outcome(checks) is Outcome.MET
    assert why in "\n".join(calendar_text.about(found))
    shown = history.tell(plan, found, standings, today).entries[1]
    assert shown.run and shown.run.said == f"MISSED, {why}" and f"{why}: does no duty" in shown.marks


def test_a_duty_may_name_the_least_environment() -> None:
    """What ran further from customers does not do it; what ran nearer does."""
    plan = made_plan(duties=[replace(DUTIES[0], at_least="staging")])
    small = past("2026-11-02")
    assert small.counts_for(FIRST) and not small.counts_for(FIRST, at_least="staging")
    real = replace(small, likeness=replace(small.likeness, environment="production"))
    today = date(2026, 11, 5)
    assert [standing.standings(plan, [each], (), today)[0].latest for each in (small, real)] == [None, real]
    assert "on staging at least" in calendar_text.when(plan.calendar[0])
