"""The one reader of journals of format 1: what their lines say, in the words of format 2. They are read for good.

Where a fault's proof ended a stretch in which it took effect, that stretch was from its order to its proof; and a fault
that was healed was so between the last look at it and the healing's own line.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

Data = dict[str, Any]

VERSION = 1
SEGMENT_SIZE = 16 << 20  # bytes: PostgreSQL's default, which the names of segments are read with
_SEGMENT = re.compile(r"[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})", re.ASCII)
_STORED = re.compile(r"([0-9A-F]{24})(-[0-9a-f]{40})?", re.ASCII)  # pgBackRest adds a digest to the name
_KINDS = {
    "fault.bit": "fault.effective",
    "fault.held": "fault.still_active",
    "watched": "alert.awaited",
    "no_room": "disk.full",
    "figures": "reconciliation",
}
STREAM = "main"  # the one series that there was
_OF_THE_FIRST_LINE = {"rung": "sandbox", "machine": "host", "parts": "packages"}
WORDS = {"position": "place in the WAL", "history": "timeline", "histories": "timelines"}  # the one database's own
_UNKNOWN = "unknown"  # the commit of code that lay in no repository


class Format1:
    """Translates the lines of one journal, in their order. What a damaged line lacks stays lacking."""

    def __init__(self) -> None:
        self._orders: list[tuple[object, object]] = []  # of this scenario's faults: which, and when in `mono`
        self._looked: dict[object, object] = {}  # by injection: when it was last asked whether it was still active

    def line(self, fields: Data) -> Data:
        """The same line; one of another format, or that is no fact, is left as it is."""
        kind, data = fields.get("kind"), fields.get("data")
        if fields.get("v") != VERSION or not isinstance(kind, str) or not isinstance(data, dict):
            return fields
        return {**fields, "kind": _KINDS.get(kind, kind), "data": self._data(kind, dict(data), fields.get("mono"))}

    def _data(self, kind: str, data: Data, mono: object) -> Data:
        if kind == "run.begin":
            return begin(data)
        if kind == "scenario.begin":
            self._orders, self._looked = [], {}
        elif kind.startswith("fault."):
            self._fault(kind, data, mono)
        elif kind in _TRANSLATED:
            _TRANSLATED[kind](data)
        return data

    def _fault(self, kind: str, data: Data, mono: object) -> None:
        if kind == "fault.intent":
            self._orders.append((data.get("fault"), mono))
            data["injection"] = len(self._orders)
            _renamed(data, "lives", "ttl")
            named = data.pop("hurts", None)
            data["affects"] = [affected(str(each)) for each in named] if isinstance(named, list) else []
            _damaged(data.get("undo"))
            return
        alike = [number for number, (fault, _) in enumerate(self._orders, 1) if fault == data.get("fault")]
        if alike:
            data["injection"] = alike[-1]
        number = data.get("injection")
        if kind == "fault.bit":
            data["earliest"], data["latest"] = self._orders[alike[-1] - 1][1] if alike else mono, mono
        elif kind == "fault.held":
            self._looked[number] = mono
        elif kind == "fault.healed":
            data["earliest"], data["latest"] = self._looked.get(number, mono), mono


def begin(data: Data) -> Data:
    """The data of `run.begin`. In format 1 one digest and one commit were of machine and project together."""
    found = {_OF_THE_FIRST_LINE.get(name, name): value for name, value in data.items()}
    commit, clean = found.pop("commit", None), found.pop("clean", None)
    known = commit not in (None, _UNKNOWN)
    digests, packages = found.get("digests"), found.get("packages")
    if isinstance(digests, dict):
        found["digests"] = {name: value for name, value in digests.items() if name != "code"}
    if isinstance(packages, dict):
        found["packages"] = {name: value for name, value in packages.items() if name != "drdrill"}
    harness = {
        "version": packages.get("drdrill") if isinstance(packages, dict) else None,
        "digest": digests.get("code") if isinstance(digests, dict) else None,
        "commit": commit if known else None,
        "clean": clean if known else None,
    }
    new = {
        "stream": STREAM,
        "harness": harness,
        "project": None,
        "rehearsal": False,
        "clock": {"name": "machine", "compression": 1},
    }
    return new | found


def affected(name: str) -> Data:
    """What an alert has to name: `zone a`, or a component by its name."""
    word, _, zone = name.partition(" ")
    return {"zone": zone} if word == "zone" and zone else {"component": name}


def position(value: object) -> object:
    """A place in the WAL, or the end of a segment by its name, in bytes; what is neither stays as it is."""
    text = str(value or "")
    if segment := _SEGMENT.fullmatch(text):
        return (int(segment[1], 16) << 32) + (int(segment[2], 16) + 1) * SEGMENT_SIZE
    high, slash, low = text.partition("/")
    try:
        return (int(high, 16) << 32) + int(low, 16) if slash else value
    except ValueError:
        return value


def _damaged(undo: object) -> None:
    """Where objects of the store were damaged: what the archive calls each that is a segment."""
    versions = undo.get("versions") if isinstance(undo, dict) else None
    if isinstance(undo, dict) and isinstance(versions, dict):
        stems = {key: PurePosixPath(key).name.partition(".")[0] for key in versions}
        undo["names"] = {key: found[1] for key, stem in stems.items() if (found := _STORED.fullmatch(stem))}


def _renamed(data: Data, old: str, new: str) -> None:
    if old in data:
        data[new] = data.pop(old)


def _sample(data: Data) -> None:
    data["position"] = position(data.pop("lsn", None))
    data["safe"] = position(data.pop("archived", None) or "0/0")
    data["of"] = "archive"


def _ordered(data: Data) -> None:
    data["position"] = position(data.get("value"))


def _reached(data: Data) -> None:
    _renamed(data, "lsn", "at")
    _renamed(data, "timeline", "history")
    data["position"] = position(data.get("at"))


def _leadership(data: Data) -> None:
    _renamed(data, "timeline", "history")


def _backup(data: Data) -> None:
    data["begin"] = position(data.pop("begin_lsn", None))


def _workload(data: Data) -> None:
    """Which file is whose is told by its name, as it was then."""
    names, inside, files = data.pop("zones", None), data.pop("inside", None), data.pop("files", None)
    if not isinstance(names, list):
        return
    within = {str(each) for each in inside} if isinstance(inside, list) else set()
    by_end = {str(file).rpartition("ledger-")[2]: file for file in files} if isinstance(files, list) else {}
    data["groups"] = [
        {"group": name, "inside": str(name) in within, "file": by_end.get(f"{name}.jsonl")} for name in names
    ]


def _stack(data: Data) -> None:
    if isinstance(data.get("zones"), list):
        data["regions"] = [{"region": None, "zones": data.pop("zones")}]
    _renamed(data, "parts", "packages")


def _ready(data: Data) -> None:
    """What the stack was like was not said: there was one, and its parts had these names."""
    zones = data.get("zones")
    logs = {f"patroni-{zone}": [f"postgresql-{zone}"] for zone in zones} if isinstance(zones, list) else {}
    _stack(data)
    packages = data.get("packages")
    store = packages.get("moto") if isinstance(packages, dict) else None
    told = f"the object store (moto: {store}) is Moto, an emulator of the S3 protocol: a simulated store"
    data |= {"words": WORDS, "logs": logs, "simulated": [told] if store else []}


# What had to agree before and after a disaster: no line said it, for there was one platform.

GREATEST = "the greatest id in use"

RECONCILIATION_RULES: list[Data] = [
    {"rule": "equal", "values": "history.*"},
    {"rule": "zero", "values": "invariant.*"},
    {"rule": "equal", "values": "balances.sum"},
    {"rule": "not_behind", "values": "sequences", "than": GREATEST},
    {"rule": "equal", "values": "extensions"},
    {"rule": "equal", "values": "roles"},
    {"rule": "same_names", "values": "tables"},
    {"rule": "zero", "values": "checksum_failures", "required": False},
    {"rule": "equal", "values": "accounts.count", "required": False},
]

_WORDS = {
    "history": "transactions up to the last check",
    "count": "number",
    "sum": "sum of amounts",
    "latest": "time of the latest",
    "digest": "digest of every row",
    "count_24h": "number in the last 24 h",
    "sum_24h": "sum of amounts in the last 24 h",
    "invariant": "must be 0",
    "broken_accounts": "accounts whose balance is not what their transactions say",
    "checksum_failures": "pages with a wrong checksum",
    "last_id": "last id in use",
    "sequences": "sequence",
    "tables": "activity since the statistics began",
    GREATEST: "ids",
}


def label(name: str) -> str:
    """A value in words: `history.count` is `transactions up to the last check: number`."""
    return ": ".join(_WORDS.get(part, part.replace("_", " ")) for part in name.split("."))


def reconciliation(data: Data) -> None:
    """Of a line `figures`."""
    values = data.pop("figures", None)
    if isinstance(values, dict):
        data["size"] = {"transactions": values.get("history.count")}
        values = {GREATEST if name == "ids" else name: value for name, value in values.items()}
    data["values"] = values


def endpoints(data: Data) -> None:
    """`health` and `ready` were statuses of two paths, which had to be 200 and 503."""
    if {"health", "ready"} <= data.keys():
        health, ready = data.pop("health"), data.pop("ready")
        data["answers"] = [
            {"path": "/health", "wanted": 200, "status": health},
            {"path": "/ready", "wanted": 503, "status": ready},
        ]


_TRANSLATED = {
    "figures": reconciliation,
    "endpoints": endpoints,
    "exposure.sample": _sample,
    "recovery.ordered": _ordered,
    "recovery.reached": _reached,
    "leadership": _leadership,
    "backup": _backup,
    "workload.begin": _workload,
    "stack.begin": _stack,
    "stack.ready": _ready,
}
