"""A simulated fence device: power control over the database servers of a region, as a cloud's API or an IPMI board has.

What it keeps off stands on the disk, so that whoever comes later, also after a crash, keeps it off, too.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.system.durable import sync_folder

SIMULATED = "the fence device is simulated: it kills the processes of a region's database servers, and keeps them off"


ASKED = b"asked for\n"


class FenceDevice:
    """Of one stack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "fenced"

    def keep_off(self, region: str, *, asked: bool) -> None:
        """On the disk when it returns. Harmless when repeated. `asked`: by a person or a procedure, who has to end it;
        else by a region's return, which may find later that it can."""
        with self._locked():
            file = os.open(self._folder / region, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(file, ASKED if asked else b"")
            os.fsync(file)
            os.close(file)

    def let_on(self, region: str, *, asked: bool) -> None:
        """Harmless where it is not fenced; without `asked` what somebody has to end stays."""
        with self._locked():
            if asked or not self.asked(region):
                (self._folder / region).unlink(missing_ok=True)

    def fenced(self, region: str) -> bool:
        return (self._folder / region).exists()

    def asked(self, region: str) -> bool:
        """Whether it is fenced, and was by somebody who has to end it."""
        return self.fenced(region) and (self._folder / region).read_bytes() != b""

    def why(self, region: str) -> str:
        """Why its database servers must not run; empty where they may."""
        return f"region {region} is fenced" if self.fenced(region) else ""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One at a time, in any process; what was changed is on the disk afterwards."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
            for folder in (self._folder, self._folder.parent):
                sync_folder(folder)
        finally:
            os.close(handle)
