"""Two regions on one axis: whose database stored what, what resolvers said, and whether the lost one takes writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.workload import ledger
from reports.pack import Fact, Facts
from reports.run.panels import regions as drawn
from reports.run.regions import NONE, Regions, read
from reports.run.sheet import Sheet

SECOND = 1_000_000_000
EAST, WEST = "us-east-1", "us-west-2"
READY = {
    "regions": [
        {"region": EAST, "zones": ["a"], "servers": {"10.0.0.11": "db-a"}, "entrances": ["10.0.0.5", "10.0.0.6"]},
        {"region": WEST, "zones": ["w"], "servers": {"10.0.0.14": "db-w"}, "entrances": ["10.0.0.7"]},
    ]
}


def ledger_of(folder: Path, group: str, said: dict[float, list[str]], stored: dict[float, str]) -> Path:
    """What its resolver said, and which server stored a write, by second."""
    path = folder / f"ledger-{group}.jsonl"
    head = {"v": 2, "origin": "o", "group": group, "rate": 1.0, "timeout": 5.0, "begin": 0, "seed": 1, "salt": "ab"}
    lines: list[tuple[float, str]] = [(at, ledger.resolved_line(1, t=ns(at), addresses=to)) for at, to in said.items()]
    for number, (at, server) in enumerate(sorted(stored.items()), 1):
        sent = {"n": number, "e": "sent", "due": ns(at), "t": ns(at), "payload": "{}", "amount": "1.00"}
        lines += [(at, json.dumps(sent) + "\n")]
        lines += [(at, ledger.end_line(number, "acknowledged", t=ns(at), history=2, server=server))]
    path.write_text(json.dumps(head) + "\n" + "".join(line for _, line in sorted(lines, key=lambda one: one[0])))
    return path


def ns(at: float) -> int:
    return round(at * SECOND)


def looks(*seen: tuple[float, float, bool | None]) -> Facts:
    data: dict[str, Any] = {"region": EAST, "looks": [[ns(begin), ns(end), said] for begin, end, said in seen]}
    return Facts([Fact(0, None, ns(99), "region.looks", data)])


def seen(folder: Path) -> Regions:
    outside = ledger_of(
        folder, "outside", {0: ["10.0.0.5", "10.0.0.6"], 10: ["10.0.0.7"], 20: []},
        {1: "10.0.0.11", 2: "10.0.0.11", 11: "10.0.0.14", 12: "10.0.0.14", 21: "10.0.0.11"},
    )  # fmt: skip  # arguments in groups
    past = ledger_of(folder, "zone-a", {0: ["10.0.0.11"]}, {1.5: "10.0.0.11"})
    return read(READY, [outside, past], looks((5, 6, False), (7, 8, False), (20, 21, True), (22, 23, None)), zero=0)


def test_each_region_has_its_stretches(tmp_path: Path) -> None:
    """An answer that came in much later begins another; all groups count for what a region stored."""
    found = seen(tmp_path)
    assert [(one.row, one.begin, one.end, one.words) for one in found.stored] == [
        (EAST, 1, 2, f"{EAST}: 3 answers"), (EAST, 21, 21, f"{EAST}: 1 answers"), (WEST, 11, 12, f"{WEST}: 2 answers"),
    ]  # fmt: skip  # a table
    assert [(one.row, one.region) for one in found.answered] == [
        ("outside", EAST), ("outside", WEST), ("outside", EAST), ("zone-a", EAST),
    ]  # fmt: skip  # a table


def test_what_a_resolver_said_lasts_until_it_says_something_else(tmp_path: Path) -> None:
    """Where a group is led by no name there is nothing to say."""
    assert [(one.row, one.region, one.begin, one.end, one.words) for one in seen(tmp_path).resolved] == [
        ("outside", EAST, 0, 10, f"{EAST}: 10.0.0.5, 10.0.0.6"), ("outside", WEST, 10, 20, f"{WEST}: 10.0.0.7"),
        ("outside", "", 20, 21, "nothing"),
    ]  # fmt: skip  # a table


def test_the_lost_region_is_seen_to_take_no_write_until_it_does(tmp_path: Path) -> None:
    """Looks that said the same are one stretch; one that said nothing is neither."""
    assert [(one.region, one.begin, one.end, one.words) for one in seen(tmp_path).writable] == [
        ("", 5, 8, "takes none"), (EAST, 20, 21, "takes writes"), ("", 22, 23, "does not say"),
    ]  # fmt: skip  # a table


def test_looks_before_the_fence_and_once_it_leads_again_are_said_apart(tmp_path: Path) -> None:
    """They are not judged."""
    said = [(EAST, 5.0, 6.0, False), (EAST, 7.0, 8.0, False), (EAST, 20.0, 21.0, True), (EAST, 30.0, 31.0, True)]
    lines = [
        Fact(0, None, ns(6.5), "step.end", {"name": "fence-the-lost-region", "ok": True}),
        Fact(1, None, ns(25), "step.begin", {"name": "promote-the-first-region"}),
        *looks(*((begin, end, writes) for _, begin, end, writes in said)).lines,
    ]
    found = read(READY, [], Facts(lines), zero=0).writable
    assert [(one.begin, one.words, one.style) for one in found] == [
        (5, "takes none before its fence", "symptom"), (7, "takes none", "symptom"),
        (20, "takes writes", "writes"), (30, "takes writes again", "writes"),
    ]  # fmt: skip  # a table


def test_the_panel_names_the_regions_in_order_and_keeps_within_the_picture(tmp_path: Path) -> None:
    """A stretch outside of it is not drawn."""
    sheet = Sheet(0.0, 15.0, 900)
    drawn(sheet, seen(tmp_path))
    words = "".join(sheet.front)
    assert words.index(f">{EAST}</text>") < words.index(f">{WEST}</text>") and ">takes none<" in words
    assert words.count(">takes writes<") == 1  # in the legend: what lies outside of the picture is not drawn
    assert "What the resolver of each group said" in words


def test_of_one_region_nothing_is_shown_and_a_damaged_ledger_breaks_nothing(tmp_path: Path) -> None:
    """Whoever reads the ledgers for all else tells of the damage."""
    sheet = Sheet(0.0, 15.0, 900)
    drawn(sheet, NONE)
    assert not sheet.front and read({"regions": READY["regions"][:1]}, [], Facts([]), zero=0) is NONE
    bad = tmp_path / "ledger-outside.jsonl"
    bad.write_text("[]\n[]\n")
    assert read(READY, [bad, tmp_path / "ledger-gone.jsonl"], Facts([]), zero=0) == Regions((EAST, WEST))
