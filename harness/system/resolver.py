"""What a name stands for, asked anew for every connection, so that a switch of the name is seen by who connects next.

A resolver is data: it travels as JSON to a process of customers (`said`, `resolver`). One more way to resolve, a DNS
server that is asked and keeps its answers for as long as they say, is a class here and a line of `KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.errors import Refused


class NotResolved(OSError):
    """Nobody can say what a name stands for: no connection was even tried."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"name not resolved: {host}: {why}")


class Resolver(Protocol):
    """What says which addresses a name stands for now."""

    def resolve(self, host: str) -> tuple[str, ...]:
        """At least one, in the order in which they are to be tried. Errors: `NotResolved`."""

    def said(self) -> dict[str, Any]:
        """Itself as JSON, `kind` and its settings, from which `resolver` makes the same one in another process."""


@dataclass(frozen=True)
class HostsFile:
    """A file in the format of hosts(5): an address a line, then the names that it is one of. Read for each question."""

    path: Path

    def resolve(self, host: str) -> tuple[str, ...]:
        try:
            text = self.path.read_text(errors="replace")
        except OSError as error:
            raise NotResolved(host, f"{self.path}: {error.strerror or error}") from None
        lines = (line.split("#")[0].lower().split() for line in text.splitlines())
        found = tuple(words[0] for words in lines if host.lower() in words[1:])
        if not found:
            raise NotResolved(host, f"{self.path} has no line for it")
        return found

    def said(self) -> dict[str, Any]:
        return {"kind": "hosts", "path": str(self.path)}

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> HostsFile:
        return cls(Path(said["path"]))

    def write(self, names: Mapping[str, Sequence[str]]) -> None:
        """From now on these names stand for these addresses, and no other name does. Who reads meanwhile gets the file
        of before or this one, whole. Errors: `OSError` where it cannot be written."""
        fresh = self.path.with_name(f"{self.path.name}.new")
        fresh.write_text("".join(f"{address}\t{host}\n" for host, found in names.items() for address in found))
        fresh.chmod(0o644)  # customers may be somebody else
        fresh.replace(self.path)


@dataclass(frozen=True)
class Fixed:
    """Always the same, whatever the name: for who goes past the name on purpose, to one zone or one load balancer.

    An address may be a name, too: then the machine is asked at each connection.
    """

    addresses: tuple[str, ...]

    def resolve(self, host: str) -> tuple[str, ...]:
        return self.addresses

    def said(self) -> dict[str, Any]:
        return {"kind": "fixed", "addresses": list(self.addresses)}

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Fixed:
        return cls(tuple(map(str, said["addresses"])))


KINDS: Mapping[str, type[HostsFile | Fixed]] = {"hosts": HostsFile, "fixed": Fixed}


def resolver(said: Any) -> Resolver:
    """The resolver that JSON speaks of. Errors: `Refused`."""
    try:
        return KINDS[said["kind"]].of(said)
    except (KeyError, TypeError):
        known = ", ".join(sorted(KINDS))
        raise Refused(f"not a resolver: {said}", hint=f'give {{"kind": …}} and its settings; kinds: {known}') from None
