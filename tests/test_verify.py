"""Every change to a pack's files and to its seal is named."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.evidence import verify
from harness.evidence.keys import public_pem, signing_key
from harness.evidence.seal import statement
from harness.evidence.verify import BadInput, verify_pack
from tests.damaged_packs import JOURNAL, canonical, lines_of, names, payload, resealed, said, signed
from tests.made_packs import LEDGER, OTHERS, OUR_PRINT, OURS, sealed

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


@pytest.mark.parametrize("name", ["x", "scenarios/passed too", "logs/deep/er", "a\nb"])
def test_an_empty_folder_added(pack: Path, name: str) -> None:
    """It holds no byte, and yet its name says something that was not sealed."""
    (pack / name).mkdir(parents=True)
    report = verify_pack(pack, key=OUR_PRINT)
    assert report.names() == {"folder-added"} and report.answer("integrity") == "MISSED"
    assert f"the empty folder {verify.shown(name)}/ was not sealed" in report.problems[0].text


def test_a_folder_whose_files_were_removed(pack: Path) -> None:
    """The files are named; that their folder is empty is not named as something added."""
    (pack / LEDGER).unlink()
    assert names(pack) == {"file-removed", "files-missing", "file-not-there"}


def test_a_renamed_pack(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder's name is not sealed: another one is named beside the answers and changes none of them."""
    monkeypatch.chdir(pack)
    assert verify_pack(Path(), key=OUR_PRINT).notes == []
    report = verify_pack(pack.rename(tmp_path / "run-2"), key=OUR_PRINT)
    assert report.outcome == "MET"
    assert len(report.notes) == 1 and "called run-2 and holds the run run-1" in report.notes[0]
    monkeypatch.chdir(tmp_path / "run-2")
    assert verify_pack(Path(), key=OUR_PRINT).notes == report.notes
    unsealed = (tmp_path / "run-2").rename(tmp_path / "run-1.unfinished")
    report = verify_pack(unsealed, key=OUR_PRINT)
    assert report.names() == {"unfinished"} and report.notes == []


def test_of_a_folder_that_cannot_be_read_nobody_can_say(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are not called removed."""
    scan = os.scandir

    def refused(path: Path) -> object:
        if Path(path).name == "scenarios":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert "unreadable" in names(pack)
    assert "file-removed" not in names(pack)


def test_links_and_odd_files(pack: Path) -> None:
    """A link to the same content is not the file that was sealed; a pipe is not waited for."""
    (pack / "plan.yaml").rename(pack.parent / "plan.yaml")
    (pack / "plan.yaml").symlink_to("../plan.yaml")
    assert names(pack) == {"symlink", "file-removed", "files-missing"}
    (pack / "plan.yaml").unlink()
    os.mkfifo(pack / "plan.yaml")
    assert names(pack) == {"odd-file", "file-removed", "files-missing"}
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
        with pytest.raises(BadInput, match="--key") as refused:
            verify_pack(good, key=key)
        assert "whoever ran the drill" in refused.value.hint
    signing_key(tmp_path / "private.pem")
    with pytest.raises(BadInput, match="62 hex digits; a fingerprint has 64"):
        verify_pack(good, key="ab" * 31)
    with pytest.raises(BadInput, match="a private key") as refused:
        verify_pack(good, key=tmp_path / "private.pem")
    assert "openssl pkey -in" in refused.value.hint
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
    signed(pack, statement(digests, told["predicate"], version=int(told["predicateType"][-1])))
    assert names(pack) == {"sums-form"}


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("predicateType", "https://drdrill.dev/evidence-pack/v3", "unknown-predicate"),
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
)  # fmt: skip  # a table
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
