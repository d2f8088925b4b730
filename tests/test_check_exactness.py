"""Exactness of the recovery point, and the salvage of what came after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import Finding, Outcome
from harness.checks.evidence import Expectation, Row, Unsound
from harness.checks.exactness import exactness
from harness.checks.salvage import salvage
from harness.checks.steps import early_stop
from tests.histories import BIT, INTENT, REACHED, STOP, ZONES, History, a_mistake, lost_volumes, ns, row_of, wal

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def exact(history: History) -> Finding:
    return exactness(history.evidence(), Expectation("exactness"))


def salvaged(history: History) -> Finding:
    return salvage(history.evidence(), Expectation("salvage"))


def recovered_to(history: History, moment: float) -> int:
    """The restore brought back everything acknowledged until a moment; returns how many that are."""
    many = 0
    for zone in ZONES:
        rows = [
            row_of(each)
            for each in history.requests[zone]
            if each.outcome == "acknowledged" and each.ended is not None and each.ended <= ns(moment)
        ]
        history.rows["recovered", zone] = rows
        many += len(rows)
    return many


def ordered(history: History, **changes: object) -> None:
    """Change what the procedure ordered."""
    for _, kind, data in history.lines:
        if kind == "recovery.ordered":
            data.update(changes)


@settings(max_examples=60, deadline=None)
@given(moment=st.floats(3, 40))
def test_a_wrong_recovery_point_is_missed_on_either_side(moment: float) -> None:
    """Any other point than just before the mistake is MISSED as soon as one transaction shows it, and counted."""
    history = a_mistake()
    sound = recovered_to(history, INTENT)
    many = recovered_to(history, moment)
    found = exact(history)
    if many < sound:
        assert (found.outcome, found.figure) == (MISSED, sound - many)
    elif moment <= BIT + 0.01:
        assert (found.outcome, found.figure) == (MET, 0.0)
    else:
        late = [
            each
            for zone in ZONES
            for each in history.requests[zone]
            if each.outcome == "acknowledged" and each.due >= ns(BIT) and (each.ended or 0) <= ns(moment)
        ]
        assert (found.outcome, found.figure) == (MISSED if late else MET, len(late))


def test_a_minute_too_early_is_missed_although_the_procedure_ordered_it() -> None:
    """What the procedure says of its own point does not make a wrong one right, declared or not."""
    for early in (False, True):
        history = a_mistake()
        recovered_to(history, 20)
        ordered(history, mono=ns(20), declared_early=early)
        found = exact(history)
        assert found.outcome is MISSED
        assert "are missing, the oldest" in found.reason


def test_without_a_word_from_the_fault_nobody_can_say_what_had_to_come_back() -> None:
    """Whether it was an operator's mistake is not guessed from the words of a database."""
    history = a_mistake()
    for _, kind, data in history.lines:
        if kind == "fault.intent":
            del data["logical"]
    with pytest.raises(Unsound, match="does not say whether it is an operator's mistake"):
        exact(history)


@pytest.mark.parametrize("history", [a_mistake(), lost_volumes()], ids=["a mistake", "lost volumes"])
def test_what_is_too_near_to_judge_is_counted_of_all_before_service_stopped(history: History) -> None:
    """Neither claimed to be there nor to be gone; what went into the recovered database is in neither number."""
    answered = [
        each
        for zone in ZONES
        for each in history.requests[zone]
        if each.outcome == "acknowledged" and (each.ended or 0) < ns(REACHED)
    ]
    mistake = any(data.get("logical") for _, kind, data in history.lines if kind == "fault.intent")
    point = ns(INTENT) if mistake else ns(25)
    near = [each for each in answered if (each.ended or 0) > point and (not mistake or (each.sent or 0) < ns(BIT))]
    said, share = f"{len(near)} of {len(answered)}", 100 * len(near) / len(answered)
    found = exact(history)
    assert near and found.beside == (("too near to judge", f"{said} ({share:.1f} %)"),)
    assert f"to judge: {said} (" in found.reason


def test_all_that_was_archived_must_be_there() -> None:
    """After lost volumes a recovery that ends before the end of the archive without saying so is MISSED."""
    history = lost_volumes()
    assert exact(history).outcome is MET
    recovered_to(history, 24)
    assert exact(history).outcome is MISSED


def test_a_declared_early_end_is_measured_against_what_was_declared() -> None:
    """Recovery that says where it ends must hold everything up to there."""
    history = lost_volumes()
    ordered(history, declared_early=True, value="0/1", position=wal(20))
    recovered_to(history, 20)
    assert exact(history).outcome is MET
    recovered_to(history, 15)
    assert exact(history).outcome is MISSED


def _no_rows(history: History) -> None:
    del history.rows["recovered", "b"]


def _no_order(history: History) -> None:
    history.drop("recovery.ordered")


def _idle(history: History) -> None:
    history.requests = {zone: [] for zone in ZONES}
    history.rows = {key: [] for key in history.rows}


def _no_ledger(history: History) -> None:
    history.requests = {}


def _one_ledger(history: History) -> None:
    del history.requests["a"]


@pytest.mark.parametrize("breaking", [_no_rows, _no_order, _idle, _no_ledger, _one_ledger])
@pytest.mark.parametrize("made", [a_mistake, lost_volumes])
def test_without_evidence_exactness_is_unknown(
    breaking: Callable[[History], None], made: Callable[[], History]
) -> None:
    """No rows, no point, no customers: nothing can be said."""
    history = made()
    breaking(history)
    assert exact(history).outcome is UNKNOWN


def test_without_samples_what_was_archived_is_not_known() -> None:
    """After lost volumes the samples alone tell what the archive held."""
    for early in (False, True):
        history = lost_volumes()
        history.drop("exposure.sample")
        ordered(history, declared_early=early, value="0/1", position=wal(20))
        with pytest.raises(Unsound):
            exact(history)


def test_a_row_of_nobody_does_not_disturb() -> None:
    """Rows that nobody sent are the matter of another finding."""
    history = a_mistake()
    history.rows["recovered", "a"].append(Row(9999, "{}", history.rows["recovered", "a"][0].amount))
    assert exact(history).outcome is MET


def test_what_was_salvaged_is_proved_by_the_ledger() -> None:
    """Every transaction acknowledged between the point and the stop is there at the end."""
    found = salvaged(a_mistake())
    assert found.outcome is MET
    assert "60 acknowledged transactions that the restore left out 60 came back" in found.reason


def test_a_salvage_that_was_skipped_or_is_not_whole_is_missed() -> None:
    """One transaction that did not come back is enough."""
    history = a_mistake()
    late = next(each for each in history.requests["a"] if each.due > ns(BIT))
    history.lose("a", late.number)
    assert (salvaged(history).outcome, salvaged(history).figure) == (MISSED, 1.0)
    for zone in ZONES:
        history.rows["final", zone] = [
            row
            for row in history.rows["final", zone]
            if not ns(INTENT) < (history.requests[zone][row.number - 1].ended or 0) < ns(STOP)
        ]
    history.drop("salvaged")
    assert (salvaged(history).outcome, salvaged(history).figure) == (MISSED, 60.0)


def test_a_salvage_that_says_less_than_came_back_is_missed() -> None:
    """What the procedure reports must agree with the ledger."""
    history = a_mistake()
    history.drop("salvaged")
    assert salvaged(history).outcome is MISSED
    history.say(44, "salvaged", rows=3, amount="1")
    assert "salvaged 3, but 60 came back" in salvaged(history).reason


def test_transactions_in_doubt_may_be_salvaged() -> None:
    """A transaction that was never answered and is stored comes back with the others, and is told apart."""
    history = a_mistake()
    at = next(i for i, each in enumerate(history.requests["a"]) if each.due > ns(BIT))
    history.requests["a"][at] = history.requests["a"][at]._replace(outcome="in_doubt")
    found = salvaged(history)
    assert found.outcome is MET
    assert "59 came back, and 1 that were never answered" in found.reason


@pytest.mark.parametrize("what", ["nothing late", "no rows", "nothing recovered", "no ledger", "one ledger"])
def test_a_salvage_that_was_not_exercised_is_unknown(what: str) -> None:
    """Where nothing was to be salvaged, or nothing is known, nothing is shown."""
    history = a_mistake()
    if what == "nothing late":
        history = lost_volumes()
        history.rows = {
            key: [row_of(each) for each in history.requests[key[1]] if each.outcome == "acknowledged"]
            for key in history.rows
        }
    elif what == "no rows":
        _no_rows(history)
    elif what == "nothing recovered":
        history.drop("recovery.reached", "in_service")
    elif what == "no ledger":
        _no_ledger(history)
    else:
        _one_ledger(history)
    assert salvaged(history).outcome is UNKNOWN


def _early(history: History) -> Finding:
    return early_stop(history.evidence(), Expectation("early-stop"))


def test_recovery_that_stops_early_without_saying_so_is_missed() -> None:
    """Compared with what the samples show to have been archived at the fault; said, it is honest."""
    history = lost_volumes()
    assert _early(history).outcome is MET
    history.drop("recovery.reached")
    assert _early(history).outcome is UNKNOWN
    history.say(REACHED, "recovery.reached", at="0/1", position=wal(15), declared_early=False)
    assert _early(history).outcome is MISSED
    ordered(history, declared_early=True)
    assert _early(history).outcome is MET
    assert _early(a_mistake()).outcome is MET


def test_without_samples_an_early_stop_cannot_be_told() -> None:
    """What the archive held is then not known."""
    history = lost_volumes()
    history.drop("exposure.sample")
    with pytest.raises(Unsound):
        _early(history)
