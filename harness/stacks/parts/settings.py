"""What may be chosen of a stack, of any kind."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.stacks.parts.hosted_zone import TTL

STALLED = "archiving-stalled"  # file in the stack's folder: while it is there, archiving fails


@dataclass(frozen=True)
class Settings:
    """Whatever differs from its default, but for `scale`, `regions` and `archive_timeout`, is for sabotage twins."""

    scale: float = 1.0  # 1.0: 200,000 transactions
    regions: int = 1
    archive_timeout: timedelta = timedelta(seconds=5)
    archiving: str = "on"  # "off": nothing reaches the archive, and nothing says so
    replication: str = "on"  # "off": no backup is copied to the second region, and nothing says so
    balancers: int = 2  # load balancers at the entrance
    health_checks: str = "ready"  # what a load balancer asks: "ready", or "port" (whether a connection is taken)
    synchronous: str = "on"  # "off": a commit waits for no other zone
    checksums: str = "on"  # "off": a page that has changed on the disk is read as if nothing were wrong
    ready: str = "honest"  # what the API says of being ready: "honest", or "always" (yes, whatever the database does)
    answers: str = "brief"  # for how long what a name stands for may be kept: "brief" (a few seconds), or "an hour"
    monitoring: str = "outside"  # where of two regions it stands: "outside" of both, or "inside" of the first
    alerts: str = "right"  # what an alert names: "right", or "wrong" (a zone that is gone, and its component)

    @property
    def ttl(self) -> timedelta:
        """For how long what a name stands for may be kept."""
        return timedelta(hours=1) if self.answers == "an hour" else TTL

    def saved(self) -> dict[str, Any]:
        """JSON, from which `of` makes the same in another process."""
        return {"settings": {**asdict(self), "archive_timeout": self.archive_timeout.total_seconds()}}

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Settings:
        given = saved["settings"]
        return cls(**{**given, "archive_timeout": timedelta(seconds=given["archive_timeout"])})

    def archive_command(self, command: str, *, folder: Path) -> str:
        """A tool's archive_command as this stack wants it."""
        if self.archiving == "off":
            return "true"
        stalled = shlex.quote(str(folder / STALLED)).replace("%", "%%")
        return f"test ! -e {stalled} && {command}"
