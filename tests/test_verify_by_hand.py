"""`openssl` and `sha256sum` alone give the same answers as the verifier."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.evidence import verify
from harness.evidence.verify import BadInput, verify_pack
from harness.evidence.withhold import redact_copy
from tests.damaged_packs import JOURNAL, canonical, lines_of, payload, rechained, resealed, signed
from tests.made_packs import LEDGER, OTHERS, OUR_PRINT, SCENARIO

SHELLS = [shell for shell in ("dash", "bash", "busybox", "ksh") if shutil.which(shell)]
WORDS = {"OK": "MET", "BAD": "MISSED", "UNKNOWN": "UNKNOWN"}
Answers = dict[str, str]
OK: Answers = dict.fromkeys(verify.QUESTIONS, "MET")

# --- by hand ---


def by_hand(
    pack: Path, *, expected: str = OUR_PRINT, guide: Path | None = None, shell: str = "sh", path: str = ""
) -> list[str]:
    """Run the commands of VERIFY.md in a POSIX shell; the lines they print."""
    text = ((guide or pack) / "VERIFY.md").read_text()
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S))
    assert commands.count("openssl") >= 5
    environment = {"PATH": path + os.environ["PATH"], "EXPECTED": expected, "TMPDIR": str(pack.parent)}
    argv = [shell, "sh"] if shell == "busybox" else [shell]
    ended = subprocess.run(
        [*argv, "-c", commands], cwd=pack, env=environment, capture_output=True, text=True, check=False, timeout=60,
        errors="replace",
    )  # fmt: skip  # arguments in groups
    return ended.stdout.splitlines()


def answers(lines: list[str]) -> Answers:
    """What the last three lines say of each question."""
    found = [re.fullmatch(r"The answer about (\w+) is (\w+)\.", line) for line in lines[-3:]]
    return {each[1]: WORDS[each[2]] for each in found if each}


def answered(pack: Path, key: str | None = OUR_PRINT) -> Answers:
    """What the verifier says of each question."""
    report = verify_pack(pack, key=key)
    return {question: report.answer(question) for question in verify.QUESTIONS}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_commands_of_the_guide_accept_a_good_pack(good: Path, tmp_path: Path, shell: str) -> None:
    """The very commands in VERIFY.md, run by each POSIX shell that is here; the same words as `verify` prints."""
    lines = by_hand(good, shell=shell)
    assert answers(lines) == OK and sum(line.startswith("OK") for line in lines) == 5 and len(lines) == 8
    assert answers(by_hand(good, expected="", shell=shell)) == OK | {"authorship": "UNKNOWN"}
    assert answers(by_hand(good, expected="0" * 64, shell=shell)) == OK | {"authorship": "MISSED"}
    copy = redact_copy(good, tmp_path / "copy", [3, 4, 6])
    lines = by_hand(copy, shell=shell)
    assert answers(lines) == OK | {"completeness": "UNKNOWN"} == answered(copy)
    assert "UNKNOWN  completeness: 3 lines of the journal are withheld, the first of them is line: 3" in lines
    renamed = "NOTE     this folder was renamed: the first line says which run it holds"
    assert renamed in lines and renamed not in by_hand(good, shell=shell)
    text = (good / "VERIFY.md").read_text()
    assert all(commands in text and commands in verify.by_hand() for _, _, commands in verify.BY_HAND)
    assert "run-1" in text and OUR_PRINT in text and "proves nothing" in text


def test_the_key_may_be_spelled_as_the_program_takes_it(good: Path) -> None:
    """With colons, in capitals, with its kind in front."""
    colons = ":".join(OUR_PRINT[at : at + 2] for at in range(0, 64, 2)).upper()
    assert answers(by_hand(good, expected=f"sha256:{colons}")) == OK


def test_a_step_left_out_is_not_ok(good: Path, tmp_path: Path) -> None:
    """Whoever forgets to compare the files is not told that they are whole."""
    (tmp_path / "VERIFY.md").write_text(re.sub(r"## 4\..*?(?=## 5)", "", (good / "VERIFY.md").read_text(), flags=re.S))
    assert answers(by_hand(good, guide=tmp_path)) == OK | {"integrity": "UNKNOWN"}


@pytest.mark.parametrize(
    "says", ["unknown option -rawin", "Usage: pkeyutl [options]", "pkeyutl: Error initializing context"]
)
def test_an_openssl_that_cannot_check_says_nothing_of_the_pack(good: Path, tmp_path: Path, says: str) -> None:
    """Not BAD: integrity and authorship are UNKNOWN, with what openssl said; completeness does not hang on it."""
    openssl = shutil.which("openssl")
    old = tmp_path / "bin" / "openssl"
    old.parent.mkdir()
    old.write_text(f'#!/bin/sh\n[ "$1" != pkeyutl ] || {{ echo "{says}" >&2; exit 1; }}\nexec {openssl} "$@"\n')
    old.chmod(0o755)
    lines = by_hand(good, path=f"{old.parent}:")
    assert answers(lines) == {"integrity": "UNKNOWN", "completeness": "MET", "authorship": "UNKNOWN"}
    assert f"UNKNOWN  integrity: the signature cannot be checked here: {says}" in lines
    assert answers(by_hand(good, path=f"{old.parent}:", expected="0" * 64))["authorship"] == "MISSED"


@pytest.mark.parametrize("tool", ["comm", "sed", "sha256sum", "od"])
def test_a_tool_that_does_not_work_is_no_answer(pack: Path, good: Path, tmp_path: Path, tool: str) -> None:
    """Neither OK nor BAD: a shell where something is missing has compared nothing."""
    broken = tmp_path / "bin" / tool
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    for spoiled in (False, True):
        if spoiled:
            (pack / "plan.yaml").write_text("x")
        lines = by_hand(pack, guide=good, path=f"{broken.parent}:")
        assert any(line.startswith("UNKNOWN  nothing can be checked here") for line in lines)
        assert answers(lines) == dict.fromkeys(verify.QUESTIONS, "UNKNOWN")


def edited(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def damage(pack: Path) -> None:
        content = (pack / name).read_bytes()
        assert old in content
        (pack / name).write_bytes(content.replace(old, new, 1))

    return damage


def added(pack: Path) -> None:
    (pack / "logs").mkdir()
    (pack / "logs" / "extra file.log").write_text("")


def folder_added(pack: Path) -> None:
    (pack / "scenarios" / "passed too").mkdir()


def linked(pack: Path) -> None:
    (pack / "plan.yaml").rename(pack.parent / "p")
    (pack / "plan.yaml").symlink_to("../p")


def gap_sealed_again(pack: Path) -> None:
    lines = lines_of(pack)
    (pack / JOURNAL).write_bytes(b"".join(line + b"\n" for line in lines[:3] + lines[4:]))
    resealed(pack)


def cut_and_chained_again(pack: Path) -> None:
    (pack / JOURNAL).write_bytes(rechained(lines_of(pack)[:-1]))


def cut_and_sealed_again(pack: Path) -> None:
    cut_and_chained_again(pack)
    resealed(pack)


def ledger_sealed_again(pack: Path) -> None:
    (pack / LEDGER).write_text("other\n")
    resealed(pack)


def redacted_and_changed(pack: Path) -> None:
    lines = lines_of(redact_copy(pack, pack.with_name("copy"), [3, 4]))
    forged = rechained([lines[0], lines[1].replace(b"All volumes lost", b"No volumes lost!")]).splitlines()
    (pack / JOURNAL).write_bytes(b"".join(line + b"\n" for line in forged + lines[2:]))


def appended(what: bytes) -> Callable[[Path], None]:
    def damage(pack: Path) -> None:
        (pack / JOURNAL).write_bytes((pack / JOURNAL).read_bytes() + what)

    return damage


def replaced(old: bytes, new: bytes, *, name: str = JOURNAL) -> Callable[[Path], None]:
    """Everywhere in the file, and nothing sealed again."""

    def damage(pack: Path) -> None:
        (pack / name).write_bytes((pack / name).read_bytes().replace(old, new))

    return damage


def put(name: str) -> Callable[[Path], None]:
    """A file of this name is added."""

    def damage(pack: Path) -> None:
        (pack / name).parent.mkdir(parents=True, exist_ok=True)
        (pack / name).write_text("x")

    return damage


def announced(*scenarios: str) -> Callable[[Path], None]:
    """Sealed again with another list of scenarios in the first line."""

    def damage(pack: Path) -> None:
        lines = lines_of(pack)
        first = json.loads(lines[0])
        first["data"]["scenarios"] = list(scenarios)
        (pack / JOURNAL).write_bytes(rechained([json.dumps(first).encode(), *lines[1:]]))
        resealed(pack)

    return damage


def chained(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    """Lines changed, chained and sealed again by somebody who has the key."""

    def damage(pack: Path) -> None:
        (pack / JOURNAL).write_bytes(rechained(change(lines_of(pack))))
        resealed(pack)

    return damage


def unhealed_and_sealed(pack: Path) -> None:
    (pack / JOURNAL).write_bytes(rechained([line for line in lines_of(pack) if b"fault.healed" not in line]))
    resealed(pack, change=lambda predicate: predicate.update(unhealedFaults=["lose_volumes"]))


def withheld(*lines: int) -> Callable[[Path], None]:
    def damage(pack: Path) -> None:
        copy = redact_copy(pack, pack.with_name("copy"), lines)
        shutil.copy(copy / JOURNAL, pack / JOURNAL)
        shutil.rmtree(copy)

    return damage


def newer(pack: Path) -> None:
    told = payload(pack)
    told["predicateType"] = told["predicateType"][:-1] + "3"
    signed(pack, canonical(told))


def seal_says(**what: object) -> Callable[[Path], object]:
    return lambda pack: resealed(pack, change=lambda predicate: predicate.update(what))


def in_place_of(name: str, what: str) -> Callable[[Path], None]:
    """A pipe, a link to a device, a folder, or nothing, where the file was."""

    def damage(pack: Path) -> None:
        path = pack / name
        path.unlink()
        if what == "pipe":
            os.mkfifo(path)
        elif what == "device":
            path.symlink_to("/dev/zero")
        elif what == "folder":
            path.mkdir()
        elif what == "terabyte of holes":
            path.touch()
            os.truncate(path, 1 << 40)

    return damage


NAMED = ("pack.dsse.json", "SHA256SUMS", "public-key.pem", JOURNAL, "plan.yaml", LEDGER, "VERIFY.md")
DAMAGES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "file changed": edited("plan.yaml", b"objectives", b"objections"),
    "file added": added,
    "empty folder added": folder_added,
    "file removed": lambda pack: (pack / LEDGER).unlink(),
    "file linked": linked,
    "sums": edited("SHA256SUMS", b"  ", b" *"),
    "sums with CRLF": replaced(b"\n", b"\r\n", name="SHA256SUMS"),
    "sums without an end": edited("SHA256SUMS", b"public-key.pem\n", b"public-key.pem"),
    "signature": edited("pack.dsse.json", b'"sig":"', b'"sig":"A'),
    "payload": edited("pack.dsse.json", b'"payload":"ey', b'"payload":"fy'),
    "keyid": edited("pack.dsse.json", f'"keyid":"{OUR_PRINT[:1]}'.encode(), b'"keyid":"_'),
    "space": edited("pack.dsse.json", b",", b", "),
    "a second signature": edited("pack.dsse.json", b'"signatures":[{', b'"signatures":[{"keyid":"","sig":"AAAA"},{'),
    "a key twice in the envelope": edited("pack.dsse.json", b'{"keyid":', b'{"keyid":"x","keyid":'),
    "no newline": edited("pack.dsse.json", b"}\n", b"}"),
    "two envelopes": replaced(b"}\n", b"}\n{}\n", name="pack.dsse.json"),
    "journal changed": edited(JOURNAL, b'"seen":3', b'"seen":0'),
    "journal cut": cut_and_chained_again,
    "journal empty": lambda pack: (pack / JOURNAL).write_bytes(b""),
    "a tail without its newline": appended(b'{"v":1,"seq":9'),
    "a whole line without its newline": edited(JOURNAL, b'"by":"harness"}}\n', b'"by":"harness"}}'),
    "the last newline is gone": lambda pack: (pack / JOURNAL).write_bytes((pack / JOURNAL).read_bytes()[:-1]),
    "an empty line": appended(b"\n"),
    "many empty lines": appended(b"\n" * 3000),
    "a line again": lambda pack: appended(lines_of(pack)[-1] + b"\n")(pack),
    "a zero byte": edited(JOURNAL, b"All volumes", b"All\0volumes"),
    "a zero byte between lines": edited(JOURNAL, b"\n", b"\0\n"),
    "zero bytes at the end": appended(b"\0" * 100),
    "a carriage return": edited(JOURNAL, b"\n", b"\r\n"),
    "journal with CRLF": replaced(b"\n", b"\r\n"),
    "a key twice in a line": edited(JOURNAL, b'"seq":3,', b'"seq":3,"seq":3,'),
    "a key twice in a line, sealed again": lambda pack: resealed(
        replaced(b'"kind":"verified"', b'"kind":"x","kind":"verified"')(pack) or pack
    ),
    "other key": lambda pack: resealed(pack, key=OTHERS),
    "sequence gap, sealed again": gap_sealed_again,
    "no end, sealed again": cut_and_sealed_again,
    "no beginning, sealed again": chained(lambda lines: lines[1:]),
    "no healing, sealed again": chained(lambda lines: [line for line in lines if b"fault.healed" not in line]),
    "no healing, and the seal says so": unhealed_and_sealed,
    "no end of the scenario": chained(lambda lines: [line for line in lines if b"scenario.end" not in line]),
    "a scenario twice": chained(lambda lines: [*lines[:7], lines[1], lines[6], lines[7]]),
    "another end": chained(lambda lines: [*lines[:7], lines[6], lines[7]]),
    "announced twice": announced(SCENARIO, SCENARIO),
    "announced none": announced(),
    "announced another": announced("x, y", SCENARIO),
    "no word of the ledger": chained(lambda lines: [line for line in lines if b'"ledger"' not in line]),
    "a ledger that is not there": chained(lambda lines: [line.replace(b"ledger-a", b"ledger-b") for line in lines]),
    "stopped": chained(lambda lines: [*lines[:2], lines[-1].replace(b"completed", b"stopped")]),
    "an outcome that is none": chained(lambda lines: [*lines[:-1], lines[-1].replace(b"completed", b"fine")]),
    "ledger, sealed again": ledger_sealed_again,
    "plan, sealed again": lambda pack: resealed(replaced(b"{}", b"{x: 1}", name="plan.yaml")(pack) or pack),
    "number 10^40": seal_says(number=10**40),
    "number 10^15": seal_says(number=10**15),
    "number 2": seal_says(number=2),
    "another run": seal_says(run="run-7"),
    "another nonce": seal_says(nonce="n1"),
    "a newer version": newer,
    "redacted and changed": redacted_and_changed,
    "a line withheld": withheld(4),
    "nearly all withheld": withheld(2, 3, 4, 5, 6, 7),
    "all withheld": withheld(*range(1, 9)),
    "first withheld": withheld(1),
    "last withheld": withheld(8),
    "withheld, and a tail": lambda pack: appended(b"x")(withheld(4)(pack) or pack),
    "a space in a name": put("two words.log"),
    "a space at the end of a name": put("plan.yaml "),
    "a line break in a name": put("a\nb"),
    "a path in the second line of a name": put("zz\n./plan.yaml"),
    "a backslash in a name": put("a\\b"),
    "a dash before a name": put("-n"),
    "brackets in a name": put("[a-z]*"),
    "a folder with a line break": lambda pack: (pack / "x\ny").mkdir(),
    "unfinished": lambda pack: pack.rename(pack.with_name("run-1.unfinished")),
}
DAMAGES |= {
    f"{what} in place of {name}": in_place_of(name, what)
    for name in NAMED
    for what in ("pipe", "device", "folder", "terabyte of holes", "nothing")
}


@pytest.mark.parametrize("what", list(DAMAGES)[::4])
def test_by_hand_and_program_agree(good: Path, pack: Path, what: str) -> None:
    """Whatever was done to a pack, the shell's answer to each question is the verifier's: of each kind of damage some.

    The real tests do all of it.
    """
    agree_by_hand(good, pack, what)


def agree_by_hand(good: Path, pack: Path, what: str) -> None:
    """The same answers, and green only where nothing was done."""
    DAMAGES[what](pack)
    there = pack if pack.exists() else pack.with_name("run-1.unfinished")
    lines = by_hand(there, guide=good)
    assert answers(lines) == answered(there), lines
    assert (answered(there) == OK) == (what == "nothing")


def test_odd_names_may_be_sealed(pack: Path, good: Path) -> None:
    """Spaces, quotes, brackets and letters of other scripts in the name of a sealed file are no problem."""
    for name in ("logs/two  words .log", "logs/it's", 'logs/a "quote"', "logs/[a-z]*", "logs/-n", "logs/übung", "{x}"):
        put(name)(pack)
    resealed(pack)
    assert answers(by_hand(pack, guide=good)) == OK == answered(pack)


def test_an_empty_folder_is_no_pack(good: Path, tmp_path: Path) -> None:
    """The program refuses it; by hand nothing is there."""
    (tmp_path / "empty").mkdir()
    assert answers(by_hand(tmp_path / "empty", guide=good)) == dict.fromkeys(verify.QUESTIONS, "MISSED")
    with pytest.raises(BadInput):
        verify_pack(tmp_path / "empty", key=OUR_PRINT)
