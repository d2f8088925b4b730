"""Reports are pure, harmless, complete, and never greener than the findings."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from harness.checks import load
from harness.workload import ledger
from reports.build import build
from reports.run import customers, features, text
from reports.words import clean
from tests import junit_rules, sample_pack
from tests.sample_pack import MISTAKE, VOLUMES, Plot

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
    return {name: build(folder) for name, folder in packs.items()}


@pytest.fixture(scope="session")
def pages(built: dict[str, dict[str, bytes]]) -> dict[str, str]:
    """Their pages."""
    return {name: files["index.html"].decode() for name, files in built.items()}


@pytest.fixture
def met(packs: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the good pack, to be changed."""
    return shutil.copytree(packs["met"], tmp_path / "copy")


def page_of(folder: Path) -> str:
    return build(folder)["index.html"].decode()


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
        assert build(moved) == before
    finally:
        os.environ.pop("TZ") if zone is None else os.environ.update(TZ=zone)
        time.tzset()
    for file, content in before.items():
        (moved / file).write_bytes(content)
    assert build(moved) == before, "reports that lie in the pack change nothing"


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
    assert junit_rules.broken(root) == []
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
    properties = dict(line.split(": ", 1) for line in (rto.findtext("system-out") or "").splitlines())
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
    root = Xml.fromstring(build(met)["junit.xml"])
    bare = {case.attrib["classname"]: case for case in root.iter("testcase") if case.attrib["name"] == "verdict"}
    assert set(bare) == {"An operator's mistake", "All volumes lost"}
    assert all(case.find("error") is not None for case in bare.values())


@pytest.mark.parametrize("name", [name for name in PLOTS if PLOTS[name]])
def test_every_figure_says_what_it_was_measured_on(name: str, packs: dict[str, Path], pages: dict[str, str]) -> None:
    """Cards, captions and pictures carry environment, sandbox and size, so that no figure poses as production's."""
    html = pages[name]
    note = "embedded, sandbox rootless, 200,412 transactions"
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
    assert "openssl pkeyutl -verify" in html and "take SHA256SUMS" in html


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


def test_a_run_of_some_scenarios_does_not_look_like_the_whole_drill(tmp_path: Path) -> None:
    """Page and lines say it above the verdict; a whole drill and a sabotaged run do not say it."""
    words = "1 of 4 scenarios of Database Backup Restoration: does not count for the calendar"
    folder = sample_pack.write(tmp_path / "one", Plot(rate=1.0))
    html, verdict = page_of(folder), 'class="big '
    assert f"NOT THE WHOLE DRILL: {words}" in html[: html.index(verdict)]
    assert text.summary(folder).splitlines()[-2] == f"! {words}"
    feature = next((folder / "features").rglob("*.feature"))
    one = feature.read_text().split("  @PIT-1 @OBJ-5 @OBJ-6\n")
    whole = sample_pack.write(tmp_path / "whole", Plot(rate=1.0))
    (whole / feature.relative_to(folder)).write_text("".join(one[:2]))
    sabotaged = sample_pack.write(tmp_path / "sabotaged", Plot(rate=1.0), sabotage="restored too early")
    for pack in (whole, sabotaged):
        assert "calendar" not in text.summary(pack) and "NOT THE WHOLE DRILL" not in page_of(pack)


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
    assert "<dt>OBJ-5</dt><dd>Critical financial data is back within 1 h<br>" in html


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
    assert re.search(r'<th scope="row">Lost, by their numbers</th><td>[a-z]+: \d+', html)
    assert f'<th scope="row">Lost money (sum of their amounts)</th><td>{float(lost[2]):,.2f}</td>' in html
    cells = dict(re.findall(r'<tr><th scope="row">([^<]*)</th><td>([0-9,]+)</td></tr>', html))
    parts = (
        "Answered as stored (acknowledged)",
        "Known not to be stored (failed)",
        "Due and not sent: too many were waiting",
        "Sent, never told whether stored (in doubt)",
    )
    assert sum(int(cells[part].replace(",", "")) for part in parts) == int(cells["Requests due"].replace(",", ""))


def test_where_nothing_can_be_compared_the_table_says_so(pages: dict[str, str]) -> None:
    """A killed run has no final rows: its loss is not possible to tell, never 0."""
    html = pages["killed"]
    assert "not possible: the final rows of customers a, b, c were not read" in html
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


def test_lines_for_a_terminal_are_narrow_and_say_what_counts(packs: dict[str, Path]) -> None:
    """At most 100 columns; per scenario the verdict, the recovery time with its bar, loss, and objectives."""
    for folder in packs.values():
        assert max(map(len, text.summary(folder).splitlines())) <= text.WIDTH
    said = text.summary(packs["met"])
    within = r"✓ MET, within what this run could see:\n +"
    assert re.search(within + r"recovery time {2}\d+\.\d s \(\d+\.\d to \d+\.\d\) +objective 1 h ", said)
    assert re.search(within + r"loss in time +0 s +objective 5 min", said)
    assert said.count("    decision time: not exercised") == 2


def test_many_scenarios_are_told_in_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are MET have two or three lines; one that is not has its reasons, as always."""
    monkeypatch.setattr(text, "MANY", 1)
    pack = sample_pack.write(tmp_path / "pack", Plot(name=VOLUMES, rate=5.0), Plot(rate=5.0, health_ok=False))
    said = text.summary(pack).splitlines()
    first = said.index("✓ MET  All volumes lost")
    assert said[first + 1].startswith("    recovery time ") and " of 1 h, within what this" in said[first + 1]
    assert any(line.startswith("✗ MISSED  ") for line in said[first + 2 : first + 5])
    assert sum("findings that count are MET" in line for line in said) == 1, "in full, the one that is not"
    assert max(map(len, said)) <= text.WIDTH


def test_transactions_and_money_stand_beside_the_loss_in_time(packs: dict[str, Path], pages: dict[str, str]) -> None:
    """The lines and the first table of the page have both; where they are not known, the page says so and no zero."""
    found = {finding.id: finding for finding in load.judged(packs["over"])}
    lost = dict(found["loss"].beside)
    assert lost["lost transactions"] != "0" and f"of {lost['lost transactions']} " not in lost["lost money"]
    said = text.summary(packs["over"])
    assert f"lost transactions {lost['lost transactions']}, lost money {lost['lost money']}" in said
    first = pages["over"][: pages["over"].index("</table>")]
    assert f"{lost['lost transactions']} transactions, {lost['lost money']} in money; " in first
    assert f">lost, by customers: {lost['lost, by customers']}<" in first
    assert "lost transactions 0, lost money 0" in text.summary(packs["met"])
    assert "no figure" in pages["killed"][: pages["killed"].index("</table>")]
    assert "lost transactions" not in text.summary(packs["killed"])


def test_what_exactness_could_not_judge_stands_beside_it(packs: dict[str, Path], pages: dict[str, str]) -> None:
    """How many acknowledged transactions were too near to the ordered point, of how many, as a share."""
    found = next(finding for finding in load.judged(packs["over"]) if finding.id == "exactness")
    near = dict(found.beside)["too near to judge"]
    assert re.fullmatch(r"[1-9]\d* of \d+ \(\d+\.\d %\)", near)
    assert f"too near to judge {near}\n" in text.summary(packs["over"])
    assert f'<span class="small">too near to judge: {near}</span>' in pages["over"]


def test_the_lines_say_who_stopped_a_scenario_and_why(packs: dict[str, Path]) -> None:
    """Once, at the top of the scenario, and once at the end; what it leaves open refers to it."""
    said = " ".join(text.summary(packs["stopped"]).split())
    for part in said.split("Not MET, of what counts:"):
        assert part.count("stopped by mira: another incident needs the team") == 2, "and the scenario that never began"
    assert "no reason recorded" not in said


def test_text_is_cleaned_once_and_cut_visibly() -> None:
    """Cutting says how long the text was; ordinary words of any language stay as they are."""
    assert clean("Überweisung 電匯 тест ✓") == "Überweisung 電匯 тест ✓"
    assert clean("x" * 5000).endswith("… (cut here; 5,000 characters in all)")
    assert clean({"a": [1, None, True]}) == "a: 1, none, yes"
