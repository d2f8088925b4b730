"""One simulated service on a port of its own, which is open as long as its mode says so."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Protocol

from harness.stacks.parts.receivers import control
from harness.stacks.parts.receivers.door import LOOKS_EVERY, Door
from harness.stacks.parts.receivers.rate import Rate, limited
from harness.stacks.parts.receivers.store import Store, Taken
from harness.system.http_server import HttpServer

BODY_LIMIT = 1_000_000  # bytes
PATIENCE = 10.0  # seconds that a request may take to come in
HANGS_AT_MOST = 120.0  # seconds
PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>Sign in to this network.</body></html>"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)  # by their names in small letters
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    after: float | None = None  # seconds: `Retry-After`


class Service(Protocol):
    """How one of them is: its rules, and its words."""

    @property
    def name(self) -> str:
        """As `control.json` calls it."""

    @property
    def refused(self) -> Answer:
        """What it says when it takes nothing, for good."""

    @property
    def deferred(self) -> Answer:
        """What it says when it takes nothing for now."""

    def too_many(self, seconds: int) -> Answer:
        """What it says when there is too much."""

    def rate(self) -> Rate:
        """How often it takes something."""

    def take(self, request: Request) -> tuple[Answer, Taken | None]:
        """What it answers to a request, and the message, where it takes one."""


class Served:
    """Opens and closes the port of one service, until it is stopped."""

    def __init__(self, service: Service, address: tuple[str, int], store: Store) -> None:
        """Errors: `OSError` where the port is taken."""
        self.service, self.store, self.folder = service, store, store.folder
        self._rates = {"up": service.rate(), "rate-limited": limited()}
        self._door = Door(service.name, lambda: _served(address, self), wanted=lambda: self.mode != "down")

    @property
    def mode(self) -> str:
        return control.read(self.folder).mode(self.service.name)

    def stop(self) -> None:
        self._door.stop()

    def answer(self, request: Request) -> Answer | None:
        """None: there is no answer, and the connection ends."""
        mode = self.mode
        if mode == "hangs":
            self._hang()
            return None
        if mode == "html":
            return Answer(200, PAGE, "text/html; charset=utf-8")
        if mode in ("refuses", "defers"):
            return self.service.refused if mode == "refuses" else self.service.deferred
        answer, taken = self.service.take(request)
        if taken is None:
            return answer
        if wait := self._rates.get(mode, self._rates["up"]).wait():
            return self.service.too_many(math.ceil(wait.total_seconds()))
        self.store.keep(taken, lost=mode == "loses")
        return answer

    def _hang(self) -> None:
        waited = 0.0
        while self.mode == "hangs" and waited < HANGS_AT_MOST and not self._door.ended.wait(LOOKS_EVERY):
            waited += LOOKS_EVERY


def _served(address: tuple[str, int], by: Served) -> Callable[[], None]:
    """Serve there from now on; returns what ends it. Errors: `OSError`."""
    server = _Server(address, by)
    threading.Thread(target=server.serve_forever, args=(0.05,), name=by.service.name, daemon=True).start()

    def close() -> None:
        server.shutdown()
        server.server_close()

    return close


class _Server(HttpServer):
    block_on_close = False

    def __init__(self, address: tuple[str, int], served: Served) -> None:
        self.served = served
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """One line, for whatever ends a connection early."""
        print(f"{self.served.service.name}: {sys.exc_info()[1]!r}"[:300], file=sys.stderr, flush=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "simulated", ""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > 10 or int(length) > BODY_LIMIT:
            self._say(Answer(413 if length.isdecimal() else 411, b"", "text/plain"))
            return
        self._answer(self.rfile.read(int(length)))

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.served.answer(Request(self.command, self.path, headers, body))
        if answer is None:
            self.close_connection = True
        else:
            self._say(answer)

    def _say(self, answer: Answer) -> None:
        self.close_connection = True
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        if answer.after is not None:
            self.send_header("Retry-After", f"{answer.after:g}")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what came in is in the index."""


def address(text: str) -> tuple[str, int]:
    """`127.0.0.1:8080`. Errors: `ValueError`."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text} is not ADDRESS:PORT")
    return host, int(port)
