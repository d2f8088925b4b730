"""Whether the original could not be hurt, and was not; and whether the place of the restore is gone."""

from __future__ import annotations

from typing import Any

from harness.checks.evidence import Expectation, Line, Unsound
from harness.checks.restored import MET, MISSED, UNKNOWN, Judged, Restore, listed, per_database, text

REACHED = ("taken", "refused")  # of a try from inside: something answered, with or without letting it in
AWAY = ("unreachable", "no route to host", "network is down")  # and of one that had no way there
ABOUT = ("place", "original")


def _untouched(restore: Restore, expected: Expectation) -> Judged:
    """The repository is as it was before, and the place could neither reach the original nor archive anywhere."""
    place, looks = restore.place, [line for line in restore.all("look") if line.data.get("about") in ABOUT]
    wrong = [words for line in restore.all("place") for words in _place_wrong(line.data)]
    wrong += [*_changed(restore), *_seen(looks, ok=False)]
    if wrong:
        return MISSED, listed(wrong)
    left = [*_place_open(place), *_inventories_open(restore), *_seen(looks, ok=None)]
    if left or place is None:
        return restore.open(listed(left))
    return MET, "; ".join((_as_it_was(restore), _out_of_reach(place)))


def _as_it_was(restore: Restore) -> str:
    before, after = _inventory(restore, "before"), _inventory(restore, "after")
    assert before is not None and after is not None  # _inventories_open has seen both
    kept = text(before.data.get("read_only"))
    many = f"{before.data['files']} files, {before.data['bytes']} bytes"
    if changed := _others(after):
        others = f"was changed by others, for we could not ({kept})" if kept else "got what is new by others"
        return f"the repository ({many}) {others}: {listed(changed)}"
    return f"the repository is as it was ({many}{f'; {kept}' if kept else ''})"


def _out_of_reach(place: dict[str, Any]) -> str:
    tried = ", ".join(f"{each['address']}: {each['became']}" for each in place["tries"])
    return f"archiving is off; the place was empty, and is kept apart: {place['isolation']} (from inside, {tried})"


def _place_wrong(said: dict[str, Any]) -> list[str]:
    wrong = []
    if said.get("empty") is False:
        wrong.append("the place was not empty")
    if said.get("archive_mode") not in (None, "", "off"):
        wrong.append(f"archiving was {said['archive_mode']} in the place")
    wrong += [f"from inside, {each['address']} was {each['became']}" for each in _tries(said) if _reached(each)]
    if said.get("conninfo_left"):
        wrong.append(f"a connection string of the original was left in {', '.join(map(str, said['conninfo_left']))}")
    return wrong


def _place_open(said: dict[str, Any] | None) -> list[str]:
    """What of it nobody looked at."""
    if said is None:
        return ["nobody looked at the place"]
    left = []
    if said.get("empty") is not True:
        left.append("whether the place was empty was not looked at")
    if said.get("archive_mode") != "off":
        left.append("whether archiving was off in the place was not asked")
    if not text(said.get("isolation")):
        left.append("nothing kept the place from everything else")
    if not _tries(said):
        left.append("from inside, nobody tried to reach the original, whose address is not known")
    left += [
        f"that {each['address']} cannot be reached from inside is not shown by: {each.get('became') or 'no word'}"
        for each in _tries(said)
        if not _away(each)
    ]
    if not isinstance(said.get("conninfo_left"), list):
        left.append("nobody looked for a connection string of the original")
    return left


def _tries(said: dict[str, Any]) -> list[dict[str, Any]]:
    return list(said.get("tries") or ())


def _away(tried: dict[str, Any]) -> bool:
    """Of several addresses each: they are apart by a semicolon."""
    became = str(tried.get("became") or "").lower().split(";")
    return all(any(words in each for words in AWAY) for each in became)


def _reached(tried: dict[str, Any]) -> bool:
    return any(word in str(tried.get("became")).lower() for word in REACHED)


def _inventory(restore: Restore, moment: str) -> Line | None:
    """Errors: `Unsound` where there are several."""
    found = [each for each in restore.all("inventory") if each.data.get("moment") == moment]
    if len(found) > 1:
        raise Unsound(f"there are {len(found)} inventories of the repository {moment}")
    return found[0] if found else None


def _changed(restore: Restore) -> list[str]:
    """What of the repository is gone, or another one, where we could have done it. What is new is of others: a restore
    adds nothing, and the place archives nothing."""
    before, after = _inventory(restore, "before"), _inventory(restore, "after")
    if before is None or after is None or _kept(before, after) or not (changed := after.data.get("changed")):
        return []
    return [f"the repository was changed, which nothing kept us from: {listed(changed)}"]


def _others(after: Line) -> list[str]:
    """What is not as it was, and what is new."""
    return [str(each) for name in ("changed", "came") for each in after.data.get(name) or ()]


def _kept(before: Line, after: Line) -> bool:
    """From being written by us: whatever changes then, others did."""
    return bool(text(before.data.get("read_only")) and text(after.data.get("read_only")))


def _inventories_open(restore: Restore) -> list[str]:
    before, after = _inventory(restore, "before"), _inventory(restore, "after")
    missing = [moment for moment, line in (("before", before), ("after", after)) if line is None]
    if missing or before is None or after is None:
        return [f"there is no inventory of the repository {' and '.join(missing)}"]
    parts = restore.all("part")
    if parts and not before.seq < parts[0].seq <= parts[-1].seq < after.seq:
        return ["the inventories of the repository are not from before and after the restore"]
    if not (before.data.get("digest") and after.data.get("digest")):
        return ["an inventory of the repository has no digest"]
    same = all(before.data.get(name) == after.data.get(name) for name in ("digest", "files", "bytes"))
    if same is bool(_others(after)):
        return ["the inventories of the repository and what is said of them contradict each other"]
    return []


def _seen(looks: list[Line], *, ok: bool | None) -> list[str]:
    return [f"{each.data['name']}: {each.data.get('seen')}" for each in looks if _ok(each) is ok]


def _ok(look: Line) -> bool | None:
    said = look.data.get("ok")
    return said if isinstance(said, bool) else None


def _removed(restore: Restore, expected: Expectation) -> Judged:
    """Nothing of it is left. One that was kept on purpose is not removed."""
    end = restore.one("end")
    if end is None:
        return restore.open("nobody saw it removed")
    if restore.place is None:
        return restore.open("no place was made")
    removed, left, kept = end.data.get("removed"), text(end.data.get("left")), end.data.get("kept")
    if kept and removed is not True and not left:
        return UNKNOWN, f"it was kept, as was asked for, and is for somebody to remove: {kept}"
    if removed is not True or left:
        outcome = MISSED if removed is False or left else UNKNOWN
        return outcome, f"it was not removed: {left or 'what is left is not said'}"
    return MET, "nothing of it is left"


original_untouched = per_database("original-untouched", _untouched)
place_removed = per_database("place-removed", _removed)
