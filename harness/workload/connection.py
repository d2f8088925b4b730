"""One customer's connection to the platform: kept alive for a moment, never trusted after an error.

Written on gevent's sockets, and not on a ready HTTP session, for the one thing that no session tells: whether the
request had begun to leave when something broke. Before, it is known not to be stored; after, it is in doubt.
It sends a request once: no retry, no redirect, no cookie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import gevent
import gevent.select
import gevent.socket
import gevent.ssl
from geventhttpclient.response import HTTPParseError, HTTPSocketResponse

from harness.system import clock
from harness.system.resolver import NotResolved, Resolver
from harness.workload.client import Message

OLDEST = timedelta(seconds=1)  # so that old connections hide an outage of new ones, or a switch of the name, no longer
NEXT_ADDRESS = 1.0  # seconds
BODY_LIMIT = 64 * 1024  # bytes; the platform's answers have under a hundred


@dataclass(frozen=True)
class Target:
    """Where the platform is: the name that customers know, and who says what it stands for."""

    host: str
    port: int
    resolver: Resolver
    tls: gevent.ssl.SSLContext | None

    @classmethod
    def at(cls, *, scheme: str, host: str, port: int, resolver: Resolver, ca: Path | None) -> Target:
        """With the certificate's name and chain checked, against `ca` or else the system's authorities.

        Errors: `OSError` (an `ssl.SSLError`, too) when `ca` is no readable certificate.
        """
        tls = gevent.ssl.create_default_context(cafile=ca) if scheme == "https" else None
        return cls(host=host, port=port, resolver=resolver, tls=tls)

    def open(self, addresses: Sequence[str]) -> gevent.socket.socket:
        """A connection to the first of these that takes one, as any client of their name does; one that says nothing
        is left after `NEXT_ADDRESS`.

        Errors: `OSError` of the last address.
        """
        for address in addresses[:-1]:
            try:
                opened = gevent.socket.create_connection((address, self.port), timeout=NEXT_ADDRESS)
            except OSError:
                continue
            opened.settimeout(None)
            return opened
        return gevent.socket.create_connection((addresses[-1], self.port))


@dataclass(frozen=True)
class Reply:
    """What came back of a request, and when: nanoseconds of the monotonic clock."""

    t: int
    status: int = 0  # 0: no answer, and `why` says why
    body: bytes = b""
    why: str = ""
    left: bool = True  # it had begun to leave, so that the platform may have had it

    def said(self, mask: Callable[[str], str] = str) -> str:
        """The answer in words, cut short; without one, why there is none. `mask`: of all of it, before it is cut."""
        return f"{self.status}: {mask(self.body.decode('utf-8', errors='replace'))[:120]}" if self.status else self.why


def never_left(why: str) -> Reply:
    """Nothing of it can have come to the platform."""
    return Reply(clock.mono(), why=f"never left: {why}", left=False)


class Connection:
    """At most one open connection, used by one request at a time.

    The name is resolved for every new one, and only then: one that is open stays where it is, though not for longer
    than `OLDEST`. `resolved` is told each answer; no address where there was none.
    """

    def __init__(self, target: Target, resolved: Callable[[Sequence[str]], object] = bool) -> None:
        self.target = target
        self._resolved = resolved
        self._socket: gevent.socket.socket | None = None
        self._opened = 0
        self._left = False

    def send(self, message: Message, *, until: int) -> Reply:
        """Send it, and wait for all of its answer `until` that reading of the monotonic clock.

        Never raises for what the platform or the network does.
        """
        self._left = False
        left = (until - clock.mono()) / 1e9
        if left <= 0:
            return never_left("its time was up before it could be sent")
        limit = gevent.Timeout(left)
        try:
            with limit:
                status, said = self._exchange(message)
        except gevent.Timeout as timeout:
            if timeout is not limit:
                raise
            return self._broken("time-out")
        except NotResolved as error:
            return self._broken(str(error))
        except (OSError, HTTPParseError, ValueError) as error:
            return self._broken(f"{type(error).__name__}: {error}")
        return Reply(clock.mono(), status, said)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _broken(self, why: str) -> Reply:
        reply = Reply(clock.mono(), why=why) if self._left else never_left(why)
        self.close()
        return reply

    def _exchange(self, message: Message) -> tuple[int, bytes]:
        sock = self._fresh()
        target = self.target
        more = "".join(f"{name}: {value}\r\n" for name, value in message.headers.items())
        head = (
            f"{message.method} {message.path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n"
            f"Content-Type: {message.content_type}\r\nAccept: {message.content_type}\r\n{more}"
            f"Content-Length: {len(message.body)}\r\n\r\n"
        )
        self._left = True
        sock.sendall(head.encode() + message.body)
        response = HTTPSocketResponse(sock, method=message.method)
        said: bytes = response.read(BODY_LIMIT)
        if response.should_close():
            self.close()
        return response.get_code(), said

    def _fresh(self) -> gevent.socket.socket:
        """The open connection if it is young and silent, else a new one."""
        if self._socket is not None:
            readable, _, _ = gevent.select.select([self._socket], [], [], 0)
            if readable or clock.since(self._opened) > OLDEST:
                self.close()
        if self._socket is None:
            plain = self.target.open(self._addresses())
            self._socket, self._opened = plain, clock.mono()  # known from here on, so that a time-out closes it
            if self.target.tls is not None:
                self._socket = self.target.tls.wrap_socket(plain, server_hostname=self.target.host)
        return self._socket

    def _addresses(self) -> Sequence[str]:
        """Errors: `NotResolved`."""
        try:
            found = self.target.resolver.resolve(self.target.host)
        except NotResolved:
            self._resolved(())
            raise
        self._resolved(found)
        return found
