"""Pages of a database server's relations: looked at, and for faults replaced on its disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from harness.errors import DrillError
from harness.system.clock import Moment


class PageRefused(DrillError):
    """A server that answers, and will not give a page out: its message is what the server says."""


@runtime_checkable
class Paged(Protocol):
    """A database server whose pages can be looked at. A relation is a table or an index, by its name."""

    def pages(self, relation: str) -> int:
        """How many it has. Errors: what the database's driver raises."""

    def missed(self, relation: str, number: int) -> bool:
        """Whether anybody could miss the page: of a table, whether a row lies on it; of an index always.

        Errors: what the database's driver raises.
        """

    def page(self, relation: str, number: int) -> bytes:
        """As it lies on the disk, whatever the server holds in memory.

        Errors: `OSError` where the relation has no such page on the disk, and what the database's driver raises.
        """

    def read_page(self, relation: str, number: int) -> bytes:
        """Through the server, as any reader would get it.

        Errors: `PageRefused` with the server's own words, and what the database's driver raises where it is away.
        """


@dataclass(frozen=True)
class Replaced:
    """A page that a fault has replaced on the disk: what was there, what was put there, and what lies there now.

    `there` is None where the disk has the place no more: the relation, or all of the server's data, was made anew.
    """

    was: bytes
    put: bytes
    there: bytes | None


@runtime_checkable
class Corruptible(Protocol):
    """For faults only: a database server whose pages can be replaced behind its back."""

    def foreign_page(self, relation: str, number: int) -> bytes:
        """A page as a misdirected write would put it into another relation: valid, and nothing on it left to settle,
        so that who reads it there writes nothing. Errors: `NotReady` where there is none for long."""

    def replace_page(self, relation: str, number: int, change: Callable[[bytes], bytes]) -> Moment | None:
        """Put what `change` makes of it on the disk, so that no memory of the server has another one.

        What was there is set aside first, durably, beside the server's volume and not on it. Errors: `NotReady` where
        the server cannot be made to forget the page; then nothing is hurt.
        """

    def replaced_page(self, relation: str, number: int) -> Replaced | None:
        """None where none was replaced, or it was restored. It can be asked of a server that is down.

        Errors: `NotReady` where the server has no data at all.
        """

    def restore_page(self, relation: str, number: int) -> Moment | None:
        """Put back what was there; harmless where that is not needed, or the place is another one by now.

        What somebody has written there meanwhile is left as it is: `replaced_page` tells it. Errors: `NotReady` where
        the server is up and cannot be made to forget the page: its readers would still be given the damaged one.
        """
