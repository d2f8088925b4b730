"""The notebook made wrong on purpose: its drill must not come out green."""

from __future__ import annotations

from harness.checks import Outcome
from harness.run.sabotage import Sabotage, Twin

MISSED = frozenset({Outcome.MISSED})
DIES = "The service dies"

TWINS = {
    "service-recovery": (
        Twin("acknowledges-before-it-is-on-the-disk", DIES, Sabotage(stack={"keeps": "late"}), "no-loss", MISSED,
             "notes are acknowledged up to two seconds before they reach the disk, and die with the service"),
        Twin("keeps-nothing", DIES, Sabotage(stack={"keeps": "nothing"}), "no-loss", MISSED,
             "the service answers 200 and stores nothing"),
    ),
}  # fmt: skip  # a table
