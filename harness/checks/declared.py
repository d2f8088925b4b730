"""Whether it was declared, before the run, that the platform cannot run a scenario: then the verdict leaves it out.

Asked only of a scenario that was not begun because its stack lacks what it takes (`harness.checks.ready`). What counts
is the line in the journal, and that its time was not over when it was written.
"""

from __future__ import annotations

from datetime import datetime

from harness.checks.announced import first_line
from harness.checks.evidence import Evidence, Line

SAID = ("who", "why", "until")  # without each of these it declares nothing


def declared(evidence: Evidence) -> str:
    """Who has declared it, until when and why, in words; empty where nobody has, or where it held no more."""
    environment = first_line(evidence.run).get("environment")
    for line in evidence.all("declared"):
        ours = line.data.get("scenario") == evidence.scenario
        here = line.data.get("environment") in ("", environment)
        if ours and here and all(line.data.get(name) for name in SAID) and _holds(line):
            return f"declared until {line.data['until']} by {line.data['who']}: {line.data['why']}"
    return ""


def nobody(evidence: Evidence) -> str:
    """What older rules know of it."""
    return ""


def _holds(line: Line) -> bool:
    try:
        return datetime.fromisoformat(line.utc) < datetime.fromisoformat(str(line.data.get("ends")))
    except (ValueError, TypeError):  # no moment, or one without its zone
        return False
