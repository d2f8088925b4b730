"""A kind of stack that a project brings: its class, and what the machine does with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar, cast

from harness.errors import DrillError, Refused
from harness.evidence.environments import CLASSES
from harness.evidence.run_folder import STACK_FOLDER
from harness.stacks import Stack
from harness.stacks.as_said import must_be_as_said
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Startable
from harness.stacks.maker import Maker, remove_temporary
from harness.stacks.needs import Need, flat
from harness.stacks.real import kept_out, real_channels
from harness.stacks.well_made import PLAIN, must_answer, must_be_well_made
from harness.system import modules
from harness.system.command import end_labelled
from harness.system.recorder import Memory, Recorder

NAME = "STACK"  # what a module calls its class where project.yaml names the module alone
HINT = "docs/add-a-stack.md says what a stack of a project is"
BROKEN = "mend that line, then repeat the command"
Made = TypeVar("Made")


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
        if not PLAIN.fullmatch(kind := str(getattr(found, "kind", ""))):
            what = f"the `kind` {kind!r}, and plain are letters, digits and - _ . @" if kind else "no `kind`, its name"
            raise Refused(f"{module.__file__}: {found.__name__} has {what}", hint=HINT)
        if getattr(found, "environment", "") not in CLASSES:
            raise Refused(
                f"{module.__file__}: the `environment` of {found.__name__} is none of {', '.join(CLASSES)}", hint=HINT
            )
        if not callable(getattr(found, "attach", None)):
            raise Refused(f"{module.__file__}: {found.__name__} has no `attach`", hint=HINT)
        if not isinstance(getattr(found, "capabilities", None), tuple):
            what = "has no `capabilities`: a tuple of what its stacks have"
            raise Refused(f"{module.__file__}: {found.__name__} {what}", hint=HINT)
        return cast(StackClass, found)

    @property
    def has(self) -> tuple[Need, ...]:
        """Errors: `Refused` as `load`, and where it names what is no capability."""
        return flat(self.load().capabilities)

    def prepare(self, say: Callable[[str], None]) -> None:
        """Look at one that is not started, so that what is wrong with it is told before a run begins.

        Errors: `Refused`, with everything that is wrong.
        """
        with TemporaryDirectory() as folder:
            self.open(Path(folder) / STACK_FOLDER, recorder=Memory(), label="looked-at", scale=1.0, broken={})

    def open(
        self, folder: Path, *, recorder: Recorder, label: str, scale: float, broken: Mapping[str, Any], regions: int = 1
    ) -> Stack:
        """It has the regions that its class gives it."""

        def made() -> Stack:
            stack = self.load()(folder, recorder=recorder, label=label, scale=scale, broken=broken)
            must_be_well_made(stack, label=label)
            must_be_as_said(stack, self.has)
            real_channels(stack)
            kept_out(stack)
            return stack

        return self._by_project(made, hint=BROKEN)

    def must_answer(self, stack: Stack) -> None:
        must_answer(stack)

    def attach(self, folder: Path, *, recorder: Recorder) -> Stack:
        """It is not looked at as one that is opened: whoever heals takes it as it is."""
        cls = self.load()
        return self._by_project(lambda: cls.attach(folder, recorder=recorder), hint=BROKEN)

    def secrets_left(self, folder: Path) -> list[str] | None:
        stack = self._left(folder)
        try:
            return None if stack is None else kept_out(stack)
        except Exception:  # such as a file of a webhook that is gone: whoever heals does not fail because of it
            return None

    def remove_left(self, run: str, folder: Path) -> None:
        """By the stack itself, where it can still be had; whatever it starts, or leaves, ends then.

        Errors: `Refused` where its `stop` breaks: nobody knows what is left of it then, besides processes.
        """
        if (stack := self._left(folder)) is not None:
            hint = f"{BROKEN}: until then nobody knows what its stop has left, and nothing is lost"
            self._by_project(need(stack, Startable).stop, hint=hint)
            end_labelled(run)
        remove_temporary(run)

    def _left(self, folder: Path) -> Stack | None:
        """None where none was started, or where the project is gone: its processes carry the run's label, and were
        ended already. Errors: `Refused` where it breaks otherwise."""
        try:
            cls = self.load()
        except Refused:
            return None
        try:
            return cls.attach(folder, recorder=Memory())
        except DrillError:
            return None
        except Exception as error:
            raise self._broken(error, BROKEN) from error

    def _by_project(self, action: Callable[[], Made], *, hint: str) -> Made:
        """Errors: its own, and `Refused` with its line for whatever else it raises."""
        try:
            return action()
        except DrillError:
            raise
        except Exception as error:
            raise self._broken(error, hint) from error

    def _broken(self, error: Exception, hint: str) -> Refused:
        return modules.broken(error, folder=self._folder, where=self._place, hint=hint)
