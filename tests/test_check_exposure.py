"""Exposure: how old an acknowledged write was that a disaster could have taken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import Finding, Outcome
from harness.checks.evidence import Expectation, Unsound, position
from harness.checks.exposure import STALLED, exposure
from harness.checks.rpo import rpo
from harness.checks.version7 import exposure as exposure_7
from tests.histories import (
    BIT,
    CYCLE,
    INTENT,
    LATENCY,
    SERVING,
    ZONES,
    History,
    a_mistake,
    groups,
    lost_volumes,
    ns,
    request,
    wal,
)

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def measured(history: History, limit: float | None = 20.0) -> Finding:
    return exposure(history.evidence(), Expectation("exposure", limit=limit))


def sampled(history: History, archived_until: float, *, since: float = 0) -> None:
    """From `since` on nothing more was archived than what was written until a moment."""
    history.lines = [
        (at, kind, {**data, "safe": wal(archived_until)} if kind == "exposure.sample" and at >= since else data)
        for at, kind, data in history.lines
    ]


def archive_of(cycle: float, gap: float, *, until: float = 40.0, delay: float = 0.0) -> History:
    """Writes ten times a second, and an archive that takes everything written, every `cycle` seconds."""
    history = History()
    history.requests["a"] = [request(number, 1 + number / 10) for number in range(1, round((until - 1) * 10))]
    history.say(0, "workload.begin", rate=10, groups=groups(["a"]))
    at = 0.5
    while at < until:
        archived = max(0.0, (at - delay) // cycle * cycle)
        history.say(at, "exposure.sample", position=wal(at), safe=wal(archived), asked=ns(at - 0.005))
        at += gap
    return history


@settings(deadline=None)
@given(cycle=st.floats(1, 8), gap=st.floats(0.1, 1.0), delay=st.floats(0, 0.4))
def test_the_bar_holds_the_truth(cycle: float, gap: float, delay: float) -> None:
    """Just before everything is archived at once, the oldest write has waited a cycle and the archive's delay."""
    found = measured(archive_of(cycle, gap, delay=delay), 1000)
    assert found.low is not None and found.high is not None
    truth = cycle + delay - LATENCY
    assert found.low <= truth + 1e-6
    assert truth - 0.1 - 1e-6 <= found.high  # the next write comes up to 0.1 s after the last that was archived
    assert found.high - found.low <= 3 * gap + 0.3
    assert found.outcome is MET


def test_a_sound_archive_is_met() -> None:
    """An archive that goes on every five seconds exposes writes of a little more than that."""
    found = measured(a_mistake())
    assert found.outcome is MET
    assert found.figure == pytest.approx(CYCLE, abs=0.5)


def test_too_long_is_missed_and_a_crossing_bar_unknown() -> None:
    """Judged by both ends of the bar."""
    assert measured(a_mistake(), 3).outcome is MISSED
    found = measured(a_mistake())
    assert found.low is not None and found.high is not None
    assert measured(a_mistake(), (found.low + found.high) / 2).outcome is UNKNOWN


@pytest.mark.parametrize(("limit", "outcome"), [(100.0, UNKNOWN), (10.0, MISSED)])
def test_an_archive_that_stopped_keeping_up_is_a_lower_bound(limit: float, outcome: Outcome) -> None:
    """How far it would have fallen behind is not known: MISSED where it is beyond the objective already."""
    history = lost_volumes()
    sampled(history, 10.3, since=10.5)
    found = measured(history, limit)
    assert (found.outcome, found.lower_bound, found.high) == (outcome, True, None)
    assert "had stopped keeping up" in found.reason
    assert found.figure == pytest.approx(INTENT - 10.3, abs=0.6)


def test_an_archive_that_takes_nothing_is_never_met() -> None:
    """Where no write was ever seen to be archived, the age has no upper end."""
    history = lost_volumes()
    sampled(history, 0)
    assert measured(history, 1000).outcome is UNKNOWN
    assert measured(history, 5).outcome is MISSED


def test_an_archive_that_does_not_go_on_after_the_recovery_is_not_met() -> None:
    """The recovered database must archive again; otherwise the next disaster takes what was just saved."""
    history = lost_volumes()
    sampled(history, SERVING, since=SERVING)
    found = measured(history, 100)
    assert found.outcome is UNKNOWN
    assert "at the end" in found.reason


def test_an_archive_of_the_timeline_before_covers_nothing() -> None:
    """An archive that is ahead of the recovered database was made of the one that was lost."""
    history = lost_volumes()
    sampled(history, 1000, since=SERVING)
    assert measured(history, 100).outcome is UNKNOWN


def test_an_archive_ahead_of_the_database_is_unsound() -> None:
    """Before the disaster there is no timeline that could explain it."""
    history = lost_volumes()
    sampled(history, 1000)
    with pytest.raises(Unsound, match="ahead"):
        measured(history)


def test_samples_that_cease_before_the_fault_widen_the_bar() -> None:
    """Nobody looked for ten seconds: the age may have gone on growing all that while."""
    history = lost_volumes()
    history.lines = [line for line in history.lines if line[1] != "exposure.sample" or not 20.4 < line[0] < BIT]
    found = measured(history)
    assert found.high is not None and found.high > 9
    assert found.outcome is not MET or found.high < 20
    assert measured(history, 8).outcome is not MET


def test_a_look_that_comes_late_does_not_say_that_the_archive_stopped() -> None:
    """What it hides is in the bar. Up to version 7 it made the age a lower bound."""
    history = lost_volumes()
    history.lines = [line for line in history.lines if line[1] != "exposure.sample" or not 18.4 < line[0] < BIT]
    found = measured(history, 20.0)
    assert (found.outcome, found.lower_bound) == (MET, False), found.reason
    assert found.high is not None and found.high > STALLED * CYCLE
    before = exposure_7.exposure(history.evidence(), Expectation("exposure", limit=20.0))
    assert (before.outcome, before.lower_bound) == (UNKNOWN, True)


@pytest.mark.parametrize("what", ["no samples", "no writes", "samples after the fault only", "a ledger missing"])
def test_without_evidence_it_is_unknown(what: str) -> None:
    """No samples, no writes: nothing is known, and there is no figure."""
    history = lost_volumes()
    if what == "no samples":
        history.drop("exposure.sample")
    elif what == "samples after the fault only":
        history.lines = [line for line in history.lines if line[1] != "exposure.sample" or line[0] > INTENT]
    elif what == "a ledger missing":
        del history.requests["a"]
    else:
        history.requests = {zone: [] for zone in ZONES}
    found = measured(history)
    assert (found.outcome, found.figure) == (UNKNOWN, None)


def test_without_a_word_of_when_it_asked_the_bar_is_wider() -> None:
    """A sample without `asked` may have asked at any moment since the sample before."""
    exact, vague = a_mistake(), a_mistake()
    for _, kind, data in vague.lines:
        if kind == "exposure.sample":
            del data["asked"]
    one, other = measured(exact), measured(vague)
    assert one.low is not None and other.low is not None and one.high is not None and other.high is not None
    assert other.low <= one.low
    assert other.high >= one.high


@pytest.mark.parametrize("value", ["", "0/12", None, 1.5, True, -1])
def test_a_position_that_is_none_is_unsound(value: object) -> None:
    """Only a whole number is a position, from 0 on."""
    with pytest.raises(Unsound):
        position(value)


def test_the_recovery_point_is_the_worse_of_loss_and_exposure() -> None:
    """A lucky moment does not pass, and neither does a loss under a sound archive."""
    evidence, asked = a_mistake().evidence(), Expectation("rpo", limit=5.0)
    good = Finding("loss", "s", "t", MET, "nothing", figure=0.0, low=0.0, high=0.0)
    bad = Finding("exposure", "s", "t", MISSED, "long", figure=9.0, low=8.0, high=10.0)
    vague = Finding("exposure", "s", "t", UNKNOWN, "stalled", figure=4.0, low=4.0, lower_bound=True)

    def worse(lost: Finding, exposed: Finding) -> Finding:
        return rpo(lambda *_: lost, lambda *_: exposed)(evidence, asked)

    for pair in ((good, bad), (bad, good)):
        found = worse(*pair)
        assert (found.outcome, found.figure, found.low, found.high) == (MISSED, 9.0, 8.0, 10.0)
    assert worse(good, good).outcome is MET
    found = worse(good, vague)
    assert (found.outcome, found.lower_bound, found.high) == (UNKNOWN, True, None)
