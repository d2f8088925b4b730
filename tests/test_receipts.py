"""Receipts: written at the start and the end of a run, mailed, and a folder held against them."""

from __future__ import annotations

import base64
import hashlib
import json
import quopri
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from drills import PLAN
from harness.cli import drdrill
from harness.cli.live import Live
from harness.cli.with_reports import heal_run
from harness.evidence import receipts, verify
from harness.evidence.journal import Journal
from harness.evidence.keys import public_pem
from harness.evidence.seal import envelope, seal, signature
from harness.evidence.verify import FolderReport, Receipt, check_receipts, receipts_in, verify_folder, verify_pack
from harness.evidence.withhold import redact_copy
from tests.damaged_packs import resealed, said
from tests.made_packs import OTHERS, OUR_PRINT, OURS, sealed, series, unfinished

AUDITORS = "mails.txt"


@pytest.fixture
def packs(tmp_path: Path) -> list[Path]:
    """Three runs, and the receipts as an auditor has got them."""
    made = series(tmp_path / "e", length=3)
    (tmp_path / AUDITORS).write_text("".join(f"{line}\n" for pack in made for line in lines(pack)))
    return made


def lines(pack: Path) -> list[str]:
    return [receipt.line for receipt in receipts.both(pack)]


def held(tmp_path: Path) -> FolderReport:
    answer = verify_folder(tmp_path / "e", key=OUR_PRINT)
    check_receipts(answer, tmp_path / AUDITORS)
    return answer


def of_receipts(answer: FolderReport) -> dict[str, str]:
    return {each.name: each.outcome for each in answer.problems if each.name.startswith("receipt")}


def words(answer: FolderReport) -> str:
    return " / ".join(each.text for each in answer.problems)


# What they are


def test_their_form_is_fixed() -> None:
    """One line of ASCII each, without an equals sign, which mails spell otherwise; the check is over all before it."""
    begin = Receipt(7, nonce=verify.nonce_word("Prüfung 7=x"), first="ab" * 32)
    assert begin.line == (
        "drdrill-receipt 2 begin stream:main number:7 nonce:Pr%C3%BCfung%207%3Dx "
        f"first:{'ab' * 32} check:{begin.line[-8:]}"
    )
    end = Receipt(7, payload="cd" * 32)
    assert end.line == f"drdrill-receipt 2 end stream:main number:7 payload:{'cd' * 32} check:{end.line[-8:]}"
    assert begin.line.isascii() and "=" not in begin.line
    assert len(verify.nonce_word("ü" * 200)) == len("sha256-") + 64
    assert receipts_in(f"{begin.line}\n{end.line}\n{end.line}\n".encode()) == ([begin, end], [])


def test_the_digests_are_those_that_openssl_gives(packs: list[Path]) -> None:
    """Of the journal's first line without its newline, and of the signed statement and not of the envelope."""
    begin, end = receipts.both(packs[1])
    first = (packs[1] / "journal.jsonl").read_bytes().split(b"\n")[0]
    statement = base64.b64decode(json.loads((packs[1] / "pack.dsse.json").read_bytes())["payload"])
    assert begin == Receipt(2, nonce="n0", first=hashlib.sha256(first).hexdigest())
    assert end == Receipt(2, payload=hashlib.sha256(statement).hexdigest())


def flowed(text: str) -> str:
    return "\n".join(textwrap.fill(line, 60) for line in text.splitlines())


def reply(text: str) -> str:
    told = "\n".join(f"> {line}" for line in flowed(text).splitlines())
    return f"Dear auditor,\n\nOn Monday you wrote:\n{told}\n\nThe drdrill-receipt lines are above. -- \nAda\n"


MAILS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "one line": lambda text: text.replace("\n", " "),
    "ends of line": lambda text: text.replace("\n", "\r\n"),
    "wrapped": flowed,
    "quoted": reply,
    "quoted twice": lambda text: reply(reply(text)),
    "indented": lambda text: textwrap.indent(text, "\t | "),
    "quoted-printable": lambda text: quopri.encodestring(text.encode()).decode(),
    "a reply, encoded": lambda text: quopri.encodestring(reply(text).encode()).decode(),
    "twice": lambda text: text + reply(text),
    "of another program": lambda text: text.encode("utf-16-le").decode("latin-1"),
}


@pytest.mark.parametrize("how", MAILS)
def test_they_survive_a_mail(tmp_path: Path, packs: list[Path], how: str) -> None:
    """Wrapped anywhere, quoted, encoded, with other words around: the same receipts."""
    mails = tmp_path / AUDITORS
    mails.write_text(MAILS[how](mails.read_text()), encoding="latin-1", newline="")
    answer = held(tmp_path)
    assert answer.outcome == "MET"
    assert any("the receipts of 3 runs: every start has its end" in note for note in answer.notes)


# What differs


def test_a_pack_that_was_removed(tmp_path: Path, packs: list[Path]) -> None:
    """The newest one leaves no trace in the folder; the receipts name it."""
    shutil.rmtree(packs[2])
    assert verify_folder(tmp_path / "e", key=OUR_PRINT).outcome == "MET"
    answer = held(tmp_path)
    assert of_receipts(answer) == {"receipt-no-pack": "MISSED"} and answer.outcome == "MISSED"
    assert "run 3 was sealed, and its pack is not here: it was removed" in words(answer)


def test_a_pack_that_was_replaced(tmp_path: Path, packs: list[Path]) -> None:
    """Sealed again with our own key and other findings: what was signed is not what was told."""
    findings = packs[2] / "findings.json"
    findings.write_text(findings.read_text().replace("MET", "MISSED"))
    resealed(packs[2])
    answer = held(tmp_path)
    assert of_receipts(answer) == {"receipt-no-pack": "MISSED"}
    assert "run-3 is not what was sealed then: it was replaced" in words(answer)


def test_a_signature_may_be_added_later(tmp_path: Path, packs: list[Path]) -> None:
    """The receipt is of what was signed: the same statement signed by another key is the same pack."""
    payload = base64.b64decode(json.loads((packs[2] / "pack.dsse.json").read_bytes())["payload"])
    (packs[2] / "pack.dsse.json").write_bytes(envelope(payload, [signature(payload, key=OTHERS)]))
    (packs[2] / "public-key.pem").write_bytes(public_pem(OTHERS.public_key()))
    assert of_receipts(held(tmp_path)) == {}


def test_a_run_that_was_repeated_under_its_number(tmp_path: Path, packs: list[Path]) -> None:
    """Removed, done again until it was good: another first line, another statement; and it was announced twice."""
    previous = json.loads((packs[2] / "journal.jsonl").read_text().splitlines()[0])["data"]["previous"]
    shutil.rmtree(packs[2])
    again = sealed(tmp_path / "e" / "run-3", number=3, previous=previous, lost=0)
    answer = held(tmp_path)
    assert of_receipts(answer) == {"receipt-no-pack": "MISSED", "receipt-differs": "MISSED"}
    assert "run 3 is another one in run-3 than was announced: its first line is not the one told" in words(answer)
    with (tmp_path / AUDITORS).open("a") as mails:
        mails.write("\n".join(lines(again)))
    found = held(tmp_path)
    assert set(of_receipts(found)) == {"receipt-repeated", "receipt-no-pack"}
    assert "announced 2 times, each time another run: its number was used again" in words(found)
    assert "sealed 2 times, each time with other content" in words(found)


def test_a_start_without_an_end(tmp_path: Path, packs: list[Path]) -> None:
    """MISSED, unless it goes on or was killed, which its folder shows; healed and sealed, it gets its end."""
    begun = unfinished(tmp_path / "e" / "run-4", number=4, previous=verify_pack(packs[2]).digest)
    with (tmp_path / AUDITORS).open("a") as mails:
        mails.write(receipts.begun(begun).line)
    assert of_receipts(held(tmp_path)) == {"receipt-unfinished": "UNKNOWN"}
    pack = seal(begun, tmp_path / "e" / "run-4", key=OURS)
    answer = held(tmp_path)
    assert of_receipts(answer) == {"receipt-no-end": "MISSED"} and "what run-4 holds was not told" in words(answer)
    with (tmp_path / AUDITORS).open("a") as mails:
        mails.write(f"\n{receipts.ended(pack).line}\n")
    assert held(tmp_path).outcome == "MET"
    shutil.rmtree(pack)
    assert of_receipts(held(tmp_path)) == {"receipt-no-pack": "MISSED"}


def test_a_pack_of_which_nothing_was_told(tmp_path: Path, packs: list[Path]) -> None:
    """Between two that were told it is missed, after them unknown, before them older than the receipts."""
    for told, outcome in (((0, 2), "MISSED"), ((0, 1), "UNKNOWN"), ((1, 2), None)):
        (tmp_path / AUDITORS).write_text("\n".join(line for at in told for line in lines(packs[at])))
        assert of_receipts(held(tmp_path)).get("receipt-none") == outcome
    (tmp_path / AUDITORS).write_text("\n".join(lines(packs[0])[1:]))
    assert of_receipts(held(tmp_path))["receipt-no-begin"] == "UNKNOWN"


def test_another_number_or_nonce(tmp_path: Path, packs: list[Path]) -> None:
    """Number, nonce and first line agree, or it is said which does not."""
    begin, end = receipts.both(packs[2])
    rest = [line for pack in packs[:2] for line in lines(pack)]
    (tmp_path / AUDITORS).write_text("\n".join([*rest, Receipt(3, "other", begin.first).line, end.line]))
    answer = held(tmp_path)
    assert of_receipts(answer) == {"receipt-differs": "MISSED"} and "its nonce is not the one told" in words(answer)
    (tmp_path / AUDITORS).write_text("\n".join([*rest, begin.line, Receipt(9, payload=end.payload).line]))
    assert "run 9 was sealed as run-3, which has another number" in words(held(tmp_path))


# What cannot be read


@pytest.mark.parametrize("length", [20, 60, 100, 115])
def test_a_file_that_was_cut_off_is_no_proof(tmp_path: Path, packs: list[Path], length: int) -> None:
    """A damaged receipt leaves it open whether the end was told: UNKNOWN, and never a false MISSED."""
    kept, end = lines(packs[2])
    before = [line for pack in packs[:2] for line in lines(pack)]
    (tmp_path / AUDITORS).write_text("\n".join([*before, kept, end[:length]]))
    found = of_receipts(held(tmp_path))
    assert found == {"receipt-damaged": "UNKNOWN", "receipt-no-end": "UNKNOWN"}


def test_a_letter_that_was_changed_is_noticed(tmp_path: Path, packs: list[Path]) -> None:
    """A digest with another digit is damage, and not another pack."""
    mails = tmp_path / AUDITORS
    text = mails.read_text()
    at = text.rindex("payload:") + 12
    mails.write_text(f"{text[:at]}{'0' if text[at] != '0' else '1'}{text[at + 1 :]}")
    assert set(of_receipts(held(tmp_path)).values()) == {"UNKNOWN"}


def test_a_version_that_is_not_known_is_unknown(tmp_path: Path, packs: list[Path]) -> None:
    """The others are looked at all the same."""
    with (tmp_path / AUDITORS).open("a") as mails:
        mails.write("drdrill-receipt 3 begin number:4 series:abc first:" + "0" * 64)
    answer = held(tmp_path)
    assert of_receipts(answer) == {"receipt-version": "UNKNOWN"} and "unknown version 3" in words(answer)
    shutil.rmtree(packs[2])
    assert held(tmp_path).outcome == "MISSED"


# One pack, a redacted copy, the command


def test_one_pack_is_held_against_its_own(tmp_path: Path, packs: list[Path]) -> None:
    """Those of the others bear on nothing; a redacted copy agrees as the whole one does."""
    for pack in (packs[1], redact_copy(packs[1], tmp_path / "copy", [1, 3])):
        report = verify_pack(pack, key=OUR_PRINT)
        check_receipts(report, tmp_path / AUDITORS)
        assert not [name for name in report.names() if name.startswith("receipt")]
    (tmp_path / AUDITORS).write_text("\n".join(lines(packs[0])))
    report = verify_pack(packs[1], key=OUR_PRINT)
    check_receipts(report, tmp_path / AUDITORS)
    assert report.names() == {"receipt-none"} and report.answer("completeness") == "UNKNOWN"


def test_the_command(tmp_path: Path, packs: list[Path]) -> None:
    """As a file of its own and as `drdrill verify`: the same words and codes; bad input has a hint."""
    mails = str(tmp_path / AUDITORS)
    argv = [str(tmp_path / "e"), "--key", OUR_PRINT, "--receipts", mails]
    code, text = said(*argv)
    assert code == 0 and "every start has its end, and every end its pack" in text
    ended = CliRunner().invoke(drdrill, ["verify", *argv])
    assert (ended.exit_code, ended.output) == (code, text)
    shutil.rmtree(packs[2])
    code, text = said(*argv)
    assert code == 1 and "receipt-no-pack (MISSED): run 3 was sealed" in text
    (tmp_path / "emptied").mkdir()
    code, text = said(str(tmp_path / "emptied"), *argv[1:])
    assert code == 1 and text.count("its pack is not here: it was removed") == 3
    assert json.loads(said(*argv, "--json")[1])["outcome"] == "MISSED"
    (tmp_path / "empty").write_text("nothing at all")
    for wrong in ("empty", "none", "e", "e/run-1/\0"):
        code, text = said(*argv[:-1], str(tmp_path / wrong))
        assert code == 3 and "HINT" in text, wrong


def test_what_lies_beside_the_packs_is_weighed_as_such(tmp_path: Path, packs: list[Path]) -> None:
    """It is no odd file; held against it, the answer says who can write it."""
    for pack in packs:
        for receipt in receipts.both(pack):
            receipts.add(tmp_path / "e", receipt)
            receipts.add(tmp_path / "e", receipt)
    beside = tmp_path / "e" / receipts.NAME
    assert beside.read_text() == (tmp_path / AUDITORS).read_text()
    answer = verify_folder(tmp_path / "e", key=OUR_PRINT)
    assert answer.outcome == "MET" and ["--receipts FILE" in note for note in answer.notes] == [True]
    check_receipts(answer, beside)
    assert answer.outcome == "MET" and any("lie in the evidence itself" in note for note in answer.notes)


def test_a_line_torn_by_a_kill_takes_no_other_with_it(tmp_path: Path, packs: list[Path]) -> None:
    """Lines are added only: what was torn stays, and the next is a line of its own."""
    begin, end = receipts.both(packs[0])
    (tmp_path / "e" / receipts.NAME).write_text(begin.line[:40])
    receipts.add(tmp_path / "e", begin)
    receipts.add(tmp_path / "e", end)
    assert receipts.read(tmp_path / "e") == [begin, end]


def test_an_end_that_a_kill_left_out_is_written_later(tmp_path: Path, packs: list[Path]) -> None:
    """Killed between the seal and its receipt: whoever comes next writes it, once."""
    begin, end = receipts.both(packs[2])
    receipts.add(tmp_path / "e", begin)
    assert receipts.complete(tmp_path / "e") == [end]
    assert receipts.complete(tmp_path / "e") == []
    assert receipts.read(tmp_path / "e") == [begin, end]


# Where they come from


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An evidence folder; the signing key is made for the test."""
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "key.pem"))
    (tmp_path / "e").mkdir()
    return tmp_path / "e"


def begun_and_killed(evidence: Path, number: int) -> Path:
    folder = evidence / f"20261102-10000{number}-beef.unfinished"
    folder.mkdir()
    shutil.copyfile(PLAN, folder / "plan.yaml")
    with Journal.create(folder) as journal:
        journal.record(
            "run.begin", run=folder.name.removesuffix(".unfinished"), number=number, previous="none", nonce="audit 7",
            drill=["d"], scenarios=["s"], stack="local", sandbox="r", environment="embedded", sabotage=None, digests={},
            rules="2", scale=1.0, rate=50.0, operator="o", nonce_by="auditor", harness={}, project={},
            host={"cpus": 2, "memory_bytes": 1, "kernel": "k", "python": "3"}, packages={}, boot="b",
        )  # fmt: skip  # arguments in groups
    return folder


def test_a_killed_run_gets_its_end_when_it_is_healed(ours: Path) -> None:
    """Also its start, where it was killed before that was written; `drdrill heal` shows the line."""
    folder = begun_and_killed(ours, 1)
    ended = CliRunner().invoke(drdrill, ["heal", "--evidence", str(ours)])
    assert ended.exit_code == 0, ended.output
    pack = ours / folder.name.removesuffix(".unfinished")
    assert receipts.read(ours) == receipts.both(pack)
    assert f"receipt:  {receipts.ended(pack).line}" in ended.output
    check_receipts(answer := verify_folder(ours), ours / receipts.NAME)
    assert of_receipts(answer) == {}


def test_what_cannot_be_written_keeps_nothing_from_being_sealed(ours: Path) -> None:
    """The pack is what counts; the receipt is written by whoever comes next."""
    folder = begun_and_killed(ours, 1)
    receipts.add(ours, receipts.begun(folder))
    kept = (ours / receipts.NAME).rename(ours / "elsewhere")
    (ours / receipts.NAME).mkdir()
    pack = heal_run(folder, by="test").pack
    assert pack and verify_pack(pack).answer("integrity") == "MET"
    (ours / receipts.NAME).rmdir()
    kept.rename(ours / receipts.NAME)
    assert receipts.complete(ours) == [receipts.ended(pack)]


@pytest.mark.parametrize("home", ["evidence", "proof-20261102-100000-beef"])
def test_the_start_is_shown_as_it_is_written(tmp_path: Path, home: str) -> None:
    """From the line that the screen reads; a proof is a series of its own, and shows none."""
    (tmp_path / home).mkdir()
    folder = begun_and_killed(tmp_path / home, 4)
    told: list[str] = []
    live = Live(folder, say=told.append)
    live.show(json.loads((folder / "journal.jsonl").read_text()))
    shown = [line for line in told if "receipt for your auditor" in line]
    assert shown == ([f"receipt for your auditor: {receipts.begun(folder).line}"] if home == "evidence" else [])
