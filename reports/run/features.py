"""The sentences of a scenario, read from the feature files of a pack, and the demands that its tags name."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness.errors import Refused
from harness.evidence import files
from harness.features import catalog
from harness.features.catalog import Sentence


@dataclass(frozen=True)
class Wording:
    """A scenario as it is written: the feature's name, the sentences, its tags without `@`."""

    feature: str
    title: str
    sentences: tuple[Sentence, ...]
    tags: tuple[str, ...]


def find(folder: Path, title: str) -> Wording | None:
    """The scenario of that title in the pack's features, examples filled in; None where it cannot be read."""
    for path in sorted((folder / "features").rglob("*.feature")):
        with suppress(Refused):
            drill = catalog.read(path)
            for scenario in drill.scenarios:
                if scenario.title == title:
                    return Wording(drill.title, title, scenario.sentences, scenario.tags)
    return None


def titles(folder: Path) -> dict[str, str]:
    """Drill to the title that its feature has in the pack; what cannot be read is left out."""
    found: dict[str, str] = {}
    for path in sorted((folder / "features").rglob("*.feature")):
        with suppress(Refused):
            found[path.stem.replace("_", "-")] = catalog.read(path).title
    return found


def demands(folder: Path) -> dict[str, str]:
    """Demand ids and their sentences from the pack's plan; empty where it cannot be read."""
    path = folder / "plan.yaml"
    try:
        plan = yaml.safe_load(files.content(path, largest=files.LARGEST_TEXT).decode())
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    listed = plan.get("demands") if isinstance(plan, dict) else None
    found = listed.items() if isinstance(listed, dict) else ()
    return {str(id): text for id, text in found if isinstance(text, str)}  # an alias may say a billion others
