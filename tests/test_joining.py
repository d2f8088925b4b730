"""The way into a stack that somebody else has started: found where it stands, refused where it does not any more."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Refused
from harness.stacks.docker import engine
from harness.stacks.kinds import KINDS, SAVED
from harness.stacks.local import joining, sandbox
from harness.system import clock
from harness.system.command import LABEL, Process

WORDS = ["python", "-m", "something"]


def started(folder: Path, **facts: Any) -> Path:
    (folder / SAVED).write_text(json.dumps({"label": "stack-1", "boot": clock.boot(), **facts}))
    return folder


def test_nothing_was_started_there(tmp_path: Path) -> None:
    """Of either kind."""
    for name in ("local", "docker"):
        with pytest.raises(Refused, match="no stack was started"):
            KINDS[name].maker.join(tmp_path, WORDS)


def test_it_is_of_another_boot(tmp_path: Path) -> None:
    """Process numbers and addresses say nothing then."""
    started(tmp_path, boot="another", level="loopback")
    with pytest.raises(Refused, match="another machine"):
        KINDS["local"].maker.join(tmp_path, WORDS)


def test_on_loopback_its_addresses_are_held(tmp_path: Path) -> None:
    """By a process that is known by its start."""
    ours = Process.of(os.getpid())
    saved = {"level": "loopback", "label": "stack-1", "network": {"holder": [ours.pid, ours.started]}}
    assert joining.join(saved, WORDS) == ["env", f"{sandbox.LEVEL}=loopback", *WORDS]
    saved["network"] = {"holder": [ours.pid, ours.started + 1]}
    with pytest.raises(Refused, match="dead"):
        joining.join(saved, WORDS)


def test_a_sandbox_is_known_by_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process with the same number is not taken for it."""
    monkeypatch.setattr(sandbox, "join_argv", lambda holder, words: ["nsenter", str(holder), *words])
    monkeypatch.setattr(Path, "read_bytes", lambda _: f"A=b\0{LABEL}=stack-1\0".encode())
    assert joining.join({"level": "rootless", "label": "stack-1", "sandbox": "7"}, WORDS) == ["nsenter", "7", *WORDS]
    with pytest.raises(Refused, match="sandbox is gone"):
        joining.join({"level": "rootless", "label": "stack-2", "sandbox": "7"}, WORDS)


def test_containers_are_asked_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words themselves run here."""
    started(tmp_path)
    monkeypatch.setattr(engine, "running", lambda label: label == "stack-1")
    assert KINDS["docker"].maker.join(tmp_path, WORDS) == WORDS
    started(tmp_path, label="stack-2")
    with pytest.raises(Refused, match="dead"):
        KINDS["docker"].maker.join(tmp_path, WORDS)
