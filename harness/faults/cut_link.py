"""A partial cut: a zone and some others do not see each other, wholly or in part, while everybody else sees all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal

from harness.errors import NotReady
from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.capabilities.network import Linked
from harness.stacks.needs import Zones
from harness.system.clock import Moment, spanning


@dataclass(frozen=True)
class CutLink:
    """`part` "" cuts all between `one` and each of `others`, "consensus store" only its members and its clients."""

    one: str
    others: tuple[str, ...]
    part: Literal["", "consensus store"] = ""
    needs: ClassVar[tuple[Any, ...]] = (Linked, Cluster, Zones(2))
    name = "cut_link"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        need(stack, Linked)
        components = [name for zone in (self.one, *self.others) for name in _probes.of_zone(stack, zone)]
        for other in self.others:
            if not need(stack, Linked).sees(self.one, other, part=self.part):
                raise NotReady(f"zone {self.one} does not see zone {other} as it is", hint="read the components' logs")
        return {"one": self.one, "others": list(self.others), "part": self.part, "components": components}

    def affects(self, undo: Undo) -> list[str]:
        """Nothing: all components run, and whoever watches from outside of the zones sees them all."""
        return []

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Errors: `Unable` on a machine that cannot; then nothing is hurt."""
        one, others, part = undo["one"], undo["others"], undo["part"]
        return spanning([need(stack, Linked).cut_link(one, other, part=part) for other in others])

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """`one` sees none of them, by a try from inside; everything else of them is seen, or it is no partial cut."""
        one, others, part = undo["one"], undo["others"], undo["part"]
        if any(need(stack, Linked).sees(one, other, part=part) for other in others):
            return ""
        if part and not all(need(stack, Linked).sees(one, other) for other in others):
            return ""
        doors = {zone: _probes.asked_at(_probes.member_of(stack, zone)).said() for zone in (one, *others)}
        if "silent" in doors.values():
            return ""
        blind = " and ".join(f"zone {other}" for other in others)
        return f"zone {one} does not see {'the ' + part + ' of ' if part else ''}{blind}, which others still see"

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        return spanning([need(stack, Linked).join_link(undo["one"], other) for other in undo["others"]])

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """`one` has answers of each of them, by a try from inside, and of its consensus store where that was cut."""
        links = need(stack, Linked)
        one, part = undo["one"], undo["part"]
        said = [f"zone {one} does not see zone {other}" for other in undo["others"] if not links.sees(one, other)]
        if part and not said:
            blind = [other for other in undo["others"] if not links.sees(one, other, part=part)]
            said = [f"zone {one} does not see the {part} of zone {other}" for other in blind]
        return ", ".join(said)

    def lets_back(self, undo: Undo) -> list[str]:
        """Of either side: whoever led may be on any."""
        return list(undo.get("components", ()))
