"""What counts for a duty: the class of environment, and how much was restored; and what `run due` goes by."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from harness.checks import Outcome
from harness.cli import drdrill
from harness.cli.due import environment_of
from harness.evidence.environments import CLASSES, is_at_least
from harness.plan import LEAST, Duty, sizes
from harness.plan import load as load_plan
from harness.schedule import gate, ics, least, runs, slower, standing
from harness.schedule.gate import Check
from harness.stacks.brought_up import HELD
from harness.system import clock, control_files
from reports.calendar import gate_junit
from reports.calendar import text as calendar_text
from reports.past import history
from reports.past import page as history_page
from reports.past import text as history_text
from tests.made_months import DUTIES, FIRST, SCENARIOS, SECOND, Made, made_plan, on, past, run
from tests.test_history import drill
from tests.test_house import HOME
from tests.this_project import PROJECT

pytestmark = pytest.mark.usefixtures("as_sealed")

DUTY = replace(DUTIES[0], at_least="staging")
LARGE = replace(DUTY, restored_at_least=500 * 10**9)
PLAN = made_plan(duties=[DUTY])
TODAY = date(2026, 11, 5)
SAYS = "does no duty: on embedded; what counts is staging at least"


def look(evidence: Path, *made: Made, duty: Duty = DUTY) -> tuple[standing.Standing, Check, runs.Folder]:
    """Where the duty stands, what the gate says of it, and the folder."""
    for each in made:
        run(evidence, each)
    folder = runs.read(evidence)
    found = standing.standings(made_plan(duties=[duty]), folder.runs, (), TODAY)
    now = {(FIRST, name) for name in SCENARIOS[FIRST]}
    checks = gate.checks(folder, found, slower.comparisons(folder.runs), scenarios=now, today=TODAY)
    return found[0], checks[0], folder


# The class of environment


def test_the_order_of_classes_is_one() -> None:
    """For runs, in the plan and in the file of exceptions; `staging` is what counts where an entry names none."""
    assert CLASSES == ("tabletop", "emulated", "embedded", "containers", "staging", "production")
    for name in ("schema.json", "waivers.json"):
        written = (HOME / "harness" / "plan" / name).read_text()
        assert "[" + ", ".join(f'"{each}"' for each in CLASSES) + "]" in written
    assert LEAST == "staging" and not is_at_least("unknown", "tabletop")
    found = load_plan(HOME / "drills" / "plan.yaml")
    assert {duty.at_least for duty in found.calendar} == {"staging"}


@pytest.mark.parametrize("environment", ["tabletop", "emulated", "embedded", "containers", "home"])
def test_a_lesser_run_does_no_duty(environment: str) -> None:
    """It was whole, and is shown; only what ran on staging or nearer to customers does the duty."""
    small = past("2026-11-02")
    lesser = replace(small, likeness=replace(small.likeness, environment=environment))
    (found,) = standing.standings(PLAN, [lesser], (), TODAY)
    assert (found.latest, found.lesser, found.overdue[0].state) == (None, lesser, "late")
    for real in ("staging", "production"):
        nearer = replace(small, likeness=replace(small.likeness, environment=real), number=2)
        (done,) = standing.standings(PLAN, [lesser, nearer], (), TODAY)
        assert (done.latest, done.lesser, done.overdue) == (nearer, None, ())


def test_a_lesser_run_after_the_one_that_counts_is_shown(tmp_path: Path) -> None:
    """The duty stays done, and the gate open."""
    found, check, _ = look(tmp_path / "e", Made(on("2026-11-02"), environment="staging"), Made(on("2026-11-03")))
    assert found.latest and found.lesser and found.lesser.number == 2
    assert check.outcome is Outcome.MET and SAYS in check.reason


def test_every_page_says_which_run_and_what_would_count(tmp_path: Path) -> None:
    """Calendar, gate, JUnit, history and its page; to a machine in fields of their own."""
    found, check, folder = look(tmp_path / "e", Made(on("2026-11-02")))
    name = folder.runs[0].name
    said = " ".join(calendar_text.calendar(PLAN, [found], folder, TODAY).split())
    assert "First Drill, first Monday of the month, on staging at least: OVERDUE" in said
    assert f"lesser: ✓ MET, 2026-11-02 10:00 UTC, run {name} (embedded, local" in said and SAYS in said
    assert check.outcome is Outcome.MISSED and f"the run {name} (MET) {SAYS}" in check.reason
    assert SAYS in gate_junit.xml([check], today=TODAY).decode()
    told = history.tell(PLAN, folder, [found], TODAY)
    assert told.entries[0].marks == (f"{FIRST}: {SAYS}",) and told.entries[0].does_duty == ()
    assert SAYS in " ".join(history_text.lines(told).split()) and SAYS in history_page.html(told)
    calendar = calendar_text.calendar_json(PLAN, [found], folder, TODAY)["duties"][0]
    counts = {"environment": "staging", "restored_bytes": None}
    assert (calendar["counts"], calendar["latest"], calendar["due_now"]) == (counts, None, True)
    (asked,) = calendar_text.gate_json([check], folder, TODAY)["checks"]
    assert calendar["lesser"] == asked["lesser"]
    assert (asked["lesser"]["run"], asked["lesser"]["environment"], asked["lesser"]["counts"]) == (
        name, "embedded", counts)  # fmt: skip  # a list
    json.dumps([calendar, asked, json.loads(history.as_json(told))])
    assert b"What counts: staging at least." in ics.calendar(PLAN, now=clock.now().utc).replace(b"\r\n ", b"")


def test_a_lesser_run_that_missed_closes_the_gate_until_it_is_put_right(tmp_path: Path) -> None:
    """To drill elsewhere launders nothing; a whole run on the same class that is met puts it right."""
    staging, missed = Made(on("2026-11-02"), environment="staging"), Made(on("2026-11-03"), verdicts={"one": "MISSED"})
    _, check, folder = look(tmp_path / "e", staging, missed)
    assert check.outcome is Outcome.MISSED
    assert f"{folder.runs[1].name}, which is newer and does no duty, MISSED an objective" in check.reason
    _, other, _ = look(tmp_path / "e", Made(on("2026-11-04"), environment="containers"))
    assert other.outcome is Outcome.MISSED, "another class says nothing of this one"
    _, part, _ = look(tmp_path / "e", Made(on("2026-11-04"), only="one"))
    assert part.outcome is Outcome.MISSED, "nor does a part of the drill"
    _, right, _ = look(tmp_path / "e", Made(on("2026-11-04", 12)))
    assert right.outcome is Outcome.MET


# How much was restored


@pytest.mark.parametrize(
    ("restored", "words"),
    [
        ({"one": 600 * 10**9}, ""),
        ({"two": 500 * 10**9}, ""),
        ({"one": 499_999_999_999, "two": 10**9}, "on staging, with 499 GB restored"),
        ({}, "on staging, with nothing restored"),
        ({"three": 600 * 10**9}, "on staging, with nothing restored"),
    ],
    ids=["more", "just enough", "just too little", "nothing", "by another drill of the run"],
)
def test_the_least_that_has_to_be_restored(tmp_path: Path, restored: dict[str, int], words: str) -> None:
    """It is the largest database that a scenario of this very drill has restored, as its journal says."""
    made = Made(on("2026-11-02"), (FIRST, SECOND), environment="staging", restored=restored)
    found, check, folder = look(tmp_path / "e", made, duty=LARGE)
    assert folder.runs[0].restored_of(FIRST) == max((restored.get(name, 0) for name in SCENARIOS[FIRST]), default=0)
    assert (found.lesser is None, check.outcome is Outcome.MET) == (not words, not words)
    if words:
        assert f"{words}; what counts is staging at least, with at least 500 GB restored" in check.reason
        assert check.lesser and check.lesser.counts == {"environment": "staging", "restored_bytes": 500 * 10**9}
    json_of = calendar_text.calendar_json(made_plan(duties=[LARGE]), [found], folder, TODAY)["duties"][0]
    shown = json_of["latest"] or json_of["lesser"]
    assert shown["restored_bytes"] == folder.runs[0].restored_of(FIRST)


@pytest.mark.parametrize(("version", "size"), [(2, 9_770_687), (3, 9_787_071), (4, 9_770_687), (5, 9_795_263)])
def test_packs_of_every_version_say_how_much_was_restored(tmp_path: Path, version: int, size: int) -> None:
    """It stood in their journals before a duty asked for it."""
    for name in ("operators-mistake", "load-balancer-dies"):
        shutil.unpack_archive(HOME / "tests" / "packs" / f"version-{version}-{name}.tar.xz", tmp_path)
    found = {scenario.name: scenario for each in runs.read(tmp_path).runs for scenario in each.scenarios}
    restored = {name: scenario.restored for name, scenario in found.items()}
    assert restored == {"an-operators-mistake": size, "the-active-load-balancer-dies": 0}
    assert not any(scenario.declared for scenario in found.values())


@pytest.mark.parametrize(
    ("text", "size", "words"),
    [
        ("500 GB", 500 * 10**9, "500 GB"), ("1.5 TB", 1_500 * 10**9, "1.5 TB"), ("2TiB", 2**41, "2 TiB"),
        ("64 MiB", 2**26, "64 MiB"), ("1 kB", 1000, "1 kB"), ("1234567 bytes", 1_234_567, "1,234,567 bytes"),
        ("1 bytes", 1, "1 bytes"),
    ],
)  # fmt: skip  # a table
def test_a_size_is_read_and_said_exactly(text: str, size: int, words: str) -> None:
    """With decimal units and with binary ones."""
    assert sizes.size_of_data(text) == size and sizes.exactly(size) == words
    assert sizes.size_of_data(words.replace(",", "")) == size


@pytest.mark.parametrize(
    "text", ["", "500", "500 gb", "0 GB", "-1 GB", "1.5 bytes", "1e9 bytes", "GB", "9 PB", "2000000000 GB"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is not a size"):
        sizes.size_of_data(text)


def test_a_measured_size_never_reads_as_more() -> None:
    """It is rounded down: what is too little does not read as enough."""
    shown = [sizes.measured(size) for size in (999, 9_799_999, 99_990_000, 499_999_999_999, 1_999 * 10**12)]
    assert shown == ["999 bytes", "9.79 MB", "99.9 MB", "499 GB", "1999 TB"]


# What is due on the stack at hand


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """What `drdrill run due` says on 2026-11-05, of a folder in which these runs were made."""
    plan = made_plan(duties=[DUTY, replace(DUTIES[1], at_least="production", restored_at_least=10**9)])

    def ask(*made: Made, words: tuple[str, ...] = ()) -> str:
        for each in made:
            run(tmp_path / "e", each)
        with monkeypatch.context() as patch:
            patch.setattr(type(PROJECT), "load_plan", lambda _: plan)
            patch.setattr("harness.cli.run.choose", lambda *_: [])
            patch.setattr(clock, "now", lambda: clock.Stamp(on("2026-11-12"), 0))
            return drill("run", "due", "--evidence", str(tmp_path / "e"), *words).output

    return ask


def test_what_was_done_here_is_not_offered_again(asked: Callable[..., str]) -> None:
    """A fresh clone is offered each drill once in its period, and is told what the duty still wants."""
    fresh = asked()
    assert "First Drill: late: due 2026-11-02, 10 days ago, and not run on embedded; the duty wants staging at" in fresh
    both = asked(Made(on("2026-11-03"), (FIRST, SECOND)))
    assert "nothing is due on embedded; the next is First Drill, Monday 2026-12-07" in both
    assert "First Drill: done here; the duty still wants staging at least\n" in both
    assert "Second Drill: done here; the duty still wants production, with at least 1 GB restored\n" in both
    told = json.loads(asked(words=("--json",)))
    assert (told["environment"], told["due"]) == ("embedded", [])
    assert told["done_here_and_duty_wants"][SECOND] == {"environment": "production", "restored_bytes": 10**9}


def test_what_was_done_elsewhere_is_still_due_here(asked: Callable[..., str]) -> None:
    """Duty or not: what was not run on this class of stack is run; what was run there is done for nobody else."""
    said = asked(Made(on("2026-11-03"), (FIRST, SECOND), environment="production", restored={"three": 10**9}))
    assert "First Drill: late" in said and "Second Drill: late" in said and "done here" not in said
    assert "First Drill: late" in asked(Made(on("2026-11-04"), environment="containers"))
    here = asked(Made(on("2026-11-05")))
    assert "First Drill" not in here, "done here, and the duty is done, too: nothing is to be said of it"


def test_a_part_or_an_earlier_month_is_not_done_here(asked: Callable[..., str]) -> None:
    """The rules of counting are those of a duty, but for where it was."""
    said = asked(Made(on("2026-11-03"), only="one"), Made(on("2026-11-03"), sabotage="no-archiving"))
    assert "First Drill: late" in said
    assert "First Drill: late" in asked(Made(on("2026-10-05"), environment="staging"))


def test_the_class_is_that_of_the_stack_that_would_be_drilled(tmp_path: Path) -> None:
    """Of the kind that is named, of the project's usual one, or of a stack that stands; one that is none is refused."""
    assert [environment_of(PROJECT, kind, None) for kind in ("", "docker")] == ["embedded", "containers"]
    control_files.leave(tmp_path / HELD, {"kind": "shop", "environment": "staging"})
    assert environment_of(PROJECT, "", tmp_path) == "staging"
    done = drill("run", "due", "--stack", "dokker")
    assert "there is no kind of stack named 'dokker'" in str(done.exception)


def test_words_of_what_counts() -> None:
    """The last class has none above it."""
    assert least.what_counts(replace(DUTY, at_least="production")) == "production"
    assert least.what_counts(LARGE) == "staging at least, with at least 500 GB restored"
    assert drdrill.name == "drdrill"
