"""The database's roles and their passwords: until when these are valid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from harness.errors import Refused
from harness.stacks.capabilities.database import Queried
from harness.system import wait
from harness.system.clock import Moment, around
from harness.system.recorder import Recorder

PAST = "1970-01-01 00:00:00+00"
ENDS = timedelta(seconds=10)
OFTEN = timedelta(milliseconds=2)
FOR_EVER = "infinity"  # there is no other word by which a password that was valid for ever is so again


class PostgresUsers:
    """Fills the protocol Guarded. `log_in` opens a connection to the leader as a role."""

    def __init__(self, database: Queried, log_in: Callable[[str], psycopg.Connection[Any]], recorder: Recorder) -> None:
        self._database = database
        self._log_in = log_in
        self._recorder = recorder

    def valid_until(self, user: str) -> str | None:
        """Until when the role's password is valid; None: for ever. Errors: `Refused` where there is no such role."""
        with self._database.connect() as connection:
            query = "SELECT rolvaliduntil::text FROM pg_catalog.pg_roles WHERE rolname = %s"
            row = connection.execute(query, (user,)).fetchone()
        if row is None:
            raise Refused(f"the database has no role {user!r}", hint="name the role of the platform's API")
        until: str | None = row[0]
        return until

    def expire(self, user: str) -> Moment | None:
        """Returns when the last session of the role has ended: until then a server may go on with what it has open."""
        with self._database.connect() as connection:

            def ended() -> bool:
                mine = "FROM pg_catalog.pg_stat_activity WHERE usename = %s AND pid <> pg_backend_pid()"
                connection.execute(f"SELECT pg_terminate_backend(pid) {mine}", (user,))
                row = connection.execute(f"SELECT count(*) {mine}", (user,)).fetchone()
                return row is not None and row[0] == 0

            def refuse() -> None:
                _set_until(connection, user, PAST)
                wait.until(ended, what=f"the sessions of {user} end", within=ENDS, recorder=self._recorder, every=OFTEN)

            return around(refuse, by="the database: before the role was changed, and when it had no session left")

    def renew(self, user: str, until: str | None) -> Moment | None:
        """Harmless where it has not expired."""
        with self._database.connect() as connection:
            query = "SELECT rolvaliduntil = %s FROM pg_catalog.pg_roles WHERE rolname = %s"
            if connection.execute(query, (PAST, user)).fetchone() == (True,):
                act = partial(_set_until, connection, user, until or FOR_EVER)
                return around(act, by="the database: the change of the role")
        return None

    def refusal(self, user: str) -> str:
        """Errors: `NotReady` where nobody leads, `OSError` where the leader does not answer."""
        try:
            self._log_in(user).close()
        except psycopg.OperationalError as error:
            said = str(error).strip().splitlines()[-1]
            if "authentication failed" in said:
                return said
            raise OSError(said) from error
        return ""


def _set_until(connection: Any, user: str, until: str) -> None:
    role, moment = sql.Identifier(user), sql.Literal(until)
    connection.execute(sql.SQL("ALTER ROLE {} VALID UNTIL {}").format(role, moment))
