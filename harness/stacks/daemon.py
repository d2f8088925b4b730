"""Holds a stack that was brought up by hand: `python -m harness.stacks.daemon KIND FOLDER SCALE`, where it stands."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

from harness.errors import DrillError
from harness.stacks import kinds
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Startable
from harness.stacks.capabilities.entrance import Explorable
from harness.stacks.local import sandbox
from harness.system.recorder import Memory


def hold(kind: str, folder: Path, *, scale: float) -> int:
    """Start the stack, say where everything is in `ready.json`, and keep it until told to end."""
    maker = kinds.named(kind).maker
    stack = maker.open(folder / "stack", recorder=Memory(), label=folder.name, scale=scale, broken={})
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        need(stack, Startable).start()
        ready = {"kind": kind, **need(stack, Explorable).explore(), "sandbox": os.environ.get(sandbox.SANDBOX)}
        fresh = folder / "ready.new"
        fresh.write_text(json.dumps(ready, indent=1))
        fresh.rename(folder / "ready.json")
        ended.wait()
    except DrillError as error:
        print(error, file=sys.stderr)
        return int(error.exit)
    finally:
        need(stack, Startable).stop()
    return 0


if __name__ == "__main__":
    sys.exit(hold(sys.argv[1], Path(sys.argv[2]), scale=float(sys.argv[3])))
