"""A page of a table or an index changes on the disk of a database server, behind its back; nobody is told.

Which page, and which byte of it, is drawn from the seed: `Random(seed)`, first the page among those that have not just
been appended (nine tenths of them), again until it is one that somebody could miss, then the byte. Who chooses the seed
can draw again what was hurt. Whoever recovers is not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from random import Random
from typing import Any, ClassVar, Literal

from harness.errors import NotReady, Refused
from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.capabilities.pages import Corruptible, Paged, PageRefused
from harness.system.clock import Moment

How = Literal["flip a byte", "zero", "page of another relation"]
DRAWS = 200  # at most
RECENT = 10  # the last tenth of a relation is left alone


@dataclass(frozen=True)
class CorruptPage:
    """`other`: whose page comes in its place, where that is what happens. `member`: a database server's name;
    "leader": whoever leads when the fault is prepared."""

    relation: str
    how: How
    seed: str
    other: str = ""
    member: str = "leader"
    needs: ClassVar[tuple[Any, ...]] = (Cluster, Paged, Corruptible)
    name = "corrupt_page"
    ttl = timedelta(minutes=15)
    harms_data = True
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Draw. The digest is of the page as it lay on the disk then; the page itself, which may hold rows of people,
        stays with the stack. Errors: `NotReady`, `Refused`."""
        name = self._name(stack)
        pages = need(_probes.running(stack, name), Paged)
        many = pages.pages(self.relation)
        if self.how == "page of another relation":
            if not self.other:
                raise Refused("corrupt_page: a page of which other relation?", hint="name it: `other`")
            many = min(many, pages.pages(self.other))
        if not many:
            raise NotReady(f"{self.relation} has no page that could be damaged", hint="name one that has rows")
        drawn = Random(self.seed)
        draws = (drawn.randrange(many - many // RECENT) for _ in range(DRAWS))
        number = next((number for number in draws if pages.missed(self.relation, number)), None)
        if number is None:
            raise NotReady(f"{self.relation} has hardly a page that anybody could miss", hint="name one that has rows")
        page = pages.page(self.relation, number)
        return {"member": name, "page": number, "byte": drawn.randrange(len(page)), "digest": _digest(page)}

    def affects(self, undo: Undo) -> list[str]:
        """No request shows it, so nothing that asks from outside can see it."""
        return []

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Errors: `NotReady` where the server cannot be made to forget the page; then nothing is hurt."""
        server = need(_probes.component(stack, undo["member"]), Corruptible)
        number: int = undo["page"]
        foreign = server.foreign_page(self.other, number) if self.how == "page of another relation" else b""

        def change(page: bytes) -> bytes:
            if self.how == "zero":
                return bytes(len(page))
            if self.how == "flip a byte":
                return page[: undo["byte"]] + bytes([page[undo["byte"]] ^ 0x01]) + page[undo["byte"] + 1 :]
            return foreign

        return server.replace_page(self.relation, number, change)

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """The damage is on the disk, and who reads through the server sees it: an error, or the wrong bytes."""
        part = _probes.component(stack, undo["member"])
        number: int = undo["page"]
        replaced = need(part, Corruptible).replaced_page(self.relation, number)
        if replaced is None or replaced.there != replaced.put or replaced.was == replaced.put:
            return ""
        try:
            seen = need(part, Paged).read_page(self.relation, number)
            said = "" if seen == replaced.was else f"a reader is given other bytes ({_digest(seen)[:16]})"
        except PageRefused as refused:
            said = f"a reader is told: {refused.message}"
        page = f"page {number} of {self.relation} on the disk of {part.name}"
        return f"{page} is damaged ({self.how}); {said}" if said else ""

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        """Where the server was rebuilt there is nothing to undo."""
        server = need(_probes.component(stack, undo["member"]), Corruptible)
        return server.restore_page(self.relation, undo["page"])

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """The page is as it was, or the server's data, or the relation, was made anew; anything else is told."""
        number: int = undo["page"]
        replaced = need(_probes.component(stack, undo["member"]), Corruptible).replaced_page(self.relation, number)
        if replaced is None or replaced.there is None or replaced.there == replaced.was:
            return ""
        page = f"page {number} of {self.relation} on the disk of {undo['member']}"
        if replaced.there == replaced.put:
            return f"{page} is still damaged"
        return f"{page} is neither as it was nor as it was damaged: nobody knows whether it is sound"

    def _name(self, stack: Stack) -> str:
        cluster = need(stack, Cluster)
        if self.member != "leader":
            return self.member
        if (leader := cluster.leader()) is None:
            raise NotReady("nobody leads", hint="read the logs of the database servers")
        return leader.name


def _digest(page: bytes) -> str:
    return sha256(page).hexdigest()
