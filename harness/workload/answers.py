"""The record of customers who ask for what they know: what was due, asked, and told. The format is in docs/journal.md.

It makes no claim: whether an answer was right is for whoever reads it, by comparing what the customer knew with what
he was told. `harness.workload.ledger` has the first line, and writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple

from harness.errors import Refused
from harness.workload import ledger

Class = Literal["right", "wrong", "refused", "no_answer", "not_sent"]


class Answer(NamedTuple):
    """One question from due to end. Times are nanoseconds of CLOCK_MONOTONIC."""

    number: int
    due: int
    asked: int | None  # None: not sent
    ended: int | None  # None: the customers were killed before they knew
    outcome: Class
    about: str
    knows: str  # canonical JSON, as `told`; only compared, never looked into
    told: str | None
    why: str


@dataclass(frozen=True)
class Totals:
    """How many questions came to which end. Always: due is the sum of the others."""

    due: int = 0
    right: int = 0
    wrong: int = 0
    refused: int = 0
    no_answer: int = 0
    not_sent: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def count(answers: Iterable[Answer]) -> Totals:
    """The totals of a file."""
    ends = {f.name: 0 for f in fields(Totals)}
    for answer in answers:
        ends["due"] += 1
        ends[answer.outcome] += 1
    return Totals(**ends)


def asked_line(number: int, *, due: int, t: int, about: str, knows: str) -> str:
    """Written, and durable, before the question leaves. `knows`: canonical JSON."""
    return ledger.json_line({"n": number, "e": "asked", "due": due, "t": t, "about": about, "knows": knows})


def told_line(number: int, *, t: int, told: str) -> str:
    """What the answer says, as canonical JSON."""
    return ledger.json_line({"n": number, "e": "told", "t": t, "told": told})


def untold_line(number: int, outcome: Literal["refused", "no_answer"], *, t: int, why: str) -> str:
    """An answer that says nothing of what was asked, or none."""
    return ledger.json_line({"n": number, "e": outcome, "t": t, "why": why})


def answers(
    lines: Iterable[str | bytes], *, name: str = "answers", torn: Callable[[str], None] | None = None
) -> Iterator[Answer]:
    """Every question of a file, in the order in which they ended; those without an end come last, as not answered.

    A torn last line is left out and given to `torn`. Errors: `Refused`, naming `name` and the line, for anything else
    that is no such file.
    """
    under_way: dict[int, Answer] = {}
    last = 0
    events = ledger.facts(lines, name=name, torn=torn)
    for _, first in [next(events, (1, None))]:
        if first is not None:
            ledger.header_of(first, name=name)
    for at, fact in events:
        try:
            number, event, t = int(fact["n"]), fact["e"], ledger.whole(fact["t"])
            if event in ("asked", "not_sent"):
                last += 1
                if number != last:
                    raise ValueError(f"number {number} where {last} is next")
                begun = _begun(number, event, t, fact)
                if event == "asked":
                    under_way[number] = begun
                else:
                    yield begun
            elif event in ("told", "refused", "no_answer"):
                if number not in under_way:
                    raise ValueError(f"number {number} ends here, and is not under way")
                yield _ended(under_way.pop(number), event, t, fact)
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"{name}:{at}: {ledger.reason(error)}", hint=ledger.HINT) from None
    yield from under_way.values()


def _begun(number: int, event: str, t: int, fact: dict[str, Any]) -> Answer:
    due = ledger.whole(fact["due"])
    if event == "not_sent":
        return Answer(number, due, None, t, "not_sent", "", "", None, str(fact["why"]))
    return Answer(number, due, t, None, "no_answer", _text(fact, "about"), _text(fact, "knows"), None, ledger.NO_END)


def _ended(asked: Answer, event: str, t: int, fact: dict[str, Any]) -> Answer:
    if event == "told":
        told = _text(fact, "told")
        return asked._replace(ended=t, outcome="right" if told == asked.knows else "wrong", told=told, why="")
    return asked._replace(ended=t, outcome="refused" if event == "refused" else "no_answer", why=str(fact["why"]))


def _text(fact: dict[str, Any], name: str) -> str:
    if type(fact[name]) is not str:
        raise TypeError(f"{name} is text")
    return str(fact[name])
