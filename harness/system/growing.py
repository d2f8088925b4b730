"""A file that somebody else writes, line by line, read as far as it goes."""

from __future__ import annotations

from pathlib import Path


class Growing:
    """Each look reads only what was added since the last one. Half a line is left for the next look."""

    def __init__(self) -> None:
        self._at = 0  # bytes read

    def lines(self, path: Path) -> list[bytes]:
        """The whole lines that were added, without their ends; none where there is no file.

        `path` is where it is now: its folder may get another name meanwhile.
        """
        try:
            with path.open("rb") as source:
                source.seek(self._at)
                added = source.read()
        except (FileNotFoundError, NotADirectoryError):
            return []
        whole, newline, _ = added.rpartition(b"\n")
        self._at += len(whole) + len(newline)
        return whole.split(b"\n") if newline else []
