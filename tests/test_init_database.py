"""What `drdrill init` writes of a database: what is left to be filled in, and the scenario in which its leader dies."""

from __future__ import annotations

from pathlib import Path

from harness import project
from harness.plan import load as load_plan
from harness.sentences import GENERIC
from tests.test_init import SHOP, done, refused


def test_the_death_of_the_leader_is_proposed(tmp_path: Path) -> None:
    """As comments, for it needs what nobody can guess; without their marks it is a scenario that the plan judges."""
    (tmp_path / "compose.yaml").write_text(SHOP)
    done("--compose", tmp_path / "compose.yaml", "--into", written := tmp_path / "x", "--yes")
    file = written / "features/monthly/database_recovery.feature"
    head, proposed = file.read_text().split("  # @OBJ-1")
    assert "FILL IN" in head and "failover" in head and "leader dies" not in head.split("  # The leader")[0]
    lines = [line.replace("# ", "", 1) for line in f"  # @OBJ-1{proposed}".splitlines()]
    file.write_text(f"{head}\n" + "\n".join(lines) + "\n")
    (drill,) = [each for each in project.load(written).drills() if each.title == "Database Recovery"]
    assert drill.scenarios[-1].title == "the leader dies, and another leads"
    plan = load_plan(written / "plan.yaml", features=written / "features")
    judged = {one.finding: one.limit for one in GENERIC.expected(drill.scenarios[-1].sentences, plan)}
    assert "one-leader" in judged and str(judged["rejoined"]) == "0:02:00"


def test_what_nobody_said_of_the_database_is_to_be_filled_in(tmp_path: Path) -> None:
    """And nobody is told to make a role that is there already."""
    made = done("--component", "db", "--into", tmp_path / "x", "--database-user", "postgres", "--yes")
    assert "to be filled in:" in made.output and "dbname in stack.yaml" in made.output
    text = (tmp_path / "x" / "stack.yaml").read_text()
    assert "dbname=FILL_IN" in text and "CREATE ROLE drill" in text and "CREATE ROLE postgres" not in text
    assert (
        "nothing is said"
        in refused("--component", "db", "--into", tmp_path / "y", "--database-user", " ", "--yes").message
    )
