"""One real drill from the sentence to the sealed pack, and what everybody afterwards does with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.system.command import labelled

ROOT = Path(__file__).parents[2]
SCENARIO = "All volumes lost"


def drdrill(*words: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "harness", *map(str, words)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """`drdrill run` as a user calls it, small; its output and its pack."""
    evidence = tmp_path_factory.mktemp("drill") / "e"
    done = drdrill(
        "run", "database-backup-restoration", "--only", SCENARIO, "--scale", "0.1", "--nonce", "auditors-word",
        "--evidence", evidence,
    )  # fmt: skip  # arguments in groups
    packs = [path for path in evidence.iterdir() if path.is_dir()]
    assert len(packs) == 1, done.stdout + done.stderr
    return done, packs[0]


@pytest.fixture
def pack(ran: tuple[subprocess.CompletedProcess[str], Path]) -> Path:
    return ran[1]


def test_a_drill_that_meets_its_objectives_exits_0_and_says_where_the_evidence_is(
    ran: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    """The last lines give a verdict, figures with bars against objectives, and the pack's folder."""
    done, pack = ran
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MET  All volumes lost" in done.stdout
    assert "objective 1 h" in done.stdout
    assert f"evidence: {pack}" in done.stdout


def test_nothing_is_left_behind(pack: Path) -> None:
    """No process, no unfinished folder, no temporary folder of the run."""
    assert labelled(pack.name) == []
    assert list(pack.parent.glob("*.unfinished")) == []
    assert list(Path("/tmp").glob(f"drd*{pack.name[-11:]}*")) == []


def test_findings_follow_from_the_pack_alone(pack: Path) -> None:
    """A script that imports nothing of the project computes the same RTO and the same loss."""
    script = [sys.executable, "-I", str(ROOT / "tests" / "recompute.py"), str(pack)]
    again = json.loads(subprocess.run(script, capture_output=True, text=True, check=True).stdout)["all-volumes-lost"]
    found = _findings(pack)
    assert again["rto"]["figure"] == pytest.approx(found["rto"]["figure"], abs=1e-6)
    assert again["rto"]["low"] == pytest.approx(found["rto"]["low"], abs=1e-6)
    assert again["loss"]["lost_seconds"] == pytest.approx(found["loss"]["figure"], abs=1e-6)
    assert again["loss"]["acknowledged"] > 100
    assert again["loss"]["duplicates"] == 0


def test_the_reports_are_built_again_byte_for_byte(pack: Path, tmp_path: Path) -> None:
    """`drdrill report` gives the sealed bytes, and the JUnit file has a case for every finding."""
    done = drdrill("report", pack, "--into", tmp_path / "again")
    assert done.returncode == 0
    for name in ("index.html", "junit.xml"):
        assert (tmp_path / "again" / name).read_bytes() == (pack / name).read_bytes()
    cases = ET.parse(pack / "junit.xml").findall(".//testcase")
    assert len(cases) >= len(_findings(pack))


def test_the_pack_verifies_with_the_fingerprint_that_was_printed(
    ran: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    """All three answers are MET with the key from outside; the nonce of the auditor is in the first line."""
    done, pack = ran
    command = next(line for line in done.stdout.splitlines() if line.startswith("verify:")).split()
    verified = drdrill(*command[2:])
    assert verified.returncode == 0, verified.stdout
    assert "auditors-word" in (pack / "journal.jsonl").read_text().splitlines()[0]


def test_a_flipped_byte_is_named(pack: Path, tmp_path: Path) -> None:
    """One bit in a customers' ledger: `drdrill verify` names the file and exits 1."""
    copy = tmp_path / pack.name
    shutil.copytree(pack, copy)
    ledger = max((copy / "scenarios" / "all-volumes-lost").glob("ledger-*.jsonl"), key=lambda one: one.stat().st_size)
    content = bytearray(ledger.read_bytes())
    content[len(content) // 2] ^= 0x01
    ledger.write_bytes(content)
    verified = drdrill("verify", copy)
    assert verified.returncode == 1
    assert f"scenarios/all-volumes-lost/{ledger.name}" in verified.stdout


def test_no_secret_of_the_stack_is_in_the_pack(pack: Path) -> None:
    """The journal shows where a password stood, and no file shows the password."""
    texts = [path.read_text(errors="replace") for path in pack.rglob("*") if path.is_file()]
    assert not any("BEGIN PRIVATE KEY" in text or "PGPASSWORD=" in text for text in texts)


def _findings(pack: Path) -> dict[str, dict[str, Any]]:
    listed: Sequence[dict[str, Any]] = json.loads((pack / "findings.json").read_text())["findings"]
    return {finding["id"]: finding for finding in listed}
