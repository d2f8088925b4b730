"""Who was told what, when, by which channel, and who answered: a row for each message, and a bar for the picture.

A row has roles and channels, and never an address: the journal has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reports.pack import Fact, Facts
from reports.run.moments import Clock
from reports.run.story import after
from reports.run.timeline import Bar
from reports.words import as_number, length, plain


@dataclass(frozen=True)
class ToldRow:
    whom: str
    what: str
    when: str  # after the fault
    tried: tuple[str, ...]  # a line for each channel
    answered: str


def rows(facts: Facts, clock: Clock) -> tuple[ToldRow, ...]:
    """In order; what went on to a deputy has a row of its own."""
    return tuple(
        ToldRow(
            f"{plain(fact.data.get('whom'))}{_instead(fact)}", plain(fact.data.get("what")), after(clock.at(fact)),
            tuple(_tried(_attempts(facts, fact))), _answered(facts, fact),
        )
        for fact in facts.of("message")
    )  # fmt: skip  # arguments in groups


def ratio(facts: Facts) -> str:
    """How fast the incident's clock went; empty where nobody was told anything."""
    begin = facts.first("communications.begin")
    if begin is None:
        return ""
    fast = as_number(begin.data.get("ratio"))
    passed = f"{fast:g} seconds of the incident passed in each real one"
    said = "the incident's clock is real time" if fast == 1 else passed
    real = _listed(begin, "real")
    people = f"; real: {real}, where all that is known is what the service took" if real else ""
    return f"{said}; simulated: {_listed(begin, 'simulated') or 'none'}{people}"


def _listed(fact: Fact, name: str) -> str:
    found = fact.data.get(name)
    return ", ".join(map(plain, found)) if isinstance(found, list) else ""


def bars(facts: Facts, clock: Clock) -> tuple[Bar, ...]:
    """From when a message went out to its answer, or to when it was taken; one that reached nobody is bad."""
    found = []
    for fact in facts.of("message"):
        if fact.data.get("instead_of"):
            continue
        answer, taken = _answer(facts, fact), [each for each in _attempts(facts, fact) if each.data.get("ok")]
        ends = [answer] if answer else [] if fact.data.get("acknowledge") else taken[-1:]
        given_up = [each for each in facts.of("message.given_up") if _is_about(each, fact, "role")]
        end = (ends or given_up or [fact])[-1]
        words = f"{plain(fact.data.get('what'))} to {plain(fact.data.get('whom'))}"
        found.append(Bar(plain(fact.data.get("whom")), clock.at(fact), clock.at(end), "span" if ends else "bad", words))
    return tuple(found)


def _instead(fact: Fact) -> str:
    role = fact.data.get("instead_of")
    return f", for the {plain(role)}" if role else ""


def _attempts(facts: Facts, message: Fact) -> list[Fact]:
    return [each for each in facts.of("message.attempt") if _is_about(each, message, "role")]


def _is_about(fact: Fact, message: Fact, name: str) -> bool:
    said = (fact.data.get("message"), fact.data.get(name))
    return said == (message.data.get("message"), message.data.get("whom"))


def _tried(attempts: Iterable[Fact]) -> list[str]:
    """`slack: took it`, `teams: not taken, HTTP 429: …, 2 tries`."""
    by: dict[str, list[Fact]] = {}
    for each in attempts:
        by.setdefault(plain(each.data.get("channel")), []).append(each)
    lines = []
    for channel, tries in by.items():
        last = tries[-1].data
        ok = last.get("ok")
        outcome = "took it" if ok is True else "nobody knows" if ok is None else "not taken"
        why = f", {plain(last['why'])}" if last.get("why") else ""
        lines.append(f"{channel}: {outcome}{why}{f', {len(tries)} tries' if len(tries) > 1 else ''}")
    return lines or ["nothing was tried"]


def _answer(facts: Facts, message: Fact) -> Fact | None:
    """Of the role, or of whoever stood in."""
    return next((each for each in facts.of("message.acknowledged") if _is_about(each, message, "role")), None)


def _answered(facts: Facts, message: Fact) -> str:
    if not message.data.get("acknowledge"):
        return "is only told"
    said = _answer(facts, message)
    if said is not None:
        took = length(as_number(said.data.get("after")))
        people = "" if said.data.get("attended") else ", stood in for"
        return f"{plain(said.data.get('by'))}, by {plain(said.data.get('channel'))}, after {took}{people}"
    if message.data.get("instead_of"):
        return "as in the row of whom it was for"
    given_up = [each for each in facts.of("message.given_up") if _is_about(each, message, "role")]
    return f"nobody: {plain(given_up[-1].data.get('why'))}" if given_up else "nobody"
