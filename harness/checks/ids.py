"""The ids of findings, in one table: what versions 2 and 3 of the rules call by another name.

Packs of all versions meet where runs are compared, where the gate looks back and in the history.
"""

from __future__ import annotations

OLD_IDS = {"bit": "effective"}  # of rules up to version 3: as it is called since


def present_id(id: str) -> str:
    """What a finding is called today, whichever rules found it."""
    return OLD_IDS.get(id, id)
