"""Makes stacks of containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.stacks.docker import engine, image
from harness.stacks.docker.stack import DockerStack, remove
from harness.stacks.local.leftovers import remove_local
from harness.stacks.maker import Maker, remove_temporary
from harness.stacks.parts import left
from harness.stacks.parts.settings import Settings
from harness.system.recorder import Recorder


class DockerMaker(Maker):
    """By the Docker engine of this machine."""

    def open(
        self, folder: Path, *, recorder: Recorder, label: str, scale: float, broken: Mapping[str, Any]
    ) -> DockerStack:
        return DockerStack(folder, recorder=recorder, label=label, settings=Settings(scale=scale, **broken))

    def attach(self, folder: Path, *, recorder: Recorder) -> DockerStack:
        return DockerStack.attach(folder, recorder=recorder)

    def prepare(self, say: Callable[[str], None]) -> None:
        """The image of the stack."""
        image.make(say)

    def must_fit(self, *, level: str | None) -> None:
        if level:
            raise Refused(f"containers stand on no sandbox level {level!r}", hint="leave --sandbox out")

    def way_in(self, words: Sequence[str], *, level: str | None) -> list[str]:
        self.must_fit(level=level)
        engine.engine()
        return list(words)

    def standing(self) -> str:
        return "containers"

    def secrets_left(self, folder: Path) -> list[str] | None:
        return left.secrets_left(folder)

    def remove_left(self, run: str, folder: Path) -> None:
        """Errors: `Refused` where the engine that has it cannot be reached."""
        remove(run, folder)
        remove_local(run, folder)
        remove_temporary(run)


MAKER = DockerMaker()
