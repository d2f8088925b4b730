"""The books of any platform, where its project says in a file what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.features.sentences import Sentences
from harness.sentences.promises import right
from harness.stacks.capabilities.database import Connected
from harness.stacks.needs import BOOKS

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()
given, promise = SENTENCES.given, SENTENCES.promise


@given("the books are checked", needs=(Connected, BOOKS))
def _checked(scenario: ScenarioRun) -> None:
    books = scenario.run.books
    assert books is not None, "the project was refused without them"
    scenario.data.check(books.marked(scenario.run.id))


promise("the books agree with those from before", right("consistency", "the same books"), needs=(Connected, BOOKS))
