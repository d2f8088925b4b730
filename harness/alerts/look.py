"""One look at a target: a real request on a connection of its own, and never longer than its limit.

A kept connection would hide what a new customer meets. No proxy of the user has a say.
"""

from __future__ import annotations

import functools
import socket
import ssl
from datetime import timedelta
from urllib.parse import urlsplit

from harness.alerts.rules import Look, Target
from harness.system import clock

LONGEST_HEAD = 10_000  # bytes until the answer's first line is there


def look(target: Target, *, within: timedelta) -> Look:
    """Ask once. `within` is for all of it: connection, TLS, request and the beginning of the answer."""
    begin, taken = clock.mono(), False

    def left() -> float:
        seconds = (within - clock.since(begin)).total_seconds()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    url = urlsplit(target.url)
    host, secure = url.hostname or "", url.scheme == "https"
    try:
        opened = socket.create_connection((host, url.port or (443 if secure else 80)), timeout=left())
        with opened:
            opened.settimeout(left())
            if secure:
                opened = _trusting(target.ca).wrap_socket(opened, server_hostname=target.host or host)
            with opened:
                taken = True
                opened.settimeout(left())
                opened.sendall(_request(url.path or "/", target.host or url.netloc))
                head = b""
                while b"\r\n" not in head and len(head) < LONGEST_HEAD:
                    opened.settimeout(left())
                    more = opened.recv(4096)
                    if not more:
                        break
                    head += more
    except TimeoutError:
        return Look(0, f"no answer within {within.total_seconds():g} s", taken)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Look(0, said or type(error).__name__, taken)
    words = head.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        return Look(0, "what it answers is not HTTP" if head else "it breaks off without an answer", taken)
    return Look(int(words[1]), f"HTTP {int(words[1])}", taken)


def _request(path: str, host: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: drdrill-prober", "Connection: close", "", ""]
    return "\r\n".join(lines).encode()


@functools.cache
def _trusting(ca: str) -> ssl.SSLContext:
    """Reading the authority's certificate costs more than a look."""
    return ssl.create_default_context(cafile=ca or None)
