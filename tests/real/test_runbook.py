"""The runbook's commands themselves, run from a shell against an embedded stack: about two minutes.

One stack, in this order: mistakes that harm nothing are looked for, one that does is recovered from by hand, then the
volumes of all zones are lost, with damage in the store, and recovered by hand. Nothing
here calls the recovery procedure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import runbook

DRDRILL = [sys.executable, "-m", "harness"]
LIMIT = 300  # seconds for one shell
QUERY = (
    "SELECT id, origin, number, from_account, to_account, amount FROM quantumnest.financial_transactions ORDER BY id"
)
ACCOUNTS = "SELECT id, balance FROM quantumnest.accounts ORDER BY id"
OPERATOR = """
PGOPTIONS='-c log_statement=mod' psql -Xq -v ON_ERROR_STOP=1 "$DSN" <<'SQL'
BEGIN;
UPDATE quantumnest.financial_transactions SET amount = 0 WHERE created_at >= now() - interval '24 hours' AND id % 2 = 0;
DELETE FROM quantumnest.financial_transactions WHERE created_at >= now() - interval '24 hours' AND id % 2 = 1;
COMMIT;
SQL
"""
DISASTER = """
import os
from pathlib import Path
from harness.stacks.capabilities.backups import BaseBackups
from harness.stacks.capabilities import need
from harness.faults.damage_stored_object import DamageStoredObject
from harness.faults.lose_volumes import LoseVolumes
from harness.system.recorder import Memory
from harness.stacks.local.stack import LocalStack

stack = LocalStack.attach(Path(os.environ["STACK_FOLDER"]), recorder=Memory())
segment = DamageStoredObject("archived file after the latest base backup", "flip a byte")
segment.inject(stack, segment.prepare(stack))
print(need(stack, BaseBackups).take().id)
backup = DamageStoredObject("latest base backup", "flip a byte")
backup.inject(stack, backup.prepare(stack))
LoseVolumes().inject(stack, {})
"""  # the segment is one that the older backup needs


@dataclass(frozen=True)
class Shell:
    """A shell inside the stack's sandbox, as `drdrill stack exec` gives it."""

    evidence: Path
    dsn: str

    def run(self, *words: str, stdin: str = "") -> str:
        """What it printed. Fails the test where the exit code is not 0."""
        argv = [*DRDRILL, "stack", "exec", "--evidence", str(self.evidence), "--", *words]
        ended = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=LIMIT, check=False)
        assert ended.returncode == 0, f"{ended.stdout[-4000:]}\n{ended.stderr[-4000:]}"
        return ended.stdout

    def bash(self, script: str) -> str:
        """From a file, as commands that read their own input would eat a script on standard input."""
        file = self.evidence / "script"
        file.write_text(f"DSN='{self.dsn}'\n{script}")
        return self.run("bash", "-eu", str(file))

    def ask(self, query: str) -> list[str]:
        return self.run("psql", "-XAtq", self.dsn, "-c", query).splitlines()

    def customers_write(self, *numbers: int) -> list[str]:
        """Over TLS, through the entrance. The rows as `QUERY` must show them, once they are stored."""
        post = (
            'curl -sS --fail --cacert "$STACK_CA" --connect-to "::$STACK_ENTRANCE"'
            " https://api.quantumnest.com:8443/transactions --data"
        )
        bodies = [
            json.dumps({"origin": "by-hand", "number": n, "from": n, "to": n + 1, "amount": f"{n}.25"}) for n in numbers
        ]
        answers = self.bash("\n".join(f"{post} '{body}'; echo" for body in bodies)).splitlines()
        stored = zip(numbers, map(json.loads, answers), strict=True)
        return [f"{answer['id']}|by-hand|{n}|{n}|{n + 1}|{n}.25" for n, answer in stored]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A stack, as a person brings it up."""
    evidence = tmp_path_factory.mktemp("evidence")
    words = ["--evidence", str(evidence)]
    try:
        up = subprocess.run(
            [*DRDRILL, "stack", "up", "--scale", "0.05", "--json", *words],
            capture_output=True, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip  # arguments in groups
        assert up.returncode == 0, up.stderr
        yield Shell(evidence, json.loads(up.stdout)["addresses"]["database"])
    finally:
        subprocess.run([*DRDRILL, "stack", "down", *words], capture_output=True, timeout=LIMIT, check=True)


def test_a_mistake_is_found_from_the_logs_alone(shell: Shell) -> None:
    """With nothing recorded of the fault the procedure names the transaction, or says why there is not exactly one."""
    shell.run(sys.executable, "-m", "tests.real.searching")


def test_the_runbook_undoes_a_mistake_and_keeps_what_came_after_it(shell: Shell) -> None:
    """By the commands of the page alone, every row is again what it was, and late rows are there, and no other."""
    shell.bash(runbook.while_all_is_well())
    shell.customers_write(1, 2, 3)
    before, balances = shell.ask(QUERY), dict(row.split("|") for row in shell.ask(ACCOUNTS))
    shell.bash(OPERATOR)
    late = shell.customers_write(4, 5)
    damaged = shell.ask(QUERY)
    assert len(damaged) < len(before)
    said = shell.bash(runbook.recovery(mistaken=True))
    assert "statement: DELETE FROM quantumnest.financial_transactions" in said
    assert "salvaged|2|9.50" in said
    assert shell.ask(QUERY) == [*before, *late]
    expected = {int(name): float(balance) for name, balance in balances.items()}
    for account, change in ((4, -4.25), (5, 4.25 - 5.25), (6, 5.25)):
        expected[account] += change
    found = {int(name): float(balance) for name, balance in (row.split("|") for row in shell.ask(ACCOUNTS))}
    assert found == pytest.approx(expected)
    assert len(shell.customers_write(6)) == 1


def test_the_runbook_brings_back_everything_archived_when_all_volumes_are_lost(shell: Shell) -> None:
    """By the commands of the page alone, all that had reached the archive is there again, though a backup and a WAL
    file are damaged: both are named."""
    shell.customers_write(7, 8)
    shell.bash(
        """
        segment=$(psql -XAt "$DSN" -c 'SELECT pg_walfile_name(pg_switch_wal() - 1)')
        until [ "$(psql -XAt "$DSN" -c "SELECT last_archived_wal >= '$segment' FROM pg_stat_archiver")" = t ]
        do sleep 0.2; done
        """
    )
    before, balances = shell.ask(QUERY), shell.ask(ACCOUNTS)
    unsound = shell.run(sys.executable, "-c", DISASTER).strip()
    said = shell.bash(runbook.recovery(mistaken=False))
    assert f"{unsound}: NOT SOUND, taking the one before" in said
    assert said.count("its sound earlier version is used") == 1
    assert "recovery ends before nothing" in said
    assert shell.ask(QUERY) == before
    assert shell.ask(ACCOUNTS) == balances
    assert len(shell.customers_write(9)) == 1
