"""The table of capabilities and kinds: what can be needed of a stack, its verbs, and which kinds have it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from harness.stacks.as_said import verbs
from harness.stacks.capabilities import CAPABILITIES
from harness.stacks.kinds import KINDS, Kind
from harness.stacks.needs import Copies, Offer, Regions, Zones

YES, NO = "yes", "no"


class Row(NamedTuple):
    """`name` as a drill needs it; `cells` one a kind, in their order."""

    word: str
    name: str
    verbs: tuple[str, ...]
    given_by: str
    cells: tuple[str, ...]


def rows(offers: Sequence[Offer]) -> list[Row]:
    """What this machine or its sandbox cannot do is not looked at: it is about what kinds have."""
    zones = tuple(str(offer.number(Zones)) for offer in offers)
    copies = tuple(str(offer.number(Copies)) for offer in offers)
    regions = tuple(str(offer.number(Regions)) for offer in offers)
    counted = [
        Row("zones", "Zones", (), "a region with so many", zones),
        Row("copies of the database", "Copies", (), "a cluster with so many that follow the leader", copies),
        Row("regions", "Regions", (), "a stack made with so many", regions),
    ]
    return counted + [
        Row(
            line.word,
            line.protocol.__name__,
            tuple(verbs(line.protocol)),
            line.given_by,
            tuple(YES if line.protocol in offer.has else NO for offer in offers),
        )
        for line in CAPABILITIES
    ]


def text(own: Kind | None = None) -> str:
    """For people at a terminal. Errors: `Refused` where the class of an own kind breaks."""
    offers = _offers(own)
    table = [("", *(offer.kind for offer in offers)), *((row.word, *row.cells) for row in rows(offers))]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)


def markdown(own: Kind | None = None) -> str:
    """The same with names and verbs: the table of `docs/stacks.md`."""
    offers = _offers(own)
    head = ("capability", "needed as", "verbs", *(offer.kind for offer in offers))
    body = [
        (row.word, f"`{row.name}`", " ".join(f"`{verb}`" for verb in row.verbs), *row.cells) for row in rows(offers)
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *body))


def as_json(own: Kind | None = None) -> str:
    offers = _offers(own)
    table = []
    for row in rows(offers):
        said = row._asdict()
        kinds = dict(zip((offer.kind for offer in offers), said.pop("cells"), strict=True))
        table.append({**said, "kinds": kinds})
    return json.dumps(table, indent=1)


def _offers(own: Kind | None) -> list[Offer]:
    known = [*KINDS.values(), *([own] if own else [])]
    return [Offer(kind.name, kind.maker.has) for kind in known]
