"""Where programs come from: this machine, or an image; and the empty place that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.system.command import Commands

if TYPE_CHECKING:
    from harness.restores import Programs
    from harness.restores.described import Backups


def programs(backups: Backups, commands: Commands) -> Programs:
    """Those of the image that the stack file names, else this machine's. Errors: `Unable`."""
    if backups.image:
        from harness.restores.programs.image import Image  # noqa: PLC0415  who needs none, need not have Docker

        return Image(backups.image, commands)
    from harness.restores.programs.machine import ThisMachine  # noqa: PLC0415  it tries what this machine allows

    return ThisMachine(commands)
