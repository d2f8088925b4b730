"""Restores beside, with nothing but Python and what docs/journal.md says: `python recompute_restores.py PACK`.

It imports nothing of the project. For each scenario and each database that was restored: `MET`, `MISSED` or `UNKNOWN`
of each finding, and the figures of restore time and of age, in seconds. A line of another form: `UNKNOWN`.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

Facts = dict[str, Any]
S = 1_000_000_000
MET, MISSED, UNKNOWN = "MET", "MISSED", "UNKNOWN"
NAMES = {
    "log": ["what the tools said", "what the server said"],
    "pages": ["the checksum of every page", "amcheck of *", "rows and index entries of *"],
    "structure": [
        "databases", "owners and grantees that are gone", "tables of *", "invalid indexes, in *",
        "constraints that were never validated, in *", "materialised views that are not filled, in *",
        "pieces of large objects that belong to none, in *", "sequences of *", "extensions of *",
    ],
    "rows": [],
}  # fmt: skip  # a `*` at the end: once for each database
AWAY = ("unreachable", "no route to host", "network is down")


class Open(Exception):
    """Nobody can say."""


class Restore:
    """Of one database."""

    def __init__(self, lines: list[Facts], first: Facts, name: str) -> None:
        self.lines, self.first, self.name = lines, first, name
        self.scenario = lines[0]["data"]["scenario"]
        asked = [line for line in lines if line["kind"] == "restore.asked" and name in line["data"]["databases"]]
        if len(asked) != 1 or asked[0]["data"]["databases"].count(name) != 1:
            raise Open("asked for several times")
        self.asked = asked[0]
        self.own = [line for line in lines if line["kind"][:8] == "restore." and line["data"].get("database") == name]

    def all(self, what: str, **where: str) -> list[Facts]:
        found = [line for line in self.own if line["kind"] == f"restore.{what}"]
        if any(line["seq"] < self.asked["seq"] for line in found[:1]):
            raise Open("before it was asked for")
        return [line for line in found if all(line["data"].get(key) == value for key, value in where.items())]

    def one(self, what: str, **where: str) -> Facts | None:
        found = self.all(what, **where)
        if len(found) > 1:
            raise Open(f"{what} is there {len(found)} times")
        return found[0] if found else None

    def needed(self, what: str, **where: str) -> Facts:
        found = self.one(what, **where)
        if found is None:
            raise Open(f"no {what}")
        return found

    def limit(self, finding: str) -> float | None:
        said = [line["data"] for line in self.lines if line["kind"] == "expect"]
        limit: float | None = next(each.get("limit") for each in said if each["finding"] == finding)
        return limit

    @property
    def outcome(self) -> str:
        end = self.one("end")
        return str(end["data"]["outcome"]) if end else ""

    @property
    def backup(self) -> Facts:
        catalogue = self.needed("catalogue")["data"]
        found = [each for each in catalogue["backups"] if each["id"] == catalogue["chosen"]]
        if len(found) != 1:
            raise Open("not one backup")
        return dict(found[0])


def seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        raise Open(f"{value!r} is no length")
    return float(value)


def day(text: Any) -> float:
    """A time of day, in seconds."""
    if not isinstance(text, str):
        raise Open("no time")
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def held(low: float, high: float, limit: float | None) -> str:
    if limit is None:
        return UNKNOWN
    return MISSED if low > limit else MET if high <= limit else UNKNOWN


def restore_time(it: Restore) -> Facts:
    end, parts, limit = it.one("end"), it.all("part"), it.limit("restore-time")
    lengths = [seconds(line["data"]["seconds"]) for line in parts]
    names = {str(line["data"]["part"]) for line in parts}
    if end is None:
        begun = [line["mono"] - length * S for line, length in zip(parts[:1], lengths[:1], strict=True)]
        begun += [line["mono"] for line in it.all("place")[:1]]
        return at_least(max(0.0, (observed(it.lines) - min(begun)) / S), limit)
    if it.outcome == "cut short":
        return at_least(seconds(end["data"]["seconds"]), limit)
    took = seconds(end["data"]["seconds"])
    passed = (end["mono"] - it.asked["mono"]) / S
    if not names <= {"fetch", "restore", "replay", "verify"} or it.outcome not in ("restored", "failed"):
        raise Open("no restore")
    if took > passed + 1 or (it.outcome == "restored" and sum(lengths) > took + 1):
        raise Open("lengths that contradict each other")
    if it.outcome == "failed":
        return {"outcome": MISSED}
    found = MET if limit is None else held(took, took, limit)
    if found == MET and ("verify" not in names or len(names) == 1):
        found = UNKNOWN
    return {"outcome": found, "low": took, "figure": took, "high": took}


def at_least(low: float, limit: float | None) -> Facts:
    return {"outcome": MISSED if limit is not None and low > limit else UNKNOWN, "low": low}


def observed(lines: list[Facts]) -> int:
    kinds = [line["kind"] for line in lines]
    ends = [kinds.index(kind) for kind in ("stopped", "scenario.end", "run.end", "resumed", "torn") if kind in kinds]
    cut = min(ends or [len(kinds)])
    last = lines[: cut + 1] if cut < len(kinds) and kinds[cut] in ("stopped", "scenario.end") else lines[:cut]
    return max(int(line["mono"]) for line in last)


def identity(it: Restore) -> str:
    data, asked = it.needed("catalogue")["data"], it.asked["data"]
    every, taken = data["backups"], data["chosen"] or ""
    if not isinstance(every, list) or not all(isinstance(each, dict) and each["id"] for each in every):
        raise Open("no list")
    ids = [each["id"] for each in every]
    if ids.count(taken) > 1:
        raise Open("two of one id")
    looks = [line["data"] for line in it.all("look", about="identity")]
    wrong = [not every, any(each["ok"] is False for each in looks), bool(taken) and taken not in ids]
    wrong.append(not taken and asked["which"] == "named" and asked["named"] not in ids)
    chosen = every[ids.index(taken)] if taken in ids else {}
    of, expected = chosen.get("system") or "", data.get("system_expected") or ""
    wrong += [bool(chosen.get("sound")), bool(of and expected) and of != expected]
    brought = (it.one("brought") or {"data": {}})["data"] if chosen else {}
    same_thing = brought.get("digest_of") and str(chosen.get("digest_of") or "").startswith(brought["digest_of"])
    wrong.append(bool(same_thing and chosen.get("digest")) and brought["digest"] != chosen["digest"])
    if any(wrong) or (taken and taken not in wanted(it, every, ids)):
        return MISSED
    if not taken:
        return UNKNOWN
    names = {"its database"} if chosen["form"] == "dump" else {"whose it is", "when it was taken"}
    own = [each for each in looks if expected or not of or of not in str(each["expected"])]
    whole = names <= {each["name"] for each in looks} and all(each["ok"] is True for each in looks)
    return MET if own and whole else UNKNOWN


def wanted(it: Restore, every: list[Facts], ids: list[str]) -> list[str]:
    """Any of these may have been taken."""
    which = it.asked["data"]["which"]
    if which == "newest":
        ended = [day(each["ended"]) for each in every]
        return [id for id, at in zip(ids, ended, strict=True) if at == max(ended)]
    if which == "named":
        if it.asked["data"]["named"] not in ids:
            raise Open("no such backup")
        return [it.asked["data"]["named"]]
    if which == "drawn" and it.first.get("nonce"):
        text = f"{it.first['nonce']} {it.scenario} {it.name}"
        return [ids[int(hashlib.sha256(text.encode()).hexdigest(), 16) % len(ids)]]
    raise Open("nobody says which")


def age(it: Restore) -> Facts:
    backup, catalogue = it.backup, it.needed("catalogue")
    if it.outcome != "restored" or it.asked["data"]["point"] not in ("", "the end of the archive"):
        raise Open("not restored as far as it goes")
    reached, beat = it.one("reached"), it.one("heartbeat")
    if reached is None and backup["form"] != "dump":
        raise Open("not looked at")
    if reached and (reached["data"]["ordered"] != {} or not isinstance(reached["data"]["ended_early"], bool)):
        raise Open("a point")
    if beat:
        stamped, ages = beat, by_heartbeat(beat)
    elif backup["form"] == "dump":
        stamped, ages = catalogue, by_dump(catalogue, backup)
    else:
        assert reached is not None
        stamped, ages = reached, by_archive(it, catalogue, reached, backup)
    ahead, apart = clock(it.lines, stamped)
    low, figure, high = (each + ahead for each in ages)
    if high + apart < 0:
        raise Open("in the future")
    low, figure, high = max(low - apart, 0.0), max(figure, 0.0), high + apart
    return {"outcome": held(low, high, it.limit("backup-age")), "low": low, "figure": figure, "high": high}


def by_heartbeat(beat: Facts) -> tuple[float, float, float]:
    data = beat["data"]
    behind = day(data["now"]) - day(data["at"])
    if not seconds(data["rows"]) or seconds(data["missing"]) or abs(behind - float(data["behind"])) > 1:
        raise Open("a heartbeat that says nothing")
    if day(data["now"]) > day(beat["utc"]) + 1:
        raise Open("later than its line")
    return behind - seconds(data["every"]), behind, behind


def by_dump(catalogue: Facts, backup: Facts) -> tuple[float, float, float]:
    begins = [day(each.get("began") or each["ended"]) for each in catalogue["data"]["backups"]]
    now, own = day(catalogue["utc"]), day(backup.get("began") or backup["ended"])
    return min(now - max(begins), now - own), now - own, now - own


def by_archive(it: Restore, catalogue: Facts, reached: Facts, backup: Facts) -> tuple[float, float, float]:
    at = day(reached["data"]["at"] or backup["ended"])
    looked = reached["data"].get("looked")
    if looked and day(looked) > day(reached["utc"]) + 1:
        raise Open("later than its line")
    brought = [line for line in it.all("part") if line["data"]["part"] in ("fetch", "restore")]
    first = day(looked or catalogue["utc"])
    late = day(looked or (brought or [reached])[-1]["utc"])
    return first - at, late - at, late - at


def clock(lines: list[Facts], stamped: Facts) -> tuple[float, float]:
    name = stamped["data"].get("clock") or "database"
    said = [line["data"] for line in lines if line["kind"] == "clock" and line["seq"] < stamped["seq"]]
    own = [each for each in said if each["clock"] == name]
    return (float(own[-1]["offset"]), float(own[-1]["uncertainty"])) if own else (0.0, 5.0)


def seen(it: Restore, about: str, names: list[str] | None = None) -> str:
    """MISSED where a look is not ok, UNKNOWN where one is left out or says nothing, or the restore did not end well."""
    looks = [line["data"] for line in it.all("look", about=about)]
    if any(each["ok"] is False for each in looks):
        return MISSED
    figures = [each["data"]["figure"] for each in it.all("look", about="structure", name="databases")]
    many = round(seconds(figures[0])) if figures else 1
    for name in NAMES[about] if names is None else names:
        there = sum(each["name"].startswith(name.rstrip("*")) for each in looks)
        if there < (many if name.endswith("*") else 1):
            return UNKNOWN
    return MET if looks and all(each["ok"] is True for each in looks) and it.outcome == "restored" else UNKNOWN


def rows(it: Restore) -> str:
    looks = [line["data"] for line in it.all("look", about="rows")]
    good = [each for each in looks if each["ok"] is True]
    if any(beyond(each) for each in good):
        return MISSED
    found = seen(it, "rows")
    return UNKNOWN if found == MET and not all(each["expected"] for each in good) else found


def beyond(look: Facts) -> bool:
    try:
        value = Decimal(look["seen"])
    except (InvalidOperation, TypeError):
        return False
    for word, bound in re.findall(r"(exactly|at least|at most) (-?[0-9.]+(?:[eE][+-]?[0-9]+)?)", look["expected"]):
        edge = Decimal(bound)
        if (value < edge and word != "at most") or (value > edge and word != "at least"):
            return True
    return False


def point(it: Restore) -> str:
    data = it.needed("reached")["data"]
    ordered, stopped = data["ordered"], data["stopped_before"]
    if data["ended_early"] is True or (it.asked["data"]["point"] not in ("", "the end of the archive") and not ordered):
        return MISSED
    if not isinstance(ordered, dict) or not isinstance(stopped, dict):
        return UNKNOWN
    if target := ordered.get("time"):
        if data["at"] and day(data["at"]) > day(target):
            return MISSED
        if stopped.get("time") and day(stopped["time"]) < day(target):
            return MISSED
    if ordered.get("lsn") and position(data["lsn"]) < position(ordered["lsn"]):
        return MISSED
    sides = ["what came before ", "what came after "] if ordered else ["the archive was replayed to its end"]
    found = seen(it, "point", sides)
    return UNKNOWN if found == MET and data["ended_early"] is not False else found


def position(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def original(it: Restore) -> str:
    places = [line["data"] for line in it.all("place")]
    looks = [each["data"]["ok"] for about in ("place", "original") for each in it.all("look", about=about)]
    tries = [str(each["became"]).lower() for place in places for each in place.get("tries") or []]
    before, after = it.one("inventory", moment="before"), it.one("inventory", moment="after")
    wrong = [
        any(place.get("empty") is False or place.get("conninfo_left") for place in places),
        any(place.get("archive_mode") not in (None, "", "off") for place in places),
        any("taken" in each or "refused" in each for each in tries), False in looks,
    ]  # fmt: skip  # a list
    changed = list((after["data"]["changed"] or []) if after else [])
    kept = bool(before and after and before["data"]["read_only"] and after["data"]["read_only"])
    if any(wrong) or (before and not kept and changed):
        return MISSED
    came = list((after["data"].get("came") or []) if after else [])
    said = {name: value for place in places for name, value in place.items()}
    parts = it.all("part")
    good = [
        said.get("empty") is True, said.get("archive_mode") == "off", isinstance(said.get("conninfo_left"), list),
        bool(places) and all(place.get("isolation", "?") for place in places) and bool(said.get("isolation")),
        bool(tries) and all(any(words in each for words in AWAY) for one in tries for each in one.split(";")),
        before is not None and after is not None and all(ok is True for ok in looks),
    ]  # fmt: skip  # a list
    if not all(good) or before is None or after is None:
        return UNKNOWN
    if parts and not before["seq"] < parts[0]["seq"] <= parts[-1]["seq"] < after["seq"]:
        return UNKNOWN
    if not before["data"]["digest"] or not after["data"]["digest"]:
        return UNKNOWN
    same = all(before["data"][name] == after["data"][name] for name in ("digest", "files", "bytes"))
    return MET if same != bool(changed or came) else UNKNOWN


def removed(it: Restore) -> str:
    data = it.needed("end")["data"]
    if not it.all("place"):
        return UNKNOWN
    if data["left"]:
        return MISSED
    if data["removed"] is True:
        return MET
    return MISSED if data["removed"] is False and not data["kept"] else UNKNOWN


FINDINGS: dict[str, Callable[[Restore], str | Facts]] = {
    "restore-time": restore_time,
    "backup-identity": identity,
    "backup-age": age,
    "restore-complete": lambda it: MISSED if it.outcome == "failed" else seen(it, "log"),
    "pages-sound": lambda it: seen(it, "pages"),
    "structure-sound": lambda it: seen(it, "structure"),
    "rows-proved": rows,
    "point-in-time": point,
    "original-untouched": original,
    "place-removed": removed,
}


def of_scenario(lines: list[Facts], first: Facts) -> Iterator[tuple[str, Facts]]:
    asked = [line["data"]["databases"] for line in lines if line["kind"] == "restore.asked"]
    expected = [line["data"]["finding"] for line in lines if line["kind"] == "expect"]
    for name in dict.fromkeys(name for names in asked for name in names):
        found: Facts = {}
        for finding in [each for each in FINDINGS if each in expected]:
            try:
                said = FINDINGS[finding](Restore(lines, first, name))
            except (Open, AttributeError, LookupError, TypeError, ValueError, ArithmeticError):
                said = UNKNOWN
            found[finding] = said if isinstance(said, dict) else {"outcome": said}
        yield name, found


def recompute(pack: Path) -> dict[str, dict[str, Facts]]:
    """Scenario to database to finding."""
    journal = [json.loads(text) for text in (pack / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    found: dict[str, list[Facts]] = {}
    current: list[Facts] = []
    for line in journal:
        if line["kind"] == "scenario.begin":
            current = found.setdefault(line["data"]["scenario"], [])
        current.append(line)
    return {name: dict(of_scenario(lines, journal[0]["data"])) for name, lines in found.items()}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python recompute_restores.py PACK")
    print(json.dumps(recompute(Path(sys.argv[1])), indent=1))
