"""What every kind of stack that can have two regions promises of them, for real: about a minute and a half."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.faults import OF_REGIONS
from tests.contract.held import Held, held


@pytest.fixture(scope="module")
def two(kind: str) -> Iterator[Held]:
    """One stack of two regions for all that is asked of it."""
    with held(kind, regions=2) as found:
        print((found.folder / "parts").read_text())
        yield found


def test_the_second_region_follows_the_first(two: Held) -> None:
    """It has what its kind says, no more and no less, and nothing of it is called like a part of the first."""
    played(two, "whole")


def test_a_region_is_cut_off_in_silence(two: Held) -> None:
    """Within it everything goes on; joined, the stack is steady."""
    played(two, "cut")


def test_a_region_loses_its_power_and_has_it_again(two: Held) -> None:
    """All of it at one instant, what stands at its edge among it."""
    played(two, "power")


def test_fenced_database_servers_stay_off(two: Held) -> None:
    """Until the fence is ended, whoever starts them."""
    played(two, "fence")


@pytest.mark.parametrize("case", OF_REGIONS)
def test_a_fault_of_a_region_keeps_its_contract(two: Held, case: str) -> None:
    """As every fault does: it bites, and heals after kill -9 of whoever looked and of whoever hurt."""
    print(two.run("tests.contract.faults", case, str(two.folder)))


def played(two: Held, scene: str) -> None:
    print(two.run("tests.contract.regions", scene, str(two.folder)), end="")
