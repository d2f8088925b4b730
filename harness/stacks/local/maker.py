"""Makes embedded stacks. What they stand on is an extra: it is imported for one that is made or removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import DrillError
from harness.stacks.capabilities.network import Divisible, Flappable, Linked, Slowable
from harness.stacks.capabilities.regions import RegionDivisible
from harness.stacks.local import sandbox
from harness.stacks.local.extra import EXTRA
from harness.stacks.maker import Maker, remove_temporary
from harness.stacks.needs import Need, Withheld
from harness.stacks.parts import left
from harness.stacks.parts.has import GROUND, PLATFORM, REGIONAL
from harness.stacks.parts.settings import Settings
from harness.system.later import fetch
from harness.system.recorder import Recorder

if TYPE_CHECKING:
    from harness.stacks.local.stack import LocalStack


NETWORKS = (Divisible, Linked, Slowable, Flappable, RegionDivisible)  # what it takes zones for that are networks


class LocalMaker(Maker):
    """In a sandbox of this machine."""

    has: tuple[Need, ...] = (*PLATFORM, *GROUND, *REGIONAL)

    def withheld(self, *, level: str | None) -> Mapping[type, Withheld]:
        """Without a level it is tried which one this machine has. Where it has none, the way in says so."""
        with suppress(DrillError):
            if (level or sandbox.inside() or sandbox.best_level().name) == "loopback":
                return dict.fromkeys(
                    NETWORKS, Withheld(sandbox.NO_NETWORKS, f"zones that are networks: {sandbox.to_zones_apart()}")
                )
        return {}

    def open(
        self, folder: Path, *, recorder: Recorder, label: str, scale: float, broken: Mapping[str, Any], regions: int = 1
    ) -> LocalStack:
        chosen = Settings(scale=scale, regions=regions, **broken)
        made: LocalStack = _class()(folder, recorder=recorder, label=label, settings=chosen)
        return made

    def attach(self, folder: Path, *, recorder: Recorder) -> LocalStack:
        made: LocalStack = _class().attach(folder, recorder=recorder)
        return made

    def prepare(self, say: Callable[[str], None]) -> None:
        """Errors: `Refused` where the extra is not installed."""
        EXTRA.must_be_installed()

    def must_fit(self, *, level: str | None) -> None:
        """It has every level that there is; whether this machine has it is tried on the way in."""

    def way_in(self, words: Sequence[str], *, level: str | None) -> list[str]:
        return sandbox.enter_argv(sandbox.best_level(level), list(words))

    def join(self, folder: Path, words: Sequence[str]) -> list[str]:
        argv: list[str] = fetch("harness.stacks.local.joining:join")(left.alive(folder), list(words))
        return argv

    def standing(self) -> str:
        return sandbox.inside() or "loopback"

    def secrets_left(self, folder: Path) -> list[str] | None:
        return left.secrets_left(folder)

    def remove_left(self, run: str, folder: Path) -> None:
        EXTRA.must_be_installed()
        fetch("harness.stacks.local.leftovers:remove_local")(run, folder)
        remove_temporary(run)


def _class() -> Any:
    """Errors: `Refused` where the extra is not installed."""
    EXTRA.must_be_installed()
    return fetch("harness.stacks.local.stack:LocalStack")


MAKER = LocalMaker()
