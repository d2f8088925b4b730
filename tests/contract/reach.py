"""Whether an address can be reached from where this runs: `python -m tests.contract.reach ADDRESS PORT`."""

from __future__ import annotations

import socket
import sys

PATIENCE = 4.0  # seconds

if __name__ == "__main__":
    try:
        socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=PATIENCE).close()
        print("connected")
    except OSError as error:
        print(type(error).__name__)
