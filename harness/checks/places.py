"""What the journal says of regions and of looks at them, and the ledgers of who answered: for checks of either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.checks.evidence import Evidence, Line, Unsound, disaster, seconds
from harness.checks.steps import begun
from harness.workload.ledger import Request

FENCE, REPLAY, PROMOTE, READY, SWITCH = (
    "fence-the-lost-region", "wait-until-all-is-replayed", "promote-the-second-region", "see-every-service-ready",
    "switch-the-names",
)  # fmt: skip  # a list
HAND_BACK = "promote-the-first-region"
BY_NAME = "entrance"  # how customers come in whom a name leads
LONGEST_GAP = 10.0  # seconds without a look; behind a longer one a second writer could have come and gone
Look = tuple[int, int, bool | None]


def servers_of(evidence: Evidence, region: str) -> frozenset[str]:
    """The addresses of its database servers, by which answers name them; empty where nothing says them."""
    return frozenset(address for each in regions_of(evidence, region) for address in each.get("servers") or {})


def answered_by(evidence: Evidence, servers: frozenset[str]) -> Iterator[Request]:
    """Every acknowledged write, of all groups, that one of these stored."""
    for group in evidence.zones:
        for request in evidence.requests(group):
            if request.outcome == "acknowledged" and request.server in servers:
                yield request


def regions_of(evidence: Evidence, name: str) -> list[dict[str, Any]]:
    return [each for each in evidence.stack.get("regions") or () if each.get("region") == name]


def zones_of(evidence: Evidence, region: str) -> list[str]:
    return [zone for each in regions_of(evidence, region) for zone in each.get("zones") or ()]


def led_by_name(evidence: Evidence, lost: object, *, lie: bool = False) -> list[str]:
    """Groups of customers whom a name leads, and who do not stand in the lost region; those whose resolvers keep what
    they were told for longer than they may, or all others."""
    gone = zones_of(evidence, str(lost))
    return [
        str(group["group"])
        for line in evidence.all("workload.begin")
        for group in line.data.get("groups") or ()
        if group.get("zone") not in gone and group.get("via", BY_NAME) == BY_NAME and bool(group.get("keeps")) == lie
    ]


def first_answer(evidence: Evidence, group: str, servers: frozenset[str], *, since: int) -> int | None:
    """When a group was first answered by one of these, of what was sent from that moment on."""
    ends = (
        request.ended
        for request in evidence.requests(group)
        if request.outcome == "acknowledged" and request.server in servers
        and request.sent is not None and request.sent >= since and request.ended is not None
    )  # fmt: skip  # a condition in groups
    return min(ends, default=None)


def handed_back(evidence: Evidence) -> int:
    """When the lost region began to be handed the lead again; else the last moment at which the drill looked on."""
    begin: Line | None = begun(evidence, HAND_BACK)
    return begin.mono if begin else max(evidence.observed(), disaster(evidence).latest)


def looks_at(evidence: Evidence, region: str) -> list[Look]:
    """In order. Errors: `Unsound` where one cannot have been."""
    found = []
    for line in evidence.all("region.looks"):
        if line.data.get("region") != region:
            continue
        for asked, told, writes in line.data.get("looks") or ():
            if type(asked) is not int or type(told) is not int or not asked <= told <= line.mono:
                raise Unsound(f"line {line.seq + 1} has a look that cannot have been")
            found.append((asked, told, writes))
    return found


def longest_time_between(looks: list[Look], *, since: int, until: int) -> float:
    """From the end of one look to the beginning of the next, and at both ends."""
    ends, begins = [since, *(told for _, told, _ in looks)], [*(asked for asked, _, _ in looks), until]
    return seconds(max(begin - end for end, begin in zip(ends, begins, strict=True)))
