"""What a region has received of a record whose rest never came cannot be replayed, and holds no promotion back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import NotReady
from harness.stacks.parts import wal
from harness.stacks.parts.standby import RECEIVED, REPLAYED, PatroniStandby

# Records of a real log (PostgreSQL 15, 16 MB segments): where each begins, its xl_tot_len, and where the next begins.
RECORDS = [(0x0701A830, 5133, 0x0701BC40), (0x0701BC40, 5173, 0x0701D090), (0x0701DCF8, 114, 0x0701DD70)]


@pytest.mark.parametrize(("begin", "length", "end"), RECORDS)
def test_a_record_ends_where_the_next_begins(begin: int, length: int, end: int) -> None:
    """Also where a page ends within it."""
    assert wal.record_end(wal.record_begin(begin), length) == end


@pytest.mark.parametrize(("at", "begin"), [(8, 8), (8192, 8216), (wal.SEGMENT, wal.SEGMENT + 40)])
def test_a_record_begins_behind_the_header_of_its_page(at: int, begin: int) -> None:
    """A segment's first page has a longer one."""
    assert wal.record_begin(at) == begin


class Server:
    """A database server that received up to one position and replayed up to another; a record of `length` is next."""

    def __init__(self, received: int, replayed: int, length: int | None = None, *, up: bool = True) -> None:
        self.said = {RECEIVED: wal.lsn(received), REPLAYED: wal.lsn(replayed)}
        self.length, self.up, self.asked = length, up, ()

    def execute(self, query: str | bytes, values: Any = ()) -> Any:
        words = query.decode() if isinstance(query, bytes) else query
        if words in self.said:
            return SimpleNamespace(fetchone=lambda: (self.said[words],))
        self.asked = values
        row = None if self.length is None else (self.length.to_bytes(4, sys.byteorder),)
        return SimpleNamespace(fetchone=lambda: row)


class Cluster:
    """Connects to servers."""

    @contextmanager
    def connect(self, member: Server) -> Iterator[Server]:
        yield member


def whole(*servers: Server) -> int:
    members: Any = servers
    etcd: Any = SimpleNamespace(recorder=None)
    cluster: Any = Cluster()
    roles: Any = None
    region = PatroniStandby(cluster, members, etcd=etcd, roles=roles, region="west", others={})
    return region.received_whole()


@pytest.mark.parametrize(
    ("received", "replayed", "length", "found"),
    [
        (0x0701D090, 0x0701D090, None, 0x0701D090),  # all of it is replayed
        (0x0701BC48, 0x0701BC40, 5173, 0x0701BC40),  # 8 bytes of a record
        (0x0701C000, 0x0701BC40, 5173, 0x0701BC40),  # a record to the end of its page
        (0x0701D090, 0x0701BC40, 5173, 0x0701D090),  # all of a record: it has to be replayed
        (0x0701C010, 0x0701C000, None, 0x0701C000),  # not even the header of a page
        (0x0701D090, 0x0701BC40, None, 0x0701D090),  # nobody can look
        (0x0701D090, 0x0701BC40, 0, 0x0701D090),  # no record
    ],
)
def test_the_beginning_of_a_record_is_left_out(received: int, replayed: int, length: int | None, found: int) -> None:
    """And nothing else is."""
    assert whole(Server(received, replayed, length)) == found


def test_the_server_with_most_counts() -> None:
    """Each with what it has itself, and the place in its log is asked for."""
    behind = Server(0x0701BC48, 0x0701BC40, 5173)
    assert whole(behind, Server(0x0701BC40, 0x0701BC40)) == 0x0701BC40
    assert behind.asked == (0x1BC40, "0000000000000007")
    assert whole(behind, Server(0x0701D090, 0x0701BC40, 5173)) == 0x0701D090


def test_nobody_says_it() -> None:
    """Then nothing is known."""
    with pytest.raises(NotReady, match="no database server of west says it"):
        whole()
