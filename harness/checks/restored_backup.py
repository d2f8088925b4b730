"""Which backup was taken, and how old what it gives back is: by the catalogue of its tool, never by a file's own time.

`newest` is the last that ended, whatever the catalogue has against it: a newest backup that is no good is a finding,
and no reason to take an older one in silence. `drawn` is drawn by the nonce of the run, so that whoever gave it can
draw again. The age of what is given back is that of the last transaction, or of the last row of a heartbeat.
"""

from __future__ import annotations

import hashlib
from typing import Any

from harness.checks.announced import first_line
from harness.checks.clocks import clock_of
from harness.checks.evidence import SECOND, Expectation, Line, Unsound, against, seconds
from harness.checks.restored import (
    END_OF_ARCHIVE,
    MET,
    MISSED,
    RESTORED,
    UNKNOWN,
    Judged,
    Restore,
    backups,
    listed,
    number,
    per_database,
    text,
)
from harness.checks.stamps import clock_was_set, since_epoch, utc_of

Ages = tuple[float, float, float]  # in seconds: at least, as measured, at most
CLOCKS = 5.0  # seconds that the clock of the original may be ahead or behind, where nobody says how far it is
NEEDED = {"files": ("whose it is", "when it was taken"), "dump": ("its database",)}  # looks that have to be there
NEWEST, NAMED, DRAWN = "newest", "named", "drawn"


def drawn(nonce: str, scenario: str, database: str, many: int) -> int:
    """Which of so many backups, in the order of the catalogue, the nonce draws; counted from 0."""
    digest = hashlib.sha256(f"{nonce} {scenario} {database}".encode()).hexdigest()
    return int(digest, 16) % many


def _identity(restore: Restore, expected: Expectation) -> Judged:
    """It exists, it was chosen as asked, the catalogue has nothing against it, and it is of the system that it must be
    of."""
    catalogue = restore.one("catalogue")
    if catalogue is None:
        return restore.open("no catalogue was read")
    every, chosen = backups(catalogue), restore.chosen
    if not every:
        return MISSED, "the catalogue is empty: there is no backup to restore from"
    looks = [line for line in restore.all("look") if line.data.get("about") == "identity"]
    wrong = [f"{line.data['name']}: {line.data.get('seen')}" for line in looks if line.data.get("ok") is False]
    if chosen is not None:
        if against_it := text(chosen.get("sound")):
            wrong.append(f"the catalogue has against {chosen['id']}: {against_it}")
        wrong += [*_of_another(catalogue, chosen), *_spoilt(restore, chosen)]
    try:
        wrong = [*_badly_chosen(restore, catalogue, every), *wrong]
    except Unsound:
        if not wrong:
            raise
    beside = _known(chosen) if chosen is not None else ()
    if wrong:
        return MISSED, listed(wrong), {"beside": beside}
    if chosen is None:
        return restore.open("no backup was taken")
    if why := _open(catalogue, chosen, looks):
        return *restore.open(why)[:2], {"beside": beside}
    proved = listed(f"{line.data['name']}: {line.data.get('seen')}" for line in looks)
    return MET, f"{chosen['id']}, {_how(restore, every, chosen)}; {proved}", {"beside": beside}


def _badly_chosen(restore: Restore, catalogue: Line, every: list[dict[str, Any]]) -> list[str]:
    """Where it is not the one that was asked for."""
    which, taken = restore.asked.data.get("which"), str(catalogue.data.get("chosen") or "")
    if not taken:
        if which == NAMED and restore.asked.data.get("named") not in {each["id"] for each in every}:
            return [f"there is no backup {restore.asked.data.get('named')} among {len(every)}"]
        return []
    if taken not in {each["id"] for each in every}:
        return [f"{taken} was taken, which the catalogue does not have"]
    wanted = _wanted(restore, every)
    if taken == wanted["id"]:
        return []
    against_it = text(wanted.get("sound"))
    why = f", which the catalogue calls bad ({against_it})" if against_it else ""
    return [f"{taken} was taken, and not {wanted['id']}, the one {_asked(restore)}{why}"]


def _asked(restore: Restore) -> str:
    which = restore.asked.data.get("which")
    return {NEWEST: "that ended last", NAMED: "that was named"}.get(str(which), "that the nonce draws")


def _wanted(restore: Restore, every: list[dict[str, Any]]) -> dict[str, Any]:
    """Errors: `Unsound` where that cannot be told."""
    which = restore.asked.data.get("which")
    if which == NEWEST:
        if timeless := [text(each["id"]) for each in every if not isinstance(each["ended"], str)]:
            raise Unsound(f"which one is the newest cannot be told: {listed(timeless)} does not say when it was made")
        ended = [_moment(each["ended"], f"backup {each['id']}") for each in every]
        newest = [each for each, at in zip(every, ended, strict=True) if at == max(ended)]
        taken = restore.chosen
        return taken if taken in newest and taken is not None else newest[-1]
    if which == NAMED:
        found = next((each for each in every if each["id"] == restore.asked.data.get("named")), None)
        if found is None:
            raise Unsound(f"there is no backup {restore.asked.data.get('named')} among {len(every)}")
        return found
    if which == DRAWN:
        nonce = first_line(restore.evidence.run).get("nonce")
        if not nonce:
            raise Unsound("the first line has no nonce by which a backup could be drawn")
        return every[drawn(str(nonce), restore.evidence.scenario, restore.name, len(every))]
    raise Unsound(f"{which!r} says of no backup that it was asked for")


def _how(restore: Restore, every: list[dict[str, Any]], chosen: dict[str, Any]) -> str:
    which, many = restore.asked.data.get("which"), len(every)
    if which == DRAWN:
        by = "the auditor's" if first_line(restore.evidence.run).get("nonce_by") == "auditor" else "the harness's own"
        return f"number {every.index(chosen) + 1} of {many}, drawn by {by} nonce"
    return f"{'the newest' if which == NEWEST else 'the one named'} of {many}"


def _of_another(catalogue: Line, chosen: dict[str, Any]) -> list[str]:
    wanted, has = text(catalogue.data.get("system_expected")), text(chosen.get("system"))
    return [f"it is of the system {has}, and not of {wanted}"] if wanted and has and has != wanted else []


def _spoilt(restore: Restore, chosen: dict[str, Any]) -> list[str]:
    """Where what was brought is not what the catalogue has, and both say of the same what its digest is."""
    brought, known = restore.one("brought"), text(chosen.get("digest"))
    of = text(brought.data.get("digest_of")) if brought else ""
    if brought is None or not known or not of or not text(chosen.get("digest_of")).startswith(of):
        return []
    got = text(brought.data.get("digest"))
    return [f"what was brought has the digest {got}, and the catalogue says {known}"] if got != known else []


def _open(catalogue: Line, chosen: dict[str, Any], looks: list[Line]) -> str:
    """Why nothing can be said although nothing is wrong; empty where it can.

    That what was restored is what the catalogue says shows nothing of whose it is, where nobody says whose it must be.
    """
    if unknown := [line for line in looks if line.data.get("ok") is not True]:
        return listed(f"{line.data['name']}: {line.data.get('seen')}" for line in unknown)
    wanted, has = text(catalogue.data.get("system_expected")), text(chosen.get("system"))
    if not looks:
        return "nobody looked whose data was restored"
    names = [line.data.get("name") for line in looks]
    if left := [name for name in NEEDED["dump" if chosen.get("form") == "dump" else "files"] if name not in names]:
        return f"left out: {', '.join(left)}"
    told = [line for line in looks if wanted or not has or has not in str(line.data.get("expected"))]
    return "" if told else f"it is of the system {has}, and the stack file does not say of which it must be (`system`)"


def _known(chosen: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a reader must see of the backup."""
    named = {"id": "backup", "began": "began", "ended": "ended", "version": "of PostgreSQL", "kind": "kind",
             "size": "bytes once restored", "stored": "bytes stored", "digest": "digest"}  # fmt: skip  # a table
    return tuple((words, str(chosen[name])) for name, words in named.items() if chosen.get(name) not in (None, ""))


def _age(restore: Restore, expected: Expectation) -> Judged:
    """What was written in so many seconds would be lost."""
    if why := clock_was_set(restore.evidence):
        raise Unsound(why)
    catalogue, chosen, beat = restore.one("catalogue"), restore.chosen, restore.one("heartbeat")
    if catalogue is None or chosen is None:
        return restore.open("no backup was taken")
    if why := _not_to_its_end(restore, chosen):
        return restore.open(why)
    if beat is not None:
        return _by_heartbeat(restore, beat, expected)
    if chosen.get("form") == "dump":
        return _by_dump(restore, catalogue, chosen, expected)
    return _by_archive(restore, catalogue, chosen, expected)


def _not_to_its_end(restore: Restore, chosen: dict[str, Any]) -> str:
    """Why what it would give back was not seen; empty where it was."""
    end, reached = restore.one("end"), restore.one("reached")
    if end is None or end.data.get("outcome") != RESTORED:
        return "what it would give back was not seen"
    if reached is None:
        return "" if chosen.get("form") == "dump" else "nobody looked how far it was recovered"
    ordered = reached.data.get("ordered")
    if not isinstance(ordered, dict) or not isinstance(reached.data.get("ended_early"), bool):
        raise Unsound("it is not said how far recovery was to go, and whether it ended early")
    return "it was recovered to a point, and not as far as it goes" if ordered or _point_asked(restore) else ""


def _point_asked(restore: Restore) -> bool:
    return text(restore.asked.data.get("point")) not in ("", END_OF_ARCHIVE)


def _by_heartbeat(restore: Restore, beat: Line, expected: Expectation) -> Judged:
    """The last row was written so long before the archive was looked at, and the next would have been soon after it."""
    if not number(beat.data["rows"], "number of rows"):
        return UNKNOWN, "the heartbeat has no row"
    if missing := number(beat.data["missing"], "number of rows"):
        return UNKNOWN, f"{missing:.0f} numbers of the heartbeat before its last row are not there"
    at, now = _moment(beat.data["at"], "the heartbeat"), _moment(beat.data["now"], "the heartbeat")
    _not_later(now, utc_of(beat), "the archive was looked at")
    behind, every = seconds(now - at), number(beat.data["every"], "length")
    if abs(behind - float(beat.data["behind"])) > 1.0:
        raise Unsound(f"the heartbeat is said to be {beat.data['behind']} s behind, and its times {behind:.1f} s")
    said = f"the last row of the heartbeat was {behind:.1f} s old, by its number {beat.data['number']}"
    said += _stopped(restore, at, every)
    return _bar(restore, beat, (behind - every, behind, behind), expected, said)


def _stopped(restore: Restore, at: int, every: float) -> str:
    """Whether a later transaction was restored than the heartbeat's last: then its job has ended, and nothing is lost
    by that."""
    reached = restore.one("reached")
    last = text(reached.data.get("at")) if reached else ""
    if not last or seconds(_moment(last, "what was reached") - at) <= 2 * every + CLOCKS:
        return ""
    return (
        f"; a transaction of {last} was restored, so the heartbeat's job has stopped, and less than that would be lost"
    )


def _by_dump(restore: Restore, catalogue: Line, chosen: dict[str, Any], expected: Expectation) -> Judged:
    """A dump holds what was there when it began. Of an older one than the newest, what is proved is its own age."""
    begins = [_moment(each.get("began") or each["ended"], f"backup {each['id']}") for each in backups(catalogue)]
    own = _moment(chosen.get("began") or chosen["ended"], f"backup {chosen['id']}")
    now = utc_of(catalogue)
    age, least = seconds(now - own), seconds(now - max(begins))
    said = f"by the catalogue, the dump {chosen['id']} was begun {age:.1f} s before"
    said += f", and the newest, which nobody restored, {least:.1f} s" if least < age else ""
    return _bar(restore, catalogue, (min(age, least), age, age), expected, said)


def _by_archive(restore: Restore, catalogue: Line, chosen: dict[str, Any], expected: Expectation) -> Judged:
    """The last transaction that was replayed, before the archive was read: from when the catalogue was, up to when all
    had been fetched, unless `looked` says when."""
    reached = restore.one("reached")
    assert reached is not None  # _age has seen it
    last = text(reached.data.get("at"))
    at = _moment(last or chosen["ended"], "what was reached")
    if looked := text(reached.data.get("looked")):
        first = late = _moment(looked, "what was reached")
        _not_later(late, utc_of(reached), "the archive was looked at")
    else:
        fetched = [line for line in restore.all("part") if line.data.get("part") in ("fetch", "restore")]
        first, late = utc_of(catalogue), utc_of(fetched[-1] if fetched else reached)
    low, high = seconds(first - at), seconds(late - at)
    what = "the last transaction replayed" if last else "the end of the backup, after which no transaction was replayed"
    ends = text(reached.data.get("archive_end"))
    said = f"by catalogue and archive, {what} was {max(high, 0):.1f} s old when the archive had been read"
    said += f", which ends with {ends}" if ends else ""
    return _bar(restore, reached, (low, high, high), expected, said)


def _bar(restore: Restore, stamped: Line, ages: Ages, expected: Expectation, said: str) -> Judged:
    """With what the clock of the original is ahead, and how exactly that is known.

    Errors: `Unsound` where it is of the future, by more than clocks are apart.
    """
    named = stamped if stamped.data.get("clock") else stamped._replace(data={**stamped.data, "clock": "database"})
    clock = clock_of(restore.evidence, named)
    ahead, apart = (seconds(clock.offset), seconds(clock.uncertainty)) if clock else (0.0, CLOCKS)
    low, figure, high = (age + ahead for age in ages)
    if high + apart < 0:
        raise Unsound(f"it is {-figure:.1f} s in the future: the clocks do not agree")
    low, figure, high = max(low - apart, 0.0), max(figure, 0.0), high + apart
    said += "; there is no objective to hold it against" if expected.limit is None else ""
    return against(low, high, expected.limit), said, {"figure": figure, "low": low, "high": high}


def _not_later(at: int, than: int, what: str) -> None:
    """Errors: `Unsound` where a moment lies after the line that tells of it."""
    if at > than + SECOND:
        raise Unsound(f"{what} {seconds(at - than):.1f} s after it was written down")


def _moment(value: object, where: str) -> int:
    if not isinstance(value, str):
        raise Unsound(f"{where} has no time")
    return since_epoch(value, where)


backup_identity = per_database("backup-identity", _identity)
backup_age = per_database("backup-age", _age)
