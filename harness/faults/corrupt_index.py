"""A page of an index changes on the disk of a database server, behind its back, and the rows stay whole.

Drawn from the seed is what is safe for the rows: `Random(seed)`, first the page among those that lead to rows, then the
byte, then the page of the other index among those by which nobody finds anything. A page by which somebody found
another row than he looked for would do more: what he updates by it would harm the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from random import Random
from typing import Any, ClassVar, Literal

from harness.errors import NotReady
from harness.faults import Undo, _probes
from harness.faults.corrupt_page import CorruptPage
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.capabilities.indexes import Indexed
from harness.stacks.capabilities.pages import Corruptible, Paged
from harness.system.clock import Moment

How = Literal["flip a byte", "page of another index"]


@dataclass(frozen=True)
class CorruptIndex:
    """Of whoever leads when it is prepared. `other`: the index whose page comes in its place, with a checksum that is
    valid there, where that is what happens."""

    index: str
    how: How
    seed: str
    other: str = ""
    needs: ClassVar[tuple[Any, ...]] = (Cluster, Paged, Corruptible, Indexed)
    name = "corrupt_index"
    ttl = timedelta(minutes=15)
    harms_data = True
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Draw. The digest is of the page as it lay on the disk then. Errors: `NotReady`."""
        leader = need(stack, Cluster).leader()
        if leader is None:
            raise NotReady("nobody leads", hint="read the logs of the database servers")
        pages, indexed = need(leader, Paged), need(leader, Indexed)
        drawn = Random(self.seed)
        number = _drawn(drawn, indexed.leaves(self.index), self.index)
        page = pages.page(self.index, number)
        undo = {"member": leader.name, "page": number, "byte": drawn.randrange(len(page))}
        if self.how == "page of another index":
            undo["donor"] = _drawn(drawn, indexed.unmatched(self.index, self.other), self.other)
        return {**undo, "digest": sha256(page).hexdigest()}

    def affects(self, undo: Undo) -> list[str]:
        """Who asks from outside sees it only where he asks for what the page leads to."""
        return []

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Errors: `NotReady` where the server cannot be made to forget the page; then nothing is hurt."""
        part = _probes.component(stack, undo["member"])
        number, foreign = undo["page"], b""
        if "donor" in undo:
            foreign = need(part, Indexed).fitted(need(part, Paged).page(self.other, undo["donor"]), number)

        def change(page: bytes) -> bytes:
            at = undo["byte"]
            return foreign or page[:at] + bytes([page[at] ^ 0x01]) + page[at + 1 :]

        return need(part, Corruptible).replace_page(self.index, number, change)

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """The damage is on the disk, and who reads through the server sees it."""
        return self._page.took_effect(stack, undo)

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        """Where the index, or the server, was made anew there is nothing to undo."""
        return self._page.heal(stack, undo)

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """The page is as it was, or the index was made anew; anything else is told."""
        return self._page.still_hurt(stack, undo)

    @property
    def _page(self) -> CorruptPage:
        """What is asked of any page that was damaged."""
        return CorruptPage(self.index, self.how, self.seed)  # type: ignore[arg-type]  # said in words alone


def _drawn(drawn: Random, pages: Any, index: str) -> int:
    if not pages:
        raise NotReady(
            f"no page of {index} can be drawn without harm to rows", hint="more rows are needed, or another index"
        )
    return int(drawn.choice(list(pages)))
