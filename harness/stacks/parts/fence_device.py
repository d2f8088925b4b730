"""A simulated fence device: power control over the database servers of a region, as a cloud's API or an IPMI board has.

What it keeps off stands on the disk, so that whoever comes later, also after a crash, keeps it off, too.
"""

from __future__ import annotations

import os
from pathlib import Path

SIMULATED = "the fence device is simulated: it kills the processes of a region's database servers, and keeps them off"


class FenceDevice:
    """Of one stack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "fenced"

    def keep_off(self, region: str) -> None:
        """On the disk when it returns. Harmless when repeated."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = os.open(self._folder / region, os.O_WRONLY | os.O_CREAT)
        os.fsync(file)
        os.close(file)
        for folder in (self._folder, self._folder.parent):
            _sync(folder)

    def let_on(self, region: str) -> None:
        """Harmless where it is not fenced."""
        (self._folder / region).unlink(missing_ok=True)
        if self._folder.exists():
            _sync(self._folder)

    def fenced(self, region: str) -> bool:
        return (self._folder / region).exists()

    def why(self, region: str) -> str:
        """Why its database servers must not run; empty where they may."""
        return f"region {region} is fenced" if self.fenced(region) else ""


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)
