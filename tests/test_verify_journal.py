"""What the verifier says of a pack's journal, of redacted copies, of folders of packs; and its command."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import drdrill
from harness.errors import Refused
from harness.evidence import verify
from harness.evidence.verify import Report, verify_folder, verify_pack
from harness.evidence.withhold import redact_copy
from tests.damaged_packs import JOURNAL, lines_of, names, payload, rechained, resealed, said
from tests.made_packs import LEDGER, OUR_PRINT, SCENARIO, sealed, series

# --- the journal ---


def test_a_line_changed_taken_out_or_moved(pack: Path) -> None:
    """Sealed again without mending the chain: the line is named."""
    lines = lines_of(pack)
    cases = {
        "chain-broken": [lines[0], lines[1].replace(b"scenario.begin", b"scenario.BEGIN"), *lines[2:]],
        "sequence-gap": [*lines[:3], *lines[4:]],
        "journal-line": [lines[0], lines[1].replace(b":", b": "), *lines[2:]],
    }
    for name, changed in cases.items():
        (pack / JOURNAL).write_bytes(b"".join(line + b"\n" for line in changed))
        report = verify_pack(resealed(pack), key=OUR_PRINT)
        assert name in report.names()
        assert any(re.search(r"line \d of journal", problem.text) for problem in report.problems)


def test_a_journal_that_was_chained_again(pack: Path) -> None:
    """Without the key the signed head and list of digests tell; nothing else has to."""
    lines = lines_of(pack)
    (pack / JOURNAL).write_bytes(rechained([line.replace(b'"seen":3', b'"seen":0') for line in lines]))
    assert names(pack) >= {"file-changed", "journal-head", "journal-lines"}
    (pack / JOURNAL).write_bytes(rechained(lines[:-1]))
    assert names(pack) >= {"journal-length", "no-run-end"}


def test_what_is_missing(pack: Path) -> None:
    """A pack sealed without its first or last line, with an unhealed fault, an open scenario: completeness."""
    lines = lines_of(pack)

    def without(kind: bytes) -> list[bytes]:
        return [line for line in lines if b'"kind":"' + kind not in line]

    def unhealed(predicate: dict[str, Any]) -> None:
        predicate["unhealedFaults"] = ["lose_volumes"]

    def healed(predicate: dict[str, Any]) -> None:
        predicate["unhealedFaults"] = []

    def missing(changed: list[bytes], change: Callable[[dict[str, Any]], object] = healed) -> Report:
        (pack / JOURNAL).write_bytes(rechained(changed))
        return verify_pack(resealed(pack, change=change), key=OUR_PRINT)

    assert missing(without(b"run.begin")).names() == {"no-run-begin"}
    assert missing(without(b"run.end")).names() == {"no-run-end"}
    assert missing(without(b"fault.healed"), unhealed).names() == {"unhealed-fault"}
    assert missing(without(b"fault.healed")).names() == {"unhealed-fault", "statement-differs"}
    assert missing(without(b"scenario.end")).names() == {"scenario-open"}
    assert missing(without(b"scenario")).names() == {"scenario-missing"}
    assert missing(without(b"ledger")).names() == {"not-digested"}
    failed = [line.replace(b'"ok":true,"by"', b'"ok":false,"by"') for line in lines]
    left = missing([line.replace(b'"ok":false,', b'"ok":false,"how":"left fenced",') for line in failed], unhealed)
    assert left.names() == {"unhealed-fault"}
    words = verify.text_of(left)
    assert "is not shown healed: the journal says that it was left fenced" in words
    assert "HINT: no file and no line is missing" in words and "use no figure" not in words


def test_a_ledger_that_is_not_the_one_digested(pack: Path) -> None:
    """Changed between the end of the scenario and the seal, or not there."""
    (pack / LEDGER).write_text("other\n")
    assert names(resealed(pack)) == {"digest-differs"}
    shutil.rmtree(pack / "scenarios")
    report = verify_pack(resealed(pack), key=OUR_PRINT)
    assert report.names() == {"file-not-there"} and report.answer("completeness") == "MISSED"


def test_another_plan_than_the_first_line_names(pack: Path) -> None:
    """The plan in the pack must be the one whose digest was written before anything was hurt."""
    (pack / "plan.yaml").write_text("objectives: {easier: true}\n")
    assert names(resealed(pack)) == {"digest-differs"}


@pytest.mark.parametrize("field", ["run", "number", "previousPack", "nonce"])
def test_a_seal_that_says_something_else_than_the_journal(pack: Path, field: str) -> None:
    """The statement repeats the first line and must agree with it."""
    value = {"number": 9, "previousPack": "1" * 64}.get(field, "other")
    report = verify_pack(resealed(pack, change=lambda predicate: predicate.update({field: value})), key=OUR_PRINT)
    assert report.names() == {"statement-differs"}


def announcing(pack: Path, lines: list[bytes], scenarios: object) -> Report:
    """The answer about a journal whose first line announces these scenarios; sealed again."""
    first = json.loads(lines[0])
    first["data"]["scenarios"] = scenarios
    (pack / JOURNAL).write_bytes(rechained([json.dumps(first).encode(), *lines[1:]]))
    return verify_pack(resealed(pack), key=OUR_PRINT)


def test_each_announced_scenario_counts(pack: Path) -> None:
    """As often as it is named: two of one name need two beginnings and two ends."""
    lines = lines_of(pack)
    begin, end = lines[1], lines[6]
    again = [*lines[:7], begin, end, lines[7]]
    assert announcing(pack, lines, [SCENARIO, SCENARIO]).names() == {"scenario-missing"}
    assert announcing(pack, again, [SCENARIO, SCENARIO]).names() == set()
    assert announcing(pack, [*lines[:7], begin, lines[7]], [SCENARIO] * 2).names() == {"scenario-open"}
    three = announcing(pack, lines, [SCENARIO] * 3)
    assert "was announced and not begun (2 times)" in three.problems[0].text
    assert three.answer("completeness") == "MISSED"


def test_a_scenario_that_nobody_announced(pack: Path) -> None:
    """Begun twice and announced once, or never: then the first line is not the list of what was to run."""
    lines = lines_of(pack)
    again = [*lines[:7], lines[1], lines[6], lines[7]]
    for announced in ([SCENARIO], []):
        report = announcing(pack, again, announced)
        assert report.names() == {"scenario-unannounced"} and report.answer("completeness") == "UNKNOWN"
    assert announcing(pack, lines, None).names() == {"nothing-announced"}
    assert announcing(pack, [*lines[:7], lines[6], lines[7]], [SCENARIO]).names() == {"scenario-not-begun"}
    assert announcing(pack, lines, ["Another"]).names() == {"scenario-missing", "scenario-unannounced"}


def test_an_outcome_that_is_none_of_ours(pack: Path) -> None:
    """A run is completed, stopped, killed or aborted; of anything else nothing can be said."""
    lines = lines_of(pack)
    for outcome in (b'"complete"', b"null", b"[1]"):
        (pack / JOURNAL).write_bytes(rechained([*lines[:-1], lines[-1].replace(b'"completed"', outcome)]))
        report = verify_pack(resealed(pack), key=OUR_PRINT)
        assert report.names() == {"unknown-outcome", "statement-differs"}  # the seal says completed
        assert report.answer("completeness") == "UNKNOWN"


# --- redaction ---


def test_a_redacted_copy_verifies(good: Path, tmp_path: Path) -> None:
    """Any lines between the first and the last, neighbours too, and twice: how many and which is said; UNKNOWN."""
    told = {"1 line of journal.jsonl is withheld": [6], "3 lines of": [2, 3, 4], "lines 2 to 3, 5, 7": [2, 3, 5, 7]}
    for n, (words, lines) in enumerate(told.items()):
        copy = redact_copy(good, tmp_path / str(n), lines)
        report = verify_pack(copy, key=OUR_PRINT)
        assert report.names() == {"lines-redacted"} and report.redacted == lines
        assert words in report.problems[0].text
        assert (report.answer("integrity"), report.answer("completeness")) == ("MET", "UNKNOWN")
        assert not any(lines_of(good)[line - 1] in (copy / JOURNAL).read_bytes() for line in lines)
    again = redact_copy(tmp_path / "0", tmp_path / "again", [6, 7])
    assert verify_pack(again, key=OUR_PRINT).redacted == [6, 7]


def test_a_redacted_first_or_last_line_leaves_completeness_unknown(good: Path, tmp_path: Path) -> None:
    """What is not shown is not claimed."""
    for n, line in enumerate((1, 8)):
        report = verify_pack(redact_copy(good, tmp_path / str(n), [line]), key=OUR_PRINT)
        assert (report.answer("integrity"), report.answer("completeness")) == ("MET", "UNKNOWN")


def test_redaction_excuses_nothing_else(good: Path, tmp_path: Path) -> None:
    """Another changed line, a changed digest, another changed file: still named."""
    copy = redact_copy(good, tmp_path / "a", [4])
    lines = lines_of(copy)
    forged_before = rechained([lines[0].replace(b'"n0"', b'"n1"'), lines[1]]).splitlines() + lines[2:]
    cases = {
        "before, chained again": forged_before,
        "after": [*lines[:5], lines[5].replace(b'"seen":3', b'"seen":0'), *lines[6:]],
        "digest": [*lines[:3], re.sub(rb'"redacted":"....', b'"redacted":"0000', lines[3]), *lines[4:]],
        "cut": lines[:-1],
        "spelled otherwise": [*lines[:3], lines[3].replace(b'"v":', b'"v": '), *lines[4:]],
    }
    for changed in cases.values():
        (copy / JOURNAL).write_bytes(b"".join(line + b"\n" for line in changed))
        assert verify_pack(copy, key=OUR_PRINT).answer("integrity") == "MISSED"
    (copy / JOURNAL).write_bytes(b"".join(line + b"\n" for line in lines))
    (copy / "findings.json").write_text("{}")
    assert names(copy) == {"file-changed", "lines-redacted"}


def test_nearly_all_lines_withheld(good: Path, tmp_path: Path) -> None:
    """Which takes no key: of what the run did next to nothing is shown, and that is said first."""
    copy = redact_copy(good, tmp_path / "a", range(2, 8))
    code, text = said(str(copy), "--key", OUR_PRINT)
    assert code == 2 and "  Completeness  UNKNOWN\n      lines-redacted: 6 lines of" in text and "lines 2 to 7" in text


def test_thousands_of_places_are_told_as_ranges() -> None:
    """Neighbours are one place; of very many the first twenty are named."""
    assert verify.ranges([3, 4, 5, 9]) == "3 to 5, 9"
    told = verify.ranges(list(range(1, 9000, 2)))
    assert told.startswith("1, 3, 5") and told.endswith("39, and 4480 more places")


def test_the_lines_before_redacted_neighbours_are_bound(good: Path, tmp_path: Path) -> None:
    """Behind a redacted line the chain says nothing of the lines before it; the signed list of digests does."""
    copy = redact_copy(good, tmp_path / "a", [3, 4])
    lines = lines_of(copy)
    forged = rechained([lines[0], lines[1].replace(b"All volumes lost", b"No volumes lost!")]).splitlines()
    (copy / JOURNAL).write_bytes(b"".join(line + b"\n" for line in forged + lines[2:]))
    assert names(copy) >= {"journal-lines", "file-changed"}


# --- folders ---


def folder_names(evidence: Path) -> set[str]:
    return verify_folder(evidence, key=OUR_PRINT).names()


def test_a_folder_of_packs(tmp_path: Path) -> None:
    """A whole series is met; each way to disturb it has its name."""
    evidence = tmp_path / "e"
    series(evidence, length=4)
    assert verify_folder(evidence, key=OUR_PRINT).outcome == "MET"
    shutil.copytree(evidence, tmp_path / "gap")
    shutil.rmtree(tmp_path / "gap" / "run-2")
    assert folder_names(tmp_path / "gap") == {"gap"}
    shutil.rmtree(tmp_path / "gap" / "run-1")
    report = verify_folder(tmp_path / "gap", key=OUR_PRINT)
    assert any("run 1 to 2 is not here" in problem.text for problem in report.problems)
    shutil.copytree(evidence, tmp_path / "twice")
    shutil.copytree(tmp_path / "twice" / "run-3", tmp_path / "twice" / "run-3-again")
    assert folder_names(tmp_path / "twice") == {"duplicate"}


def test_a_pack_put_in_an_older_ones_place(tmp_path: Path) -> None:
    """Other content, sealed with the same key: each pack is sound, and the next one names another digest."""
    _, second, _ = series(tmp_path, length=3)
    previous = payload(second)["predicate"]["previousPack"]
    shutil.rmtree(second)
    sealed(second, number=2, previous=previous, lost=0)
    answer = verify_folder(tmp_path, key=OUR_PRINT)
    assert all(pack.outcome == "MET" for pack in answer.packs)
    assert answer.names() == {"replaced"} and answer.outcome == "MISSED"
    assert "run-2 is not the pack that run-3 names" in answer.problems[0].text


def test_a_branch(tmp_path: Path) -> None:
    """Two packs that name the same one before them: the run was repeated until it pleased."""
    _, second, _ = series(tmp_path, length=3)
    previous = payload(second)["predicate"]["previousPack"]
    sealed(tmp_path / "run-2b", number=2, previous=previous, lost=0)
    assert folder_names(tmp_path) == {"branch", "duplicate"}


def test_what_else_lies_in_a_folder(tmp_path: Path) -> None:
    """An unfinished run leaves the folder unknown; what is no pack is mentioned; a damaged pack is missed."""
    first, _ = series(tmp_path, length=2)
    (tmp_path / "run-3.unfinished").mkdir()
    (tmp_path / "reports").mkdir()
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "link").symlink_to(first)
    answer = verify_folder(tmp_path, key=OUR_PRINT)
    assert answer.names() == {"unfinished"} and answer.outcome == "UNKNOWN"
    assert sum("was not looked at" in note for note in answer.notes) == 3
    (first / LEDGER).write_text("x")
    assert verify_folder(tmp_path, key=OUR_PRINT).outcome == "MISSED"


# --- the command ---


def test_exit_codes_and_text(good: Path, pack: Path) -> None:
    """0 met, 1 missed, 2 unknown, 3 bad input; the answers come first; JSON for programs."""
    code, text = said(str(good), "--key", OUR_PRINT)
    answers = [line.split()[:2] for line in text.splitlines()[1:4]]
    assert code == 0 and text.startswith("Pack run-1: MET\n")
    assert answers == [["Integrity", "MET"], ["Completeness", "MET"], ["Authorship", "MET"]]
    assert "not that the figures are true" in text
    assert said(str(good))[0] == 2
    (pack / "plan.yaml").write_text("x")
    code, text = said(str(pack), "--key", OUR_PRINT, "--json")
    assert code == 1 and json.loads(text)["integrity"] == "MISSED"
    assert said(str(pack.parent), "--key", OUR_PRINT)[0] == 1
    told = json.loads(said(str(pack.parent), "--key", OUR_PRINT, "--json")[1])
    assert told["outcome"] == "MISSED" and len(told["packs"]) == 1


def test_the_commands_come_only_when_asked_for(good: Path) -> None:
    """One line names the option; with it they follow the answers."""
    _, without = said(str(good))
    assert "openssl pkeyutl" not in without and without.count("--by-hand") == 1
    code, text = said(str(good), "--by-hand")
    assert code == 2 and text.startswith("Pack run-1: UNKNOWN\n") and text.endswith(verify.by_hand() + "\n")


def test_the_text_of_a_folder(tmp_path: Path) -> None:
    """The folder's answer first, then that of each pack; one pack is not called packs."""
    first, _ = series(tmp_path / "e", length=2)
    text = said(str(tmp_path / "e"), "--key", OUR_PRINT)[1]
    assert text.startswith(f"Folder {tmp_path / 'e'}, 2 packs: MET\n  the runs follow one another")
    assert text.index("Folder") < text.index("Pack run-1: MET") < text.index("Pack run-2: MET")
    (tmp_path / "one").mkdir()
    first.rename(tmp_path / "one" / "run-1")
    text = said(str(tmp_path / "one"), "--key", OUR_PRINT)[1]
    assert text.startswith(f"Folder {tmp_path / 'one'}, 1 pack: MET\n  it is number 1, the first")
    (tmp_path / "one" / "run-1" / "pack.dsse.json").unlink()
    lines = said(str(tmp_path / "one"), "--key", OUR_PRINT)[1].splitlines()
    assert lines[1:4] == [
        "  1 pack MISSED, with the reasons below: run-1",
        "  without a seal that can be read, their place in the series is not known: run-1",
        "",
    ]


def test_bad_input(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing there, a file, a folder without packs, no argument, an unknown flag, a bad key: an error and a hint."""
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    paths = [tmp_path / name for name in ("nothing", "file", "empty", "file/below")]
    wrong = [[str(path)] for path in paths]
    wrong += [[str(good), "--key", "nonsense"], [], ["a", "b"], ["a", "--wrong"], [str(good), "--json", "--by-hand"]]
    for argv in wrong:
        code, text = said(*argv)
        assert code == 3 and re.fullmatch(r"error: .+\nHINT: .+\n", text), text
        if argv:
            ended = CliRunner().invoke(drdrill, ["verify", *argv])
            assert isinstance(ended.exception, Refused) or ended.exit_code == 2, argv  # click's own: told as refused
    assert said("--help")[0] == 0
    assert "--key FILE|FINGERPRINT" in capsys.readouterr().out


def test_drdrill_verify_is_the_same(good: Path) -> None:
    """The command of `drdrill` says what the file alone says, and explains its options."""
    for options in ([], ["--key", OUR_PRINT], ["--json"], ["--by-hand"]):
        ended = CliRunner().invoke(drdrill, ["verify", str(good), *options])
        assert (ended.exit_code, ended.output) == said(str(good), *options)
    told = CliRunner().invoke(drdrill, ["verify", "--help"]).output
    assert "64 hex digits" in told and "PEM" in told and "--by-hand" in told


def test_a_terminal_is_not_fooled(pack: Path) -> None:
    """Escape sequences in a file's name are shown, not obeyed."""
    (pack / "\x1b[2Jx\u202e").write_text("")
    Path(os.fsdecode(os.fsencode(pack) + b"/\xff")).write_text("")
    code, text = said(str(pack), "--key", OUR_PRINT)
    assert code == 1 and "\x1b" not in text and "\u202e" not in text and "\\x1b[2Jx\\u202e was not sealed" in text
    assert text.encode()


def test_files_that_cannot_be_read(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permission denied is not a change: integrity is unknown, not met, and the file or folder is named."""
    real_open, real_scan = os.open, os.scandir
    denied = PermissionError(13, "Permission denied")

    def closed_file(path: Any, *rest: Any, **options: Any) -> int:
        if str(path).endswith(LEDGER):
            raise denied
        return real_open(path, *rest, **options)

    def closed_folder(path: Any) -> Any:
        if str(path).endswith("scenarios"):
            raise denied
        return real_scan(path)

    monkeypatch.setattr(os, "open", closed_file)
    report = verify_pack(pack, key=OUR_PRINT)
    assert report.names() == {"unreadable"} and report.answer("integrity") == "UNKNOWN"
    assert f"{LEDGER} cannot be read: Permission denied" in report.problems[0].text
    monkeypatch.setattr(os, "scandir", closed_folder)
    code, text = said(str(pack), "--key", OUR_PRINT)
    assert code == 1 and "the folder scenarios cannot be read: Permission denied" in text


def test_it_stands_alone(good: Path, tmp_path: Path) -> None:
    """It imports the standard library and cryptography only, and runs as a copied file."""
    source = Path(verify.__file__)
    imported = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}
    copy = shutil.copy(source, tmp_path / "verify.py")
    argv = [sys.executable, "-I", str(copy), str(good), "--key", OUR_PRINT]
    ended = subprocess.run(argv, capture_output=True, text=True, cwd="/", check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
