"""Secrets, card numbers and personal data are masked; clocks, LSNs and digests are left alone."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import Refused
from harness.evidence.redact import Redactor, is_card, is_iban
from harness.evidence.scan import clean_logs, scan
from tests.made_packs import unfinished

PEM = (
    Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)
# test numbers that the card schemes publish
CARDS = ["4111111111111111", "5555555555554444", "2223003122003222", "378282246310005", "6011111111111117",
         "30569309025904", "3530111333300000", "6200000000000005"]  # fmt: skip  # a list


@pytest.mark.parametrize("card", CARDS)
def test_card_numbers_are_masked(card: str) -> None:
    """As one run of digits, in groups of four, and next to punctuation."""
    forms = [card, f"card={card};", f"({card})", f"card {card}."]
    if len(card) == 16:
        groups = [card[at : at + 4] for at in range(0, 16, 4)]
        forms += [" ".join(groups), "-".join(groups)]
    for form in forms:
        masked = Redactor().text(form)
        assert "[redacted: card number]" in masked
        assert not any(letter.isdigit() for letter in masked)


def innocent() -> list[str]:
    base = 4111111111111111
    return [
        hashlib.sha256(b"x").hexdigest(),
        f"a{base}b", f"0.{base}", f"{base}.25", "0/4111111111111111A", "0000000141111111111111111111",
        "4111111111111112",  # fails the Luhn check
        "1764000000000000000", "1234567890128", "4222222222222",  # clocks; Visa's old 13 digits
        "41111111-1111-1111-1111-111111111111",  # a UUID
        "7576543210987654321",  # a PostgreSQL system identifier
        "4111-1111-1111-1111-1111-1111",
        "pid 4111 1111 went",
    ]  # fmt: skip  # a list


@pytest.mark.parametrize("text", innocent())
def test_what_only_looks_like_a_card_number_is_left_alone(text: str) -> None:
    """Digests, fractions, WAL names, clocks, UUIDs and identifiers stay as they are."""
    assert Redactor().text(text) == text


@settings(max_examples=80, deadline=None)
@given(mono=st.integers(min_value=0, max_value=10**19), lsn=st.integers(min_value=0, max_value=2**64 - 1))
def test_numbers_are_never_touched(mono: int, lsn: int) -> None:
    """A JSON number is a measurement, whatever its digits; so is an LSN or a digest in text."""
    data = {
        "mono": mono,
        "lsn": f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}",
        "sha": hashlib.sha256(str(mono).encode()).hexdigest(),
    }
    assert Redactor().mask(data) == data


@pytest.mark.parametrize(
    ("text", "gone", "stays"),
    [
        ("postgresql://app:p%40ss@db:5432/x", "p%40ss", "postgresql://app:"),
        ("postgresql://app:p@ss:word@db/x", "p@ss:word", "@db/x"),
        ("host=db password='two words' user=u", "two words", "user=u"),
        ("PGPASSWORD=abc123 psql", "abc123", " psql"),
        ("key AKIAIOSFODNN7EXAMPLE end", "AKIAIOSFODNN7EXAMPLE", "end"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalr", "aws_secret"),
        ("Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.x", "eyJ", "Bearer"),
        ("mail jane.doe@example.com now", "jane", " now"),
        ("DE89 3704 0044 0532 0130 00", "3704", ""),
        ("to GB82WEST12345698765432.", "WEST", "to "),
        (f"before {PEM} after", "MC4CAQ", "after"),
        (PEM[40:] + "after", PEM[40:60], "after"),
        (PEM[:80], PEM[40:70], ""),
    ],
)
def test_secrets_by_their_form(text: str, gone: str, stays: str) -> None:
    """Passwords, keys, tokens, IBANs and e-mail addresses are masked, and what surrounds them stays."""
    masked = Redactor().text(text)
    assert gone not in masked and stays in masked and "[redacted: " in masked


def test_known_secrets_in_any_spelling() -> None:
    """A known value is masked as it is, URL-encoded, in JSON and in base64; masking twice changes nothing."""
    redactor = Redactor(['pa/ss "word"', ""])
    for spelling in ('pa/ss "word"', "pa%2Fss%20%22word%22", 'pa/ss \\"word\\"', "cGEvc3MgIndvcmQi"):
        masked = redactor.text(f"<{spelling}>")
        assert masked == "<[redacted: known secret]>"
        assert redactor.text(masked) == masked


def test_a_secret_too_short_is_refused() -> None:
    """Masking it would blot out ordinary words."""
    with pytest.raises(Refused, match="HINT"):
        Redactor(["abc"])


def test_names_of_those_who_act_stay() -> None:
    """An auditor must see who it was; anybody else's address goes, and so does the value of a field named password."""
    data = {"operator": "jane@example.com", "seen": ["bob@example.com"], "db": {"password": "x y"}}
    masked = Redactor().mask(data)
    assert masked["operator"] == "jane@example.com"
    assert masked["seen"] == ["[redacted: e-mail]"] and masked["db"] == {"password": "[redacted: password]"}


def test_a_dsn_without_a_password_stays() -> None:
    """`user@host` in an address is not an e-mail address."""
    text = "postgresql://app@api.quantumnest.com:5432/quantumnest"
    assert Redactor().text(text) == text


@settings(max_examples=80, deadline=None)
@given(text=st.text())
def test_any_text_is_survived_and_masking_is_stable(text: str) -> None:
    """Whatever the text, masking gives UTF-8, and masking again gives the same."""
    once = Redactor().text(text)
    assert Redactor().text(once) == once
    assert once.encode(errors="strict") is not None


@pytest.mark.parametrize(
    "letter",
    [
        "A",
        "a.",
        " ",
        "1",
        "a@",
        "a@a.",
        "4111-",
        "4111 ",
        "DE89 ",
        "password='",
        "password=",
        "-----END PRIVATE KEY-----",
        "://",
    ],
)
def test_long_runs_take_no_time(letter: str) -> None:
    """No pattern needs more than about linear time: 200 kB of anything is done within a second or two."""
    begin = time.monotonic()
    Redactor(["some secret"]).text(letter * (200_000 // len(letter)))
    assert time.monotonic() - begin < 3


def test_the_checks_themselves() -> None:
    """Luhn and the IBAN's check digits tell one changed digit."""
    assert is_card("4111 1111 1111 1111") and not is_card("4111111111111121")
    assert is_iban("DE89370400440532013000") and not is_iban("DE89370400440532013001")


def test_the_scan_names_file_and_line(tmp_path: Path) -> None:
    """Private keys, passwords and card numbers are found in any file, and the finding does not repeat them."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "api.log").write_text(f"one\ntwo\n{PEM}\npaid with 4111111111111111\n")
    (tmp_path / "x.json").write_text('{"a": 1,\n "b": "5555555555554444", "c": "x\\n378282246310005"}')
    found = [str(hit) for hit in scan(tmp_path)]
    assert found == [
        "logs/api.log, line 3: private key",
        "logs/api.log, line 7: card number",
        "x.json, line 2: card number",
    ]


def test_the_scan_leaves_measurements_alone(tmp_path: Path) -> None:
    """A clean run, and a ledger full of clock readings that pass the Luhn check, have no finding."""
    folder = unfinished(tmp_path / "r")
    numbers = [n for n in range(4532015112830000, 4532015112832000) if is_card(str(n))]
    assert len(numbers) > 100
    rows = [json.dumps({"n": n, "due": n, "t": [n], "why": 'a "quote"'}, separators=(",", ":")) for n in numbers]
    (folder / "rows.jsonl").write_text("\n".join(rows))
    for name in ("pretty.json", "000-kill_zone.json", "000-kill_zone.healed"):
        (folder / name).write_text(json.dumps({"expires": numbers}, indent=2))
    assert scan(folder) == []


def test_the_scan_reads_a_file_in_pieces(tmp_path: Path) -> None:
    """A finding past the first megabyte has its right line, also in a file without a line's end."""
    (tmp_path / "a.log").write_text("x" * 99 + "\n" + "filler\n" * 400_000 + "4111111111111111\n")
    (tmp_path / "b.log").write_text("y " * 1_000_000 + "4111111111111111")
    assert [str(hit) for hit in scan(tmp_path)] == ["a.log, line 400002: card number", "b.log, line 1: card number"]


def test_logs_are_cleaned_in_place(tmp_path: Path) -> None:
    """What a component wrote into its log is masked before the seal, and nothing else in it changes."""
    (tmp_path / "db.log").write_text("start\r\nconnecting to postgresql://u:geheim99@db/x\nend\n", newline="")
    (tmp_path / "ok.log").write_text("fine\n")
    found = clean_logs(tmp_path, redactor=Redactor())
    assert [str(hit) for hit in found] == ["db.log, line 2: password"]
    assert (
        tmp_path / "db.log"
    ).read_bytes() == b"start\r\nconnecting to postgresql://u:[redacted: password]@db/x\nend\n"
    assert scan(tmp_path) == [] and (tmp_path / "ok.log").read_text() == "fine\n"


PLACES = {
    "/srv/team a/evidence/r7.unfinished": "<run>", "/srv/team a/evidence": "<evidence>", "/home/noor": "~",
    "/home/noor/src/drills": "<project>", "/rig": "~",
}  # fmt: skip  # a table


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--data=/srv/team a/evidence/r7.unfinished/stack/a", "--data=<run>/stack/a"),
        ("unix:///srv/team%20a/evidence/r7.unfinished/s", "unix://<run>/s"),
        ("'/srv/team a/evidence/r6' is full", "'<evidence>/r6' is full"),
        ("/home/noor/src/drills/harness/run/run.py: gone", "<project>/harness/run/run.py: gone"),
        ("read /home/noor. Then /home/noor-old", "read ~. Then ~-old"),
        ("/home/noora/x", "/home/noora/x"),
        ("noor said so", "noor said so"),
        ("-I /rig/x", "-I ~/x"),
        ("/var/rig/x https://rig.example/rig", "/var/rig/x https://rig.example/rig"),
    ],
)
def test_folders_of_whoever_drills_are_said_otherwise(text: str, said: str) -> None:
    """Longest first, whole names only, also as an address says them; a name alone is a word like others."""
    assert Redactor(places=PLACES).text(text) == said
    assert Redactor(places=PLACES).mask({"argv": [text], text: 1}) == {"argv": [said], said: 1}
    assert not list(Redactor(places=PLACES).hits(text))


def test_folders_in_logs_are_said_otherwise_in_place(tmp_path: Path) -> None:
    """Also where a log holds nothing that is secret."""
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a.log").write_text("listening on /home/noor/src/drills/x\n")
    (tmp_path / "b.log").write_text("nothing here\n")
    assert clean_logs(tmp_path, redactor=Redactor(places=PLACES)) == []
    assert (tmp_path / "s" / "a.log").read_text() == "listening on <project>/x\n"
    assert sorted(path.name for path in tmp_path.rglob("*.log")) == ["a.log", "b.log"]
