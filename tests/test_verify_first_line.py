"""What the seal, the features and the first line say of the same thing must be the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from drills import FEATURES, PLAN
from harness import plan
from harness.evidence.verify import digest_of_features, verify_pack
from harness.run.code import digests, machine_files, project_files
from tests.damaged_packs import JOURNAL, canonical, lines_of, payload, rechained, resealed, signed
from tests.made_packs import OUR_PRINT
from tests.test_rules import STORED, unpacked
from tests.this_project import PROJECT


@pytest.mark.parametrize(
    ("field", "value"),
    [("environmentClass", "production"), ("sabotage", "x"), ("rules", "9"), ("operatorAsClaimed", "the board"),
     ("stack", "aws"), ("startedOn", "2020-01-01T00:00:00.000000Z"), ("endedOn", "2020-01-01T00:00:00.000000Z"),
     ("outcome", "stopped")],
)  # fmt: skip  # a table
def test_a_seal_that_says_of_a_run_what_its_journal_does_not(tmp_path: Path, field: str, value: str) -> None:
    """Whoever holds the key may write what they like into the seal, and it is what `verify` shows."""
    pack = unpacked(STORED[0], tmp_path)
    told = payload(pack)
    told["predicate"][field] = value
    signed(pack, canonical(told))
    assert "statement-differs" in verify_pack(pack, key=OUR_PRINT).names()


def test_features_that_were_cut_down_are_noticed(pack: Path) -> None:
    """The first line names their digest: with scenarios left out, a part of a month would be a whole one."""
    lines = lines_of(pack)
    (pack / "features" / "monthly").mkdir(parents=True, exist_ok=True)
    (pack / "features" / "monthly" / "x.feature").write_text("Feature: X\n")
    lines[0] = lines[0].replace(b'"digests":{', b'"digests":{"features":"' + b"0" * 64 + b'",')
    (pack / JOURNAL).write_bytes(rechained(lines))
    assert "digest-differs" in verify_pack(resealed(pack), key=OUR_PRINT).names()


def test_the_harness_and_the_verifier_mean_the_same_digest_of_features() -> None:
    """Over all files of the folder that a pack has of it, hidden ones left out."""
    files = {path.relative_to(FEATURES).as_posix(): path for path in FEATURES.rglob("*.feature")}
    found = {f"features/{name}": hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    assert len(found) >= 3
    plan_of_ours = plan.load(PLAN)
    assert digests(plan_of_ours, FEATURES)["features"] == digest_of_features(found)


def test_the_digest_of_the_code_covers_what_decides_a_report() -> None:
    """Templates, SQL, schemas and runbooks, as well as Python."""
    kinds = {path.suffix for path in (machine_files() | project_files(PROJECT.code)).values()}
    assert {".py", ".html", ".css", ".sql", ".json", ".md"} <= kinds
