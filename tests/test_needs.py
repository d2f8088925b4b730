"""Every sentence, fault and procedure says what it asks of a stack: compared with what its code asks for."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from types import ModuleType

import pytest

import harness.faults
import harness.procedures
from harness import project
from harness.errors import Refused
from harness.features.sentences import StepDefinition
from harness.stacks.capabilities.backups import Archive
from harness.stacks.capabilities.database import Connected, Queried
from harness.stacks.capabilities.entrance import Reachable, Readable
from harness.stacks.capabilities.network import Divisible
from harness.stacks.needs import (
    Copies,
    Need,
    Number,
    Offer,
    PlannedHealth,
    Regions,
    Withheld,
    Zones,
    either,
    flat,
    regions_for,
)
from tests.needs_walk import SOMETIMES, Asked
from tests.test_house import HOME

QUANTUMNEST = project.load(HOME)
DEFINITIONS = QUANTUMNEST.sentences.definitions


def classes(package: ModuleType) -> Iterator[type]:
    """Those of a package that say what they need, and are of their own module."""
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for found in vars(module).values():
            own = isinstance(found, type) and found.__module__ == module.__name__
            if own and isinstance(vars(found).get("needs"), tuple):
                yield found


THINGS = [*classes(harness.faults), *classes(harness.procedures)]


def said(needs: Iterable[Need]) -> set[object]:
    """Each capability that is named, also those of which one is enough."""
    found: set[object] = set()
    for each in needs:
        if isinstance(each, PlannedHealth):
            found |= {each, *flat(QUANTUMNEST.health.needs(QUANTUMNEST.load_plan().health))}
        elif not isinstance(each, Number):
            found |= set(either(each))
    return found


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.pattern)
def test_a_sentence_says_what_its_step_asks_for(definition: StepDefinition) -> None:
    """Nothing is asked of a stack in a run that was not known before it, and whoever takes a copy's zone says so."""
    asked = Asked()
    asked.function(definition.function)
    assert said(asked.needed) - said(definition.needs) == set()
    counted = {type(each) for each in definition.needs}
    assert Copies in counted or "copy_zones" not in inspect.getsource(definition.function)


@pytest.mark.parametrize("thing", THINGS, ids=lambda each: each.__name__)
def test_faults_and_procedures_say_what_they_ask_for_and_no_more(thing: type) -> None:
    """What is said and never asked for would leave out drills that could be had."""
    asked, needs = Asked(), said(flat(vars(thing)["needs"]))
    asked.whole(thing)
    assert said(asked.needed) - needs == set()
    assert needs - asked.looked_for == set()


def test_every_fault_and_every_procedure_says_it() -> None:
    """Each file of a fault has one that does, and each procedure that is followed."""
    files = {info.name for info in pkgutil.iter_modules(harness.faults.__path__)} - {"_probes", "table"}
    assert {thing.__module__.rpartition(".")[2] for thing in THINGS} >= files
    followed = {"RestoreDatabase", "Restart", "RollBack"}
    assert {thing.__name__ for thing in THINGS} >= followed


def test_the_projects_health_says_what_it_asks_for() -> None:
    """Its checks, and how it asks whether a component works."""
    asked = Asked()
    asked.whole(type(QUANTUMNEST.health))
    assert said(asked.needed) == set(flat(QUANTUMNEST.health.needs(QUANTUMNEST.load_plan().health)))


def test_what_is_asked_only_sometimes_is_still_asked() -> None:
    """A line of the table of exceptions that nothing meets any more has to go."""
    asked = Asked()
    for definition in DEFINITIONS:
        asked.function(definition.function)
    for thing in THINGS:
        asked.whole(thing)
    assert SOMETIMES.keys() - asked.used == set()


def test_the_walk_finds_what_is_asked_far_below() -> None:
    """It would notice a sentence that says nothing: the walk itself must not be blind."""
    asked = Asked()
    (step,) = QUANTUMNEST.sentences.matching("given", "a base backup was taken, and the books were checked")
    asked.function(step.function)
    assert {Archive, Connected, Reachable} <= asked.needed


def test_what_is_lacking_says_its_word_why_and_what_would_give_it() -> None:
    """Each once, in order; of a union one is enough; what a level withholds says what lifts that."""
    why = Withheld("zones are no networks here", "another level")
    offer = Offer("plain", (Reachable, Readable, Divisible, Zones(1)), {Divisible: why})
    wanted = [Reachable, Readable | Queried, Archive, Zones(3), Copies(2), Divisible, Archive]
    assert [tuple(lack) for lack in offer.lacking(wanted)] == [
        ("archive", "stacks of the kind plain have none", "Archive",
         "an archive of what was written since the last backup"),
        ("3 zones", "stacks of the kind plain have 1", "Zones", "a region of at least 3 zones"),
        ("2 copies of the database", "stacks of the kind plain have none", "Copies",
         "a database cluster with at least 2 that follow the leader, each in a zone of its own"),
        ("cutting a zone off", "zones are no networks here", "Divisible", "another level"),
    ]  # fmt: skip  # a table
    assert "reading of its own or database queries" in str(Offer("bare", ()).lacking([Readable | Queried])[0])


def test_what_is_no_capability_cannot_be_needed() -> None:
    """A slip of the pen is told when the sentence is declared."""
    with pytest.raises(Refused, match="'Divisible' is nothing that a stack has"):
        flat(["Divisible"])
    with pytest.raises(Refused, match="nothing that a stack has"):
        flat([Iterable])


def test_a_stack_that_stands_has_as_many_regions_as_it_was_made_with() -> None:
    """Whatever others of its kind can be made with; and a run makes as many as one of its scenarios needs."""
    offer = Offer("plain", (Zones(3), Regions(2)))
    assert offer.lacking([Regions(2)]) == []
    (lack,) = offer.of(1).lacking([Zones(3), Regions(2)])
    assert (lack.what, lack.why) == ("2 regions", "the stack that stands has 1")
    assert offer.of(2).lacking([Regions(2)]) == [] and Offer("bare", ()).number(Regions) == 1
    assert regions_for([Zones(3)]) == 1 and regions_for([Regions(2), Zones(3), Regions(1)]) == 2
