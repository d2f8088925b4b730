"""Lost, in doubt, duplicated, changed: the checks say exactly what was built into a history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import Finding, Outcome, merge
from harness.checks.answer import Check
from harness.checks.evidence import Expectation, Row, Unsound
from harness.checks.join import joined
from harness.checks.judge import judge
from harness.checks.loss import ledger_agreement, loss, tally
from harness.checks.version6.loss import loss as loss_6
from tests.histories import SERVING, STOP, ZONES, History, a_mistake, lost_volumes, ns, payment, request, row_of

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
WORSE = {MET: 0, UNKNOWN: 1, MISSED: 2}

FATES = (
    "kept", "lost", "twice", "changed amount", "changed account", "in doubt", "in doubt stored", "failed",
    "failed stored", "not sent", "not sent stored",
)  # fmt: skip  # a list
fates = st.lists(st.lists(st.sampled_from(FATES), max_size=25), min_size=1, max_size=3)
OUTCOMES = {"in doubt": "in_doubt", "failed": "failed", "not sent": "not_sent"}


def built(zones: list[list[str]], strangers: int = 0) -> History:
    """Every request with the fate that its place in the list names, and rows that nobody sent at the end."""
    history = History()
    for zone, fates_here in zip(ZONES, zones, strict=False):
        history.requests[zone], rows = [], []
        for number, fate in enumerate(fates_here, 1):
            sent = request(number, number / 10, OUTCOMES.get(fate.removesuffix(" stored"), "acknowledged"))
            history.requests[zone].append(sent)
            row = row_of(request(number, 0))
            if fate in ("kept", "twice") or fate.endswith("stored"):
                rows.append(row)
            if fate == "twice":
                rows.append(row)
            if fate == "changed amount":
                rows.append(row._replace(payload=payment(number, Decimal("0.01"))))
            if fate == "changed account":
                rows.append(row._replace(payload=str(row.payload).replace('"to":', '"to":9')))
        rows += [Row(len(fates_here) + 1 + each, "{}", Decimal(1)) for each in range(strangers)]
        history.rows["final", zone] = rows
    return history


def said(history: History, limit: float | None = 5.0) -> Finding:
    evidence = history.evidence()
    return loss(evidence, Expectation("loss", limit=limit))


def agreement(history: History) -> Finding:
    evidence = history.evidence()
    return ledger_agreement(evidence, Expectation("ledger-agreement"))


@settings(deadline=None)
@given(zones=fates, strangers=st.integers(0, 3))
def test_what_was_built_in_is_what_is_counted(zones: list[list[str]], strangers: int) -> None:
    """Every fate is counted as what it is, and no other; due is always the sum of the ends."""
    total = tally(built(zones, strangers).evidence())
    every = [fate for zone in zones for fate in zone]
    count = every.count
    assert total.lost == count("lost")
    assert total.duplicates == count("twice")
    assert total.changed == count("changed amount") + count("changed account")
    assert total.in_doubt == count("in doubt") + count("in doubt stored")
    assert total.in_doubt_stored == count("in doubt stored")
    assert total.failed_stored == count("failed stored")
    assert total.not_sent_stored == count("not sent stored")
    assert total.strangers == strangers * len(zones)
    assert total.due == len(every)
    assert total.due == total.acknowledged + total.failed + total.in_doubt + total.not_sent
    lost = [request(n, 0).amount for zone in zones for n, fate in enumerate(zone, 1) if fate == "lost"]
    assert total.lost_amount == sum(amount for amount in lost if amount is not None)
    for name, zone in zip(ZONES, zones, strict=False):
        rows = total.lost_numbers.get(name, [])
        numbers = [n for first, last in rows for n in range(first, last + 1)]
        assert numbers == [n for n, fate in enumerate(zone, 1) if fate == "lost"]
        assert all(after[0] > before[1] + 1 for before, after in pairwise(rows))


@settings(deadline=None)
@given(zones=fates)
def test_the_loss_in_time_runs_from_the_oldest_lost_to_the_last_acknowledgement(zones: list[list[str]]) -> None:
    """The figure is what the ledger says, and its bar holds every moment at which the commits can have been."""
    acknowledged = [n / 10 for zone in zones for n, fate in enumerate(zone, 1) if fate.split()[0] in ACKNOWLEDGED]
    lost = [n / 10 for zone in zones for n, fate in enumerate(zone, 1) if fate == "lost"]
    found = said(built(zones))
    if not acknowledged:
        assert (found.outcome, found.figure) == (UNKNOWN, None)
    elif not lost:
        assert (found.outcome, found.figure) == (MET, 0.0)
    else:
        assert found.figure is not None
        assert found.figure == pytest.approx(max(acknowledged) - min(lost))
        assert found.lower_bound == (min(lost) == min(acknowledged))
        assert found.low is not None and found.low <= found.figure
        assert found.outcome is (UNKNOWN if found.lower_bound else MET)


ACKNOWLEDGED = ("kept", "lost", "twice", "changed")


@settings(deadline=None)
@given(zones=fates, strangers=st.integers(0, 1))
def test_a_database_that_tells_another_story_is_missed(zones: list[list[str]], strangers: int) -> None:
    """Duplicates, changed amounts, rows of failed or unsent requests and of nobody are MISSED, losses are not."""
    wrong = strangers or any(
        fate in ("twice", "changed amount", "changed account", "failed stored", "not sent stored")
        for zone in zones
        for fate in zone
    )
    found = agreement(built(zones, strangers))
    if not any(fate.split()[0] in ACKNOWLEDGED for zone in zones for fate in zone):
        assert found.outcome is UNKNOWN
    else:
        assert found.outcome is (MISSED if wrong else MET)


@settings(max_examples=30, deadline=None)
@given(
    history=st.sampled_from([a_mistake, lost_volumes]),
    before=st.sets(st.tuples(st.sampled_from(ZONES), st.integers(1, 580)), max_size=4),
    more=st.tuples(st.sampled_from(ZONES), st.integers(1, 580)),
    limit=st.sampled_from([0.0, 1.0, 5.0, 12.0, 30.0, 100.0]),
    moments=st.sampled_from([("final",), ("recovered",), ("recovered", "final")]),
)
def test_a_further_loss_never_improves_a_verdict(
    history: Callable[[], History],
    before: set[tuple[str, int]],
    more: tuple[str, int],
    limit: float,
    moments: tuple[str, ...],
) -> None:
    """Whatever is missing already, no finding and no verdict gets better when another row is missing, too."""
    made = history()
    made.drop("expect", where=lambda data: data["finding"] == "rpo")
    made.expect("rpo", limit)
    for zone, number in before:
        for moment in moments:
            made.lose(zone, number, moment)
    first = judge(made.evidence())
    for moment in moments:
        made.lose(*more, moment)
    second = judge(made.evidence())
    assert WORSE[merge(second)] >= WORSE[merge(first)]
    for one, other in zip(first, second, strict=True):
        assert one.id == other.id
        assert WORSE[other.outcome] >= WORSE[one.outcome], one.id


def test_a_loss_beyond_the_objective_is_missed() -> None:
    """A transaction acknowledged long before the service stopped, and lost, is MISSED."""
    history = a_mistake()
    history.lose("a", 100)
    found = said(history, 5.0)
    assert found.outcome is MISSED
    assert found.figure == pytest.approx(STOP - (2 + 9.9) - 0.01, abs=0.05)
    assert "of 1350 acknowledged transactions 1 are lost" in found.reason


def test_a_bar_that_crosses_the_objective_is_unknown() -> None:
    """The commit lies somewhere between `sent` and the answer."""
    history = a_mistake()
    history.lose("a", 100)
    figure = said(history).figure
    assert figure is not None
    assert said(history, figure).outcome is UNKNOWN


def test_an_objective_of_nothing_allows_no_loss() -> None:
    """Where nothing may be lost, one transaction is too many, however short the loss is in time."""
    history = a_mistake()
    late = max(
        (each for each in history.requests["a"] if each.due < ns(SERVING) and each.outcome == "acknowledged"),
        key=lambda each: each.due,
    )
    history.lose("a", late.number)
    assert said(history, 0.0).outcome is MISSED
    assert said(a_mistake(), 0.0).outcome is MET


@pytest.mark.parametrize(("limit", "outcome"), [(100.0, UNKNOWN), (5.0, MISSED)])
def test_a_loss_back_to_the_first_acknowledgement_is_a_lower_bound(limit: float, outcome: Outcome) -> None:
    """It may have been longer than the customers were there."""
    history = a_mistake()
    history.lose("a", 1)
    found = said(history, limit)
    assert (found.outcome, found.lower_bound, found.high) == (outcome, True, None)


def test_a_loss_after_the_recovery_counts_to_the_last_lost() -> None:
    """Writes that the recovered database took and lost again do not make the loss shorter than nothing."""
    history = a_mistake()
    for number in (500, 560):
        history.lose("a", number)
    assert said(history).figure == pytest.approx(6.0)


@pytest.mark.parametrize("what", ["no final rows", "no ledger", "a ledger missing", "idle"])
def test_without_evidence_it_is_unknown(what: str) -> None:
    """Nothing is said of a loss where nothing could have been lost, or nothing was read."""
    history = a_mistake()
    if what == "no final rows":
        del history.rows["final", "b"]
        with pytest.raises(Unsound, match="customers b were not read"):
            tally(history.evidence())
        findings = judge(history.evidence())
    else:
        history.requests = {zone: [] for zone in ZONES} if what == "idle" else {}
        history.rows = {("final", zone): [] for zone in ZONES}
        if what == "a ledger missing":
            history.requests = {"a": a_mistake().requests["a"]}
            history.rows["final", "a"] = a_mistake().rows["final", "a"]
        findings = judge(history.evidence())
    outcomes = {finding.id: finding.outcome for finding in findings}
    assert outcomes["loss"] is outcomes["rpo"] is outcomes["ledger-agreement"] is UNKNOWN


def test_the_customers_own_count_must_agree_with_their_ledgers() -> None:
    """A count that differs from the ledgers is told."""
    history = a_mistake()
    history.say(60, "workload.end", due=1740, acknowledged=1351, failed=390, in_doubt=0, not_sent=0)
    found = agreement(history)
    assert found.outcome is MISSED
    assert "the customers counted 1351 acknowledged, their ledgers hold 1350" in found.reason


@pytest.mark.parametrize("which", ["rows", "ledger"])
def test_streams_out_of_order_say_nothing(which: str) -> None:
    """A merge of streams is right only when both are in order; otherwise it refuses."""
    requests = [request(1, 1), request(2, 2)]
    rows = [row_of(each) for each in requests]
    with pytest.raises(Unsound, match="not in order"):
        list(joined(requests[::-1], rows) if which == "ledger" else joined(requests, rows[::-1]))


def test_without_an_objective_there_is_a_figure_and_no_verdict() -> None:
    """Nothing is met where nothing is asked."""
    assert said(a_mistake(), None).outcome is UNKNOWN
    assert replace(said(a_mistake(), None), outcome=MET).figure == 0.0


@pytest.mark.parametrize(("rules", "figure"), [(loss, 0.9), (loss_6, 1.7)])
def test_where_nothing_is_recovered_a_loss_ends_with_the_last_fault(rules: Check, figure: float) -> None:
    """Not with what the server answered that went on; version 6 counted that, too."""
    history = built([["kept"] * 2 + ["lost"] * 3 + ["kept"] * 15])  # number n is answered 0.01 s after n / 10
    history.say(0.25, "fault.effective", fault="cut", latest=ns(0.25), earliest=ns(0.2))
    history.say(1.3, "fault.effective", fault="kill", latest=ns(1.25), earliest=ns(1.2))
    found = rules(history.evidence(), Expectation("loss", limit=5.0))
    assert found.figure == pytest.approx(figure) and found.outcome is MET


def test_where_something_is_recovered_it_ends_when_service_stopped() -> None:
    """Whatever took effect before or after."""
    history = built([["kept"] * 2 + ["lost"] * 3 + ["kept"] * 15])
    history.say(0.25, "fault.effective", fault="cut", latest=ns(0.25), earliest=ns(0.2))
    history.say(1.0, "in_service", member="db-b", how="promoted")
    found, as_6 = (rules(history.evidence(), Expectation("loss", limit=5.0)) for rules in (loss, loss_6))
    assert found == as_6 and found.figure == pytest.approx(0.6)
