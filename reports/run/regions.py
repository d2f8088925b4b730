"""Several regions on the axis of an outage: whose database stored what, what resolvers said, who takes writes.

Of a stack of one region there is nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.checks.places import FENCE, HAND_BACK
from harness.errors import Refused
from harness.evidence import files
from harness.workload import ledger
from reports.pack import Facts
from reports.run.customers import LONGEST_RUN, SECOND
from reports.words import number, plain

SAID = {True: ("writes", "takes writes"), False: ("symptom", "takes none"), None: ("unsaid", "does not say")}
LOOKED = tuple(SAID.values())  # for a legend
APART = 3.0  # seconds without an answer end a stretch


@dataclass(frozen=True)
class Stretch:
    """In seconds after zero. `region`: empty where it is none of the stack's."""

    row: str
    region: str
    begin: float
    end: float
    words: str
    style: str = ""  # where it is no region's

    @property
    def label(self) -> str:
        """Before the colon."""
        return self.words.partition(":")[0]


@dataclass(frozen=True)
class Regions:
    names: tuple[str, ...] = ()
    stored: tuple[Stretch, ...] = ()  # a row for each region
    answered: tuple[Stretch, ...] = ()  # a row for each group of customers
    resolved: tuple[Stretch, ...] = ()  # the same
    writable: tuple[Stretch, ...] = ()  # a row for each region that was looked at

    def style(self, region: str) -> str:
        """Its colour; what is none of the stack's is dim."""
        return f"tl{self.names.index(region) % 2}" if region in self.names else "symptom"


NONE = Regions()


@dataclass
class _Answers:
    """Those of one region, in order of their coming in."""

    row: str
    region: str
    at: list[float] = field(default_factory=list)

    def stretches(self) -> Iterator[Stretch]:
        at = sorted(self.at)
        begin, many = 0, len(at)
        for place in range(1, many + 1):
            if place == many or at[place] - at[place - 1] > APART:
                words = f"{self.region}: {number(place - begin)} answers"
                yield Stretch(self.row, self.region, at[begin], at[place - 1], words)
                begin = place


def read(ready: Mapping[str, Any], ledgers: Iterable[Path], facts: Facts, *, zero: int) -> Regions:
    """What is damaged is left out here: who reads the ledgers for all else says so."""
    told = [each for each in ready.get("regions") or () if isinstance(each, dict)]
    names = tuple(plain(each.get("region")) for each in told)
    if len(names) < 2:
        return NONE
    servers = {str(at): plain(each.get("region")) for each in told for at in each.get("servers") or ()}
    entrances = {str(at): plain(each.get("region")) for each in told for at in each.get("entrances") or ()}
    stored = {name: _Answers(name, name) for name in names}
    answered: list[Stretch] = []
    resolved: list[Stretch] = []
    for path in ledgers:
        group = path.stem.removeprefix("ledger-")
        own: dict[str, _Answers] = {}
        for at, server in _answers(path, zero):
            if region := servers.get(server):
                own.setdefault(region, _Answers(group, region)).at.append(at)
                stored[region].at.append(at)
        answered += sorted((each for one in own.values() for each in one.stretches()), key=lambda each: each.begin)
        resolved += _resolved(path, group, entrances, zero)
    looked = tuple(_looks(facts, zero))
    whole = tuple(each for one in stored.values() for each in one.stretches())
    return Regions(names, whole, tuple(answered), tuple(resolved), looked)


def _answers(path: Path, zero: int) -> Iterator[tuple[float, str]]:
    """When each write was acknowledged, and by which server."""
    try:
        for request in ledger.outcomes(files.lines(path), name=path.name, torn=lambda line: None):
            if request.outcome == "acknowledged" and request.ended is not None and request.server:
                at = (request.ended - zero) / SECOND
                if abs(at) <= LONGEST_RUN:
                    yield at, request.server
    except (Refused, OSError):
        return


def _resolved(path: Path, group: str, entrances: Mapping[str, str], zero: int) -> list[Stretch]:
    """From each answer of a resolver that was another one to the next; the last goes to the ledger's last line. Nothing
    of a group that no name leads to a region."""
    said: list[tuple[float, str, str]] = []
    last, by_name = 0.0, False
    try:
        for _, fact in ledger.facts(files.lines(path), name=path.name, torn=lambda line: None):
            t = fact.get("t")
            if type(t) is not int or abs(t - zero) > LONGEST_RUN * SECOND:
                continue
            last = max(last, (t - zero) / SECOND)
            addresses = fact.get("addresses")
            if fact.get("e") == "resolved" and isinstance(addresses, list):
                regions = {entrances.get(str(each), "") for each in addresses}
                region = regions.pop() if len(regions) == 1 else ""
                said.append(((t - zero) / SECOND, region, ", ".join(map(plain, addresses)) or "nothing"))
                by_name = by_name or bool(region) or not entrances
    except (Refused, OSError):
        pass
    if not said or not by_name:
        return []
    ends = [at for at, _, _ in said[1:]] + [last]
    return [
        Stretch(group, region, begin, max(begin, end), f"{region}: {words}" if region else words)
        for (begin, region, words), end in zip(said, ends, strict=True)
    ]


def _looks(facts: Facts, zero: int) -> Iterator[Stretch]:
    """Stretches in which a region that was looked at took writes, took none, or did not say; and whether that was
    before it was fenced, or once it was to lead again."""
    fenced = next((each.mono for each in facts.of("step.end") if each.data.get("name") == FENCE), None)
    led = next((each.mono for each in facts.of("step.begin") if each.data.get("name") == HAND_BACK), None)
    current: Stretch | None = None
    for fact in facts.of("region.looks"):
        name, looks = plain(fact.data.get("region")), fact.data.get("looks")
        for look in looks if isinstance(looks, list) else ():
            if not (isinstance(look, list) and len(look) == 3 and all(type(at) is int for at in look[:2])):
                continue
            begin, end = ((at - zero) / SECOND for at in look[:2])
            style, said = SAID[look[2] if look[2] in (True, False) else None]
            when = " before its fence" if fenced is not None and look[0] < fenced else ""
            words = said + (" again" if style == "writes" and led is not None and look[1] > led else when)
            if current and (current.row, current.words) == (name, words):
                current = Stretch(name, current.region, current.begin, end, words, style)
                continue
            if current:
                yield current
            current = Stretch(name, name if look[2] is True else "", begin, end, words, style)
    if current:
        yield current
