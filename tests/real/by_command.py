"""drdrill by its command line, as people call it: what it says, how it ends, and what it found of each database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[2]
DRILL = "backup-restoration"
NEWEST = "The newest backup of each database can be restored"
WITHIN = 1200  # seconds: no verdict comes from it


@dataclass(frozen=True)
class Ended:
    exit: int
    said: str


def drdrill(*words: str | Path, cwd: Path, **env: str) -> Ended:
    """Run it to its end."""
    called = {**os.environ, "PYTHONPATH": str(HOME), "COLUMNS": "120", **env}
    done = subprocess.run(
        [sys.executable, "-m", "harness", *map(str, words)], capture_output=True, text=True, check=False, cwd=cwd,
        env=called, timeout=WITHIN, stdin=subprocess.DEVNULL,
    )  # fmt: skip  # arguments in groups
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout + done.stderr)


@dataclass(frozen=True)
class Verdict:
    """How a run ended, its pack, and its findings by database and id."""

    ended: Ended
    pack: Path
    findings: dict[str, dict[str, dict[str, Any]]]

    def outcomes(self, database: str) -> dict[str, str]:
        return {id: str(each["outcome"]) for id, each in self.findings[database].items()}

    def not_met(self, database: str) -> dict[str, str]:
        return {id: said for id, said in self.outcomes(database).items() if said != "MET"}


def run_drill(folder: Path, *words: str, stack: str = "stack.yaml", **env: str) -> Verdict:
    """A run of the drill in the folder of a project."""
    before = set(packs(folder))
    ended = drdrill("run", DRILL, "--stack", stack, *words, cwd=folder, **env)
    new = [pack for pack in packs(folder) if pack not in before]
    assert len(new) == 1, ended.said
    return Verdict(ended, new[0], by_database(new[0]))


def packs(folder: Path) -> list[Path]:
    return sorted(path.parent for path in (folder / "evidence").glob("*/findings.json"))


def by_database(pack: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Of several scenarios the one that is not MET; advisory findings are left out."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for each in json.loads((pack / "findings.json").read_text())["findings"]:
        name = dict(each["beside"]).get("database")
        if name and not each["advisory"]:
            known = found.setdefault(name, {})
            if known.get(each["id"], {"outcome": "MET"})["outcome"] == "MET":
                known[each["id"]] = each
    return found
