"""Start or stop one component of an embedded stack by hand, as `systemctl` does on a real machine.

    python -m harness.stacks.local.unit start|stop COMPONENT...

For the stack whose folder is in STACK_FOLDER, from inside its sandbox: `drdrill stack exec -- python -m ...`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.errors import DrillError, Exit, Refused
from harness.stacks.local.by_hand import FOLDER
from harness.stacks.local.stack import LocalStack
from harness.system.recorder import Memory


def main(verb: str, names: list[str]) -> int:
    """Returns the exit code; several are asked to stop at once."""
    try:
        stack = LocalStack.attach(Path(os.environ.get(FOLDER, "")), recorder=Memory())
        known = stack.components()
        if verb not in ("start", "stop") or not names or not set(names) <= set(known):
            raise Refused(
                f"cannot {verb or 'do'} {' '.join(names) or 'nothing'}",
                hint=f"start or stop, and some of: {', '.join(sorted(known))}",
            )
        found = [known[name] for name in names]
        for component in found:
            if verb == "start":
                component.start()
            else:
                component.ask_to_stop()
        for component in found if verb == "stop" else ():
            component.wait_stopped()
    except DrillError as error:
        print(error, file=sys.stderr)
        return int(error.exit)
    return int(Exit.MET)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:]))
