"""How a pack is shown. Reports read packs only, and are pure: the same files always give the same bytes."""

from __future__ import annotations

from pathlib import Path

from reports import junit, page, root_cause
from reports.pack import read


def build(folder: Path) -> dict[str, bytes]:
    """Every report of a pack, file name to content. Errors: `Refused` when the folder is no pack."""
    pack = read(folder)
    built = {"index.html": page.html(pack).encode(), "junit.xml": junit.xml(pack)}
    return built | root_cause.documents(pack)
