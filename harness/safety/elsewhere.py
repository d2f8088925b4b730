"""Healing from outside: a process is started where the stack stands, which heals there and says what it saw."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import DrillError, Refused
from harness.evidence.run_folder import STACK_FOLDER
from harness.faults import TakesLong
from harness.safety import healer
from harness.safety.healing import DATA_LIMIT, FENCED_LIMIT, LOOK_LIMIT, Healing
from harness.safety.undo import Pending
from harness.stacks.maker import Maker
from harness.system import clock
from harness.system.command import LABEL
from harness.system.environment import for_harness

EACH = FENCED_LIMIT + LOOK_LIMIT + DATA_LIMIT + timedelta(seconds=60)  # and for the healing itself
Healings = Sequence[tuple[Pending, Healing]]


def healed_there(maker: Maker, place: Path, pending: Sequence[Pending], *, of: Path, label: str) -> Healings:
    """Heal what is pending in the folder `of`, on the stack that stands in `place`; the newest first.

    Whatever cannot be healed, or could not be asked, is said; nothing is raised. `label`: what the process carries,
    so that whoever comes after us can end it.
    """
    if not pending:
        return []
    begun, found, why = clock.mono(), {}, ""
    words = [sys.executable, "-P", "-m", healer.__name__, str(of.resolve())]
    try:
        within = sum(map(_time_for, pending), maker.heals_in * len(pending))
        said, why = _run(maker.join(place.resolve() / STACK_FOLDER, words), label, within=within)
        found = {line[healer.FILE]: _healing(line) for line in said}
    except DrillError as error:
        why = error.message
    unknown = Healing(False, "not healed", f"nobody could look: {why}", begun, clock.mono())
    return [(each, found.get(each.path.name, unknown)) for each in reversed(pending)]


def _time_for(pending: Pending) -> timedelta:
    """For the healing of one, in all."""
    with suppress(Refused):
        if isinstance(fault := pending.known(), TakesLong):
            return EACH + fault.back_within
    return EACH


def _run(argv: Sequence[str], label: str, *, within: timedelta) -> tuple[list[dict[str, Any]], str]:
    """The lines about faults, and why there are no more of them."""
    environment = {**for_harness(), LABEL: label}
    try:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
        )
    except OSError as error:
        return [], f"{argv[0]}: {error.strerror}"
    with child:
        try:
            out, _ = child.communicate(timeout=within.total_seconds())
            why = f"who should heal it ended with {child.returncode}"
        except BaseException as error:  # also where we are asked to stop: nobody heals on behind our back
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            out, _ = child.communicate()
            why = f"who should heal it had not ended within {within.total_seconds():g} s"
    lines: list[dict[str, Any]] = []
    for line in out.splitlines():
        said = _object(line)
        why = str(said.get(healer.ERROR, why))
        lines += [said] if healer.FILE in said else []
    return lines, why


def _object(line: str) -> dict[str, Any]:
    """Empty where it is none: a library may have said something, too."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _healing(line: Mapping[str, Any]) -> Healing:
    return Healing(**{name: value for name, value in line.items() if name != healer.FILE})
