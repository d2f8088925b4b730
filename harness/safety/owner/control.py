"""Names of files in a run's control folder by which the harness and the guardian tell each other of the conditions."""

from __future__ import annotations

from pathlib import Path

from harness.evidence.run_folder import CONTROL

BEGUN = "ask-conditions.json"  # left by the harness while the platform can be asked
STATE, CHANGES = "conditions.json", "conditions.jsonl"


def wanted(folder: Path) -> bool:
    """Whether the harness says that the platform can be asked."""
    return (folder / CONTROL / BEGUN).exists()
