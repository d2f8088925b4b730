"""The simulated services as one component of a stack."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.stacks.parts.ground import Ground, Runs, Unit
from harness.stacks.parts.receivers import SERVICES, slack, teams, webhook

NAME = "message-receivers"
PORTS = dict(zip(SERVICES, range(9121, 9121 + len(SERVICES)), strict=True))
PATHS = {"slack": slack.PATH, "teams": teams.PATH, "pager": webhook.PAGERDUTY}


def folder(ground: Ground) -> Path:
    """What they keep. It has addresses of people: it never comes into a pack."""
    return ground.folder / "received-messages"


def unit(ground: Ground, *, address: str, place: str = "") -> Unit:
    """Not started."""
    module = [sys.executable, "-P", "-m", "harness.stacks.parts.receivers", f"--folder={folder(ground)}"]
    words = [*module, *(f"--{name}={address}:{port}" for name, port in PORTS.items())]

    def argv() -> list[str]:
        folder(ground).mkdir(mode=0o700, parents=True, exist_ok=True)  # by whoever drills, and for nobody else
        return words

    return ground.unit(NAME, runs=Runs.HARNESS, place=place, argv=argv)


def urls(address: str) -> dict[str, str]:
    """Where each of them is reached."""
    return {
        name: f"{'smtp' if name == 'e-mail' else 'http'}://{address}:{port}{PATHS.get(name, '')}"
        for name, port in PORTS.items()
    }
