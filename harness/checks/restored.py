"""What was recorded of each database that was restored beside: the lines `restore.…`, of one database each.

A scenario asks once, and each database is judged by itself: the findings of all have one id, and the database's name is
in the title and stands beside. Strict: what could not be looked at, or was not, is UNKNOWN, and what is wrong MISSED.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line, Unsound

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
TITLES = {
    "restore-time": "How long restoring took",
    "backup-identity": "The right backup was taken",
    "backup-age": "What a disaster now would lose",
    "restore-complete": "Nothing was skipped in restoring",
    "pages-sound": "Every page is sound",
    "structure-sound": "The structure is whole",
    "rows-proved": "The rows are as expected",
    "point-in-time": "Recovered to the point, and no further",
    "original-untouched": "The original was left untouched",
    "place-removed": "The place was removed",
}  # of findings that are asked of each database, by their ids
DATABASE = "database"  # of the pair beside a finding that says of which
END_OF_ARCHIVE = "the end of the archive"
RESTORED, FAILED, CUT_SHORT = "restored", "failed", "cut short"  # outcomes of a restore; and `NOT_EXERCISED`
ONCE = ("restore.catalogue", "restore.brought", "restore.reached", "restore.heartbeat", "restore.end")

Judged = tuple[Outcome, str] | tuple[Outcome, str, dict[str, Any]]  # the outcome, why, and what else the finding has


@dataclass(frozen=True)
class Restore:
    """The lines about one database, and what was asked."""

    evidence: Evidence
    asked: Line
    name: str
    lines: Sequence[Line]

    def one(self, what: str) -> Line | None:
        """The line `restore.<what>`. Errors: `Unsound` where there are several, or it comes before what was asked."""
        found = self.all(what)
        if len(found) > 1 and f"restore.{what}" in ONCE:
            raise Unsound(f"restore.{what} is recorded {len(found)} times")
        return found[0] if found else None

    def all(self, what: str) -> list[Line]:
        found = [line for line in self.lines if line.kind == f"restore.{what}"]
        if found and found[0].seq < self.asked.seq:
            raise Unsound(f"restore.{what} is recorded before any restore was asked for")
        return found

    @property
    def place(self) -> dict[str, Any] | None:
        """What was said of its place, before and after; None where nothing was. Errors: `Unsound` as `one`."""
        found = self.all("place")
        moments = [line.data.get("moment") for line in found]
        if len(set(moments)) < len(moments):
            raise Unsound("restore.place is recorded several times for one moment")
        isolation = [line.data["isolation"] for line in found if "isolation" in line.data]
        said = {name: value for line in found for name, value in line.data.items()}
        return {**said, "isolation": isolation[-1] if isolation and all(isolation) else ""} if found else None

    @property
    def parts(self) -> dict[str, float]:
        """Seconds by the name of the part, in the order in which they came."""
        found: dict[str, float] = {}
        for line in self.all("part"):
            name = text(line.data["part"])
            found[name] = found.get(name, 0.0) + number(line.data["seconds"], "length of a part")
        return found

    @property
    def chosen(self) -> dict[str, Any] | None:
        """The backup that was taken, as the catalogue has it; None where none was, or it is not in it."""
        catalogue = self.one("catalogue")
        if catalogue is None or not catalogue.data.get("chosen"):
            return None
        alike = [each for each in backups(catalogue) if each["id"] == catalogue.data["chosen"]]
        if len(alike) > 1:
            raise Unsound(f"the catalogue has {len(alike)} backups with the id {catalogue.data['chosen']}")
        return alike[0] if alike else None

    def why_not(self) -> str:
        """Why there may be nothing to look at: the restore failed, was not exercised, or has no end.

        Why it failed is told once, by the finding about its time, where that is asked for.
        """
        end = self.one("end")
        if end is None:
            return self.evidence.stopped() or "the restore has no end in the journal"
        if end.data.get("outcome") == RESTORED:
            return ""
        said = "the restore failed" if end.data.get("outcome") == FAILED else str(end.data.get("outcome"))
        expected = {(line.data.get("finding"), line.data.get("database")) for line in self.evidence.all("expect")}
        if end.data.get("outcome") == FAILED and expected & {("restore-time", None), ("restore-time", self.name)}:
            return said
        return f"{said}: {end.data.get('why') or 'no reason recorded'}"

    def open(self, what: str) -> Judged:
        """UNKNOWN, for that was not looked at."""
        why = self.why_not()
        return UNKNOWN, f"{what} ({why})" if why else what


def per_database(id: str, judge: Callable[[Restore, Expectation], Judged]) -> Callable[..., Finding]:
    """A check that is asked of one database. Asked of none, it is UNKNOWN: nothing was restored."""

    def check(evidence: Evidence, expected: Expectation) -> Finding:
        title, more = TITLES[id], {}
        try:
            if not expected.database:
                outcome, why = UNKNOWN, evidence.stopped() or "no restore was asked for"
            else:
                restore = of(evidence, expected.database)
                outcome, why, *rest = judge(restore, expected)
                more = rest[0] if rest else {}
        except Unsound as error:
            outcome, why = UNKNOWN, str(error)
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
            outcome, why = UNKNOWN, f"the journal is not as it must be: {type(error).__name__} {error}"
        return of_database(expected.finding_of(evidence, title, outcome, why, **more), expected.database)

    check.__name__, check.__doc__ = id.replace("-", "_"), judge.__doc__
    return check


def of_database(found: Finding, database: str) -> Finding:
    """The finding with the database in its title and beside it; as it is where there is none."""
    if not database:
        return found
    return replace(
        found,
        title=f"{TITLES.get(found.id, found.title)}: {database}",
        beside=((DATABASE, database), *found.beside),
    )


def one_each(evidence: Evidence, expected: Iterable[Expectation]) -> list[Expectation]:
    """What is asked of each database, once for each that a restore was asked of; all else as it is."""
    names = databases(evidence)
    found: list[Expectation] = []
    for each in expected:
        every = each.finding in TITLES and not each.database
        found += [replace(each, database=name) for name in names] if every and names else [each]
    return found


def databases(evidence: Evidence) -> list[str]:
    """Those that restores were asked of, each once, in their order."""
    listed = (line.data.get("databases") for line in evidence.all("restore.asked"))
    return list(dict.fromkeys(str(name) for names in listed if isinstance(names, list) for name in names))


def is_beside(evidence: Evidence) -> bool:
    """Whether the scenario only restores beside: nothing is hurt, and there are no customers."""
    asked = any(str(line.data.get("finding")) in TITLES for line in evidence.all("expect"))
    others = ("fault.intent", "workload.begin")
    return (asked or bool(evidence.all("restore.asked"))) and not any(evidence.all(kind) for kind in others)


def of(evidence: Evidence, database: str) -> Restore:
    """What was recorded of a database. Errors: `Unsound` where no restore of it was asked for, or several were."""
    asked = [line for line in evidence.all("restore.asked") if database in (line.data.get("databases") or ())]
    if len(asked) != 1 or asked[0].data["databases"].count(database) > 1:
        raise Unsound("several restores of it were asked for" if asked else "no restore of it was asked for")
    own = [
        line for line in evidence.lines if line.kind.startswith("restore.") and line.data.get("database") == database
    ]
    return Restore(evidence, asked[0], database, own)


def backups(catalogue: Line) -> list[dict[str, Any]]:
    """Those that the catalogue lists, oldest first as it must be. Errors: `Unsound` where it is no list of backups."""
    listed = catalogue.data.get("backups")
    if not isinstance(listed, list) or not all(isinstance(each, dict) and each.get("id") for each in listed):
        raise Unsound("the catalogue is no list of backups")
    return listed


def number(value: object, what: str) -> float:
    """Errors: `Unsound` where it is none, or less than 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise Unsound(f"{value!r} is no {what}")
    return float(value)


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def listed(words: Iterable[object], *, most: int = 8) -> str:
    """The first so many, and how many more there are."""
    every = [str(word) for word in words]
    more = f", and {len(every) - most} more" if len(every) > most else ""
    return "; ".join(every[:most]) + more
