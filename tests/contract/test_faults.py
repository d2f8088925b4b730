"""The contract of faults, for every fault there is, on a kind of stack; `--kind docker` asks it of containers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import harness.faults
from tests.contract.faults import FAULTS
from tests.contract.held import Held, held


@pytest.fixture(scope="module")
def victim(kind: str) -> Iterator[Held]:
    """A stack that is not whole any more at the end."""
    with held(kind) as found:
        yield found


def test_no_fault_is_forgotten() -> None:
    """Every file of the folder is a fault, and every fault is asked."""
    files = Path(harness.faults.__file__).parent.glob("[!_]*.py")
    assert {file.stem for file in files} == set(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_keeps_its_contract(victim: Held, name: str) -> None:
    """Looking hurts nothing, it bites, it heals; twice, and without a hurt, healing is harmless."""
    victim.run("tests.contract.faults", name, str(victim.folder))
