"""The table of scenarios and stacks: what each needs, and where it can run. `drdrill list --markdown`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness.features.catalog import Scenario
from harness.project import Project
from harness.stacks.kinds import KINDS, Kind
from harness.stacks.needs import Offer
from harness.system.later import fetch

YES = "yes"
MOST = 3  # of what is lacking, in one cell
NOTHING = Offer("nothing", ())  # of what lacks all, everything that is needed is told


class Row(NamedTuple):
    """`needs` in words, and one cell a stack: empty where nothing is lacking there."""

    drill: str
    title: str
    needs: Sequence[str]
    lacks: Sequence[Sequence[str]]


def heads(project: Project, stacks: Sequence[str]) -> list[tuple[str, Offer]]:
    """The stacks by what they are called: kinds, and platforms of stack files. Errors: `Refused`.

    What this machine or its sandbox cannot do is not looked at: it is about what kinds have.
    """
    kinds = [project.kind(name) for name in stacks] or [*KINDS.values(), *filter(None, [project.own_kind()])]
    return [(_called(kind), Offer(kind.name, kind.maker.has)) for kind in kinds]


def rows(project: Project, offers: Sequence[Offer]) -> list[Row]:
    """Each scenario that is built, in the order of the features."""
    return [
        Row(
            drill.title,
            scenario.title,
            _words(project, scenario, NOTHING),
            [_words(project, scenario, offer) for offer in offers],
        )
        for drill in project.drills()
        for scenario in drill.scenarios
    ]


def markdown(project: Project, stacks: Sequence[str]) -> str:
    """What all of them need once, and a table a drill."""
    named = heads(project, stacks)
    found = rows(project, [offer for _, offer in named])
    shared = [word for word in (found[0].needs if found else ()) if all(word in row.needs for row in found)]
    lines = [f"All of them need: {', '.join(shared)}.", ""] if shared else []
    for drill in dict.fromkeys(row.drill for row in found):
        lines += [f"## {drill}", "", *_table([row for row in found if row.drill == drill], named, shared), ""]
    return "\n".join(lines).rstrip()


def _table(found: Sequence[Row], named: Sequence[tuple[str, Offer]], shared: Sequence[str]) -> list[str]:
    head = ("scenario", "needs besides", *(name for name, _ in named))
    body = [
        (row.title, ", ".join(word for word in row.needs if word not in shared), *map(_cell, row.lacks))
        for row in found
    ]
    return [f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *body)]


def _cell(lacks: Sequence[str]) -> str:
    if not lacks:
        return YES
    more = f" and {len(lacks) - MOST} more" if len(lacks) > MOST else ""
    return f"no: {', '.join(lacks[:MOST])}{more}"


def _words(project: Project, scenario: Scenario, offer: Offer) -> list[str]:
    """What is lacking there, each once."""
    return list(dict.fromkeys(lack.what for lack in project.lacking(scenario, offer)))


def _called(kind: Kind) -> str:
    if kind.file is None:
        return kind.name
    return str(fetch("harness.stacks.attached.file.read:load")(Path(kind.file)).platform.name)
