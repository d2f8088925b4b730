"""What a scenario of the network or of the application was like, as rows of words: in order, and by history."""

from __future__ import annotations

from collections.abc import Iterable

from reports.pack import Facts, Scenario
from reports.run.customers import Answered
from reports.run.moments import Clock, moments
from reports.words import length, number, plain

TOLD = (
    "alert",
    "alert.awaited",
    "endpoints",
    "rotation",
    "rejoined",
    "survey",
    "fault.still_active",
)  # where any is, the story is told
MOST = 120  # rows
SHORTEST = 0.005  # seconds: what a figure shows


def story(scenario: Scenario, clock: Clock) -> tuple[tuple[str, str, str], ...]:
    """After the fault, UTC, what; empty where the scenario is one whose steps and books tell it all."""
    if not scenario.facts.of(*TOLD):
        return ()
    ordered = sorted(moments(scenario, clock), key=lambda each: each.at)
    rows = [(after(each.at), f"{each.utc:%H:%M:%S}" if each.utc else "", each.words) for each in ordered[:MOST]]
    if len(ordered) > MOST:
        rows.append(("", "", f"{len(ordered) - MOST} later moments are left out; the journal has them"))
    return tuple(rows)


def answers(told: Iterable[Answered]) -> tuple[tuple[str, ...], ...]:
    """Each group and history: the first and the last answer, and how many. Only where there is something to tell."""
    listed = list(told)
    if len({each.history for each in listed}) < 2 and not any(each.inside for each in listed):
        return ()
    return tuple(
        (
            each.group,
            "no: inside a zone" if each.inside else "yes",
            str(each.history),
            after(each.first),
            after(each.last),
            number(each.many),
        )
        for each in listed
    )


def looks(facts: Facts) -> str:
    """What a look at a region is; empty where there was none."""
    first = facts.first("region.looks")
    if first is None:
        return ""
    return (
        f"A look asks each database server of {plain(first.data.get('region'))} whether it takes writes, from beside "
        "it, so that no cut network hides the answer. Where nobody listens, because the server has no power or is kept "
        "off, nothing can be written: that is a firm no. A server that may run and does not answer makes the look "
        "count as none."
    )


def after(seconds: float) -> str:
    """`+11.0 s`, `-1.00 s`."""
    if abs(seconds) < SHORTEST:
        return "+0 s"
    return f"{'-' if seconds < 0 else '+'}{length(abs(seconds))}"
