"""Failover, split brain, what comes back: each check has a history that turns it red, and one that leaves it open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence
from harness.checks.judge import judge
from harness.checks.rules import TABLE
from tests.histories import History, groups, ns, request, row_of
from tests.sample_cut import own_answers
from tests.test_check_steps import changed
from tests.zone_cuts import (
    API_B,
    BIT,
    DATABASE_A,
    HELD,
    INSIDE,
    JOINED,
    LAST,
    NEW,
    OLD,
    OUTSIDE,
    PROMOTED,
    a_zone_cut,
)

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def found(name: str, history: History, limit: float | None = None) -> Finding:
    """What the judge says where the sentences ask for this one thing."""
    history.drop("expect")
    history.expect(name, limit)
    return next(each for each in judge(history.evidence()) if each.id == name)


def without(*kinds: str, **where: Any) -> History:
    history = a_zone_cut()
    history.drop(*kinds, where=lambda data: all(data.get(key) == value for key, value in where.items()))
    return history


def left_fenced() -> History:
    return changed(changed(a_zone_cut(), "fault.healed", ok=False, how="left fenced"), "rejoined", ok=False)


def stopped(history: History, at: float) -> History:
    history.cut(at)
    history.say(at, "stopped", who="an operator", why="a test")
    return history


def acknowledged(history: History, group: str, at: float, timeline: int | None, *, kept: bool = True) -> History:
    """One request of a group, due at that moment, was acknowledged on a timeline; whether its row survived."""
    requests = history.requests[group]
    number = next(each.number for each in requests if each.due >= ns(at))
    requests[number - 1] = request(number, (requests[number - 1].due - ns(0)) / 1e9, timeline=timeline)
    rows = [row for row in history.rows["final", group] if row.number != number]
    history.rows["final", group] = sorted([*rows, *([row_of(requests[number - 1])] if kept else [])])
    return history


def unnamed(*groups: str) -> History:
    """The answers to these groups name no timeline."""
    history = a_zone_cut()
    for group in groups:
        history.requests[group] = [each._replace(history=None) for each in history.requests[group]]
    return history


def nobody_inside() -> History:
    """Customers inside were asked for, and were never answered."""
    history = a_zone_cut()
    for group in INSIDE:
        history.requests[group] = [each for each in history.requests[group] if each.due < 0]
        history.rows["final", group] = []
    return history


def none_asked_for() -> History:
    """A drill that has no customers inside a zone."""
    history = changed(a_zone_cut(), "workload.begin", groups=groups([OUTSIDE]))
    for group in INSIDE:
        del history.requests[group], history.rows["final", group]
    return history


def touching() -> History:
    """The first answer on the new timeline was sent when the old one still answered."""
    history = a_zone_cut()
    requests = history.requests[OUTSIDE]
    number = next(each.number for each in requests if each.due >= ns(29.5))
    requests[number - 1] = requests[number - 1]._replace(ended=ns(33), history=NEW)
    return history


def served_by(new: str, old: str = "10.0.0.11") -> History:
    """Every answer names its server; the later ones stay on the timeline of the old ones."""
    history = a_zone_cut()
    for group in (OUTSIDE, *INSIDE):
        history.requests[group] = [
            each._replace(history=OLD, server=old if each.history == OLD else new) if each.history else each
            for each in history.requests[group]
        ]
    return history


def lost(group: str) -> History:
    history = a_zone_cut()
    history.lose(group, 5)
    return history


def rotation(*lines: tuple[str, bool]) -> History:
    history = a_zone_cut()
    for at, (component, ok) in enumerate(lines):
        history.say(80 + at, "rotation", component=component, ok=ok, seen="answers" if ok else "HTTP 503")
    return history


def endpoints(*said: tuple[int, int]) -> History:
    history = a_zone_cut()
    for at, (health, ready) in enumerate(said):
        history.say(40 + at, "endpoints", zone="a", asked=ns(40 + at - 0.01), answers=own_answers(health, ready))
    return history


def releases(*names: tuple[float, str]) -> History:
    history = a_zone_cut()
    for at, name in names:
        history.say(at, "release", name=name, history=["1", name])
    return history


def cleaned_up_at(moment: float) -> History:
    """What is deployed was looked at before the harness healed, and after it."""
    history = releases((1.5, "1"), (40, "2"), (50, "1"))
    history.say(moment, "fault.healed", fault="cut_zone", ok=True, by="harness", seen="healed")
    return history


def never_back() -> History:
    """Nobody outside is served again."""
    history = a_zone_cut()
    history.requests[OUTSIDE] = [
        each._replace(outcome="failed") if each.due >= ns(BIT) else each for each in history.requests[OUTSIDE]
    ]
    return history


def back_at(moment: float, *, again: bool = False) -> History:
    """Customers outside are served from then on; with `again`, a second fault hurts them at 90 s."""
    history = a_zone_cut()
    made = []
    for each in history.requests[OUTSIDE]:
        good = each.due < ns(BIT) - 10**9 or ns(moment) <= each.due < ns(90 if again else LAST)
        kept = each._replace(ended=each.due + 10**7, outcome="acknowledged" if good else "failed")
        made.append(kept._replace(history=NEW if good else None))
    history.requests[OUTSIDE] = made
    if again:
        history.say(90, "fault.intent", fault="reject_credentials", affects=[], harms_data=False)
        history.say(90.1, "fault.effective", fault="reject_credentials", ok=True, proof="refused")
    return history


def rows_unread() -> History:
    history = a_zone_cut()
    del history.rows["final", DATABASE_A]
    return history


def led(timeline: int) -> History:
    history = a_zone_cut()
    history.drop("leadership", where=lambda data: data["moment"] == "after")
    history.say(95, "leadership", moment="after", member="db-b", history=timeline)
    return history


def helped(at: float) -> History:
    history = back_at(80.0)
    history.say(at, "step.begin", phase="restore", name="restart", does="…")
    return history


CASES: list[tuple[str, str, float | None, Callable[[], History], Outcome]] = [
    ("sound", "split-brain", None, a_zone_cut, MET),
    ("the old leader still answers", "split-brain", None,
     lambda: acknowledged(a_zone_cut(), DATABASE_A, 60.0, OLD), MISSED),
    ("and keeps what it answered", "split-brain", None,
     lambda: acknowledged(a_zone_cut(), DATABASE_A, 60.0, OLD, kept=False), MISSED),
    ("an answer that is gone", "split-brain", None, lambda: lost(API_B), MISSED),
    ("an answer in the cut zone that is gone", "split-brain", None,
     lambda: acknowledged(a_zone_cut(), DATABASE_A, 45.0, OLD, kept=False), MISSED),
    ("an answer before anybody else led", "split-brain", None,
     lambda: acknowledged(a_zone_cut(), DATABASE_A, 45.0, OLD), MET),
    ("too near to each other", "split-brain", None, touching, UNKNOWN),
    ("two databases whose timelines have one number", "split-brain", None, lambda: served_by("10.0.0.14"), MISSED),
    ("one that names itself", "split-brain", None, lambda: served_by("10.0.0.11"), MET),
    ("no timelines", "split-brain", None, lambda: unnamed(OUTSIDE, *INSIDE), UNKNOWN),
    ("some without timelines", "split-brain", None, lambda: unnamed(DATABASE_A), UNKNOWN),
    ("nobody inside was answered", "split-brain", None, nobody_inside, UNKNOWN),
    ("nobody inside was asked for", "split-brain", None, none_asked_for, MET),
    ("a ledger is missing", "split-brain", None,
     lambda: changed(a_zone_cut(), "workload.begin", groups=groups([OUTSIDE, *INSIDE, "zone-c"], inside=INSIDE)),
     UNKNOWN),
    ("rows are missing", "split-brain", None, rows_unread, UNKNOWN),
    ("sound", "no-loss", None, a_zone_cut, MET),
    ("one is gone", "no-loss", None, lambda: lost(OUTSIDE), MISSED),
    ("one of those inside is gone", "no-loss", None, lambda: lost(DATABASE_A), MISSED),
    ("rows are missing", "no-loss", None, rows_unread, UNKNOWN),
    ("sound", "failovers", 1.0, a_zone_cut, MET),
    ("one too many", "failovers", 1.0, lambda: led(NEW + 1), MISSED),
    ("none where none is allowed", "failovers", 0.0, lambda: led(OLD), MET),
    ("not looked at before", "failovers", 1.0, lambda: without("leadership", moment="before"), UNKNOWN),
    ("not looked at after", "failovers", 1.0, lambda: without("leadership", moment="after"), UNKNOWN),
    ("the timeline went back", "failovers", 1.0, lambda: led(OLD - 1), UNKNOWN),
    ("sound", "rejoined", 60.0, a_zone_cut, MET),
    ("too late", "rejoined", 10.0, a_zone_cut, MISSED),
    ("too near to tell", "rejoined", 18.0, a_zone_cut, UNKNOWN),
    ("never, waited for longer than allowed", "rejoined", 10.0,
     lambda: changed(a_zone_cut(), "rejoined", ok=False), MISSED),
    ("never, not waited for long enough", "rejoined", 60.0,
     lambda: changed(a_zone_cut(), "rejoined", ok=False), UNKNOWN),
    ("nobody looked", "rejoined", 60.0, lambda: without("rejoined"), UNKNOWN),
    ("nothing was healed", "rejoined", 60.0, lambda: without("fault.healed"), UNKNOWN),
    ("left fenced, and no copy", "rejoined", 60.0, left_fenced, MISSED),
    ("nobody healed it, and no copy", "rejoined", 60.0,
     lambda: changed(without("fault.healed"), "rejoined", ok=False), MISSED),
    ("stopped before", "rejoined", 60.0, lambda: stopped(a_zone_cut(), 80.0), UNKNOWN),
    ("sound", "self-recovery", 30.0, lambda: back_at(80.0), MET),
    ("too late", "self-recovery", 3.0, lambda: back_at(80.0), MISSED),
    ("it had never been away", "self-recovery", 1.0, lambda: back_at(60.0), MET),
    ("never", "self-recovery", 10.0, never_back, MISSED),
    ("never, and not for long", "self-recovery", 30.0, never_back, UNKNOWN),
    ("it did not last", "self-recovery", 30.0, lambda: back_at(97.0), UNKNOWN),
    ("good until the next fault", "self-recovery", 30.0, lambda: back_at(80.0, again=True), MET),
    ("not good before the next fault", "self-recovery", 30.0, lambda: back_at(88.0, again=True), UNKNOWN),
    ("with somebody's help", "self-recovery", 30.0, lambda: helped(78.0), UNKNOWN),
    ("with somebody's help, and too late", "self-recovery", 2.0, lambda: helped(78.0), MISSED),
    ("a step afterwards", "self-recovery", 30.0, lambda: helped(90.0), MET),
    ("nothing was healed by the scenario", "self-recovery", 30.0,
     lambda: changed(a_zone_cut(), "fault.healed", by="harness"), UNKNOWN),
    ("sound", "honest-ready", None, lambda: endpoints((200, 503), (200, 503)), MET),
    ("ready says yes", "honest-ready", None, lambda: endpoints((200, 503), (200, 200)), MISSED),
    ("health says no", "honest-ready", None, lambda: endpoints((503, 503)), MISSED),
    ("no answer", "honest-ready", None, lambda: endpoints((0, 0)), MISSED),
    ("not asked", "honest-ready", None, a_zone_cut, UNKNOWN),
    ("sound", "back-in-rotation", None, lambda: rotation(("api-a", False), ("api-a", True), ("lb-1", True)), MET),
    ("one is not", "back-in-rotation", None, lambda: rotation(("api-a", True), ("lb-1", False)), MISSED),
    ("not looked at", "back-in-rotation", None, a_zone_cut, UNKNOWN),
    ("sound", "rolled-back", None, lambda: releases((1.5, "1"), (40, "2"), (50, "1")), MET),
    ("still the bad one", "rolled-back", None, lambda: releases((1.5, "1"), (40, "2")), MISSED),
    ("cleaned up by the harness", "rolled-back", None, lambda: cleaned_up_at(45), MISSED),
    ("not looked at after", "rolled-back", None, lambda: releases((1.5, "1")), UNKNOWN),
    ("not looked at before", "rolled-back", None, lambda: releases((40, "1")), UNKNOWN),
]  # fmt: skip  # a table


@pytest.mark.parametrize(
    ("name", "limit", "made", "expected"), [case[1:] for case in CASES], ids=[f"{case[1]}: {case[0]}" for case in CASES]
)
def test_a_check_says_what_the_history_shows(
    name: str, limit: float | None, made: Callable[[], History], expected: Outcome
) -> None:
    """MET where all is as it must be, MISSED where it is not, UNKNOWN where nobody can say."""
    finding = found(name, made(), limit)
    assert finding.outcome is expected, finding.reason


def test_a_sound_zone_cut_is_met_in_every_finding() -> None:
    """Every finding that counts is MET; what only a person could do stands beside it."""
    findings = judge(a_zone_cut().evidence())
    assert {each.id for each in findings if each.outcome is not MET} == {"decision", "root-cause"}
    assert all(each.advisory for each in findings if each.outcome is not MET)


def test_customers_inside_a_zone_do_not_count_for_service() -> None:
    """Their zone is cut off; the figure says that they are left out, and they do count for what was stored."""
    finding = found("rto", a_zone_cut(), 60.0)
    assert (finding.outcome, finding.figure) == (MET, pytest.approx(PROMOTED - 30 + 0.01))
    assert "customers inside a zone are not counted (database-a, zone-a, zone-b)" in finding.reason
    counted = changed(a_zone_cut(), "workload.begin", groups=groups([OUTSIDE, *INSIDE]))
    assert found("rto", counted, 60.0).lower_bound
    agreement = next(each for each in judge(a_zone_cut().evidence()) if each.id == "ledger-agreement")
    assert agreement.reason.startswith(f"{4 * 980} requests")
    bad = next(each for each in judge(a_zone_cut().evidence()) if each.id == "availability")
    assert bad.figure == 22.0


def test_a_ledger_of_customers_inside_may_be_missing_for_service_and_not_for_loss() -> None:
    """What is not counted need not be there."""
    history = a_zone_cut()
    del history.requests[DATABASE_A]
    assert found("rto", history, 60.0).outcome is MET
    assert found("no-loss", history).outcome is UNKNOWN


def test_a_heal_in_the_middle_does_not_end_the_drill() -> None:
    """A run that was killed later looked on until then; one that was healed by somebody else did not."""
    history = a_zone_cut()
    history.cut(90.0)
    evidence: Evidence = history.evidence()
    assert evidence.observed() == ns(JOINED)
    by_another = changed(history, "fault.healed", by="drdrill heal")
    assert by_another.evidence().observed() == ns(HELD)


def test_a_fault_injected_twice_must_be_healed_twice() -> None:
    """One good heal is not enough for two injections; a bad one that was made good is."""
    history = a_zone_cut()
    history.say(80, "fault.intent", fault="cut_zone", affects=[{"zone": "b"}], harms_data=False)
    history.say(80.1, "fault.effective", fault="cut_zone", ok=True, proof="cut")
    assert found("heal", history).outcome is UNKNOWN
    history.say(96, "fault.healed", fault="cut_zone", ok=False, by="scenario", seen="no")
    assert found("heal", history).outcome is MISSED
    history.say(97, "fault.healed", fault="cut_zone", ok=True, by="harness", seen="")
    finding = found("heal", history)
    assert (finding.outcome, finding.reason) == (MET, "cut_zone: healed by scenario, harness")


def test_every_step_of_every_procedure_must_be_carried_out() -> None:
    """Of two procedures with steps of the same name, what only one of them did is missing in the other."""
    steps = [{"phase": "restore", "name": "restart"}, {"phase": "verify", "name": "ask"}]
    history = a_zone_cut()
    history.say(60, "procedure", name="restart", steps=steps)
    for at, step in enumerate(steps):
        history.say(61 + at, "step.end", ok=True, seconds=1.0, facts={}, **step)
    history.say(65, "procedure", name="roll-back", steps=steps)
    history.say(66, "step.end", ok=True, seconds=1.0, facts={}, **steps[0])
    finding = found("procedure", history)
    assert finding.outcome is MISSED
    assert "roll-back: 1 of 2 steps were not carried out, the first of them ask" in finding.reason
    history.say(67, "step.end", ok=True, seconds=1.0, facts={}, **steps[1])
    assert found("procedure", history).outcome is MET


def test_what_was_not_exercised_stands_beside_the_verdict() -> None:
    """One finding lists it all; without such a line there is none."""
    history = a_zone_cut()
    assert "exercised" not in {each.id for each in judge(history.evidence())}
    history.say(3, "not_exercised", what="latency on a link", why="this kernel has no netem")
    history.say(4, "not_exercised", what="a lossy link", why="no module")
    finding = next(each for each in judge(history.evidence()) if each.id == "exercised")
    assert (finding.outcome, finding.advisory) == (UNKNOWN, True)
    assert finding.reason == "latency on a link: this kernel has no netem; a lossy link: no module"


def test_a_root_cause_is_never_found_by_the_harness() -> None:
    """Where a category of the plan is drilled the open questions are counted, beside the verdict."""
    finding = next(each for each in judge(a_zone_cut().evidence()) if each.id == "root-cause")
    assert (finding.outcome, finding.advisory) == (UNKNOWN, True)
    assert "9 questions in it wait for a person" in finding.reason
    other = changed(a_zone_cut(), "scenario.begin", category="")
    assert "root-cause" not in {each.id for each in judge(other.evidence())}


answers = st.lists(
    st.tuples(st.sampled_from([OUTSIDE, *INSIDE]), st.floats(3, 95), st.floats(0.001, 4.9), st.integers(3, 5)),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(made=answers)
def test_split_brain_is_what_its_definition_says(made: list[tuple[str, float, float, int]]) -> None:
    """Compared with every pair of answers: red when one of an older timeline was surely committed after a newer one."""
    history = a_zone_cut()
    history.requests = {group: [] for group in history.requests}
    history.rows = {key: [] for key in history.rows}
    for group, due, took, timeline in sorted(made, key=lambda each: each[1]):
        requests = history.requests[group]
        requests.append(request(len(requests) + 1, due, took=took, timeline=timeline))
        history.rows["final", group].append(row_of(requests[-1]))
    every = [each for requests in history.requests.values() for each in requests]
    pairs = [(one, two) for one in every for two in every if (one.history or 0) < (two.history or 0)]
    surely = {id(one) for one, two in pairs if (one.sent or 0) > (two.ended or 0)}
    perhaps = any((one.ended or 0) >= (two.sent or 0) for one, two in pairs)
    inside = any(history.requests[group] for group in INSIDE)
    finding = found("split-brain", history)
    assert finding.outcome is (MISSED if surely else UNKNOWN if perhaps or not inside else MET), finding.reason
    assert not surely or finding.figure == len(surely)


def test_one_that_was_not_let_back_is_no_copy_since_version_8() -> None:
    """Before, it was not known; the reason says why it stayed away."""
    finding = found("rejoined", left_fenced(), 60.0)
    assert finding.reason.endswith("; its healing: left fenced") and finding.figure is None
    history = left_fenced()
    history.drop("expect")
    history.expect("rejoined", 60.0)
    before = next(each for each in judge(history.evidence(), TABLE["7"]) if each.id == "rejoined")
    assert before.outcome is UNKNOWN and "nothing had been healed before" in before.reason
