"""Every damage that the tests know: the commands of VERIFY.md in a shell come to what the program comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_format_2 import AGAIN, OF_2, agree_by_hand_in_2
from tests.test_verify_by_hand import DAMAGES, agree_by_hand


@pytest.mark.parametrize("what", DAMAGES)
def test_by_hand_and_program_agree(good: Path, pack: Path, what: str) -> None:
    """In a pack of format 1."""
    agree_by_hand(good, pack, what)


@pytest.mark.parametrize("what", [*OF_2, *AGAIN])
def test_by_hand_and_program_agree_in_format_2(good2: Path, pack2: Path, what: str) -> None:
    """In one of format 2."""
    agree_by_hand_in_2(good2, pack2, what)
