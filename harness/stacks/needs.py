"""What a drill needs of a stack, what stacks of a kind have, and what is lacking: all known without starting one.

Sentences, faults and procedures say what they need, and a kind says what its stacks have, both in the same words:
capabilities, and how many zones, copies and regions at least.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import UnionType
from typing import Any, NamedTuple

from harness.errors import Refused
from harness.stacks.capabilities import CAPABILITIES, capability


@dataclass(frozen=True)
class Zones:
    """So many zones in the region that a drill is about; of a need, at least."""

    number: int

    @property
    def word(self) -> str:
        return f"{self.number} zone{'' if self.number == 1 else 's'}"

    @property
    def given_by(self) -> str:
        return f"a region of at least {self.word}"


@dataclass(frozen=True)
class Copies:
    """So many database servers that follow the one that leads, each in a zone of its own; of a need, at least."""

    number: int

    @property
    def word(self) -> str:
        return f"{self.number} {'copy' if self.number == 1 else 'copies'} of the database"

    @property
    def given_by(self) -> str:
        return f"a database cluster with at least {self.number} that follow the leader, each in a zone of its own"


@dataclass(frozen=True)
class Regions:
    """So many regions; of a need, at least. What stacks of a kind have is the most that one can be made with."""

    number: int

    @property
    def word(self) -> str:
        return f"{self.number} region{'' if self.number == 1 else 's'}"

    @property
    def given_by(self) -> str:
        return f"a stack of at least {self.word}"


@dataclass(frozen=True)
class PlannedHealth:
    """What it takes to ask for the health of the platform: the project knows, for it says how that is asked."""


HEALTH = PlannedHealth()


@dataclass(frozen=True)
class ProjectBooks:
    """What it takes to check the books: the project says in a file what they are."""


BOOKS = ProjectBooks()

# A protocol, several of which one is enough (`Readable | Queried`), or a number of something.
Number = Zones | Copies | Regions
Need = type | UnionType | Number | PlannedHealth | ProjectBooks
_KNOWN = {each.protocol for each in CAPABILITIES}


class Lack(NamedTuple):
    """What a stack lacks: for people (`what`, `why`), the name of the protocol, and what would give it."""

    what: str
    why: str
    capability: str
    given_by: str

    def __str__(self) -> str:
        return f"{self.what} (it takes {self.given_by})"


class Lacking:
    """What scenarios lack on a kind of stack, for people: a line under each, and once at the end what would give it."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._given: dict[str, list[str]] = {}  # what would give it: whats

    def line(self, lacks: Sequence[Lack]) -> list[str]:
        """Of one scenario; [] where it lacks nothing."""
        for lack in lacks:
            known = self._given.setdefault(lack.given_by, [])
            known += [] if lack.what in known else [lack.what]
        whats = "; ".join(dict.fromkeys(lack.what for lack in lacks))
        return [f"not exercised on {self._kind}: {whats}"] if lacks else []

    def end(self) -> list[str]:
        """After the last scenario."""
        head = [f"what {self._kind} lacks, and what it takes:"] if self._given else []
        return [*head, *(f"  {'; '.join(whats)}: {given}" for given, whats in self._given.items())]


class Withheld(NamedTuple):
    """Why this machine, or its sandbox level, cannot do what stacks of the kind can, and what would lift that."""

    why: str
    lifted_by: str


@dataclass(frozen=True)
class Offer:
    """What stacks of a kind have, where they would stand now."""

    kind: str
    has: tuple[Need, ...]
    withheld: Mapping[type, Withheld] = field(default_factory=dict)
    stands: bool = False  # it is said of one that stands

    def lacking(self, wanted: Iterable[Need]) -> list[Lack]:
        """Of what is wanted; each once, in order."""
        return list(dict.fromkeys(lack for each in wanted if (lack := self._lack(each)) is not None))

    def _lack(self, wanted: Need) -> Lack | None:
        if isinstance(wanted, Number):
            number = self.number(type(wanted))
            if number >= wanted.number:
                return None
            why = f"{self._whose} {number}" if number else self._none
            return Lack(wanted.word, why, name_of(wanted), wanted.given_by)
        if isinstance(wanted, PlannedHealth | ProjectBooks):
            raise TypeError(f"what {name_of(wanted)} needs was not asked of the project")
        known = either(wanted)
        if any(each in self.has and each not in self.withheld for each in known):
            return None
        lines = [capability(each) for each in known]
        what, given_by = (" or ".join(getattr(line, one) for line in lines) for one in ("word", "given_by"))
        held = next((self.withheld[each] for each in known if each in self.withheld), None)
        why = held.why if held else self._none
        return Lack(what, why, name_of(wanted), held.lifted_by if held else given_by)

    @property
    def _none(self) -> str:
        return f"stacks of the kind {self.kind} have none"

    @property
    def _whose(self) -> str:
        return "the stack that stands has" if self.stands else f"stacks of the kind {self.kind} have"

    def number(self, of: type[Number]) -> int:
        """How many zones, copies or regions there are; every stack has a region."""
        return max((each.number for each in self.has if isinstance(each, of)), default=1 if of is Regions else 0)

    def of(self, regions: int) -> Offer:
        """What a stack of the kind has that stands, and was made with so many regions."""
        has = (*(each for each in self.has if not isinstance(each, Regions)), Regions(regions))
        return replace(self, has=has, stands=True)


def flat(declared: Iterable[Any]) -> tuple[Need, ...]:
    """What was declared, each once: what has `needs` of its own, as faults and procedures do, stands for these.

    Errors: `Refused` where one of them is no need: its name would be looked for in vain.
    """
    found: dict[Need, None] = {}
    for each in declared:
        if isinstance(each, Number | PlannedHealth | ProjectBooks) or _is_known(each):
            found[each] = None
        elif hasattr(each, "needs"):
            found |= dict.fromkeys(flat(each.needs))
        else:
            raise Refused(f"{each!r} is nothing that a stack has", hint="docs/stacks.md lists what can be needed")
    return tuple(found)


def regions_for(wanted: Iterable[Need]) -> int:
    """How many regions it takes to have all of it."""
    return max((each.number for each in wanted if isinstance(each, Regions)), default=1)


def either(wanted: Need) -> tuple[Any, ...]:
    """The capabilities of which one is enough."""
    return wanted.__args__ if isinstance(wanted, UnionType) else (wanted,)


def name_of(wanted: Need) -> str:
    """`Divisible`, `Readable or Queried`, `Zones`: for a machine."""
    if isinstance(wanted, type | UnionType):
        return " or ".join(each.__name__ for each in either(wanted))
    return type(wanted).__name__


def _is_known(each: Any) -> bool:
    return isinstance(each, type | UnionType) and all(one in _KNOWN for one in either(each))
