"""What ends with a sealed pack, given what builds its reports: the one place where the two meet.

Below the command line nothing knows of reports: `harness.safety.sealing` is given them.
"""

from __future__ import annotations

from pathlib import Path

from harness.evidence.redact import Redactor
from harness.safety import begin as beginning
from harness.safety import guardian, heal, sealing
from harness.safety.heal import Healed
from harness.safety.owner.consent import Given
from harness.safety.standing import Standing
from harness.stacks.kinds import USUAL, Kind
from reports.build import build


def begin(
    evidence: Path,
    run: str,
    *,
    project: Path,
    kind: Kind = USUAL,
    viewer: int | None = None,
    on: Standing | None = None,
    given: Given = beginning.NOTHING_GIVEN,
) -> tuple[Path, int]:
    """As `harness.safety.begin.begin`, which heals and seals killed runs first."""
    return beginning.begin(evidence, run, project=project, kind=kind, viewer=viewer, on=on, given=given, reports=build)


def heal_run(folder: Path, *, by: str) -> Healed:
    """As `harness.safety.heal.heal_run`."""
    return heal.heal_run(folder, by=by, reports=build)


def finish(folder: Path, *, redactor: Redactor) -> Path:
    """As `harness.safety.sealing.finish`."""
    return sealing.finish(folder, redactor=redactor, reports=build)


def guard(folder: Path, *, viewer: int | None) -> int:
    """As `harness.safety.guardian.watch`."""
    return guardian.watch(folder, viewer=viewer, reports=build)
