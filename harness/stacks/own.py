"""A kind of stack that a project brings: its class, and what the machine does with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from harness.errors import DrillError, Refused
from harness.evidence.environments import CLASSES
from harness.stacks import Stack
from harness.stacks.as_said import must_be_as_said
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Startable
from harness.stacks.maker import Maker, remove_temporary
from harness.stacks.needs import Need, flat
from harness.system import modules
from harness.system.recorder import Memory, Recorder

NAME = "STACK"  # what a module calls its class where project.yaml names the module alone
HINT = "docs/add-a-stack.md says what a stack of a project is"


MUST_HAVE = (
    "kind", "environment", "regions", "folder", "commands", "components", "steady", "parts", "logs", "secrets", "start",
    "stop",
)  # fmt: skip  # a list


class StackClass(Protocol):
    """What a project gives: a class whose objects are stacks that can be started and stopped."""

    kind: str
    environment: str
    capabilities: tuple[Any, ...]  # what its stacks have, as `harness.stacks.needs` has it

    def __call__(
        self, folder: Path, *, recorder: Recorder, label: str, scale: float, broken: Mapping[str, Any]
    ) -> Stack:
        """A stack that is not started. `label` is the run's; every process that it starts has to carry it."""

    def attach(self, folder: Path, *, recorder: Recorder) -> Stack:
        """One that another process has started there. Errors: `Refused` where none was, or it was removed."""


class OwnMaker(Maker):
    """Of a class at `place`, `module` or `module:Class`, in a project's folder. It is imported when it is asked."""

    def __init__(self, place: str, folder: Path, where: str = "the project") -> None:
        self._place = place
        self._folder = folder
        self._where = where

    def load(self) -> StackClass:
        """Errors: `Refused` where there is no such class, or it is not one of stacks."""
        name, _, wanted = self._place.partition(":")
        module = modules.module(name, folder=self._folder, where=self._where)
        found = getattr(module, wanted or NAME, None)
        if not isinstance(found, type):
            raise Refused(f"{module.__file__}: declares no class {wanted or NAME}", hint=HINT)
        if not str(getattr(found, "kind", "")).isidentifier():
            raise Refused(f"{module.__file__}: {found.__name__} has no `kind`, which is its name", hint=HINT)
        if getattr(found, "environment", "") not in CLASSES:
            raise Refused(
                f"{module.__file__}: the `environment` of {found.__name__} is none of {', '.join(CLASSES)}", hint=HINT
            )
        if not callable(getattr(found, "attach", None)):
            raise Refused(f"{module.__file__}: {found.__name__} has no `attach`", hint=HINT)
        if not isinstance(getattr(found, "capabilities", None), tuple):
            raise Refused(f"{module.__file__}: {found.__name__} has no `capabilities`: what it has", hint=HINT)
        return cast(StackClass, found)

    @property
    def has(self) -> tuple[Need, ...]:
        """Errors: `Refused` as `load`, and where it names what is no capability."""
        return flat(self.load().capabilities)

    def open(self, folder: Path, *, recorder: Recorder, label: str, scale: float, broken: Mapping[str, Any]) -> Stack:
        made = self.load()(folder, recorder=recorder, label=label, scale=scale, broken=broken)
        _must_be_a_stack(made)
        must_be_as_said(made, self.has)
        return made

    def attach(self, folder: Path, *, recorder: Recorder) -> Stack:
        return self.load().attach(folder, recorder=recorder)

    def secrets_left(self, folder: Path) -> list[str] | None:
        stack = self._left(folder)
        return None if stack is None else list(stack.secrets)

    def remove_left(self, run: str, folder: Path) -> None:
        """By the stack itself, where it can still be had. Errors: what it raises."""
        if (stack := self._left(folder)) is not None:
            need(stack, Startable).stop()
        remove_temporary(run)

    def _left(self, folder: Path) -> Stack | None:
        """None where none was started, or where the project is gone or broken: its processes carry the run's label,
        and were ended already."""
        try:
            return self.attach(folder, recorder=Memory())
        except DrillError:
            return None


def _must_be_a_stack(made: object) -> None:
    """Errors: `Refused`, naming everything that a stack must have and this one has not."""
    if missing := [name for name in MUST_HAVE if not hasattr(made, name)]:
        raise Refused(f"{type(made).__name__} is no stack: it has no {', '.join(missing)}", hint=HINT)
