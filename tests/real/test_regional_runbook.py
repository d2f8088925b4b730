"""The regional runbook's commands themselves, from a shell against an embedded stack of two regions: three minutes.

The first region loses its power for real, gets it back, and takes over again. Nothing here calls the procedures.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests import runbook
from tests.real.test_runbook import ACCOUNTS, DRDRILL, QUERY, Shell

LIMIT = 300  # seconds for one command
BEFORE = "What must have been written down before"
POWER = """
import os, sys
from pathlib import Path
from harness.stacks.capabilities import need
from harness.stacks.capabilities.regions import RegionPowered
from harness.stacks.local.stack import LocalStack
from harness.system.recorder import Memory

powers = need(LocalStack.attach(Path(os.environ["STACK_FOLDER"]), recorder=Memory()), RegionPowered)
print({"cut": powers.cut_region_power, "restore": powers.restore_region_power}[sys.argv[1]]("us-east-1"))
"""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A stack of two regions, as a person brings it up."""
    evidence = tmp_path_factory.mktemp("evidence")
    words = ["--evidence", str(evidence)]
    try:
        up = subprocess.run(
            [*DRDRILL, "stack", "up", "--regions", "2", "--scale", "0.05", "--json", *words],
            capture_output=True, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip  # arguments in groups
        assert up.returncode == 0, up.stderr
        yield Shell(evidence, json.loads(up.stdout)["addresses"]["database"])
    finally:
        subprocess.run([*DRDRILL, "stack", "down", *words], capture_output=True, timeout=LIMIT, check=True)


def test_the_runbook_leads_to_the_second_region_and_back(shell: Shell) -> None:
    """By the commands of the page alone: every row that was replicated is there after the failover, what is written in
    the second region is there after the switchback, and the names lead where they did."""
    steps = [one.title for one in runbook.regional_steps()]
    back = steps.index("restore-the-region")
    shell.customers_write(1, 2, 3)
    shell.bash(runbook.regional(BEFORE))
    before = shell.ask(QUERY)
    shell.run(sys.executable, "-c", POWER, "cut")
    there = shell.bash(runbook.regional(*steps[:back]))
    assert "all that was received is in it: true" in there and "us-west-2 is ready" in there
    assert "us-east-1 is fenced; running: none" in there
    in_second = runbook.regional() + '\nsql "$(server "$(leader "$SECOND")")" '
    late = "INSERT INTO quantumnest.financial_transactions (origin, number, from_account, to_account, amount)"
    shell.bash(f"{in_second} \"{late} VALUES ('late', 1, 1, 2, 0.25)\"")
    rows = shell.bash(f'{in_second} "{QUERY}"').splitlines()
    assert [row for row in before if row not in rows] == [] and any("|late|1|" in row for row in rows)
    assert "stay fenced" in shell.run(sys.executable, "-c", POWER, "restore")
    home = shell.bash(runbook.regional(*steps[back:]))
    assert "us-east-1 is not fenced" in home and "us-east-1 is ready" in home
    assert shell.ask(QUERY) == [row for row in rows if row.count("|") == 5]
    assert shell.ask(ACCOUNTS) and len(shell.customers_write(4)) == 1
