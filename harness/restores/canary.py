"""A door on this machine that a place must not reach: whoever gets through to it has a way out.

It listens at an address of this machine that is not loopback, which every network has of its own. Nothing leaves it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SAID = "this machine"  # in the stead of its address, which is nobody's business who reads a pack
NOWHERE = ("192.0.2.1", 9)  # RFC 5737: to ask which address of ours would be taken; nothing is sent


@contextmanager
def canary() -> Iterator[str]:
    """Its address, host:port; empty where this machine has none but loopback's."""
    found = _own_address()
    if not found:
        yield ""
        return
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as door:
        door.bind((found, 0))
        door.listen()
        yield f"{found}:{door.getsockname()[1]}"


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking, suppress(OSError):
        asking.connect(NOWHERE)
        found = str(asking.getsockname()[0])
        return "" if found.startswith("127.") or found == "0.0.0.0" else found
    return ""
