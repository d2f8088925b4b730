"""Reports are pure, harmless, complete, and never greener than the findings."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

import reports
from harness.checks import Finding, Outcome, load
from harness.errors import Refused
from harness.workload import ledger
from reports import customers, features, pack, text
from reports.words import clean
from tests import sample_pack
from tests.sample_pack import MISTAKE, VOLUMES, Plot

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`{{ 7*7 }}\u202eevil\x00\x1b[31m\ud800]]>-->" + "W" * 3000
)
PLOTS = {
    "met": (Plot(), Plot(name=VOLUMES)),
    "missed": (Plot(early=7.0),),
    "over": (Plot(name=VOLUMES, rto=20.0, rpo=2.0, health_ok=False),),
    "stopped": (Plot(stop_after="recover"), Plot(name=VOLUMES)),
    "killed": (Plot(name=VOLUMES, kill_in="restore-the-backup"),),
    "idle": (Plot(rate=0.0),),
    "no bite": (Plot(bites=False),),
    "empty": (),
}
VERDICTS = {"met": "MET", "missed": "MISSED", "over": "MISSED"}


@pytest.fixture(scope="session")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A pack of each kind. Tests that change one copy it first."""
    root = tmp_path_factory.mktemp("packs")
    return {
        name: sample_pack.write(
            root / name.replace(" ", "-"), *(replace(plot, rate=min(plot.rate, 3.0)) for plot in plots)
        )
        for name, plots in PLOTS.items()
    }


@pytest.fixture(scope="session")
def built(packs: dict[str, Path]) -> dict[str, dict[str, bytes]]:
    """Their reports."""
    return {name: reports.build(folder) for name, folder in packs.items()}


@pytest.fixture(scope="session")
def pages(built: dict[str, dict[str, bytes]]) -> dict[str, str]:
    """Their pages."""
    return {name: files["index.html"].decode() for name, files in built.items()}


@pytest.fixture
def met(packs: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the good pack, to be changed."""
    return shutil.copytree(packs["met"], tmp_path / "copy")


def page_of(folder: Path) -> str:
    return reports.build(folder)["index.html"].decode()


class Page(HTMLParser):
    """What a browser would see of the structure."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_files_give_the_same_bytes(
    name: str, packs: dict[str, Path], tmp_path: Path, built: dict[str, dict[str, bytes]]
) -> None:
    """Reports depend on the files of a pack alone: not on its path, the clock, the time zone, or what is in memory."""
    before = built[name]
    moved = shutil.copytree(packs[name], tmp_path / "elsewhere")
    zone = os.environ.get("TZ")
    os.environ["TZ"] = "Pacific/Kiritimati"
    time.tzset()
    try:
        assert reports.build(moved) == before
    finally:
        os.environ.pop("TZ") if zone is None else os.environ.update(TZ=zone)
        time.tzset()
    for file, content in before.items():
        (moved / file).write_bytes(content)
    assert reports.build(moved) == before, "reports that lie in the pack change nothing"


@pytest.mark.parametrize("name", PLOTS)
def test_the_page_is_whole_and_needs_nothing_else(name: str, pages: dict[str, str]) -> None:
    """Tags close in order, ids are unique, tables say what they are, and nothing is fetched or run."""
    page = Page(pages[name])
    assert page.open == []
    assert page.of("html") == [{"lang": "en"}]
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.tags:
        assert set((attrs.get("aria-labelledby") or "").split()) <= set(ids)
        assert not [key for key in attrs if key.startswith("on") or key in ("src", "action", "style")]
        if "href" in attrs:
            assert str(attrs["href"]).removeprefix("#") in ids
    assert len(page.of("table")) == len(page.of("caption")) >= 2
    assert all(attrs.get("scope") in ("col", "row") for attrs in page.of("th"))
    assert not {"script", "iframe", "link", "object", "img", "form", "a href"} & {tag for tag, _ in page.tags}
    assert all(attrs.get("role") == "img" for attrs in page.of("svg"))


@pytest.mark.parametrize("name", PLOTS)
def test_the_pictures_are_well_formed_and_named(name: str, pages: dict[str, str]) -> None:
    """Every SVG parses as XML, has a title and a description, and lies inside its own frame."""
    for source in re.findall(r"<svg.*?</svg>", pages[name], re.DOTALL):
        root = Xml.fromstring(source)
        names = {child.tag.rpartition("}")[2]: child.text for child in root}
        assert "The outage" in (names["title"] or "") and "zero is the moment" in (names["desc"] or "").lower()
        width, height = map(float, root.attrib["viewBox"].split()[2:])
        for shape in root.iter():
            assert 0 <= float(shape.get("x", "0")) <= width
            assert 0 <= float(shape.get("y", "0")) <= height
            assert 0 <= float(shape.get("x", "0")) + float(shape.get("width", "0")) <= width + 1


@pytest.mark.parametrize("name", PLOTS)
def test_every_report_says_the_same_verdict(
    name: str, packs: dict[str, Path], pages: dict[str, str], built: dict[str, dict[str, bytes]]
) -> None:
    """The page, the lines for the terminal and the JUnit file agree; only MET is green."""
    verdict = VERDICTS.get(name, "UNKNOWN")
    assert f"<title>{verdict}: Database Backup Restoration</title>" in pages[name]
    assert text.summary(packs[name]).endswith(f"{verdict}: the verdict of the run\n")
    root = Xml.fromstring(built[name]["junit.xml"])
    failures, errors = int(root.attrib["failures"]), int(root.attrib["errors"])
    assert (failures > 0) == (verdict == "MISSED")
    assert (errors > 0) == (verdict == "UNKNOWN") or verdict == "MISSED"
    assert (failures + errors == 0) == (verdict == "MET")


def test_junit_counts_what_it_lists(packs: dict[str, Path], built: dict[str, dict[str, bytes]]) -> None:
    """Totals of suites and cases agree, and each finding is one case with its figure, bar and environment."""
    root = Xml.fromstring(built["over"]["junit.xml"])
    cases = list(root.iter("testcase"))
    found = load.judged(packs["over"])
    assert int(root.attrib["tests"]) == len(cases) == len(found)
    by_name = {case.attrib["name"]: case for case in cases}
    assert {case.attrib["classname"] for case in cases} == {"All volumes lost"}
    rto = by_name["Recovery time"]
    properties = {each.attrib["name"]: each.attrib["value"] for each in rto.iter("property")}
    truth = next(finding for finding in found if finding.id == "rto")
    assert float(properties["figure"]) == truth.figure and float(properties["low"]) == truth.low
    assert properties["environment"] == "embedded" and properties["demands"] == "OBJ-5"
    failure = rto.find("failure")
    assert failure is not None and failure.attrib["type"] == "MISSED"
    assert "30.7 s (30.0 to 30.7)" in failure.attrib["message"]
    decision = by_name["Decision time"].find("skipped")
    assert decision is not None and "advisory" in decision.attrib["message"]


def test_a_verdict_that_no_finding_explains_is_not_green(met: Path) -> None:
    """A scenario whose verdict is worse than its findings gets a case of its own, and one without findings too."""
    content = json.loads((met / "findings.json").read_text())
    content["verdicts"][MISTAKE] = "UNKNOWN"
    content["findings"] = [each for each in content["findings"] if each["scenario"] == MISTAKE]
    content["verdicts"][VOLUMES] = "MET"
    (met / "findings.json").write_text(json.dumps(content))
    root = Xml.fromstring(reports.build(met)["junit.xml"])
    bare = {case.attrib["classname"]: case for case in root.iter("testcase") if case.attrib["name"] == "verdict"}
    assert set(bare) == {"An operator's mistake", "All volumes lost"}
    assert all(case.find("error") is not None for case in bare.values())


@pytest.mark.parametrize("name", [name for name in PLOTS if PLOTS[name]])
def test_every_figure_says_what_it_was_measured_on(name: str, packs: dict[str, Path], pages: dict[str, str]) -> None:
    """Cards, captions and pictures carry environment, rung and size, so that no figure poses as production's."""
    html = pages[name]
    note = "embedded, rung 1, 200,412 transactions"
    assert html.count('<div class="card">') == html.count(f'<p class="on">Measured on: {note}')
    for caption in ("Findings: each figure", "Loss: the customers", "Verdict of each scenario"):
        assert re.search(rf"<caption>{caption}[^<]*Measured on: {note}", html)
    for picture in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert note in picture
    assert f"Measured on: {note}" in text.summary(packs[name])


@pytest.mark.parametrize("name", PLOTS)
def test_the_page_says_what_the_run_does_not_show(name: str, pages: dict[str, str]) -> None:
    """Environment, size, the simulated store and the limits of a seal are said on every page."""
    html = pages[name]
    assert "It says nothing about how long production would take." in html
    assert "nothing here may be scaled up without a projection" in html
    assert "does not show that the figures are true" in html
    assert ("Moto, an emulator of the S3 protocol: a simulated store" in html) is True
    assert ("Decision time: not exercised." in html) == (name not in ("no bite", "empty"))
    assert "openssl pkeyutl -verify" in html and "sha256sum -c SHA256SUMS" in html


def test_what_ended_a_run_stands_above_every_figure(
    packs: dict[str, Path], tmp_path: Path, pages: dict[str, str]
) -> None:
    """A stopped, a killed, an empty and a sabotaged run say so before anything else, and so do the lines."""
    sabotaged = sample_pack.write(tmp_path / "sabotaged", Plot(early=7.0), sabotage="restored too early")
    said = {
        packs["stopped"]: ("STOPPED RUN by mira: another incident", "This run was stopped"),
        packs["killed"]: ("KILLED RUN", "This run was killed"),
        packs["empty"]: ("EMPTY RUN", "No scenario ran"),
        sabotaged: ("SABOTAGED RUN", "SABOTAGED on purpose: restored too early"),
    }
    for folder, (banner, line) in said.items():
        html = page_of(folder)
        assert banner in html[: html.index("<table")]
        assert line in text.summary(folder)
    assert "planned and never began" in pages["stopped"]


def test_a_clock_that_never_ended_is_shown_as_a_lower_bound(packs: dict[str, Path], pages: dict[str, str]) -> None:
    """A killed recovery is `at least`, everywhere, with no ratio that pretends to be final."""
    html = pages["killed"]
    figure = re.search(r'<p class="value">(at least [0-9.]+ s)</p>', html)
    assert figure and "at least 1.2 % of it" in html
    assert figure[1] in text.summary(packs["killed"])
    assert "times this figure" not in html


def test_the_sentences_and_the_demands_come_from_the_pack(pages: dict[str, str]) -> None:
    """The page quotes the feature as it was in the pack, and spells out each demand that is tagged."""
    html = pages["met"]
    assert "When</b> an operator&#39;s mistake destroys the last 24 hours of financial transactions" in html
    assert "<dt>OBJ-5</dt><dd>Critical financial data is back within 1 h</dd>" in html


def test_the_examples_of_an_outline_are_filled_in(packs: dict[str, Path]) -> None:
    """A scenario made from an example shows its own sentences, without angle brackets."""
    title = "All volumes lost, and a byte is flipped in the latest base backup"
    wording = features.find(packs["met"], title)
    assert wording is not None
    assert "a byte is flipped in the latest base backup, and nobody notices" in [
        each.text for each in wording.sentences
    ]
    assert features.find(packs["met"], "No such scenario") is None


def test_the_loss_table_is_the_checks_own_comparison(packs: dict[str, Path], pages: dict[str, str]) -> None:
    """What the page counts as lost is what the checks count, and requests add up to what was due."""
    html = pages["over"]
    found = next(finding for finding in load.judged(packs["over"]) if finding.id == "loss")
    lost = re.search(r"acknowledged transactions (\d+) are lost, amount ([0-9.]+)", found.reason)
    assert lost and int(lost[1]) > 0
    assert f'<th scope="row">Lost: acknowledged and not there</th><td>{int(lost[1]):,}</td>' in html
    assert f'<th scope="row">Lost money (sum of their amounts)</th><td>{float(lost[2]):,.2f}</td>' in html
    cells = dict(re.findall(r'<tr><th scope="row">([^<]*)</th><td>([0-9,]+)</td></tr>', html))
    parts = ("Answered as stored (acknowledged)", "Known not to be stored (failed)",
             "Due and not sent: too many were waiting", "Sent, never told whether stored (in doubt)")  # fmt: skip
    assert sum(int(cells[part].replace(",", "")) for part in parts) == int(cells["Requests due"].replace(",", ""))


def test_where_nothing_can_be_compared_the_table_says_so(pages: dict[str, str]) -> None:
    """A killed run has no final rows: its loss is not possible to tell, never 0."""
    html = pages["killed"]
    assert "not possible: the final rows of zone a, b, c were not read" in html
    assert "Lost: acknowledged and not there" not in html


def test_customers_are_counted_by_the_second_they_were_due(packs: dict[str, Path]) -> None:
    """Answered and unanswered requests of all seconds add up to the ledgers' totals."""
    ledgers = sorted((packs["met"] / "scenarios" / MISTAKE).glob("ledger-*.jsonl"))
    problems: list[str] = []
    seen = customers.read(ledgers, zero=sample_pack.BOOT, problems=problems)
    assert seen.seconds is not None and not problems
    assert sum(seen.seconds.answered) == seen.totals.acknowledged
    assert sum(seen.seconds.unanswered) == seen.totals.due - seen.totals.acknowledged
    total = ledger.Totals()
    for path in ledgers:
        with path.open() as lines:
            total += ledger.count(ledger.outcomes(lines))
    assert seen.totals == total


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


@pytest.mark.parametrize("name", ["met", "stopped", "over"])
def test_hostile_text_is_shown_and_never_obeyed(name: str, packs: dict[str, Path], tmp_path: Path) -> None:
    """Markup, templates, terminal escapes, direction marks and endless lines from a pack are harmless everywhere."""
    folder = shutil.copytree(packs[name], tmp_path / "hostile")
    rewrite(folder, [line | {"data": strings(line["data"])} for line in journal(folder)])
    content = json.loads((folder / "findings.json").read_text())
    for each in content["findings"]:
        each.update(title=HOSTILE, reason=HOSTILE, unit=HOSTILE if each["unit"] != "s" else "s", demands=[HOSTILE])
    (folder / "findings.json").write_text(json.dumps(content))
    (folder / "features/monthly/hostile.feature").write_text(f"Feature: {HOSTILE!a}\n  Scenario: {HOSTILE!a}\n")
    built = reports.build(folder)
    html = built["index.html"].decode()
    page = Page(html)
    assert page.open == [] and not page.of("script") and not page.of("img")
    assert "alert(1)" in html and "{{ 7*7 }}" in html, "shown as it is"
    assert not set("\u202e\x00\x1b") & set(html) and "&lt;U+202E&gt;evil" in html
    assert Xml.fromstring(built["junit.xml"]).tag == "testsuites"
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


def test_a_damaged_journal_has_a_page_all_the_same(packs: dict[str, Path], tmp_path: Path) -> None:
    """Whatever a journal holds, there is a page, and where lines could not be read it says so."""
    folder = shutil.copytree(packs["met"], tmp_path / "damaged")
    for content in damages(packs["met"], random.Random(20261102)):
        (folder / "journal.jsonl").write_bytes(content)
        built = reports.build(folder)
        assert Page(built["index.html"].decode()).open == []
        assert Xml.fromstring(built["junit.xml"]).tag == "testsuites"
        assert text.summary(folder)
    (folder / "journal.jsonl").write_bytes(b"not json\n" + (packs["met"] / "journal.jsonl").read_bytes())
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
        reports.build(tmp_path)


def test_a_scenario_name_cannot_leave_the_pack(met: Path) -> None:
    """A journal that names a scenario `../..` makes no report read outside the pack."""
    lines = journal(met)
    for line in lines:
        if line["data"].get("scenario") == MISTAKE:
            line["data"]["scenario"] = "../../.."
    rewrite(met, lines)
    assert [each.ledgers for each in pack.read(met).scenarios if each.name == "../../.."] == [()]


def test_lines_for_a_terminal_are_narrow_and_say_what_counts(packs: dict[str, Path]) -> None:
    """At most 100 columns; per scenario the verdict, the recovery time with its bar, loss, and objectives."""
    for folder in packs.values():
        assert max(map(len, text.summary(folder).splitlines())) <= text.WIDTH
    said = text.summary(packs["met"])
    assert re.search(r"✓ MET {2}out of service {2}\d+\.\d s \(\d+\.\d to \d+\.\d\) +objective 1 h ", said)
    assert re.search(r"✓ MET {2}loss in time +0 s +objective 5 min", said)
    assert said.count("decision time: not exercised") == 2


def test_text_is_cleaned_once_and_cut_visibly() -> None:
    """Cutting says how long the text was; ordinary words of any language stay as they are."""
    assert clean("Überweisung 電匯 тест ✓") == "Überweisung 電匯 тест ✓"
    assert clean("x" * 5000).endswith("… (cut here; 5,000 characters in all)")
    assert clean({"a": [1, None, True]}) == "a: 1, none, yes"


def test_findings_of_unknown_shape_survive(met: Path) -> None:
    """A finding with fields that this version does not know is shown with those it does."""
    content = json.loads((met / "findings.json").read_text())
    content["findings"][0]["invented"] = {"later": 1}
    (met / "findings.json").write_text(json.dumps(content))
    found = pack.read(met).scenarios[0].findings[0]
    assert isinstance(found, Finding) and found.outcome is Outcome.MET
