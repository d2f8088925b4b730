"""The sentences that features are made of, each declared once, beside the step that carries it out.

A declaration says what the sentence does (the function below it), what it promises, what it needs of a stack, what it
asks of people, and which procedure it carries out. All else is derived from that: what pytest-bdd binds, what is
expected and judged, what cannot be exercised on a stack, what a dry run prints, what people are asked. Nothing here
knows whose sentences they are; a module that declares some has a `Sentences` of its own, so there is no list that an
import fills behind anybody's back.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import parse

from harness.features.catalog import Sentence
from harness.plan import Plan
from harness.stacks.needs import Need, flat

Function = TypeVar("Function", bound=Callable[..., Any])
ALIKE = 0.6  # of difflib's ratio: below that the closest sentence is no hint


class Expected(NamedTuple):
    """One finding that a sentence asks for. `limit` None: there is nothing to measure against, only right or wrong."""

    finding: str  # as `harness.checks.rules` calls its check
    objective: str
    limit: timedelta | float | None  # a length of time, or a number of what the finding counts
    demands: tuple[str, ...]


class Approval(NamedTuple):
    """What a sentence asks of people before it is carried out, and of whom."""

    question: str
    role: str  # as the plan calls it: "incident commander"


class Among(NamedTuple):
    """Whom a sentence may reach that names nobody: `role` (with its `name`), the database's `leader`, or a `copy`."""

    what: str
    name: str = ""


Hurts = Callable[..., Sequence[Any]]  # of what stands in the braces of the pattern, by its name
Promise = Callable[..., list[Expected]]  # of the plan, and of what stands in the braces of the pattern, by its name


@dataclass(frozen=True)
class StepDefinition:
    """One sentence, and what it means.

    `pattern` is the sentence, with `{name}` or `{name:d}` where something is filled in, as the library `parse` has it.
    """

    kind: str  # given, when or then
    pattern: str
    function: Callable[..., Any]
    place: str  # file:line of the declaration
    promises: Promise | None = None
    asks: Approval | None = None
    carries_out: Callable[[], Any] | None = None  # the procedure, as a dry run shows it: made without a stack
    needs: tuple[Need, ...] = ()  # what it takes of a stack
    hurts: Hurts | None = None  # the faults that it injects, known without a stack: for a dry run
    injects: tuple[str, ...] = ()  # the names of those that stand among its needs
    among: Callable[..., Among] | None = None  # where only the run knows whom they reach
    returns: str = ""  # the name under which later sentences get what the function returns

    @cached_property
    def _parser(self) -> Any:
        return parse.compile(self.pattern)

    @property
    def is_plain(self) -> bool:
        """Nothing is filled in."""
        return "{" not in self.pattern

    def filled(self, text: str) -> dict[str, Any] | None:
        """What stands in the braces; None where it is another sentence."""
        if self.is_plain:
            return {} if text == self.pattern else None
        found = self._parser.parse(text)
        return dict(found.named) if found else None

    def expected(self, text: str, plan: Plan) -> list[Expected]:
        """Errors: `Refused` where the plan does not have what the sentence names."""
        return self.promises(plan, **(self.filled(text) or {})) if self.promises else []


class Sentences:
    """Those that one module declares, or several joined."""

    def __init__(self, definitions: Iterable[StepDefinition] = ()) -> None:
        self.definitions = list(definitions)
        self._known: dict[tuple[str, str], list[StepDefinition]] = {}

    @classmethod
    def joined(cls, parts: Iterable[Sentences]) -> Sentences:
        return cls(each for part in parts for each in part.definitions)

    # Declared

    def given(self, pattern: str, *, needs: Iterable[Any] = (), returns: str = "") -> Callable[[Function], Function]:
        """What is there before anything happens. `needs`: capabilities, `Zones(3)`, `Copies(2)`, and faults and
        procedures, which have needs of their own."""
        return self._declared(
            StepDefinition("given", pattern, nothing_to_do, _caller(), needs=flat(needs), returns=returns)
        )

    def when(
        self,
        pattern: str,
        *,
        needs: Iterable[Any] = (),
        promises: Promise | None = None,
        asks: Approval | None = None,
        carries_out: Callable[[], Any] | None = None,
        hurts: Hurts | None = None,
        among: Callable[..., Among] | None = None,
        returns: str = "",
    ) -> Callable[[Function], Function]:
        """What happens. With `asks`, the function runs only once somebody has said yes. `hurts`: the faults that it
        injects, where whom they reach stands in the sentence: a dry run shows what they do. `among`: else whom they may
        reach."""
        listed = list(needs)
        wanted, injects = flat(listed), tuple(each.name for each in listed if hasattr(each, "took_effect"))
        return self._declared(
            StepDefinition(
                "when", pattern, nothing_to_do, _caller(), promises, asks, carries_out, wanted,
                hurts=hurts, injects=injects, among=among, returns=returns,
            )
        )  # fmt: skip  # in the order of the fields

    def then(
        self, pattern: str, *, needs: Iterable[Any] = (), promises: Promise | None = None
    ) -> Callable[[Function], Function]:
        """What is waited for."""
        return self._declared(StepDefinition("then", pattern, nothing_to_do, _caller(), promises, needs=flat(needs)))

    def promise(self, pattern: str, promises: Promise, *, needs: Iterable[Any] = ()) -> None:
        """A Then that is judged at the end, and does nothing before; `needs`: without which nothing could be judged."""
        meant = StepDefinition("then", pattern, nothing_to_do, _caller(), promises, needs=flat(needs))
        self._declared(meant)(nothing_to_do)

    def _declared(self, meant: StepDefinition) -> Callable[[Function], Function]:
        def declare(function: Function) -> Function:
            self.definitions.append(replace(meant, function=function))
            self._known.clear()
            return function

        return declare

    # Looked up

    def matching(self, kind: str, text: str) -> list[StepDefinition]:
        """Whose sentence it is: one, where all is well."""
        if (kind, text) not in self._known:
            found = [each for each in self.definitions if each.kind == kind and each.filled(text) is not None]
            self._known[kind, text] = found
        return self._known[kind, text]

    def closest(self, text: str) -> StepDefinition | None:
        """Which one may have been meant; None where none is like it."""
        whole = [each for each in self.definitions if each.filled(text) is not None]  # of another kind
        by_pattern = {each.pattern: each for each in self.definitions}
        near = difflib.get_close_matches(text, by_pattern, n=1, cutoff=ALIKE)
        return whole[0] if whole else by_pattern[near[0]] if near else None

    def meant(self, sentences: Iterable[Sentence]) -> list[tuple[Sentence, StepDefinition]]:
        """In order, without those that nobody knows."""
        return [(each, found) for each in sentences for found in self.matching(each.kind, each.text)]

    def expected(self, sentences: Iterable[Sentence], plan: Plan) -> list[Expected]:
        """Everything that the sentences of a scenario promise. Errors: `Refused` as `StepDefinition.expected`."""
        return [one for each, found in self.meant(sentences) for one in found.expected(each.text, plan)]

    def approvals(self, sentences: Iterable[Sentence]) -> list[Approval]:
        """What they ask of people, in order."""
        return [found.asks for _, found in self.meant(sentences) if found.asks]

    def needs(self, sentences: Iterable[Sentence]) -> tuple[Need, ...]:
        """What they take of a stack, each once."""
        return tuple(dict.fromkeys(each for _, found in self.meant(sentences) for each in found.needs))

    def procedures(self, sentences: Iterable[Sentence]) -> Sequence[Any]:
        """What they carry out, in order."""
        return [found.carries_out() for _, found in self.meant(sentences) if found.carries_out]


def nothing_to_do() -> None:
    """Of a promise: it was recorded before the scenario began, and is judged from the journal at the end."""


def _caller() -> str:
    """Who declares: the frame above the method that asks."""
    frame = sys._getframe(2)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
