"""The rules that judge have versions: what was sealed by an older one is judged again by it, byte for byte."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.checks import OLDER, RULES, Outcome, load
from harness.checks.again import judge_again
from harness.checks.judge import judge
from harness.checks.rules import TABLE
from harness.cli import drdrill
from harness.evidence import verify
from harness.evidence.seal import MADE_HERE
from tests.histories import INTENT, History, a_mistake, lost_volumes, ns, utc
from tests.zone_cuts import a_zone_cut, an_alert

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
STORED = sorted((Path(__file__).parent / "packs").glob("*.tar.xz"))
VERSION = {path: path.name.split("-")[1] for path in STORED}
NO_REPORTS = {  # files of a pack: what was drilled, records, judgement and seal
    "stack.yaml",
    "journal.jsonl",
    "findings.json",
    "plan.yaml",
    *MADE_HERE,
}


def unpacked(archive: Path, into: Path) -> Path:
    """A sealed pack that was stored."""
    shutil.unpack_archive(archive, into)  # extractall's filter is not in every Python 3.11
    (pack,) = into.iterdir()
    return pack


def finding(history: History, name: str, version: str = RULES) -> Any:
    return next(each for each in judge(history.evidence(), TABLE[version]) if each.id == name)


def test_every_version_that_can_judge_has_two_stored_packs() -> None:
    """The table and the stored packs are of the same versions; each format of ledgers is among them."""
    many = {version: list(VERSION.values()).count(version) for version in TABLE}
    assert set(VERSION.values()) == set(TABLE) and min(many.values()) >= 2
    assert any("ledgers-of-format-2" in path.name for path in STORED)
    assert {RULES, *OLDER} >= set(TABLE)


@pytest.mark.parametrize("archive", STORED, ids=lambda path: path.name)
def test_a_stored_pack_is_judged_again_byte_for_byte(archive: Path, tmp_path: Path) -> None:
    """Whatever the rules of today say."""
    pack = unpacked(archive, tmp_path)
    again = judge_again(pack)
    assert (again.rules, again.outcome, again.differs, again.left) == (VERSION[archive], MET, (), ())
    rules = TABLE[VERSION[archive]]
    assert load.findings_json(load.judged(pack, rules), rules) == (pack / "findings.json").read_bytes()


@pytest.mark.parametrize("archive", [one for one in STORED if VERSION[one] == RULES], ids=lambda path: path.name)
def test_a_stored_pack_is_reported_byte_for_byte(archive: Path, tmp_path: Path) -> None:
    """`drdrill report` writes every report that was sealed, and no other, as it was sealed.

    But for the commands to verify by hand: those are of the newest verifier, and good for every pack.
    Who changes what a report says makes the stored packs of today's rules anew: the commands are in tests/packs.
    """
    pack = unpacked(archive, tmp_path)
    done = CliRunner().invoke(drdrill, ["report", str(pack), "--into", str(tmp_path / "again")])
    written = {path.name: without_commands(path) for path in (tmp_path / "again").iterdir()}
    sealed = {
        path.name: without_commands(path) for path in pack.iterdir() if path.name not in NO_REPORTS and path.is_file()
    }
    assert [name for name in sealed | written if sealed.get(name) != written.get(name)] == []
    differ = done.output.count("index.html: DIFFERS from the sealed one")
    assert done.exit_code == (2 if differ else 0)
    assert done.output.count("the same as sealed") + differ == len(sealed) >= 2


def without_commands(path: Path) -> bytes:
    return re.sub(rb'<pre class="long"># 1\. .*?</pre>', b"", path.read_bytes(), flags=re.DOTALL)


@pytest.mark.parametrize("archive", STORED, ids=lambda path: path.name)
def test_a_stored_pack_verifies(archive: Path, tmp_path: Path) -> None:
    """Integrity and completeness, by the verifier of today."""
    report = verify.verify_pack(unpacked(archive, tmp_path))
    assert (report.answer("integrity"), report.answer("completeness")) == (MET, MET), report.problems


# Findings that somebody wrote


def edited(pack: Path, change: Callable[[Any], object]) -> Path:
    path = pack / "findings.json"
    content = json.loads(path.read_bytes())
    change(content)
    path.write_bytes(json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")
    return pack


def outcome_of(name: str, outcome: str) -> Callable[[Any], object]:
    def change(content: Any) -> None:
        next(each for each in content["findings"] if each["id"] == name)["outcome"] = outcome

    return change


def nicer(content: Any) -> None:
    for each in content["findings"]:
        if each["id"] == "rto":
            each["figure"] = each["high"] = each["low"] = 0.1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (outcome_of("rpo", "MISSED"), "rpo of an-operators-mistake: sealed MISSED with 5.65"),
        (nicer, "rto of an-operators-mistake: sealed MET with 0.1 s, judged again MET with 10.5"),
        (lambda content: content["findings"].pop(0), "not sealed"),
        (lambda content: content["findings"].append(content["findings"][0]), "order"),
        (lambda content: content["findings"].append(content["findings"][0] | {"scenario": "x"}), "not found"),
        (lambda content: content["findings"].reverse(), "order"),
        (lambda content: content.update(verdict="MISSED"), "the verdict of the run: sealed MISSED, judged again MET"),
        (lambda content: content["verdicts"].update(other="MET"), "bytes"),
        (lambda content: content["verdicts"].clear(), "the verdict of an-operators-mistake: sealed None"),
        (lambda content: content.update(rules="3"), "rules: sealed as version 3"),
        (lambda content: content["findings"][1].update(reason="well done"), "other reason"),
        (lambda content: content["findings"][1].update(advisory=True), "advisory"),
    ],
)
def test_findings_that_the_records_do_not_give_are_told(
    tmp_path: Path, change: Callable[[Any], object], said: str
) -> None:
    """Whoever holds the key can seal other findings; judged again, each difference has a name."""
    pack = edited(unpacked(STORED[1], tmp_path), change)
    again = judge_again(pack)
    assert again.outcome is MISSED
    assert said in str(again)


def test_a_finding_that_these_rules_do_not_know_yet_is_not_judged_again(tmp_path: Path) -> None:
    """It came with a newer drdrill, and is left out by name; all others are judged."""
    newer = {"id": "kept-promises", "scenario": "an-operators-mistake", "outcome": "MET", "advisory": False}
    pack = edited(unpacked(STORED[1], tmp_path), lambda content: content["findings"].append(newer))
    again = judge_again(pack)
    assert (again.outcome, again.left, again.differs) == (UNKNOWN, ("kept-promises",), ())
    assert "but for what this drdrill does not know: kept-promises" in str(again)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda pack: (pack / "findings.json").unlink(), "there is no findings.json"),
        (lambda pack: (pack / "findings.json").write_bytes(b'{"v":99}'), "cannot be read"),
        (lambda pack: (pack / "findings.json").write_bytes(b"[" * 100_000), "cannot be read"),
        (lambda pack: replace(pack, b'"rules":"2"', b'"rules":"9"'), "version 9, and this drdrill knows versions 2, 3"),
        (lambda pack: replace(pack, b'"rules":"2"', b'"rules":"1"'), "version 1"),
        (lambda pack: replace(pack, b'"rules":"2"', b'"rules":"4"'), "not of the format that rules version 4 judge"),
        (lambda pack: withhold(pack, 3), "1 line of the journal is withheld"),
        (lambda pack: withhold(pack, 3, 7, 9), "3 lines of the journal are withheld"),
        (lambda pack: (pack / "journal.jsonl").unlink(), "journal.jsonl"),
        (lambda pack: (pack / "journal.jsonl").write_bytes(b"\xff\xfe\n\n"), "not a journal line"),
    ],
)
def test_what_cannot_be_judged_again_says_why(tmp_path: Path, spoil: Callable[[Path], object], said: str) -> None:
    """Never an error, and never the same as sealed."""
    pack = unpacked(STORED[1], tmp_path)
    spoil(pack)
    again = judge_again(pack)
    assert again.outcome is UNKNOWN
    assert "not judged again" in str(again) and said in str(again)


def replace(pack: Path, old: bytes, new: bytes) -> None:
    journal = pack / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(old, new))


def withhold(pack: Path, *numbers: int) -> None:
    journal = pack / "journal.jsonl"
    lines = journal.read_bytes().splitlines()
    for number in numbers:
        digest = hashlib.sha256(lines[number]).hexdigest()
        lines[number] = b'{"v":1,"seq":%d,"redacted":"%s"}' % (number, digest.encode())
    journal.write_bytes(b"\n".join(lines) + b"\n")


# What version 3 changed


def test_a_run_that_is_shorter_than_the_objective_says_how_far_it_could_see() -> None:
    """Loss, exposure and recovery time are met within what the run could see; version 2 says nothing of it."""
    history = lost_volumes()
    history.drop("expect")
    for name, limit in (("rto", 3600.0), ("rpo", 300.0), ("backup-frequency", 900.0)):
        history.expect(name, limit)
    for name in ("rto", "rpo", "loss", "exposure", "backup-frequency"):
        found = finding(history, name)
        if found.outcome is MET:
            assert ("reach", "within what this run could see") in found.beside, name
            assert "within what this run could see" in found.reason
        assert "within what this run could see" not in finding(history, name, "2").reason
    seen = dict(finding(history, "rto").beside)["longest outage this run could have seen"]
    assert float(seen.removesuffix(" s")) == pytest.approx(60 - INTENT, abs=1.0)


def test_an_objective_within_reach_is_met_without_more() -> None:
    """The sound history recovers within a minute of looking on."""
    found = finding(a_mistake(), "rpo")
    assert found.outcome is MET and ("reach", "within what this run could see") not in found.beside


def test_a_year_is_not_exercised_by_a_minute() -> None:
    """Bad seconds are counted against the year's budget, and no demand about a year is exercised by it."""
    history = a_zone_cut()
    history.expect("availability", 3153.6)
    found = finding(history, "availability")
    assert (found.outcome, found.demands) == (MET, ())
    assert finding(history, "availability", "2").demands == ("OBJ-5",)
    history.drop("expect", where=lambda data: data["finding"] == "availability")
    history.expect("availability", 1.0)
    assert finding(history, "availability").demands == ("OBJ-5",)


def test_an_alert_that_began_before_the_fault_tells_of_something_else() -> None:
    """Whatever the moment at which it was sent again; one that began with the fault counts."""
    for early, outcome in ((0.0, MET), (4.0, MET), (30.0, UNKNOWN), (86_400.0, UNKNOWN)):
        history = a_zone_cut()
        history.drop("alert", "expect")
        history.expect("detection", 60.0)
        history.expect("alert")
        starts = utc(INTENT - early)
        an_alert(history, INTENT + 3, "ZoneDown", zone="a", starts=starts)
        for name in ("detection", "alert"):
            assert finding(history, name).outcome is outcome, (name, early)
            assert finding(history, name, "2").outcome is MET
    an_alert(history, INTENT + 9, "ZoneDown", zone="a")
    assert finding(history, "detection").figure == pytest.approx(9.0)


def test_an_alert_without_a_beginning_counts_and_one_with_none_that_can_be_read_does_not() -> None:
    """Plain JSON may leave it out; a stamp that is no time is a contradiction."""
    for starts, outcome in (("", MET), ("yesterday", UNKNOWN), ("0001-01-01T00:00:00Z", UNKNOWN)):
        history = a_zone_cut()
        history.drop("alert", "expect")
        history.expect("detection", 60.0)
        an_alert(history, INTENT + 3, "ZoneDown", zone="a", starts=starts)
        assert finding(history, "detection").outcome is outcome, starts


def test_a_monotonic_clock_that_goes_back_makes_everything_unknown() -> None:
    """Within one boot it never does; after a reboot it begins anew, and the journal says so."""
    history = a_mistake()
    evidence = history.evidence()
    lines = list(evidence.lines)
    at = len(lines) // 2
    lines[at] = lines[at]._replace(mono=lines[at - 1].mono - 1)
    found = judge(with_lines(evidence, lines))
    assert {each.outcome for each in found} == {UNKNOWN}
    assert all("monotonic clock goes back" in each.reason for each in found)
    assert "records" in {each.id for each in found}
    assert MET in {each.outcome for each in judge(with_lines(evidence, lines), TABLE["2"])}


def test_after_a_reboot_the_monotonic_clock_begins_anew() -> None:
    """Whoever heals says on which boot, and then nothing is contradicted; on the same boot it would be."""
    for boot, fits in (("another", True), ("the-first", False)):
        history = a_mistake()
        history.say(-1, "run.begin", boot="the-first")
        evidence = history.evidence()
        last = evidence.lines[-1]
        more = [
            last._replace(seq=last.seq + 1, kind="resumed", mono=77, data={"boot": boot}),
            last._replace(
                seq=last.seq + 2, kind="fault.healed", mono=99, data={"fault": "x", "ok": True, "by": "heal"}
            ),
        ]
        found = judge(with_lines(evidence, [*evidence.lines, *more]))
        assert ("records" not in {each.id for each in found}) is fits


def with_lines(evidence: Any, lines: Any) -> Any:
    return dataclasses.replace(evidence, lines=tuple(lines), run=tuple(lines), _made={})


@pytest.mark.parametrize("moved", [60.0, -60.0, 3.0, -3.0])
def test_a_clock_that_was_set_is_told_and_leaves_lengths_alone(moved: float) -> None:
    """What is derived from a time of day is UNKNOWN then; what is measured on the monotonic clock stands."""
    evidence = a_mistake().evidence()
    lines = [line._replace(utc=shifted(line.utc, moved)) if line.mono > ns(34) else line for line in evidence.lines]
    found = {each.id: each for each in judge(with_lines(evidence, lines))}
    assert found["records"].outcome is UNKNOWN and "clock of the day" in found["records"].reason
    assert found["exactness"].outcome is UNKNOWN
    assert found["rto"].outcome is MET and found["loss"].outcome is MET


def shifted(text: str, by: float) -> str:
    return (datetime.fromisoformat(text) + timedelta(seconds=by)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_an_ordered_moment_after_what_it_must_precede_is_a_contradiction() -> None:
    """A database whose clock is ahead gives a point after the mistake: sixty rows would seem to be missing."""
    history = a_mistake()
    for at, (when, kind, data) in enumerate(history.lines):
        if kind == "recovery.ordered":
            history.lines[at] = (when, kind, data | {"mono": ns(INTENT + 6)})
    found = finding(history, "exactness")
    assert found.outcome is UNKNOWN and "must precede" in found.reason
    assert finding(history, "exactness", "2").outcome is MISSED


def test_stamps_that_drift_a_little_widen_what_is_too_near_to_judge() -> None:
    """What two clocks moved against each other is taken off the ordered moment."""
    history = a_mistake()
    lines = [
        line._replace(utc=shifted(line.utc, 0.3)) if line.mono > ns(31) else line for line in history.evidence().lines
    ]
    found = {each.id: each for each in judge(with_lines(history.evidence(), lines))}
    assert "records" not in found and found["exactness"].outcome is MET


def test_each_announced_scenario_must_begin_as_often_as_it_is_announced(tmp_path: Path) -> None:
    """A scenario that is announced twice and ran once, or that ran unannounced, leaves the run UNKNOWN."""
    for names, said in ((["the-scenario", "the-scenario"], "announced 2 times"), ([], "without having been announced")):
        folder = a_mistake().write(tmp_path / str(len(names)))
        journal = folder / "journal.jsonl"
        text = journal.read_text()
        assert '"scenarios":["the-scenario"]' in text
        journal.write_text(text.replace('"scenarios":["the-scenario"]', f'"scenarios":{json.dumps(names)}'))
        found = load.judged(folder)
        assert [each.outcome for each in found if said in each.reason] == [UNKNOWN]
        assert not [each for each in load.judged(folder, TABLE["2"]) if said in each.reason]


@pytest.mark.parametrize(
    ("after", "kinds", "fits"),
    [("x", ("torn", "ledger", "fault.healed"), True), ("x", ("sentence",), False), ("x", ("fault.effective",), False)],
)
def test_after_a_kill_there_is_only_healing(after: str, kinds: tuple[str, ...], fits: bool) -> None:
    """A scenario that goes on behind `resumed` was not written so: an outage could be hidden between two boots."""
    history = a_mistake()
    history.say(-1, "run.begin", boot="the-first")
    evidence = history.evidence()
    last = evidence.lines[-1]
    more = [last._replace(seq=last.seq + 1, kind="resumed", mono=77, data={"boot": after})]
    more += [last._replace(seq=last.seq + 2 + at, kind=kind, mono=88 + at, data={}) for at, kind in enumerate(kinds)]
    found = judge(with_lines(evidence, [*evidence.lines, *more]))
    assert ("records" not in {each.id for each in found}) is fits


def test_a_boot_that_is_over_never_comes_back() -> None:
    """Two jumps, there and back, would leave the clocks of the first boot in order, and a gap that nobody sees."""
    history = a_mistake()
    history.say(-1, "run.begin", boot="one")
    evidence = history.evidence()
    last = evidence.lines[-1]
    more = [
        last._replace(seq=last.seq + 1, kind="resumed", mono=5, data={"boot": "two"}),
        last._replace(seq=last.seq + 2, kind="resumed", mono=last.mono + 9, data={"boot": "one"}),
    ]
    assert "comes back" in next(
        each.reason for each in judge(with_lines(evidence, [*evidence.lines, *more])) if each.id == "records"
    )


def test_the_first_line_is_held_against_the_scenario() -> None:
    """A first line that says another month turns a late drill into one in time."""
    history = a_mistake()
    evidence = history.evidence()
    begin = evidence.lines[0]._replace(kind="run.begin", utc="2026-11-02T09:00:00.000000Z", data={"boot": "one"})
    found = judge(dataclasses.replace(evidence, run=(begin, *evidence.lines), _made={}))
    assert "clock of the day" in next(each.reason for each in found if each.id == "records")
