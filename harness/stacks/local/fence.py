"""The fence device of an embedded stack by hand, as a power controller's command is on a real machine.

    python -m harness.stacks.local.fence off|on|status REGION

`off` keeps the database servers of the region off until `on`, which is refused while they would lead beside another
region. For the stack whose folder is in STACK_FOLDER, from inside its sandbox.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.errors import DrillError, Exit, Refused
from harness.stacks import regional
from harness.stacks.capabilities import need
from harness.stacks.capabilities.regions import RegionFence
from harness.stacks.local.by_hand import FOLDER
from harness.stacks.local.stack import LocalStack
from harness.system.recorder import Memory

VERBS = ("off", "on", "status")


def main(words: list[str]) -> int:
    """Returns the exit code."""
    try:
        if len(words) != 2 or words[0] not in VERBS:
            raise Refused(f"cannot do {' '.join(words) or 'nothing'}", hint=f"{', '.join(VERBS)}, and a region")
        verb, name = words
        stack = LocalStack.attach(Path(os.environ.get(FOLDER, "")), recorder=Memory())
        fence = need(stack, RegionFence)
        servers = regional.servers(stack, name)
        if verb == "off":
            fence.fence_region(name)
        elif verb == "on":
            fence.unfence_region(name)
        running = [each for each in servers if stack.components()[each].running()]
        print(
            f"{name} is {'' if fence.region_is_fenced(name) else 'not '}fenced; running: {' '.join(running) or 'none'}"
        )
    except DrillError as error:
        print(error, file=sys.stderr)
        return int(error.exit)
    return int(Exit.MET)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
