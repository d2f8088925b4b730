"""The platform's API in one zone: `python -m harness.stacks.stand_in.api --zone a --listen ADDRESS:PORT ...`.

It says `stored: true` only for what is committed and replicated, `stored: false` only for what is certainly not, and
`stored: null` where it cannot know. The database's password comes in the environment (PGPASSWORD), not in `--dsn`.
"""

# ruff: noqa: E402  gevent changes modules in place: it has to be the first one
from __future__ import annotations

import gevent.monkey

gevent.monkey.patch_all()

import argparse
import json
import os
import signal
import ssl
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent
from gevent.pywsgi import WSGIHandler, WSGIServer

from harness.stacks.stand_in.connections import Connections, NoDatabase
from harness.stacks.stand_in.release import BadRelease, Release
from harness.stacks.stand_in.transactions import Reply, Transactions, refused

READY_LIMIT = 1.2  # seconds, below the load balancer's patience
Start = Callable[[str, list[tuple[str, str]]], Any]
STATUS = {
    200: "200 OK",
    201: "201 Created",
    400: "400 Bad Request",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    409: "409 Conflict",
    422: "422 Unprocessable Entity",
    500: "500 Internal Server Error",
    503: "503 Service Unavailable",
}


class Api:
    """A WSGI application."""

    def __init__(self, *, zone: str, release: Release, connections: Connections, always_ready: bool = False) -> None:
        self._zone = zone
        self._release = release
        self._always_ready = always_ready
        self._connections = connections
        self._transactions = Transactions(connections, most_amount=release.most_amount)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        try:
            status, body = self._answer(environ["REQUEST_METHOD"], environ["PATH_INFO"].strip("/").split("/"), environ)
        except NoDatabase as error:
            status, body = 503, {"why": str(error)}
        content = json.dumps({"zone": self._zone, **body}, separators=(",", ":")).encode()
        start(STATUS[status], [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    def _answer(self, method: str, path: list[str], environ: dict[str, Any]) -> Reply:
        transactions = self._transactions
        match method, path:
            case "GET", ["health"]:
                answer: Reply = (200, {"healthy": True, "version": self._release.version})
            case "GET", ["ready"]:
                answer = self._ready()
            case "POST", ["transactions"]:
                answer = transactions.store(_body(environ, self._release.most_body))
            case "GET", ["transactions", *origin, number] if origin and number.isdigit():
                answer = transactions.find("/".join(origin), int(number))
            case "POST", ["test", "transaction"]:
                answer = transactions.store_test()
            case "GET", ["test", "transaction", name]:
                answer = transactions.find_test(name)
            case "GET", ["accounts", number] if number.isdigit():
                answer = transactions.account(int(number))
            case _:
                answer = refused(404, "there is no such page")
        return answer

    def _ready(self) -> Reply:
        """Whether the database takes writes, asked for real and within a short time."""
        if self._always_ready:
            return 200, {"ready": True}
        try:
            with gevent.Timeout(READY_LIMIT, NoDatabase(f"no answer within {READY_LIMIT:g} s")):
                self._connections.ask_writable()
        except NoDatabase as error:
            return 503, {"ready": False, "why": str(error)}
        return 200, {"ready": True}


class Handler(WSGIHandler):  # type: ignore[misc]  # gevent has no types
    """A peer that leaves before its answer, as whoever has waited long enough does, is a line and no traceback."""

    def read_requestline(self) -> Any:
        """Where a connection waits for its next request, or for none: a server that leaves does not wait for it."""
        idle = self.server.idle
        if self.server.leaving:
            return b""
        idle.add(me := gevent.getcurrent())
        try:
            return super().read_requestline()
        finally:
            idle.discard(me)

    def _log_error(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if issubclass(kind, OSError):  # TLS errors are such, too
            _say(f"{self.client_address[0]} left before its answer: {error}")
        else:
            super()._log_error(kind, error, trace)


class Server(WSGIServer):  # type: ignore[misc]  # gevent has no types
    """A peer that leaves before the handshake, as health checks do at their time-out, is a line and no traceback."""

    handler_class = Handler
    backlog = 4096  # a server that hangs takes connections for long, as kernels let it
    leaving = False

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.idle: set[Any] = set()  # who waits for a request on a connection

    def leave(self) -> None:
        """Take nothing more, answer what has come in, and end: a connection on which nothing is asked is closed now."""
        self.leaving = True
        self.close()
        for waiting in list(self.idle):
            gevent.kill(waiting)
        self.stop(timeout=2)

    def wrap_socket_and_handle(self, client_socket: Any, address: Any) -> Any:
        try:
            return super().wrap_socket_and_handle(client_socket, address)
        except ssl.SSLError as error:
            _say(f"{address[0]} left during the handshake: {error}")
            return None


def _say(words: str) -> None:
    """A line of the log, with its time."""
    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {words}", file=sys.stderr, flush=True)


def _body(environ: dict[str, Any], most: int) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    return bytes(environ["wsgi.input"].read(min(int(length), most)))


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="api", description="The stand-in platform's API in one zone.")
    parser.add_argument("--zone", required=True)
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--dsn", required=True, help="every server of the database; the one that takes writes is used")
    parser.add_argument("--release", required=True, type=Path, metavar="FILE", help="what it needs to run")
    parser.add_argument("--ready", choices=["honest", "always"], default="honest", help="always: for sabotage twins")
    words = parser.parse_args(argv)
    address, _, port = words.listen.rpartition(":")
    try:
        release = Release.read(words.release)
    except BadRelease as error:
        _say(str(error))
        return 1
    connections = Connections(words.dsn)
    api = Api(zone=words.zone, release=release, connections=connections, always_ready=words.ready == "always")
    server = Server((address, int(port)), api, certfile=words.cert, keyfile=words.key, log=None, error_log=sys.stderr)
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, server.leave)
    server.serve_forever()
    connections.close()
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    os._exit(code)  # Python cleans up for longer than the server needs to answer what has come in
