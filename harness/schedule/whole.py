"""Which drills a run did whole: by the features in its own pack, what it announced, and what was judged."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.checks import Outcome
from harness.errors import Refused
from harness.evidence import files
from harness.features import catalog

Known = dict[str, tuple[tuple[str, str], ...]]  # drill: name and title of each of its scenarios, none left out


@dataclass
class Features:
    """Drill to its scenarios (name and title) of each pack; features with the same bytes are read once."""

    read: dict[str, Known] = field(default_factory=dict)

    def of(self, pack: Path) -> Known:
        folder = pack / "features"
        try:
            digest = hashlib.sha256(repr(files.features(folder)).encode()).hexdigest()
            if digest not in self.read:
                self.read[digest] = {
                    drill.name: tuple((scenario.name, scenario.title) for scenario in drill.scenarios)
                    for drill in catalog.drills(folder)
                }
        except (OSError, Refused):
            return {}
        return self.read[digest]


def whole(known: Known, planned: Sequence[str], verdicts: Mapping[str, Outcome]) -> frozenset[str]:
    """The drills that were run whole: each scenario is there once, was announced once, and has a verdict.

    Where one was announced that no drill has, it cannot be said of which drill a part is missing: none is whole.
    """
    announced = Counter(planned)
    listed = Counter(name for scenarios in known.values() for name, _ in scenarios)
    if announced.keys() - listed.keys():
        return frozenset()
    return frozenset(
        drill
        for drill, scenarios in known.items()
        if scenarios and all(listed[name] == announced[name] == 1 and name in verdicts for name, _ in scenarios)
    )
