"""`drdrill sweep --places`: what restores of dead runs have left below a folder goes, and nothing else."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from harness.cli.sweep import sweep
from harness.restores.programs.left import MARK, Mark
from harness.system import control_files


def test_a_place_of_a_dead_run_goes_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    """What is not marked as ours is not touched."""
    for name in ("dead", "living", "others"):
        (tmp_path / name / "data").mkdir(parents=True)
    Mark.new(tmp_path / "living", run="living")
    Mark.new(tmp_path / "dead", run="dead")
    facts = control_files.read(tmp_path / "dead" / MARK)
    assert facts is not None
    control_files.leave(tmp_path / "dead" / MARK, {**facts, "boot": "another"}, private=True)
    done = CliRunner().invoke(sweep, ["--places", str(tmp_path)])
    assert done.exit_code == 0 and "left by run dead: removed" in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["living", "others"]
    again = CliRunner().invoke(sweep, ["--places", str(tmp_path)])
    assert "no dead run has left a place there" in again.output
