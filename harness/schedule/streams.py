"""Which streams of the plan are empty in a folder, and which packs are of none that it declares. Pure."""

from __future__ import annotations

from dataclasses import replace

from harness.evidence.verify import shown
from harness.plan import Plan
from harness.schedule.past import Folder


def said_of(plan: Plan, folder: Folder) -> Folder:
    """The folder with both said: empty is no more than to be known, and what nobody declared is wrong."""
    there = {run.stream for run in folder.runs}
    empty = [name for name in plan.streams if name not in there] if folder.runs or len(plan.streams) > 1 else []
    undeclared = sorted(there - plan.streams.keys())
    return replace(
        folder,
        notes=(*folder.notes, *(_undeclared(stream, folder) for stream in undeclared)),
        remarks=(*folder.remarks, *(f"the stream {name} of the plan has no pack here" for name in empty)),
    )


def _undeclared(stream: str, folder: Folder) -> str:
    names = ", ".join(run.name for run in folder.runs if run.stream == stream)
    return f"the stream {shown(stream)} is not declared in the plan: {names}"
