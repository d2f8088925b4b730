"""Replace a database server whose own files are damaged: by a copy that was proved sound before it was let lead.

That a copy streams does not show that it is sound: it replays what was written, whatever lies on its disk, and some
damage is replicated. So each copy is proved by itself, its pages, its structure and its books, before one of them is
promoted; whatever is not sound is made anew from it; and then all of them are proved again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from harness.errors import DrillError, Refused
from harness.procedures import Facts, Procedure, Step
from harness.procedures.looks import BOOKS, PAGES, STRUCTURE, Look, NotSound, not_sound, sound, taken
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import (
    Cluster,
    Connection,
    Fenced,
    Member,
    Queried,
    Rebuilt,
    Switched,
    Verified,
)
from harness.system.recorder import Recorder

LOOKS = (PAGES, STRUCTURE, BOOKS)
Books = Callable[[Connection], list[str]]


@dataclass
class ReplaceDamagedServer:
    """One replacement under way. `books` says what of a server's books is not as at the last check.

    `skip` exists for sabotage twins alone: steps that are left out.
    """

    needs: ClassVar[tuple[Any, ...]] = (Cluster, Fenced, Queried, Verified, Switched, Rebuilt)
    stack: Stack
    books: Books
    recorder: Recorder
    skip: frozenset[str] = frozenset()
    _led: str = field(init=False, default="")
    _damaged: list[str] = field(init=False, default_factory=list)
    _sound: list[str] = field(init=False, default_factory=list)

    def procedure(self) -> Procedure:
        """The list of steps, made as data."""
        steps = (
            Step("replace", "look-at-the-leader", "Look at the leader: its pages as they lie on the disk (a base "
                 "backup that is thrown away), its structure (amcheck), its books", self._look_at_leader),
            Step("replace", "prove-each-copy", "Prove each copy by itself, by the same three looks: streaming proves "
                 "nothing", self._prove_copies),
            Step("replace", "fence-who-does-not-answer", "End a damaged server that holds the lead and does not say "
                 "whether it takes writes", self._fence),
            Step("replace", "hand-over-the-lead", "Hand the lead to a copy that was proved sound", self._hand_over),
            Step("rebuild", "rebuild-each-damaged-server", "Remove all that a damaged server has, and make it anew "
                 "from the leader", self._rebuild),
            Step("verify", "prove-every-server", "Prove every server by the same three looks", self._prove_all),
        )  # fmt: skip  # a table
        kept = tuple(step for step in steps if step.name not in self.skip and step.phase not in self.skip)
        return Procedure("replace-damaged-server", kept, recorder=self.recorder)

    def _look_at_leader(self) -> Facts:
        """Who holds the lead may not serve any more; where nobody does, there is no leader to be looked at."""
        cluster, holder = need(self.stack, Cluster), ""
        leader = cluster.leader()
        if leader is None:
            with suppress(DrillError):
                holder = need(self.stack, Fenced).holder()
            leader = next((each for each in cluster.members if each.name == holder), None)
        if leader is None:
            return {"leads": "", "seen": {}}
        self._led = leader.name
        looks = looked_at(self.stack, leader, self.books)
        if not_sound(looks):
            self._damaged.append(leader.name)
        return {"leads": leader.name, "seen": _words(looks)}

    def _prove_copies(self) -> Facts:
        copies = [member for member in need(self.stack, Cluster).members if member.name != self._led]
        seen = self._look(copies)
        good = {name: looks for name, looks in seen.items() if not not_sound(looks)}
        self._sound = list(good)
        self._damaged += [name for name in seen if name not in good]
        if not good and not self._leader_is_sound():
            raise NotSound(f"no copy is proved sound: {_wrong(seen)}", hint="restore the database from a backup")
        self._verified(good)
        return {
            "sound": {name: _words(looks) for name, looks in good.items()},
            "damaged": {name: _words(looks) for name, looks in seen.items() if name not in good},
        }

    def _fence(self) -> Facts:
        """Its manager may hold the lead for minutes, in the hope that it comes up."""
        cluster, fenced = need(self.stack, Cluster), need(self.stack, Fenced)
        held = [each for each in cluster.members if each.name == self._led and each.name in self._damaged]
        silent = [each for each in held if fenced.writable(each.name) is None]
        for member in silent:
            member.kill()
        return {"ended": [member.name for member in silent]}

    def _hand_over(self) -> Facts:
        """To the first that the cluster lets lead; where a sound server leads, as a copy that took the lead by itself,
        it goes on."""
        cluster = need(self.stack, Cluster)
        if self._leader_is_sound():
            self.recorder.record("in_service", member=self._led, how="it leads, and was proved sound")
            return {"led": self._led, "leads": self._led, "refused": []}
        wanted = self._sound or [each.name for each in cluster.members if each.name != self._led]
        refused: list[str] = []
        for member in (each for each in cluster.members if each.name in wanted):
            try:
                need(self.stack, Switched).switch(member)
            except Refused as error:
                refused.append(error.message)
                continue
            self.recorder.record("in_service", member=member.name, how="a copy that was handed the lead")
            return {"led": self._led, "leads": member.name, "refused": refused}
        raise NotSound(f"no copy can lead: {'; '.join(refused)}", hint="restore the database from a backup")

    def _leader_is_sound(self) -> bool:
        return bool(self._led) and self._led not in self._damaged

    def _rebuild(self) -> Facts:
        members = need(self.stack, Cluster).members
        done = {
            member.name: need(self.stack, Rebuilt).rebuild(member) for member in members if member.name in self._damaged
        }
        return {"rebuilt": done}

    def _prove_all(self) -> Facts:
        seen = self._look(need(self.stack, Cluster).members)
        self._verified(seen)
        if wrong := _wrong(seen):
            raise NotSound(f"not sound after the repair: {wrong}", hint="rebuild that server")
        return {"sound": {name: _words(looks) for name, looks in seen.items()}}

    def _look(self, members: Sequence[Member]) -> dict[str, list[Look]]:
        """At several servers at once, each by itself."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (steps are light to import)

        with ThreadPoolExecutor(max(1, len(members))) as pool:
            found = pool.map(lambda member: looked_at(self.stack, member, self.books), members)
            return dict(zip([member.name for member in members], found, strict=True))

    def _verified(self, seen: dict[str, list[Look]]) -> None:
        checks = [{**asdict(look), "name": f"{name}: {look.name}"} for name, looks in seen.items() for look in looks]
        self.recorder.record("verified", ok=all(check["ok"] for check in checks), checks=checks)


def looked_at(stack: Stack, member: Member, books: Books, *, looks: Sequence[str] = LOOKS) -> list[Look]:
    """Looks at one server of the cluster, while it runs."""
    proved = need(member, Verified)

    def compared() -> str:
        with need(stack, Queried).connect(member) as connection:
            return sound(books(connection))

    how = dict(zip(LOOKS, (proved.verify_pages, proved.verify_structure, compared), strict=True))
    return [taken(name, how[name]) for name in looks]


def _wrong(seen: dict[str, list[Look]]) -> str:
    return "; ".join(f"{name}, {each}" for name, looks in seen.items() for each in not_sound(looks))


def _words(looks: Sequence[Look]) -> dict[str, str]:
    return {look.name: look.seen for look in looks}
