"""Calendar and history as they are told, on sealed packs of made-up drills."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.checks import Outcome
from harness.cli import drdrill, month
from harness.cli.month import Month
from harness.cli.run import RunRequest
from harness.errors import Exit, Refused
from harness.project import Project
from harness.schedule import runs, standing
from harness.schedule.waivers import Waiver
from harness.system import clock
from reports.past import history
from reports.past import page as history_page
from reports.past import text as history_text
from tests.made_months import DUTIES, FIRST, SECOND, Made, made_plan, on, run
from tests.this_project import PROJECT

pytestmark = pytest.mark.usefixtures("as_sealed")

PLAN = made_plan()
HELD = Waiver(SECOND, "2026-11", "Ada", "a holiday", date(2026, 12, 24), 2)


def tell(evidence: Path, *, today: str, waivers: tuple[Waiver, ...] = ()) -> history.History:
    day = date.fromisoformat(today)
    folder = runs.read(evidence).until(day, PLAN.time_zone)
    return history.tell(PLAN, folder, standing.standings(PLAN, folder.runs, waivers, day), day)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven runs of two months; the fifth is gone, and the second drill was never run whole."""
    folder = tmp_path_factory.mktemp("months") / "evidence"
    for day in ("02", "03", "04"):
        run(folder, Made(on(f"2026-11-{day}")))
    run(folder, Made(on("2026-11-10"), (SECOND,), outcome="stopped", verdicts={"three": "UNKNOWN"}))
    gone = run(folder, Made(on("2026-11-11")))
    run(folder, Made(on("2026-11-12"), (FIRST, SECOND), sabotage="no-archiving", verdicts={"one": "MISSED"}, rto=90.0))
    run(folder, Made(on("2026-12-20"), (FIRST,), rto=30.0, only="one"))
    shutil.rmtree(gone)
    return folder


def test_every_run_is_there_in_order(evidence: Path) -> None:
    """With what was wrong with it; the number that is missing and the date that was missed stand where they belong."""
    told = tell(evidence, today="2026-12-21", waivers=(HELD,))
    kinds = [each.kind for each in told.entries]
    assert kinds == ["run", "run", "run", "run", "gap", "run", "missed", "run", "late", "late"]
    said = " / ".join(each.what for each in told.entries)
    assert "run 5 is missing" in said
    assert "Second Drill, missed: due 2026-11-09, and not run until 2026-12-14, the next date (waived until" in said
    marks = [each.marks for each in told.entries if each.kind == "run"]
    assert marks[3] == ("stopped",)
    assert marks[4] == ("sabotaged on purpose: no-archiving",)
    assert marks[5] == ("first-drill: not all of its scenarios",)


def test_trends_are_of_like_runs_that_count(evidence: Path) -> None:
    """Neither the sabotaged nor the stopped run is in them; too few are too few to tell."""
    told = tell(evidence, today="2026-12-21")
    one = next(trend for trend in told.trends if trend.title == "One")
    assert [point.figure.figure for point in one.points] == [20.0, 20.0, 20.0, 30.0]
    assert "too few to tell" in one.said
    assert not [trend for trend in told.trends if trend.title == "Three"]


def test_it_reads_well_in_a_terminal(evidence: Path) -> None:
    """At most 100 columns; each run, its verdicts and figures, and a small picture of each trend."""
    said = history_text.lines(tell(evidence, today="2026-12-21"))
    assert max(len(line) for line in said.splitlines() if str(evidence) not in line) <= 100
    assert "\n6 sealed runs in " in said
    assert "✓ MET      One: recovery time 30.0 s (29.7 to 30.0)" in said
    assert re.search(r"▆▆▆█  30.0 s", said)
    assert history_text.lines(tell(evidence.parent / "none", today="2026-11-01")).splitlines()[3] == "nothing so far"


def test_the_page_needs_nothing_else(evidence: Path) -> None:
    """One file without links to anything; hostile words are shown and never obeyed; the same bytes again."""
    told = tell(evidence, today="2026-12-21", waivers=(Waiver(SECOND, "2026-11", "<b>Ada", "<script>", HELD.until, 2),))
    page = history_page.html(told)
    assert page == history_page.html(told)
    assert not re.search(r"<(script|link|img|iframe)|https?://(?!www\.w3\.org/)", page)
    assert "&lt;script&gt;" in page and "&lt;b&gt;Ada" in page
    assert page.count("<svg") == len(told.trends) == 2
    assert history_page.html(tell(evidence.parent / "none", today="2026-11-01")).count("No run so far.") == 1


def test_it_can_be_told_to_a_machine(evidence: Path) -> None:
    """The same entries, with numbers in place of words."""
    content = json.loads(history.as_json(tell(evidence, today="2026-12-21")))
    assert [each["kind"] for each in content["history"]].count("run") == 6
    assert content["history"][0]["scenarios"][0]["title"] == "One"
    assert content["trends"][0]["points"][-1]["figure"] == 30.0


# What cannot be read


@pytest.mark.parametrize("file", ["findings.json", "journal.jsonl", "pack.dsse.json", "features"])
@pytest.mark.parametrize("how", ["gone", "empty", "rubbish"])
def test_a_damaged_pack_is_a_run_with_a_problem(tmp_path: Path, file: str, how: str) -> None:
    """Whatever is damaged, it is listed and never counts, and the others are read as before."""
    folder = tmp_path / "e"
    run(folder, Made(on("2026-11-02")))
    path = run(folder, Made(on("2026-11-03"))) / file
    if file == "features":
        path = next(path.glob("*/*.feature"))
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(b"" if how == "empty" else b'{"data":[1],"kind":7,"verdicts":[]\xff\n')
    found = runs.read(folder).runs
    assert sorted(bool(each.problem) for each in found) == [False, True]
    assert not next(each for each in found if each.problem).counts_for(FIRST)
    told = tell(folder, today="2026-11-04")
    (shown,) = (each for each in told.entries if each.run and each.run.problem)
    assert shown.run and shown.run.verdict is Outcome.UNKNOWN and shown.lines == ()
    assert "does not verify, so what it says is not shown" in history_text.lines(told)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """So is a key that is none."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(Refused, match="Not a directory"):
        runs.read(tmp_path / "file")
    tmp_path.joinpath("e").mkdir()
    with pytest.raises(Refused, match="64"):
        runs.read(tmp_path / "e", key="a" * 20)


# The commands


def drill(*words: str) -> Result:
    return CliRunner().invoke(drdrill, list(words))


@pytest.fixture
def made_month(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands see the made-up calendar."""

    def look(_: Project, evidence: Path, *, key: str | None = None, today: date | None = None) -> Month:
        day = today or date(2026, 11, 25)
        folder = runs.read(evidence, key=key).until(day, PLAN.time_zone)
        return Month(PLAN, folder, day, (HELD,))

    monkeypatch.setattr(month, "look", look)


@pytest.mark.usefixtures("made_month")
def test_the_calendar_says_all_of_it(evidence: Path, tmp_path: Path) -> None:
    """Due, done, waived, not built, next dates and what does not count; the calendar file beside it; JSON."""
    done = drill("calendar", "--evidence", str(evidence), "--ics", str(tmp_path / "drills.ics"))
    assert done.exit_code == 0
    assert max(map(len, done.output.splitlines())) <= 100 + len(str(tmp_path))
    for words in (
        "First Drill, first Monday of the month, on embedded at least: done for 2026-11",
        "Second Drill, second Monday of the month, on embedded at least: waived",
        "waived until 2026-12-24 by Ada: a holiday",
        "Quarter Drill, by the last day of March, June, September, December, on embedded at least: not yet due",
        "Year Drill: not built, needs people",
        "next: Monday 2026-12-07",
        "does not count: it was stopped",
        "run 5 is missing",
    ):
        assert words in done.output
    assert (tmp_path / "drills.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    content = json.loads(drill("calendar", "--evidence", str(evidence), "--json").output)
    assert [each["drill"] for each in content["duties"]] == [duty.drill for duty in DUTIES]
    assert content["duties"][1]["periods"][0]["waiver"]["holds"] is True
    assert content["evidence"]["missing_numbers"] == {"main": [5]}


@pytest.mark.usefixtures("made_month")
def test_the_gate_answers_with_its_code(evidence: Path, tmp_path: Path) -> None:
    """Closed with 1 where something is overdue, 2 where nothing was shown; the reasons are in the file."""
    file = tmp_path / "gate.xml"
    done = drill("gate", "--evidence", str(evidence), "--today", "2026-12-25", "--junit", str(file))
    assert done.exit_code == Exit.MISSED
    assert "the gate is closed" in done.output and b"late: due 2026-12-07" in file.read_bytes()
    (tmp_path / "none").mkdir()
    nothing = drill("gate", "--evidence", str(tmp_path / "none"), "--today", "2026-11-01", "--json")
    assert nothing.exit_code == Exit.UNKNOWN
    assert json.loads(nothing.output)["outcome"] == "UNKNOWN"


@pytest.mark.parametrize(
    "words",
    [
        ("calendar", "--today", "2026-11"),
        ("gate", "--today", "soon"),
        ("history", "--today", "1999-01-01"),
        ("gate", "--key", "abc"),
        ("calendar", "--ics", "no/such/folder/x.ics"),
    ],
)
def test_bad_input_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    """A day that is none, a key that is none, a place that is not there."""
    done = drill(*words, "--evidence", str(tmp_path))
    assert done.exit_code != 0
    assert isinstance(done.exception, Refused | SystemExit)


@pytest.mark.usefixtures("made_month")
def test_nothing_is_written_into_a_pack(evidence: Path) -> None:
    """A file that would lie inside a sealed pack is refused."""
    pack = next(evidence.iterdir())
    done = drill("history", "--evidence", str(evidence), "--output", str(pack / "x.html"))
    assert isinstance(done.exception, Refused)
    assert not (pack / "x.html").exists()


# Run what is due


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, made_month: None) -> list[RunRequest]:
    """What would be run; nothing is."""
    requests: list[RunRequest] = []

    def carry_out(request: RunRequest, *, quiet: bool) -> Path:
        requests.append(request)
        raise Refused("not here", hint="this is a test")

    def choose(_: Project, name: str, only: str) -> list[Any]:
        named = {duty.drill: duty for duty in DUTIES}
        chosen = [duty for duty in DUTIES if name in (duty.drill, duty.cadence) and not duty.not_built]
        return [SimpleNamespace(name=each.drill, title=named[each.drill].title, scenarios=()) for each in chosen]

    monkeypatch.setattr("harness.cli.run.carry_out", carry_out)
    monkeypatch.setattr("harness.cli.run.choose", choose)
    return requests


def test_what_is_due_is_run_in_one_go(asked: list[RunRequest], tmp_path: Path) -> None:
    """The drills that are late, by name and with the reason; what is waived or not yet due is left alone."""
    done = drill("run", "due", "--evidence", str(tmp_path))
    assert "First Drill: late: due 2026-11-02, 23 days ago, and not run on embedded\n" in done.output
    assert "Second Drill" not in done.output, "it is waived"
    assert [each.drill for each in asked] == [FIRST]
    assert f"--drill={FIRST}" in asked[0].words("run-1")


def test_when_nothing_is_due_nothing_is_run(asked: list[RunRequest], evidence: Path) -> None:
    """It says so and what is next, with exit code 0; `--or` names what is run then."""
    done = drill("run", "due", "--evidence", str(evidence))
    assert done.exit_code == 0
    first, second, *_ = done.output.splitlines()
    assert first == f"project: {PROJECT}"
    assert second == "nothing is due on embedded; the next is First Drill, Monday 2026-12-07"
    assert "Second Drill: waived until 2026-12-24 by Ada: a holiday" in done.output
    told = json.loads(drill("run", "due", "--json", "--evidence", str(evidence)).output)
    assert (told["due"], told["next"][FIRST]) == ([], "2026-12-07")
    assert asked == []
    drill("run", "due", "--or", "monthly", "--evidence", str(evidence))
    assert [each.drill for each in asked] == [f"{FIRST},{SECOND}"]


@pytest.mark.parametrize(
    "words",
    [("due", "--only", "x"), ("due", "--sabotage", "x"), ("monthly", "--or", "monthly"), ("due", "--or", "due")],
)
def test_what_could_never_do_a_duty_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    """A part of a drill, a sabotaged one, or an answer to a question that was not asked."""
    assert isinstance(drill("run", *words, "--evidence", str(tmp_path)).exception, Refused)


def test_today_is_a_day_of_the_plans_time_zone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Late in the evening in UTC it may be tomorrow already."""
    monkeypatch.setattr(Project, "load_plan", lambda _: made_plan(zone="Asia/Tokyo"))
    monkeypatch.setattr(clock, "now", lambda: clock.Stamp(on("2026-11-01", 20), 0))
    assert month.look(PROJECT, tmp_path).today == date(2026, 11, 2)
