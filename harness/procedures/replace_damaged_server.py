"""Replace a database server whose own files are damaged: by a copy that was proved sound before it was let lead.

That a copy streams does not show that it is sound: it replays what was written, whatever lies on its disk, and some
damage is replicated. So each copy is proved by itself, its pages, its structure and its books, before one of them is
promoted; whatever is not sound is made anew from it; and then all of them are proved again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.errors import DrillError, Refused
from harness.procedures import Facts, Procedure, Step
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, Connection, Member, Queried, Rebuilt, Switched, Verified
from harness.system.bugs import is_bug
from harness.system.recorder import Recorder

PAGES, STRUCTURE, BOOKS = LOOKS = ("pages", "structure", "books")
Books = Callable[[Connection], list[str]]


class NotSound(DrillError):
    """Nothing is sound that could be gone on from, or something is still damaged in the end."""


@dataclass(frozen=True)
class Seen:
    """What a look at a server found: in words, whether it is sound or not."""

    ok: bool
    said: str


@dataclass
class ReplaceDamagedServer:
    """One replacement under way. `books` says what of a server's books is not as at the last check.

    `skip` exists for sabotage twins alone: steps that are left out.
    """

    needs: ClassVar[tuple[Any, ...]] = (Cluster, Queried, Verified, Switched, Rebuilt)
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
            Step("replace", "hand-over-the-lead", "Hand the lead to a copy that was proved sound", self._hand_over),
            Step("rebuild", "rebuild-each-damaged-server", "Remove all that a damaged server has, and make it anew "
                 "from the leader", self._rebuild),
            Step("verify", "prove-every-server", "Prove every server by the same three looks", self._prove_all),
        )  # fmt: skip  # a table
        kept = tuple(step for step in steps if step.name not in self.skip and step.phase not in self.skip)
        return Procedure("replace-damaged-server", kept, recorder=self.recorder)

    def _look_at_leader(self) -> Facts:
        """Where nobody leads any more there is no leader to be looked at: whoever does not run is damaged."""
        cluster = need(self.stack, Cluster)
        leader = cluster.leader()
        if leader is None:
            return {"leads": "", "seen": {}}
        self._led = leader.name
        seen = looked_at(self.stack, leader, self.books)
        if not all(each.ok for each in seen.values()):
            self._damaged.append(leader.name)
        return {"leads": leader.name, "seen": {name: each.said for name, each in seen.items()}}

    def _prove_copies(self) -> Facts:
        copies = [member for member in need(self.stack, Cluster).members if member.name != self._led]
        seen = self._look(copies)
        sound = {name: looks for name, looks in seen.items() if all(each.ok for each in looks.values())}
        self._sound = list(sound)
        self._damaged += [name for name in seen if name not in sound]
        if not sound:
            raise NotSound(f"no copy is proved sound: {_wrong(seen)}", hint="restore the database from a backup")
        self._verified(sound)
        return {"sound": _words(sound), "damaged": _words({name: seen[name] for name in seen if name not in sound})}

    def _hand_over(self) -> Facts:
        """To the first that the cluster lets lead; where the leader was not damaged, it goes on."""
        cluster = need(self.stack, Cluster)
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
        return {"sound": _words(seen)}

    def _look(self, members: Sequence[Member]) -> dict[str, dict[str, Seen]]:
        """At several servers at once, each by itself."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (steps are light to import)

        with ThreadPoolExecutor(max(1, len(members))) as pool:
            found = pool.map(lambda member: looked_at(self.stack, member, self.books), members)
            return dict(zip([member.name for member in members], found, strict=True))

    def _verified(self, seen: dict[str, dict[str, Seen]]) -> None:
        checks = [
            {"name": f"{name}: {look}", "ok": each.ok, "seen": each.said}
            for name, looks in seen.items()
            for look, each in looks.items()
        ]
        self.recorder.record("verified", ok=all(check["ok"] for check in checks), checks=checks)


def looked_at(stack: Stack, member: Member, books: Books, *, looks: Sequence[str] = LOOKS) -> dict[str, Seen]:
    """Looks at one server, each by itself; a look that cannot be taken has not found it sound."""
    proved = need(member, Verified)

    def compared() -> str:
        with need(stack, Queried).connect(member) as connection:
            wrong = books(connection)
        if wrong:
            raise NotSound("; ".join(wrong), hint="compare it with a sound server")
        return "as at the last check"

    how = dict(zip(LOOKS, (proved.verify_pages, proved.verify_structure, compared), strict=True))
    return {look: _looked(how[look]) for look in looks}


def _looked(look: Callable[[], str]) -> Seen:
    try:
        return Seen(True, look())
    except DrillError as error:
        return Seen(False, error.message)
    except Exception as error:
        if is_bug(error):
            raise
        return Seen(False, (str(error).strip().splitlines() or [type(error).__name__])[0])


def _wrong(seen: dict[str, dict[str, Seen]]) -> str:
    return "; ".join(
        f"{name}, {look}: {each.said}" for name, looks in seen.items() for look, each in looks.items() if not each.ok
    )


def _words(seen: dict[str, dict[str, Seen]]) -> dict[str, dict[str, str]]:
    return {name: {look: each.said for look, each in looks.items()} for name, looks in seen.items()}
