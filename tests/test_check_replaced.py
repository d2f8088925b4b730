"""How the replacement of a damaged database server is judged: who was proved before he led, and what was made anew."""

from __future__ import annotations

from typing import Any

from harness.checks import Outcome
from harness.checks.answer import answer
from harness.checks.evidence import Expectation
from harness.checks.rules import CURRENT
from tests.histories import History, lost_volumes

LOOKS = {"pages": "every checksum is right", "structure": "nothing found", "books": "as at the last check"}
ALL = ("patroni-a", "patroni-b", "patroni-c")


def step(history: History, at: float, name: str, *, ok: bool = True, **facts: Any) -> None:
    history.say(at, "step.begin", phase="replace", name=name, does="…")
    history.say(at + 0.1, "step.end", phase="replace", name=name, ok=ok, seconds=0.1, facts=facts)


def undone(history: History, undo: dict[str, Any]) -> None:
    for _, kind, data in history.lines:
        if kind == "fault.intent":
            data["undo"] = undo


def replaced(
    *, proved: tuple[str, ...] = ("patroni-b",), rebuilt: tuple[str, ...] = ("patroni-a",), ends: str = "patroni-b",
    handed: bool = True, again: tuple[str, ...] = ALL,
) -> History:  # fmt: skip  # parameters in groups
    """`patroni-a` led and was damaged; `patroni-b` was handed the lead."""
    history = lost_volumes()
    undone(history, {"member": "patroni-a", "page": 7})
    history.drop("leadership")
    if proved:
        step(history, 35.0, "prove-each-copy", sound=dict.fromkeys(proved, LOOKS), damaged={})
    if handed:
        step(history, 36.0, "hand-over-the-lead", led="patroni-a", leads="patroni-b", refused=[])
    if rebuilt:
        step(history, 37.0, "rebuild-each-damaged-server", rebuilt=dict.fromkeys(rebuilt, "made anew"))
    if again:
        step(history, 38.0, "prove-every-server", sound=dict.fromkeys(again, LOOKS))
    history.say(40.0, "leadership", moment="after", member=ends, history=3)
    return history


def outcome(finding: str, history: History) -> Outcome:
    return answer(CURRENT.checks[finding], history.evidence(), Expectation(finding)).outcome


def test_only_who_was_proved_before_may_be_handed_the_lead() -> None:
    """Not one that nobody looked at, and not one of which another was proved."""
    assert outcome("copy-proved", replaced()) is Outcome.MET
    assert outcome("copy-proved", replaced(proved=())) is Outcome.MISSED
    assert outcome("copy-proved", replaced(proved=("patroni-c",))) is Outcome.MISSED


def test_a_proof_that_failed_is_missed_and_no_hand_over_is_not_known() -> None:
    """Where no copy can be proved, nobody was handed anything: that is the answer, and no excuse."""
    history = replaced(proved=(), handed=False)
    assert outcome("copy-proved", history) is Outcome.UNKNOWN
    step(history, 35.0, "prove-each-copy", ok=False, error="no copy is proved sound")
    assert outcome("copy-proved", history) is Outcome.MISSED


def test_who_leads_in_the_end_was_proved_too() -> None:
    """The damaged server, once rebuilt and proved, may lead again; left as it was, it may not."""
    assert outcome("copy-proved", replaced(ends="patroni-a")) is Outcome.MET
    assert outcome("copy-proved", replaced(ends="patroni-a", again=())) is Outcome.MISSED
    history = replaced()
    history.drop("leadership")
    assert outcome("copy-proved", history) is Outcome.UNKNOWN


def test_what_was_damaged_is_made_anew_and_proved_after_that() -> None:
    """Another server's rebuilding, or no proof afterwards, is not enough."""
    assert outcome("server-rebuilt", replaced()) is Outcome.MET
    assert outcome("server-rebuilt", replaced(rebuilt=())) is Outcome.MISSED
    assert outcome("server-rebuilt", replaced(rebuilt=("patroni-c",))) is Outcome.MISSED
    assert outcome("server-rebuilt", replaced(again=())) is Outcome.MISSED


def test_where_no_server_was_damaged_nothing_is_known() -> None:
    """A fault that names none has hurt something else."""
    history = replaced()
    undone(history, {})
    assert outcome("server-rebuilt", history) is Outcome.UNKNOWN
