"""`openssl` and `sha256sum` alone give the same answers as the verifier."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.evidence import verify
from harness.evidence.seal import redact_copy
from harness.evidence.verify import verify_pack
from tests.damaged_packs import JOURNAL, lines_of, rechained, resealed
from tests.made_packs import LEDGER, OTHERS, OUR_PRINT

# --- by hand ---


def by_hand(pack: Path, *, expected: str = OUR_PRINT, guide: Path | None = None) -> list[str]:
    """Run the commands of VERIFY.md in the system's POSIX shell; the lines they print."""
    text = ((guide or pack) / "VERIFY.md").read_text()
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S))
    assert commands.count("openssl") >= 5
    environment = {"PATH": os.environ["PATH"], "EXPECTED": expected, "TMPDIR": str(pack.parent)}
    ended = subprocess.run(
        ["sh", "-c", commands], cwd=pack, env=environment, capture_output=True, text=True, check=False
    )
    return ended.stdout.splitlines()


def answer(lines: list[str]) -> str:
    """What the printed lines come to."""
    assert lines[-1].startswith("Done")
    words = {line.split()[0] for line in lines}
    return "MISSED" if "BAD" in words else "UNKNOWN" if "UNKNOWN" in words else "MET"


def test_the_commands_of_the_guide_accept_a_good_pack(good: Path, tmp_path: Path) -> None:
    """The very commands in VERIFY.md, run by a POSIX shell: OK at each step; the same words as `verify` prints."""
    lines = by_hand(good)
    assert answer(lines) == "MET" and sum(line.startswith("OK") for line in lines) == 5
    assert answer(by_hand(good, expected="")) == "UNKNOWN"
    assert answer(by_hand(good, expected="0" * 64)) == "MISSED"
    copy = redact_copy(good, tmp_path / "copy", [3, 4, 6])
    assert answer(by_hand(copy)) == "MET" and "NOTE line 4 is redacted" in by_hand(copy)
    renamed = "NOTE this folder was renamed: it holds the run run-1"
    assert renamed in by_hand(copy) and renamed not in lines
    text = (good / "VERIFY.md").read_text()
    assert all(commands in text and commands in verify.by_hand() for _, _, commands in verify.BY_HAND)
    assert "run-1" in text and OUR_PRINT in text and "proves nothing" in text


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


DAMAGES: dict[str, Callable[[Path], object]] = {
    "file changed": edited("plan.yaml", b"objectives", b"objections"),
    "file added": added,
    "empty folder added": folder_added,
    "file removed": lambda pack: (pack / LEDGER).unlink(),
    "file linked": linked,
    "sums": edited("SHA256SUMS", b"  ", b" *"),
    "signature": edited("pack.dsse.json", b'"sig":"', b'"sig":"A'),
    "payload": edited("pack.dsse.json", b'"payload":"ey', b'"payload":"fy'),
    "keyid": edited("pack.dsse.json", f'"keyid":"{OUR_PRINT[:1]}'.encode(), b'"keyid":"_'),
    "space": edited("pack.dsse.json", b",", b", "),
    "no newline": edited("pack.dsse.json", b"}\n", b"}"),
    "journal changed": edited(JOURNAL, b'"seen":3', b'"seen":0'),
    "journal cut": cut_and_chained_again,
    "other key": lambda pack: resealed(pack, key=OTHERS),
    "sequence gap, sealed again": gap_sealed_again,
    "no end, sealed again": cut_and_sealed_again,
    "ledger, sealed again": ledger_sealed_again,
    "redacted and changed": redacted_and_changed,
}


@pytest.mark.parametrize("what", DAMAGES)
def test_the_commands_of_the_guide_refuse_what_verify_refuses(good: Path, pack: Path, what: str) -> None:
    """Damaged in any of these ways, the shell's answer is the verifier's: missed."""
    DAMAGES[what](pack)
    assert verify_pack(pack, key=OUR_PRINT).outcome == "MISSED"
    assert answer(by_hand(pack, guide=good)) == "MISSED"
