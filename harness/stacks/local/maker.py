"""Makes embedded stacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.stacks.local import sandbox
from harness.stacks.local.leftovers import remove_local
from harness.stacks.local.stack import LocalStack
from harness.stacks.maker import Maker, remove_temporary
from harness.stacks.parts import left
from harness.stacks.parts.settings import Settings
from harness.system.recorder import Recorder


class LocalMaker(Maker):
    """In a sandbox of this machine."""

    def open(
        self, folder: Path, *, recorder: Recorder, label: str, scale: float, broken: Mapping[str, Any]
    ) -> LocalStack:
        return LocalStack(folder, recorder=recorder, label=label, settings=Settings(scale=scale, **broken))

    def attach(self, folder: Path, *, recorder: Recorder) -> LocalStack:
        return LocalStack.attach(folder, recorder=recorder)

    def must_fit(self, *, level: str | None) -> None:
        """It has every level that there is; whether this machine has it is tried on the way in."""

    def way_in(self, words: Sequence[str], *, level: str | None) -> list[str]:
        return sandbox.enter_argv(sandbox.best_level(level), list(words))

    def standing(self) -> str:
        return sandbox.inside() or "loopback"

    def secrets_left(self, folder: Path) -> list[str] | None:
        return left.secrets_left(folder)

    def remove_left(self, run: str, folder: Path) -> None:
        remove_local(run, folder)
        remove_temporary(run)


MAKER = LocalMaker()
