"""The simulated services for unit tests: in this process, each on a free port of this machine."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from harness.communications.channels import AtPage, Channel
from harness.communications.channels import bridge as bridges
from harness.communications.channels.mail import Mail
from harness.communications.channels.slack import Slack
from harness.communications.channels.status_page import StatusPage
from harness.communications.channels.teams import Teams
from harness.communications.channels.webhook import Pager
from harness.stacks.parts.receivers import SERVICES, control, store
from harness.stacks.parts.receivers import slack as slack_rules
from harness.stacks.parts.receivers import teams as teams_rules
from harness.stacks.parts.receivers.__main__ import open_all
from harness.stacks.parts.receivers.control import Control

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

    def channels(self) -> dict[str, Channel]:
        page = AtPage(self.url("page"))
        return {
            "slack": Slack(self.url("slack") + slack_rules.PATH, acknowledgements=page, within=SHORT),
            "teams": Teams(self.url("teams") + teams_rules.PATH, acknowledgements=page, within=SHORT),
            "pager": Pager(self.url("pager") + "/v2/enqueue", acknowledgements=page, within=SHORT),
            "e-mail": Mail(
                "127.0.0.1", self.ports["e-mail"], "drills@example.com", acknowledgements=page, within=SHORT
            ),
            "bridge": bridges.simulated(BRIDGE, self.url("page")),
            "status page": StatusPage(self.folder / "status.html", "Status of the platform"),
        }

    def came_in(self, service: str) -> list[dict[str, object]]:
        return [line for line in store.lines(self.folder) if line["service"] == service]
