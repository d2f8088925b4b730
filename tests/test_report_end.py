"""Who sees only the end of a run's output reads there what was not MET, and why."""

from __future__ import annotations

from pathlib import Path

from reports.run import text
from tests import sample_pack
from tests.sample_pack import VOLUMES, Plot

HEAD = "Not MET, of what counts:"


def end_of(folder: Path) -> list[str]:
    lines = text.summary(folder).splitlines()
    return lines[lines.index(HEAD) + 1 :]


def test_what_is_not_met_stands_just_before_the_verdict(tmp_path: Path) -> None:
    """MISSED first, with scenario, figure, objective and reason, in two lines each; no scenario crowds out another."""
    plots = (Plot(name=VOLUMES, rate=1.0, bites=False), Plot(rto=10, rate=1.0))
    end = end_of(sample_pack.write(tmp_path / "pack", *plots))
    assert end[0].startswith("  ✗ MISSED An operator's mistake: recovery time, 33.0 s (31.7 to 33.1), objective 10 s: ")
    assert end[2].startswith("  ? UNKNOWN All volumes lost: ")
    assert end[-2].endswith(" more that are not MET; they stand above")
    assert end[-1] == "✗ MISSED: the verdict of the run"
    assert sum(line.startswith(("  ✗", "  ?")) for line in end) == text.TOLD
    assert len(end) <= text.TOLD * text.LINES + 2 and max(map(len, end)) <= text.WIDTH


def test_what_stands_just_above_is_not_said_again(tmp_path: Path) -> None:
    """A run of one scenario, and a run in which all is MET, have no such list."""
    for name, plots in {"one": [Plot(rto=10, rate=1.0)], "met": [Plot(), Plot(name=VOLUMES)]}.items():
        assert HEAD not in text.summary(sample_pack.write(tmp_path / name, *plots))
