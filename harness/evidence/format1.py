"""The reader of journals of format 1: what a line of that time says, in the kinds and keys of format 2.

What every line says of itself since, and no line did then, stands here, too: the rules of what had to agree before and
after a disaster, and what the values that they are about were called. There was one platform at that time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Data = dict[str, Any]
MARK = "format"  # in the data of a line of which that must be known; no line of format 2 has it


def translate(kind: str, data: Data) -> tuple[str, Data]:
    """Kind and data as format 2 has them."""
    name, change = _LINES.get(kind, (kind, _same))
    return name, change(data)


def _same(data: Data) -> Data:
    return data


def is_of(data: Data) -> bool:
    """Whether a line was translated, where the reader marks that."""
    return data.get(MARK) == 1


# What must agree before and after

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

WORDS = {
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


def reconciliation(data: Data) -> Data:
    """A line `figures` as `reconciliation`."""
    values, size = data.get("figures"), {}
    if isinstance(values, dict):
        size = {"transactions": values.get("history.count")}
        values = {GREATEST if name == "ids" else name: value for name, value in values.items()}
    return {"moment": data.get("moment"), "values": values, "size": size, MARK: 1}


def label(name: str) -> str:
    """A value in words: `history.count` is `transactions up to the last check: number`."""
    return ": ".join(WORDS.get(part, part.replace("_", " ")) for part in name.split("."))


# What a zone's own API says of itself


def endpoints(data: Data) -> Data:
    """`health` and `ready` were statuses of two paths, which had to be 200 and 503; a line without them stays so."""
    if not {"health", "ready"} <= data.keys():
        return data
    answers = [
        {"path": path, "wanted": wanted, "status": data[name]}
        for name, path, wanted in (("health", "/health", 200), ("ready", "/ready", 503))
    ]
    return {"zone": data.get("zone"), "asked": data.get("asked"), "answers": answers}


_LINES: Mapping[str, tuple[str, Callable[[Data], Data]]] = {
    "figures": ("reconciliation", reconciliation),
    "endpoints": ("endpoints", endpoints),
}
