"""How a zone cut is shown: alerts, timelines, heals in the middle, what was left out; and nothing that is not there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from harness.cli.live import Live
from reports import pack as packs
from reports.build import build
from reports.comparison.compare import compare
from reports.run import customers, text
from tests import sample_cut, sample_pack
from tests.histories import NAME, History, ns
from tests.sample_pack import Plot
from tests.test_check_failover import acknowledged
from tests.test_reports import Page
from tests.zone_cuts import DATABASE_A, INSIDE, OLD, a_zone_cut


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of a zone cut."""
    return sample_cut.write(tmp_path_factory.mktemp("cut") / "pack")


@pytest.fixture(scope="module")
def page(cut: Path) -> str:
    """Its page."""
    return build(cut)["index.html"].decode()


def page_of(folder: Path, history: History) -> str:
    return build(sample_cut.write(folder, history))["index.html"].decode()


def table(page: str, caption: str) -> list[list[str]]:
    """The rows of the table whose caption begins so, as words."""
    part = page.split(f"<caption>{caption}")[1].split("</table>", maxsplit=1)[0].split("<tbody>")[1]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in part.split("</tr>")[:-1]]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


def test_the_page_is_whole_and_links_lead_to_files_of_the_pack(cut: Path, page: str) -> None:
    """Every element is closed, nothing is fetched, and a link leads into the page or to a report beside it."""
    seen, built = Page(page), build(cut)
    assert seen.open == []
    ids = {attrs["id"] for _, attrs in seen.tags if "id" in attrs}
    links = [str(attrs["href"]) for _, attrs in seen.tags if "href" in attrs]
    assert all(link.removeprefix("#") in ids if link.startswith("#") else link in built for link in links)
    assert len(seen.of("table")) == len(seen.of("caption"))
    for source in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        Xml.fromstring(source)


def test_the_picture_marks_what_the_platform_did_by_itself(page: str) -> None:
    """Operations told, the first answer on the new timeline, the end of the fault, and what came back."""
    picture = re.findall(r"<svg.*?</svg>", page, re.DOTALL)[0]
    for words in ("operations told +11.0 s", "first answer on history 4 +22.0 s", "fault ended +45.1 s",
                  "db-a a copy again +63.0 s", "api-a in rotation +64.0 s", "served again +22.0 s",
                  "What the monitoring told operations: 2 firing, 1 of them names what was hurt", "history 3",
                  "history 4"):  # fmt: skip  # a list
        assert f">{words}</text>" in picture, words
    assert picture.count('class="told"') == picture.count('class="symptom"') == 2  # one of each is in the legend


def test_customers_inside_a_zone_are_not_in_the_panel_of_service(cut: Path, page: str) -> None:
    """The panel counts only those outside, and says so; the table says who counts."""
    assert "What customers outside saw" in page and "those inside a zone are not counted" in page
    scenario = packs.read(cut).scenarios[0]
    assert scenario.inside == set(INSIDE)
    seen = customers.read(scenario.ledgers, zero=ns(0), problems=[], inside=scenario.inside)
    assert seen.seconds is not None
    assert sum(seen.seconds.answered) + sum(seen.seconds.unanswered) == 980
    assert seen.totals.due == 4 * 980


def test_who_was_answered_from_which_timeline_is_a_table(page: str) -> None:
    """For each group and timeline: the first and the last answer, and how many."""
    rows = table(page, "Who was answered from which history")
    assert ["outside", "yes", "4", "+22.0 s", "+69.9 s", "480"] in rows
    assert [row[:3] for row in rows if row[0] == DATABASE_A] == [[DATABASE_A, "no: inside a zone", "3"]]


def test_a_history_is_called_what_the_stack_calls_it(tmp_path: Path) -> None:
    """In findings, in the story, and in the picture; a word that is none changes nothing."""
    history = a_zone_cut()
    history.say(-0.5, "stack.ready", words={"history": "timeline", "histories": "timelines", "position": ""})
    html = page_of(tmp_path / "pack", history)
    assert "timeline 3, then timeline 4" in html and "db-b leads on timeline 4" in html and "history 4" not in html


def test_a_split_brain_is_seen_in_the_table_of_timelines(tmp_path: Path) -> None:
    """The old leader's last answer stands beside the new leader's first, and the verdict is red."""
    html = page_of(tmp_path / "pack", acknowledged(a_zone_cut(), DATABASE_A, 60.0, OLD))
    rows = table(html, "Who was answered from which history")
    assert [row[4] for row in rows if row[0] == DATABASE_A] == ["+30.1 s"]
    assert "<title>MISSED" in html


def test_what_was_looked_at_stands_in_order(page: str) -> None:
    """Endpoints, release, who leads, held and healed in the middle, each on the clock of the fault."""
    said = {row[2]: row[0] for row in table(page, "What was injected and what was seen")}
    assert said["zone a: /health answers 200, /ready answers 503"] == "+14.0 s"
    assert said["release 7 is deployed"].startswith("-")
    assert said["cut_zone still holds"] == "+44.9 s" and said["cut_zone is healed as the scenario says"] == "+45.1 s"
    assert "alert resolved: ZoneDown names zone a" in said


def test_what_was_not_exercised_is_seen_before_the_figures(page: str) -> None:
    """In the scenario, and among what the run does not show."""
    assert page.index("Not exercised on this machine:") < page.index("The outage on one time axis")
    assert "latency on the link (this kernel has no netem)" in page.split("What this run does not show")[1]


def test_what_a_scenario_does_not_have_leaves_no_empty_section(page: str) -> None:
    """No books, no recovery point, no procedure, no archive: none of their tables, and no figure that is none."""
    for words in ("The books before the disaster", "The recovery point: ordered", "The recovery procedure",
                  "At risk", "Data verified before", "Greatest exposure", "no figure</p>"):  # fmt: skip  # a list
        assert words not in page, words
    assert '<p class="name">Lost</p><p class="value">0 transactions</p>' in page


def test_a_restored_database_has_none_of_the_new_sections(tmp_path: Path) -> None:
    """The page of the first drill is what it was."""
    html = build(sample_pack.write(tmp_path / "pack", Plot(rate=3.0)))["index.html"].decode()
    for words in ("Who was answered from which history", "What was injected and what was seen", "operations told",
                  "Root cause:", "Not exercised on this machine", "What customers outside saw"):  # fmt: skip  # a list
        assert words not in html, words


def test_a_fault_that_ended_by_itself_is_marked(tmp_path: Path) -> None:
    """And every finding is UNKNOWN, with that reason."""
    history = a_zone_cut()
    history.drop("fault.still_active")
    history.say(74.9, "fault.still_active", fault="cut_zone", ok=False, proof="it had ended by itself")
    html = page_of(tmp_path / "pack", history)
    assert "cut_zone had ENDED by itself +44.9 s" in html
    assert "<title>UNKNOWN" in html and "had ended before it was healed" in html


def test_the_terminal_says_it_in_a_hundred_columns(cut: Path) -> None:
    """The figures of the new drill stand in the summary of a run."""
    lines = text.summary(cut).splitlines()
    assert max(map(len, lines)) <= text.WIDTH
    for words in ("operations told", "split brain", "lost", "a copy again"):
        assert any(line.startswith("    ✓ MET") and words in line for line in lines), words


def test_a_watched_run_says_what_is_new(cut: Path) -> None:
    """One line for each thing that a person wants to know while it happens."""
    said: list[str] = []
    live = Live(cut, say=said.append)
    for line in (cut / "journal.jsonl").read_text().splitlines():
        live.show(json.loads(line))
    whole = "\n".join(said)
    for words in (
        "alert ZoneDown names zone a: ZoneDown is firing", "operations were told what was hurt, 11.0 s after the fault",
        "zone a: /health answers 200, /ready answers 503", "db-b leads on history 4",
        "api-a is NOT back in rotation: HTTP 503",
        "db-a is back as a copy: streams on timeline 4", "NOT EXERCISED latency on the link: this kernel has no netem",
        "cut_zone is healed as the scenario says", "ask: FAILED: API ready: HTTP 503",
    ):  # fmt: skip  # a list
        assert words in whole, words
    assert "still holds" not in whole, "only a fault that has ended by itself is worth a line"


def test_what_repeats_is_told_once(cut: Path) -> None:
    """Each alert that names what was hurt, the first of each symptom; who leads and what is deployed on a change."""
    said: list[str] = []
    live = Live(cut, say=said.append)
    hurt = {"fault": "cut_zone", "harms_data": False, "affects": [{"zone": "a"}, {"component": "api-a"}]}
    told = {"state": "firing", "received": 2, "summary": "bad"}
    down, late = (
        {"name": "Down", "component": "api-a", "zone": "a"},
        {"name": "Late", "component": "api-b", "zone": "b"},
    )
    nobody = {"name": "NobodyLeads", "component": "", "zone": ""}
    alerts = [down, down | {"component": "db-a"}, down, late, late | {"component": "api-c"}, nobody]
    for kind, data in (
        ("release", {"name": "1.0"}), ("leadership", {"member": "db-a", "history": 1}), ("fault.intent", hurt),
        *(("alert", told | each) for each in alerts), ("alert", told | down | {"state": "resolved"}),
        ("alert.awaited", {"named": True, "seconds": 1.0, "within": 60.0}),
        ("detected", {"by": "monitoring", "seen": "it"}),
        ("leadership", {"member": "db-a", "history": 1}), ("release", {"name": "1.0"}),
        ("leadership", {"member": "db-b", "history": 2}), ("release", {"name": "0.9"}),
    ):  # fmt: skip  # a list
        live.show({"mono": 0 if kind == "fault.intent" else 1, "kind": kind, "data": data})
    assert [line.partition(" s  ")[2].strip() for line in said] == [
        "db-a leads on history 1",
        "! cut_zone: the undo is on disk, now it hurts",
        "alert Down names api-a, zone a: bad",
        "alert Down names db-a, zone a: bad",
        "alert Late names api-b, zone b: bad",
        "alert NobodyLeads: bad",
        "operations were told what was hurt, 0.0 s after the fault",
        "db-b leads on history 2",
        "release 0.9 is deployed",
    ]


def test_two_cuts_are_compared_by_their_new_figures(cut: Path, tmp_path: Path) -> None:
    """Detection, split brain and the others have their rows."""
    other = shutil.copytree(cut, tmp_path / "other")
    journal = other / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"run":"a-run"', '"run":"another"'))
    (pair,) = compare(packs.read(cut), packs.read(other)).pairs
    assert pair.name == NAME
    assert {figure.id for figure in pair.figures} >= {"detection", "split-brain", "no-loss", "rejoined", "failovers"}
