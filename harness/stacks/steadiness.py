"""Whether a stack that somebody else has started is steady: `python -m harness.stacks.steadiness FOLDER KIND`.

KIND is what `kinds.words` says of it, as JSON. It runs where the stack stands, asks once, and prints the conditions as
JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from harness.errors import DrillError, Exit
from harness.stacks import Condition, kinds
from harness.system.recorder import Memory


def main(folder: str, kind: str) -> int:
    """Returns the exit code: 0 where it could be asked, whatever it said."""
    given = json.loads(kind)
    try:
        stack = (kinds.told(given) or kinds.named(given["kind"])).maker.attach(Path(folder), recorder=Memory())
        conditions = stack.steady()
    except DrillError as error:
        print(error, file=sys.stderr)
        return int(error.exit)
    print(json.dumps([asdict(one) for one in conditions]))
    return int(Exit.MET)


def read(said: str) -> Sequence[Condition]:
    """What `main` has printed. Errors: `DrillError` where it is something else."""
    try:
        return [Condition(**one) for one in json.loads(said.splitlines()[-1])]
    except (IndexError, ValueError, TypeError):
        raise DrillError("the stack cannot be asked whether it is steady", hint="`drdrill stack status`") from None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
