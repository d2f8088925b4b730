"""Findings that the records do not give, sealed by whoever holds the key: every command that shows them says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from harness.cli import drdrill
from harness.evidence import seal as sealing
from harness.evidence.seal import MADE_HERE, seal
from harness.schedule import runs
from tests.made_packs import OURS
from tests.test_rules import STORED, unpacked, withhold

DAY = "2026-11-28"


def run(*words: object) -> Result:
    return CliRunner().invoke(drdrill, [str(word) for word in words])


def sealed_again(pack: Path, change: Callable[[Path], object]) -> Path:
    """What an insider does: take the seal off, change the pack, and seal it with the key of the house."""
    unfinished = pack.with_name(f"{pack.name}.unfinished")
    pack.rename(unfinished)
    for name in MADE_HERE:
        (unfinished / name).unlink()
    change(unfinished)
    return seal(unfinished, pack, key=OURS)


def nothing(pack: Path) -> None:
    """Sealed as it was, by the key of the tests."""


def quicker(pack: Path) -> None:
    """Half the recovery time, told with the same words."""
    path = pack / "findings.json"
    content = json.loads(path.read_text())
    for finding in content["findings"]:
        if finding["id"] == "rto":
            finding.update(figure=finding["figure"] / 2, low=finding["low"] / 2, high=finding["high"] / 2)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def of_newer_rules(pack: Path) -> None:
    journal = pack / "journal.jsonl"
    lines = journal.read_bytes().splitlines()
    lines[0] = lines[0].replace(b'"rules":"2"', b'"rules":"9"')
    journal.write_bytes(b"\n".join(chained(lines)) + b"\n")


def chained(lines: list[bytes]) -> list[bytes]:
    """The lines, each with the digest of the one before as it is now."""
    found: list[bytes] = []
    before = "0" * 64
    for line in lines:
        fields: dict[str, Any] = json.loads(line)
        fields["prev"] = before
        found.append(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())
        before = hashlib.sha256(found[-1]).hexdigest()
    return found


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    return folder


def placed(evidence: Path, change: Callable[[Path], object], at: int = 1) -> Path:
    holder = evidence / "holder"
    pack = unpacked(STORED[at], holder)
    home = pack.rename(evidence / pack.name)
    holder.rmdir()
    return sealed_again(home, change)


def test_a_sound_pack_is_judged_again_and_says_so(evidence: Path) -> None:
    """Verified, reported and counted as it was sealed."""
    pack = placed(evidence, nothing)
    assert "Findings      MET     judged again by rules version 2" in run("verify", "--judge", pack).output
    assert "judged again by rules version 2: the findings are those that were sealed" in run("report", pack).output
    assert "The figures are not judged here" in run("verify", pack).output
    assert [past.problem for past in runs.read(evidence).runs] == [""]


def test_other_findings_are_named_by_verify(evidence: Path) -> None:
    """Without --judge it says that it has not judged, with it what differs, in words and for a machine."""
    pack = placed(evidence, quicker)
    plain = run("verify", pack)
    assert "MISSED" not in plain.output and "`drdrill verify --judge PACK`" in " ".join(plain.output.split())
    judged = run("verify", "--judge", pack)
    assert judged.exit_code == 1
    assert "rto of an-operators-mistake: sealed MET with 5.25" in judged.output and "judged again MET" in judged.output
    found = json.loads(run("verify", "--judge", "--json", evidence).output)
    assert found["outcome"] == "MISSED" and found["packs"][0]["judged"]["outcome"] == "MISSED"


def test_other_findings_are_loud_on_the_page(evidence: Path) -> None:
    """The report is built, with a banner before any figure, and its exit code is not green."""
    pack = placed(evidence, quicker)
    said = run("report", pack)
    assert said.exit_code == 1 and "say otherwise" in said.output
    page = (pack.with_name(f"{pack.name}.reports") / "index.html").read_text()
    assert page.index("DO NOT BELIEVE THESE FINDINGS") < page.index("<table")


def test_other_findings_are_not_compared(evidence: Path) -> None:
    """Refused, whichever of the two it is."""
    forged, sound = placed(evidence, quicker), placed(evidence, nothing, at=0)
    for words in ((forged, sound), (sound, forged)):
        said = run("compare", *words)
        assert said.exception and "say otherwise" in str(said.exception)


@pytest.mark.parametrize(
    ("change", "why"),
    [(quicker, "say otherwise"), (of_newer_rules, "not judged again: its rules are version 9")],
)
def test_other_findings_do_no_duty(evidence: Path, change: Callable[[Path], object], why: str) -> None:
    """Gate, history and calendar name them; the run is not counted and its figures are not shown."""
    placed(evidence, change)
    (past,) = runs.read(evidence).runs
    assert why in past.problem and past.why_not()
    for command in ("gate", "history", "calendar"):
        said = run(command, "--evidence", evidence, "--today", DAY)
        assert "judged again" in " ".join(said.output.split()), said.output
    gate = run("gate", "--evidence", evidence, "--today", DAY)
    assert gate.exit_code != 0


def test_what_cannot_be_judged_again_is_never_the_same_as_sealed(evidence: Path) -> None:
    """Rules that are not known here: the report says so and is not green; verify does, too."""
    pack = placed(evidence, of_newer_rules)
    assert run("verify", "--judge", pack).exit_code == 2
    said = run("report", pack)
    assert said.exit_code == 2 and "not judged again" in said.output
    assert "NOT JUDGED AGAIN" in (pack.with_name(f"{pack.name}.reports") / "index.html").read_text()


def test_withheld_lines_leave_it_unjudged(evidence: Path) -> None:
    """Without the key anybody can withhold lines: then nothing is judged, and no duty is done."""
    pack = placed(evidence, nothing)
    withhold(pack, 5, 6)
    said = run("verify", "--judge", pack)
    assert said.exit_code == 2
    assert "not judged again: 2 lines of the journal are withheld" in said.output
    (past,) = runs.read(evidence).runs
    assert past.problem.startswith("withheld: 2 lines")


def test_a_seal_that_names_another_verdict_is_told(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signed statement repeats the verdict, and whoever signs could write another one there."""
    monkeypatch.setattr(sealing, "_verdict", lambda findings: {"run": "MISSED", "scenarios": {}})
    pack = placed(evidence, nothing)
    said = run("verify", "--judge", pack)
    assert said.exit_code == 1 and "the verdicts in the seal: MISSED of the run, MET in findings.json" in said.output


def test_a_run_is_not_hidden_by_its_name_or_its_date(evidence: Path) -> None:
    """Whatever holds a seal is a run, whatever it is called; one that is dated later than today is named."""
    pack = placed(evidence, nothing)
    for name in ("x.reports", "proof-x", "x.beginning"):
        pack = pack.rename(evidence / name)
        assert [past.name for past in runs.read(evidence).runs] == [name]
    (evidence / "link").symlink_to(pack)
    folder = runs.read(evidence)
    assert any("link is a link" in note for note in folder.notes)
    later = folder.later(date(2026, 11, 27), ZoneInfo("UTC"))
    assert len(later) == 1 and "later than today" in later[0]
