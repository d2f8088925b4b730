"""What a name stands for, asked anew for every connection, so that a switch of the name is seen by who connects next.

A resolver is data: it travels as JSON to a process of customers (`said`, `resolver`). One more way to resolve is a
class here and a line of `KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from harness.errors import Refused
from harness.system import clock

TRY = 0.5  # seconds that one question waits for its answer: it is asked again, for UDP loses some


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


@dataclass(frozen=True)
class Dns:
    """A DNS server, asked over UDP, and over TCP where the answer is too long; kept for as long as the answer says.

    What is kept is kept by this object: each process of customers has a cache of its own. That a name could not be
    resolved is not kept. Once that time is up, an answer is not used any more, whether the server answers or not.
    """

    server: str  # its address
    port: int = 53
    keeps: timedelta = timedelta(0)  # longer than an answer says, as some clients do whatever they are told
    within: timedelta = timedelta(seconds=2)  # for all of it: whoever waits for a connection waits for this, too
    _kept: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict, compare=False, repr=False)

    def resolve(self, host: str) -> tuple[str, ...]:
        name = host.lower()
        if found := self._known(name):
            return found
        try:
            found, ttl = self._ask(name)
        except NotResolved:
            if found := self._known(name):  # meanwhile another one was answered
                return found
            raise
        self._kept[name] = clock.mono() + (ttl + self.keeps) // timedelta(microseconds=1) * 1000, found
        return found

    def _known(self, name: str) -> tuple[str, ...]:
        until, found = self._kept.get(name, (0, ()))
        return found if clock.mono() < until else ()

    def fresh(self) -> Dns:
        """The same, that keeps nothing yet."""
        return Dns(self.server, self.port, self.keeps, self.within)

    def said(self) -> dict[str, Any]:
        seconds = {"keeps": self.keeps.total_seconds(), "within": self.within.total_seconds()}
        return {"kind": "dns", "server": self.server, "port": self.port, **seconds}

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Dns:
        keeps, within = (timedelta(seconds=said[key]) for key in ("keeps", "within"))
        return cls(str(said["server"]), int(said["port"]), keeps, within)

    def _ask(self, name: str) -> tuple[tuple[str, ...], timedelta]:
        """Addresses, and for how long these may be kept. Errors: `NotResolved`."""
        import dns.exception  # noqa: PLC0415  (commands that ask nobody start without it)
        import dns.resolver  # noqa: PLC0415  (the same)

        asking = dns.resolver.Resolver(configure=False)  # nothing of this machine has a say
        asking.nameservers, asking.port = [self.server], self.port
        asking.timeout, asking.lifetime = TRY, self.within.total_seconds()
        try:
            answer = asking.resolve(f"{name}.", "A", search=False)
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise NotResolved(name, f"{self.server}:{self.port}: {_in_words(error)}") from None
        return tuple(one.address for one in answer), timedelta(seconds=answer.chaining_result.minimum_ttl)


def _in_words(error: Exception) -> str:
    """Without the number of seconds, which is another one each time."""
    return {
        "LifetimeTimeout": "no answer",
        "NXDOMAIN": "there is no such name",
        "NoAnswer": "the name has no address",
        "NoNameservers": "the server gives no answer that can be used",
    }.get(type(error).__name__) or f"{type(error).__name__}: {error}"


KINDS: Mapping[str, type[HostsFile | Fixed | Dns]] = {"hosts": HostsFile, "fixed": Fixed, "dns": Dns}


def resolver(said: Any) -> Resolver:
    """The resolver that JSON speaks of. Errors: `Refused`."""
    try:
        return KINDS[said["kind"]].of(said)
    except (KeyError, TypeError, ValueError, OverflowError):
        known = ", ".join(sorted(KINDS))
        raise Refused(f"not a resolver: {said}", hint=f'give {{"kind": …}} and its settings; kinds: {known}') from None
