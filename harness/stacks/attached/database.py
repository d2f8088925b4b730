"""The database of an attached platform: its servers as the stack file names them, and who leads, by asking each.

Nothing here changes it: whoever reads from it reads only. `fail_over` is the owner's own act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import cast

from harness.errors import DrillError, NotReady, Unable
from harness.stacks import Condition
from harness.stacks.attached import sessions
from harness.stacks.attached.cutting import Cutter
from harness.stacks.attached.file.described import Database as Described
from harness.stacks.attached.file.formats import filled
from harness.stacks.attached.parts import AskedPart, Part
from harness.stacks.capabilities.database import Connection, Member
from harness.stacks.docker import engine
from harness.stacks.parts.positions import PostgresPositions
from harness.system import control_files

STREAMS = "SELECT status FROM pg_stat_wal_receiver"
YES = ("t", "true", "on", "yes", "1")
WRITTEN = "SELECT pg_current_wal_lsn()::text"
FOLLOWS = """SELECT (SELECT count(*) FROM pg_stat_wal_receiver), (SELECT status FROM pg_stat_wal_receiver),
 coalesce(pg_last_wal_receive_lsn() >= '{written}'::pg_lsn, false)"""
LEADER = "leader.json"  # who led when somebody looked last
REJOINS = "rejoins.json"  # which server is being made a copy of which: until it is one nobody knows what it has


class Database:
    """Fills `Cluster`, `Connected`, `Claimed`, `Fenced`, and with `AttachedPositions` `Positioned`."""

    def __init__(
        self, said: Described, *, parts: Mapping[str, Part], values: Mapping[str, str], cutter: Cutter, folder: Path,
        boxed: Sequence[str], heal: str = "",
    ) -> None:  # fmt: skip  # parameters in groups
        """`heal`: the command with which a person goes on; empty where a run has brought the platform up."""
        self._said = said
        self._parts = parts
        self._values = dict(values)
        self._cutter = cutter
        self._file = folder / LEADER
        self._rejoins = folder / REJOINS
        self._boxed = boxed
        self._heal = heal

    @property
    def members(self) -> Sequence[Member]:
        return [cast(Member, self._parts[name]) for name in self._said.members]

    def connect(self, member: Member | None = None) -> Connection:
        """Read-only, each statement by itself. Errors: `NotReady` where nobody leads, or several do."""
        found = member or self.leader()
        if found is None:
            raise NotReady(
                self._who_leads(self.who()), hint="see who leads, by hand: the stack file says how it is asked"
            )
        return sessions.connect(self.dsn_now(found.name))

    def ask(self, name: str) -> None:
        """Errors: `OSError` where the server has no answer."""
        sessions.one(self.dsn_now(name), "SELECT 1", within=sessions.SHORT)

    def who(self) -> dict[str, bool | None]:
        """Of each server whether it says that it leads; None where it has no answer."""
        names = list(self._said.members)
        found = engine.at_once([partial(self._leads, name) for name in names], threads=len(names))
        return dict(zip(names, found, strict=True))

    def claims(self) -> dict[str, bool | None]:
        """As `who`; one that is cut off is asked in its own network, and what is dead leads nobody."""
        names = list(self._said.members)
        asked = [partial(self._writable, name, sessions.SHORT) for name in names]
        return dict(zip(names, engine.at_once(asked, threads=len(names)), strict=True))

    def leader(self) -> Member | None:
        """The one that says so; None where nobody does, and where several do."""
        leading = [name for name, leads in self.who().items() if leads]
        if len(leading) != 1:
            return None
        self._remember(leading[0])
        return next(member for member in self.members if member.name == leading[0])

    def healthy(self) -> list[Condition]:
        """Exactly one leads, and every other server streams, where it says so."""
        found = self.who()
        leading = [name for name, leads in found.items() if leads]
        conditions = [Condition("leader", ok=len(leading) == 1, seen=self._who_leads(found))]
        if len(leading) == 1:
            self._remember(leading[0])
        others = [name for name in found if name not in leading]
        streams = engine.at_once([partial(self._streams, name) for name in others], threads=len(others) or 1)
        well = [name for name, said in zip(others, streams, strict=True) if said.ok]
        for name in [*well, *leading] if len(leading) == 1 else []:
            self.end_rejoin(name)
        return conditions + streams

    def holder(self) -> str:
        """Who leads, by all that answer. One that is silent still leads where it led last, and no other does.

        There is no store that they agree on it by. Errors: `DrillError` where that does not say it.
        """
        found = self.who()
        leading = [name for name, leads in found.items() if leads]
        silent = [name for name, leads in found.items() if leads is None]
        if len(leading) == 1:
            return leading[0]
        last = str((control_files.read(self._file) or {}).get("leader", ""))
        if not leading and (not silent or silent == [last]):
            return last if silent else ""
        raise NotReady(self._who_leads(found), hint="see who leads, by hand")

    def writable(self, name: str) -> bool | None:
        """By the server itself; where a cut hides it, asked in its own network; where nothing of it runs, not."""
        return self._writable(name, sessions.PATIENCE)

    def _writable(self, name: str, within: timedelta) -> bool | None:
        if not self._parts[name].running():
            return False
        leads = self._leads(name, within)
        return self._beside(name) if leads is None and name in self._boxed else leads

    def comes_back_as_copy(self, name: str) -> str:
        """Where no other leads there is nothing to fear. Else one that is down is started as the stack file says.

        A copy that is cut off says so where the cut does not reach.
        """
        found = self.who()
        others = [other for other, leads in found.items() if leads and other != name]
        if found[name] is False:
            return ""
        if not others:
            unknown = self.rejoining(name) and not self._parts[name].running()
            return f"a rejoin of {name} was begun and did not end: what it has is not known" if unknown else ""
        if self._parts[name].running():
            if self.writable(name) is False:
                return ""
            return f"{others[0]} leads, and {name} runs and does not say that it is a copy"
        if self._said.returns_as_copy or (self._said.rejoin and len(others) == 1):
            return ""
        return f"the stack file does not say that {name} returns as a copy, nor how it is made one (`rejoin`)"

    def by_hand(self, name: str) -> str:
        """What its owner does about a server that stays fenced, in words; empty where it is a copy, or leads alone."""
        found = self.who()
        others = [other for other, leads in found.items() if leads and other != name]
        runs = self._parts[name].running()
        if found[name] is False or (found[name] and not others):
            return ""
        first = f"stop {name}, " if runs else ""
        if not self._heal:
            return "it is removed with the platform, which the run has brought up"
        if len(others) != 1:
            return f"{first}see who leads, have every other server be a copy of that, then `{self._heal}`"
        if self._said.rejoin and runs:
            return f"{first}then `{self._heal}`, which makes it a copy of {others[0]} by the stack file's `rejoin`"
        again = f"see why `rejoin` failed, then `{self._heal}` carries it out again; or " if self._said.rejoin else ""
        return f"{again}{first}make {name} a copy of {others[0]} by hand and start it, then `{self._heal}`"

    def lasts(self, name: str) -> bool:
        """It is dead, another leads, and nobody but its owner can bring it back as a copy."""
        others = [other for other, leads in self.who().items() if leads and other != name]
        ours = self._said.returns_as_copy or self._said.rejoin
        return len(others) == 1 and not ours and not self._parts[name].running()

    def follows_not(self, name: str, leads: str) -> str:
        """Why it is no copy of who leads, in words; empty where it is in recovery, streams, and has received what the
        leader had written."""
        if self._leads(name) is not False:
            return f"{name} does not say that it is a copy"
        try:
            written = sessions.one(self.dsn_now(leads), WRITTEN)
            found = sessions.row(self.dsn_now(name), FOLLOWS.format(written=written))
        except (OSError, DrillError) as error:
            return str(error).strip().partition("\n")[0]
        receives, status, has = found or (0, None, False)
        if not receives or status not in ("streaming", None):  # None: this role may not see it
            return f"{name} receives nothing" if not receives else f"{name} is {status}"
        return "" if has else f"{name} has not received all that {leads} has written"

    def rejoining(self, name: str) -> bool:
        """Whether it was begun to be made a copy, and was not seen to be one since."""
        return name in (control_files.read(self._rejoins) or {})

    def begin_rejoin(self, name: str, leads: str) -> None:
        control_files.leave(self._rejoins, {**(control_files.read(self._rejoins) or {}), name: leads})

    def end_rejoin(self, name: str) -> None:
        """Harmless where none was begun."""
        if self.rejoining(name):
            control_files.leave(
                self._rejoins, {key: at for key, at in (control_files.read(self._rejoins) or {}).items() if key != name}
            )

    def dsn_of(self, place: str, port: int) -> str:
        """As the stack file has it."""
        return filled(self._said.dsn, {**self._values, "host": place, "port": str(port)})

    def dsn_now(self, name: str) -> str:
        """Of one server, by its address as it is now. Errors: `NotReady` where that was never seen."""
        return self.dsn_of(*self._place(name))

    def _place(self, name: str) -> tuple[str, int]:
        part = self._parts[name]
        assert isinstance(part, AskedPart)
        return part.door_now()

    def _leads(self, name: str, within: timedelta = sessions.PATIENCE) -> bool | None:
        if name in self._boxed and not self._parts[name].running():
            return None  # nobody waits for a connection to what the engine knows is dead
        try:
            said = sessions.one(self.dsn_now(name), self._said.leader, within=within)
        except (OSError, DrillError):
            return None
        return said if isinstance(said, bool) else str(said).strip().lower() in YES

    def _beside(self, name: str) -> bool | None:
        """On its own loopback, which a cut leaves alone; None where it has no answer there."""
        try:
            words = ["psql", "-XAt", "-c", self._said.leader, self.dsn_of("127.0.0.1", self._place(name)[1])]
            said = self._cutter.beside(name, words, env={"PGCONNECT_TIMEOUT": "3"}, what=f"asking {name} beside it")
        except DrillError:
            return None
        return said.strip().lower() in YES

    def _streams(self, name: str) -> Condition:
        what = f"{name} replicates"
        try:
            row = sessions.row(self.dsn_now(name), STREAMS)
        except (OSError, DrillError) as error:
            return Condition(what, ok=False, seen=str(error).strip().partition("\n")[0])
        if row is None:
            return Condition(what, ok=False, seen="it receives nothing")
        return Condition(
            what, ok=row[0] in ("streaming", None), seen=row[0] or "it receives; more this role may not see"
        )

    def _who_leads(self, found: Mapping[str, bool | None]) -> str:
        leading = [name for name, leads in found.items() if leads]
        silent = [name for name, leads in found.items() if leads is None]
        who = f"{' and '.join(leading)} {'lead' if len(leading) > 1 else 'leads'}" if leading else "nobody leads"
        return who + (f", and {', '.join(silent)} did not answer" if silent else "")

    def _remember(self, name: str) -> None:
        if (control_files.read(self._file) or {}).get("leader") != name and self._file.parent.is_dir():
            control_files.leave(self._file, {"leader": name})


class AttachedPositions(PostgresPositions):
    """Fills `Positioned`: what can be read of it. Nothing is handed over where no archive is ours to look at."""

    def hand_over(self) -> int:
        raise Unable("nothing is handed over to the archive of an attached platform", hint="its owner does that")
