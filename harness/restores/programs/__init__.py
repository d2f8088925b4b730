"""Where programs come from: this machine, or an image; and the empty place that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.system.command import Commands

if TYPE_CHECKING:
    from harness.restores import Programs
    from harness.restores.described import Backups


def programs(backups: Backups, commands: Commands) -> Programs:
    """Those of the image that the stack file names, else this machine's. Errors: `Unable`."""
    from harness.restores.programs.machine import ThisMachine  # noqa: PLC0415  it tries what this machine allows

    return ThisMachine(commands)
