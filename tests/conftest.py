"""Fixtures that several files of tests share."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import hypothesis
import pytest

from harness.checks.again import Again
from harness.schedule import runs
from tests.made_packs import sealed


def pytest_configure() -> None:
    """Ctrl-C works in the tests also where a shell started them in the background, with SIGINT ignored; no example
    is timed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine breaks no promise
    hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed pack that no test changes."""
    return sealed(tmp_path_factory.mktemp("good") / "run-1")


@pytest.fixture
def pack(good: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(good, tmp_path / "run-1"))


@pytest.fixture(scope="module")
def good2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed pack of format 2 that no test changes."""
    return sealed(tmp_path_factory.mktemp("good2") / "run-1", version=2)


@pytest.fixture
def pack2(good2: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(good2, tmp_path / "two" / "run-1"))


@pytest.fixture
def as_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings are taken as they are sealed: of packs whose findings were made up, and have no records."""
    monkeypatch.setattr(runs, "judge_again", lambda pack, signed: Again("made"))
