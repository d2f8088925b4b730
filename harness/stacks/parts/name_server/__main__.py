"""The sockets of the name server: UDP, and TCP for what is too long for that. No packet can end it."""

from __future__ import annotations

import argparse
import signal
import socketserver
import struct
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from harness.stacks.parts.hosted_zone import HostedZone
from harness.stacks.parts.name_server.answers import Told, respond
from harness.stacks.parts.name_server.health import Health
from harness.stacks.parts.name_server.held import Held
from harness.stacks.parts.name_server.log import FILE, Log
from harness.stacks.parts.name_server.zone import Zone

PATIENCE = 5.0  # seconds that a TCP connection may say nothing
CONNECTIONS = 100
KNOWN = 10_000  # who asked what, of whom it is remembered what they were told

Answer = Callable[[bytes, bool, str], bytes | None]  # what came in, whether over TCP, from which address


class Holds(Protocol):
    """What holds the zone."""

    zone: Zone | None


class Knows(Protocol):
    """What knows of health."""

    def healthy(self, check: str) -> bool: ...


class Answers:
    """Answers, and logs what is another answer than the one that the same address had before."""

    def __init__(self, held: Holds, health: Knows, log: Log) -> None:
        self._held = held
        self._health = health
        self._log = log
        self._told: dict[tuple[str, str, str], tuple[str, ...]] = {}

    def __call__(self, wire: bytes, stream: bool, by: str) -> bytes | None:
        told = respond(wire, zone=self._held.zone, healthy=self._health.healthy, stream=stream)
        if told and told.record:
            self._remember(told, by)
        return told.wire if told else None

    def _remember(self, told: Told, by: str) -> None:
        assert told.record
        key, values = (by, told.name, told.type), told.record.values
        if self._told.get(key) != values:
            if len(self._told) >= KNOWN:
                self._told.clear()
            self._told[key] = values
            self._log.write(
                "answer", by=by, name=told.name, type=told.type, addresses=values,
                ttl=told.record.ttl.total_seconds(), set=told.record.set,
            )  # fmt: skip  # arguments in groups


class Datagram(socketserver.BaseRequestHandler):
    """One packet."""

    server: Udp

    def handle(self) -> None:
        wire, sock = self.request
        if answer := self.server.answer(wire, False, self.client_address[0]):
            sock.sendto(answer, self.client_address)


class Stream(socketserver.StreamRequestHandler):
    """One connection; several questions may come over it."""

    server: Tcp
    timeout = PATIENCE

    def handle(self) -> None:
        while len(size := self.rfile.read(2)) == 2:
            (length,) = struct.unpack("!H", size)
            wire = self.rfile.read(length)
            answer = self.server.answer(wire, True, self.client_address[0]) if len(wire) == length else None
            if answer is None:
                return
            self.wfile.write(struct.pack("!H", len(answer)) + answer)


class Udp(socketserver.UDPServer):
    """Each in its turn: an answer costs less than a thread."""

    max_packet_size = 65535

    def __init__(self, address: tuple[str, int], answer: Answer) -> None:
        self.answer = answer
        super().__init__(address, Datagram)

    def handle_error(self, request: object, client_address: object) -> None:
        _say(client_address)


class Tcp(socketserver.ThreadingTCPServer):
    """A thread for each connection, of which there are only so many."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = CONNECTIONS

    def __init__(self, address: tuple[str, int], answer: Answer) -> None:
        self.answer = answer
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(address, Stream)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], TimeoutError | ConnectionError):
            _say(client_address)


def _say(client_address: object) -> None:
    """One line, for whatever ends a question early."""
    print(f"{client_address}: {sys.exc_info()[1]!r}"[:300], file=sys.stderr, flush=True)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="name_server", description="Answers DNS from a hosted zone of Route 53.")
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--zone", required=True, help="its name")
    parser.add_argument("--api", required=True, help="URL of Route 53")
    parser.add_argument("--ca", required=True, type=Path, help="of the API, and of what health checks ask")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between looks at the zone")
    parser.add_argument(
        "--checks-every", type=float, help="seconds between health checks, whatever they say themselves"
    )
    words = parser.parse_args(argv)
    address, _, port = words.listen.rpartition(":")
    if not port.isdecimal():
        parser.error(f"--listen wants ADDRESS:PORT, not {words.listen}")

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        words.folder.mkdir(parents=True, exist_ok=True)
        log = Log(words.folder / FILE)
        own = timedelta(seconds=words.checks_every) if words.checks_every else None
        health = Health(ca=words.ca, log=log, every=own)
        zone = HostedZone(words.zone, url=words.api, ca=words.ca)
        held = Held(words.folder, read=zone.read, log=log, news=lambda new: health.watch(new.checks))
        answer = Answers(held, health, log)
        servers = [kind((address, int(port)), answer) for kind in (Udp, Tcp)]
    except (OSError, OverflowError) as error:
        print(f"name_server: {words.listen}, {words.folder}: {error}", file=sys.stderr)
        return 1
    log.write("begin", listen=words.listen)
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True).start()
    print(f"answers at {words.listen}", file=sys.stderr, flush=True)
    held.go_on(ended, every=timedelta(seconds=words.every))
    health.end()
    for server in servers:
        server.shutdown()
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
