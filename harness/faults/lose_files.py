"""A database server loses files of its own while it runs: its control file, or all of its log of changes.

It goes on until it next needs them; it is made to need them at once. They are moved and not removed: who heals puts
them back, unless the server's data was made anew meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady
from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Asked, Killable, Startable
from harness.stacks.capabilities.database import Cluster, FilesLost, Losable
from harness.system import wait
from harness.system.clock import Moment

SERVES_WITHIN = timedelta(seconds=60)  # it recovers by itself first, and an old lease has to end


@dataclass(frozen=True)
class LoseFiles:
    """`member`: a database server's name; "leader": whoever leads when the fault is prepared."""

    which: FilesLost
    member: str = "leader"
    needs: ClassVar[tuple[Any, ...]] = (Cluster, Losable, Asked, Killable, Startable)
    name = "lose_files"
    ttl = timedelta(minutes=15)
    harms_data = True
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Errors: `NotReady` where nobody leads."""
        if self.member != "leader":
            return {"member": self.member}
        if (leader := need(stack, Cluster).leader()) is None:
            raise NotReady("nobody leads", hint="read the logs of the database servers")
        return {"member": leader.name}

    def affects(self, undo: Undo) -> list[str]:
        return [undo["member"]]

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """From the moment in which they go, to that in which the server was asked for what it cannot do any more."""
        return need(_probes.component(stack, undo["member"]), Losable).lose_files(self.which)

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """They are gone from the disk, and the server that needs them does not answer any more."""
        part = _probes.component(stack, undo["member"])
        lost = need(part, Losable).files_lost(self.which)
        if not lost:
            return ""
        try:
            need(part, Asked).ask()
        except OSError as error:
            return f"{part.name}: {lost}, and it does not answer: {str(error).splitlines()[0]}"
        return ""

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        """Where the server was made anew there is nothing to undo. One that hangs without them is started anew.

        With its files it comes up by itself, and that is waited for; what only a recovery brings is not.
        """
        part = _probes.component(stack, undo["member"])
        moment = need(part, Losable).return_files(self.which)
        if moment is not None:
            try:
                need(part, Asked).ask()
            except OSError:
                need(part, Killable).kill()
                need(part, Startable).start()
            wait.poll(lambda: not _unserved(stack), within=SERVES_WITHIN)
        return moment

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """They are back, or the server's data was made anew, and one server leads and answers."""
        lost = need(_probes.component(stack, undo["member"]), Losable).files_lost(self.which)
        return f"{undo['member']}: {lost}" if lost else _unserved(stack)

    def lets_back(self, undo: Undo) -> list[str]:
        """With its files it may come up again, and another may lead by then."""
        return [undo["member"]]


def _unserved(stack: Stack) -> str:
    """Why no database server serves, in words; empty where one does."""
    leader = need(stack, Cluster).leader()
    if leader is None:
        return "no database server leads"
    try:
        need(leader, Asked).ask()
    except OSError as error:
        return f"{leader.name} leads, and does not answer: {str(error).splitlines()[0]}"
    return ""
