"""The database refuses the platform's role: its password is no longer valid, and its sessions are ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from harness.errors import NotReady, Refused
from harness.faults import Undo
from harness.stacks import Stack, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Queried
from harness.stacks.capabilities.entrance import ZoneServices
from harness.system import wait
from harness.system.clock import Moment, around

if TYPE_CHECKING:
    import psycopg

PAST = "1970-01-01 00:00:00+00"
ENDS = timedelta(seconds=10)
OFTEN = timedelta(milliseconds=2)


@dataclass(frozen=True)
class RejectCredentials:
    role: str
    needs: ClassVar[tuple[Any, ...]] = (Queried, ZoneServices)
    name = "reject_credentials"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Until when the password was valid, and nothing more: no password leaves the stack."""
        with need(stack, Queried).connect() as connection:
            query = "SELECT rolvaliduntil::text FROM pg_catalog.pg_roles WHERE rolname = %s"
            row = connection.execute(query, (self.role,)).fetchone()
        if row is None:
            raise Refused(f"the database has no role {self.role!r}", hint="name the role of the platform's API")
        if self._refused(stack):
            raise NotReady(f"the database refuses {self.role} already", hint="`drdrill heal`")
        return {"until": row[0], "services": [need(stack, ZoneServices).service(zone).name for zone in zones(stack)]}

    def affects(self, undo: Undo) -> list[str]:
        """Who can no longer do their work: a monitoring sees that, and not the reason."""
        return list(undo["services"])

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Returns when the last session of the role has ended: until then a server may go on with what it has open."""
        with need(stack, Queried).connect() as connection:

            def ended() -> bool:
                mine = "FROM pg_catalog.pg_stat_activity WHERE usename = %s AND pid <> pg_backend_pid()"
                connection.execute(f"SELECT pg_terminate_backend(pid) {mine}", (self.role,))
                row = connection.execute(f"SELECT count(*) {mine}", (self.role,)).fetchone()
                return row is not None and row[0] == 0

            def refuse() -> None:
                self._set_until(connection, PAST)
                what = f"the sessions of {self.role} end"
                wait.until(ended, what=what, within=ENDS, recorder=stack.commands.recorder, every=OFTEN)

            return around(refuse, by="the database: before the role was changed, and when it had no session left")

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        said = self._refused(stack)
        return f"the database says to {self.role}: {said}" if said else ""

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        """A password that was valid for ever is so again; PostgreSQL has no other word for that than `infinity`."""
        with need(stack, Queried).connect() as connection:
            query = "SELECT rolvaliduntil = %s FROM pg_catalog.pg_roles WHERE rolname = %s"
            if connection.execute(query, (PAST, self.role)).fetchone() == (True,):
                act = partial(self._set_until, connection, undo["until"] or "infinity")
                return around(act, by="the database: the change of the role")
        return None

    def _refused(self, stack: Stack) -> str:
        """What the database says to the role where it refuses the password; empty where it does not, or is away."""
        import psycopg  # noqa: PLC0415  (see harness.faults)

        try:
            need(stack, Queried).connect_as(self.role).close()
        except NotReady:
            return ""
        except psycopg.OperationalError as error:
            said = str(error).strip().splitlines()[-1]
            return said if "authentication failed" in said else ""
        return ""

    def _set_until(self, connection: psycopg.Connection[tuple[object, ...]], until: str) -> None:
        from psycopg import sql  # noqa: PLC0415  (see harness.faults)

        role, moment = sql.Identifier(self.role), sql.Literal(until)
        connection.execute(sql.SQL("ALTER ROLE {} VALID UNTIL {}").format(role, moment))
