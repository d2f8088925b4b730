"""Every report of a pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reports.pack import read
from reports.run import junit, page, root_cause


def build(folder: Path, *, doubts: Sequence[str] = ()) -> dict[str, bytes]:
    """Every report of a pack, file name to content; `doubts` about its findings stand on top of its page.

    Errors: `Refused` when the folder is no pack.
    """
    pack = replace(read(folder), doubts=tuple(doubts))
    built = {"index.html": page.html(pack).encode(), "junit.xml": junit.xml(pack)}
    return built | root_cause.documents(pack)
