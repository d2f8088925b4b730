"""How it is judged who was reached, by what, and what customers were told: each finding has histories that turn it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checks import Finding, Outcome
from harness.checks.answer import answer
from harness.checks.evidence import Expectation
from harness.checks.judge import judge
from harness.checks.rules import CURRENT, VERSION_3
from tests.told_histories import CALLED, END, RATIO, RESOLVED, TOLD, Told, all_told, made_real, named

LIMITS = {"roles-reached": 300.0, "customers-updated": 1800.0, "report-in-time": 259200.0}
FINDINGS = (
    "roles-reached", "roles-answered-for", "primary-channel", "customers-told", "customers-updated",
    "customers-told-resolved", "report-in-time", "marked-as-exercise", "told-once",
)  # fmt: skip  # a list
OTHERS = ("secondary-channel", "emergency-channel")
LEAD = "technical lead"


def judged(finding: str, history: Told) -> Finding:
    return answer(CURRENT.checks[finding], history.evidence(), Expectation(finding, limit=LIMITS.get(finding)))


def without_answer(history: Told, role: str = LEAD) -> Told:
    history.drop("message.acknowledged", where=lambda data: data["role"] == role)
    return history


def slack_down(history: Told, *, then: str = "teams") -> Told:
    """The lead is not reached by Slack; what comes next takes the call."""
    history.drop("message.attempt", where=lambda data: data["role"] == LEAD)
    without_answer(history)
    history.call(CALLED + 0.2, LEAD, ok=False)
    if then:
        history.call(CALLED + 2.0, LEAD, by=then)
        history.answer(CALLED + 3.0, LEAD, channel=then)
    return history


@pytest.mark.parametrize("finding", FINDINGS)
def test_all_is_well_where_all_were_told(finding: str) -> None:
    """And the older rules know nothing of it: no older pack asks for it."""
    assert judged(finding, all_told()).outcome is Outcome.MET
    assert finding not in VERSION_3.checks


@pytest.mark.parametrize("finding", [*FINDINGS, *OTHERS])
def test_where_nothing_was_said_nothing_is_known(finding: str) -> None:
    """Neither green nor red: of a scenario without messages, and of one whose services nobody asked."""
    silent = all_told()
    silent.drop("communications.begin")
    assert judged(finding, silent).outcome is Outcome.UNKNOWN
    untold = all_told()
    untold.drop("message", "message.attempt", "message.acknowledged", "message.received", "health")
    assert judged(finding, untold).outcome in (Outcome.UNKNOWN, Outcome.MISSED)


@pytest.mark.parametrize("finding", ["primary-channel", "customers-told", "marked-as-exercise"])
def test_what_no_service_confirms_is_not_known(finding: str) -> None:
    """Whoever sends says that it arrived; what came in is a second witness."""
    history = all_told()
    history.drop("message.received")
    assert judged(finding, history).outcome is Outcome.UNKNOWN


def test_the_longest_time_to_an_answer_counts_by_the_incidents_clock() -> None:
    """The ratio stands with the figure."""
    found = judged("roles-reached", all_told())
    assert found.figure == pytest.approx(1.0 * RATIO) and "60 times as fast" in found.reason
    late = without_answer(all_told())
    late.answer(CALLED + 6.0, LEAD)
    assert judged("roles-reached", late).outcome is Outcome.MISSED


def test_a_deputy_is_not_the_role() -> None:
    """Whoever stood in is named; for the role itself it was not reached."""
    history = without_answer(all_told())
    assert judged("roles-answered-for", history).outcome is Outcome.MISSED
    history.answer(CALLED + 6.0, LEAD, by="incident commander")
    found = judged("roles-reached", history)
    assert found.outcome is Outcome.MISSED and "the incident commander stood in" in found.reason
    found = judged("roles-answered-for", history)
    assert found.outcome is Outcome.MET and "the incident commander stood in" in found.reason


def test_a_role_that_was_never_called_is_missed() -> None:
    """Also where all others were."""
    history = without_answer(all_told())
    history.drop("message", where=lambda data: data["whom"] == LEAD)
    for finding in ("roles-reached", "roles-answered-for"):
        found = judged(finding, history)
        assert found.outcome is Outcome.MISSED and "technical lead was never called" in found.reason


def test_the_next_channel_is_used_where_the_first_took_nothing() -> None:
    """What was not needed is not known to work."""
    assert judged("secondary-channel", all_told()).outcome is Outcome.UNKNOWN
    history = slack_down(all_told())
    assert judged("secondary-channel", history).outcome is Outcome.MET
    assert judged("primary-channel", history).outcome is Outcome.MISSED
    assert judged("emergency-channel", history).outcome is Outcome.UNKNOWN
    assert judged("secondary-channel", slack_down(all_told(), then="")).outcome is Outcome.MISSED
    skipped = judged("emergency-channel", slack_down(all_told(), then="bridge"))
    assert skipped.outcome is Outcome.MISSED and "before teams was tried" in skipped.reason


def test_a_service_that_takes_a_message_and_loses_it_did_not_reach_anybody() -> None:
    """Whatever it says."""
    history = all_told()
    for _, kind, data in history.lines:
        if kind == "message.received" and data["service"] == "slack":
            data["kept"] = False
    found = judged("primary-channel", history)
    assert found.outcome is Outcome.MISSED and "lost it" in found.reason
    history.drop("message.received", where=lambda data: data["service"] == "slack")
    assert "none came in" in judged("primary-channel", history).reason


def test_an_update_that_was_forgotten_is_seen() -> None:
    """The longest time without a word counts, to its end: the resolution, or the last look."""
    history = all_told()
    assert judged("customers-updated", history).figure == pytest.approx(29.0 * RATIO)
    history.drop("message", where=lambda data: data["what"] == "update" and data["message"] == update(1))
    found = judged("customers-updated", history)
    assert found.outcome is Outcome.MISSED and found.figure == pytest.approx(58.0 * RATIO)
    short = all_told()
    short.drop("message", where=lambda data: data["what"] == "update")
    for line in list(short.lines):
        if line[1] == "message" and line[2]["what"] == "resolution":
            short.lines.remove(line)
    short.tell(TOLD + 20, "resolution", "customers")
    assert judged("customers-updated", short).outcome is Outcome.UNKNOWN


def update(number: int) -> str:
    return named("update", "customers", TOLD + number * 29.0)


def test_a_resolution_is_told_once_it_is_shown_and_nothing_follows() -> None:
    """Neither too soon, nor with an update after it."""
    history = all_told()
    history.tell(TOLD + 1, "resolution", "customers")
    found = judged("customers-told-resolved", history)
    assert found.outcome is Outcome.MISSED and "before any health check had shown it" in found.reason
    history = all_told()
    history.tell_customers(RESOLVED + 2, "update")
    assert "as if it went on" in judged("customers-told-resolved", history).reason
    history = all_told()
    history.drop("health")
    assert judged("customers-told-resolved", history).outcome is Outcome.MISSED


@pytest.mark.parametrize("what", ["initial", "resolution"])
def test_a_message_says_what_the_plan_wants(what: str) -> None:
    """By the fields that were filled in."""
    history = all_told()
    for _, kind, data in history.lines:
        if kind == "message" and data["what"] == what:
            data["fields"] = data["fields"][1:]
    finding = "customers-told" if what == "initial" else "customers-told-resolved"
    found = judged(finding, history)
    assert found.outcome is Outcome.MISSED and "it does not say" in found.reason


def test_customers_are_told_by_every_channel_that_the_plan_names() -> None:
    """One that took nothing is named."""
    history = all_told()
    history.drop("message.attempt", where=lambda data: data["channel"] == "status page")
    found = judged("customers-told", history)
    assert found.outcome is Outcome.MISSED and "status page, which was never tried" in found.reason


def test_a_report_that_did_not_go_out_is_due() -> None:
    """Not missed before its time is over; one that was late is."""
    history = all_told()
    history.drop("message", where=lambda data: data["what"] == "report")
    history.say(RESOLVED, "report.due", due="2026-11-26T20:55:00.000000Z")
    found = judged("report-in-time", history)
    assert found.outcome is Outcome.UNKNOWN and "due until 2026-11-26" in found.reason
    history.tell_customers(RESOLVED + 73 * 60, "report")
    assert judged("report-in-time", history).outcome is Outcome.MISSED


@pytest.mark.parametrize("kind", ["message", "message.received"])
def test_one_message_without_the_mark_is_enough(kind: str) -> None:
    """As it was sent, or as it came in."""
    history = all_told()
    next(data for _, said, data in history.lines if said == kind)["marked"] = False
    assert judged("marked-as-exercise", history).outcome is Outcome.MISSED


@pytest.mark.parametrize("ok", [True, None])
def test_what_may_have_been_taken_is_not_sent_again(ok: Any) -> None:
    """Also where nobody knows what became of the first."""
    history = all_told()
    history.call(END - 5, LEAD, ok=ok)
    found = judged("told-once", history)
    assert found.outcome is Outcome.MISSED and "technical lead 2 times by slack" in found.reason


def test_a_resolution_that_leaves_something_open_says_so() -> None:
    """The words are no larger than what people were told."""
    history = all_told()
    said = [data for _, kind, data in history.lines if kind == "message" and data["what"] == "resolution"]
    said[0]["open"] = ["preventive_measures", "root_cause"]
    found = judged("customers-told-resolved", history)
    assert found.outcome is Outcome.MET
    assert "of preventive_measures and root_cause they were told that it is under investigation" in found.reason


def test_whether_it_came_in_once_nobody_says_in_a_killed_run() -> None:
    """As of all else that services said they took."""
    history = all_told()
    history.lines = [line for line in history.lines if line[1] != "message.received"]
    assert judged("told-once", history).outcome is Outcome.UNKNOWN


def test_a_failure_that_lasts_is_told_to_whom_the_plan_names() -> None:
    """Asked only of a scenario in which one did."""
    history = all_told()
    assert judged("lasting-told", history).outcome is Outcome.UNKNOWN
    assert "lasting-told" not in {each.id for each in judge(history.evidence())}
    history.say(TOLD + 30, "incident.lasting", category="c", after=301.0, groups=["customers"])
    found = judged("lasting-told", history)
    assert found.outcome is Outcome.MISSED and "customers were not told" in found.reason
    assert "lasting-told" in {each.id for each in judge(history.evidence())}
    history.tell_customers(TOLD + 31, "initial")
    assert judged("lasting-told", history).outcome is Outcome.MET


@pytest.mark.parametrize("finding", FINDINGS)
def test_of_a_real_channel_it_is_enough_that_the_service_took_it(finding: str) -> None:
    """Nothing is lost for lack of a receiver, neither where all channels are real nor where some are."""
    for channels in (("slack",), ("e-mail",), ("slack", "e-mail", "status page")):
        assert judged(finding, made_real(all_told(), *channels)).outcome is Outcome.MET


def test_what_a_real_service_took_is_not_called_received() -> None:
    """The words end where the knowledge ends."""
    history = made_real(all_told(), "slack", "e-mail")
    assert "slack took the calls to incident commander, technical lead, taken by the service" in (
        judged("primary-channel", history).reason
    )
    assert "customers (by e-mail: taken by the service and status page)" in judged("customers-told", history).reason
    assert "taken by the service, where nobody sees them come in" in judged("marked-as-exercise", history).reason
    for finding in FINDINGS:
        assert "receive" not in judged(finding, history).reason


def test_what_a_real_service_refused_is_missed_as_ever() -> None:
    """Also the mark, as it was sent, and a message that went out twice."""
    history = made_real(slack_down(all_told(), then=""), "slack")
    found = judged("primary-channel", history)
    assert found.outcome is Outcome.MISSED and "did not take the call" in found.reason
    unmarked = made_real(all_told(), "slack", "e-mail", "status page")
    next(data for _, said, data in unmarked.lines if said == "message")["marked"] = False
    assert judged("marked-as-exercise", unmarked).outcome is Outcome.MISSED
    twice = made_real(all_told(), "slack")
    twice.call(END - 5, LEAD, real=True)
    assert judged("told-once", twice).outcome is Outcome.MISSED


def test_a_time_in_which_nobody_had_to_answer_is_called_stood_in_for() -> None:
    """And people's own is theirs."""
    assert "every answer is stood in for" in judged("roles-reached", all_told()).reason
    history = without_answer(all_told())
    history.answer(CALLED + 2.0, LEAD, attended=True)
    for finding in ("roles-reached", "roles-answered-for"):
        found = judged(finding, history)
        assert found.outcome is Outcome.MET
        assert f"people answered for {LEAD}; all else is stood in for" in found.reason
