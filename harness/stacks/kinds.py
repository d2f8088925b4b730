"""The kinds of stacks there are. A new kind is a folder beside this file and a line in each function here; its name is
in `harness.evidence.environments`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence.environments import ENVIRONMENTS
from harness.evidence.run_folder import temporary_prefix
from harness.stacks import Stack
from harness.stacks.docker import engine, image
from harness.stacks.docker.extra import EXTRA as DOCKER_EXTRA
from harness.stacks.local import sandbox
from harness.stacks.local.extra import EXTRA as LOCAL_EXTRA
from harness.stacks.parts.settings import Settings
from harness.system.later import fetch
from harness.system.recorder import Recorder

# What stacks stand on is an extra of the wheel: it is imported for one that is made, attached to or removed.
LOCAL, DOCKER = "harness.stacks.local.stack:LocalStack", "harness.stacks.docker.stack:DockerStack"
EXTRAS = {"local": LOCAL_EXTRA, "docker": DOCKER_EXTRA}


def open_stack(kind: str, folder: Path, *, recorder: Recorder, label: str, settings: Settings) -> Stack:
    """A stack of a kind, not started. Errors: `Refused` where there is no such kind."""
    if kind not in ENVIRONMENTS:
        raise Refused(f"there is no kind of stack named {kind!r}", hint=f"kinds: {', '.join(ENVIRONMENTS)}")
    made: Stack = _class(kind)(folder, recorder=recorder, label=label, settings=settings)
    return made


def _class(kind: str) -> Any:
    """Errors: `Refused` where what its stacks stand on is not installed."""
    EXTRAS[kind].must_be_installed()
    return fetch(DOCKER if kind == "docker" else LOCAL)


def attach_stack(folder: Path, *, recorder: Recorder) -> Stack:
    """A stack that another process has started, from what it saved; where it stands.

    Errors: `Refused` when no stack was started there, or it was removed.
    """
    made: Stack = _class("docker" if _saved(folder).get("kind") == "docker" else "local").attach(
        folder, recorder=recorder
    )
    return made


def prepare(kind: str, say: Callable[[str], None]) -> None:
    """Make what a kind needs once on a machine, before a run begins: the image of the container stack.

    Errors: `Refused` where it cannot be made, or where what a kind stands on is not installed.
    """
    if kind in EXTRAS:
        EXTRAS[kind].must_be_installed()
    if kind == "docker":
        image.make(say)


def must_fit(kind: str, *, level: str | None) -> None:
    """Errors: `Refused` where that kind has no levels."""
    if kind == "docker" and level:
        raise Refused(f"containers stand on no sandbox level {level!r}", hint="leave --sandbox out")


def way_in(kind: str, words: Sequence[str], *, level: str | None) -> list[str]:
    """The command line by which `words` run where stacks of a kind can be started.

    Errors: `Refused` where this machine cannot have one, or has no such level.
    """
    must_fit(kind, level=level)
    if kind == "docker":
        engine.engine()
        return list(words)
    return sandbox.enter_argv(sandbox.best_level(level), list(words))


def standing(kind: str) -> str:
    """The level of the embedded stack that this process has reached; `containers` for a docker stack."""
    return "containers" if kind == "docker" else sandbox.inside() or "loopback"


def logs_left(folder: Path) -> dict[str, Path]:
    """The component logs that a killed stack has left in its folder."""
    return {path.stem: path for path in sorted(folder.rglob("*.log"))} if folder.is_dir() else {}


def secrets_left(folder: Path) -> list[str]:
    """The passwords of a killed stack, as far as it had come to write them down."""
    try:
        return list(_saved(folder)["roles"].values())
    except (KeyError, AttributeError):
        return []


def remove_left(run: str, folder: Path) -> None:
    """Remove what a killed stack has left outside its processes. Harmless where nothing is left.

    Errors: `Refused` where the engine that has it cannot be reached.
    """
    if _saved(folder).get("kind") == "docker":
        fetch("harness.stacks.docker.stack:remove")(run, folder)
    fetch("harness.stacks.local.leftovers:remove_local")(run, folder)
    for path in Path("/tmp").glob(f"{temporary_prefix(run)}*"):
        shutil.rmtree(path, ignore_errors=True)


def _saved(folder: Path) -> dict[str, Any]:
    """What a stack wrote down before it made anything; {} where it had not come so far."""
    try:
        found = fetch("harness.stacks.parts.lifecycle:saved")(folder)
    except Refused:
        return {}
    return found if isinstance(found, dict) else {}
