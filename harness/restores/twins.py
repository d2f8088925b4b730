"""The sabotage twins of a restore beside: `drdrill prove backup-restoration` shows that its proof can fail."""

from __future__ import annotations

from collections.abc import Mapping

from harness.checks import Outcome
from harness.run.sabotage import Sabotage, Twin

MISSED, UNKNOWN = frozenset({Outcome.MISSED}), frozenset({Outcome.UNKNOWN})
NOT_MET = MISSED | UNKNOWN
NEWEST = "The newest backup of each database can be restored"
DRILL = "backup-restoration"


def _twin(way: str, finding: str, outcomes: frozenset[Outcome], why: str) -> Twin:
    return Twin(way.lower().replace(" ", "-"), NEWEST, Sabotage(restore=way), finding, outcomes, why)


OF_FILES = (
    _twin("another system", "backup-identity", MISSED, "the backup is of another system, under the right name"),
    _twin("no WAL", "restore-time", MISSED, "the base is there, and what was written while it was made is not"),
)
OF_ALL = (
    _twin("byte in a table", "pages-sound", MISSED, "a byte is flipped in the largest table"),
    _twin("byte in an index", "pages-sound", MISSED, "a byte is flipped in the largest index"),
    _twin("emptied", "structure-sound", MISSED, "the backup is valid, and has no table in it"),
    _twin("rows gone", "rows-proved", MISSED, "all tables are there, and empty"),
    _twin("role missing", "structure-sound", MISSED, "a role that has to be there is not"),
    _twin("extension missing", "structure-sound", MISSED, "an extension that has to be there is not"),
    _twin("nothing expected", "rows-proved", UNKNOWN, "no check says what the rows have to be"),
    _twin("way out", "original-untouched", NOT_MET, "the restored database can reach other machines"),
    _twin("left behind", "place-removed", MISSED, "its place is not removed"),
)
OF_SEVERAL = (_twin("oldest for newest", "backup-identity", MISSED, "the oldest backup is restored as the newest"),)
OF_SEQUENCES = (_twin("sequences behind", "structure-sound", MISSED, "sequences are behind the ids they gave"),)
TWINS: Mapping[str, tuple[Twin, ...]] = {DRILL: (*OF_FILES, *OF_ALL, *OF_SEVERAL, *OF_SEQUENCES)}
