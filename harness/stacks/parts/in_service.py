"""Which region of a stack is in service: the one that customers are told of, whose database everybody asks."""

from __future__ import annotations

import os
from pathlib import Path

from harness.system.durable import sync_folder


class InService:
    """Kept on the disk, so that whoever comes later knows it, too. Nothing is there until a region was promoted."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "in-service"

    def is_now(self, region: str) -> None:
        """On the disk when it returns. Harmless when repeated."""
        fresh = self._file.with_suffix(".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            os.write(handle, region.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(self._file)
        sync_folder(self._file.parent)

    def region(self) -> str:
        """Empty where none was ever promoted."""
        try:
            return self._file.read_text()
        except FileNotFoundError:
            return ""
