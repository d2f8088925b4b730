"""A planned switchback is one interruption, names count from their first refusal; and what version 5 said of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.checks import Finding, Outcome
from harness.checks.judge import judge
from harness.checks.rules import TABLE
from tests import recompute_switchback
from tests.histories import INTENT, NAME, History, lost_volumes, ns, request, row_of
from tests.region_losses import (
    BACK,
    EAST_SERVER,
    HANDED,
    IN_EAST,
    IN_WEST,
    LAST,
    OUTSIDE,
    PLANNED,
    SECOND,
    SERVED,
    SWITCHED,
    WEST_SERVER,
    a_region_lost,
)
from tests.test_check_regions import found

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
LOSSLESS = "switchback-lossless"


def by_rules(version: str, name: str, history: History) -> Finding:
    return next(each for each in judge(history.evidence(), TABLE[version]) if each.id == name)


def refused(history: History, begin: float, end: float, *groups: str) -> History:
    """What was due in between failed, and is in no row."""
    for group in groups or (OUTSIDE,):
        requests = [
            each._replace(outcome="failed", history=None, server="") if ns(begin) <= each.due < ns(end) else each
            for each in history.requests[group]
        ]
        history.requests[group] = requests
        history.rows["final", group] = [row_of(each) for each in requests if each.outcome == "acknowledged"]
    return history


def with_another(name: str = "names.refused", at: float = 48.6, **data: object) -> History:
    history = a_region_lost()
    history.say(at, name, **{"name": "api.example", "why": "no answer", **data})
    return history


def led_already(group: str = IN_WEST, at: float = 48.0) -> History:
    """Customers of that group were answered from the second region before any name was switched."""
    history = a_region_lost()
    place = next(place for place, each in enumerate(history.requests[group]) if each.due >= ns(at))
    due = (history.requests[group][place].due - ns(0)) / 1e9
    history.requests[group][place] = request(place + 1, due, timeline=SECOND, server=WEST_SERVER)
    kept = [each for each in history.requests[group] if each.outcome == "acknowledged"]
    history.rows["final", group] = [row_of(each) for each in kept]
    return history


def test_for_how_long_each_group_was_without_service_stands_beside() -> None:
    """From the last good request before it to the first answer after it; past the name there are none."""
    finding = found(LOSSLESS, a_region_lost())
    assert (finding.outcome, finding.figure) == (MET, 0.0)
    lengths = {name: float(words.removesuffix(" s at most")) for name, words in finding.beside}
    assert list(lengths) == [f"without service, {group}" for group in (OUTSIDE, IN_EAST, IN_WEST)]
    assert list(lengths.values()) == [pytest.approx(BACK - PLANNED, abs=0.2)] * 3  # in the lost region, too
    assert f"customers {OUTSIDE} were without service: 10." in finding.reason


@pytest.mark.parametrize(
    ("begin", "end", "expected", "said"),
    [
        (98.0, 101.0, MISSED, "2 times: "),
        (98.0, 98.5, MET, "; 5 requests more were not good"),
        (92.0, 95.0, MET, "15.010 s at most"),  # not yet served for five seconds: the same interruption
        (103.0, LAST, MISSED, "2 times: "),
        (92.0, LAST, MISSED, "and not served at the end"),
    ],
)
def test_whoever_was_served_again_must_not_be_without_service_a_second_time(
    begin: float, end: float, expected: Outcome, said: str
) -> None:
    """A planned interruption is one; a request here and there takes nobody's service away."""
    history = refused(a_region_lost(), begin, end)
    finding = found(LOSSLESS, history)
    assert finding.outcome is expected and said in finding.reason
    assert by_rules("5", LOSSLESS, history).outcome is MET


def test_the_customers_of_a_region_are_told_beside_and_are_not_judged() -> None:
    """Only those outside are promised service."""
    finding = found(LOSSLESS, refused(a_region_lost(), 98.0, 101.0, IN_EAST, IN_WEST))
    assert finding.outcome is MET
    assert "2 times" in dict(finding.beside)[f"without service, {IN_WEST}"]


def test_a_scenario_that_was_stopped_leaves_the_end_open() -> None:
    """They might have been served."""
    history = refused(a_region_lost(), PLANNED + 1, LAST)
    answered = next(place for place, each in enumerate(history.requests[IN_EAST]) if each.due >= ns(BACK))
    assert history.requests[IN_EAST][answered].server == EAST_SERVER
    assert found(LOSSLESS, history).outcome is MISSED
    history.drop("scenario.end")
    history.say(LAST, "stopped", who="somebody", why="enough")
    assert found(LOSSLESS, history).outcome is UNKNOWN


def test_nobody_outside_leaves_it_open() -> None:
    """Customers in the regions say nothing of those who are promised service."""
    history = a_region_lost()
    history.requests[OUTSIDE] = [each for each in history.requests[OUTSIDE] if each.due < ns(PLANNED)]
    history.rows["final", OUTSIDE] = [row_of(e) for e in history.requests[OUTSIDE] if e.outcome == "acknowledged"]
    finding = found(LOSSLESS, history)
    assert finding.outcome is UNKNOWN and "nobody says for how long" in finding.reason


@pytest.mark.parametrize(
    "history",
    [
        a_region_lost(),
        refused(a_region_lost(), 98.0, 101.0),
        refused(a_region_lost(), 92.0, 95.0),
        refused(a_region_lost(), 98.0, 98.5),
        refused(a_region_lost(), 103.0, LAST),
    ],
)
def test_a_script_that_imports_nothing_of_the_project_says_the_same(history: History, tmp_path: Path) -> None:
    """From the ledgers and what docs/journal.md says."""
    said = recompute_switchback.recompute(history.write(tmp_path / "pack"))[NAME]
    assert said is not None
    beside = dict(found(LOSSLESS, history).beside)
    for group, interrupted in said.items():
        words = beside[f"without service, {group}"]
        lengths = " and ".join(f"{each:.3f} s" for each in interrupted["seconds"])
        assert (lengths or "never") in words
        assert ("not served at the end" in words) is not interrupted["served"]


def test_a_switch_that_was_refused_counts_from_when_it_was_asked_for() -> None:
    """And not from the attempt that came off; the bar begins with the refusal."""
    finding = found("names-switched", with_another(asked=ns(48.0)))
    assert finding.figure == pytest.approx(SERVED - 48.0, abs=0.2)
    assert finding.low == pytest.approx(SERVED - 48.6, abs=0.2)
    assert "were to be switched, and could not be" in finding.reason
    assert found("names-switched", with_another()).figure == pytest.approx(SERVED - 48.6, abs=0.2)
    assert found("names-switched", with_another(asked=ns(49.0))).outcome is UNKNOWN
    assert by_rules("5", "names-switched", with_another()).figure == pytest.approx(SERVED - 50.0, abs=0.2)


def test_whoever_was_led_there_before_has_no_time() -> None:
    """By health, or by a hand that changed one of the names."""
    finding = found("names-switched", led_already())
    assert dict(finding.beside)[IN_WEST] == "led there already"
    assert f"{IN_WEST} had been led there before" in finding.reason
    assert finding.figure == pytest.approx(SERVED - 50.0, abs=0.2)
    assert dict(by_rules("5", "names-switched", led_already()).beside)[IN_WEST].startswith("5.")


def test_where_all_were_led_there_before_there_is_no_time_at_all() -> None:
    """It is met, and says so."""
    history = led_already()
    requests = led_already(OUTSIDE).requests[OUTSIDE]
    history.requests[OUTSIDE] = requests
    history.rows["final", OUTSIDE] = [row_of(each) for each in requests if each.outcome == "acknowledged"]
    finding = found("names-switched", history)
    assert (finding.outcome, finding.figure) == (MET, 0.0)
    assert "were led to us-west-2 before the names were switched" in finding.reason
    assert SWITCHED < HANDED


def test_looks_are_told_out_of_all() -> None:
    """And from when to when."""
    finding = found("region-fenced", a_region_lost())
    assert finding.title.startswith("Once it is fenced")
    assert finding.reason.startswith("0 of 227 looks at us-east-1, from its fence until it was to lead again, saw")
    assert dict(finding.beside) == {"looks in all": "227"}
    assert "none of which saw it take a write" in by_rules("5", "region-fenced", a_region_lost()).reason


def test_what_a_run_could_have_seen_is_no_less_than_what_it_saw() -> None:
    """Writes are older than the first sample; and exposure says when it was at its worst."""
    history = a_region_lost()
    finding = found("exposure-beyond", history)
    assert "at its worst, before the fault" in finding.reason
    assert dict(finding.beside)["exposure was at its worst"] == "before the fault"
    history = lost_volumes()
    history.expect("exposure", 300.0)
    late = found("exposure", history)
    seen = dict(late.beside)["greatest age this run could have seen"]
    assert float(seen.removesuffix(" s")) >= round(late.high or 0, 1)
    recovery = dict(found("rpo", history).beside)
    assert {"greatest loss this run could have seen", "greatest age this run could have seen"} <= set(recovery)
    assert "greatest age this run could have seen" not in dict(by_rules("5", "rpo", history).beside)


def test_a_loss_says_whose_it_is() -> None:
    """By group; nothing where nothing is lost, and nothing up to version 5."""
    history = a_region_lost()
    for group, many in ((OUTSIDE, 2), (IN_WEST, 1)):
        for each in [each for each in history.requests[group] if each.due < ns(INTENT - 1)][-many:]:
            history.lose(group, each.number)
    assert dict(found("loss", history).beside)["lost, by customers"] == f"{IN_WEST} 1, {OUTSIDE} 2"
    assert "lost, by customers" not in dict(by_rules("5", "loss", history).beside)
    assert "lost, by customers" not in dict(found("loss", a_region_lost()).beside)


def test_a_fault_that_a_sentence_had_ended_was_healed_with_nothing_of_it_left() -> None:
    """The finding says so; its outcome does not depend on it."""
    history = a_region_lost()
    assert found("heal", history).reason == "black_out_region: healed by harness"
    history.say(78.5, "fault.left", fault="black_out_region", injection=1, ok=True, seen="…", after="it has returned")
    assert found("heal", history).reason == "black_out_region: healed by harness, and nothing of it was left by then"
    assert found("heal", history).outcome is MET
