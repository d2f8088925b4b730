"""Where customers of an attached platform come in, and what their client reads from."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import Refused
from harness.stacks import Entrance
from harness.stacks.attached.database import Database
from harness.stacks.attached.file.described import Customers, StackFile
from harness.stacks.capabilities.database import Connection
from harness.system.resolver import Fixed

PORTS = {"http": 80, "https": 443}


class Front:
    """Fills `Reachable`."""

    def __init__(self, said: Customers) -> None:
        urls = [urlsplit(each) for each in said.at]
        hosts = tuple(url.hostname or "" for url in urls)
        secure = urls[0].scheme == "https"
        self._entrance = Entrance(
            host=hosts[0],
            resolver=Fixed(hosts),  # a name among them is asked of this machine at each connection
            port=urls[0].port or PORTS[urls[0].scheme],
            ca=(said.ca or _of_this_machine()) if secure else None,
        )

    @property
    def entrance(self) -> Entrance:
        return self._entrance


class Keys:
    """Fills `Entrusted`: the secrets of the stack file, as it names them."""

    def __init__(self, said: StackFile, secrets: Mapping[str, str]) -> None:
        self._said = said
        self._secrets = secrets

    def secret(self, name: str) -> str:
        """Errors: `Refused`."""
        if name not in self._secrets:
            where = self._said.where("secrets")
            raise Refused(f'{where}: there is no secret "{name}"', hint='say under "secrets" where it is read')
        return self._secrets[name]


class Source:
    """What a client reads stored transactions from: the leader's database, and where requests are sent.

    A client that reads by SQL calls `execute`; one that reads by requests has `entrance`. Either has `secret`.
    """

    def __init__(self, database: Database | None, front: Front | None, keys: Keys) -> None:
        self._database = database
        self._front = front
        self.secret = keys.secret
        self._opened: Connection | None = None

    def execute(self, query: Any, params: Any = None) -> Any:
        """Of the one that leads, read-only. Errors: `NotReady` where nobody does; what the driver raises."""
        if self._database is None:
            raise Refused("the stack file names no database", hint='add "database" to it, or read by requests')
        self._opened = self._opened or self._database.connect()
        return self._opened.execute(query, params)

    @property
    def entrance(self) -> Entrance:
        if self._front is None:
            raise Refused("the stack file does not say where customers come in", hint='add "customers" to it')
        return self._front.entrance

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class Reads:
    """Fills `Readable`."""

    def __init__(self, database: Database | None, front: Front | None, keys: Keys) -> None:
        self._given = (database, front, keys)

    @contextmanager
    def reading(self) -> Iterator[Source]:
        source = Source(*self._given)
        try:
            yield source
        finally:
            source.close()


def _of_this_machine() -> Path:
    """Errors: `Refused` where it trusts nobody."""
    found = ssl.get_default_verify_paths().cafile
    for each in (found, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"):
        if each and Path(each).is_file():
            return Path(each)
    raise Refused("this machine trusts no authority of certificates", hint='add "ca_file" to "customers"')
