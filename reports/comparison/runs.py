"""What differs between two runs themselves: where they ran, what they exercised, and what their stacks are made of.

What a pack did not record is never called the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.evidence.first_line import marks
from reports.pack import Pack
from reports.run.limits import CLASSES, code_of, size_of
from reports.words import clean, number, plain

MISSING = "not recorded"


@dataclass(frozen=True)
class Row:
    """One fact of both runs."""

    what: str
    a: str
    b: str
    same: bool | None  # None: not recorded in one of them


def environment_of(pack: Pack) -> str:
    """The environment class, as it stands beside every figure."""
    return clean(pack.begin.get("environment") or "unknown environment")


def runs(a: Pack, b: Pack) -> list[Row]:
    """The facts of the runs, those that are the same too."""
    first, second = _facts(a), _facts(b)
    return [_row(what, first.get(what, MISSING), second.get(what, MISSING)) for what in first | second]


def parts(a: Pack, b: Pack) -> list[Row]:
    """Parts and versions of each stack, as the stack itself named them when it was ready."""
    first, second = _parts(a), _parts(b)
    rows = [_row(name, first.get(name, "not in it"), second.get(name, "not in it")) for name in first | second]
    return sorted(rows, key=lambda row: ("not in it" in (row.a, row.b), row.what))


def exercise(a: Pack, b: Pack) -> list[str]:
    """Whether both did the same exercise, plainly."""
    found = []
    for name, same, other in (
        (
            "features",
            "scenarios of one name are the same sentences",
            "a scenario of one name may not be the same exercise",
        ),
        ("plan", "objectives and demands are the same", "objectives and demands may not be the same"),
    ):
        first, second = _digest(a, name), _digest(b, name)
        if MISSING in (first, second):
            found.append(f"Same {name}? Not known: a digest is missing.")
        elif first == second:
            found.append(f"Same {name}, by digest: {same}.")
        else:
            found.append(f"DIFFERENT {name}: {other}.")
    for name, key, other in (
        ("scale of the data set", "scale", "more data takes longer to recover"),
        ("transactions due a second", "rate", "the more there are, the more can be lost"),
    ):
        ours, theirs = _said(a.begin.get(key)), _said(b.begin.get(key))
        if ours != theirs:
            found.append(f"DIFFERENT {name}, {ours} in A and {theirs} in B: {other}.")
    return found


def cautions(a: Pack, b: Pack) -> list[str]:
    """What a reader must know of either run before any figure."""
    found = []
    if a.rules != b.rules:
        found.append(
            f"A was judged by rules version {clean(a.rules)}, B by version {clean(b.rules)}: error bars may differ for "
            "that alone."
        )
    for letter, pack in (("A", a), ("B", b)):
        if sabotage := pack.begin.get("sabotage"):
            found.append(
                f"{letter} was SABOTAGED on purpose ({clean(sabotage)}): its figures are of a broken recovery."
            )
        found += [f"{letter} is marked: {clean(mark)}. It counts for nothing." for mark in marks(pack.begin)]
        end = pack.facts.last("run.end")
        outcome = clean(end.data.get("outcome")) if end else "not ended"
        if outcome != "completed":
            found.append(f"{letter} was {outcome}: what was not decided before is UNKNOWN.")
        found += [f"{letter}: {clean(problem)}" for problem in pack.problems]
    return found


def limits(a: Pack, b: Pack) -> list[str]:
    """What this comparison does not show."""
    found = [
        "Each figure is of one run. An error bar holds what was not known in that run, not how much one run differs "
        "from the next: a difference is one between these two runs, and takes more runs to be one between two stacks.",
        "A shorter time or a smaller number is called better, whatever the stacks are. Nothing is judged here: the "
        "outcomes are those of the packs, each against the objective of its own plan.",
        "Nothing is claimed from a figure that is missing, UNKNOWN or without an error bar, nor from a scenario that "
        "did not run to its end.",
    ]
    for letter, pack in (("A", a), ("B", b)):
        environment = environment_of(pack)
        if environment != "production":
            described = CLASSES.get(environment, "not described")
            found.append(
                f"{letter} ran on the environment class “{environment}”: {described}. Its figures say nothing about "
                "how long production would take."
            )
    found.append("The seals were not checked here: `drdrill verify` tells whether each pack is whole, and by whom.")
    return found


def _facts(pack: Pack) -> dict[str, str]:
    begin = pack.begin
    zones = _zones(pack)
    decided = pack.facts.of("decided")
    shown = {
        "environment class": begin.get("environment"),
        "sandbox level": begin.get("sandbox"),
        "stack": begin.get("stack"),
        "zones": zones,
        "size": size_of(pack),
        "scale of the data set": begin.get("scale"),
        "transactions due a second": begin.get("rate"),
        "decisions": _decisions([bool(fact.data.get("attended")) for fact in decided]),
        "rules that judged": f"version {pack.rules}",
        "digest of the features": _digest(pack, "features"),
        "digest of the plan": _digest(pack, "plan"),
        "digest of the constraints": _digest(pack, "constraints"),
        "digest of the harness": _code(pack, "harness").get("digest"),
        "harness": code_of(begin.get("harness")),
        "digest of the project": _code(pack, "project").get("digest"),
        "project": code_of(begin.get("project")),
        "host": begin.get("host"),
        "boot of the host": begin.get("boot"),
        "operator as claimed": begin.get("operator"),
    }
    return {what: _said(value) for what, value in shown.items()}


def _zones(pack: Pack) -> object:
    """Of all regions."""
    regions = pack.facts.data("stack.ready").get("regions")
    listed = [each.get("zones") for each in regions if isinstance(each, dict)] if isinstance(regions, list) else []
    return [zone for zones in listed if isinstance(zones, list) for zone in zones] or None


def _said(value: object) -> str:
    if value is None or value in ("", []):
        return MISSING
    return number(value) if isinstance(value, float) else clean(plain(value))


def _decisions(attended: list[bool]) -> str:
    if not attended:
        return "none taken"
    return "taken by people" if all(attended) else "not exercised: a stand-in decided at once"


def _code(pack: Pack, name: str) -> dict[str, Any]:
    said = pack.begin.get(name)
    return said if isinstance(said, dict) else {}


def _digest(pack: Pack, name: str) -> str:
    digests = pack.begin.get("digests")
    found = digests.get(name) if isinstance(digests, dict) else None
    return clean(found) if found else MISSING


def _parts(pack: Pack) -> dict[str, str]:
    listed = pack.facts.data("stack.ready").get("packages")
    return {clean(name): clean(plain(version)) for name, version in listed.items()} if isinstance(listed, dict) else {}


def _row(what: str, a: str, b: str) -> Row:
    return Row(what, a, b, None if MISSING in (a, b) else a == b)
