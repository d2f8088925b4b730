"""The names of a region that is lost, and who resolves them: what these sentences of Full Regional Failover mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from drills.steps.regional_failover import A_WHILE, INSIDE, Recovery, serve
from harness.errors import DrillError, NotReady, quietly
from harness.faults.black_out_region import BlackOutRegion
from harness.faults.pause_component import PauseComponent
from harness.features.sentences import Sentences
from harness.sentences.promises import right
from harness.sentences.service import CUSTOMERS
from harness.stacks import regional
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Pausable
from harness.stacks.capabilities.database import Cluster, Connected, Positioned, Standby
from harness.stacks.capabilities.names import Named
from harness.stacks.needs import Regions
from harness.system import clock, wait
from harness.workload.workload import Group

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

LED_WITHIN = timedelta(seconds=90)  # two checks of health, 10 s apart, and what else has to happen
KEEPS = timedelta(seconds=20)  # beyond the time to live, by resolvers that lie
FOR_EVER = timedelta(days=1)

SENTENCES = Sentences()
given, when, promise = SENTENCES.given, SENTENCES.when, SENTENCES.promise


@given(
    "the books were checked, and customers write by each name, some of them by resolvers that keep what they were told",
    needs=(Connected, Cluster, Positioned, Standby, Named, Regions(2), *CUSTOMERS, Group),
)
def _by_each_name(scenario: ScenarioRun) -> None:
    zone = regional.other(scenario.stack, scenario.region).zones[-1]
    names = need(scenario.stack, Named).names
    keeps = FOR_EVER if scenario.sabotage.never_resolve else KEEPS
    serve(
        scenario,
        Group("stale", INSIDE, zone=zone, keeps=keeps),
        *(Group(f"by-{name.partition('.')[0]}", INSIDE, zone=zone, host=name) for name in names[1:]),
    )


@when(
    "the primary region loses its power, and what changes names hangs with it",
    needs=(BlackOutRegion, PauseComponent, Named),
)
def _blacked_out_with_names(scenario: ScenarioRun) -> None:
    scenario.faults.inject(BlackOutRegion(scenario.region))
    scenario.faults.inject(PauseComponent(need(scenario.stack, Named).zone.name))


@when("one name is switched to the second region, and the other is not", needs=(Named,))
def _half_switched(scenario: ScenarioRun, recovery: Recovery) -> None:
    """As by somebody who is called away, or an API that takes one change and not the next."""
    named, second = need(scenario.stack, Named), regional.other(scenario.stack, recovery.first).name
    named.switch_name(named.names[0], second)
    _await_told(scenario, lambda: named.answered(named.names[0]) == second)
    scenario.let_pass(A_WHILE, what="one name leads to the second region, and the other to the lost one")
    _say_told(scenario, "one name was switched by hand")


@when("no name can be switched, and health leads customers to the second region", needs=(Named,))
def _led_by_health(scenario: ScenarioRun, recovery: Recovery) -> None:
    """It is tried. The name server goes on with the records that it has, and with its own checks of health."""
    named, second = need(scenario.stack, Named), regional.other(scenario.stack, recovery.first).name
    asked = clock.mono()
    try:
        named.switch_name(named.names[0], second)
    except DrillError as error:
        scenario.journal.record("names.refused", name=named.names[0], why=error.message, asked=asked)
    else:
        raise NotReady(f"{named.names[0]} could be switched", hint="what changes names does not hang: see its log")
    _await_told(scenario, lambda: all(named.answered(each) == second for each in named.names))
    _say_told(scenario, "no name was switched by hand")


def _await_told(scenario: ScenarioRun, led: Callable[[], bool]) -> None:
    wait.until(led, what="resolvers are told the second region", within=LED_WITHIN, recorder=scenario.journal)


def _say_told(scenario: ScenarioRun, why: str) -> None:
    named = need(scenario.stack, Named)
    scenario.journal.record("names.told", why=why, answered={each: named.answered(each) for each in named.names})


@when("what changes names answers again", needs=(Named, Pausable, PauseComponent))
def _names_back(scenario: ScenarioRun) -> None:
    """It is no healing: the power of the lost region is not back."""
    name = need(scenario.stack, Named).zone.name
    need(scenario.stack.components()[name], Pausable).resume()
    wait.until(
        lambda: not quietly(need(scenario.stack, Named).zone.ask), what=f"{name} answers", within=LED_WITHIN,
        recorder=scenario.journal,
    )  # fmt: skip  # arguments in groups
    scenario.faults.look(PauseComponent.name, after=f"{name} goes on")


promise(
    "what customers saw whose resolvers keep an old answer is told",
    right("stale-resolvers", "customers of a resolver that lies", "REG-4"),
    needs=(Named,),
)


promise(
    "what customers of each name and of each resolver saw is told",
    right("each-resolver", "customers of each name and resolver", "REG-4"),
    needs=(Named,),
)
