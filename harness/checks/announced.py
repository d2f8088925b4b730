"""Every scenario that the first line announces has to begin, once for each time that it is announced, and none besides.

Of one that began without an end its own finding `scenario` tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Line

TITLE = "The scenario ran to its end"


def announced(lines: Sequence[Line], begun: Sequence[Evidence]) -> list[Finding]:
    """UNKNOWN for each announced scenario that never began, and for each that began unannounced."""
    wanted: list[Any] = list(first_line(lines).get("scenarios") or ())
    left = Counter(evidence.scenario for evidence in begun)
    found = []
    for name in wanted:
        if left[name]:
            left[name] -= 1
        else:
            why = not_begun(lines)
            times = wanted.count(name)
            why += f"; it was announced {times} times" if times > 1 else ""
            found.append(Finding("scenario", str(name), TITLE, Outcome.UNKNOWN, why))
    for name in left.elements():
        why = "it began without having been announced in the first line"
        found.append(Finding("scenario", name, TITLE, Outcome.UNKNOWN, why))
    return found


def first_line(lines: Sequence[Line]) -> dict[str, Any]:
    """What `run.begin` says; empty where it is not there."""
    return next((line.data for line in lines if line.kind == "run.begin"), {})


def not_begun(lines: Sequence[Line]) -> str:
    """Why a scenario did not begin, as far as the journal tells."""
    stopped = [line for line in lines if line.kind == "stopped"]
    if stopped:
        return f"never begun: stopped by {stopped[-1].data.get('who')}: {stopped[-1].data.get('why')}"
    ends = [line.data.get("outcome") for line in lines if line.kind == "run.end"]
    return f"never begun: the run was {ends[-1]}" if ends and ends[-1] != "completed" else "never begun"
