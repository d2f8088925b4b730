"""Fixtures that several files of tests share."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
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
    hypothesis.settings.register_profile("untimed", deadline=None, max_examples=50)  # a busy machine breaks no promise
    hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of a file are one worker's, so that what they share is made once. First come those that are in a group
    of their own, which take long: no worker is left with one of them when the others have ended."""
    if getattr(config.option, "loadgroup", False):
        items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
        for item in items:
            if item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session", autouse=True)
def _nothing_waits_for_the_disk(request: pytest.FixtureRequest) -> Iterator[None]:
    """No unit test cuts the power, so none can tell whether a file has reached the disk: that it is asked for is seen
    as ever, and an error of it is given by whoever tests that. What tests real stacks waits."""
    with pytest.MonkeyPatch.context() as patch:
        if all(item.path.parent == Path(__file__).parent for item in request.session.items):
            patch.setattr(os, "fsync", os.fstat)  # a handle that is none is still an error
            patch.setattr(os, "fdatasync", os.fstat)
        yield


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
