"""From nothing to a verdict, as docs/restore-beside.md has it: init, stack check, run, verify."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from tests.real.by_command import drdrill, run_drill

SEEN = r"orders takes .* and has 25\d\d rows now"


def comes_out_met(tool: str, given: Sequence[str | Path], folder: Path, *, seen: str = SEEN, **env: str) -> Path:
    """What `init` writes is enough, and an auditor judges it again. Returns the folder of the project.

    `seen`: a regular expression for what the stack file says of the rows.
    """
    name = f"Backups {os.getpid()}"  # one run at a time drills what has this name
    begun = drdrill("init", "--backups", tool, *given, "--name", name, "--into", "project", "--yes", cwd=folder, **env)
    assert begun.exit == 0 and "could not" not in begun.said, begun.said
    project = folder / "project"
    assert re.search(seen, (project / "stack.yaml").read_text()), (project / "stack.yaml").read_text()
    checked = drdrill("stack", "check", "stack.yaml", cwd=project, **env)
    assert checked.exit == 0 and "all of it holds" in checked.said, checked.said
    verdict = run_drill(project, **env)
    assert verdict.findings and verdict.ended.exit == 0, verdict.ended.said
    for database in verdict.findings:
        assert verdict.not_met(database) == {}, verdict.ended.said
        assert {"restore-time", "backup-age", "rows-proved", "pages-sound"} <= set(verdict.outcomes(database))
    (key,) = set(re.findall(r"--key ([0-9a-f]{64})", verdict.ended.said))
    verified = drdrill("verify", "--judge", "--key", key, verdict.pack, cwd=project)
    assert verified.exit == 0, verified.said
    return project
