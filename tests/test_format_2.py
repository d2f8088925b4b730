"""Packs of format 2: what their seal says beyond, kinds of lines that are withheld, and whole files that are."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.checks import load
from harness.cli import drdrill
from harness.errors import Refused
from harness.evidence import lines, receipts
from harness.evidence.journal import Journal
from harness.evidence.numbers import pack_digest
from harness.evidence.seal import seal
from harness.evidence.verify import text_of, verify_folder, verify_pack
from harness.evidence.withhold import copy_without, redact_copy
from harness.schedule import runs
from tests.damaged_packs import JOURNAL, canonical, lines_of, names, payload, rechained, resealed, said, signed
from tests.made_packs import BEGIN_2, LEDGER, OTHERS, OUR_PRINT, OURS, of_format, sealed, unfinished
from tests.test_verify_by_hand import DAMAGES, OK, SHELLS, answered, answers, by_hand

# --- the seal ---


def test_the_seal_says_what_format_2_added(good2: Path) -> None:
    """Stream, rehearsal, machine and project, the clock's ratio, and how many lines of each kind there are."""
    told = payload(good2)
    predicate = told["predicate"]
    assert told["predicateType"].endswith("/v2")
    for name in ("stream", "rehearsal", "harness", "project"):
        assert predicate[name] == BEGIN_2[name]
    assert predicate["clockCompression"] == 1
    assert predicate["journal"]["kinds"]["fault.intent"] == 1 and sum(predicate["journal"]["kinds"].values()) == 8
    assert verify_pack(good2, key=OUR_PRINT).problems == []


@pytest.mark.parametrize("shell", SHELLS)
def test_by_hand_accepts_it(good2: Path, shell: str) -> None:
    """In each shell that is here."""
    found = by_hand(good2, shell=shell)
    assert answers(found) == OK == answered(good2) and sum(line.startswith("OK") for line in found) == 5


def test_a_first_line_of_format_1_gets_a_seal_of_format_1(tmp_path: Path) -> None:
    """Also where a newer harness went on with the journal of a run that an older one began."""
    pack = seal(unfinished(tmp_path / "run-1", version=2, since=5), tmp_path / "run-1", key=OURS)
    assert [json.loads(line)["v"] for line in lines_of(pack)] == [1] * 5 + [2] * 3
    told = payload(pack)
    assert told["predicateType"].endswith("/v1") and "kinds" not in told["predicate"]["journal"]
    assert "stream" not in told["predicate"]
    assert answered(pack) == OK == answers(by_hand(pack))
    copy = redact_copy(pack, tmp_path / "copy", [4, 7])
    assert answered(copy) == OK | {"completeness": "UNKNOWN"} == answers(by_hand(copy))


def test_a_journal_never_goes_back_to_an_older_format(tmp_path: Path) -> None:
    """Neither when it is read to be sealed, nor in a pack, nor where the line is withheld."""
    begun = unfinished(tmp_path / "run-1", version=2)
    turned = [line.replace(b'"v":2', b'"v":1') if b'"seq":5' in line else line for line in lines_of(begun)]
    (begun / JOURNAL).write_bytes(rechained(turned))
    with pytest.raises(lines.UnknownVersion, match="line 6 goes back"):
        lines.read(begun / JOURNAL)
    pack = sealed(tmp_path / "run-2", version=2)
    *most, last = lines_of(pack)
    (pack / JOURNAL).write_bytes(rechained([*most, last.replace(b'"v":2', b'"v":1')]))
    resealed(pack)
    assert "journal-line" in names(pack) and answers(by_hand(pack)) == answered(pack) != OK
    copy = redact_copy(sealed(tmp_path / "run-3", version=2), tmp_path / "copy", [5])
    (copy / JOURNAL).write_bytes((copy / JOURNAL).read_bytes().replace(b'{"v":2,"seq":4,', b'{"v":1,"seq":4,'))
    assert "journal-line" in names(copy) and answers(by_hand(copy)) == answered(copy)


def test_the_seal_is_of_the_format_of_the_first_line(tmp_path: Path) -> None:
    """Whoever holds the key cannot pass a journal of one format for one of the other."""
    pack = sealed(tmp_path / "run-1", version=2)
    of_format(pack / JOURNAL, 1)
    resealed(pack)
    assert "statement-differs" in names(pack) and answers(by_hand(pack)) == answered(pack)


def beginning(begun: Path, **what: object) -> None:
    """Another first line; None leaves a key out."""
    first = json.loads(lines_of(begun)[0])
    first["data"] = {name: value for name, value in (first["data"] | what).items() if value is not None}
    (begun / JOURNAL).write_bytes(rechained([json.dumps(first).encode(), *lines_of(begun)[1:]]))


def test_a_first_line_that_says_nothing_of_it(tmp_path: Path) -> None:
    """It is of the stream `main` and no rehearsal, by the machine's own clock, and of code that nobody names."""
    begun = unfinished(tmp_path / "run-1", version=2)
    beginning(begun, stream=None, rehearsal=None, harness=None, project=None, clock=None)
    pack = seal(begun, tmp_path / "run-1", key=OURS)
    told = payload(pack)["predicate"]
    assert (told["stream"], told["rehearsal"], told["clockCompression"]) == ("main", False, 1)
    assert told["harness"] == told["project"] == {}
    assert answered(pack) == OK == answers(by_hand(pack))


@pytest.mark.parametrize(
    "what", [{"stream": 7}, {"rehearsal": "no"}, {"harness": "x"}, {"project": []}, {"clock": {"compression": 0}}]
)
def test_a_first_line_that_says_it_in_another_form_is_not_sealed(tmp_path: Path, what: dict[str, object]) -> None:
    """Nothing is lost, the folder stays."""
    begun = unfinished(tmp_path / "run-1", version=2)
    beginning(begun, **what)
    with pytest.raises(Refused, match="the first line has an odd"):
        seal(begun, tmp_path / "run-1", key=OURS)
    assert begun.is_dir()


# --- the same by hand ---


def says(**what: object) -> Callable[[Path], object]:
    """Signed again with another predicate."""

    def damage(pack: Path) -> None:
        told = payload(pack)
        told["predicate"] |= what
        signed(pack, canonical(told))

    return damage


def counts(change: Callable[[dict[str, int]], object]) -> Callable[[Path], object]:
    """Signed again with other numbers of lines."""

    def damage(pack: Path) -> None:
        told = payload(pack)
        change(told["predicate"]["journal"]["kinds"])
        signed(pack, canonical(told))

    return damage


def withheld_too(damage: Callable[[Path], object], line: int = 4) -> Callable[[Path], object]:
    def both(pack: Path) -> None:
        damage(pack)
        copy = copy_without(pack, pack.with_name("copy"), {line}, set())
        shutil.copy(copy / JOURNAL, pack / JOURNAL)
        shutil.rmtree(copy)

    return both


def stub(content: bytes | None = None, *, of: str = LEDGER, keep: bool = False) -> Callable[[Path], object]:
    """The digest in the place of a file, or other content there, or beside the file."""

    def damage(pack: Path) -> None:
        digest = hashlib.sha256((pack / of).read_bytes()).hexdigest().encode()
        if not keep:
            (pack / of).unlink()
        (pack / f"{of}.withheld").write_bytes(content or b'{"v":2,"withheld":"%s"}\n' % digest)

    return damage


def moved(kinds: dict[str, int]) -> None:
    """As many as before, and one of them of another kind."""
    kinds["fault.intent"] += 1
    del kinds["fault.healed"]


ZEROS = b'{"v":2,"withheld":"' + b"0" * 64 + b'"}\n'
HARNESS: dict[str, Any] = {"version": "0.1.0", "digest": "ab" * 32, "commit": None, "clean": None}
OF_2: dict[str, Callable[[Path], object]] = {
    "another stream": says(stream="other"),
    "no stream": says(stream=None),
    "a rehearsal": says(rehearsal=True),
    "rehearsal is no": says(rehearsal="no"),
    "another harness": says(harness=HARNESS | {"version": "9"}),
    "a harness that says more": says(harness=HARNESS | {"x": 1}),
    "no harness": says(harness=None),
    "another project": says(project={"name": "x", "digest": "cd" * 32, "commit": "ef" * 20, "clean": True}),
    "another clock": says(clockCompression=60),
    "a clock that stands": says(clockCompression=0),
    "another sealing key": says(keyid="0" * 64),
    "a kind too many": counts(lambda kinds: kinds.update(verified=2)),
    "a kind too few": counts(lambda kinds: kinds.pop("verified")),
    "a kind for another": counts(moved),
    "a kind for another, withheld": withheld_too(counts(moved)),
    "a kind for another, another withheld": withheld_too(counts(moved), line=6),
    "a kind of odd letters": counts(lambda kinds: kinds.update({"a b": kinds.pop("verified")})),
    "no of a kind": counts(lambda kinds: kinds.update(nothing=0)),
    "less than none": counts(lambda kinds: kinds.update(verified=2, ledger=-1)),
    "a number without end": counts(lambda kinds: kinds.update(verified=10**30)),
    "a ledger withheld": stub(),
    "a plan withheld": stub(of="plan.yaml"),
    "a ledger and a line withheld": withheld_too(stub()),
    "findings withheld": stub(of="findings.json"),
    "the guide withheld": stub(of="VERIFY.md"),
    "the journal withheld": stub(of=JOURNAL),
    "another digest": stub(ZEROS),
    "no digest": stub(b"nothing\n"),
    "a digest in another form": stub(ZEROS.replace(b":", b": ")),
    "a digest with a tail": stub(ZEROS + b"\n"),
    "both the ledger and its digest": stub(keep=True),
    "a digest of nothing": lambda pack: (pack / "x.withheld").write_bytes(ZEROS),
}
AGAIN = ["nothing", "file changed", "signature", "keyid", "journal changed", "journal cut", "a line withheld",
         "first withheld", "last withheld", "all withheld", "other key", "no healing, sealed again", "another run",
         "number 2", "a newer version", "no healing, and the seal says so"]  # fmt: skip  # a list


@pytest.mark.parametrize("what", [*OF_2, *AGAIN][::4])
def test_by_hand_and_program_agree(good2: Path, pack2: Path, what: str) -> None:
    """Whatever was done to a pack of format 2, the shell's answer to each question is the verifier's: some of it.

    The real tests do all of it.
    """
    agree_by_hand_in_2(good2, pack2, what)


def agree_by_hand_in_2(good2: Path, pack2: Path, what: str) -> None:
    """The same answers, and green only where nothing was done."""
    (OF_2 | DAMAGES)[what](pack2)
    found = by_hand(pack2, guide=good2)
    assert answers(found) == answered(pack2), found
    assert (answered(pack2) == OK) == (what == "nothing")


# --- what is withheld ---


def test_a_copy_says_of_which_kinds_the_withheld_lines_are(good2: Path, tmp_path: Path) -> None:
    """The seal counts them: whoever withholds every failure cannot hide that there are failures."""
    copy = redact_copy(good2, tmp_path / "copy", [3, 6])
    report = verify_pack(copy, key=OUR_PRINT)
    assert report.answer("integrity") == "MET" and report.names() == {"lines-redacted"}
    assert "by the seal 1 fault.intent, 1 verified" in report.problems[0].text
    told = "lines that the seal counts are not shown: 1 fault.intent, 1 verified,"
    assert any(told in line for line in by_hand(copy))


def test_a_whole_file_may_be_withheld(good2: Path, tmp_path: Path) -> None:
    """Its digest lies in its place; integrity holds, completeness is UNKNOWN and names it; also a second time."""
    copy = redact_copy(good2, tmp_path / "copy", files=[LEDGER])
    report = verify_pack(copy, key=OUR_PRINT)
    assert (report.answer("integrity"), report.answer("completeness")) == ("MET", "UNKNOWN")
    assert report.withheld == [LEDGER] and LEDGER in text_of(report) and report.names() == {"files-withheld"}
    assert "what is shown is, byte for byte, what was sealed" in text_of(report)
    assert not (copy / LEDGER).exists() and (copy / f"{LEDGER}.withheld").stat().st_size == 86
    again = redact_copy(copy, tmp_path / "again", [6], ["plan.yaml"])
    assert verify_pack(again, key=OUR_PRINT).withheld == ["plan.yaml", LEDGER]
    assert answered(again) == answers(by_hand(again))
    with pytest.raises(Refused, match="is always shown"):
        redact_copy(copy, tmp_path / "third", files=[f"{LEDGER}.withheld"])
    assert json.loads(said(str(copy), "--json")[1])["withheld"] == [LEDGER]


@pytest.mark.parametrize("name", [JOURNAL, "findings.json", "pack.dsse.json", "SHA256SUMS", "VERIFY.md", "nothing"])
def test_what_cannot_be_withheld(good2: Path, tmp_path: Path, name: str) -> None:
    """What every answer stands on is always shown; nor can what is not there be withheld."""
    with pytest.raises(Refused, match=r"is always shown|is not in the pack"):
        redact_copy(good2, tmp_path / "copy", files=[name])
    assert not (tmp_path / "copy").exists()


def test_only_what_was_sealed_is_copied(good2: Path, tmp_path: Path) -> None:
    """No link is followed and no pipe waited for, and a copy never lies in a pack."""
    linked = shutil.copytree(good2, tmp_path / "linked")
    (linked / LEDGER).unlink()
    (linked / LEDGER).symlink_to("/etc/hostname")
    piped = shutil.copytree(good2, tmp_path / "piped")
    (piped / JOURNAL).unlink()
    os.mkfifo(piped / JOURNAL)
    for pack in (linked, piped):
        with pytest.raises(Refused, match="does not verify"):
            redact_copy(pack, tmp_path / "copy", [5])
    for into in (good2 / "sub", linked / "scenarios" / "x"):
        with pytest.raises(Refused, match="inside a pack"):
            redact_copy(good2, into, [5])
    with pytest.raises(Refused, match="nothing is to be withheld"):
        redact_copy(good2, tmp_path / "copy")
    assert not (tmp_path / "copy").exists() and answered(good2) == OK


def test_a_withheld_ledger_is_not_judged(good2: Path, tmp_path: Path) -> None:
    """Nobody says that the findings are wrong, or right: such a pack does no duty, and says why."""
    redact_copy(good2, tmp_path / "e" / "run-1", [4], [LEDGER])
    (past,) = runs.read(tmp_path / "e").runs
    assert past.problem == "withheld: 1 line of its journal and 1 file cannot be read, so what it says cannot be judged"
    whole = redact_copy(good2, tmp_path / "copy", files=[LEDGER])
    with pytest.raises(load.Withheld, match=r"ledger-a\.jsonl is withheld"):
        load.evidence(whole)


def test_the_command_that_withholds(good2: Path, tmp_path: Path) -> None:
    """`drdrill redact` makes the copy."""
    argv = ["redact", str(good2), str(tmp_path / "copy"), "--line", "4", "--line", "6", "--file", LEDGER]
    done = CliRunner().invoke(drdrill, argv)
    assert done.exit_code == 0 and "a copy without 2 lines and 1 file" in done.output
    report = verify_pack(tmp_path / "copy")
    assert (report.redacted, report.withheld) == ([4, 6], [LEDGER])


# --- the chain ---


def test_a_folder_of_both_formats(tmp_path: Path) -> None:
    """A run of format 1 names the envelope before it, one of format 2 what was signed; the chain holds over both."""
    first = sealed(tmp_path / "run-1", version=1)
    second = sealed(tmp_path / "run-2", number=2, previous=pack_digest(first, version=1), version=1)
    third = sealed(tmp_path / "run-3", number=3, previous=pack_digest(second, version=2), version=2)
    fourth = sealed(tmp_path / "run-4", number=4, previous=pack_digest(third, version=2), version=2)
    assert verify_folder(tmp_path, key=OUR_PRINT).outcome == "MET"
    assert receipts.ended(third).payload == pack_digest(third, version=2) == verify_pack(third).digest
    shutil.rmtree(fourth)
    sealed(fourth, number=4, previous=pack_digest(third, version=1), version=2)
    assert verify_folder(tmp_path, key=OUR_PRINT).names() == {"replaced"}, "format 2 does not name an envelope"


def test_a_branch_over_both_formats(tmp_path: Path) -> None:
    """Two runs that name the same pack, each in its own way."""
    first = sealed(tmp_path / "run-1", version=1)
    sealed(tmp_path / "run-2", number=2, previous=pack_digest(first, version=1), version=1)
    sealed(tmp_path / "run-2b", number=2, previous=pack_digest(first, version=2), version=2, key=OTHERS)
    assert verify_folder(tmp_path).names() >= {"branch", "duplicate"}


def test_a_killed_run_of_an_older_harness_is_healed_by_this_one(tmp_path: Path) -> None:
    """Its journal goes on, and its seal is of the format of its first line."""
    begun = unfinished(tmp_path / "run-1", end=False, version=1)
    with Journal.resume(begun) as journal:
        journal.record("run.end", outcome="killed", by="heal")
    pack = seal(begun, tmp_path / "run-1", key=OURS)
    assert payload(pack)["predicateType"].endswith("/v1") and verify_pack(pack, key=OUR_PRINT).outcome == "MET"
