"""Wrong answers that customers got: how many, from when to when, and what is not known of them."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import Finding, Outcome, load
from harness.checks.answer import answer
from harness.checks.evidence import Expectation
from harness.checks.rules import CURRENT, TABLE
from harness.workload.answers import Answer
from reports.build import build
from reports.run import text
from tests import recompute_answers
from tests.histories import BIT, INTENT, NAME, VERIFIED, History, lost_volumes, ns

REPAIR = 36.0
KNOWS = '{"account":1}'


def told(at: float, outcome: str = "right", *, took: float = 0.01, about: str = "account 1") -> Answer:
    """One question, asked when it was due."""
    if outcome == "not_sent":
        return Answer(0, ns(at), None, ns(at), "not_sent", "", "", None, "clients full")
    says = {"right": KNOWS, "wrong": '{"found":false}'}.get(outcome)
    end = ns(at + took)
    return Answer(0, ns(at), ns(at), end, outcome, about, KNOWS, says, "")


def damaged(*more: Answer) -> History:
    """A fault, customers who ask ten times a second all along, and a repair that is verified; all answers right."""
    history = lost_volumes()
    history.say(2.0, "readers.begin", groups=[{"group": "readers", "rate": 10.0, "file": "answers-readers.jsonl"}])
    history.say(REPAIR, "step.begin", phase="repair", name="rebuild", does="…")
    history.answers["readers"] = [told(2 + n / 10) for n in range(560)] + list(more)
    return history


def judged(history: History, limit: float | None = 60.0) -> Finding:
    return answer(CURRENT.checks["wrong-answers"], history.evidence(), Expectation("wrong-answers", limit=limit))


def test_wrong_answers_are_counted_from_the_fault_to_the_last_one() -> None:
    """The bar: the two ends of the effect, and from the question to its answer."""
    found = judged(damaged(told(31.0, "wrong", took=0.5), told(33.0, "wrong", took=0.2, about="account 2")))
    assert found.outcome is Outcome.MET
    assert (found.low, found.high) == (pytest.approx(33.0 - BIT), pytest.approx(33.2 - INTENT))
    assert found.figure == found.high
    beside = dict(found.beside)
    assert beside["wrong answers"].startswith("2 of ") and beside["first wrong answer"] == "1.500 s after the fault"
    assert "about 2 things" in found.reason and "account 2" in found.reason


def test_longer_than_the_plan_gives_for_detection_is_missed() -> None:
    """And a bar that crosses it is unknown."""
    history = damaged(told(33.0, "wrong", took=0.2))
    assert judged(history, limit=2.0).outcome is Outcome.MISSED
    assert judged(history, limit=3.1).outcome is Outcome.UNKNOWN
    assert judged(history, limit=None).outcome is Outcome.UNKNOWN


def test_errors_and_no_answer_tell_nothing_wrong() -> None:
    """They show that somebody asked for what was damaged."""
    found = judged(damaged(told(31.0, "refused"), told(32.0, "no_answer", took=3.0)))
    assert (found.outcome, found.figure) == (Outcome.MET, 0.0)
    assert dict(found.beside) | {"refused": "1", "no answer": "1"} == dict(found.beside)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ((), "nobody asked for what was damaged"),
        ((told(20.0, "refused"),), "nobody asked for what was damaged"),
        ((told(REPAIR + 1, "refused"),), "nobody asked for what was damaged"),
        ((told(31.0, "not_sent"),), "nobody asked for what was damaged"),
    ],
)
def test_where_nothing_was_asked_about_what_is_damaged_nothing_is_known(more: tuple[Answer, ...], says: str) -> None:
    """An error before the fault, or one while it is repaired, may be of anything else."""
    found = judged(damaged(*more))
    assert found.outcome is Outcome.UNKNOWN and says in found.reason


def test_where_nobody_asked_nothing_is_known() -> None:
    """No such customers, none that came, a record that is missing, or none that asked after the fault."""
    history = damaged()
    history.answers["readers"] = []
    assert "nobody asked anything after the fault" in judged(history).reason
    history.answers["readers"] = [told(5.0)]
    assert "nobody asked anything after the fault" in judged(history).reason
    del history.answers["readers"]
    assert "the record of customers readers, who asked, is missing" in judged(history).reason
    history.drop("readers.begin")
    assert "no customer asked for what he knows" in judged(history).reason
    assert judged(history).outcome is Outcome.UNKNOWN


def test_what_is_wrong_after_the_repair_was_verified_is_missed_whatever_the_time() -> None:
    """Then it is not repaired."""
    found = judged(damaged(told(VERIFIED + 1, "wrong")))
    assert found.outcome is Outcome.MISSED and found.reason.startswith("1 answers were wrong when what was repaired")


def test_what_was_wrong_before_the_fault_says_nothing_of_it() -> None:
    """Neither good nor bad."""
    found = judged(damaged(told(20.0, "wrong"), told(31.0, "wrong")))
    assert found.outcome is Outcome.UNKNOWN and "before the fault" in found.reason


def test_a_scenario_that_was_stopped_shows_a_lower_bound() -> None:
    """More wrong answers may have followed; what is over the limit already stays so."""
    history = damaged(told(31.0, "wrong"), told(33.0, "wrong"))
    history.drop("scenario.end")
    history.say(60.5, "stopped", who="somebody", why="enough")
    found = judged(history)
    assert (found.outcome, found.lower_bound, found.high) == (Outcome.UNKNOWN, True, None)
    assert judged(history, limit=2.0).outcome is Outcome.MISSED
    clean = damaged(told(31.0, "refused"))
    clean.drop("scenario.end")
    clean.say(60.5, "stopped", who="somebody", why="enough")
    assert judged(clean).outcome is Outcome.UNKNOWN


def test_a_fault_that_did_not_take_effect_bears_nothing() -> None:
    """As for any finding."""
    history = damaged(told(31.0, "wrong"))
    history.drop("fault.effective")
    assert judged(history).outcome is Outcome.UNKNOWN


def test_older_rules_know_no_such_finding() -> None:
    """No pack of theirs asks for it."""
    assert [version for version, rules in TABLE.items() if "wrong-answers" in rules.checks] == ["4", "5", "6", "7", "8"]


FATES = st.tuples(
    st.floats(28, 50), st.sampled_from(["right", "wrong", "refused", "no_answer", "not_sent"]), st.floats(0.001, 4.9)
)


@settings(max_examples=20, deadline=None)
@given(fates=st.lists(FATES, max_size=8))
def test_a_stranger_computes_the_same_from_the_pack(fates: list[tuple[float, str, float]]) -> None:
    """With nothing of the project: counts, and both ends of the bar."""
    history = damaged(*(told(round(at, 3), how, took=round(took, 3)) for at, how, took in fates))
    with tempfile.TemporaryDirectory() as folder:
        pack = history.write(Path(folder) / "pack")
        said = recompute_answers.recompute(pack)[NAME]
        found = answer(
            CURRENT.checks["wrong-answers"], load.evidence(pack)[0], Expectation("wrong-answers", limit=60.0)
        )
    assert said is not None
    beside = dict(found.beside)
    assert beside["wrong answers"].split(" of ")[0] == str(said["wrong"])
    assert (beside["refused"], beside["no answer"]) == (str(said["refused"]), str(said["no_answer"]))
    if said["before"] or not said["hit"]:
        assert found.outcome is not Outcome.MET or said["wrong"]
    if found.figure is not None:
        assert (found.low, found.high) == (pytest.approx(said["low"]), pytest.approx(said["high"]))


def test_the_script_imports_nothing_of_the_project() -> None:
    """It runs alone."""
    text = Path(recompute_answers.__file__).read_text()
    assert not re.search(r"^(from|import) (harness|reports|drills|tests)", text, re.MULTILINE)


def test_the_page_and_the_lines_show_the_figures(tmp_path: Path) -> None:
    """How long, how many, and of what kind."""
    history = damaged(told(31.0, "wrong", took=0.5), told(32.0, "refused"))
    history.expect("wrong-answers", 60.0)
    history.say(60.0, "readers.end", due=562, right=560, wrong=1, refused=1, no_answer=0, not_sent=0)
    pack = history.write(tmp_path / "pack")
    (pack / "findings.json").write_bytes(load.findings_json(load.judged(pack)))
    page, lines = build(pack)["index.html"].decode(), text.summary(pack)
    assert "For how long customers were told what is wrong" in page and "first wrong answer: <b>1.500 s" in page
    assert "Customers who asked for what they know" in page and "Answered wrongly" in page
    assert re.search(r"told wrong +1\.50 s", lines) and "wrong answers 1 of" in lines
