"""The notebook made wrong on purpose: its drill must not come out green."""

from __future__ import annotations

from harness.checks import Outcome
from harness.run.sabotage import Sabotage, Twin

MISSED = frozenset({Outcome.MISSED})
UNKNOWN = frozenset({Outcome.UNKNOWN})
DIES = "The service dies"

TWINS = {
    "service-recovery": (
        Twin("acknowledges-before-it-is-on-the-disk", DIES, Sabotage(stack={"keeps": "late"}), "no-loss", MISSED,
             "notes are acknowledged up to two seconds before they reach the disk, and die with the service"),
        Twin("keeps-only-the-first", DIES, Sabotage(stack={"keeps": "first"}), "no-loss", MISSED,
             "the service keeps the first fifty notes of everybody, and answers 200 to all others"),
        Twin("keeps-nothing", DIES, Sabotage(stack={"keeps": "nothing"}), "steady", UNKNOWN,
             "the service says that it is well, answers 200 and stores nothing: it is not steady, and nothing is hurt"),
    ),
}  # fmt: skip  # a table
