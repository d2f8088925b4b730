"""What must agree before and after, by rules that are data: each rule has values that turn it red."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.reconciliation import RECONCILIATION
from harness.checks import Outcome, load
from harness.checks.consistency import TITLE, consistency
from harness.checks.evidence import Expectation, Unsound
from harness.checks.reconciliation import Rule, compare, label, read
from harness.checks.version3.consistency import consistency as consistency_3
from harness.evidence import format1
from tests import recompute_agreement, sample_pack
from tests.histories import INTENT, RULES, History, a_mistake, books
from tests.sample_pack import Plot
from tests.test_check_steps import changed, outcome, without

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
ASKED = Expectation("consistency")


def found_after(values: dict[str, Any], rules: object = RULES) -> History:
    """A sound scenario in whose end these values were found."""
    history = changed(without("reconciliation", moment="after"), "reconciliation.rules", rules=rules)
    history.say(59, "reconciliation", moment="after", values=values)
    return history


WRONG: list[tuple[str, Any, str]] = [
    ("history.count", 199999, "was 200000, is 199999"),
    ("history.sum", "1234567.88", "history.sum"),
    ("history.latest", "2026-11-22", "history.latest"),
    ("history.digest", None, "history.digest"),
    ("invariant.broken_accounts", 2, "is 2, not 0"),
    ("balances.sum", "4999.99", "balances.sum"),
    ("sequences", {"transactions_id_seq": 200089}, "less than 200090 (the greatest id in use)"),
    ("sequences", {}, "sequences transactions_id_seq is missing"),
    ("extensions", ["plpgsql"], "gone amcheck"),
    ("roles", ["app", "intruder", "operator"], "new intruder"),
    ("tables", {"accounts": {}}, "gone financial_transactions"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_books_that_differ_are_missed_and_named(name: str, value: Any, words: str) -> None:
    """Each value by its rule; one that differs is named with both values."""
    found = consistency(found_after({**books(), name: value}).evidence(), ASKED)
    assert found.outcome is MISSED
    assert words in found.reason


def test_books_that_agree_are_met() -> None:
    """Amounts agree by value, lists in any order, sequences may have moved on, and activity may differ."""
    now = {
        **books(),
        "balances.sum": "5000.0",
        "sequences": {"transactions_id_seq": 200133},
        "history.count": 200000.0,
        "roles": ["operator", "app"],
        "tables": {"financial_transactions": {}, "accounts": {}},
    }
    found = consistency(found_after(now).evidence(), ASKED)
    assert (found.outcome, found.reason) == (MET, "10 figures are as they must be")


def test_values_that_were_not_taken_are_unknown() -> None:
    """All of one moment, or one that a rule needs, before or after: what was left out cannot pass."""
    assert outcome(consistency, without("reconciliation", moment="after")) is UNKNOWN
    assert outcome(consistency, without("reconciliation", moment="before")) is UNKNOWN
    less = {name: value for name, value in books().items() if name != "roles"}
    assert outcome(consistency, changed(a_mistake(), "reconciliation", values=less)) is UNKNOWN
    assert outcome(consistency, changed(a_mistake(), "reconciliation", values={})) is UNKNOWN
    assert outcome(consistency, changed(a_mistake(), "reconciliation", values=None)) is UNKNOWN
    gone = consistency(found_after(less).evidence(), ASKED)
    assert (gone.outcome, gone.reason) == (UNKNOWN, "roles is missing after the recovery")
    new = found_after({**books(), "history.new": 1})
    assert consistency(new.evidence(), ASKED).reason == "history.new was not there before the disaster"
    assert outcome(consistency, new) is UNKNOWN


def test_what_differs_is_missed_whatever_else_is_missing() -> None:
    """And both are told."""
    now = {name: value for name, value in books().items() if name != "roles"} | {"history.count": 1}
    found = consistency(found_after(now).evidence(), ASKED)
    assert found.outcome is MISSED
    assert "history.count was 200000, is 1; roles is missing" in found.reason


def test_what_must_agree_is_said_before_anything_is_hurt() -> None:
    """Rules that were written afterwards, none, and two that contradict each other say nothing."""
    late = without("reconciliation.rules")
    late.say(INTENT + 1, "reconciliation.rules", rules=RULES)
    twice = a_mistake()
    twice.say(3, "reconciliation.rules", rules=RULES[:1])
    again = a_mistake()
    again.say(3, "reconciliation.rules", rules=RULES)
    assert outcome(consistency, again) is MET
    for history, why in (
        (late, "what must agree was said after the fault"),
        (without("reconciliation.rules"), "no rule says what must agree"),
        (twice, "what must agree was said twice, and not the same"),
    ):
        found = consistency(history.evidence(), ASKED)
        assert (found.outcome, found.reason, found.title, found.unit) == (UNKNOWN, why, TITLE, "figures")


NO_RULES: list[tuple[object, str]] = [
    (None, "no rule says"),
    ([], "no rule says"),
    ("equal", "no rule says"),
    (["equal"], "rule 1 of what must agree does not say"),
    ([{"rule": "equal"}], "rule 1 of what must agree does not say"),
    ([{"rule": "zero", "values": "a"}, {"values": "a"}], "rule 2 of what must agree does not say"),
    ([{"rule": "be nice", "values": "a"}], "the rule 'be nice' is not known: there are equal, zero"),
    ([{"rule": ["equal"], "values": "a"}], "are texts"),
    ([{"rule": "equal", "values": 7}], "are texts"),
    ([{"rule": "equal", "values": ""}], "is no name"),
    ([{"rule": "equal", "values": "a.*.b"}], "is no name"),
    ([{"rule": "equal", "values": "a", "than": "b"}], "`than` has no meaning"),
    ([{"rule": "equal", "values": "a", "required": "no"}], "is true or false"),
]


@pytest.mark.parametrize(("rules", "why"), NO_RULES)
def test_rules_that_are_none_are_unknown_and_told(rules: object, why: str) -> None:
    """By their place; nothing is judged by the others."""
    found = consistency(changed(a_mistake(), "reconciliation.rules", rules=rules).evidence(), ASKED)
    assert found.outcome is UNKNOWN
    assert why in found.reason


def test_what_a_rule_says_beyond_what_is_known_is_left_out() -> None:
    """A newer drdrill may say more."""
    assert read([{"rule": "zero", "values": "a", "since": "2027"}]) == (Rule("zero", "a"),)


def test_rules_without_any_value_are_not_met() -> None:
    """Where nothing is required, nothing was compared."""
    only = [{"rule": "equal", "values": "nothing.*", "required": False}]
    assert outcome(consistency, changed(a_mistake(), "reconciliation.rules", rules=only)) is UNKNOWN


def test_nothing_is_known_of_any_platform() -> None:
    """The rules of another project, over values of its own."""
    rules = (Rule("equal", "stock.*"), Rule("not_behind", "next", than="used"), Rule("not_behind", "visits"))
    before = {"stock.nails": 7, "stock.nuts": {"m4": "1.0"}, "next": 5, "visits": 3}
    same = {**before, "next": 9, "used": 8, "visits": 4}
    assert {each.outcome for each in compare(rules, before, same)} == {MET}
    worse = {**same, "next": 7, "visits": 2, "stock.nuts": {"m4": "2.0"}}
    said = [each.why for each in compare(rules, before, worse) if each.outcome is MISSED]
    assert said == ["stock.nuts differs in m4", "next is 7, less than 8 (used)", "visits is 2, less than 3 (before)"]


def test_a_value_is_called_as_its_rule_says() -> None:
    """One for many adds what is left open; a value without a rule has its name."""
    rules = (Rule("equal", "stock.*", "in stock"), Rule("zero", "lost", "lost parcels"), Rule("equal", "plain"))
    assert label(rules, "stock.small_nails") == "in stock: small nails"
    assert label(rules, "lost") == "lost parcels"
    assert (label(rules, "plain"), label(rules, "other")) == ("plain", "other")


def test_the_rules_of_this_project_are_data() -> None:
    """They survive the journal, each says what its values are, and the sound books of a drill keep them."""
    again = read(json.loads(json.dumps(list(RECONCILIATION.rules))))
    assert [rule.said() for rule in again] == list(RECONCILIATION.rules)
    assert all(rule.says for rule in again)
    with pytest.raises(Unsound):
        read(list(RECONCILIATION.rules)[:0])


# Packs of format 1


def translated(kind: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    line = format1.Format1().line({"v": 1, "kind": kind, "data": data, "mono": 0})
    return line["kind"], line["data"]


def of_format_1(after: dict[str, Any]) -> History:
    """As the reader gives it: values that were called `figures`, and no rules."""
    history = without("reconciliation", "reconciliation.rules")
    for at, moment, figures in ((2, "before", books()), (59, "after", after)):
        named = {"ids" if name == format1.GREATEST else name: value for name, value in figures.items()}
        kind, data = translated("figures", {"moment": moment, "figures": named})
        history.say(at, kind, **data)
    return history


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_books_of_format_1_are_judged_by_the_rules_of_that_time(name: str, value: Any, words: str) -> None:
    """Which no line of their journal says."""
    assert outcome(consistency_3, of_format_1(books())) is MET
    found = consistency_3(of_format_1({**books(), name: value}).evidence(), ASKED)
    assert found.outcome is MISSED
    assert words in found.reason


def test_a_value_of_format_1_that_is_gone_is_missed_as_it_was() -> None:
    """Findings of that time stay as they were."""
    less = {name: value for name, value in books().items() if name != "roles"}
    found = consistency_3(of_format_1(less).evidence(), ASKED)
    assert (found.outcome, found.reason) == (MISSED, "roles is missing after the recovery")


def test_values_of_format_1_are_called_as_they_were() -> None:
    """No rule of that time said so."""
    assert format1.label("history.count_24h") == "transactions up to the last check: number in the last 24 h"
    assert format1.label("accounts.count") == "accounts: number"


def test_what_an_api_said_in_format_1_has_its_paths() -> None:
    """A line that is not as it was written then stays as it is."""
    kind, data = translated("endpoints", {"zone": "a", "health": 200, "ready": 0, "asked": 7})
    assert kind == "endpoints" and data["answers"][1] == {"path": "/ready", "wanted": 503, "status": 0}
    assert translated("endpoints", data) == ("endpoints", data)
    assert translated("wait", {"what": "x"}) == ("wait", {"what": "x"})


# A stranger

VALUES = st.one_of(
    st.integers(-2, 2),
    st.sampled_from([None, True, "1", "1.0", "x", 1.0, 0.5, "0"]),
    st.lists(st.sampled_from(["a", "b"]), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.integers(-1, 1), max_size=2),
)
STATES = st.dictionaries(st.sampled_from(["a", "b", "b.c"]), VALUES, max_size=3)
MADE = st.one_of(
    st.builds(Rule, st.sampled_from(["equal", "zero", "not_behind"]), st.sampled_from(["a", "b", "b*", "*"])),
    st.builds(Rule, st.just("not_behind"), st.just("a"), than=st.sampled_from(["b", "nothing"])),
    st.builds(Rule, st.just("equal"), st.just("c*"), required=st.booleans()),
)


@given(rules=st.lists(MADE, min_size=1, max_size=3), before=STATES, after=STATES)
def test_a_stranger_comes_to_the_same_with_the_page_alone(
    rules: list[Rule], before: dict[str, Any], after: dict[str, Any]
) -> None:
    """A script that imports nothing of the project says the same of any rules and values."""
    history = changed(found_after(after), "reconciliation.rules", rules=[rule.said() for rule in rules])
    history.drop("reconciliation", where=lambda data: data["moment"] == "before")
    history.say(2.5, "reconciliation", moment="before", values=before)
    told = consistency(history.evidence(), ASKED).outcome
    assert told == recompute_agreement.outcome([rule.said() for rule in rules], before, after)


def test_a_stranger_reads_the_same_in_a_pack(tmp_path: Path) -> None:
    """As `drdrill` sealed it."""
    pack = sample_pack.write(tmp_path / "pack", Plot(rate=1.0))
    said = {each.scenario: str(each.outcome) for each in load.judged(pack) if each.id == "consistency"}
    assert said and recompute_agreement.recompute(pack) == said
