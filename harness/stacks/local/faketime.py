"""A wrong clock for one program, by libfaketime where this machine has it. The machine's own clock is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from harness.errors import Unable

# The one for programs with threads first. Debian and Ubuntu, Fedora, and a wheel that brings it along.
NAMES = ("libfaketimeMT.so.1", "libfaketime.so.1")
FOLDERS = ("/usr/lib/*/faketime", "/usr/lib64/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime")


def found() -> Path:
    """The library. Errors: `Unable` where there is none."""
    for one in _candidates():
        return one
    raise Unable(
        "no clock can be set wrong: this machine has no libfaketime",
        hint="apt install libfaketime, or pip install libfaketime into this environment",
    )


def begin(file: Path, by: timedelta) -> None:
    """Write down that a component starts with a clock that is wrong by so much."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(by.total_seconds()))


def environment(file: Path) -> dict[str, str]:
    """What a component needs to start with the clock that was written down; nothing where none was."""
    if not file.exists():
        return {}
    return {
        "LD_PRELOAD": str(found()),
        "FAKETIME": f"{float(file.read_text()):+.3f}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # lengths stay right: only what day it is is wrong
    }


def told(pid: int) -> timedelta:
    """By how much a process is lied to: nothing where it has not loaded the library, as a static program cannot."""
    try:
        if "libfaketime" not in Path(f"/proc/{pid}/maps").read_text():
            return timedelta(0)
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return timedelta(0)
    said = next((word for word in words if word.startswith(b"FAKETIME=")), b"FAKETIME=0s")
    return timedelta(seconds=float(said.decode().removeprefix("FAKETIME=").removesuffix("s")))


def _candidates() -> Iterator[Path]:
    wheel = find_spec("libfaketime")
    for name in NAMES:
        for folder in FOLDERS:
            yield from sorted(Path("/").glob(f"{folder[1:]}/{name}"))
        if wheel and wheel.origin:
            yield from sorted(Path(wheel.origin).parent.rglob(name))
