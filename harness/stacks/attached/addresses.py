"""Where components are reached, also once they are dead: the engine forgets the address of what does not run."""

from __future__ import annotations

import threading
from pathlib import Path

from harness.errors import NotReady
from harness.system import control_files


class Addresses:
    """Kept in a file, for whoever heals is another process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, str] = {name: str(at) for name, at in (control_files.read(file) or {}).items()}

    def keep(self, name: str, address: str) -> None:
        """The last one that was seen stands."""
        with self._lock:
            if self._known.get(name) == address:
                return
            self._known[name] = address
            if self._file.parent.is_dir():
                control_files.leave(self._file, dict(self._known))

    def of(self, name: str) -> str:
        """Errors: `NotReady` where it was never seen."""
        if name not in self._known:
            raise NotReady(f"nobody knows the address of {name}: it was never seen running", hint="is it up?")
        return self._known[name]
