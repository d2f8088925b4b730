"""Whatever a pack holds, its reports are harmless, and there is a page."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from harness.checks import Finding, Outcome
from harness.errors import Refused
from reports import pack
from reports.build import build
from reports.run import text
from tests import junit_rules, sample_cut, sample_pack
from tests.sample_pack import MISTAKE, VOLUMES, Plot
from tests.test_reports import Page, page_of

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`{{ 7*7 }}\u202eevil\x00\x1b[31m\ud800]]>-->" + "W" * 3000
)
PLOTS = {
    "met": (Plot(rate=3.0), Plot(name=VOLUMES, rate=3.0)),
    "over": (Plot(name=VOLUMES, rate=3.0, rto=20.0, rpo=2.0, health_ok=False),),
    "stopped": (Plot(rate=3.0, stop_after="recover"), Plot(name=VOLUMES)),
}


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A pack of each kind. Tests that change one copy it first."""
    root = tmp_path_factory.mktemp("packs")
    made = {name: sample_pack.write(root / name, *plots) for name, plots in PLOTS.items()}
    return made | {"cut": sample_cut.write(root / "cut")}


@pytest.fixture
def met(packs: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the good pack, to be changed."""
    return shutil.copytree(packs["met"], tmp_path / "copy")


def strings(value: Any) -> Any:
    """The same JSON with every text in it made hostile; names of scenarios and files stay."""
    if isinstance(value, dict):
        kept = ("scenario", "scenarios", "span", "file", "lsn", "archived", "moment", "fault", "kind", "outcome")
        return {key: each if key in kept else strings(each) for key, each in value.items()}
    if isinstance(value, list):
        return [strings(each) for each in value]
    return HOSTILE if isinstance(value, str) else value


def journal(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def rewrite(folder: Path, lines: list[dict[str, Any]]) -> None:
    (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("name", ["met", "stopped", "over", "cut"])
def test_hostile_text_is_shown_and_never_obeyed(name: str, packs: dict[str, Path], tmp_path: Path) -> None:
    """Markup, templates, terminal escapes, direction marks and endless lines from a pack are harmless everywhere."""
    folder = shutil.copytree(packs[name], tmp_path / "hostile")
    rewrite(folder, [line | {"data": strings(line["data"])} for line in journal(folder)])
    content = json.loads((folder / "findings.json").read_text())
    for each in content["findings"]:
        each.update(title=HOSTILE, reason=HOSTILE, unit=HOSTILE if each["unit"] != "s" else "s", demands=[HOSTILE],
                    beside=[[HOSTILE, HOSTILE]])  # fmt: skip  # arguments in groups
    (folder / "findings.json").write_text(json.dumps(content))
    (folder / "features/monthly/hostile.feature").write_text(f"Feature: {HOSTILE!a}\n  Scenario: {HOSTILE!a}\n")
    built = build(folder)
    html = built["index.html"].decode()
    page = Page(html)
    assert page.open == [] and not page.of("script") and not page.of("img")
    assert "alert(1)" in html and "{{ 7*7 }}" in html, "shown as it is"
    assert not set("\u202e\x00\x1b") & set(html) and "&lt;U+202E&gt;evil" in html
    assert junit_rules.broken(Xml.fromstring(built["junit.xml"])) == []
    lines = text.summary(folder).splitlines()
    assert max(map(len, lines)) <= text.WIDTH
    assert all(line.isprintable() for line in lines)


def damages(folder: Path, dice: random.Random) -> Iterator[bytes]:
    """Journals that are cut, torn, shuffled, or hold values of other types."""
    whole = (folder / "journal.jsonl").read_bytes()
    lines = journal(folder)
    yield b""
    yield whole[: len(whole) // 2]
    yield b"\xff\xfe\n[]\n7\nnull\n" + whole
    yield whole.replace(b'"mono":5', b'"mono":"x', 3)
    other: list[Any] = [None, 7, -1.5, "x", [], {}, [1], {"a": 1}, True, 10**30]
    for _ in range(25):
        changed = json.loads(json.dumps(lines))
        for line in dice.sample(changed, 12):
            for key in list(line["data"]):
                line["data"][key] = dice.choice(other)
        yield "".join(json.dumps(line) + "\n" for line in changed).encode()


@pytest.mark.parametrize("name", ["met", "cut"])
def test_a_damaged_journal_has_a_page_all_the_same(name: str, packs: dict[str, Path], tmp_path: Path) -> None:
    """Whatever a journal holds, there is a page, and where lines could not be read it says so."""
    folder = shutil.copytree(packs[name], tmp_path / "damaged")
    for content in damages(packs[name], random.Random(20261102)):
        (folder / "journal.jsonl").write_bytes(content)
        built = build(folder)
        assert Page(built["index.html"].decode()).open == []
        assert junit_rules.broken(Xml.fromstring(built["junit.xml"])) == []
        assert text.summary(folder)
    (folder / "journal.jsonl").write_bytes(b"not json\n" + (packs[name] / "journal.jsonl").read_bytes())
    assert "1 line(s) could not be read" in page_of(folder)


def test_a_journal_cut_anywhere_has_a_page(met: Path) -> None:
    """A run that was killed at any line, and not judged, has a page that says UNKNOWN."""
    (met / "findings.json").unlink()
    lines = (met / "journal.jsonl").read_text().splitlines(keepends=True)
    for count in [*range(1, 12), *range(12, len(lines), 37)]:
        (met / "journal.jsonl").write_text("".join(lines[:count]))
        html = page_of(met)
        assert "<title>UNKNOWN" in html and "findings.json is missing" in html
        assert "NOT ENDED" in html


def test_damaged_ledgers_and_findings_are_problems_on_the_page(met: Path) -> None:
    """A torn ledger counts as far as it goes, and unreadable findings make every verdict UNKNOWN."""
    path = met / "scenarios" / MISTAKE / "ledger-a.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    (met / "scenarios" / VOLUMES / "ledger-b.jsonl").write_text("nonsense\n{}\n")
    (met / "findings.json").write_text('{"findings": [{"id": 1}]}')
    html = page_of(met)
    assert "ledger-a.jsonl: its last line is torn" in html
    assert "ledger-b.jsonl:1: not a line of a ledger" in html or "ledger-b.jsonl:1: not the first line" in html
    assert "findings.json cannot be read" in html and "<title>UNKNOWN" in html


def test_a_folder_that_is_no_pack_is_refused(tmp_path: Path) -> None:
    """A folder without a journal is bad input, with a hint."""
    with pytest.raises(Refused, match=r"no journal\.jsonl"):
        build(tmp_path)


def test_a_scenario_name_cannot_leave_the_pack(met: Path) -> None:
    """A journal that names a scenario `../..` makes no report read outside the pack."""
    lines = journal(met)
    for line in lines:
        if line["data"].get("scenario") == MISTAKE:
            line["data"]["scenario"] = "../../.."
    rewrite(met, lines)
    assert [each.ledgers for each in pack.read(met).scenarios if each.name == "../../.."] == [()]


def test_findings_of_unknown_shape_survive(met: Path) -> None:
    """A finding with fields that this version does not know is shown with those it does."""
    content = json.loads((met / "findings.json").read_text())
    content["findings"][0]["invented"] = {"later": 1}
    (met / "findings.json").write_text(json.dumps(content))
    found = pack.read(met).scenarios[0].findings[0]
    assert isinstance(found, Finding) and found.outcome is Outcome.MET
