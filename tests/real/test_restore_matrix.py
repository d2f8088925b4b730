"""Each kind of backup, of two versions of PostgreSQL, from nothing to a verdict by the command line alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.barman_servers import CREDENTIALS
from tests.real.by_command import drdrill, run_drill
from tests.real.grounds import NAME, PACKAGED, Ground, ground
from tests.real.image_ground import repository
from tests.real.postgres_image import REPOSITORY

VERSIONS = (PACKAGED, 18)  # by Debian's packages, and by the wheel that the embedded stack has
IMAGE = f"{REPOSITORY}:${{version}}"
TOOLS: dict[str, Callable[[Ground], list[str]]] = {
    "pgbackrest": lambda of: ["--repository", str(of.repository("pgbackrest"))],
    "barman": lambda of: ["--repository", str(of.repository("barman"))],
    "barman-cloud": lambda of: ["--repository", of.cloud, "--server", NAME],
    "pg_basebackup": lambda of: ["--repository", str(of.repository("pg_basebackup"))],
    "pg_dump": lambda of: ["--repository", str(of.repository("pg_dump"))],
}


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: f"PostgreSQL {version}")
def of(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """One server for all tools."""
    with ground(request.param) as made:
        yield made


@pytest.fixture
def given(of: Ground, tool: str) -> Iterator[list[str]]:
    """What `drdrill init` is given; pgBackRest of the other version than Debian's comes with the image."""
    if tool == "pgbackrest" and not of.packaged:
        with repository(of.version) as made:
            yield ["--repository", str(made), "--image", IMAGE]
    else:
        yield TOOLS[tool](of)


@pytest.mark.parametrize("tool", TOOLS)
def test_from_nothing_to_a_verdict(of: Ground, tool: str, given: list[str], tmp_path: Path) -> None:
    """All of it is MET: what `init` writes is enough, and an auditor judges it again."""
    env = {"AWS_ENDPOINT_URL": of.url, **CREDENTIALS} if tool == "barman-cloud" else {}
    begun = drdrill("init", "--backups", tool, *given, "--into", "project", "--yes", cwd=tmp_path, **env)
    assert begun.exit == 0 and "could not" not in begun.said, begun.said
    project = tmp_path / "project"
    assert re.search(r"orders takes .* and has 25\d\d rows now", (project / "stack.yaml").read_text())
    checked = drdrill("stack", "check", "stack.yaml", cwd=project, **env)
    assert checked.exit == 0 and "all of it holds" in checked.said, checked.said
    verdict = run_drill(project, **env)
    (database,) = verdict.findings
    assert (verdict.ended.exit, verdict.not_met(database)) == (0, {}), verdict.ended.said
    assert {"restore-time", "backup-age", "rows-proved", "pages-sound"} <= set(verdict.outcomes(database))
    (key,) = set(re.findall(r"--key ([0-9a-f]{64})", verdict.ended.said))
    verified = drdrill("verify", "--judge", "--key", key, verdict.pack, cwd=project)
    assert verified.exit == 0, verified.said
