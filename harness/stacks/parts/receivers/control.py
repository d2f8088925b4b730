"""How the simulated services behave, as a small file that is read anew at each request.

`{"modes": {"slack": "hangs"}, "people": {"mira@example.com": 2.5}, "otherwise": null}`: what is not named is `up`;
whoever's address is in a message acknowledges it after so many seconds, or never (null).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.stacks.parts.receivers import SERVICES
from harness.system import control_files

FILE = "control.json"
HTTP_MODES = {
    "up": "takes what is sound",
    "refuses": "says for good that it takes nothing",
    "defers": "says that it takes nothing for now",
    "rate-limited": "takes one message every few seconds, and says when the next may come",
    "html": "answers 200 with a page for people, as a proxy does",
    "hangs": "takes the request and never answers",
    "loses": "says that it took the message, and loses it",
    "down": "has its port closed",
}
MODES = {
    **dict.fromkeys(("slack", "teams", "pager"), HTTP_MODES),
    "e-mail": {name: what for name, what in HTTP_MODES.items() if name != "html"},
    "page": {name: HTTP_MODES[name] for name in ("up", "down")},
}


@dataclass(frozen=True)
class Control:
    """What is asked of all of them. None: never."""

    modes: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, timedelta | None] = field(default_factory=dict, repr=False)
    otherwise: timedelta | None = None

    def mode(self, service: str) -> str:
        return self.modes.get(service, "up")

    def acknowledges(self, text: str) -> timedelta | None:
        """After which time whoever this text names acknowledges it."""
        named = [after for address, after in self.people.items() if address in text]
        return named[0] if named else self.otherwise


def leave(folder: Path, control: Control) -> None:
    """Have them behave so from now on. Errors: `Refused` for a mode that a service has not, `OSError`."""
    for service, mode in control.modes.items():
        if service not in SERVICES or mode not in MODES[service]:
            known = ", ".join(MODES.get(service, SERVICES))
            raise Refused(f"the simulated {service} has no mode {mode}", hint=f"there are: {known}")
    people = {address: _seconds(after) for address, after in control.people.items()}
    content = {"modes": dict(control.modes), "people": people, "otherwise": _seconds(control.otherwise)}
    control_files.leave(folder / FILE, content, private=True)


def read(folder: Path) -> Control:
    """As it was left; what nobody has said is usual, and what cannot be read is, too."""
    found = control_files.read(folder / FILE) or {}
    return Control(
        {service: mode for service, mode in _block(found, "modes").items() if mode in MODES.get(service, ())},
        {address: _length(after) for address, after in _block(found, "people").items()},
        _length(found.get("otherwise")),
    )


def _block(found: dict[str, Any], name: str) -> dict[str, Any]:
    block = found.get(name)
    return block if isinstance(block, dict) else {}


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def _length(seconds: object) -> timedelta | None:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds < 1e6:
        return None
    return timedelta(seconds=seconds)
