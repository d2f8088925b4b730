"""The contract of faults, for every fault there is, on a kind of stack; `--kind docker` asks it of containers."""

from __future__ import annotations

import pytest

from tests.contract.faults import CASES, NOT_HERE
from tests.contract.held import Held


@pytest.mark.parametrize("case", CASES)
def test_a_fault_keeps_its_contract(stack: Held, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It bites, which is proved from outside, and heals after kill -9 of whoever looked and of whoever hurt; twice,
    and without a hurt, healing is harmless; the stack is steady again, and where a machine cannot, it says why."""
    said = stack.run("tests.contract.faults", case, str(stack.folder))
    not_here = stack.folder / f"fault-{case.replace(' ', '-')}" / NOT_HERE
    with capsys.disabled():
        if not_here.exists():
            print(f"\nnot exercised here: {case}: {not_here.read_text()}")
    print(said)
