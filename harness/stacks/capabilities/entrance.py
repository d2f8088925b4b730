"""Where customers come in, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from harness.stacks import Component, Entrance


@runtime_checkable
class Reachable(Protocol):
    """Customers come in by an entrance."""

    @property
    def entrance(self) -> Entrance: ...


@runtime_checkable
class Balanced(Protocol):
    """Load balancers stand at the entrance."""

    @property
    def balancers(self) -> Sequence[Component]:
        """In the order in which customers try them, where the entrance's name stands for all of them."""

    def balancer_entrance(self, name: str) -> Entrance:
        """One load balancer alone, whatever the name stands for."""


@runtime_checkable
class ZoneServices(Protocol):
    """Every zone has an API of its own."""

    def service(self, zone: str) -> Component:
        """The platform's API in a zone."""

    def zone_entrance(self, zone: str) -> Entrance:
        """The zone's own API, as customers of the zone reach it, also while the zone is cut off."""


@runtime_checkable
class DirectAccess(Protocol):
    """Customers can write to a zone's own database server, past the API."""

    def zone_database(self, zone: str) -> tuple[str, dict[str, str]]:
        """How the platform reaches the server, as its API does, and the environment with its password."""


@runtime_checkable
class Standpoints(Protocol):
    """Customers can stand outside of all zones and in each of them. Elsewhere they stand where the harness does."""

    def stand_outside(self) -> list[str]:
        """The words to put before a command so that it runs where customers outside of all zones stand."""

    def stand_in(self, zone: str) -> list[str]:
        """The words to put before a command so that it runs where a customer of that zone stands."""


@runtime_checkable
class Readable(Protocol):
    """It says itself what the project's client reads stored transactions from."""

    def reading(self) -> AbstractContextManager[Any]: ...


@runtime_checkable
class Entrusted(Protocol):
    """It knows the secrets that the project's client names. All that it tells is among the stack's `secrets`, too."""

    def secret(self, name: str) -> str:
        """By the name that the client has for it, from where the stack's own file says that it lies. Asked before the
        stack is started, and again whenever customers begin.

        Errors: `Refused` where it knows none of that name, or cannot have it from there.
        """


@runtime_checkable
class Explorable(Protocol):
    """People can look around in it."""

    def explore(self) -> Mapping[str, Any]:
        """Where everything is (`addresses`), the words with which it is asked, and the `environment` they want."""
