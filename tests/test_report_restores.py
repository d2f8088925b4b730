"""How a restore beside is shown: a section for each database, and figures that are never another one's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from harness.checks import load
from harness.checks.restored import TITLES
from harness.restores.canary import SAID
from harness.schedule import told
from harness.schedule.runs import figure_id
from reports.build import build
from reports.comparison.compare import compare
from reports.judged import others
from reports.pack import Pack, read
from reports.run import moments
from reports.run.text import summary
from tests.histories import NAME, History
from tests.made_restores import ORDERS, USERS, change, looks, sound, without

HOSTILE = "<script>alert('x')</script>\u202e${secret}"


def judged(history: History, folder: Path, **begin: Any) -> Pack:
    """A pack, judged."""
    pack = history.write(folder, rules="8", environment="staging", nonce="x", **begin)
    (pack / "findings.json").write_bytes(load.findings_json(load.judged(pack)))
    return read(pack)


def page(history: History, folder: Path) -> str:
    return build(judged(history, folder).folder)["index.html"].decode()


def test_each_database_has_its_section(tmp_path: Path) -> None:
    """The backup, how long each part took, what was looked at, place and repository; and nobody was served."""
    history = change(sound(ORDERS, USERS), "end", USERS, outcome="failed", why="a file is not there", seconds=9.0)
    html = page(history, tmp_path / "pack")
    for words in (
        "Database orders", "Database users", "Restored and verified in 60.0 s, 5.0 GB", "It could not be restored: a",
        "20261123F, full", "24 h 0 min", "610351 pages, and every checksum is right",
        "10.0.0.5:5432: Network is unreachable", "Nothing of it was changed.", "at least 5 and at most 9",
        "fetch 20.0 s; restore 15.0 s; replay 15.0 s; verify 10.0 s", "1.8 GB, 90 MB a second",
        "nobody was served; restoring took", "a disaster now would lose", "Restored beside: nobody was served from it",
    ):  # fmt: skip  # a list
        assert words in html, words
    assert html.count("Findings about orders") == 1 and "The outage on one time axis" not in html
    assert "<script" not in html and html.count("src=") == 0


@pytest.mark.parametrize("kind", ["catalogue", "inventory", "place", "part", "reached", "look", "heartbeat", "end"])
def test_a_page_is_written_whatever_is_not_there(tmp_path: Path, kind: str) -> None:
    """And of whatever form what is there has."""
    assert "Database orders" in page(without(sound(), kind), tmp_path / "one")
    for place, value in enumerate((None, [], "x", -1, {"a": 1}, [1])):
        history = sound()
        for _, said, data in history.lines:
            if said == f"restore.{kind}":
                data.update(dict.fromkeys((key for key in data if key not in ("database", "moment")), value))
        assert "Database orders" in page(history, tmp_path / str(place))


def test_what_tools_and_databases_said_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    """Names, words of tools, statements: no markup of theirs is any here."""
    history = looks(sound(HOSTILE), "rows", seen=HOSTILE, name=HOSTILE, text=HOSTILE, expected=HOSTILE)
    change(history, "end", HOSTILE, outcome="failed", why=HOSTILE)
    change(history, "place", HOSTILE, isolation=HOSTILE)
    built = build(judged(history, tmp_path / "pack").folder)
    assert b"<script" not in built["index.html"] and "\u202e".encode() not in built["index.html"]
    Xml.fromstring(built["junit.xml"])


def test_an_original_that_nobody_named_is_not_said_to_be_tried(tmp_path: Path) -> None:
    """A door of this machine is none of its addresses."""
    assert "of the original no address is named" not in page(sound(), tmp_path / "named")
    history = change(sound(), "place", tries=[{"address": SAID, "became": "Network is unreachable"}])
    found = " ".join(page(history, tmp_path / "none").split())
    assert "this machine: Network is unreachable; of the original no address is named, and none was tried" in found


def test_a_throughput_has_its_unit() -> None:
    """It is no size."""
    found = dict(others((("bytes fetched", "2000000"), ("bytes a second, verifying left out", "2000000"))))
    assert list(found.values()) == ["2.0 MB", "2.0 MB a second"]


def test_a_ci_gets_a_case_for_each_finding_of_each_database(tmp_path: Path) -> None:
    """With the time that restoring took."""
    root = Xml.fromstring(build(judged(sound(ORDERS, USERS), tmp_path / "pack").folder)["junit.xml"])
    cases = {str(case.get("name")): case for case in root.iter("testcase")}
    for database in (ORDERS, USERS):
        assert cases[f"{TITLES['restore-time']}: {database}"].get("time") == "60.000"
    assert len(cases) == 2 * (len(TITLES) - 1) + 2


def test_two_packs_are_compared_database_by_database(tmp_path: Path) -> None:
    """Never one with another."""
    first = judged(sound(ORDERS, USERS), tmp_path / "a")
    history = sound(USERS, ORDERS)
    for _, kind, data in history.lines:
        if data.get("database") == USERS and kind == "restore.end":
            data["seconds"] = 64.0
    second = judged(history, tmp_path / "b")
    second = replace(second, begin=second.begin | {"run": "another"})
    (pair,) = compare(first, second).pairs
    claims = {each.id: each.claim.words for each in pair.figures}
    assert claims[f"restore-time: {ORDERS}"] == "the same in both: 60.0 s"
    assert claims[f"restore-time: {USERS}"] == "A is better by 4.00 s"


def test_the_summary_of_a_run_tells_both_figures_of_each(tmp_path: Path) -> None:
    """And why what is not MET is not, with the name once."""
    history = change(sound(ORDERS, USERS), "end", USERS, outcome="failed", why="a file is not there")
    said = summary(judged(history, tmp_path / "pack").folder)
    assert "MET      restoring orders   60.0 s" in said and "would lose orders  5.00 s (0 to 10.00)" in said
    assert "it could not be restored: a file is not there" in said and "users: users:" not in said
    assert "5.0 GB restored" in said


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("restore.asked", {"databases": ["a", "b"], "which": "newest"}, "backups are restored beside, of a, b: newest"),
        ("restore.catalogue", {"database": "a", "chosen": "F1", "how": "the newest of 3"}, "a: F1, the newest of 3"),
        ("restore.part", {"database": "a", "part": "fetch", "seconds": 2, "bytes": 0}, "a: fetch took 2.00 s"),
        ("restore.reached", {"database": "a", "point": "the end"}, "a: recovered to the end"),
        ("restore.end", {"database": "a", "outcome": "failed", "why": "no space"}, "a: failed: no space"),
        ("restore.end", {"database": "a", "outcome": "restored", "why": ""}, "a: restored"),
    ],
)  # fmt: skip  # a table
def test_each_step_of_a_restore_is_told_as_it_comes(kind: str, data: dict[str, Any], words: str) -> None:
    """On the screen, in the words of the page."""
    say: Callable[..., str] = moments.words_of
    assert say(kind, data, "history") == words


def test_the_size_that_was_restored_is_what_a_duty_may_want(tmp_path: Path) -> None:
    """Of the largest; what could not be restored has none."""
    history = change(sound(ORDERS, USERS), "end", USERS, size=7_000_000_000)
    journal = history.write(tmp_path / "a") / "journal.jsonl"
    assert told.read(journal).restored == {NAME: 7_000_000_000}
    change(history, "end", USERS, outcome="failed")
    assert told.read(history.write(tmp_path / "b") / "journal.jsonl").restored == {NAME: 5_000_000_000}


def test_figures_of_several_databases_are_kept_apart_in_the_history() -> None:
    """One of one id does not hide another."""
    assert figure_id({"id": "rto"}) == "rto"
    assert figure_id({"id": "restore-time", "beside": [["database", USERS], ["backup", "1"]]}) == "restore-time: users"
