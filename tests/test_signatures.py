"""Several signatures over one payload, and the trust file that says whose they are."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from harness.cli import drdrill
from harness.errors import Refused
from harness.evidence.countersign import countersign
from harness.evidence.keys import fingerprint, public_pem, signing_key
from harness.evidence.numbers import pack_digest
from harness.evidence.seal import envelope, signature
from harness.evidence.verify import verify_folder, verify_pack
from tests.damaged_packs import names, said
from tests.made_packs import OTHERS, OUR_PRINT, OURS, sealed
from tests.test_verify_by_hand import OK, answered, answers, by_hand

THIRD = Ed25519PrivateKey.from_private_bytes(b"t" * 32)
THEIR_PRINT, THIRD_PRINT = (fingerprint(key.public_key()) for key in (OTHERS, THIRD))
OPS: dict[str, Any] = {"name": "Operations", "role": "operator", "key": OUR_PRINT}
Signed = dict[str, str]


def trusting(folder: Path, *entries: dict[str, Any]) -> Path:
    """A trust file beside PEM files of everybody's public key."""
    folder.mkdir(exist_ok=True)
    for name, key in (("ours", OURS), ("theirs", OTHERS), ("third", THIRD)):
        (folder / f"{name}.pem").write_bytes(public_pem(key.public_key()))
    (folder / "trust.json").write_text(json.dumps(entries))
    return folder / "trust.json"


def auditor(key: str = "theirs.pem") -> dict[str, str]:
    return {"name": "Ada Bell", "role": "auditor", "key": key}


def answer(pack: Path, trust: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(said(str(pack), "--trust", str(trust), "--json")[1])
    return told


def wrapped(pack: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((pack / "pack.dsse.json").read_bytes())
    return told


def sign(pack: Path, *signatures: Signed) -> None:
    """Another list of signatures in the envelope, in whatever order."""
    told = wrapped(pack) | {"signatures": list(signatures)}
    (pack / "pack.dsse.json").write_text(json.dumps(told, separators=(",", ":"), sort_keys=True) + "\n")


def of(pack: Path, key: Ed25519PrivateKey) -> Signed:
    return signature(base64.b64decode(wrapped(pack)["payload"]), key=key)


# --- adding one ---


def test_a_signature_that_is_added_changes_no_digest(pack2: Path) -> None:
    """The pack is known by what was signed; nothing else lies in it or beside it."""
    before = pack_digest(pack2, version=2)
    assert countersign(pack2, key=THIRD, sealed_by=OUR_PRINT) == THIRD_PRINT
    countersign(pack2, key=OTHERS)
    assert [each["keyid"] for each in wrapped(pack2)["signatures"]] == [OUR_PRINT, *sorted([THEIR_PRINT, THIRD_PRINT])]
    report = verify_pack(pack2, key=OUR_PRINT)
    assert report.outcome == "MET" and report.digest == before == pack_digest(pack2, version=2)
    assert sum("which is not known here: it was not checked" in note for note in report.notes) == 2
    assert answers(by_hand(pack2)) == OK == answered(pack2)
    assert [entry.name for entry in pack2.parent.iterdir()] == ["run-1"]


def test_a_chain_holds_when_a_pack_in_it_is_signed_again(tmp_path: Path) -> None:
    """The run after it named what was signed."""
    first = sealed(tmp_path / "e" / "run-1", version=2)
    sealed(tmp_path / "e" / "run-2", number=2, previous=pack_digest(first, version=2), version=2)
    countersign(first, key=OTHERS)
    assert verify_folder(tmp_path / "e", key=OUR_PRINT).outcome == "MET"


def test_another_reader_of_the_envelope_accepts_both(pack2: Path) -> None:
    """It is securesystemslib, which is not ours."""
    countersign(pack2, key=OTHERS)
    keys = [SSlibKey.from_crypto(key.public_key(), fingerprint(key.public_key())) for key in (OURS, OTHERS)]
    assert set(Envelope.from_dict(wrapped(pack2)).verify(keys, 2)) == {OUR_PRINT, THEIR_PRINT}


def test_what_is_not_signed_again(pack2: Path, tmp_path: Path) -> None:
    """A pack that does not verify, was sealed by another, is of format 1, or has the signature already."""
    with pytest.raises(Refused, match="has signed it already"):
        countersign(pack2, key=OURS)
    with pytest.raises(Refused, match="it was sealed with the key"):
        countersign(pack2, key=OTHERS, sealed_by=THIRD_PRINT)
    with pytest.raises(Refused, match="of format 1 has one signature"):
        countersign(sealed(tmp_path / "old", version=1), key=OTHERS)
    with pytest.raises(Refused, match="HINT"):
        countersign(tmp_path, key=OTHERS)
    before = (pack2 / "pack.dsse.json").read_bytes()
    (pack2 / "plan.yaml").write_text("x")
    with pytest.raises(Refused, match=r"it does not verify: plan\.yaml is not as it was sealed"):
        countersign(pack2, key=OTHERS)
    assert (pack2 / "pack.dsse.json").read_bytes() == before


def test_the_command_signs_with_the_key_of_whoever_calls_it(
    pack2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`drdrill countersign` says which key that is."""
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "auditor.pem"))
    refused = CliRunner().invoke(drdrill, ["countersign", str(pack2), "--key", OUR_PRINT])
    assert isinstance(refused.exception, Refused) and "no signing key" in refused.exception.message
    signing_key(tmp_path / "auditor.pem")
    done = CliRunner().invoke(drdrill, ["countersign", str(pack2), "--key", OUR_PRINT])
    assert done.exit_code == 0 and len(wrapped(pack2)["signatures"]) == 2
    assert wrapped(pack2)["signatures"][1]["keyid"] in done.output


# --- the envelope ---

LISTS: dict[str, Callable[[Signed, Signed, Signed], list[Signed]]] = {
    "one twice": lambda ours, theirs, third: [ours, theirs, theirs],
    "the seal's twice": lambda ours, theirs, third: [ours, ours],
    "no order": lambda ours, theirs, third: [ours, *sorted([theirs, third], key=lambda each: each["keyid"])[::-1]],
    "the seal's last": lambda ours, theirs, third: [theirs, ours],
    "not the seal's": lambda ours, theirs, third: [theirs],
    "none": lambda ours, theirs, third: [],
    "a key in capitals": lambda ours, theirs, third: [ours, theirs | {"keyid": theirs["keyid"].upper()}],
    "a short one": lambda ours, theirs, third: [ours, theirs | {"sig": "AAAA"}],
    "a role": lambda ours, theirs, third: [ours, theirs | {"role": "auditor"}],
    "one of others in the seal's place": lambda ours, theirs, third: [ours | {"sig": theirs["sig"]}, theirs],
    "too many": lambda ours, theirs, third: [ours, *({**theirs, "keyid": f"{at:064x}"} for at in range(100))],
}


@pytest.mark.parametrize("what", LISTS)
def test_the_list_has_one_form(pack2: Path, good2: Path, what: str) -> None:
    """That of the seal first, those of others in order of their keys, each once, and a role in none of them."""
    sign(pack2, *LISTS[what](of(pack2, OURS), of(pack2, OTHERS), of(pack2, THIRD)))
    assert answered(pack2)["integrity"] == "MISSED" and answers(by_hand(pack2, guide=good2)) == answered(pack2)


def test_a_pack_of_format_1_has_one_signature(tmp_path: Path) -> None:
    """The run after it may have named its envelope."""
    pack = sealed(tmp_path / "run-1", version=1)
    sign(pack, of(pack, OURS), of(pack, OTHERS))
    assert names(pack) >= {"envelope-form"} and answers(by_hand(pack)) == answered(pack)


def test_a_signature_that_does_not_fit(pack2: Path, tmp_path: Path) -> None:
    """Of a key that is known: integrity is missed. Of an unknown one nobody can say."""
    forged = {"keyid": THEIR_PRINT, "sig": of(pack2, THIRD)["sig"]}
    sign(pack2, of(pack2, OURS), forged)
    assert verify_pack(pack2, key=OUR_PRINT).outcome == "MET"
    told = answer(pack2, trusting(tmp_path / "t", OPS, auditor()))
    assert (told["integrity"], told["authorship"]) == ("MISSED", "MISSED")
    assert [each["holds"] for each in told["signatures"]] == [True, False]


def test_the_signatures_of_others_by_hand(pack2: Path, tmp_path: Path) -> None:
    """The shell checks those whose public keys are named in KEYS."""
    countersign(pack2, key=OTHERS)
    trusting(tmp_path / "t")
    text = (pack2 / "VERIFY.md").read_text()
    (tmp_path / "VERIFY.md").write_text(text.replace("KEYS:-", f"KEYS:-{tmp_path}/t/third.pem {tmp_path}/t/theirs.pem"))
    found = by_hand(pack2, guide=tmp_path)
    assert answers(found) == OK and f"NOTE     it is signed with {tmp_path}/t/theirs.pem, too" in found
    sign(pack2, of(pack2, OURS), {"keyid": THEIR_PRINT, "sig": of(pack2, THIRD)["sig"]})
    assert answers(by_hand(pack2, guide=tmp_path)) == OK | {"integrity": "MISSED"}


# --- whom the caller trusts ---


def test_roles_come_from_the_trust_file(pack2: Path, tmp_path: Path) -> None:
    """Each signature that holds is named with its role; by JSON too, and for a folder."""
    countersign(pack2, key=OTHERS)
    trust = trusting(tmp_path / "t", OPS, auditor())
    code, text = said(str(pack2), "--trust", str(trust))
    assert code == 0 and "Authorship    MET     sealed by Operations (operator); signed by Ada Bell (auditor)" in text
    assert answer(pack2, trust)["signatures"] == [
        {"keyid": OUR_PRINT, "holds": True, "name": "Operations", "role": "operator"},
        {"keyid": THEIR_PRINT, "holds": True, "name": "Ada Bell", "role": "auditor"},
    ]
    assert said(str(pack2.parent), "--trust", str(trust))[0] == 0
    done = CliRunner().invoke(drdrill, ["verify", str(pack2), "--trust", str(trust)])
    assert (done.exit_code, done.output) == (code, text)


def test_a_role_without_its_signature_is_not_named(pack2: Path, tmp_path: Path) -> None:
    """That somebody is trusted does not say that they have signed; a wrong role is the caller's own word."""
    trust = trusting(tmp_path / "t", OPS | {"role": "auditor"}, auditor() | {"role": "manager"})
    code, text = said(str(pack2), "--trust", str(trust))
    assert code == 0 and "sealed by Operations (auditor)" in text and "manager" not in text


def test_sealed_by_nobody_who_is_trusted(pack2: Path, tmp_path: Path) -> None:
    """Missed; where somebody trusted has signed it, too, who sealed it is unknown all the same."""
    trust = trusting(tmp_path / "t", auditor())
    assert answer(pack2, trust)["authorship"] == "MISSED"
    countersign(pack2, key=OTHERS)
    told = answer(pack2, trust)
    assert told["authorship"] == "UNKNOWN"
    assert any("it is signed by Ada Bell (auditor)" in problem["text"] for problem in told["problems"])
    (pack2 / "pack.dsse.json").unlink()
    assert answer(pack2, trust)["authorship"] == "MISSED"


def test_a_fingerprint_alone_checks_no_signature_that_was_added(pack2: Path, tmp_path: Path) -> None:
    """The key that sealed lies in the pack, the others do not: unknown, with what to give."""
    countersign(pack2, key=OTHERS)
    told = answer(pack2, trusting(tmp_path / "t", OPS, auditor(THEIR_PRINT)))
    assert told["authorship"] == "UNKNOWN" and "as a PEM file" in str(told["problems"])


PRIVATE = OURS.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "not JSON"), ("- name: Ada", "not JSON"), ("[" * 500, "not JSON"), ("{}", "no list"), ("[]", "no list"),
        ('[{"name": "x", "name": "y"}]', "written twice"),
        ("[7]", "entry 1 is not an object"), ('[{"name":"A","role":"x"}]', "with name, role and key"),
        (json.dumps([OPS | {"more": "x"}]), "and nothing else"), (json.dumps([OPS | {"role": ""}]), "its role"),
        (json.dumps([OPS | {"role": 7}]), "its role"), (json.dumps([OPS | {"name": "a\nb"}]), "its name"),
        (json.dumps([OPS | {"role": "x" * 201}]), "its role"), (json.dumps([OPS, auditor("ours.pem")]), "signs as two"),
        (json.dumps([OPS | {"key": "nothing.pem"}]), "entry 1: key nothing.pem: No such file"),
        (json.dumps([OPS | {"key": "trust.json"}]), "holds no Ed25519 public key"),
        (json.dumps([OPS | {"key": "private"}]), "a private key"), (json.dumps([OPS | {"key": "ab" * 31}]), "62 hex"),
    ],
)  # fmt: skip  # a table
def test_a_trust_file_that_cannot_be_used(good2: Path, tmp_path: Path, content: str, why: str) -> None:
    """One error, one HINT, exit code 3; nothing is answered."""
    trust = trusting(tmp_path / "t")
    (tmp_path / "t" / "private").write_text(PRIVATE)
    trust.write_text(content)
    code, text = said(str(good2), "--trust", str(trust))
    assert code == 3 and text.startswith("error: --trust ") and why in text and text.count("HINT: ") == 1
    assert isinstance(CliRunner().invoke(drdrill, ["verify", str(good2), "--trust", str(trust)]).exception, Refused)


def test_where_a_trust_file_may_not_lie(pack2: Path, tmp_path: Path) -> None:
    """Nowhere, in the evidence, or beside a key that was given; and a key that lies in the evidence proves nothing."""
    for trust in (tmp_path / "nothing", tmp_path, trusting(pack2.parent, OPS)):
        assert said(str(pack2.parent), "--trust", str(trust))[0] == 3
    trust = trusting(tmp_path / "t", OPS | {"key": str(pack2 / "public-key.pem")})
    code, text = said(str(pack2), "--trust", str(trust))
    assert code == 3 and "proves nothing" in text
    code, text = said(str(pack2), "--trust", str(trust), "--key", OUR_PRINT)
    assert code == 3 and "exclude each other" in text


def test_a_key_in_the_pack_is_never_trusted_by_its_own_word(pack2: Path, tmp_path: Path) -> None:
    """Sealed again by somebody else, with our signature beside it: that is over other bytes, and does not fit."""
    ours = of(pack2, OURS)
    payload = base64.b64decode(wrapped(pack2)["payload"]).replace(b'"MET"', b'"met"')
    (pack2 / "public-key.pem").write_bytes(public_pem(OTHERS.public_key()))
    (pack2 / "pack.dsse.json").write_bytes(envelope(payload, [signature(payload, key=OTHERS), ours]))
    told = answer(pack2, trusting(tmp_path / "t", OPS | {"key": "ours.pem"}))
    assert (told["integrity"], told["authorship"]) == ("MISSED", "MISSED")
