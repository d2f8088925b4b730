"""What a command in a container says arrives whole."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import Refused
from harness.stacks.docker.engine import spoken

OUT, ERR, EMPTY = b"\1\0\0\0\0\0\0\5hello", b"\2\0\0\0\0\0\0\4oops", b"\1\0\0\0\0\0\0\0"


def said(stream: Any) -> list[tuple[int, bytes]]:
    """What arrives, by a socket that may be silent for as long as it likes."""
    response = SimpleNamespace(raw=SimpleNamespace(_fp=SimpleNamespace(fp=stream)), close=stream.close)
    started, patient = SimpleNamespace(_response=response), list[object]()
    api: Any = SimpleNamespace(exec_start=lambda made, *, socket: started, _disable_socket_timeout=patient.append)
    try:
        return list(spoken(api, "made"))
    finally:
        assert patient == [started] and stream.closed


def test_what_came_with_the_headers_is_not_lost() -> None:
    """The buffer that has read them is read on, and not the socket beside it."""
    stream = io.BufferedReader(io.BytesIO(b"HTTP/1.1 101 UPGRADED\r\n\r\n" + OUT + ERR + EMPTY))
    while stream.readline().strip():
        pass
    assert said(stream) == [(1, b"hello"), (2, b"oops"), (1, b"")]


def test_an_engine_that_goes_away_is_told() -> None:
    """Half of a frame's header is the end; a connection that breaks is an error with a hint."""
    assert said(io.BytesIO(OUT + ERR[:3])) == [(1, b"hello")]

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("reset by peer")

    with pytest.raises(Refused, match="does not answer: reset by peer"):
        said(Broken())
