"""What is deployed, and what a release without its content does to the API."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Refused
from harness.stacks.parts.releases import FileReleases
from harness.stacks.stand_in.release import BadRelease, Release
from harness.system import clock


class Service:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.at: int | None = None

    def running(self) -> bool:
        return False

    def ended(self) -> int | None:
        return self.at

    def __getattr__(self, name: str) -> Any:
        return lambda: self.told.append(name)


def test_what_is_deployed_is_in_the_history_and_every_service_starts_anew(tmp_path: Path) -> None:
    """A release that is only published is run by nobody; the one before it can be deployed again."""
    service = Service()
    made: Any = FileReleases(tmp_path / "releases", services={"a": service})
    first = made.current()
    assert Release.read(made.file()).version == first and made.history() == [first]
    made.publish("2", {})
    assert made.current() == first and not service.told
    made.deploy("2")
    assert service.told == ["ask_to_stop", "wait_stopped", "start"]
    made.deploy(first)
    again = FileReleases(tmp_path / "releases", services={})
    assert again.history() == [first, "2", first] and again.file() == made.file()


def test_what_ran_before_served_no_longer_than_until_the_last_of_it_had_ended(tmp_path: Path) -> None:
    """By the engine's own word, where each has one; else by when nobody was seen to run."""
    services: Any = {zone: Service() for zone in "ab"}
    made = FileReleases(tmp_path, services=services)
    asked = clock.mono()
    moment = made.deploy(made.current())
    assert moment is not None and asked <= moment.earliest <= moment.latest <= clock.mono()
    services["a"].at, services["b"].at = (clock.mono() + length * 1_000_000_000 for length in (5, 7))
    moment = made.deploy(made.current())
    assert moment is not None and moment.latest == services["b"].at


def test_a_release_that_nobody_published_is_refused(tmp_path: Path) -> None:
    """Nothing is restarted, and the error names those that there are."""
    made = FileReleases(tmp_path, services={})
    assert made.current() == "1.0"
    with pytest.raises(Refused, match="there is no release '7'") as refused:
        made.deploy("7")
    assert refused.value.hint == "releases: 1.0" and made.history() == ["1.0"]


def test_the_api_ends_at_once_with_a_release_that_lacks_what_it_needs(tmp_path: Path) -> None:
    """It says what is missing; nothing listens then."""
    file = tmp_path / "1.1.json"
    file.write_text("{}")
    with pytest.raises(BadRelease, match=r"release 1\.1 cannot run: KeyError: 'limits'"):
        Release.read(file)
    words = ["--zone=a", "--listen=127.0.0.1:1", "--cert=x", "--key=x", "--dsn=x", f"--release={file}"]
    done = subprocess.run(
        [sys.executable, "-m", "harness.stacks.stand_in.api", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    moment, said = done.stderr.rstrip("\n").split(" ", 1)  # one line of a log, so it has a time
    assert datetime.fromisoformat(moment).tzinfo is not None and said == "release 1.1 cannot run: KeyError: 'limits'"
