"""A damaged page is put back only where no reader is given the damaged one from the server's memory any more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from harness.errors import NotReady
from harness.stacks.parts import pages
from harness.stacks.parts.pages import PAGE, Pages

GOOD, BAD = b"g" * PAGE, b"b" * PAGE
DOWN = [
    'connection to server at "10.77.0.11", port 5432 failed: Connection refused',
    "FATAL:  the database system is starting up",
    "FATAL:  the database system is not yet accepting connections",
]
UP = [
    "FATAL:  sorry, too many clients already",
    "canceling statement due to user request",
    "connection timeout expired",
]


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    """A server one page of which was replaced on its disk."""
    made = Pages(tmp_path / "data", tmp_path / "aside", "")
    (made.data / "base").mkdir(parents=True)
    (made.data / "PG_VERSION").write_text("17")
    (made.data / "base" / "1").write_bytes(BAD)
    made._set_aside("t", 0, path="base/1", was=GOOD, put=BAD)
    monkeypatch.setattr(pages, "FORGETS_WITHIN", timedelta(0))
    return made


def answers(monkeypatch: pytest.MonkeyPatch, *said: str) -> None:
    """One after the other, and the last one for good."""
    left = list(said)

    def connect(self: Pages) -> NoReturn:
        raise psycopg.OperationalError(left.pop(0) if len(left) > 1 else left[0])

    monkeypatch.setattr(Pages, "_connect", connect)


@pytest.mark.parametrize("said", DOWN)
def test_a_server_that_is_down_has_forgotten_all(damaged: Pages, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """Nobody is there who could hold the page: the disk is enough."""
    answers(monkeypatch, said)
    assert damaged.restore_page("t", 0) is not None
    assert damaged.replaced_page("t", 0) is None and (damaged.data / "base" / "1").read_bytes() == GOOD


@pytest.mark.parametrize("said", UP)
def test_one_that_will_not_be_asked_is_not_down(damaged: Pages, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """It may hold the damaged page: that is told, and nothing counts as healed."""
    answers(monkeypatch, said)
    with pytest.raises(NotReady, match=f"forget page 0 of t: .*{said[-9:]}"):
        damaged.restore_page("t", 0)
    left = damaged.replaced_page("t", 0)
    assert left is not None and left.there == BAD


def test_one_that_goes_down_while_it_is_asked_is_asked_again(damaged: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words of that moment are not its last."""
    monkeypatch.setattr(pages, "FORGETS_WITHIN", timedelta(seconds=5))
    answers(monkeypatch, UP[0], "FATAL:  the database system is shutting down", DOWN[0])
    assert damaged.restore_page("t", 0) is not None and damaged.replaced_page("t", 0) is None
