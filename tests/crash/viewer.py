"""`python -m tests.crash.viewer ...`: `drdrill`, whose runs have the killer in them."""

from __future__ import annotations

from harness.__main__ import main
from harness.cli.run import RunRequest
from tests.crash.killer import PLUGIN

if __name__ == "__main__":
    words = RunRequest.words
    RunRequest.words = lambda request, run: [*words(request, run), *PLUGIN]
    main()
