"""Asks as a probe of the stack file says: the words of the blackbox exporter, carried out."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from harness.stacks.attached.file.described import Http, Probe, Tcp
from harness.stacks.attached.file.formats import address, filled
from harness.system import clock
from harness.system.http import DIRECT, NoAnswer
from harness.system.resolver import Fixed

PORTS = {"http": 80, "https": 443}


class Seen(NamedTuple):
    """Whether it is as it should be, and what was seen."""

    ok: bool
    said: str


def ask(probe: Probe, values: dict[str, str]) -> Seen:
    """Once. `values`: what the names in `${…}` stand for."""
    if probe.http is not None:
        return request(probe.http, values, within=probe.timeout)
    assert probe.tcp is not None
    return _connection(probe.tcp, values, within=probe.timeout)


def door(probe: Probe, values: dict[str, str]) -> tuple[str, int]:
    """Address and port at which it is asked."""
    if probe.http is None:
        return address(filled(probe.target, values))
    url = urlsplit(filled(probe.http.url, values))
    return url.hostname or "", url.port or PORTS[url.scheme]


def request(asked: Http, values: dict[str, str], *, within: timedelta) -> Seen:
    """A redirect is an answer like any other."""
    url = urlsplit(filled(asked.url, values))
    resolver = None
    if asked.server_name:
        resolver = Fixed((url.hostname or "",))
        url = url._replace(netloc=f"{asked.server_name}:{url.port}" if url.port else asked.server_name)
    headers = {name: filled(value, values) for name, value in asked.headers.items()}
    body = filled(asked.body, values).encode() if asked.body else None
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "application/json")
    try:
        answer = DIRECT.ask(
            asked.method, url.geturl(), within=within, sends=body, ca=asked.ca, resolver=resolver, content_type=kind,
            headers={name: value for name, value in headers.items() if name.lower() != "content-type"},
        )  # fmt: skip  # arguments in groups
    except NoAnswer as error:
        return Seen(False, str(error))
    said = f"HTTP {answer.status}"
    if answer.status not in asked.codes if asked.codes else not 200 <= answer.status < 300:
        return Seen(False, said)
    text = answer.body.decode(errors="replace")
    for wanted in asked.matches:
        if not re.search(wanted, text):
            return Seen(False, f"{said}, and its body does not match {wanted!r}")
    for unwanted in asked.matches_not:
        if re.search(unwanted, text):
            return Seen(False, f"{said}, and its body matches {unwanted!r}")
    return Seen(True, said)


def connection(target: str) -> str:
    """What becomes of one: `taken`, `refused` or `silent`."""
    try:
        socket.create_connection(address(target), timeout=1.0).close()
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "silent"
    return "taken"


def _connection(asked: Tcp, values: dict[str, str], *, within: timedelta) -> Seen:
    begin = clock.mono()

    def left() -> float:
        return max(0.01, (within - clock.since(begin)).total_seconds())

    try:
        with socket.create_connection(address(filled(asked.target, values)), timeout=left()) as opened:
            for line in asked.lines:
                opened.settimeout(left())
                if line.send:
                    opened.sendall(filled(line.send, values).encode() + b"\n")
                if line.expect and (said := _until_expected(opened, line.expect, left)):
                    return Seen(False, said)
    except OSError as error:
        return Seen(False, error.strerror or str(error))
    return Seen(True, "taken")


def _until_expected(opened: socket.socket, expected: str, left: Callable[[], float]) -> str:
    """Read line by line until one matches; what was wrong, empty where one did. Errors: `OSError`."""
    read = b""
    while True:
        opened.settimeout(left())
        if not (some := opened.recv(4096)):
            return f"it ended, and no line matched {expected!r}"
        read += some
        if any(re.search(expected, line.decode(errors="replace")) for line in read.split(b"\n")):
            return ""
        if len(read) > 100_000:
            return f"it says much, and no line matched {expected!r}"
