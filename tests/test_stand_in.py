"""What the platform's API claims about a transaction, whatever the database does."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import psycopg
import pytest

from harness.stacks.parts.tls import make_authority
from harness.stacks.stand_in import release, transactions
from harness.stacks.stand_in.connections import Connections, NoDatabase
from harness.stacks.stand_in.transactions import Transactions
from harness.system import clock
from harness.system.recorder import Memory
from harness.system.wait import until

GOOD = {"origin": "run/scene", "number": 7, "from": 1, "to": 2, "amount": "12.34"}


class Database:
    """A connection that does as told: `breaks_at` a statement that begins so, or "commit"."""

    def __init__(
        self, *, breaks_at: str = "", error: Exception | None = None, notice: str = "", row: Any = (1,)
    ) -> None:
        self.breaks_at = breaks_at
        self.error = error or psycopg.OperationalError("server closed the connection unexpectedly")
        self.notice = notice
        self.row = row
        self.handlers: list[Any] = []
        self.said: list[str] = []
        self.missing: set[int] = set()
        self.slow = 0.0

    @contextmanager
    def use(self) -> Iterator[Database]:
        if self.breaks_at == "connect":
            raise NoDatabase("no server within 2.5 s")
        yield self

    def execute(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        word = query.split(maxsplit=1)[0]
        self.said.append(word)
        if word == self.breaks_at:
            raise self.error
        row = None if word == "INSERT" and self.row is None else (5, "0000000C", "10.0.0.14")
        if word == "SELECT" and "pg_logical_emit_message" not in query:
            row = self.row
        return SimpleNamespace(fetchone=lambda: row, rowcount=0 if values[-1:] and values[-1] in self.missing else 1)

    def commit(self) -> None:
        gevent.sleep(self.slow)
        if self.breaks_at == "commit":
            raise self.error
        for handler in self.handlers:
            if self.notice:
                handler(SimpleNamespace(message_primary=self.notice))

    def add_notice_handler(self, handler: Any) -> None:
        self.handlers.append(handler)

    def remove_notice_handler(self, handler: Any) -> None:
        self.handlers.remove(handler)


def _store(database: Any, **changed: Any) -> tuple[int, Any]:
    status, body = Transactions(database).store(json.dumps({**GOOD, **changed}).encode())
    return status, body["stored"]


def test_what_committed_cleanly_is_stored() -> None:
    """A row and two balances in one transaction, then the commit's own clean answer."""
    database = Database()
    assert _store(database) == (201, True)
    assert database.said == ["INSERT", "UPDATE", "UPDATE"]
    assert not database.handlers


def test_what_is_stored_says_on_which_timeline() -> None:
    """The name of a WAL segment begins with it, in hexadecimal; also where it was stored before."""
    said = Transactions(Database()).store(json.dumps(GOOD).encode())[1]
    assert (said["timeline"], said["server"]) == (12, "10.0.0.14")
    before = Twice(row=(5, 1, 2, Decimal("12.34")))
    assert Transactions(before).store(json.dumps(GOOD).encode())[1]["timeline"] == 12


@pytest.mark.parametrize("moment", ["connect", "INSERT", "UPDATE"])
def test_what_fails_before_the_commit_is_certainly_not_stored(moment: str) -> None:
    """PostgreSQL rolls back what was never committed."""
    assert _store(Database(breaks_at=moment)) == (503, False)


def test_a_connection_lost_at_commit_leaves_it_unknown() -> None:
    """The commit may have happened: nobody can say."""
    assert _store(Database(breaks_at="commit")) == (500, None)


def test_a_commit_that_was_not_waited_for_is_unknown() -> None:
    """Committed on one server and perhaps nowhere else is not stored."""
    notice = "canceling wait for synchronous replication due to user request"
    assert _store(Database(notice=notice)) == (500, None)


def test_a_commit_that_takes_longer_than_customers_wait_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer comes in time, and says that it does not know."""
    monkeypatch.setattr(transactions, "WHOLE_LIMIT", 0.05)
    database = Database()
    database.slow = 5.0
    assert _store(database) == (500, None)


def test_an_account_that_is_not_there_is_refused() -> None:
    """Whether the foreign key or the missing balance says so."""
    database = Database()
    database.missing = {2}
    assert _store(database) == (422, False)
    assert _store(Database(breaks_at="INSERT", error=psycopg.errors.ForeignKeyViolation("no such account"))) == (
        422,
        False,
    )


class Twice(Database):
    """The number is there already, with these contents."""

    def execute(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        found = super().execute(query, values)
        if query.startswith("INSERT"):
            return SimpleNamespace(fetchone=lambda: None)
        return found


def test_the_same_transaction_twice_is_stored_once() -> None:
    """The same number with the same content is acknowledged, after a write of its own was replicated."""
    database = Twice(row=(5, 1, 2, Decimal("12.34")))
    assert _store(database) == (200, True)
    assert database.said == ["INSERT", "SELECT", "SELECT"]
    assert _store(Twice(row=(5, 1, 2, Decimal("12.34")), breaks_at="commit")) == (500, None)


def test_another_transaction_under_the_same_number_is_refused() -> None:
    """The number is the customer's key: other content under it is a mistake."""
    assert _store(Twice(row=(5, 1, 3, Decimal("12.34")))) == (409, False)


@pytest.mark.parametrize(
    "changed",
    [{"amount": "0"}, {"amount": "-1"}, {"amount": "1.001"}, {"amount": "NaN"}, {"amount": "1e30"}, {"to": 1},
     {"number": "x"}, {"from": None}, {"amount": "many"}],
)  # fmt: skip  # a table
def test_what_is_no_transaction_is_refused_before_the_database_is_asked(changed: dict[str, Any]) -> None:
    """A bad request is an answer, not an error."""
    database = Database()
    assert _store(database, **changed) == (400, False)
    assert not database.said


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"\xff", b'{"origin": 1}'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """Whatever is sent, the answer says that nothing is stored."""
    status, answer = Transactions(Database()).store(body)
    assert (status, answer["stored"]) == (400, False)


def test_no_server_is_an_answer_in_time() -> None:
    """Where nobody listens the connections say so, and do not wait for ever."""
    connections = Connections("host=127.0.0.1,127.0.0.1 port=1,2 dbname=x user=x connect_timeout=2")
    with pytest.raises(NoDatabase):
        connections.ask_writable()
    status, answer = Transactions(connections).store(json.dumps(GOOD).encode())
    assert (status, answer["stored"]) == (503, False)


def test_a_server_that_is_told_to_stop_waits_for_nobody_who_asks_nothing(tmp_path: Path) -> None:
    """A connection between two requests is closed at once; what Python would clean up takes no time either."""
    authority = make_authority(tmp_path / "tls")
    chain, key = authority.issue("api", ["api.example"])
    file = tmp_path / "1.0.json"
    file.write_text(json.dumps(release.CONTENT))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--zone=a", f"--listen=127.0.0.1:{port}", f"--cert={chain}", f"--key={key}", "--dsn=host=127.0.0.1 port=1"]
    argv = [sys.executable, "-m", "harness.stacks.stand_in.api", *words, f"--release={file}"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            soon, ask = timedelta(seconds=30), partial(_asked, port, authority.ca)
            idle = until(ask, what="it serves", within=soon, recorder=Memory())
            begun = clock.mono()
            process.send_signal(signal.SIGTERM)
            idle.settimeout(20)
            assert idle.recv(1) == b""
            assert process.wait(timeout=20) == 0 and clock.since(begun) < timedelta(seconds=2)
        finally:
            process.kill()
        assert process.stderr is not None and "Traceback" not in process.stderr.read()


def _asked(port: int, ca: Path) -> ssl.SSLSocket | None:
    """A connection on which a request was answered, and that stays open; None where nobody answers yet."""
    try:
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    except OSError:
        return None
    found = ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname="api.example")
    found.sendall(b"GET /health HTTP/1.1\r\nHost: api.example\r\n\r\n")
    said = b""
    while not said.endswith(b"}"):
        said += found.recv(1000)
    assert said.startswith(b"HTTP/1.1 200")
    return found


def test_the_driver_is_loaded_after_sockets_were_made_to_cooperate() -> None:
    """Loaded before, it would hold up the whole API, health included, while one server of the database is silent."""
    program = "import sys, harness.stacks.stand_in; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
