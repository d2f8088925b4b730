"""Communications: what its sentences mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from harness.communications.incident import Incident
from harness.errors import Refused
from harness.faults.break_channel import BreakChannel
from harness.features.sentences import Expected, Sentences
from harness.plan import Plan
from harness.plan.lengths import for_people
from harness.sentences.promises import right
from harness.stacks.capabilities.messaging import Messaged, Reaching
from harness.system import clock

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

CATEGORY, REGIONAL, TIER = "infrastructure failure", "regional disaster", "production"
ANSWERS = timedelta(seconds=0.5)  # after which people acknowledge, in real time
CALLS = 30.0  # how many seconds of the incident pass in one, where people are called: a service's own times are real
LONG = 180.0  # and where customers are told of an incident that lasts for more than an hour
LASTS = timedelta(minutes=65)  # of the incident: long enough for two updates
FOR_PEOPLE = "This report is a draft of a drill: people fill this in."
SETTLED = timedelta(seconds=45)  # for all calls, where something stands in for people
TELLING = (Messaged | Reaching,)

SENTENCES = Sentences()
given, when, then, promise = SENTENCES.given, SENTENCES.when, SENTENCES.then, SENTENCES.promise


@given("whoever is called answers", needs=TELLING)
def _everybody_answers(scenario: ScenarioRun) -> None:
    scenario.communications.begin(ratio=_pace(scenario), after=ANSWERS)


@given("whoever is called answers, but for the {role}", needs=TELLING)
def _one_is_silent(scenario: ScenarioRun, role: str) -> None:
    scenario.communications.begin(ratio=_pace(scenario), after=ANSWERS, silent=(role,))


@given("the incident will last for more than an hour, and its clock is compressed", needs=TELLING)
def _compressed(scenario: ScenarioRun) -> None:
    scenario.communications.begin(ratio=LONG, after=ANSWERS)


@given("the {use} channel takes nothing", needs=(BreakChannel,))
def _channel_down(scenario: ScenarioRun, use: str) -> None:
    _break(scenario, use, "down")


@given("the {use} channel takes the message and never answers", needs=(BreakChannel,))
def _channel_hangs(scenario: ScenarioRun, use: str) -> None:
    _break(scenario, use, "hangs")


@given("the {use} channel takes one message every few seconds", needs=(BreakChannel,))
def _channel_limited(scenario: ScenarioRun, use: str) -> None:
    _break(scenario, use, "rate-limited")


@when("the roles of the plan are called", needs=TELLING)
def _called(scenario: ScenarioRun) -> None:
    """Whoever does not answer is waited for: what becomes of it is a finding."""
    scenario.communications.call(_incident(scenario))
    scenario.communications.settled(within=scenario.decisions.time if scenario.communications.by_people else SETTLED)


@when("customers and stakeholders are told of the disruption", needs=TELLING)
def _told(scenario: ScenarioRun) -> None:
    incident, groups = _incident(scenario), _groups(scenario)
    scenario.communications.tell("initial", incident, groups=groups)
    scenario.communications.keep_telling(incident, groups=groups)


@when("the incident goes on for more than an hour", needs=TELLING)
def _goes_on(scenario: ScenarioRun) -> None:
    scenario.let_pass(scenario.communications.lasts(LASTS), what="the incident goes on")


@when("customers and stakeholders are told of the resolution", needs=TELLING)
def _resolved(scenario: ScenarioRun) -> None:
    """Not before customers have been served for a while, where there are any: health can be good sooner."""
    if scenario.customers.any:
        scenario.customers.settle()
    now = f"{clock.now().utc:%Y-%m-%d %H:%M} UTC"
    incident = replace(_incident(scenario), resolution_time=now, current_status="All services are operational.")
    scenario.communications.tell("resolution", incident, groups=_groups(scenario))
    report = replace(incident, root_cause=FOR_PEOPLE, preventive_measures=FOR_PEOPLE)
    scenario.communications.tell("report", report, groups=_groups(scenario))


def _reached(plan: Plan) -> list[Expected]:
    within = plan.communication.acknowledge_within
    return [Expected("roles-reached", "an acknowledgement by each role", within, plan.finding("roles-reached").demands)]


def _updated(plan: Plan) -> list[Expected]:
    every, demands = plan.communication.update_every, plan.finding("customers-updated").demands
    return [Expected("customers-updated", "updates to customers", every, demands)]


def _reported(plan: Plan) -> list[Expected]:
    within, demands = plan.communication.report_within, plan.finding("report-in-time").demands
    return [Expected("report-in-time", "post-incident report", within, demands)]


promise("each role of the plan is reached within the time that the plan gives", _reached)
promise("each role of the plan is reached, or its deputy", right("roles-answered-for", "each role, or its deputy"))
promise("the primary channel is used first", right("primary-channel", "the primary channel first"))
promise(
    "whoever it did not reach is called by the secondary channel",
    right("secondary-channel", "the secondary channel next"),
)
promise("whoever neither reached is called to the conference bridge", right("emergency-channel", "the bridge at last"))
promise(
    "customers are told of the disruption, and what the plan wants them to know",
    right("customers-told", "the initial notification"),
)
promise("customers are told again as often as the plan says", _updated)
promise("customers are told of the resolution, and not before it", right("customers-told-resolved", "the resolution"))
promise("customers have the post-incident report in the time that the plan gives", _reported)
promise("every message says that it is an exercise", right("marked-as-exercise", "every message is marked"))
promise("nobody is told the same twice by one channel", right("told-once", "no message twice by one channel"))


def _pace(scenario: ScenarioRun) -> float:
    """People need the time that the plan gives them."""
    return 1.0 if scenario.communications.by_people else CALLS


def _break(scenario: ScenarioRun, use: str, how: str) -> None:
    by = next((each.by for each in scenario.plan.communication.channels if each.use == use), "")
    if not by:
        raise Refused(f"the plan has no {use} channel", hint="communication: channels: in the plan")
    scenario.faults.inject(BreakChannel(by, how))


def _groups(scenario: ScenarioRun) -> Sequence[str]:
    return tuple(scenario.plan.communication.groups)


def _incident(scenario: ScenarioRun) -> Incident:
    """What a team would know then."""
    hurt = [each.get("component") or f"zone {each['zone']}" for each in scenario.faults.affected]
    names = ", ".join(dict.fromkeys(hurt)) or "a part of the platform"
    if scenario.category == REGIONAL:
        names = f"the region {scenario.region}"
    rto = scenario.plan.objective(TIER).rto
    return Incident(
        category=scenario.plan.category(scenario.category or CATEGORY).title,
        what_happened=f"{names} does not answer",
        began=f"{clock.now().utc - clock.since(scenario.faults.begun):%Y-%m-%d %H:%M} UTC",
        affected_services="API requests may be slow or fail",
        estimated_resolution=f"within {for_people(rto)}" if rto else "not known yet",
    )
