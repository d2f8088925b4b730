"""Was the damage in the backup store found before anything was restored from it?"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation

TITLE = "Damaged backups were found before anything was restored"
SEGMENT = re.compile(r"([0-9A-F]{24})(-[0-9a-f]{40})?", re.ASCII)  # pgBackRest adds a digest to the name
LOOKS = ("choose-a-backup", "check-the-archive")


def damage_found(evidence: Evidence, expected: Expectation) -> Finding:
    """Each damaged object must be named by a check of the procedure that ended before the restore began."""
    damaged = [key for line in evidence.all("fault.intent") for key in line.data.get("undo", {}).get("versions", {})]
    if not damaged:
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, "no object of the store was damaged")
    steps = evidence.all("step.begin") + evidence.all("step.end")
    begin = next(
        (line for line in steps if line.kind == "step.begin" and line.data["name"] == "restore-the-backup"), None
    )
    if begin is None:
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, "nothing was restored")
    said = "".join(
        json.dumps(line.data.get("facts"))
        for line in evidence.all("step.end")
        if line.data["name"] in LOOKS and line.seq < begin.seq
    )
    missed = [key for key in damaged if not any(name in said for name in _names(key))]
    if missed:
        return expected.finding_of(evidence, TITLE, Outcome.MISSED, f"not named by any check: {', '.join(missed)}")
    names = ", ".join(PurePosixPath(key).name for key in damaged)
    return expected.finding_of(evidence, TITLE, Outcome.MET, f"named before the restore began: {names}")


def _names(key: str) -> list[str]:
    """How a check may name an object: by its key, or a WAL segment by its own name, as PostgreSQL does."""
    stem = PurePosixPath(key).name.partition(".")[0]
    segment = SEGMENT.fullmatch(stem)
    return [key, segment.group(1)] if segment else [key]
