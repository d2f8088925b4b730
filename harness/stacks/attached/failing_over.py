"""How the owner of an attached platform has another server lead, as the stack file says it."""

from __future__ import annotations

from datetime import timedelta

from harness.errors import NotReady, Refused
from harness.stacks.attached.database import Database
from harness.stacks.attached.doing import Acts
from harness.stacks.attached.file.described import Failover
from harness.stacks.attached.gate import Gate
from harness.system import wait
from harness.system.recorder import Recorder

LEADS_WITHIN = timedelta(seconds=60)


class OwnersFailover:
    """Fills `FailsOver`."""

    def __init__(self, said: Failover, database: Database, acts: Acts, recorder: Recorder, *, gate: Gate) -> None:
        self._said = said
        self._database = database
        self._acts = acts
        self._recorder = recorder
        self._gate = gate

    def fail_over(self, *, to: str = "") -> str:
        """To that one; else to the first that answers, and does not lead. Harmless where it leads already.

        Errors: `Refused` where there is no such server, or the file does not let it, `NotReady` where none answers,
        `DrillError` where the act fails, `NotInTime`.
        """
        found = self._database.who()
        if to and to not in found:
            raise Refused(f"there is no database server {to!r}", hint=f"there are: {', '.join(found)}")
        survivor = to or next((name for name, leads in found.items() if leads is False), "")
        if not survivor:
            raise NotReady("no database server answers that could lead", hint="read their logs")
        if not found[survivor]:
            self._gate.must_let_fail_over(found)
            member = next(each for each in self._database.members if each.name == survivor)
            self._acts.do(self._said.do, survivor=survivor, address=member.door[0])
        wait.until(
            lambda: self._database.who()[survivor], what=f"{survivor} leads", within=LEADS_WITHIN,
            recorder=self._recorder,
        )  # fmt: skip  # arguments in groups
        return survivor
