"""Where each component of a platform is reached from outside: its addresses, and what the engine publishes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.stacks.attached.stack import AttachedStack

EVERYWHERE = ("0.0.0.0", "::", "")
LOCAL = ("127.0.0.1", "localhost", "::1")
At = tuple[str, int]


def doors(stack: AttachedStack) -> Mapping[str, Sequence[At]]:
    """By component; the port 0 stands for all of an address. Those of what does not run are not known."""
    return {name: _of(found.attrs) for name, box in stack.boxes.items() if (found := box.look()) is not None}


def _of(attrs: Mapping[str, Any]) -> list[At]:
    settings = attrs.get("NetworkSettings", {})
    found: list[At] = [(net["IPAddress"], 0) for net in settings.get("Networks", {}).values() if net.get("IPAddress")]
    for published in (settings.get("Ports") or {}).values():
        for one in published or ():
            hosts = LOCAL if one["HostIp"] in EVERYWHERE else (one["HostIp"],)
            found += [(host, int(one["HostPort"])) for host in hosts]
    return found
