"""The alert receiver: `python -m harness.alerts.receiver --listen ADDRESS:PORT --file FILE [--label component=LABEL]`.

    POST /alertmanager   Alertmanager's webhook, version 4
    POST /grafana        Grafana Alerting's webhook, version 1
    POST /alert          plain JSON: {"name", "state", "component", "zone", "region", "summary", "starts",
                         "fingerprint"}
    GET  /health         200 while it serves

Every alert is durable in FILE, stamped with the moment of its receipt, before 200 is answered. What is wrong with a
request is one line in the answer and in the log; alerts of the same request that are sound are kept all the same.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from harness.alerts.formats import USUAL, Parsed, from_plain, from_webhook, named
from harness.alerts.writer import Writer
from harness.system.http_server import HttpServer

BODY_LIMIT = 1_000_000  # bytes; Alertmanager sends a few hundred an alert
PATIENCE = 10.0  # seconds that a request may take to come in
PLACES: dict[str, Callable[[bytes], Parsed]] = {
    "/alertmanager": from_webhook,  # either webhook is known by its version, wherever it is posted
    "/grafana": from_webhook,
    "/alert": from_plain,
}


class Handler(BaseHTTPRequestHandler):
    """One request. Nothing that is sent can end it in a traceback."""

    server: Receiver
    timeout = PATIENCE
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # of a request that does not say: else the answer would have no status
    server_version, sys_version = "alert-receiver", ""

    def do_GET(self) -> None:
        if self.path == "/health":
            self._say(200, "takes alerts")
        else:
            self._say(404, f"there is no such page; POST to one of {', '.join(PLACES)}")

    def do_POST(self) -> None:
        read = PLACES.get(self.path)
        if read is None:
            self._refuse(404, f"there is no such page; POST to one of {', '.join(PLACES)}")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self._refuse(400, "the request does not say its length in Content-Length")
            return
        if len(length) > 10 or int(length) > BODY_LIMIT:
            self._refuse(413, f"the body is longer than {BODY_LIMIT} bytes")
            return
        try:
            body = self.rfile.read(int(length))
        except OSError:  # it did not come within our patience
            body = b""
        if len(body) < int(length):
            self._refuse(400, f"the body is not there: {length} bytes were promised")
            return
        parsed = read(body) if read is from_plain else from_webhook(body, self.server.names)
        try:
            self.server.writer.write(parsed.lines)
        except OSError as error:
            self._refuse(500, f"nothing is kept: {error.strerror}")
            return
        if parsed.wrong:
            self._refuse(400, f"{len(parsed.lines)} kept; {'; '.join(parsed.wrong[:3])}")
        else:
            self._say(200, f"{len(parsed.lines)} kept")

    def _refuse(self, status: int, why: str) -> None:
        """What is left of the request is not read: the connection ends."""
        self.log_message("%s", f"{getattr(self, 'path', '')[:60]}: {status} {why}")
        self.close_connection = True
        self._say(status, why)

    def _say(self, status: int, what: str) -> None:
        content = f"{what}\n".encode(errors="replace")
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library refuses by itself: a line, as everything else."""
        self._refuse(code, (message or explain or "this is no request")[:100])

    def log_error(self, format: str, *args: object) -> None:
        """Nothing: a kept connection that ends is no error, and what was refused is logged where it is."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: what was kept is in the file, what was refused is logged where it is."""


class Receiver(HttpServer):
    """Serves until it is shut down; a thread for each connection."""

    request_queue_size = 100

    def __init__(self, address: str, port: int, file: Path, names: Mapping[str, str] = USUAL) -> None:
        self.writer = Writer(file)
        self.names = names
        super().__init__((address, port), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """One line, for whatever ends a connection early."""
        print(f"{client_address}: {sys.exc_info()[1]!r}"[:300], file=sys.stderr, flush=True)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="receiver", description="Takes alerts and keeps them, one line each.")
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--file", required=True, type=Path)
    parser.add_argument("--label", action="append", default=[], metavar="component=LABEL", help="which label says it")
    words = parser.parse_args(argv)
    address, _, port = words.listen.rpartition(":")
    if not port.isdecimal():
        parser.error(f"--listen wants ADDRESS:PORT, not {words.listen}")
    try:
        receiver = Receiver(address, int(port), words.file, named(words.label))
    except (OSError, OverflowError) as error:
        print(f"receiver: {words.listen}, {words.file}: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=receiver.shutdown).start())
    print(f"takes alerts at {words.listen}", file=sys.stderr, flush=True)
    receiver.serve_forever(poll_interval=0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
