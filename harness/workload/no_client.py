"""A project without customers: it has drills in which nobody writes, such as those of backups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import DrillError, Refused
from harness.workload.client import HINT, Client, Secrets, no_secret


@dataclass(frozen=True)
class NoClient:
    """Fills `ClientSource`. `file`: the project's, which names none."""

    file: Path
    name = ""
    secrets = ()
    rate = None

    @property
    def folder(self) -> Path:
        return self.file.parent

    def load(self, secrets: Secrets = no_secret) -> Client:
        """Errors: `Refused`, always."""
        raise Refused(f"{self.file}: names no client, so nobody can write", hint=f"write client: client.yaml; {HINT}")

    def told(self, error: Exception) -> DrillError | None:
        """Nothing breaks in it."""
        return None
