"""A damaged index: which page is drawn, what is put in its place, and that nothing is where rows could be harmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from harness.errors import NotReady
from harness.faults import table
from harness.faults.corrupt_index import CorruptIndex
from harness.stacks.capabilities.pages import PageRefused, Replaced
from harness.stacks.parts.index_pages import _span
from harness.system.clock import Moment
from tests.fake_stack import FakeStack, Part

INDEX, OTHER = "accounts_pkey", "payments_pkey"


def page(name: str, number: int) -> bytes:
    return f"{name} {number} ".encode() * 8


@dataclass
class Server(Part):
    """Its disk, page by page; a page with a flipped byte cannot be read."""

    disk: dict[tuple[str, int], bytes] = field(
        default_factory=lambda: {(name, at): page(name, at) for name in (INDEX, OTHER) for at in range(9)}
    )
    aside: dict[tuple[str, int], tuple[bytes, bytes]] = field(default_factory=dict)
    safe: tuple[int, ...] = (6, 7, 8)
    anew: bool = False

    def pages(self, relation: str) -> int:
        return 9

    def missed(self, relation: str, number: int) -> bool:
        return True

    def page(self, relation: str, number: int) -> bytes:
        return self.disk[relation, number]

    def read_page(self, relation: str, number: int) -> bytes:
        found = self.disk[relation, number]
        if found not in self.sound():
            raise PageRefused("invalid page", hint="")
        return found

    def sound(self) -> list[bytes]:
        pages = [page(name, at) for name in (INDEX, OTHER) for at in range(9)]
        return pages + [self.fitted(each, at) for each in pages for at in range(9)]

    def foreign_page(self, relation: str, number: int) -> bytes:
        raise AssertionError("of tables")

    def replace_page(self, relation: str, number: int, change: Callable[[bytes], bytes]) -> Moment | None:
        was = self.disk[relation, number]
        self.disk[relation, number] = change(was)
        self.aside[relation, number] = was, self.disk[relation, number]
        return None

    def replaced_page(self, relation: str, number: int) -> Replaced | None:
        if (relation, number) not in self.aside:
            return None
        return Replaced(*self.aside[relation, number], None if self.anew else self.disk[relation, number])

    def restore_page(self, relation: str, number: int) -> Moment | None:
        if (relation, number) in self.aside and not self.anew:
            self.disk[relation, number] = self.aside.pop((relation, number))[0]
        return None

    def leaves(self, index: str) -> list[int]:
        return [1, 2, 4, 5]

    def unmatched(self, index: str, other: str) -> list[int]:
        assert (index, other) == (INDEX, OTHER)
        return list(self.safe)

    def fitted(self, page: bytes, number: int) -> bytes:
        return page + f"at {number}".encode()


@pytest.fixture
def stack() -> FakeStack:
    made = FakeStack()
    made.by_name["patroni-b"] = Server("patroni-b", "b")
    made.fake_cluster.leads = made.by_name["patroni-b"]
    return made


def server(stack: FakeStack) -> Server:
    found = stack.by_name["patroni-b"]
    assert isinstance(found, Server)
    return found


FAULTS = {
    "flip": CorruptIndex(INDEX, "flip a byte", "seed"),
    "foreign": CorruptIndex(INDEX, "page of another index", "seed", other=OTHER),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_it_is_hurt_seen_and_healed(stack: FakeStack, fault: CorruptIndex) -> None:
    """Also by another process, which has the settings as they lie on the disk."""
    undo = fault.prepare(stack)
    assert fault.took_effect(stack, undo) == "" and fault.still_hurt(stack, undo) == ""
    fault.inject(stack, undo)
    assert f"page {undo['page']} of {INDEX}" in fault.took_effect(stack, undo)
    again = table.of(fault.name, table.to_disk(fault))
    assert again == fault and "still damaged" in again.still_hurt(stack, undo)
    again.heal(stack, undo)
    assert again.still_hurt(stack, undo) == ""
    again.heal(stack, undo)
    assert server(stack).disk == Server("x", "b").disk


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_index_that_was_made_anew_is_healed(stack: FakeStack, fault: CorruptIndex) -> None:
    """Its old place is no more."""
    undo = fault.prepare(stack)
    fault.inject(stack, undo)
    server(stack).anew = True
    fault.heal(stack, undo)
    assert fault.still_hurt(stack, undo) == ""


def test_what_is_drawn_follows_from_the_seed_and_is_safe(stack: FakeStack) -> None:
    """Only pages that lead to rows, and of the other index only those by which nobody finds anything."""
    drawn = [CorruptIndex(INDEX, "page of another index", f"{n}", other=OTHER).prepare(stack) for n in range(40)]
    assert {each["page"] for each in drawn} == {1, 2, 4, 5} and {each["donor"] for each in drawn} == {6, 7, 8}
    assert drawn[7] == CorruptIndex(INDEX, "page of another index", "7", other=OTHER).prepare(stack)
    assert drawn[0]["digest"] == sha256(page(INDEX, drawn[0]["page"])).hexdigest()
    assert all(INDEX not in str(value) for each in drawn for value in each.values())


def test_a_page_of_another_index_is_made_valid_where_it_is_put(stack: FakeStack) -> None:
    """Its checksum is of the place, too."""
    undo = FAULTS["foreign"].prepare(stack)
    FAULTS["foreign"].inject(stack, undo)
    wanted = page(OTHER, undo["donor"]) + f"at {undo['page']}".encode()
    assert server(stack).disk[INDEX, undo["page"]] == wanted


def test_where_no_page_is_safe_nothing_is_hurt(stack: FakeStack) -> None:
    """Nor where nobody leads."""
    server(stack).safe = ()
    with pytest.raises(NotReady, match="without harm to rows"):
        FAULTS["foreign"].prepare(stack)
    stack.fake_cluster.leads = None
    with pytest.raises(NotReady, match="nobody leads"):
        FAULTS["flip"].prepare(stack)


def test_keys_are_read_as_whole_numbers() -> None:
    """Eight bytes each, the least one first."""
    assert _span(["10 27 00 00 00 00 00 00", "01 00 00 00 00 00 00 00"]) == (1, 10_000)
