"""What hurts a stack. One file, one class, one word in the plan: `lose_volumes.py`, `LoseVolumes`, `lose_volumes`.

A fault is a frozen dataclass; its fields are its settings and its form on disk. Before `inject` the harness writes
the settings, and what `prepare` returns, to disk; `heal` gets the same, perhaps in another process after a crash.

To list the drills all steps are imported, and all faults that they name: so a fault imports a database driver, or what
else takes long to load, where it is used.
"""

from __future__ import annotations

from dataclasses import Field
from datetime import timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

from harness.stacks import Stack
from harness.system.clock import Moment

Affected = dict[str, str]  # {"component": name} or {"zone": name}: what an alert has to name
Undo = dict[str, Any]  # JSON: all that heal needs to know, written before anything is hurt
BY_RECOVERY = "by the recovery alone"  # said of what is still hurt: no healing brings it back
LED = "led"  # in the undo of a fault that freezes: who led then


def affected(name: str) -> Affected:
    """`zone a`, or a component by its name."""
    word, _, zone = name.partition(" ")
    return {"zone": zone} if word == "zone" and zone else {"component": name}


class Fault(Protocol):
    """Something that hurts a stack."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # it is a dataclass
    name: str
    ttl: timedelta  # after which the guardian heals it
    needs: ClassVar[tuple[Any, ...]]  # what it takes of a stack, as `harness.stacks.needs` has it
    harms_data: bool  # then service counts only once the data is verified and the recovered database serves
    logical: bool  # the storage is whole and only its content is wrong: everything before the fault can be had back

    def prepare(self, stack: Stack) -> Undo:
        """Look, do not touch: what would `heal` need?"""

    def affects(self, undo: Undo) -> list[str]:
        """What an alert has to name: names of components, or `zone a`; empty where no monitoring could see it."""

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Hurt. A fault that knows when it took effect more exactly than its call and return do says so: customers
        cannot be touched sooner than `earliest`, and nothing of it is left to be done later than `latest`."""

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """Proof that it took effect, in words; empty when it did not."""

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        """Undo it. Harmless when repeated, and when nothing was injected. Says when, as `inject` does."""

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """What of it is still there, in words; empty only where a real look showed that nothing is left.

        Not the opposite of `took_effect`, which asks whether all of it is there: a look that sees nothing is no proof.
        Asked again and again after `heal`. Errors: `DrillError`, or what the look met, where nobody can look.
        """


@runtime_checkable
class TakesLong(Protocol):
    """A fault of which it takes longer than a look is repeated otherwise until nothing is left, once it is healed."""

    back_within: timedelta


@runtime_checkable
class LetsBack(Protocol):
    """A fault that keeps components down, silent or frozen: what its healing lets back, a database that led among it.

    Whoever heals asks first who leads now (`harness.safety.fencing`).
    """

    def lets_back(self, undo: Undo) -> list[str]:
        """Their names."""
