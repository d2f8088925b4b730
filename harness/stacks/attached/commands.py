"""What is done to a platform, as a person would type it, each act with its inverse beside it: for a dry run.

It is told from the file alone, and nothing is asked. What is done goes to the engine's own interface, not to a shell.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple, Protocol

from harness.errors import Refused
from harness.stacks.attached import limits
from harness.stacks.attached.containers import ONE_OFF, PROJECT, SERVICE
from harness.stacks.attached.cutting import CUT, JOIN, rules
from harness.stacks.attached.file.described import Action, Component, StackFile
from harness.stacks.attached.has import can
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


class Selection(Protocol):
    """Whom a sentence may reach, as `harness.features.sentences.Among`."""

    @property
    def what(self) -> str: ...
    @property
    def name(self) -> str: ...


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


def of_some(said: StackFile, faults: Sequence[str], *, among: Selection | None = None) -> list[str]:
    """Of faults of which only the run knows whom they reach: every component that they may, by the sentence."""
    lines = []
    chosen, who = _chosen(said, among)
    for fault in faults:
        try:
            limits.must_be_allowed(said, fault)
        except Refused as error:
            lines += [f"{fault}: REFUSED: {error.message}", f"  HINT: {error.hint}"]
            continue
        verb = VERB.get(fault, "")
        fit = [name for name in chosen if not verb or can(said, said.components[name], verb)]
        may = [name for name in fit if name not in said.never]
        if not may:
            lines.append(f"{fault}: {who}: the file has none that may be hurt so")
            continue
        one_of = "there is one: " if len(may) == 1 else "known when it runs, one of "
        lines += [f"{fault}: {who}: {one_of}{', '.join(may)}"]
        lines += [line for name in may for line in _lines(said, verb, [name])]
    return lines


def _chosen(said: StackFile, among: Selection | None) -> tuple[list[str], str]:
    """From whom a sentence takes one, and what it calls that one."""
    members = list(said.database.members) if said.database else []
    if among is None:
        return list(said.components), "whom it reaches"
    if among.what == "role":
        alike = [one.name for one in said.components.values() if one.role == among.name]
        beside = ", and not who leads the database" if len(alike) > 1 and set(alike) & set(members) else ""
        return alike, f"one of the role {among.name} that runs{beside}"
    return members, "who leads the database" if among.what == "leader" else "a copy of the database"


def of_failover(said: StackFile) -> list[str]:
    """Its own act, the inverse that the file gives it, and each other act that the file has for after it."""
    planned = said.database.failover if said.database else None
    if said.database is None or planned is None:
        return []
    who = " or ".join(said.database.members)
    head = f"the owner's failover: ${{survivor}} is known when it runs, a database server that does not lead: {who}"
    undo = _typed(planned.undo, said) if planned.undo else "no inverse: a promotion is not undone"
    more = {one.name: getattr(of, one.name) for of in (planned, said.database) for one in fields(of)}
    others = [(name, act) for name, act in more.items() if isinstance(act, Action) and name not in ("do", "undo")]
    after = [f"  {name.replace('_', ' ')}: {_typed(act, said)}" for name, act in others]
    return [head, f"  do:   {_typed(planned.do, said)}", f"  undo: {undo}", *after]


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
