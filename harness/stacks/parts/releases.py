"""The releases of the platform's API: a file each in the stack's folder, and the history of what was deployed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.stacks.parts.ground import Unit
from harness.stacks.stand_in import release
from harness.system import clock, wait
from harness.system.clock import Moment

DEPLOYED = "deployed.json"
SOON, OFTEN = timedelta(seconds=10), timedelta(milliseconds=2)


class FileReleases:
    """Fills the protocol Releases. Every zone's API is started with the release that `file` names then."""

    def __init__(self, folder: Path, *, services: Mapping[str, Unit]) -> None:
        self._folder = folder
        self._services = services

    def current(self) -> str:
        return self.history()[-1]

    def history(self) -> list[str]:
        deployed = self._folder / DEPLOYED
        if not deployed.exists():
            self.publish(release.FIRST, release.CONTENT)
            self._write(DEPLOYED, [release.FIRST])
        found: list[str] = json.loads(deployed.read_text())
        return found

    def publish(self, name: str, content: Mapping[str, Any]) -> None:
        self._write(f"{name}.json", dict(content))

    def content(self, name: str) -> Mapping[str, Any]:
        """Errors: `Refused` where there is no such release."""
        try:
            found: dict[str, Any] = json.loads(self._file(name).read_text())
        except FileNotFoundError:
            known = sorted(path.stem for path in self._folder.glob("*.json") if path.name != DEPLOYED)
            raise Refused(f"there is no release {name!r}", hint=f"releases: {', '.join(known)}") from None
        return found

    def deploy(self, name: str) -> Moment | None:
        """From when the first server was asked to stop until the last one had. Errors: `Refused` where there is no
        such release."""
        self.content(name)
        self._write(DEPLOYED, [*self.history(), name])
        services = list(self._services.values())
        earliest = clock.mono()
        with ThreadPoolExecutor(max(1, len(services))) as pool:  # an engine takes its time over each
            list(pool.map(lambda service: service.ask_to_stop(), services))
        gone = wait.poll(lambda: not any(service.running() for service in services), within=SOON, every=OFTEN)
        known = [service.ended() for service in services]
        latest = clock.mono()
        for service in services:
            service.wait_stopped()
        latest = latest if gone else clock.mono()
        for service in services:
            service.start()
        ended = [one for one in known if one is not None]
        latest = max(ended) if len(ended) == len(services) else latest
        return Moment(earliest, max(earliest, latest), "the first server was asked to stop, and the last one had ended")

    def file(self) -> Path:
        """Of the release that is deployed."""
        return self._file(self.current())

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _write(self, name: str, content: Any) -> None:
        """Whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        new = self._folder / f"{name}.new"
        new.write_text(json.dumps(content, indent=1))
        new.rename(self._folder / name)
