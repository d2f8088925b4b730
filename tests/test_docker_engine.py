"""What a command in a container says arrives whole."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from harness.stacks.docker.engine import spoken


def test_what_came_with_the_headers_is_not_lost() -> None:
    """The buffer that has read them is read on, and not the socket beside it."""
    whole = b"HTTP/1.1 101 UPGRADED\r\n\r\n\1\0\0\0\0\0\0\5hello\2\0\0\0\0\0\0\4oops\1\0\0\0\0\0\0\0"
    stream = io.BufferedReader(io.BytesIO(whole))
    while stream.readline().strip():
        pass
    response = SimpleNamespace(raw=SimpleNamespace(_fp=SimpleNamespace(fp=stream)), close=stream.close)
    api: Any = SimpleNamespace(exec_start=lambda made, *, socket: SimpleNamespace(_response=response))
    assert list(spoken(api, "made")) == [(1, b"hello"), (2, b"oops"), (1, b"")]
    assert stream.closed
