"""Was the damage in the backup store found before anything was restored from it?"""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation

TITLE = "Damaged backups were found before anything was restored"
LOOKS = ("choose-a-backup", "check-the-archive")


def damage_found(evidence: Evidence, expected: Expectation) -> Finding:
    """Each damaged object must be named by a check of the procedure that ended before the restore began.

    By its key in the store, or by the name that its keepers have for it, which the order of the fault tells (`names`).
    """
    undone = [line.data.get("undo", {}) for line in evidence.all("fault.intent")]
    damaged = [key for undo in undone for key in undo.get("versions", {})]
    names = {key: name for undo in undone for key, name in (undo.get("names") or {}).items()}
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
    missed = [key for key in damaged if key not in said and (names.get(key) or key) not in said]
    if missed:
        return expected.finding_of(evidence, TITLE, Outcome.MISSED, f"not named by any check: {', '.join(missed)}")
    told = ", ".join(PurePosixPath(key).name for key in damaged)
    return expected.finding_of(evidence, TITLE, Outcome.MET, f"named before the restore began: {told}")
