"""What a stack file lets a drill hurt, counted from names alone: it knows no engine, no clock and no network.

A zone that is hurt whole counts as one zone, and what stands in it not once more. Faults that are there at the same
time count together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from harness.errors import Refused
from harness.stacks.attached.file.described import PRODUCTION, StackFile

NOTHING = "nothing was hurt"
LED = "led"  # in the undo of a fault, as `harness.faults` writes it: who led then
# The word of `may` that lets a fault be. One that has none is let by no file.
WORDS: Mapping[str, str] = {
    "kill_component": "kill", "kill_load_balancer": "kill",
    "pause_component": "pause",
    "cut_component": "cut", "cut_zone": "cut", "cut_link": "cut", "cut_region": "cut", "flap_link": "cut",
    "slow_link": "cut",
    "kill_zone": "power", "black_out_region": "power",
    "lose_volumes": "lose volumes", "lose_files": "lose volumes",
    "destroy_recent_rows": "destroy rows", "alter_rows": "destroy rows",
    "fill_disk": "fill disks",
    "stop_replay": "stop the database",
}  # fmt: skip  # a table
HARMLESS = ("noop", "break_channel")  # they reach nothing of a platform
USUAL = ("kill", "pause", "cut", "power")  # where a file that is not of production says nothing: what is undone whole


class Hurt(NamedTuple):
    """A fault, by its name and by all the words that its settings and its undo have."""

    fault: str
    said: Any


class Reach(NamedTuple):
    """What is hurt at one time. `alone`: components outside of the zones that are hurt whole."""

    zones: frozenset[str]
    alone: frozenset[str]
    all: frozenset[str]  # components, those of the zones among them
    hosts: frozenset[str]


def reach(said: StackFile, names: Iterable[str]) -> Reach:
    """Of components, and of zones as `zone a`."""
    given = set(names)
    zones = frozenset(zone for zone in said.zones if f"zone {zone}" in given)
    alone = frozenset(one.name for one in said.components.values() if one.name in given and one.zone not in zones)
    whole = alone | {one.name for one in said.components.values() if one.zone in zones}
    hosts = frozenset(said.components[name].host for name in whole) - {""}
    return Reach(zones, alone, whole, hosts)


def names(said: StackFile, hurt: Any) -> set[str]:
    """Every component and zone that the words of a fault name, wherever they stand; a zone as `zone a`.

    A word that is both counts as both: more is refused then, and never less.
    """
    words = set(_words(hurt))
    zones = {f"zone {zone}" for zone in said.zones if zone in words or f"zone {zone}" in words}
    return zones | (words & set(said.components))


def must_be_allowed(said: StackFile, fault: str) -> None:
    """By its word in `may`. Errors: `Refused`."""
    if fault in HARMLESS:
        return
    word = WORDS.get(fault, "")
    if not word:
        hint = f"{said.where('safety', 'may')}: no word of `may` stands for it"
        raise Refused(f"{fault} is let on no platform that somebody else made; {NOTHING}", hint=hint)
    must_be_let(said, word, what=fault)


def must_be_let(said: StackFile, word: str, *, what: str) -> None:
    """Errors: `Refused`, where the file does not let that be done."""
    may = said.safety.may or (() if said.platform.environment == PRODUCTION else USUAL)
    if word not in may:
        where = said.where("safety", "may")
        listed = ", ".join(may) or "nothing"
        what = f'{what} is not let: the file lets {listed}, and not "{word}"; {NOTHING}'
        raise Refused(what, hint=f"{where}: its owner adds the word to `may`")


def must_be_within(said: StackFile, named: Iterable[str], *, what: str) -> None:
    """All that is hurt at one time, what has been hurt before among it. Errors: `Refused`."""
    found = reach(said, named)
    if never := [name for name in said.never if name in found.all]:
        where = said.where("components", never[0])
        what = f"{what} would reach {', '.join(never)}, which is never to be hurt"
        raise Refused(what, hint=f"{where} says so; {NOTHING}")
    counted = [
        ("components", said.safety.components, found.alone),
        ("zones", said.safety.zones, found.zones),
        ("hosts", said.safety.hosts, found.hosts),
    ]
    for word, limit, those in counted:
        most = 1 if limit is None and word != "hosts" else limit
        if most is not None and len(those) > most:
            where = said.where("safety", "blast radius", word)
            said_or_not = "the file lets" if limit is not None else "the file says nothing, which lets"
            what = f"{what} would hurt {len(those)} {word} at once ({', '.join(sorted(those))}): {said_or_not} {most}"
            raise Refused(f"{what}; {NOTHING}", hint=f"{where}: `blast radius`; choose fewer, or end what is hurt")


def must_let(said: StackFile, hurt: Hurt, before: Sequence[Hurt] = (), *, affects: Iterable[str] = ()) -> None:
    """One fault more, beside those that are there. Errors: `Refused`."""
    must_be_allowed(said, hurt.fault)
    named = {*affects, *names(said, hurt.said)}
    for one in before:
        named |= names(said, one.said)
    beside = f" (with {', '.join(one.fault for one in before)})" if before else ""
    must_be_within(said, named, what=f"{hurt.fault}{beside}")


def _words(value: Any) -> Iterator[str]:
    """Who led when something was frozen is not hurt by that."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key != LED:
                yield from _words(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _words(inner)
