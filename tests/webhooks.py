"""A webhook on this machine's loopback, for tests: it keeps what is posted, and answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from harness.system.http_server import HttpServer

SECRET = "T000-a-secret-path"


@dataclass
class Webhook:
    """`answers`: a status each, of which the last is given again and again."""

    answers: list[int] = field(default_factory=lambda: [200])
    says: str = "ok"
    posted: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/{SECRET}"


@contextmanager
def webhook(*answers: int, says: str = "ok") -> Iterator[Webhook]:
    """One that listens until the end of the block."""
    kept = Webhook(list(answers) or [200], says)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posted.append(json.loads(body))
            kept.paths.append(self.path)
            status = kept.answers.pop(0) if len(kept.answers) > 1 else kept.answers[0]
            said = kept.says.encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"http://127.0.0.1:{kept.port}/elsewhere")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the screen of the tests."""

    server = HttpServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
