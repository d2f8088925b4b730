"""One look at a target: a real request on a connection of its own, and never longer than its limit."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from harness.alerts.rules import Look, Target
from harness.system.http import DIRECT, NoAnswer
from harness.system.resolver import Fixed


def look(target: Target, *, within: timedelta) -> Look:
    """Ask once. `within` is for all of it: connection, TLS, request and answer."""
    url = urlsplit(target.url)
    address = url.hostname or ""
    if target.host:
        url = url._replace(netloc=f"{target.host}:{url.port}" if url.port else target.host)
    ca = Path(target.ca) if target.ca else None
    try:
        answer = DIRECT.ask("GET", url.geturl(), within=within, ca=ca, resolver=Fixed((address,)))
    except NoAnswer as error:
        return Look(0, str(error), error.taken)
    return Look(answer.status, f"HTTP {answer.status}")
