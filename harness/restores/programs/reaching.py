"""Prints what becomes of connections to host:port, or to a socket file: `taken`, `refused`, or the system's words.

Standard library alone: it runs inside a place, where nothing of the harness need be in sight.
"""

from __future__ import annotations

import errno
import socket
import sys
from pathlib import Path

PATIENCE = 3.0  # seconds


def became(address: str) -> str:
    """Of one of them."""
    target: str | tuple[str, int]
    if address.startswith("/"):
        path = Path(address)
        path = path / ".s.PGSQL.5432" if path.is_dir() else path
        family, target = socket.AF_UNIX, str(path)
    else:
        host, _, port = address.rpartition(":")
        family, target = socket.AF_INET6 if ":" in host else socket.AF_INET, (host, int(port))
    try:
        with socket.socket(family, socket.SOCK_STREAM) as handle:
            handle.settimeout(PATIENCE)
            handle.connect(target)
    except TimeoutError:
        return f"nothing within {PATIENCE:g} s"
    except OSError as error:
        return "refused" if error.errno == errno.ECONNREFUSED else error.strerror or str(error)
    return "taken"


if __name__ == "__main__":
    found = list(dict.fromkeys(became(address) for address in sys.argv[1:]))
    print("taken" if "taken" in found else "; ".join(found))
