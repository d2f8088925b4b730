"""The summary of a run for the page of a CI: what is not MET has its reason, and what is shown is no markup."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.errors import Refused
from reports.summary_markdown import MANY, markdown, plain
from tests import sample_pack, warm
from tests.sample_pack import MISTAKE, TITLES, VOLUMES, Plot

NASTY = "<img src=x onerror=alert(1)> | `x` [a](https://evil.example.com) **b** www.evil.example @ops\n\n# head\x1b[31m"


def written(tmp_path: Path, *plots: Plot, **begin: object) -> str:
    return markdown(sample_pack.write(tmp_path / "pack", *plots, **begin))


def cells(line: str) -> int:
    """How many a line of a table has."""
    return len(line.replace("\\|", "").split("|")) - 2


def test_a_table_has_every_finding_that_counts(tmp_path: Path) -> None:
    """Outcome, scenario, finding, figure and objective; above it where it was measured, and the evidence."""
    said = written(tmp_path, Plot(), Plot(name=VOLUMES))
    rows = [line for line in said.splitlines() if line.startswith("| ✓ MET")]
    assert said.startswith("## ✓ MET: ") and len(rows) > 10 and {cells(row) for row in rows} == {5}
    assert {title for title in TITLES.values() if any(title in row for row in rows)} == set(TITLES.values())
    assert "- environment: **embedded**\n" in said and "- evidence: pack, digest none" in said
    assert "### Not MET" not in said


def test_what_is_not_met_has_its_reason(tmp_path: Path) -> None:
    """Of each finding, with its mark."""
    pack = sample_pack.write(tmp_path / "pack", Plot(early=7.0))
    said = markdown(pack)
    wrong = [one for one in json.loads((pack / "findings.json").read_text())["findings"] if one["outcome"] == "MISSED"]
    below = said.split("### Not MET")[1]
    assert said.startswith("## ✗ MISSED: ") and wrong
    for one in wrong:
        assert f"- ✗ MISSED, {plain(TITLES[MISTAKE])}, {plain(one['title'])}: {plain(one['reason'])}" in below


def test_a_run_that_was_killed_is_never_green(tmp_path: Path) -> None:
    """It says so on top; neither is one in which nothing ran."""
    said = written(tmp_path, Plot(name=VOLUMES, kill_in="restore-the-backup"))
    assert said.startswith("## ? UNKNOWN") and "> **This run was " in said
    empty = written(tmp_path / "empty")
    assert "No scenario ran. This is not a pass." in empty and "MET:" not in empty.splitlines()[0]


def test_a_sabotaged_run_and_a_rehearsal_say_so(tmp_path: Path) -> None:
    """Before any figure."""
    said = written(tmp_path, Plot(), sabotage="no-fencing", rehearsal=True)
    assert "SABOTAGED on purpose: no-fencing" in said.split("|")[0] and "REHEARSAL" in said.split("|")[0]
    assert ", rehearsal" in said.splitlines()[0]


def test_what_others_have_written_is_no_markup() -> None:
    """No tag, no link, no cell, no heading, no code, no call for a person, no control."""
    said = plain(NASTY)
    assert "<" not in said and "\n" not in said and "\x1b" not in said
    assert "&lt;img" in said and "\\|" in said and "\\`x\\`" in said and "\\[a\\]" in said and "\\*\\*b\\*\\*" in said
    assert "https://" not in said and "www.evil" not in said and "@ops" not in said and "\\# head" in said


@pytest.mark.parametrize("field", ["title", "reason"])
def test_a_finding_with_markup_keeps_the_table_whole(tmp_path: Path, field: str) -> None:
    """Wherever it stands."""
    pack = sample_pack.write(tmp_path / "pack", Plot(early=7.0))
    found = json.loads((pack / "findings.json").read_text())
    for one in found["findings"]:
        one[field] = NASTY
    (pack / "findings.json").write_text(json.dumps(found))
    said = markdown(pack)
    assert {cells(line) for line in said.splitlines() if line.startswith("|")} == {5}
    assert "<img" not in said and not re.search(r"(?<!\\)\]\(", said) and "\n# head" not in said


def test_it_stays_short_enough_for_a_page(tmp_path: Path) -> None:
    """GitHub shows at most 1 MiB; what is left out is counted."""
    pack = sample_pack.write(tmp_path / "pack", Plot(early=7.0))
    found = json.loads((pack / "findings.json").read_text())
    found["findings"] = [{**one, "reason": "r" * 900, "outcome": "MISSED"} for one in found["findings"]] * 60
    (pack / "findings.json").write_text(json.dumps(found))
    said = markdown(pack)
    assert len(said.encode()) < 1_048_576 and "more findings stand on the page" in said
    assert sum(line.startswith("- ✗") for line in said.splitlines()) <= MANY


def test_a_folder_that_is_no_pack_is_refused(tmp_path: Path) -> None:
    """As by every report."""
    with pytest.raises(Refused):
        markdown(tmp_path)


# drdrill report --markdown


def report(pack: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return warm.drdrill("report", pack, "--markdown", *words)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A sealed pack of a real run."""
    shutil.unpack_archive(warm.HOME / "tests" / "packs" / "version-8-load-balancer-dies.tar.xz", tmp_path)
    (pack,) = (path.parent for path in tmp_path.rglob("pack.dsse.json"))
    return pack


def test_the_command_prints_it_and_writes_nothing(stored: Path) -> None:
    """With the digest that the seal has."""
    before = sorted(stored.parent.rglob("*"))
    done = report(stored)
    assert done.returncode == 0 and done.stdout == markdown(stored), done.stderr
    digest = done.stdout.split(", digest ")[1].split()[0]
    assert len(digest) == 64 and sorted(stored.parent.rglob("*")) == before
    assert report(stored, "--into", stored.parent / "x").returncode == 3


def test_findings_that_the_records_do_not_give_are_told_on_top(stored: Path) -> None:
    """And the exit code says so."""
    found = json.loads((stored / "findings.json").read_text())
    found["findings"][0]["outcome"] = "MISSED" if found["findings"][0]["outcome"] == "MET" else "MET"
    (stored / "findings.json").write_text(json.dumps(found))
    done = report(stored)
    assert done.returncode == 1 and "> **DO NOT BELIEVE THESE FINDINGS" in done.stdout.split("|")[0]
