"""What one question has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MARKS = {True: "✓", False: "✗", None: "?"}


@dataclass(frozen=True)
class Line:
    """`ok` None: nobody can tell, or nothing could be asked. `hint`: what to do about it, where something is to do."""

    part: str  # of the stack file
    what: str
    ok: bool | None
    seen: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{MARKS[self.ok]} {self.part}: {self.what}: {self.seen}"

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        hint = {"hint": self.hint} if self.hint else {}
        return {"part": self.part, "what": self.what, "ok": self.ok, "seen": self.seen, **hint}
