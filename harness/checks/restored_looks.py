"""What was seen in the restored database: nothing left out, sound pages and structure, rows, and the point reached.

A look is `ok`, or not; or nobody could look, or nothing says what is right: that is UNKNOWN. Looks have names, and
those that `NEEDED` lists have to be there: one that is left out is no proof.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from harness.checks.evidence import Expectation, Line, Unsound
from harness.checks.restored import (
    END_OF_ARCHIVE,
    FAILED,
    MET,
    MISSED,
    UNKNOWN,
    Judged,
    Restore,
    listed,
    number,
    per_database,
    text,
)
from harness.checks.stamps import since_epoch

NEEDED: Mapping[str, Sequence[str]] = {
    "log": ("what the tools said", "what the server said"),
    "pages": ("the checksum of every page", "amcheck of ", "rows and index entries of "),
    "structure": (
        "databases", "owners and grantees that are gone", "tables of ", "invalid indexes, in ",
        "constraints that were never validated, in ", "materialised views that are not filled, in ",
        "pieces of large objects that belong to none, in ", "sequences of ", "extensions of ",
    ),
    "rows": (),
    "point": ("what came before ", "what came after "),
    "end": ("the archive was replayed to its end",),
}  # fmt: skip  # how the names of looks begin that have to be there; with `of` or `in` at the end, of each database
ALL = "databases"  # the look that says, by its figure, how many databases there are
BOUND = re.compile(r"(exactly|at least|at most) (-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")


def _complete(restore: Restore, expected: Expectation) -> Judged:
    """In the words of the tools and of the server: nothing was skipped, ignored or wrong, however well they ended."""
    end = restore.one("end")
    if end is not None and end.data.get("outcome") == FAILED:
        return MISSED, f"it could not be restored: {end.data.get('why') or 'no reason recorded'}"
    return _looked(restore, "log", "nobody read what the tools and the server said")


def _pages(restore: Restore, expected: Expectation) -> Judged:
    """By their checksums, and each index against its table."""
    return _looked(restore, "pages", "nobody looked at the pages")


def _structure(restore: Restore, expected: Expectation) -> Judged:
    """Tables, indexes, constraints, sequences ahead of their ids, roles and grants, and what else there is."""
    return _looked(restore, "structure", "nobody looked at the structure")


def _rows(restore: Restore, expected: Expectation) -> Judged:
    """Each figure within what was expected of it before. A question that expects nothing proves nothing."""
    looks = _about(restore, "rows")
    if not looks:
        expects = "nothing is expected of the rows, neither by the project nor by the stack file"
        return restore.open("nobody looked at the rows" if restore.why_not() else expects)
    beyond = [each for each in looks if each.data.get("ok") is True and _out_of_bounds(each)]
    if beyond:
        return MISSED, listed(map(_said, beyond))
    idle = [each for each in looks if each.data.get("ok") is True and not text(each.data.get("expected"))]
    found = _looked(restore, "rows", "")
    if idle and found[0] is not MISSED:
        return UNKNOWN, listed(f"{_said(each)}, and nothing is expected of it" for each in idle)
    return found


def _out_of_bounds(look: Line) -> bool:
    """Whether the number that was seen is none that its own words expect. What is no number says nothing of it."""
    try:
        seen = Decimal(text(look.data.get("seen")))
    except InvalidOperation:
        return False
    holds = {
        "exactly": lambda bound: seen == bound,
        "at least": lambda bound: seen >= bound,
        "at most": lambda bound: seen <= bound,
    }
    return not all(holds[word](Decimal(bound)) for word, bound in BOUND.findall(text(look.data.get("expected"))))


def _point(restore: Restore, expected: Expectation) -> Judged:
    """Both sides: what came last before it is there, and what came first after it is not."""
    reached = restore.one("reached")
    if reached is None:
        return restore.open("nobody looked how far it was recovered")
    to, ordered = reached.data.get("point"), reached.data.get("ordered") or {}
    if why := _wrong_point(restore, reached, ordered):
        return MISSED, why
    needed = NEEDED["point" if ordered else "end"]
    outcome, seen, *_ = _looked(restore, "point", f"nobody looked at both sides of {to}", needed)
    if outcome is not MET:
        return outcome, seen
    if reached.data.get("ended_early") is not False:
        return UNKNOWN, "it is not said whether recovery ended early"
    return MET, f"{to}: {_where(reached)}; {seen}"


def _wrong_point(restore: Restore, reached: Line, ordered: Mapping[str, object]) -> str:
    to, point = reached.data.get("point"), text(restore.asked.data.get("point"))
    if reached.data.get("ended_early") is True:
        return f"recovery ended before {to}: {_where(reached)}, the archive ends with {reached.data.get('archive_end')}"
    if point not in ("", END_OF_ARCHIVE) and not ordered:
        return f"asked for was {point}, and it was recovered to {to}"
    return _beyond(reached, ordered)


def _where(reached: Line) -> str:
    at = text(reached.data.get("at"))
    last = f"the last transaction is of {at}" if at else "no transaction was replayed"
    return f"{last}, at {reached.data.get('lsn')} on timeline {reached.data.get('timeline')}"


def _beyond(reached: Line, ordered: Mapping[str, object]) -> str:
    """Where what was replayed, or what was not, lies on the wrong side of the point; empty where neither does."""
    if not isinstance(ordered, dict) or not isinstance(reached.data.get("stopped_before") or {}, dict):
        raise Unsound("it is not said to which point recovery was ordered")
    at, stopped = text(reached.data.get("at")), reached.data.get("stopped_before") or {}
    if time := text(ordered.get("time")):
        target = since_epoch(time, "the point")
        if at and since_epoch(at, "what was reached") > target:
            return f"the last transaction replayed is of {at}, after {time}"
        if (after := text(stopped.get("time"))) and since_epoch(after, "what was left") < target:
            return f"a transaction of {after} was not replayed any more, before {time}"
    if (lsn := text(ordered.get("lsn"))) and (here := text(reached.data.get("lsn"))) and _lsn(here) < _lsn(lsn):
        return f"it was recovered to {here}, before {lsn}"
    return ""


def _lsn(value: str) -> int:
    high, _, low = value.partition("/")
    try:
        return (int(high, 16) << 32) + int(low, 16)
    except ValueError:
        raise Unsound(f"{value!r} is no position") from None


def _about(restore: Restore, about: str) -> list[Line]:
    return [line for line in restore.all("look") if line.data.get("about") == about]


def _looked(restore: Restore, about: str, nobody: str, needed: Sequence[str] | None = None) -> Judged:
    """MISSED where a look is not `ok`, UNKNOWN where one that has to be there is not, or says nothing."""
    looks = _about(restore, about)
    wrong = [each for each in looks if each.data.get("ok") is False]
    if wrong:
        return MISSED, listed(map(_said, wrong))
    if not looks:
        return restore.open(nobody)
    if left := _left_out(restore, looks, NEEDED[about] if needed is None else needed):
        return restore.open(f"left out: {', '.join(left)}")
    if unknown := [each for each in looks if each.data.get("ok") is not True]:
        return UNKNOWN, listed(map(_said, unknown))
    if why := restore.why_not():
        return UNKNOWN, f"{listed(map(_said, looks))} ({why})"
    return MET, listed(map(_said, looks))


def _left_out(restore: Restore, looks: Sequence[Line], needed: Sequence[str]) -> list[str]:
    names = [text(each.data.get("name")) for each in looks]
    figures = [each.data.get("figure") for each in _about(restore, "structure") if each.data.get("name") == ALL]
    each_of = round(number(figures[0], "number of databases")) if figures else 1
    left = []
    for name in needed:
        many = sum(one.startswith(name) for one in names)
        if many < (each_of if name.endswith((" of ", " in ")) else 1):
            left.append(name.strip(" ,"))
    return left


def _said(look: Line) -> str:
    """Of rows with what was expected of them, where something was."""
    expected = text(look.data.get("expected")) if look.data.get("about") == "rows" else ""
    return f"{look.data['name']}: {look.data.get('seen')}" + (f" (expected: {expected})" if expected else "")


restore_complete = per_database("restore-complete", _complete)
pages_sound = per_database("pages-sound", _pages)
structure_sound = per_database("structure-sound", _structure)
rows_proved = per_database("rows-proved", _rows)
point_in_time = per_database("point-in-time", _point)
