"""What became of announced scenarios, as version 2 of the rules has it: by name, each once, and by its beginning."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks import Finding, Outcome
from harness.checks.announced import TITLE, first_line, not_begun
from harness.checks.evidence import Evidence, Line


def announced(lines: Sequence[Line], begun: Sequence[Evidence]) -> list[Finding]:
    """UNKNOWN for each that never began."""
    names = {evidence.scenario for evidence in begun}
    return [
        Finding("scenario", name, TITLE, Outcome.UNKNOWN, not_begun(lines))
        for name in first_line(lines).get("scenarios") or ()
        if name not in names
    ]
