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
ARCHIVED_AFTER = timedelta(seconds=5)


@dataclass(frozen=True)
class Settings:
    """Whatever differs from its default, but for `scale` and `regions`, is for sabotage twins."""

    scale: float = 1.0  # 1.0: 200,000 transactions
    regions: int = 1
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
    def archive_timeout(self) -> timedelta:
        """How long a write may wait before its file is archived. Regions share the processors of one machine, and each
        file is packed, sent and copied to the other region."""
        return ARCHIVED_AFTER * self.regions

    @property
    def ttl(self) -> timedelta:
        """For how long what a name stands for may be kept."""
        return timedelta(hours=1) if self.answers == "an hour" else TTL

    def saved(self) -> dict[str, Any]:
        """JSON, from which `of` makes the same in another process."""
        return {"settings": asdict(self)}

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Settings:
        return cls(**saved["settings"])

    def archive_command(self, command: str, *, folder: Path) -> str:
        """A tool's archive_command as this stack wants it."""
        if self.archiving == "off":
            return "true"
        stalled = shlex.quote(str(folder / STALLED)).replace("%", "%%")
        return f"test ! -e {stalled} && {command}"
