"""Which drills were not run whole: a run with `--only` is no run of its drill, whatever its verdict is."""

from __future__ import annotations

from harness.errors import Refused
from harness.evidence import files
from harness.features import catalog
from reports.pack import Pack
from reports.words import counted


def partly(pack: Pack) -> list[str]:
    """A sentence for each drill of which not all scenarios were planned, by the pack's own features.

    None for a sabotaged run, which says so itself, and where the features cannot be read.
    """
    planned, named = pack.begin.get("scenarios"), pack.begin.get("drill")
    if pack.begin.get("sabotage") or not isinstance(planned, list):
        return []
    try:
        files.features(pack.folder / "features")
        drills = catalog.drills(pack.folder / "features")
    except (OSError, Refused):
        return []
    chosen = set(map(str, planned))
    said = []
    for drill in drills:
        there = {scenario.name for scenario in drill.scenarios}
        ran = len(there & chosen)
        if ran < len(there) and drill.name in (named if isinstance(named, list) else [named]):
            said.append(f"{ran} of {counted(len(there), 'scenario')} of {drill.title}: does not count for the calendar")
    return said
