"""A wait that takes long is told while it goes on: for what, and how long at most."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from harness.cli.live import Live
from harness.system import wait
from harness.system.recorder import Memory


def waited(polls: int) -> Memory:
    """The facts of a wait that is over after so many polls."""
    asked: list[int] = []
    memory = Memory()
    wait.until(
        lambda: asked.append(1) or len(asked) >= polls, what="db-1 is a copy again", within=timedelta(seconds=9),
        recorder=memory, every=timedelta(milliseconds=10),
    )  # fmt: skip  # arguments in groups
    return memory


def test_it_is_told_once_and_only_where_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it has ended: then it is told as it always was."""
    assert [kind for kind, _ in waited(3).facts] == ["wait"]
    monkeypatch.setattr(wait, "LONG", timedelta(milliseconds=5))
    facts = waited(5).facts
    assert [kind for kind, _ in facts] == ["waiting", "wait"]
    assert facts[0][1] == {"what": "db-1 is a copy again", "within": 9.0}


def test_people_see_for_what_and_how_long_at_most(tmp_path: Path) -> None:
    """A healing says its own limit; one for which there is a line of its own is told by that."""
    said: list[str] = []
    live = Live(tmp_path, said.append)
    live.show({"kind": "waiting", "mono": 0, "data": {"what": "db-1 is a copy again", "within": 120.0}})
    live.show({"kind": "waiting", "mono": 2_000_000_000, "data": {"what": "db-2 leads; waited 2 s of at most 45 s"}})
    assert said == [
        "    0.0 s      waits: db-1 is a copy again, at most 120 s",
        "    2.0 s      waits: db-2 leads; waited 2 s of at most 45 s",
    ]
