"""How the owner of an attached platform makes a copy of a server that is down while another leads: `rejoin`.

What the server has may be gone from the moment that this begins. So that is on disk before, and until it is seen to be
a copy nobody starts it as it is, whoever heals and in whatever process.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from harness.errors import DrillError, NotReady
from harness.stacks.attached.database import Database
from harness.stacks.attached.doing import Acts
from harness.stacks.attached.file.described import Action
from harness.stacks.attached.file.formats import STREAMS_WITHIN
from harness.stacks.attached.gate import Gate
from harness.system import wait
from harness.system.recorder import Recorder

KNOWN_WITHIN = timedelta(seconds=10)  # who leads: one that is busy may be late once
HINT = "it is the act `database: rejoin` of the stack file"


class OwnersRejoin:
    """Fills `Rejoins`."""

    def __init__(self, said: Action, database: Database, acts: Acts, recorder: Recorder, *, gate: Gate) -> None:
        self._said = said
        self._database = database
        self._acts = acts
        self._recorder = recorder
        self._gate = gate

    def rejoin(self, name: str, *, say: Callable[[str], None]) -> bool:
        """Never where it runs, nor where nobody leads, or two do. One that was begun before is waited for.

        Errors: `NotReady` where nobody can say who leads, `Refused` where no fault has reached the server, `DrillError`
        where the act fails, `NotInTime` where the server does not stream then.
        """
        server = next(member for member in self._database.members if member.name == name)
        if server.running():
            if not self._database.rejoining(name):
                return False
            self._await_streaming(name, self._holder(), say)
            return True
        leads = self._holder()
        if leads in ("", name):
            if self._database.rejoining(name):
                what = f"a rejoin of {name} was begun and did not end, and no other leads: what it has is not known"
                raise NotReady(what, hint="see by hand what it has")
            return False
        self._gate.must_name("rejoin", name)
        door = next(member for member in self._database.members if member.name == leads).door
        self._database.begin_rejoin(name, leads)
        within = self._said.within.total_seconds()
        say(f"{leads} leads: the owner's `rejoin` makes {name} a copy of it, which takes at most {within:g} s")
        self._acts.do(self._said, server=name, leader=leads, address=door[0])
        self._await_streaming(name, leads, say)
        return True

    def _await_streaming(self, name: str, leads: str, say: Callable[[str], None]) -> None:
        last = ""
        say(f"{name} streams from {leads}, at most {STREAMS_WITHIN.total_seconds():g} s")

        def streams() -> bool:
            nonlocal last
            last = self._database.follows_not(name, leads)
            return not last

        wait.until(
            streams, what=f"{name} streams from {leads}", within=STREAMS_WITHIN, recorder=self._recorder,
            last_seen=lambda: last, hint=HINT,
        )  # fmt: skip  # arguments in groups
        self._database.end_rejoin(name)

    def _holder(self) -> str:
        """Errors: `NotReady`."""
        found, why = "", ""

        def known() -> bool:
            nonlocal found, why
            try:
                found, why = self._database.holder(), ""
            except DrillError as error:
                why = error.message
            return not why

        if not wait.poll(known, within=KNOWN_WITHIN):
            raise NotReady(why, hint="see who leads, by hand")
        return found
