"""How far another clock is ahead of the journal's: the monitoring's, which stamps alerts, and the database's.

A line `clock` says so, and how exactly that is known. A stamp that names its clock (`clock` beside it) is taken as
that clock has it: its offset is taken off, and its uncertainty enters whatever is derived from it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from harness.checks.evidence import SECOND, Evidence, Line, Unsound

LONGEST = 1e9  # seconds; what is more, or no number, is no distance of two clocks


class Clock(NamedTuple):
    """Nanoseconds: how far it is ahead, and by how much more or less that may be."""

    offset: int
    uncertainty: int


def clock_of(evidence: Evidence, stamped: Line) -> Clock | None:
    """The clock that a line's stamp is of, as the last `clock` line before it says; None where nobody says.

    Errors: `Unsound` where what is said is no length.
    """
    name = stamped.data.get("clock")
    said = [line for line in evidence.all("clock") if line.data.get("clock") == name and line.seq < stamped.seq]
    if not name or not said:
        return None
    offset, uncertainty = (_length(said[-1].data.get(each)) for each in ("offset", "uncertainty"))
    if offset is None or uncertainty is None or uncertainty < 0:
        raise Unsound(f"line {said[-1].seq + 1} does not say how far the clock of the {name} is from the journal's")
    return Clock(round(offset * SECOND), math.ceil(uncertainty * SECOND))


def _length(value: object) -> float | None:
    """Seconds; None where it is no length."""
    sound = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LONGEST
    return float(value) if sound and isinstance(value, int | float) else None
