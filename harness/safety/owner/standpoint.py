"""Where a condition is asked: never only at what the drill may hurt. One that falls silent with the platform stops
every drill, or, where it is what watches, none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from harness.errors import Refused
from harness.stacks.attached.file.described import ALL, Condition, StackFile

PORTS = {"http": 80, "https": 443}
At = tuple[str, int]


class Wrong(NamedTuple):
    """A condition that can only be asked through what may be hurt."""

    where: str  # file and line
    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def wrong(said: StackFile, *, doors: Mapping[str, Sequence[At]] | None = None) -> list[Wrong]:
    """By the file alone; with `doors`, component to the addresses and ports at which the engine lets it be reached,
    also by these. Nothing is asked."""
    found = []
    for at, one in enumerate(said.safety.abort_when):
        if through := _through(one, said, doors or {}):
            names = ", ".join(sorted(through))
            what = f"{one.text} is asked of {names}, which the drill may hurt"
            hint = f"ask it elsewhere, or say hurt: never of {names}"
            found.append(Wrong(said.where("safety", "abort when", at), what, hint))
    return found


def must_stand_outside(said: StackFile, *, doors: Mapping[str, Sequence[At]] | None = None) -> None:
    """Errors: `Refused`, with the first of them."""
    if first := next(iter(wrong(said, doors=doors)), None):
        raise Refused(f"{first}; nothing was hurt", hint=first.hint)


def _through(one: Condition, said: StackFile, doors: Mapping[str, Sequence[At]]) -> set[str]:
    """The components that may be hurt, and without which it cannot be asked; none where another can be asked."""
    if one.of == ALL:
        asked = {each.name for each in said.components.values() if each.alive == one.probe}
        return asked if _all_at_once(asked, said) else set()
    if one.of:
        return {one.of} - set(said.never)
    url = one.url or one.at or (said.probes[one.probe].target if one.probe else "")
    return _at(url, said, doors) - set(said.never) if url else set()


def _all_at_once(names: set[str], said: StackFile) -> bool:
    """Whether what may be hurt at one time can be all of them."""
    if names & set(said.never):
        return False
    zones = {said.components[name].zone for name in names} - {""}
    alone = sum(1 for name in names if not said.components[name].zone)
    most_components = 1 if said.safety.components is None else said.safety.components
    most_zones = 1 if said.safety.zones is None else said.safety.zones
    return len(names) <= most_components or (len(zones) <= most_zones and alone <= most_components)


def _at(url: str, said: StackFile, doors: Mapping[str, Sequence[At]]) -> set[str]:
    """Whom a URL, or host and port, leads to, as far as names and published ports say it."""
    parts = urlsplit(url if "://" in url else f"tcp://{url}")
    host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    named = {
        one.name for one in said.components.values() if host in filter(None, (one.name, one.service, one.container))
    }
    return named | {name for name, places in doors.items() if (host, port) in places or (host, 0) in places}
