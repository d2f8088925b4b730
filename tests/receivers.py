"""The simulated services for unit tests: in this process, each on a free port of this machine."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from harness.communications.channels import PATIENCE, Channel, simulated
from harness.stacks.parts.receivers import SERVICES, control, store
from harness.stacks.parts.receivers.__main__ import open_all
from harness.stacks.parts.receivers.control import Control
from harness.stacks.parts.receivers.unit import PATHS

SHORT = timedelta(seconds=0.4)  # for an answer that does not come
BRIDGE = "+1-555-0199"


def free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@dataclass
class Receivers:
    """All of them, and a channel to each."""

    folder: Path
    ports: Mapping[str, int] = field(
        default_factory=lambda: dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    )

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.opened = open_all(
            store.Store(self.folder), {name: ("127.0.0.1", port) for name, port in self.ports.items()}
        )

    def stop(self) -> None:
        for each in self.opened:
            each.stop()

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def behave(
        self, modes: Mapping[str, str] | None = None, *, people: Mapping[str, timedelta | None] | None = None,
        otherwise: timedelta | None = None,
    ) -> None:  # fmt: skip  # parameters in groups
        control.leave(
            self.folder,
            Control({name.replace("_", "-"): mode for name, mode in (modes or {}).items()}, people or {}, otherwise),
        )

    def channels(self, within: timedelta = PATIENCE) -> dict[str, Channel]:
        urls = {name: self.url(name) + PATHS.get(name, "") for name in SERVICES}
        urls["e-mail"] = urls["e-mail"].replace("http", "smtp")
        page = self.folder / "status.html"
        return simulated.channels(
            urls, status_page=page, title="Status of the platform", bridge_number=BRIDGE, within=within
        )

    def came_in(self, service: str) -> list[dict[str, object]]:
        return [line for line in store.lines(self.folder) if line["service"] == service]
