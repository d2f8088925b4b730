"""The notebook, the smallest project that is drilled for real, in a folder of its own; and a drill that it lacks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import warm

NOTEBOOK = warm.HOME / "tests" / "projects" / "notebook"


@dataclass(frozen=True)
class Place:
    """A project of its own, and where its packs go."""

    folder: Path

    @property
    def evidence(self) -> Path:
        return self.folder.parent / "evidence"

    def drdrill(self, *words: object) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder.parent), "PYTHONPATH": str(warm.HOME),
            "DRDRILL_KEY": str(self.folder.parent / "key.pem"),
        }  # fmt: skip  # a table
        # from the project's own folder: its `drills` comes before that of the machine
        return warm.drdrill("--project", self.folder, *words, cwd=self.folder, env=environment)


def pack_of(place: Place) -> Path:
    (pack,) = [path for path in place.evidence.iterdir() if path.is_dir()]
    return pack


def journal(pack: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (pack / "journal.jsonl").read_text().splitlines()]


def of_two_scenarios(folder: Path) -> Place:
    """Its drill, with a scenario before its own that its stack cannot run: nobody watches it."""
    shutil.copytree(NOTEBOOK, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (feature,) = folder.glob("features/*/*.feature")
    head, dies, _ = feature.read_text().split("\n\n")
    lacking = dies.replace("Scenario: The service dies", "Scenario: Somebody is told").replace(
        "    When the health", "    And the monitoring notices it\n    When the health"
    )
    feature.write_text("\n\n".join((head, lacking, dies)) + "\n")
    return Place(folder)
