"""What may be chosen of a stack, of any kind."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

STALLED = "archiving-stalled"  # file in the stack's folder: while it is there, archiving fails


@dataclass(frozen=True)
class Settings:
    """`archiving` "off" is for sabotage twins: nothing reaches the archive, and nothing says so."""

    scale: float = 1.0  # 1.0: 200,000 transactions
    archive_timeout: timedelta = timedelta(seconds=5)
    archiving: str = "on"

    def saved(self) -> dict[str, Any]:
        """JSON, from which `of` makes the same in another process."""
        return {
            "scale": self.scale,
            "archiving": self.archiving,
            "archive_timeout": self.archive_timeout.total_seconds(),
        }

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Settings:
        timeout = timedelta(seconds=saved["archive_timeout"])
        return cls(scale=saved["scale"], archiving=saved["archiving"], archive_timeout=timeout)

    def archive_command(self, command: str, *, folder: Path) -> str:
        """A tool's archive_command as this stack wants it."""
        if self.archiving == "off":
            return "true"
        stalled = shlex.quote(str(folder / STALLED)).replace("%", "%%")
        return f"test ! -e {stalled} && {command}"
