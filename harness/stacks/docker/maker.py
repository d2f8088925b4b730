"""Makes stacks of containers. What they stand on is an extra: it is imported for one that is made or removed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import Refused
from harness.stacks.docker import engine, image
from harness.stacks.docker.extra import EXTRA
from harness.stacks.maker import Maker, remove_temporary
from harness.stacks.needs import Need
from harness.stacks.parts import left
from harness.stacks.parts.has import GROUND, PLATFORM, REGIONAL
from harness.stacks.parts.settings import Settings
from harness.system.later import fetch
from harness.system.recorder import Recorder

if TYPE_CHECKING:
    from harness.stacks.docker.stack import DockerStack


class DockerMaker(Maker):
    """By the Docker engine of this machine."""

    has: tuple[Need, ...] = (*PLATFORM, *GROUND, *REGIONAL)

    def open(
        self, folder: Path, *, recorder: Recorder, label: str, scale: float, broken: Mapping[str, Any], regions: int = 1
    ) -> DockerStack:
        chosen = Settings(scale=scale, regions=regions, **broken)
        made: DockerStack = _class()(folder, recorder=recorder, label=label, settings=chosen)
        return made

    def attach(self, folder: Path, *, recorder: Recorder) -> DockerStack:
        made: DockerStack = _class().attach(folder, recorder=recorder)
        return made

    def prepare(self, say: Callable[[str], None]) -> None:
        """The image of the stack. Errors: `Refused`, also where the extra is not installed."""
        EXTRA.must_be_installed()
        image.make(say)

    def must_fit(self, *, level: str | None) -> None:
        if level:
            raise Refused(f"containers stand on no sandbox level {level!r}", hint="leave --sandbox out")

    def way_in(self, words: Sequence[str], *, level: str | None) -> list[str]:
        self.must_fit(level=level)
        engine.engine()
        return list(words)

    def join(self, folder: Path, words: Sequence[str]) -> list[str]:
        EXTRA.must_be_installed()
        label = str(left.alive(folder)["label"])
        if not engine.running(label):
            raise left.dead(f"no container of {label} runs")
        return list(words)

    def must_reach(self, folder: Path, evidence: Path) -> None:
        """A container mounts what it was made with, and nothing later."""
        label = str(left.alive(folder)["label"])
        written: Path = fetch("harness.stacks.docker.ground:written_by_customers")(folder, label=label)
        if not evidence.resolve().is_relative_to(written.resolve()):
            raise Refused(
                f"customers of a stack of containers write where it was brought up, and not in {evidence}",
                hint=f"--evidence {shlex.quote(str(written))}",
            )

    def standing(self) -> str:
        return "containers"

    def secrets_left(self, folder: Path) -> list[str] | None:
        return left.secrets_left(folder)

    def remove_left(self, run: str, folder: Path) -> None:
        """Errors: `Refused` where the engine that has it cannot be reached."""
        EXTRA.must_be_installed()
        fetch("harness.stacks.docker.stack:remove")(run, folder)
        fetch("harness.stacks.local.leftovers:remove_local")(run, folder)
        remove_temporary(run)


def _class() -> Any:
    """Errors: `Refused` where the extra is not installed."""
    EXTRA.must_be_installed()
    return fetch("harness.stacks.docker.stack:DockerStack")


MAKER = DockerMaker()
