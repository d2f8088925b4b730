"""What the keepers of a database call a position and a history: the stack says it in `stack.ready`, for findings and
reports to say it too. The checks themselves know no more of either than that a position only grows within one history.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEUTRAL = {"position": "position", "history": "history", "histories": "histories"}


def called(ready: Mapping[str, Any]) -> dict[str, str]:
    """Each of the words above as the data of a line `stack.ready` has it; as it is where nothing is said."""
    told = ready.get("words")
    said = told if isinstance(told, dict) else {}
    return {word: str(said.get(word) or word) for word in NEUTRAL}
