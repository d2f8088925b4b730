"""The page of verbs is the one that the code prints, and a verb that is missing is not called there."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from harness.stacks import verbs

PAGE = Path(__file__).parents[1] / "docs" / "stacks.md"


def test_the_page_is_what_the_command_prints() -> None:
    """`python -m harness.stacks.verbs` writes it anew."""
    assert PAGE.read_text().partition("| role |")[2] == verbs.table().partition("| role |")[2] + "\n"


def test_what_is_not_there_is_not_called_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind without a verb has a no in the table."""

    class Flies(Protocol):
        def fly(self) -> None: ...

    class Bird:
        def fly(self) -> None: ...

    monkeypatch.setattr(verbs, "ROLES", ((Flies, Bird, object),))
    assert verbs.table().splitlines()[-1] == "| Flies | `fly` | yes | no |"
