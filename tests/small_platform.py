"""A small platform on loopback for tests of `stack check`: a shop that takes orders with a key, and can be wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote
from urllib.request import urlopen

from harness.workload.client import Acceptance, Key, Message, Payload, StoredTransaction
from harness.workload.plain.client import ClientFile

KEY = "key-of-the-shop"


class Shop:
    """`moods`: `open` takes orders without a key; `catch-all` answers any page; `ill` is not well."""

    def __init__(self, port: int, moods: set[str]) -> None:
        self.port = port
        self.moods = moods
        self.stored: dict[str, Any] = {}
        self.posts = 0

    @property
    def at(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def shop(*moods: str) -> Iterator[Shop]:
    """One that serves."""
    made = Shop(0, set(moods))

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/orders":
                self._say(200, made.stored)
            elif self.path.startswith("/orders/") and unquote(self.path[8:]) in made.stored:
                self._say(200, {"key": (key := unquote(self.path[8:])), "what": made.stored[key]})
            elif self.path == "/alive" and "ill" not in made.moods:
                self._say(200, {"status": "ok"})
            else:
                self._say(200 if "catch-all" in made.moods else 404, {})

        def do_POST(self) -> None:
            made.posts += 1
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            keyed = self.path == f"/orders?key={KEY}" or self.headers["X-Key"] == KEY
            if not keyed and "open" not in made.moods:
                self._say(401, {})
                return
            made.stored[said["key"]] = said["what"]
            self._say(201, {"key": said["key"]})

        def _say(self, status: int, body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *words: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


class Orders:
    """How its customers order. `stored`: the status that counts; `reads`: where orders are read back, else nowhere."""

    def __init__(self, key: str, *, stored: int | None = 201, reads: str = "") -> None:
        self._key = key
        self._stored = stored
        self._reads = reads

    def draw(self, random: Random) -> Payload:
        return {"what": str(random.randint(1, 9))}

    def amount(self, payload: Payload) -> None:
        return None

    def message(self, key: Key, payload: Payload) -> Message:
        body = json.dumps({"key": f"{key.origin}/{key.number}", **payload}).encode()
        return Message(f"/orders?key={self._key}", body)

    def judge(self, status: int, body: bytes) -> Acceptance:
        if self._stored is None:
            return Acceptance(stored=True)
        return Acceptance(stored=True if status == self._stored else False if 400 <= status < 500 else None)

    def rows(self, source: Any, *, origin: str) -> Iterator[StoredTransaction]:
        with urlopen(f"{self._reads or source.entrance.url('')}/orders") as answer:
            found = json.loads(answer.read())
        for key, what in found.items():
            begin, _, number = key.rpartition("/")
            if begin == origin:
                yield StoredTransaction(int(number), {"what": what})


PLAIN = """
format: 1
draws:
  what: {integer: 1..9}
write:
  request: POST /orders
  headers: {X-Key: "${secret:key}"}
  body: {key: "${key}", what: "${what}"}
  stored: {status: [STATUS]}
  not stored: {status: [401]}
read:
  request: GET /orders/${key}
  there: {body: {key: "${key}", what: "${what}"}}
  gone: {status: [404]}
"""


def plain(folder: Path, text: str = PLAIN, *, status: int = 201) -> ClientFile:
    """The same, as plain data; `status`: that counts."""
    (folder / "client.yaml").write_text(text.replace("STATUS", str(status)))
    return ClientFile(folder, "client.yaml")
