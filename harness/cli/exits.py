"""The exit code of a verdict."""

from __future__ import annotations

from harness.checks import Outcome
from harness.errors import Exit

EXITS = {Outcome.MET: Exit.MET, Outcome.MISSED: Exit.MISSED, Outcome.UNKNOWN: Exit.UNKNOWN}
