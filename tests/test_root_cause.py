"""The root-cause document: drafted from the pack alone, harmless, bounded, and never answered by the harness."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.root_cause import QUESTIONS
from reports.build import build
from reports.run import excerpts
from reports.run.root_cause import md
from tests import sample_cut, sample_pack
from tests.histories import INTENT, NAME, utc
from tests.sample_pack import Plot
from tests.test_check_steps import changed
from tests.zone_cuts import a_zone_cut, an_alert

DOCUMENT = f"root-cause-{NAME}.md"
MOMENT = datetime(2026, 11, 2, 3, 0, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of a zone cut."""
    return sample_cut.write(tmp_path_factory.mktemp("cut") / "pack")


@pytest.fixture(scope="module")
def document(cut: Path) -> str:
    """Its document."""
    return build(cut)[DOCUMENT].decode()


def test_it_says_what_was_injected_and_that_the_drill_did_it(document: str) -> None:
    """Fault, settings, what an alert has to name, the proof, and who ended it."""
    part = document.split("## What was injected")[1].split("## What was seen", maxsplit=1)[0]
    assert "By the drill itself, on purpose" in part
    for words in (
        "### cut\\_zone",
        "| settings | zone: a |",
        "| what an alert has to name | zone a |",
        "+0.20 s: no packet of zone a arrives",
        "healed as the scenario says | +45.1 s",
    ):
        assert words in part


def test_everything_stands_in_order_on_the_clock_of_the_fault(document: str) -> None:
    """Alerts where they were received, who leads, what customers saw, heals; each with seconds and UTC."""
    part = document.split("## What was seen, in order")[1].split("## What was measured", maxsplit=1)[0]
    rows = re.findall(r"^\| ([+-][\d.]+) s \| (\d\d:\d\d:\d\d) \| (.+) \|$", part, re.MULTILINE)
    assert [float(at) for at, *_ in rows] == sorted(float(at) for at, *_ in rows)
    said = {words: (at, when) for at, when, words in rows}
    assert said["alert: ZoneDown names zone a: ZoneDown is firing"] == ("+11.0", "20:55:41")
    for words in (
        "customers: 220 requests due in the next 22 s are not answered as stored", "db-b leads on history 4",
        "zone a: /health answers 200, /ready answers 503", "api-a is NOT back in rotation: HTTP 503",
        "db-a is back as a copy: streams on timeline 4", "cut\\_zone is healed as the scenario says", "steady again",
        "not exercised: latency on the link: this kernel has no netem",
    ):  # fmt: skip  # a list
        assert words in said, words


def test_logs_of_what_was_hurt_or_named_are_quoted_around_the_fault(document: str) -> None:
    """By each component's own clock; the last lines where it has none; nothing of other components."""
    part = document.split("## What the logs say")[1].split("## Open questions", maxsplit=1)[0]
    assert re.findall(r"^### (.+)$", part, re.MULTILINE) == [
        "api-a.log", "etcd-a.log", "lb-1.log", "patroni-a.log", "postgresql-a.log"
    ]  # fmt: skip  # a list
    assert utc(INTENT)[:19] in part, "etcd's line at the fault"
    assert utc(25.0)[:19] not in part, "a line long before it"
    assert "something without a time, number 39" in part and "number 29" not in part
    assert "Its last lines: no time can be read in it:" in part


def test_every_question_is_open_and_none_is_answered(document: str) -> None:
    """Each with an empty answer, marked as such; a harness does not investigate."""
    assert document.count("**Answer:** not answered\n") == len(QUESTIONS) == document.count("**Answer:**")
    assert f"| Open questions | {len(QUESTIONS)} of {len(QUESTIONS)}" in document


def test_the_page_links_to_it_and_counts_its_questions(cut: Path) -> None:
    """A reader of the page is led to the document."""
    page = build(cut)["index.html"].decode()
    assert f'<a href="{DOCUMENT}">' in page
    assert f"{len(QUESTIONS)} open questions" in page


def test_only_a_scenario_of_a_category_has_one(tmp_path: Path) -> None:
    """A restore of the database exercises no category; nor does a scenario in which nothing was hurt."""
    restored = sample_pack.write(tmp_path / "restored", Plot(rate=1.0))
    assert set(build(restored)) == {"index.html", "junit.xml"}
    history = a_zone_cut()
    history.drop("fault.intent", "fault.effective", "fault.still_active", "fault.healed")
    assert DOCUMENT not in build(sample_cut.write(tmp_path / "unhurt", history))
    odd = changed(a_zone_cut(), "scenario.begin", scenario="../../outside")
    assert [name for name in build(sample_cut.write(tmp_path / "odd", odd)) if "root" in name] == []


def test_text_out_of_a_pack_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    """Neither an alert nor a log line can begin a heading, a link, a tag, another cell, or end a quotation."""
    history = a_zone_cut()
    an_alert(history, 50.0, "X", component="lb-1", summary="| a |\n# not a heading <b> [x](http://y) `z`\u202e")
    pack = sample_cut.write(tmp_path / "pack", history)
    (pack / "logs" / "lb-1.log").write_text("```\n# not a heading\n\x1b[2J\n````text\n")
    text = build(pack)[DOCUMENT].decode()
    row = next(line for line in text.splitlines() if "not a heading" in line and line.startswith("|"))
    assert row.count("|") - row.count("\\|") == 4
    assert "\\# not a heading \\<b\\> \\[x\\](http://y) \\`z\\`\\<U+202E\\>" in row
    quoted = text.split("### lb-1.log")[1].split("### patroni")[0]
    assert quoted.count("\n`````") == 2, "a fence that is longer than any in the log"
    assert "<U+001B>[2J" in quoted


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-02 03:00:24.118 UTC [4711] xid=0 user=app app=api LOG:  connection lost",
        "2026-11-02 03:00:24,118 INFO: no action. I am (db-a), the leader with the lock",
        '{"level":"warn","ts":"2026-11-02T03:00:24.118Z","caller":"x","msg":"lost"}',
        '{"level":"warn","ts":"2026-11-02T04:00:24.118+0100","msg":"lost"}',
        "ts=2026-11-02T03:00:24.118Z caller=main.go level=info",
        "[2026-11-02 03:00:24.118][123][info][main] starting",
        "2026-11-01T22:30:24.118-04:30 something",
    ],
)
def test_every_component_writes_its_time_in_its_own_way(line: str) -> None:
    """PostgreSQL, Patroni, etcd, Prometheus and Envoy are all read; without an offset it is UTC."""
    assert excerpts.stamp_of(line) == MOMENT.replace(microsecond=118_000)


@given(st.text(max_size=200))
def test_a_line_of_any_form_is_no_error(line: str) -> None:
    """What is no time is none; and it is harmless as Markdown, in one line."""
    found = excerpts.stamp_of(line)
    assert found is None or found.tzinfo is UTC
    assert "\n" not in md(line) and not re.search(r"(?<!\\)[|<>`\[]", md(line).replace("\\\\", ""))


def test_an_excerpt_is_bounded(tmp_path: Path) -> None:
    """A log that says much is cut in lines and in letters, and how much is left out is said."""
    path = tmp_path / "a.log"
    path.write_text("".join(f"2026-11-02 03:00:{second:02}.0 UTC {'x' * (900 + second)}\n" for second in range(20, 60)))
    found = excerpts.around(path, MOMENT)
    assert len(found.lines) == excerpts.FEW + excerpts.MANY and max(map(len, found.lines)) == excerpts.WIDEST
    assert found.how.endswith("20 of the 90 s after it; 16 later ones, or like these, are left out")
    short = excerpts.around(path, MOMENT, until=MOMENT + timedelta(seconds=2))
    assert len(short.lines) == excerpts.FEW + 3, "what comes after the scenario is of another"
    path.write_text("".join(f"2026-11-02 03:00:{second}.0 UTC peer 7f{second} is silent\n" for second in range(24, 60)))
    assert len(excerpts.around(path, MOMENT).lines) == 1, "what says the same again and again is quoted once"
    path.write_text("2020-01-01 00:00:00 long ago\n")
    silent = excerpts.around(path, MOMENT)
    assert silent.lines == () and silent.how == "by its own clock it says nothing in the 90 s after the fault"
    path.write_text("no time\n")
    assert excerpts.around(path, MOMENT).lines == ("no time",)
    assert excerpts.around(path, MOMENT, alone=False).lines == (), "nobody knows which scenario it is of"
    path.write_text("")
    assert excerpts.around(path, MOMENT).lines == ()


def test_the_same_pack_gives_the_same_bytes(cut: Path, document: str) -> None:
    """Also once the document lies in the pack."""
    (cut / DOCUMENT).write_text(document)
    assert build(cut)[DOCUMENT].decode() == document
