"""Indexes of a database server, as who damages one has to know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Indexed(Protocol):
    """For faults only: a database server that says which pages of an index can be damaged so that rows stay whole."""

    def leaves(self, index: str) -> Sequence[int]:
        """The numbers of its pages that lead to rows. Errors: what the database's driver raises."""

    def unmatched(self, index: str, other: str) -> Sequence[int]:
        """Pages of another index with which nobody who looks something up by this one finds anything, wherever in it
        they stand: so no row is changed for another one. Empty where that is not sure of any."""

    def fitted(self, page: bytes, number: int) -> bytes:
        """A page as it would be valid at that number: a checksum covers the place, too."""
