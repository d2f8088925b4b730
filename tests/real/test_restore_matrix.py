"""Each kind of backup, of two versions of PostgreSQL, from nothing to a verdict by the command line alone.

pgBackRest of the version that Debian's does not know is in tests/real/test_restore_in_image.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests.real.barman_servers import CREDENTIALS
from tests.real.first_verdict import comes_out_met
from tests.real.grounds import NAME, PACKAGED, Ground, ground

VERSIONS = (PACKAGED, 18)  # by Debian's packages, and by the wheel that the embedded stack has
TOOLS: dict[str, Callable[[Ground], list[str | Path]]] = {
    "pgbackrest": lambda of: ["--repository", of.repository("pgbackrest")],
    "barman": lambda of: ["--repository", of.repository("barman")],
    "barman-cloud": lambda of: ["--repository", of.cloud, "--server", NAME],
    "pg_basebackup": lambda of: ["--repository", of.repository("pg_basebackup")],
    "pg_dump": lambda of: ["--repository", of.repository("pg_dump")],
}
CASES = [(version, tool) for version in VERSIONS for tool in TOOLS if (version, tool) != (18, "pgbackrest")]


@pytest.fixture(scope="module")
def grounds() -> Iterator[Callable[[int], Ground]]:
    """One server of a version for all tools."""
    with ExitStack() as until:
        yield cache(lambda version: until.enter_context(ground(version)))


@pytest.mark.parametrize(("version", "tool"), CASES)
def test_from_nothing_to_a_verdict(grounds: Callable[[int], Ground], version: int, tool: str, tmp_path: Path) -> None:
    """All of it is MET."""
    of = grounds(version)
    env = {"AWS_ENDPOINT_URL": of.url, **CREDENTIALS} if tool == "barman-cloud" else {}
    comes_out_met(tool, TOOLS[tool](of), tmp_path, **env)
