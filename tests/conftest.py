"""Fixtures that several files of tests share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.made_packs import sealed


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed pack that no test changes."""
    return sealed(tmp_path_factory.mktemp("good") / "run-1")


@pytest.fixture
def pack(good: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(good, tmp_path / "run-1"))
