"""Sabotage twins: the drills on recoveries that are broken on purpose. `drdrill prove` runs them."""

from __future__ import annotations

from datetime import timedelta

from harness.checks import Outcome
from harness.sabotage import Sabotage, Twin

MISSED = frozenset({Outcome.MISSED})
UNKNOWN = frozenset({Outcome.UNKNOWN})
MISTAKE = "An operator's mistake"
LOST = "All volumes lost"
BEYOND_REPAIR = f"{LOST}, and a WAL segment archived after it is damaged, and no sound version of it is left"

TWINS: dict[str, tuple[Twin, ...]] = {
    "database-backup-restoration": (
        Twin("archiving-off", LOST, Sabotage(stack={"archiving": "off"}), "steady", UNKNOWN,
             "nothing is archived: the stack is not steady, and nothing is hurt"),
        Twin("archiving-stalls", LOST, Sabotage(archive_stalls=True), "exposure", UNKNOWN,
             "the archive falls behind: how far it would have come to is not known"),
        Twin("no-sound-backup", LOST, Sabotage(no_sound_backup=True), "procedure", MISSED,
             "every base backup is damaged for good: nothing can be restored"),
        Twin("a-minute-too-early", MISTAKE, Sabotage(earlier=timedelta(minutes=1)), "exactness", MISSED,
             "the database is restored to a minute before the mistake"),
        Twin("ends-early-and-says-nothing", BEYOND_REPAIR, Sabotage(silent=True), "exactness", MISSED,
             "the archive cannot be replayed to its end, and the recovery does not say so"),
        Twin("never-put-in-service", MISTAKE, Sabotage(without=frozenset({"serve"})), "rto", UNKNOWN,
             "the database is restored and verified, and serves nobody"),
        Twin("salvage-skipped", MISTAKE, Sabotage(without=frozenset({"salvage"})), "salvage", MISSED,
             "what customers wrote after the mistake is dropped"),
        Twin("customers-idle", LOST, Sabotage(idle=True), "loss", UNKNOWN,
             "nobody wrote anything, so nothing can have been lost"),
        Twin("toothless-fault", LOST, Sabotage(toothless=True), "bit", UNKNOWN,
             "the fault does nothing"),
        Twin("verification-skipped", MISTAKE, Sabotage(without=frozenset({"verify"})), "verified", MISSED,
             "the database is put in service without being verified"),
    ),
}  # fmt: skip


def twin(name: str) -> Twin | None:
    """By name, over all drills."""
    return next((twin for twins in TWINS.values() for twin in twins if twin.name == name), None)
