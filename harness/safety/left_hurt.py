"""Healing a stack that stands of what runs have left hurt on it: their packs are sealed, and say that it was so."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path

from harness.errors import Refused
from harness.evidence.run_folder import STACK_FOLDER
from harness.safety import undo
from harness.safety.elsewhere import Healings, healed_there
from harness.safety.running import held
from harness.stacks.brought_up import BroughtUp
from harness.system.command import end_labelled

MOMENT = timedelta(seconds=2)  # whoever looks whether a stack is held holds it for an instant


def command(place: Path) -> str:
    """With which a person heals what is left, once it is settled why it was not healed."""
    return f"drdrill heal --on {shlex.quote(str(place))}"


def heal_stack(place: Path) -> Healings:
    """Heal what is left in the stack's folder; what stays hurt stays listed there. Harmless when repeated.

    Errors: `Refused` where no stack was brought up there, or a run drills it.
    """
    if not (place / STACK_FOLDER).is_dir():
        raise Refused(f"no stack was brought up in {place}", hint="`drdrill stack status` shows where one is")
    with held(place, within=MOMENT) as ours:
        if not ours:
            raise Refused(f"{place.name} is busy: a run drills it, or is just healed", hint="wait until that is over")
        label = f"heal-{place.name}"
        end_labelled(label, but_parts=True)  # a healer whose `drdrill heal` was killed
        maker = BroughtUp(place).kind.maker
        healings = healed_there(maker, place, undo.left_on(place), of=place, label=label)
        for left, healing in healings:
            if healing.ok:
                undo.healed(left.path)
            else:
                undo.explain(left.path, seen=healing.seen, command=command(place))
        return healings
