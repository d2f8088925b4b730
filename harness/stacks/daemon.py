"""Holds a stack that was brought up by hand: `python -m harness.stacks.daemon KIND FOLDER SCALE REGIONS`, where it
stands.

Of a kind that a project brings, its place and the project's folder follow.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

from harness.errors import DrillError
from harness.evidence.run_folder import STACK_FOLDER
from harness.stacks import kinds
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.components import Startable
from harness.stacks.capabilities.entrance import Explorable
from harness.stacks.local import sandbox
from harness.system.recorder import Memory


def hold(kind: str, folder: Path, place: str = "", project: str = "", *, scale: float, regions: int) -> int:
    """Start the stack, say where everything is in `ready.json`, and keep it until told to end.

    `place` and `project`: of a kind that a project brings.
    """
    chosen = kinds.told({"kind": kind, "place": place, "folder": project}) or kinds.named(kind)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    stack = None
    try:
        stack = chosen.maker.open(
            folder / STACK_FOLDER, recorder=Memory(), label=folder.name, scale=scale, broken={}, regions=regions
        )
        need(stack, Startable).start()
        explorable = find(stack, Explorable)
        ready = {
            "kind": kind,
            **(explorable.explore() if explorable else {}),
            "sandbox": os.environ.get(sandbox.SANDBOX),
        }
        fresh = folder / "ready.new"
        fresh.write_text(json.dumps(ready, indent=1))
        fresh.rename(folder / "ready.json")
        ended.wait()
    except DrillError as error:
        print(error, file=sys.stderr)
        return int(error.exit)
    finally:
        if stack is not None:
            need(stack, Startable).stop()
    return 0


if __name__ == "__main__":
    named, where, size, number, *own = sys.argv[1:]
    sys.exit(hold(named, Path(where), *own, scale=float(size), regions=int(number)))
