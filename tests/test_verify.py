"""The verifier names every change to a pack, and openssl with sha256sum gives the same answers."""

from __future__ import annotations

import ast
import base64
import hashlib
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
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.evidence import verify
from harness.evidence.keys import public_pem
from harness.evidence.seal import envelope, redact_copy, statement
from harness.evidence.verify import BadInput, Report, main, verify_folder, verify_pack
from tests.made_packs import LEDGER, OTHERS, OUR_PRINT, OURS, sealed, series

JOURNAL = "journal.jsonl"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed pack that no test changes."""
    return sealed(tmp_path_factory.mktemp("good") / "run-1")


@pytest.fixture
def pack(good: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(good, tmp_path / "run-1"))


def names(path: Path, key: str | None = OUR_PRINT) -> set[str]:
    return verify_pack(path, key=key).names()


def payload(pack: Path) -> dict[str, Any]:
    wrapped = json.loads((pack / "pack.dsse.json").read_bytes())
    told: dict[str, Any] = json.loads(base64.b64decode(wrapped["payload"]))
    return told


def resealed(
    pack: Path, *, key: Ed25519PrivateKey = OURS, change: Callable[[dict[str, Any]], object] = lambda _: None
) -> Path:
    """Sign what lies there now, whatever it is, as somebody with the tooling would; `change` edits the predicate."""
    predicate = payload(pack)["predicate"]
    for name in ("SHA256SUMS", "pack.dsse.json"):
        (pack / name).unlink()
    (pack / "public-key.pem").write_bytes(public_pem(key.public_key()))
    lines = [hashlib.sha256(line).hexdigest() for line in (pack / JOURNAL).read_bytes().splitlines()]
    listed = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    predicate["journal"] = {"lines": len(lines), "head": lines[-1], "linesSha256": listed}
    change(predicate)
    files = {path.relative_to(pack).as_posix(): path for path in pack.rglob("*") if path.is_file()}
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    sums = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    (pack / "SHA256SUMS").write_text(sums)
    digests["SHA256SUMS"] = hashlib.sha256(sums.encode()).hexdigest()
    (pack / "pack.dsse.json").write_bytes(envelope(statement(digests, predicate), key=key))
    return pack


def rechained(lines: list[bytes]) -> bytes:
    """The lines, numbered and chained again as a forger would."""
    told, prev = b"", "0" * 64
    for seq, line in enumerate(lines):
        fields = json.loads(line) | {"seq": seq, "prev": prev}
        forged = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        prev = hashlib.sha256(forged).hexdigest()
        told += forged + b"\n"
    return told


def lines_of(pack: Path) -> list[bytes]:
    return (pack / JOURNAL).read_bytes().splitlines()


# --- every change is named ---


def test_a_good_pack(good: Path) -> None:
    """All met with the key from elsewhere; without one, authorship alone is unknown."""
    assert verify_pack(good, key=OUR_PRINT).outcome == "MET"
    without = verify_pack(good)
    assert [without.answer(q) for q in verify.QUESTIONS] == ["MET", "MET", "UNKNOWN"]
    assert without.names() == {"no-key-given"}


@pytest.mark.parametrize("name", ["pack.dsse.json", "SHA256SUMS", "public-key.pem"])
def test_every_byte_of_the_seal(pack: Path, name: str) -> None:
    """Whichever byte of envelope, sums or key is flipped, integrity is missed."""
    content = (pack / name).read_bytes()
    for at in range(len(content)):
        (pack / name).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        report = verify_pack(pack, key=OUR_PRINT)
        assert report.answer("integrity") == "MISSED", at
        if name == "pack.dsse.json":
            assert report.names() & {"bad-signature", "envelope-form"}
        elif name == "SHA256SUMS":
            assert report.names() >= {"file-changed", "sums-differ"}


def test_bytes_of_every_other_file(pack: Path) -> None:
    """A flipped byte is named with its file: all positions of small files, a spread of larger ones."""
    others = [
        path for path in sorted(pack.rglob("*")) if path.is_file() and path.name not in ("pack.dsse.json", "SHA256SUMS")
    ]
    assert len(others) == 6
    for path in others:
        content = path.read_bytes()
        for at in range(0, len(content), max(1, len(content) // 60)):
            path.write_bytes(content[:at] + bytes([content[at] ^ 0x80]) + content[at + 1 :])
            report = verify_pack(pack, key=OUR_PRINT)
            changed = [problem.text for problem in report.problems if problem.name == "file-changed"]
            assert changed == [f"{path.relative_to(pack).as_posix()} is not as it was sealed"]
        path.write_bytes(content)
    assert verify_pack(pack, key=OUR_PRINT).outcome == "MET"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_to_any_file(pack: Path, data: st.DataObject) -> None:
    """Bytes cut out, put in or replaced anywhere: integrity is missed, and never a traceback."""
    paths = sorted(path for path in pack.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(paths))
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    new = content[:start] + data.draw(st.binary(max_size=40)) + content[end:]
    path.write_bytes(new)
    try:
        assert new == content or verify_pack(pack, key=OUR_PRINT).answer("integrity") == "MISSED"
    finally:
        path.write_bytes(content)


def test_every_file_removed(pack: Path) -> None:
    """Each is named by its name."""
    for path in sorted(path for path in pack.rglob("*") if path.is_file()):
        content = path.read_bytes()
        path.unlink()
        report = verify_pack(pack, key=OUR_PRINT)
        assert report.answer("integrity") == "MISSED"
        assert any(path.relative_to(pack).as_posix() in problem.text for problem in report.problems), path
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["x", "scenarios/y", "logs/deep/er/z", ".hidden", "journal.jsonl.bak", "a\nb", "ü"])
def test_every_file_added(pack: Path, name: str) -> None:
    """Wherever it is put, it is named."""
    (pack / name).parent.mkdir(parents=True, exist_ok=True)
    (pack / name).write_text("")
    assert names(pack) == {"file-added"}


def test_links_and_odd_files(pack: Path) -> None:
    """A link to the same content is not the file that was sealed; a pipe is not waited for."""
    (pack / "plan.yaml").rename(pack.parent / "plan.yaml")
    (pack / "plan.yaml").symlink_to("../plan.yaml")
    assert names(pack) == {"symlink", "file-removed"}
    (pack / "plan.yaml").unlink()
    os.mkfifo(pack / "plan.yaml")
    assert names(pack) == {"odd-file", "file-removed"}
    for name in ("pack.dsse.json", "SHA256SUMS", "public-key.pem", JOURNAL):
        (pack / name).unlink()
        os.mkfifo(pack / name)
    assert verify_pack(pack, key=OUR_PRINT).answer("integrity") == "MISSED"


def test_sealed_again_with_another_key(pack: Path) -> None:
    """It fits in itself, and only the key from elsewhere tells."""
    resealed(pack, key=OTHERS)
    assert verify_pack(pack).answer("integrity") == "MET"
    report = verify_pack(pack, key=OUR_PRINT)
    assert report.names() >= {"other-key"} and report.answer("authorship") == "MISSED"


def test_rewritten_whole_with_another_key(tmp_path: Path) -> None:
    """Other figures, sealed by the same tooling: authorship is missed."""
    forged = sealed(tmp_path / "run-1", lost=0, key=OTHERS)
    report = verify_pack(forged, key=OUR_PRINT)
    assert (report.answer("integrity"), report.answer("authorship")) == ("MET", "MISSED")
    assert report.names() == {"other-key"}


def test_the_key_may_be_a_file_or_a_fingerprint(good: Path, pack: Path, tmp_path: Path) -> None:
    """In any usual spelling; a key that lies in the pack itself is refused, since it proves nothing."""
    (tmp_path / "ours.pem").write_bytes(public_pem(OURS.public_key()))
    (tmp_path / "others.pem").write_bytes(public_pem(OTHERS.public_key()))
    colons = ":".join(OUR_PRINT[at : at + 2] for at in range(0, 64, 2)).upper()
    for key in (tmp_path / "ours.pem", str(tmp_path / "ours.pem"), OUR_PRINT.upper(), f"sha256:{OUR_PRINT}", colons):
        assert verify_pack(good, key=key).outcome == "MET"
    assert verify_pack(good, key=tmp_path / "others.pem").answer("authorship") == "MISSED"
    (tmp_path / "link.pem").symlink_to(good / "public-key.pem")
    (tmp_path / "garbage").write_bytes(b"\0\xff")
    for key in (
        good / "public-key.pem",
        tmp_path / "link.pem",
        tmp_path / "garbage",
        tmp_path,
        "nothing",
        "a\0b",
        "ab" * 31,
    ):
        with pytest.raises(BadInput, match="--key"):
            verify_pack(good, key=key)
    (pack / "public-key.pem").write_bytes(public_pem(OTHERS.public_key()))
    swapped = verify_pack(pack, key=tmp_path / "ours.pem")
    assert (swapped.answer("authorship"), swapped.answer("integrity")) == ("MET", "MISSED")


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b.replace(b"==", b"") if b"==" in b else b.replace(b'="', b'"'),
        lambda b: b.replace(b'"payload":"', b'"payload":" '),
        lambda b: b.replace(b'"payload":"eyJ', b'"payload":"eyJ\\n'),
        lambda b: b.replace(b"+", b"-").replace(b"/", b"_"),
        lambda b: b.rstrip(b"\n"),
        lambda b: b + b"\n",
        lambda b: b" " + b,
        lambda b: b.replace(b'"payloadType"', b'"x":1,"payloadType"'),
        lambda b: b.replace(b'{"keyid"', b'{"keyid":"","keyid"'),
        lambda b: b.replace(b'"signatures":[', b'"signatures":[{"keyid":"","sig":"AAAA"},'),
        lambda b: re.sub(rb'"keyid":"[0-9a-f]*"', b'"keyid":"' + b"0" * 64 + b'"', b),
        lambda b: re.sub(rb'"signatures":\[.*\]', b'"signatures":[]', b),
        lambda b: b.replace(b"vnd.in-toto", b"vnd.in-tota"),
        lambda b: json.dumps(json.loads(b), indent=1).encode(),
    ],
)
def test_the_envelope_has_one_form(pack: Path, change: Callable[[bytes], bytes]) -> None:
    """Other spellings of the same content are not accepted, even where the signature would fit."""
    content = (pack / "pack.dsse.json").read_bytes()
    assert change(content) != content
    (pack / "pack.dsse.json").write_bytes(change(content))
    report = verify_pack(pack, key=OUR_PRINT)
    assert report.names() & {"envelope-form", "bad-signature"} and report.answer("integrity") == "MISSED"


def test_base64_with_bits_in_its_padding(pack: Path) -> None:
    """The last letter before the padding has bits that mean nothing: they must be zero."""
    content = (pack / "pack.dsse.json").read_bytes()
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    sig = re.search(rb'"sig":"([^"]*)(.)=="', content)
    assert sig is not None
    twin = letters[letters.index(sig[2]) ^ 1 :][:1]
    changed = content.replace(sig[1] + sig[2] + b"==", sig[1] + twin + b"==")
    loose = base64.b64decode(sig[1] + twin + b"==")
    assert loose == base64.b64decode(sig[1] + sig[2] + b"==")
    (pack / "pack.dsse.json").write_bytes(changed)
    assert names(pack) >= {"envelope-form"}


@pytest.mark.parametrize(
    "change",
    [
        lambda t: "".join(sorted(t.splitlines(True), reverse=True)),
        lambda t: t + t.splitlines(True)[0],
        lambda t: t.replace("  ", " *"),
        lambda t: t.replace("\n", "\r\n"),
        lambda t: t.upper(),
        lambda t: "",
    ],
)
def test_the_sums_have_one_form(pack: Path, change: Callable[[str], str]) -> None:
    """Another order, marker, case or line end is not accepted."""
    text = (pack / "SHA256SUMS").read_text()
    (pack / "SHA256SUMS").write_bytes(change(text).encode())
    assert verify_pack(pack, key=OUR_PRINT).answer("integrity") == "MISSED"
    assert "file-changed" in names(pack)


def test_sums_in_another_form_are_named_even_when_signed(pack: Path) -> None:
    """Whoever signs must sign the one form."""
    listed = (pack / "SHA256SUMS").read_text().splitlines(True)[::-1]
    told = payload(pack)
    (pack / "SHA256SUMS").write_text("".join(listed))
    digests = {each["name"]: each["digest"]["sha256"] for each in told["subject"]}
    digests["SHA256SUMS"] = hashlib.sha256("".join(listed).encode()).hexdigest()
    (pack / "pack.dsse.json").write_bytes(envelope(statement(digests, told["predicate"]), key=OURS))
    assert names(pack) == {"sums-form"}


def signed(pack: Path, told: bytes) -> None:
    (pack / "pack.dsse.json").write_bytes(envelope(told, key=OURS))


def canonical(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("predicateType", "https://drdrill.dev/evidence-pack/v2", "unknown-predicate"),
        ("_type", "https://in-toto.io/Statement/v2", "unknown-statement"),
    ],
)
def test_an_unknown_version_is_refused(pack: Path, field: str, value: str, name: str) -> None:
    """A signature over something newer is not judged by old rules."""
    signed(pack, canonical(payload(pack) | {field: value}))
    report = verify_pack(pack, key=OUR_PRINT)
    assert name in report.names() and report.answer("integrity") == "UNKNOWN" and report.facts == {}


@pytest.mark.parametrize(
    "told",
    [
        b"", b"[]", b"null", b"{}", b"\xff", b'{"_type":NaN}', b"[" * 200_000, b'{"a":' * 100_000, b"9" * 10_000,
        b'"\\ud800"',
    ],
)  # fmt: skip
def test_a_signed_statement_of_garbage(pack: Path, told: bytes) -> None:
    """Whatever was signed, the answer is clear."""
    if told:
        signed(pack, told)
    else:
        (pack / "pack.dsse.json").write_bytes(b"")
    assert names(pack) & {"statement-form", "envelope-form"}


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../b", "./x", "a//b", "a\\b", "a\nb", "", 7, None]
)
def test_names_that_lead_out_of_the_pack(pack: Path, name: object) -> None:
    """A signed name is only compared, never opened, and an unsafe one is refused."""
    told = payload(pack)
    told["subject"].insert(0, {"name": name, "digest": {"sha256": "0" * 64}})
    signed(pack, canonical(told))
    assert "statement-form" in names(pack)


@pytest.mark.parametrize(
    "garbage", [b"", b"\0" * 100, b"\xff\xfe", b"[" * 200_000, b"{}", b"null", b"\n\n", os.urandom(5000)]
)
@pytest.mark.parametrize("name", ["pack.dsse.json", "SHA256SUMS", "public-key.pem", JOURNAL])
def test_garbage_in_any_place(pack: Path, name: str, garbage: bytes) -> None:
    """Binary, empty, deeply nested: integrity is missed, without a traceback."""
    (pack / name).write_bytes(garbage)
    assert verify_pack(pack, key=OUR_PRINT).answer("integrity") == "MISSED"


@pytest.mark.parametrize("value", ["\ud800", 7, None, [], json.loads("[" * 900 + "]" * 900)])
def test_garbage_in_the_keyid(pack: Path, value: Any) -> None:
    """A name for the key that is no text, or cannot be written, is not accepted."""
    wrapped = json.loads((pack / "pack.dsse.json").read_bytes())
    wrapped["signatures"][0]["keyid"] = value
    (pack / "pack.dsse.json").write_text(json.dumps(wrapped, separators=(",", ":"), sort_keys=True) + "\n")
    assert "envelope-form" in names(pack)


@pytest.mark.parametrize("depth", [30, 500, 900, 5000])
@pytest.mark.parametrize("field", ["_type", "nonce", "run", "verdict", "startedOn"])
def test_deeply_nested_claims(pack: Path, field: str, depth: int) -> None:
    """Text and JSON come out whatever is nested in what was signed."""
    told = payload(pack)
    (told if field == "_type" else told["predicate"])[field] = "DEEP"
    deep = b"[" * depth + b"]" * depth
    signed(pack, canonical(told).replace(b'"DEEP"', deep))
    line = lines_of(pack)[0].replace(b'"n0"', deep)
    (pack / JOURNAL).write_bytes(line + b"\n")
    for options in ([], ["--json"]):
        code, text = said(str(pack), "--key", OUR_PRINT, *options)
        assert code == 1 and text


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
    assert missing(failed, unhealed).names() == {"unhealed-fault"}


def test_a_ledger_that_is_not_the_one_digested(pack: Path) -> None:
    """Changed between the end of the scenario and the seal, or not there."""
    (pack / LEDGER).write_text("other\n")
    assert names(resealed(pack)) == {"digest-differs"}
    (pack / LEDGER).unlink()
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


# --- redaction ---


def test_a_redacted_copy_verifies(good: Path, tmp_path: Path) -> None:
    """Any lines between the first and the last, neighbours too, and twice; the report says which."""
    for n, lines in enumerate(([6], [2, 3, 4], [2, 3, 4, 5, 6, 7])):
        copy = redact_copy(good, tmp_path / str(n), lines)
        report = verify_pack(copy, key=OUR_PRINT)
        assert report.problems == [] and report.redacted == lines
        assert f"redacted: lines {', '.join(map(str, lines))}" in report.notes[0]
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
        "spelled otherwise": [*lines[:3], lines[3].replace(b'"v":1,', b'"v": 1,'), *lines[4:]],
    }
    for changed in cases.values():
        (copy / JOURNAL).write_bytes(b"".join(line + b"\n" for line in changed))
        assert verify_pack(copy, key=OUR_PRINT).answer("integrity") == "MISSED"
    (copy / JOURNAL).write_bytes(b"".join(line + b"\n" for line in lines))
    (copy / "findings.json").write_text("{}")
    assert names(copy) == {"file-changed"}


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


def said(*argv: str) -> tuple[int, str]:
    out: list[str] = []
    code = main([str(word) for word in argv], say=lambda text: out.append(str(text)))
    return code, "\n".join(out)


def test_exit_codes_and_text(good: Path, pack: Path, tmp_path: Path) -> None:
    """0 met, 1 missed, 2 unknown, 3 bad input; text for people, JSON for programs."""
    code, text = said(str(good), "--key", OUR_PRINT)
    assert code == 0 and "Authorship    MET" in text and "not that the figures are true" in text
    assert "openssl pkeyutl -verify" in text and text.endswith("Answer: MET")
    assert said(str(good))[0] == 2
    (pack / "plan.yaml").write_text("x")
    code, text = said(str(pack), "--key", OUR_PRINT, "--json")
    assert code == 1 and json.loads(text)["integrity"] == "MISSED"
    assert said(str(pack.parent), "--key", OUR_PRINT)[0] == 1
    told = json.loads(said(str(pack.parent), "--key", OUR_PRINT, "--json")[1])
    assert told["outcome"] == "MISSED" and len(told["packs"]) == 1


def test_bad_input(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing there, a file, a folder without packs, no argument, an unknown flag, a bad key."""
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "nothing", tmp_path / "file", tmp_path / "empty", tmp_path / "file" / "below"):
        code, text = said(str(path))
        assert code == 3 and "HINT" in text
        assert json.loads(said(str(path), "--json")[1])["error"]
    assert said(str(good), "--key", "nonsense")[0] == 3
    assert said()[0] == 3 and said("a", "b", "--wrong")[0] == 3 and said("--help")[0] == 0
    assert "usage: verify" in capsys.readouterr().out


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
