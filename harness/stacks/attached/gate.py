"""Where a verb that hurts acts, it is asked once more: only what a fault on disk names is hurt, and within the limits.

What heals a fault lies on disk before it is injected (`harness.safety.undo`). So whoever acts, in whatever process,
finds there what was let; whoever heals hurts nothing that the fault did not name; and without it nothing is hurt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence.run_folder import UNDO, UNHEALED
from harness.stacks.attached import limits
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.limits import NOTHING, Hurt
from harness.system import control_files

HURTS = ("kill", "stop", "pause", "cut")  # verbs of a component
FAIL_OVER = "fail over"


class Gate:
    """Of one platform. `folder`: in which the undo of its faults lies."""

    def __init__(self, said: StackFile, folder: Path) -> None:
        self._said = said
        self._folder = folder

    def hurt_now(self) -> list[Hurt]:
        """The faults that are about to be there, or are there still. One that cannot be read counts as nothing let."""
        found = []
        for folder in (self._folder / UNHEALED, self._folder / UNDO):
            for path in sorted(folder.glob("*.json")):
                said = control_files.read(path) or {}
                found.append(Hurt(str(said.get("fault")), [said.get("settings"), said.get("undo")]))
        return found

    def must_let(self, verb: str, components: Iterable[str]) -> None:
        """Errors: `Refused` where no fault on disk names them, or all of these reach too far."""
        hurt, wanted = self.hurt_now(), list(components)
        named = {name for one in hurt for name in limits.names(self._said, one.said)}
        within = limits.reach(self._said, named)
        if beyond := [name for name in wanted if name not in within.all]:
            what = f"{verb} {', '.join(beyond)}: no fault that is written down reaches it; {NOTHING}"
            raise Refused(what, hint="a fault of a scenario writes down its undo before it hurts")
        for one in hurt:
            limits.must_be_allowed(self._said, one.fault)
        limits.must_be_within(self._said, named, what=f"{verb} {', '.join(wanted)}")

    def must_let_fail_over(self, members: Iterable[str]) -> None:
        """As the recovery from a fault that has reached a database server; else only by its own word.

        Errors: `Refused`.
        """
        named = {name for one in self.hurt_now() for name in limits.names(self._said, one.said)}
        if not limits.reach(self._said, named).all & set(members):
            limits.must_be_let(self._said, FAIL_OVER, what="a failover without a fault")

    def must_name(self, verb: str, component: str) -> None:
        """For what heals, and takes something away by it. Errors: `Refused` where no fault on disk reaches it."""
        named = {name for one in self.hurt_now() for name in limits.names(self._said, one.said)}
        if component not in limits.reach(self._said, named).all:
            what = f"{verb} {component}: no fault that is written down reaches it; {NOTHING}"
            raise Refused(what, hint="only what a drill has hurt is healed: its owner does the rest")

    def before(self, verb: str, component: str, act: Callable[[], Any]) -> Callable[[], Any]:
        """The act, asked for first."""

        def acts() -> Any:
            self.must_let(verb, [component])
            return act()

        return acts

    def guarded(self, component: str, verbs: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        """All verbs of a component: those that hurt are asked for first."""
        return {verb: self.before(verb, component, act) if verb in HURTS else act for verb, act in verbs.items()}
