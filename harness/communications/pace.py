"""How fast the clock of an incident goes: an exercise may let an hour of the plan pass in a minute.

Only what the plan counts is compressed: what a service wants, such as its `Retry-After`, is real time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from harness.errors import Refused


@dataclass(frozen=True)
class Pace:
    """`ratio`: how many seconds of the incident pass in a real one. It stands in every line that it touches."""

    ratio: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.ratio) or self.ratio < 1:
            raise Refused(f"a pace of {self.ratio} is none", hint="1 is real time; a larger number is that much faster")

    def real(self, planned: timedelta) -> timedelta:
        """How long a length of the plan takes here."""
        return planned / self.ratio

    def planned(self, real: timedelta) -> timedelta:
        """How much of the incident has passed in a real length."""
        return real * self.ratio


REAL_TIME = Pace()
