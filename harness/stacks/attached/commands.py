"""What is done to a platform, as a person would type it, each act with its inverse beside it: for a dry run.

It is told from the file alone, and nothing is asked. What is done goes to the engine's own interface, not to a shell.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from harness.errors import Refused
from harness.stacks.attached import limits
from harness.stacks.attached.containers import ONE_OFF, PROJECT, SERVICE
from harness.stacks.attached.cutting import CUT, JOIN, rules
from harness.stacks.attached.file.described import Action, Component, StackFile
from harness.stacks.attached.limits import Hurt

VERB = {
    "kill_component": "kill", "kill_load_balancer": "kill", "kill_zone": "kill",
    "pause_component": "pause",
    "cut_component": "cut", "cut_zone": "cut",
}  # fmt: skip  # a table
ENGINE = {"kill": ("kill", "start"), "pause": ("pause", "unpause")}


class Named(Protocol):
    """A fault, as far as it matters here."""

    name: str


class Act(NamedTuple):
    """What would be done, and what undoes it."""

    do: str
    undo: str


def of_fault(said: StackFile, fault: Named, settings: Mapping[str, Any]) -> list[str]:
    """The lines of one fault; where the file does not let it be, that, and no more."""
    named = limits.names(said, settings)
    head = f"{fault.name} {', '.join(sorted(named))}"
    try:
        limits.must_let(said, Hurt(fault.name, settings))
    except Refused as error:
        return [f"{head}: REFUSED: {error.message}", f"  HINT: {error.hint}"]
    reached = limits.reach(said, named).all
    return [head, *_lines(said, VERB.get(fault.name, ""), [one for one in said.components if one in reached])]


def of_some(said: StackFile, faults: Sequence[str]) -> list[str]:
    """Of faults of which only the run knows whom they reach: every component that they may."""
    lines = []
    for fault in faults:
        try:
            limits.must_be_allowed(said, fault)
        except Refused as error:
            lines += [f"{fault}: REFUSED: {error.message}", f"  HINT: {error.hint}"]
            continue
        may = [name for name in said.components if name not in said.never]
        lines += [f"{fault}: whom it reaches is known when it runs; one of", *_lines(said, VERB.get(fault, ""), may)]
    return lines


def of_failover(said: StackFile) -> list[str]:
    planned = said.database.failover if said.database else None
    if planned is None:
        return []
    undo = _typed(planned.undo, said) if planned.undo else "none: a promotion is not undone"
    return ["the owner's failover", f"  do:   {_typed(planned.do, said)}", f"  undo: {undo}"]


def _lines(said: StackFile, verb: str, components: Sequence[str]) -> Iterator[str]:
    for name in components:
        act = _act(said, verb, said.components[name], beside=[other for other in components if other != name])
        for word, text in (("do:  ", act.do), ("undo:", act.undo)):
            first, *more = text.split("\n")
            yield f"  {word} {first}"
            yield from (f"        {line}" for line in more if line)


def _act(said: StackFile, verb: str, one: Component, *, beside: Sequence[str]) -> Act:
    """`beside`: what is hurt with it, and goes on to reach it where it is cut off."""
    if own := one.verbs.get(verb):
        back = _typed(own.undo, said)
        return Act(_typed(own.do, said), back + (_rejoin(said, one) if verb == "kill" else ""))
    if not verb or not one.is_container:
        return Act(f"{one.name}: in a way of the fault's own", "the fault's own, on disk before it is injected")
    which = _which(said, one)
    if verb in ENGINE:
        do, undo = ENGINE[verb]
        back = f"docker {undo} {which}"
        return Act(f"docker {do} {which}", back + (_rejoin(said, one) if verb == "kill" else ""))
    helper = (said.compose.helper if said.compose else "") or "HELPER"
    run = f"docker run --rm --user 0 --cap-add NET_ADMIN --network container:{which} {helper} sh -ec"
    cut = rules([f"${{address of {name}}}" for name in beside])
    return Act(f"{run} {shlex.quote(cut.lstrip() + CUT.lstrip())}", f"{run} {shlex.quote(JOIN.lstrip())}")


def _rejoin(said: StackFile, one: Component) -> str:
    """A line more, of a database server: what undoes its death where another leads by then."""
    if not said.database or one.name not in said.database.members:
        return ""
    if own := said.database.rejoin:
        of_it = replace(own, run=tuple(word.replace("${server}", one.name) for word in own.run))
        return f"\nwhere another leads: {_typed(of_it, said)}"
    return "" if said.database.returns_as_copy else "\nwhere another leads: nothing, it stays down (left fenced)"


def _which(said: StackFile, one: Component) -> str:
    """The container, as the engine is asked for it."""
    if one.container:
        return shlex.quote(one.container)
    project = said.compose.project if said.compose else ""
    labels = [one.label] if one.label else [f"{PROJECT}={project}", f"{SERVICE}={one.service}", f"{ONE_OFF}=False"]
    filters = " ".join(f"--filter {shlex.quote(f'label={each}')}" for each in labels)
    return f"$(docker ps -aq {filters})"


def _typed(action: Action, said: StackFile) -> str:
    """A command line, or a request; secrets stand in it by their names."""
    if action.http is not None:
        body = f" with the body {action.http.body}" if action.http.body else ""
        return f"{action.http.method} {action.http.url}{body}"
    words = shlex.join(action.run)
    if not action.place:
        return words
    place = said.components.get(action.place)
    return f"docker exec {_which(said, place) if place else action.place} {words}"
