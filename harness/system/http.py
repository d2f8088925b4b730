"""The one HTTP client: a request on a connection of its own, and all of its answer, or why there is none.

No redirects, no retries, no kept connections, which would hide what a new client meets; nothing of the user's
environment, such as a proxy, has a say. `within` is for everything: connection, TLS, request and answer.

The connection is opened and timed here, and urllib3 speaks HTTP over it: no library bounds the whole of a request.
The customers have a connection of their own, which says why (`harness.workload.connection`).
"""

from __future__ import annotations

import functools
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from harness.system import clock
from harness.system.resolver import Resolver

LONGEST = 1_000_000  # bytes of an answer's body
NEXT_ADDRESS = timedelta(seconds=1)  # after which a silent address is left for the next one of the same name


@dataclass(frozen=True)
class Response:
    """What came back, whatever its status."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)  # by their names in small letters

    def json(self) -> Any:
        """Errors: `ValueError`."""
        return json.loads(self.body)


class NoAnswer(ConnectionError):
    """Nothing came back, or not all of it.

    `taken`: whether a connection was made, its TLS included. `late`: whether somebody was silent until the time was up.
    """

    def __init__(self, why: str, *, taken: bool, late: bool = False) -> None:
        super().__init__(why)
        self.taken = taken
        self.late = late


class Http(Protocol):
    """A client. Tests have `Canned`."""

    def ask(
        self, method: str, url: str, *, within: timedelta, sends: object = None, ca: Path | None = None,
        resolver: Resolver | None = None, content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Response:  # fmt: skip  # parameters in groups
        """Ask once.

        `sends`: a body, bytes as they are and anything else as JSON; None sends none. `ca`: the authority that an
        `https` server's certificate has to be of; None takes this machine's. `resolver`: says which addresses the
        URL's host stands for, which are tried in their order as any client does; None asks this machine. `headers`:
        such as what says who asks, beside those that every request has.
        Errors: `NoAnswer`, also where the name is not resolved.
        """


class Direct:
    """Fills `Http`, straight to the address."""

    def ask(
        self, method: str, url: str, *, within: timedelta, sends: object = None, ca: Path | None = None,
        resolver: Resolver | None = None, content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Response:  # fmt: skip  # parameters in groups
        begin, taken = clock.mono(), False

        def left() -> float:
            seconds = (within - clock.since(begin)).total_seconds()
            if seconds <= 0:
                raise TimeoutError
            return seconds

        parts = urlsplit(url)
        name, secure = parts.hostname or "", parts.scheme == "https"
        opened: socket.socket | None = None
        limit: threading.Timer | None = None
        try:
            addresses = resolver.resolve(name) if resolver else (name,)
            opened = _connected(addresses, parts.port or (443 if secure else 80), left)
            if secure:
                opened = _trusting(ca).wrap_socket(opened, server_hostname=name, do_handshake_on_connect=False)
            # It ends what drips, too: a limit on each read would begin anew with every byte.
            limit = threading.Timer(left(), _end, (opened,))
            limit.start()
            if isinstance(opened, ssl.SSLSocket):
                opened.settimeout(left())
                opened.do_handshake()
            taken = True
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            body = sends if sends is None or isinstance(sends, bytes) else json.dumps(sends).encode()
            found = _exchange(
                opened, method, path, host=parts.netloc, body=body, content_type=content_type, seconds=left(),
                more=headers or {},
            )  # fmt: skip  # arguments in groups
            left()  # what was cut off by the limit may look whole
            return found
        except (OSError, ValueError, HTTPException) as error:
            if isinstance(error, TimeoutError) or clock.since(begin) >= within:
                raise NoAnswer(f"no answer within {within.total_seconds():g} s", taken=taken, late=True) from None
            raise NoAnswer(_why(error), taken=taken) from None
        finally:
            if limit is not None:
                limit.cancel()
            if opened is not None:
                opened.close()


DIRECT: Http = Direct()


@dataclass(frozen=True)
class Canned:
    """Fills `Http` for tests: the same answer to everything, or none."""

    answer: Response | None

    def ask(self, method: str, url: str, **_: object) -> Response:
        if self.answer is None:
            raise NoAnswer(f"nobody answers {method} {url}", taken=False)
        return self.answer


def _connected(addresses: Sequence[str], port: int, left: Callable[[], float]) -> socket.socket:
    """A connection to the first address that takes one. Errors: `OSError` of the last."""
    for address in addresses[:-1]:
        with suppress(OSError):
            return socket.create_connection((address, port), timeout=min(NEXT_ADDRESS.total_seconds(), left()))
    return socket.create_connection((addresses[-1], port), timeout=left())


def _exchange(
    opened: socket.socket, method: str, path: str, *, host: str, body: bytes | None, content_type: str, seconds: float,
    more: Mapping[str, str],
) -> Response:  # fmt: skip  # parameters in groups
    """One request and its answer. Errors: `OSError`, `HTTPException`, `ValueError` for an answer that is too long."""
    import urllib3  # noqa: PLC0415  (commands that ask nobody start without it)

    headers = {**more, "Host": host, "Connection": "close", "User-Agent": "drdrill"}
    if body is not None:
        headers |= {"Content-Type": content_type, "Accept": content_type}
    connection = urllib3.connection.HTTPConnection(host, timeout=seconds)
    connection.sock = opened
    try:
        connection.request(method, path, body=body, headers=headers, preload_content=False)
        with connection.getresponse() as answer:
            status, said = answer.status, answer.read(LONGEST + 1)
            told = {name.lower(): value for name, value in answer.headers.items()}
    except urllib3.exceptions.HTTPError as error:
        raise ConnectionError(str(error)) from error
    if len(said) > LONGEST:
        raise ValueError(f"an answer of more than {LONGEST} bytes")
    return Response(status, said, told)


def _end(opened: socket.socket) -> None:
    with suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)


def _trusting(ca: Path | None) -> ssl.SSLContext:
    """As long as the file is the same: a run may make a second stack, with another authority, in the same place."""
    found = ca.stat() if ca else None
    return _context(ca, (found.st_ino, found.st_mtime_ns) if found else None)


@functools.lru_cache(maxsize=64)
def _context(ca: Path | None, _file: tuple[int, int] | None) -> ssl.SSLContext:
    """Kept, because reading the authority's certificate costs more than a request."""
    return ssl.create_default_context(cafile=ca)


def _why(error: Exception) -> str:
    if isinstance(error, RemoteDisconnected):
        return "it breaks off without an answer"
    if isinstance(error, BadStatusLine):
        return "what it answers is not HTTP"
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return said or type(error).__name__
