"""The components of an attached platform: each has the verbs that its container, or its own words in the file, give it.

A component that is never to be hurt has none that hurts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import NotReady
from harness.stacks.attached import asking
from harness.stacks.attached.containers import Container
from harness.stacks.attached.cutting import Cutter
from harness.stacks.attached.doing import Acts
from harness.stacks.attached.file.described import INVERSE, Component, Probe, StackFile, Verb
from harness.stacks.attached.file.formats import address, filled
from harness.stacks.attached.gate import Gate

Verbs = dict[str, Callable[[], Any]]


class Part:
    """Its verbs are attributes, and so are its log and its role: what it was not given it has not, and whoever asks for
    a capability sees that."""

    def __init__(self, name: str, zone: str, *, runs: Callable[[], bool], verbs: Mapping[str, Any]) -> None:
        self.name = name
        self.zone = zone
        self._runs = runs
        for verb, act in verbs.items():
            setattr(self, verb, act)

    def running(self) -> bool:
        return self._runs()


NOWHERE = ("127.0.0.1", 0)  # of what was never seen: no connection to it is ever taken
At = Callable[[bool], tuple[str, int]]


class AskedPart(Part):
    """One that is asked somewhere. `at`: address and port, looked up anew where it is asked to; `asks` raises
    `OSError`."""

    def __init__(
        self, name: str, zone: str, *, runs: Callable[[], bool], verbs: Mapping[str, Any],
        at: At, asks: Callable[[], None],
    ) -> None:  # fmt: skip  # parameters in groups
        super().__init__(name, zone, runs=runs, verbs=verbs)
        self._at = at
        self._asks = asks

    @property
    def door(self) -> tuple[str, int]:
        """As it was seen last: whoever only wants to know whether it has a door asks nobody."""
        try:
            return self._at(False)
        except NotReady:
            return NOWHERE

    def door_now(self) -> tuple[str, int]:
        """Errors: `NotReady` where it was never seen."""
        return self._at(True)

    def ask(self) -> None:
        self._asks()


class Builder:
    """Makes the components of one platform."""

    def __init__(
        self, said: StackFile, *, boxes: Mapping[str, Container], acts: Acts, cutter: Cutter, gate: Gate,
        logs: Path, ask_member: Callable[[str], None],
    ) -> None:  # fmt: skip  # parameters in groups
        self._said = said
        self._boxes = boxes
        self._acts = acts
        self._cutter = cutter
        self._gate = gate
        self._logs = logs
        self._ask_member = ask_member

    def part(self, one: Component) -> Part:
        """One component with all that it can do, and can have done to it."""
        verbs: dict[str, Any] = {}
        if one.name not in self._said.never:
            verbs = self._gate.guarded(one.name, {**self._of_container(one), **self._own(one)})
        if one.is_container or one.log:
            verbs["log"] = one.log or self._logs / f"{one.name}.log"
        if one.role:
            verbs["role"] = one.role
        runs = self._runs(one)
        members = self._said.database.members if self._said.database else {}
        if one.name in members:
            at = partial(self._place_of_member, one, members[one.name])
            asks = partial(self._ask_both, one) if one.alive else partial(self._ask_member, one.name)
            return AskedPart(one.name, one.zone, runs=runs, verbs=verbs, at=at, asks=asks)
        if one.alive:
            at = partial(self._place_of_probe, one, self._said.probes[one.alive])
            asks = partial(self._ask_by_probe, one)
            return AskedPart(one.name, one.zone, runs=runs, verbs=verbs, at=at, asks=asks)
        return Part(one.name, one.zone, runs=runs, verbs=verbs)

    def values(self, one: Component, *, now: bool = True) -> dict[str, str]:
        """What `${…}` stands for in words about this component; `now`: looked up anew. Errors: `NotReady`."""
        if not one.is_container:
            return {}
        box = self._boxes[one.name]
        return {"address": box.address if now else box.known_address}

    def _of_container(self, one: Component) -> Verbs:
        if not one.is_container:
            return {}
        box = self._boxes[one.name]
        found: Verbs = {verb: getattr(box, verb) for verb in ("kill", "start", "stop", "pause", "resume")}
        return found | {"cut": partial(self._cutter.cut, [one.name]), "join": partial(self._cutter.join, [one.name])}

    def _own(self, one: Component) -> Verbs:
        """Those of the file: what it says of a verb stands, also for a container."""
        found: Verbs = {}
        for name, verb in one.verbs.items():
            found[name] = partial(self._hurt, one, verb, f"{name} {one.name}")
            found[INVERSE[name]] = partial(self._heal, one, verb, f"{INVERSE[name]} {one.name}")
        if "kill" in found and not one.is_container:
            found["stop"] = found["kill"]  # there is no gentler way in the file
        return found

    def _hurt(self, one: Component, verb: Verb, what: str) -> Any:
        return self._acts.hurt(verb, what=what, **self.values(one))

    def _heal(self, one: Component, verb: Verb, what: str) -> Any:
        return self._acts.heal(verb, what=what, **self.values(one))

    def _runs(self, one: Component) -> Callable[[], bool]:
        """By its container; else as the file shows that its death is undone; else by its probe."""
        if kill := one.verbs.get("kill"):
            return lambda: self._acts.seen(kill.undone, **self.values(one)).ok
        if one.is_container:
            return self._boxes[one.name].running
        return lambda: self._acts.probed(one.alive).ok

    def _place_of_member(self, one: Component, at: str, now: bool) -> tuple[str, int]:
        return address(filled(at, self.values(one, now=now)))

    def _place_of_probe(self, one: Component, probe: Probe, now: bool) -> tuple[str, int]:
        return asking.door(probe, self.values(one, now=now))

    def _ask_both(self, one: Component) -> None:
        """A database server of which the file says besides how it is asked. Errors: as `_ask_by_probe`."""
        self._ask_member(one.name)
        self._ask_by_probe(one)

    def _ask_by_probe(self, one: Component) -> None:
        """Errors: `OSError` where the probe fails."""
        seen = self._acts.probed(one.alive, **self.values(one))
        if not seen.ok:
            raise ConnectionError(f"{one.alive}: {seen.said}")
