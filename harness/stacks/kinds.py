"""The kinds of stacks there are. A new kind is a folder beside this file and a line in each function here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from harness.errors import Refused
from harness.recorder import Recorder
from harness.stacks import Stack
from harness.stacks.local import LocalSettings, LocalStack, remove_local
from harness.stacks.local.backups import temporary_prefix

ENVIRONMENTS = {"local": "embedded"}  # kind of stack to class of environment


def open_stack(kind: str, folder: Path, *, recorder: Recorder, label: str, scale: float, archiving: str) -> Stack:
    """A stack of a kind, not started.

    Errors: `Refused` where there is no such kind.
    """
    if kind != "local":
        raise Refused(f"there is no kind of stack named {kind!r}", hint=f"kinds: {', '.join(ENVIRONMENTS)}")
    settings = LocalSettings(scale=scale, archiving="off" if archiving == "off" else "on")
    return LocalStack(folder, recorder=recorder, label=label, settings=settings)


def logs_left(folder: Path) -> dict[str, Path]:
    """The component logs that a killed stack has left in its folder."""
    return {path.stem: path for path in sorted(folder.rglob("*.log"))} if folder.is_dir() else {}


def secrets_left(folder: Path) -> list[str]:
    """The passwords of a killed stack, as far as it had come to write them down."""
    try:
        return list(json.loads((folder / "stack.json").read_text())["roles"].values())
    except (OSError, ValueError, KeyError, AttributeError):
        return []


def remove_left(run: str, folder: Path) -> None:
    """Remove what a killed stack has left outside its processes. Harmless where nothing is left."""
    remove_local(run, folder)
    for path in Path("/tmp").glob(f"{temporary_prefix(run)}*"):
        shutil.rmtree(path, ignore_errors=True)
