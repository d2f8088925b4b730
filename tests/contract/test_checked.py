"""A platform that somebody else made is begun and checked for real, by `make test-docker`: asked, and not hurt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from harness.stacks.attached.proposed.from_compose import variable
from harness.stacks.docker.engine import RUN, engine
from tests import tills
from tests.tills import NAMES, Till

ROOT = Path(__file__).parents[2]
LIMIT = 180  # seconds, of a command that hangs
STORED = "a numbered transaction is stored and read back"


@pytest.fixture(scope="module")
def till() -> Iterator[Till]:
    with tempfile.TemporaryDirectory(prefix="till-", dir="/tmp") as folder, tills.standing(Path(folder)) as found:
        yield found


def drdrill(till: Till, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
    """With a state of its own, so that nothing stays in anybody's home folder."""
    state = {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(till.folder.parent / "state"), **more}
    argv = [sys.executable, "-m", "harness", *map(str, words)]
    return subprocess.run(
        argv, cwd=till.folder, env={**os.environ, **state}, capture_output=True, text=True, timeout=LIMIT, check=False
    )  # fmt: skip


def lines(ended: subprocess.CompletedProcess[str]) -> Mapping[str, Mapping[str, object]]:
    """Each by what it is about."""
    return {f"{line['part']}: {line['what']}": line for line in json.loads(ended.stdout)["lines"]}


def wrong(ended: subprocess.CompletedProcess[str]) -> list[str]:
    return [what for what, line in lines(ended).items() if line["ok"] is not True]


def containers(till: Till) -> dict[str, str]:
    """With since when each runs: one that was hurt began anew."""
    ours = {"label": f"{NAMES['project']}={till.name}"}
    found = engine().containers.list(all=True, filters=ours)
    return {f"{one.name} {one.id}": str(one.attrs["State"]["StartedAt"]) for one in found}


def test_a_platform_is_checked_and_not_hurt(till: Till) -> None:
    """All of it holds; all scenarios can run; the very same containers go on; nothing of the check is left."""
    before = containers(till)
    ended = drdrill(till, "--project", till.folder, "stack", "check", till.file, "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = lines(ended)
    assert found["database: one leads"]["seen"] == "db-1 leads" and found["database: db-2 replicates"]["ok"]
    assert "read back after" in str(found[f"client: {STORED}"]["seen"])
    assert {"probes: api-a: service is red where nobody is", "probes: api-b: service is green"} <= set(found)
    assert [one["missing"] for one in json.loads(ended.stdout)["scenarios"]] == [[]] * 4
    assert containers(till) == before and till.serves() and b"word-of-the-drill" not in ended.stdout.encode()
    assert not engine().containers.list(all=True, filters={"label": f"{RUN}=stack-check"})


def test_a_read_back_of_the_wrong_database_is_seen(till: Till) -> None:
    """The write is acknowledged, and what is read knows nothing of it."""
    other = till.file.with_name("other.yaml")
    other.write_text(till.file.read_text().replace("dbname=till", "dbname=postgres"))
    ended = drdrill(till, "--project", till.folder, "stack", "check", other, "--json")
    assert ended.returncode == 1 and wrong(ended) == [f"client: {STORED}"], ended.stdout + ended.stderr
    assert "payments" in str(lines(ended)[f"client: {STORED}"]["seen"])


@pytest.fixture(scope="module")
def begun(till: Till) -> Path:
    """By `drdrill init` from its compose file."""
    into = till.folder.parent / "begun"
    words = ("--compose", till.compose, "--into", into, "--database-name", "till", "--page", "/alive", "--yes")
    ended = drdrill(till, "init", *words)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return into


def password(till: Till) -> Mapping[str, str]:
    return {variable(till.name): "word-of-the-drill"}


def test_one_that_is_begun_wants_its_client_alone(till: Till, begun: Path) -> None:
    """All that was guessed holds, and what nobody can guess is what is wrong."""
    ended = drdrill(till, "--project", begun, "stack", "check", begun / "stack.yaml", "--json", **password(till))
    assert ended.returncode == 1 and wrong(ended) == [f"client: {STORED}"], ended.stdout + ended.stderr


def test_once_its_client_is_there_it_has_its_first_verdicts(till: Till, begun: Path) -> None:
    """Drills as they were written by `drdrill init`, and nothing else: MET, and the same containers are there."""
    before = set(containers(till))
    (begun / "client.yaml").write_text((till.folder / "client.yaml").read_text())
    stack, evidence = ("--stack", begun / "stack.yaml"), ("--evidence", begun / "evidence")
    for drill, scenario in (("part-recovery", "api-a dies"), ("database-recovery", "db-2 is cut off")):
        words = ("run", drill, "--only", scenario, *stack, *evidence, "--json")
        ended = drdrill(till, "--project", begun, *words, **password(till))
        assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    assert set(containers(till)) == before and till.serves()
