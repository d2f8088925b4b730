"""Healing a stack that stands of what runs have left hurt on it: their packs are sealed, and say that it was so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from harness.errors import Refused
from harness.evidence.lines import NAME, Line, read
from harness.safety import undo
from harness.safety.elsewhere import Healings, healed_there
from harness.safety.running import held
from harness.stacks.brought_up import BroughtUp
from harness.system.command import end_labelled

MOMENT = timedelta(seconds=2)  # whoever looks whether a stack is held holds it for an instant


def said_in(pack: Path) -> tuple[str, ...]:
    """Of the faults of a run what its pack says that is left hurt, with what was seen last."""
    last: dict[tuple[str, object], Line] = {}
    scenario = ""
    for line in read(pack / NAME):
        if line.kind == "scenario.begin":
            scenario = str(line.data.get("scenario", ""))
        elif line.kind == "fault.healed":
            last[str(line.data.get("scenario", scenario)), line.data.get("injection")] = line
    return tuple(f"{line.data['fault']}: {line.data['seen']}" for line in last.values() if not line.data["ok"])


def heal_stack(stack: BroughtUp) -> Healings:
    """Heal what is left in the stack's folder; what stays hurt stays listed there. Harmless when repeated.

    Errors: `Refused` where a run drills it.
    """
    place = stack.folder
    with held(place, within=MOMENT) as ours:
        if not ours:
            raise Refused(f"{place.name} is busy: a run drills it, or is just healed", hint="wait until that is over")
        label = f"heal-{place.name}"
        end_labelled(label, but_parts=True)  # a healer whose `drdrill heal` was killed
        maker = stack.kind.maker
        healings = healed_there(maker, place, undo.left_on(place), of=place, label=label)
        for left, healing in healings:
            if healing.ok:
                undo.healed(left.path)
            else:
                undo.explain(left.path, seen=healing.seen)
        return healings
