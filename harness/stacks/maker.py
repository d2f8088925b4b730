"""What makes the stacks of a kind, and removes what a killed one has left."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence.run_folder import temporary_prefix
from harness.stacks import Stack
from harness.stacks.needs import Need, Withheld
from harness.system.recorder import Recorder


class Maker:
    """Of one kind. What is said here holds where a stack is ordinary processes, which need nothing made before."""

    @property
    def has(self) -> tuple[Need, ...]:
        """What its stacks have, known without one: capabilities, zones, copies."""
        raise NotImplementedError

    def withheld(self, *, level: str | None) -> Mapping[type, Withheld]:
        """What of that this machine cannot do, or the level of its sandbox: `level`, else the one that is taken."""
        return {}

    def open(
        self, folder: Path, *, recorder: Recorder, label: str, scale: float, broken: Mapping[str, Any], regions: int = 1
    ) -> Stack:
        """A stack that is not started. `broken`: what a sabotage twin makes otherwise, by the kind's own names.

        `regions`: at least so many, of a kind that has them; no more where it can be made with fewer.
        """
        raise NotImplementedError

    def must_answer(self, stack: Stack) -> None:
        """Once it has been started. Errors: `Refused` where a project's stack says what is no answer."""

    def attach(self, folder: Path, *, recorder: Recorder) -> Stack:
        """A stack that another process has started, from what it saved; where it stands.

        Errors: `Refused` when no stack was started there, or it was removed.
        """
        raise NotImplementedError

    def prepare(self, say: Callable[[str], None]) -> None:
        """Make what the kind needs once on a machine, before a run begins. Errors: `Refused` where it cannot be."""

    def must_fit(self, *, level: str | None) -> None:
        """Errors: `Refused` where the kind has no such level of a sandbox."""
        if level:
            raise Refused(f"this kind of stack has no sandbox level {level!r}", hint="leave --sandbox out")

    def way_in(self, words: Sequence[str], *, level: str | None) -> list[str]:
        """The command line by which `words` run where stacks of the kind can be started.

        Errors: `Refused` where this machine cannot have one, or has no such level.
        """
        self.must_fit(level=level)
        return list(words)

    def join(self, folder: Path, words: Sequence[str]) -> list[str]:
        """The command line by which `words` run where the stack that was started in `folder` stands.

        Errors: `Refused` where none was started there, or it is dead, or of another machine or boot.
        """
        return list(words)

    def must_reach(self, folder: Path, evidence: Path) -> None:
        """Errors: `Refused` where customers of the stack that was started in `folder` cannot write into `evidence`."""

    @property
    def rate(self) -> float | None:
        """How many requests its customers send a second, where that is not for whoever drills to say."""
        return None

    @property
    def stands(self) -> Path | None:
        """Where runs that drill a stack which stands already, and was brought up by nobody here, meet: its folder.

        None: a run makes its own, unless `drdrill stack up` has.
        """
        return None

    def tell(self, file: Path) -> None:
        """Write, for the pack of a run, what is told of the platform; nothing where no stack file describes it."""

    def keep(self, folder: Path) -> None:
        """Leave in a folder what another process needs to make the same of a stack file that may change."""

    def begin(self, stack: Stack) -> None:
        """A run begins on a stack that stands: start what the run needs of its own beside it."""

    def end(self, stack: Stack) -> None:
        """End that. Harmless when repeated."""

    def standing(self) -> str:
        """In what this process stands now, for stacks of the kind: a level of the sandbox, say."""
        return "none"

    def secrets_left(self, folder: Path) -> list[str] | None:
        """The passwords of a killed stack; None where they are not known, so that its logs cannot be masked."""
        return None

    @property
    def aliases(self) -> Mapping[str, str]:
        """Names and addresses that never come into a pack, and what stands there for each."""
        return {}

    @property
    def heals_in(self) -> timedelta:
        """How long the healing of one fault may take there besides what it takes anywhere."""
        return timedelta(0)

    @property
    def restores(self) -> Sequence[str]:
        """What a scenario about backups would restore beside, in lines for a dry run; nothing where there are none."""
        return ()

    def remove_beside(self, run: str, folder: Path) -> None:
        """What a killed run was restoring beside, whoever owns the stack, in `folder` or where the stack file says.

        Nothing, where the kind restores nothing. Errors: `DrillError`.
        """

    def remove_left(self, run: str, folder: Path) -> None:
        """Remove what a killed stack has left besides its labelled processes. Harmless where nothing is left."""


def logs_left(folder: Path) -> dict[str, Path]:
    """The component logs that a killed stack has left in its folder."""
    return {path.stem: path for path in sorted(folder.rglob("*.log"))} if folder.is_dir() else {}


def remove_temporary(run: str) -> None:
    """The folders that a run has made outside of its own."""
    for path in Path("/tmp").glob(f"{temporary_prefix(run)}*"):
        shutil.rmtree(path, ignore_errors=True)
