#!/usr/bin/env python3
"""Is this evidence pack whole, unchanged, and sealed by whom you expect? Needs Python 3.11 and `cryptography` only.

    python verify.py PACK|FOLDER [--key FILE|FINGERPRINT | --trust FILE] [--receipts FILE] [--json | --by-hand]

This file imports nothing of the software that made the pack, and may be copied out of it. It answers three questions,
each with MET, MISSED or UNKNOWN: integrity (is every byte as it was sealed?), completeness (is anything missing?) and
authorship (was it sealed with the key that you were told of by another way than the pack?). It never judges the
figures. It follows no link, opens no name that a pack claims, and answers bad input without a traceback.

Exit codes: 0 all met, 1 something missed, 2 something unknown, 3 bad input.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import io
import json
import os
import re
import shlex
import stat
import sys
import textwrap
import urllib.parse
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MET, MISSED, UNKNOWN = "MET", "MISSED", "UNKNOWN"
QUESTIONS = ("integrity", "completeness", "authorship")
EXITS = {MET: 0, MISSED: 1, UNKNOWN: 2}
BAD_INPUT = 3
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
FORMATS = {"https://drdrill.dev/evidence-pack/v1": 1, "https://drdrill.dev/evidence-pack/v2": 2}  # by predicate type
JOURNAL, ENVELOPE, SUMS, KEY = "journal.jsonl", "pack.dsse.json", "SHA256SUMS", "public-key.pem"
NEVER_WITHHELD = {JOURNAL, ENVELOPE, SUMS, KEY, "findings.json", "VERIFY.md"}  # as a whole file
WITHHELD = ".withheld"  # after the name of a file, where its digest lies in its place
UNFINISHED = ".unfinished"
MAIN = "main"  # the stream of whatever names none
LINE_KEYS = ["v", "seq", "prev", "salt", "utc", "mono", "kind", "data"]
# What is read of a pack, at most. Packs have about a hundredth of it; a hostile one costs seconds and 200 MB.
LARGEST = {ENVELOPE: 1 << 23, SUMS: 1 << 23, KEY: 1 << 16, JOURNAL: 1 << 27}  # bytes
LARGEST_PACK = 1 << 30  # bytes of all sealed files together
LONGEST_LINE = 1 << 22  # bytes
MOST_LINES = 250_000  # of a journal
MOST_ENTRIES = 100_000  # files and folders
MOST_VALUES = 200_000  # in one line, and in the statement
LONGEST_NUMBER = 32  # digits
MOST_SIGNATURES = 100
LARGEST_TRUST = 1 << 20  # bytes
DEEPEST = 64  # brackets within brackets: more is refused before it can exhaust the stack
HIGHEST = 10**15 - 1  # number of a run
MANY_STREAMS = 1000
MANY = 20  # problems of one kind that are listed one by one
LIMITS = (
    "A signature proves who sealed which bytes, not that the figures are true; whoever holds the key can repeat a run "
    "and seal it again.",
    "Every time in a pack is what the machine that ran the drill said; a nonce of yours in the first line shows that "
    "the run began after you chose it, and not that it is the only run made with it.",
    "Packs removed from the newest end of a folder leave no trace in it, and of several runs one may be handed over: "
    "hold the folder against the receipts that you were sent at the beginning and the end of each run (--receipts).",
)


KEY_HELP = (
    "The key that you expect: a PEM file with the Ed25519 public key, or its fingerprint (64 hex digits), got by "
    "another way than the pack. Without it, who sealed the pack stays unknown."
)
TRUST_HELP = (
    "A JSON file that says whom you trust: a list of objects with name, role, and key (a PEM file with the public key, "
    "or its fingerprint), got by another way than the pack. The answer names the roles whose signature holds."
)
TRUST_FORM = (
    'the file is JSON: [{"name": "Ada Bell", "role": "auditor", "key": "ada.pem"}, ...]; key is a fingerprint of 64 '
    "hex digits, or a PEM file with the Ed25519 public key, seen from where the trust file lies"
)
NOT_JUDGED = (
    "The figures are not judged here: whether they follow from the records in the pack, `drdrill verify --judge PACK` "
    "says; it computes them again by the pack's own rules."
)
JSON_HELP = "Print the answers for a program."
BY_HAND_HELP = "After the answers, print the commands that reach them with openssl and sha256sum alone."
RECEIPTS_HELP = (
    "A file with the receipts that you were sent, mails and all: each run that they announce must have its end, and "
    "each end its pack."
)
KEY_FORMS = (
    "--key takes a file with the Ed25519 public key in PEM (it begins with -----BEGIN PUBLIC KEY-----), or the key's "
    "fingerprint: 64 hex digits. Get it from whoever ran the drill, by another way than the pack"
)


class BadInput(Exception):
    """What was given can be neither confirmed nor denied: it is no pack, or cannot be read; and what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: which question it bears on, its name, and what it is."""

    question: str
    name: str
    text: str
    outcome: str = MISSED


def worst(outcomes: list[str]) -> str:
    return MISSED if MISSED in outcomes else UNKNOWN if UNKNOWN in outcomes else MET


@dataclass(frozen=True)
class Trusted:
    """Somebody whose key you know, and what they are to you. The key itself where a file was named."""

    name: str
    role: str
    fingerprint: str
    key: Ed25519PublicKey | None

    def __str__(self) -> str:
        return f"{shown(self.name)} ({shown(self.role)})"


@dataclass(frozen=True)
class Signature:
    """A signature in the seal. `holds`: None where the key is not known here. `who`: whose key it is, if trusted."""

    keyid: str
    holds: bool | None
    who: Trusted | None = None


@dataclass
class Report:
    """The answers about one pack. `facts` are the pack's own words; trust them as far as the answers go."""

    path: Path
    format: int = 0  # of what was signed; 0: nothing that can be read
    envelope: str = ""  # SHA-256 of the file that holds the seal
    payload: str = ""  # SHA-256 of what was signed; empty where there is none
    key: str = ""
    signatures: list[Signature] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    declared: tuple[str, ...] = ()  # the streams that the plan of the run declares, where its first line says so
    redacted: list[int] = field(default_factory=list)  # line numbers, the first is 1
    withheld: list[str] = field(default_factory=list)  # files
    unread: set[str] = field(default_factory=set)  # folders in it that cannot be read, each with a slash at its end
    judged: tuple[str, str] | None = None  # outcome and words, where somebody has judged the figures again

    @property
    def name(self) -> str:
        """What the pack's own folder is called, also where the path is a dot."""
        return self.path.resolve().name

    @property
    def digest(self) -> str:
        """What stands for the whole pack. Of format 2 what was signed, so that signatures may be added later."""
        return self.called_by(self.format)

    def called_by(self, version: int) -> str:
        """The digest by which a run of this format calls this pack the one before it."""
        return self.payload if version > 1 else self.envelope

    def add(self, question: str, name: str, text: str, outcome: str = MISSED) -> None:
        self.problems.append(Problem(question, name, text, outcome))

    def answer(self, question: str) -> str:
        return worst([problem.outcome for problem in self.problems if problem.question == question])

    @property
    def outcome(self) -> str:
        asked = [self.answer(question) for question in QUESTIONS]
        return worst([*asked, self.judged[0]] if self.judged else asked)

    def names(self) -> set[str]:
        return {problem.name for problem in self.problems}


@dataclass
class FolderReport:
    """The answers about a folder of packs: one report each, and whether they follow one another without a gap."""

    path: Path
    packs: list[Report] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        return worst([pack.outcome for pack in self.packs] + [problem.outcome for problem in self.problems])

    def names(self) -> set[str]:
        return {problem.name for problem in self.problems}


# --- reading, without trust ---------------------------------------------------------------------------------------


def shown(text: object, *, most: int = 300) -> str:
    """The text, at most so many characters of it, with everything that could fool a terminal escaped."""
    text = str(text)[:most]
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)[:most]


def parsed(content: bytes) -> Any:
    """JSON, or ValueError for whatever is wrong with it: NaN, nesting, values or numbers without end.

    The bounds are looked at first, so that reading takes linear time and bounded memory whatever is in it.
    """

    def refuse(word: str) -> Any:
        raise ValueError(f"{word} is not JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("a key is written twice")
        return dict(pairs)

    def whole(digits: str) -> int:
        if len(digits) > LONGEST_NUMBER:
            raise ValueError(f"a number of {len(digits)} digits")
        return int(digits)

    if len(content) > DEEPEST:
        if sum(map(content.count, (b",", b"[", b"{"))) > MOST_VALUES:
            raise ValueError("too many values")
        check_depth(content)
    return json.loads(content.decode(), parse_constant=refuse, parse_int=whole, object_pairs_hook=once)


def check_depth(content: bytes) -> None:
    """ValueError where brackets are nested more than DEEPEST deep, or do not match; those in strings are left out."""
    unescaped = content.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = re.sub(rb'"[^"]*"?', b"", unescaped.translate(None, NO_BRACKETS)).replace(b"{", b"[").replace(b"}", b"]")
    for _ in range(DEEPEST):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise ValueError("nested too deeply, or its brackets do not match")


NO_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))


def written(value: Any, *, sort: bool = True) -> bytes:
    """JSON in its one accepted form: no spaces, UTF-8, keys sorted (or, in the journal, in their order)."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=sort).encode()


def from_base64(text: str) -> bytes:
    """Standard base64 with padding and nothing else, or ValueError."""
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        content = b""
    if not text or base64.b64encode(content).decode() != text:
        raise ValueError("not canonical base64")
    return content


def opened(path: Path) -> io.BufferedReader:
    """A regular file, not through a link and without waiting (a pipe would). Errors: `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "not a file")
    return os.fdopen(handle, "rb")


def content_of(path: Path) -> bytes:
    with opened(path) as source:
        content = source.read(LARGEST[path.name] + 1)
    if len(content) > LARGEST[path.name]:
        raise OSError(0, "too large")
    return content


def names_in(root: Path, report: Report) -> set[str]:
    """Every file in the pack by its relative path, and every empty folder with a slash at its end. Reads no file."""
    found: set[str] = set()
    folders, many = [root], 0
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(islice(listing, MOST_ENTRIES + 1), key=lambda entry: entry.name)
        except OSError as error:
            where = shown(folder.relative_to(root))
            report.add("integrity", "unreadable", f"the folder {where} cannot be read: {error.strerror}", UNKNOWN)
            report.unread.add(f"{folder.relative_to(root).as_posix()}/")
            continue
        many += len(entries)
        if many > MOST_ENTRIES:
            text = f"it holds more than {MOST_ENTRIES} files and folders; the others were not looked at"
            report.add("integrity", "too-many-files", text)
            return found
        if not entries:
            found.add(f"{folder.relative_to(root).as_posix()}/")
        for entry in entries:
            path = Path(entry.path)
            name = path.relative_to(root).as_posix()
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif entry.is_symlink():
                report.add("integrity", "symlink", f"{shown(name)} is a symbolic link; a pack holds none")
            elif not entry.is_file(follow_symlinks=False):
                report.add("integrity", "odd-file", f"{shown(name)} is neither a file nor a folder")
            else:
                found.add(name)
    return found


def digests_of(root: Path, names: Iterable[str], report: Report) -> dict[str, str]:
    """The digest of each of these files ("" where it cannot be read). Files that nobody sealed are not read.

    A file may have holes, so its size costs nothing to whoever made it: the sizes are looked at before reading.
    """
    found: dict[str, str] = {}
    left = LARGEST_PACK
    for name in names:
        found[name] = ""
        try:
            with opened(root / name) as source:
                left -= (size := os.fstat(source.fileno()).st_size)
                if left < 0:
                    left += size
                    raise OSError(
                        0, f"with its {size} bytes the pack is larger than the {LARGEST_PACK >> 30} GiB read here"
                    )
                found[name] = hashlib.file_digest(source, "sha256").hexdigest()
        except OSError as error:
            report.add("integrity", "unreadable", f"{shown(name)} cannot be read: {error.strerror}", UNKNOWN)
    return found


def key_from(pem: bytes) -> Ed25519PublicKey | None:
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None


def fingerprint(key: Ed25519PublicKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).hexdigest()


def expected_key(
    key: str | Path | None, root: Path, *, said: str = "--key", beside: Path = Path()
) -> tuple[str, Ed25519PublicKey | None]:
    """The fingerprint that the caller expects, and the key itself where a file was given. Errors: `BadInput`.

    `said`: where it was given. A file is looked for from the folder `beside`.
    """
    if key is None:
        return "", None
    digits = str(key).lower().removeprefix("sha256:").replace(":", "")
    if re.fullmatch("[0-9a-f]{64}", digits):
        return digits, None
    path = beside / key
    try:
        inside = path.resolve().is_relative_to(root.resolve())
        with path.open("rb") as source:
            content = source.read(LARGEST[KEY])
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "not a file"
        why = "no key was given" if not str(key).strip(".") else why
        if re.fullmatch("[0-9a-f]{16,}", digits):
            why = f"{len(digits)} hex digits; a fingerprint has 64"
        raise BadInput(f"{said} {shown(key)}: {why}", hint=KEY_FORMS) from None
    if inside:
        text = f"{said} {shown(key)}: this key lies in the evidence itself and proves nothing"
        raise BadInput(text, hint="get the key, or its fingerprint, from whoever ran the drill, by another way")
    found = key_from(content)
    if found is None and b"PRIVATE KEY-----" in content:
        text = f"{said} {shown(key)}: a private key; to verify, the public one is enough"
        command = f"openssl pkey -in {shown(shlex.quote(str(path)))} -pubout"
        raise BadInput(text, hint=f"`{command}` prints the public key: give that as a file")
    if found is None:
        raise BadInput(f"{said} {shown(key)}: this file holds no Ed25519 public key in PEM", hint=KEY_FORMS)
    return fingerprint(found), found


def read_trust(path: Path, root: Path) -> list[Trusted]:
    """Whom the caller trusts. It is JSON, which this file reads as strictly as a pack. Errors: `BadInput`."""

    def bad(why: str) -> BadInput:
        return BadInput(f"--trust {shown(path)}: {why}", hint=TRUST_FORM)

    try:
        with opened(Path(os.path.realpath(path))) as source:
            content = source.read(LARGEST_TRUST + 1)
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
        listed = parsed(content) if len(content) <= LARGEST_TRUST else None
    except OSError as error:
        raise bad(error.strerror or str(error)) from None
    except ValueError as error:
        raise bad(f"not JSON ({shown(error, most=100)})") from None
    if inside:
        raise bad("it lies in the evidence itself, where whoever made that can change it")
    if not isinstance(listed, list) or not listed:
        raise bad("it is no list of those whom you trust")
    found: dict[str, Trusted] = {}
    for place, each in enumerate(listed, start=1):
        if not isinstance(each, dict) or set(each) != {"name", "role", "key"}:
            raise bad(f"entry {place} is not an object with name, role and key, and nothing else")
        for word, text in each.items():
            if not isinstance(text, str) or not text.strip() or not text.isprintable() or len(text) > MOST_LETTERS:
                raise bad(f"entry {place}: its {word} is not a text of 1 to {MOST_LETTERS} letters")
        said = f"--trust {shown(path)}, entry {place}: key"
        digits, key = expected_key(each["key"], root, said=said, beside=Path(path).parent)
        if digits in found:
            raise bad(f"entry {place} has the key of {found[digits]}: nobody signs as two")
        found[digits] = Trusted(each["name"], each["role"], digits, key)
    return list(found.values())


MOST_LETTERS = 200  # of a name or a role


# --- the seal -----------------------------------------------------------------------------------------------------


def signed_by(key: Ed25519PublicKey, signature: bytes, payload: bytes) -> bool:
    """DSSE v1: the signature is over this encoding of type and payload, not over the payload alone."""
    encoded = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    try:
        key.verify(signature, encoded)
    except InvalidSignature:
        return False
    return True


def check_seal(
    root: Path, report: Report, wanted: str, given: Ed25519PublicKey | None, trust: Collection[Trusted]
) -> dict[str, Any]:
    """The statement in the envelope ({} where there is none), after its form, its signatures and their keys."""
    payload, signatures = read_envelope(root, report)
    lying: Ed25519PublicKey | None = None
    try:
        lying = key_from(content_of(root / KEY))
    except OSError as error:
        report.add("integrity", "no-key", f"{KEY} is missing or cannot be read: {error.strerror}")
    else:
        if lying is None:
            report.add("integrity", "no-key", f"{KEY} is not an Ed25519 public key")
    known = {fingerprint(key): key for key in (lying, given, *(each.key for each in trust)) if key}
    check_signatures(report, payload, signatures, known, {each.fingerprint: each for each in trust})
    statement = check_statement(payload, report) if payload is not None else {}
    if report.format == 1 and len(signatures) > 1:
        report.add("integrity", "envelope-form", "a pack of format 1 has one signature")
    if report.format > 1 and report.key and report.facts["keyid"] != report.key:
        report.add("integrity", "statement-differs", "the statement names another key than that of the first signature")
    if trust:
        check_trust(report)
    else:
        check_author(report, wanted, lying)
    return statement


def read_envelope(root: Path, report: Report) -> tuple[bytes | None, list[tuple[str, bytes]]]:
    """What was signed (None: nothing that can be read), and each signature, by the name of its key.

    No signatures where the envelope is in another form: what it says of one may be read in two ways.
    """
    try:
        content = content_of(root / ENVELOPE)
        report.envelope = hashlib.sha256(content).hexdigest()
        envelope = parsed(content)
        payload = from_base64(envelope["payload"])
        signatures = [(each["keyid"], from_base64(each["sig"])) for each in envelope["signatures"]]
        accepted = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": keyid, "sig": base64.b64encode(sig).decode()} for keyid, sig in signatures],
        }
        in_form = written(accepted) + b"\n" == content and in_order(signatures)
    except OSError as error:
        report.add("integrity", "no-seal", f"{ENVELOPE} is missing or cannot be read: {error.strerror}")
        return None, []
    except (ValueError, KeyError, TypeError) as error:
        report.add("integrity", "envelope-form", f"{ENVELOPE} is not a sealed envelope: {shown(error)}")
        return None, []
    report.payload = hashlib.sha256(payload).hexdigest()
    if not in_form:
        report.add("integrity", "envelope-form", f"{ENVELOPE} is not in its one accepted form")
    return payload, signatures if in_form else []


def in_order(signatures: list[tuple[str, bytes]]) -> bool:
    """Whether that of the seal is first and those added later follow in order of their keys, each key once."""
    keyids = [keyid for keyid, _ in signatures]
    return (
        0 < len(keyids) <= MOST_SIGNATURES
        and all(is_digest(keyid) for keyid in keyids)
        and all(len(sig) == 64 for _, sig in signatures)
        and keyids[1:] == sorted(set(keyids[1:]) - {keyids[0]})
    )


def check_signatures(
    report: Report,
    payload: bytes | None,
    signatures: list[tuple[str, bytes]],
    known: dict[str, Ed25519PublicKey],
    trusted: dict[str, Trusted],
) -> None:
    """Each by the key that it names, where that is known here. The first is that of the seal, and must hold."""
    if payload is None:
        return
    for keyid, sig in signatures:
        holds = signed_by(known[keyid], sig, payload) if keyid in known else None
        first = not report.signatures
        report.signatures.append(Signature(keyid, holds, trusted.get(keyid)))
        if first and holds:
            report.key = keyid
        elif first and any(signed_by(key, sig, payload) for key in known.values()):
            report.add("integrity", "envelope-form", f"{ENVELOPE} names another key than the one that signed")
        elif first:
            report.add("integrity", "bad-signature", f"the signature in {ENVELOPE} does not fit its content and key")
        elif holds is False:
            report.add("integrity", "bad-signature", f"the signature of the key {keyid} does not fit what it is over")
        elif holds is None and keyid not in trusted:
            report.notes.append(f"it has a signature of the key {keyid}, which is not known here: it was not checked")


def check_author(report: Report, wanted: str, lying: Ed25519PublicKey | None) -> None:
    """Is the key that sealed the one that was expected? `lying`: the one in the pack, of which nothing is known."""
    if not wanted:
        report.add(
            "authorship",
            "no-key-given",
            f"give --key with what you got by another way than the pack. The key in the pack has the fingerprint "
            f"{report.key or (fingerprint(lying) if lying else 'unknown')}",
            UNKNOWN,
        )
    elif not report.key:
        report.add("authorship", "bad-signature", "nothing shows that the expected key has signed this")
    elif report.key != wanted:
        report.add("authorship", "other-key", f"it was sealed with the key {report.key}, not with {wanted}")


def check_trust(report: Report) -> None:
    """Did somebody whom the caller trusts seal it? And can each signature of somebody trusted be checked?"""
    if not report.key:
        report.add("authorship", "bad-signature", "nothing shows that anybody whom you trust has sealed this")
        return
    others = [f"it is signed by {each.who}" for each in report.signatures[1:] if each.holds and each.who]
    if report.signatures[0].who is None:
        text = f"it was sealed with the key {report.key}, which is none of those that you trust"
        outcome = UNKNOWN if others else MISSED
        report.add("authorship", "other-key", "; ".join([text, *others]), outcome)
    for each in report.signatures[1:]:
        if each.who and each.holds is None:
            text = f"the signature of {each.who} cannot be checked by a fingerprint: name the public key as a PEM file"
            report.add("authorship", "signature-not-checked", text, UNKNOWN)
        elif each.who and not each.holds:
            report.add("authorship", "bad-signature", f"nothing shows that {each.who} has signed this")


def check_statement(payload: bytes, report: Report) -> dict[str, Any]:
    """The in-toto statement, its form checked; {} where it cannot be used."""
    try:
        statement = parsed(payload)
        if written(statement) != payload:
            report.add("integrity", "statement-form", "the signed statement is not in its one accepted form")
        if statement["_type"] != STATEMENT_TYPE:
            kind = shown(statement["_type"])
            report.add(
                "integrity", "unknown-statement", f"unknown statement type {kind}: get a newer verifier", UNKNOWN
            )
            return {}
        version = FORMATS.get(named(statement["predicateType"]), 0)
        if not version:
            kind = shown(statement["predicateType"])
            report.add("integrity", "unknown-predicate", f"unknown pack version {kind}: get a newer verifier", UNKNOWN)
            return {}
        predicate, journal = statement["predicate"], statement["predicate"]["journal"]
        sound = (
            set(statement) == {"_type", "predicate", "predicateType", "subject"}
            and all(
                set(each) == {"name", "digest"} and set(each["digest"]) == {"sha256"} for each in statement["subject"]
            )
            and all(is_digest(each["digest"]["sha256"]) for each in statement["subject"])
            and set(predicate) >= SAID
            and type(predicate["number"]) is int
            and 0 < predicate["number"] <= HIGHEST
            and isinstance(predicate["run"], str)
            and (predicate["previousPack"] == "none" or is_digest(predicate["previousPack"]))
            and isinstance(predicate["unhealedFaults"], list)
            and all(isinstance(each, str) for each in predicate["unhealedFaults"])
            and type(journal["lines"]) is int
            and is_digest(journal["head"])
            and is_digest(journal["linesSha256"])
            and (version == 1 or is_said_by_2(predicate))
        )
        names = [each["name"] for each in statement["subject"]]
        if not sound or not all(is_safe(name) for name in names) or names != sorted(set(names), key=str.encode):
            raise ValueError("fields are missing or wrong")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        report.add("integrity", "statement-form", f"the signed statement cannot be read: {shown(error)}")
        return {}
    report.facts, report.format = predicate, version
    return dict(statement)


def is_said_by_2(predicate: dict[str, Any]) -> bool:
    """Whether it has what format 2 added, each of its type. The kinds of the lines are as many as the lines."""
    kinds, ratio = predicate["journal"]["kinds"], predicate["clockCompression"]
    return (
        is_digest(predicate["keyid"])
        and isinstance(predicate["stream"], str)
        and isinstance(predicate["rehearsal"], bool)
        and isinstance(predicate["harness"], dict)
        and isinstance(predicate["project"], dict)
        and isinstance(ratio, (int, float))
        and not isinstance(ratio, bool)
        and ratio > 0
        and all(re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", kind) for kind in kinds)
        and all(type(many) is int and many > 0 for many in kinds.values())
        and sum(kinds.values()) == predicate["journal"]["lines"]
    )


def is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def is_safe(name: object) -> bool:
    """A relative path that stays inside the pack and reads the same everywhere."""
    return (
        isinstance(name, str) and name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(name.split("/"))
    )


def check_files(root: Path, report: Report, statement: dict[str, Any]) -> dict[str, str]:
    """Every file against the signed list, and SHA256SUMS against its one accepted form. The digests of the files.

    Without a list that was signed, SHA256SUMS says which files there are to be.
    """
    signed = {each["name"]: each["digest"]["sha256"] for each in statement.get("subject", ())}
    try:
        sums = content_of(root / SUMS)
    except OSError as error:
        report.add("integrity", "no-sums", f"{SUMS} is missing or cannot be read: {error.strerror}")
        sums = b""
    listed = {
        name: digest for digest, name in re.findall("^([0-9a-f]{64})  (.+)$", sums.decode(errors="replace"), re.M)
    }
    order = sorted(listed, key=str.encode)
    if sums and "".join(f"{listed[name]}  {name}\n" for name in order).encode() != sums:
        report.add("integrity", "sums-form", f"{SUMS} is not in its one accepted form")
    if signed and sums and listed != {name: digest for name, digest in signed.items() if name != SUMS}:
        report.add("integrity", "sums-differ", f"{SUMS} does not list what was signed")
    truth = signed or listed
    beside = {ENVELOPE} if signed else {ENVELOPE, SUMS}
    there = names_in(root, report)
    withheld = withheld_in(root, there, truth)
    there = there - {f"{name}{WITHHELD}" for name in withheld} | withheld.keys()
    to_read = sorted(there & truth.keys() - withheld.keys())
    found = dict.fromkeys(there, "") | digests_of(root, to_read, report) | withheld
    sealed_folders = {folder for name in truth for folder in folders_of(name)}
    for name in sorted(truth.keys() | there - beside, key=lambda name: name.encode(errors="replace")):
        if not report.unread.isdisjoint(folders_of(name)):
            continue  # nobody can say
        if name not in there:
            report.add("integrity", "file-removed", f"{shown(name)} was sealed and is not there")
        elif name.endswith("/"):
            if name not in sealed_folders:  # else its files were removed, which is said already
                report.add("integrity", "folder-added", f"the empty folder {shown(name)} was not sealed")
        elif name not in truth:
            report.add("integrity", "file-added", f"{shown(name)} was not sealed")
        elif found[name] and found[name] != truth[name]:
            report.problems.append(changed(name))
    if removed := sum(problem.name == "file-removed" for problem in report.problems):
        report.add("completeness", "files-missing", f"{removed} of the sealed files are not there")
    report.withheld = sorted(withheld)
    if withheld:
        many = counted(len(withheld), "file")
        which = ", ".join(shown(name) for name in report.withheld[:MANY]) + (", …" if len(withheld) > MANY else "")
        text = f"{many} withheld, and nothing shows what was in there: {which}"
        report.add("completeness", "files-withheld", text, UNKNOWN)
    return found


def withheld_in(root: Path, there: set[str], truth: dict[str, str]) -> dict[str, str]:
    """The sealed files in whose place their digest lies, with that digest. What says another one is no such thing."""
    found = {}
    for name in truth.keys() - there - NEVER_WITHHELD:
        stub = f"{name}{WITHHELD}"
        if stub not in there or stub in truth:
            continue
        said = b'{"v":2,"withheld":"%s"}\n' % truth[name].encode()
        try:
            with opened(root / stub) as source:
                if source.read(len(said) + 1) == said:
                    found[name] = truth[name]
        except OSError:
            continue  # nobody sealed it: it is told as a file that was added
    return found


def folders_of(name: str) -> set[str]:
    """Every folder that it lies in, each with a slash at its end."""
    return {name[: at + 1] for at, letter in enumerate(name) if letter == "/"}


def changed(name: str) -> Problem:
    return Problem("integrity", "file-changed", f"{shown(name)} is not as it was sealed")


# --- the journal --------------------------------------------------------------------------------------------------


class Story:
    """What the journal tells that completeness hangs on; filled line by line."""

    def __init__(self) -> None:
        self.format = 0  # of the first line
        self.shown: Counter[str] = Counter()  # kinds of the lines that are not withheld
        self.kinds: tuple[str, str] = ("", "")  # of the first and the last line
        self.first: dict[str, Any] = {}
        self.also: dict[str, Any] = {}  # what else the first line says that the seal repeats, as the seal calls it
        self.declared: tuple[str, ...] = ()  # streams of the plan
        self.utc: tuple[str, str] = ("", "")  # stamps of the first and the last line
        self.announced: Counter[str] | None = None  # scenarios, as often as the first line says; None: it does not
        self.outcome: object = None  # that the last line says
        self.hurt: dict[str, int] = {}  # fault: how many of its injections are not healed; none is left out
        self.left: dict[str, str] = {}  # fault: what the journal says that became of one that was not healed
        self.begun: Counter[str] = Counter()  # scenarios
        self.ended: Counter[str] = Counter()
        self.digests: list[tuple[int, str, object]] = []  # line, file, digest
        self.torn: list[int] = []

    def tell(self, number: int, version: int, kind: str, data: dict[str, Any], utc: str = "") -> None:
        if number == 1:
            self.format = version
            self.kinds = (kind, "")
            self.first = {name: data.get(name) for name in REPEATED}
            self.utc = (utc, "")
            digests = data["digests"] if isinstance(data.get("digests"), dict) else {}
            self.first |= {"plan": digests.get("plan"), "features": digests.get("features")}
            self.also = {theirs: data[ours] for ours, theirs in ALSO[version].items() if ours in data}
            if version > 1 and isinstance(data.get("clock"), dict) and "compression" in data["clock"]:
                self.also["clockCompression"] = data["clock"]["compression"]
            if isinstance(data.get("streams"), list):
                self.declared = tuple(named(name) for name in data["streams"][:MANY_STREAMS])
            if isinstance(data.get("scenarios"), list):
                self.announced = Counter(named(name) for name in data["scenarios"])
        self.kinds, self.outcome = (self.kinds[0], kind), data.get("outcome")
        if utc:
            self.shown[named(kind)] += 1
        self.utc = (self.utc[0], utc)
        name = named(data.get("fault" if kind.startswith("fault.") else "scenario"))
        if kind == "fault.intent":
            self.hurt[name] = self.hurt.get(name, 0) + 1
        elif kind == "fault.healed" and data.get("ok") is True and name in self.hurt:
            self.hurt[name] -= 1
            self.hurt = {fault: left for fault, left in self.hurt.items() if left}
        elif kind == "fault.healed" and data.get("ok") is False:
            self.left[name] = named(data.get("how"))
        elif kind == "scenario.begin":
            self.begun[name] += 1
        elif kind == "scenario.end":
            self.ended[name] += 1
        elif kind in ("ledger", "rows", "answers"):
            self.digests.append((number, named(data.get("file")), named(data.get("sha256"))))
        elif kind == "torn":
            self.torn.append(number)


SAID = {"run", "number", "previousPack", "drill", "scenarios", "stack", "environmentClass", "operatorAsClaimed",
        "nonce", "rules", "sabotage", "startedOn", "endedOn", "sealedOn", "outcome", "verdict", "unhealedFaults",
        "journal", "keyid"}  # what a seal says at least  # fmt: skip  # a list
REPEATED = {"run": "run", "number": "number", "previous": "previousPack", "nonce": "nonce"}  # first line: in the seal
ALSO_1 = {"environment": "environmentClass", "stack": "stack", "rules": "rules", "operator": "operatorAsClaimed",
          "sabotage": "sabotage"}  # the same, where the first line says it  # fmt: skip  # a table
ALSO_2 = {name: name for name in ("stream", "rehearsal", "harness", "project")}
ALSO = {1: ALSO_1, 2: ALSO_1 | ALSO_2}  # by the format of the first line


def named(value: object) -> str:
    """What the journal calls something, no longer than the name of a file can be."""
    return (value if isinstance(value, str) else str(value))[:4096]


class Chain:
    """The journal's lines, each checked against the one before."""

    def __init__(self) -> None:
        self.story = Story()
        self.problems: list[tuple[str, str]] = []
        self.redacted: list[int] = []
        self.number = 0
        self.format = 1  # of the line before; a journal may go on in a newer one, never in an older one
        self.head = "0" * 64
        self.listed = hashlib.sha256()

    def add(self, raw: bytes) -> None:
        """One more line, with its newline."""
        self.number += 1
        where = f"line {self.number} of {JOURNAL}"
        line = raw.removesuffix(b"\n")
        before, self.head = self.head, hashlib.sha256(line).hexdigest()
        fields, why = fields_of(line) if raw.endswith(b"\n") else ({}, "is torn: it has no end")
        if len(raw) == LONGEST_LINE:
            fields, why = {}, "is too long to be a fact"
        before_it, self.format = self.format, fields.get("v", self.format)
        if why or self.format < before_it:
            self.problems.append(("journal-line", f"{where} {why or f'goes back to format {self.format}'}"))
        elif fields["seq"] != self.number - 1:
            text = f"{where} has the number {shown(fields['seq'])} in place of {self.number - 1}"
            self.problems.append(("sequence-gap", text))
        if "redacted" in fields:
            self.redacted.append(self.number)
            self.head = fields["redacted"]
            self.story.tell(self.number, self.format, "redacted", {})
        elif fields:
            if fields["prev"] != before:
                self.problems.append(("chain-broken", f"the chain is broken at {where}"))
            self.story.tell(self.number, self.format, fields["kind"], fields["data"], fields["utc"])
        self.listed.update(self.head.encode() + b"\n")

    def end(self, signed: dict[str, Any]) -> None:
        """Compare with what was signed. The list of digests also binds the lines before a redacted one."""
        if self.number != signed["lines"]:
            many = "more lines" if self.number > signed["lines"] else counted(self.number, "line")
            self.problems.append(("journal-length", f"{JOURNAL} has {many}; {signed['lines']} were sealed"))
        if self.head != signed["head"]:
            self.problems.append(("journal-head", f"the last line of {JOURNAL} is not the one that was sealed"))
        if self.listed.hexdigest() != signed["linesSha256"]:
            self.problems.append(("journal-lines", f"the lines of {JOURNAL} are not those that were sealed"))


def check_journal(root: Path, report: Report, statement: dict[str, Any]) -> Story | None:
    """The chain, from the first line to the signed head. None where it was not read to its end.

    One line more than were sealed is read, and no more once MANY problems are found: the answer is clear then.
    """
    chain = Chain()
    most = min(MOST_LINES, report.facts["journal"]["lines"] + 1) if statement else MOST_LINES
    rest = b""
    try:
        with opened(root / JOURNAL) as source:
            if os.fstat(source.fileno()).st_size > LARGEST[JOURNAL]:
                raise OSError(0, f"it is larger than {LARGEST[JOURNAL] >> 20} MiB")
            while chain.number < most and len(chain.problems) <= MANY and (line := source.readline(LONGEST_LINE)):
                chain.add(line)
            rest = source.read(1)
    except OSError as error:
        report.add("integrity", "no-journal", f"{JOURNAL} is missing or cannot be read: {error.strerror}")
        report.add("completeness", "no-journal", "without the journal nothing shows what the run did")
        return None
    if not chain.number:
        report.add("integrity", "journal-line", f"{JOURNAL} is empty")
    if statement and not rest:
        chain.end(report.facts["journal"])
    for name, text in chain.problems[:MANY]:
        report.add("integrity", name, text)
    if len(chain.problems) > MANY:
        more = counted(len(chain.problems) - MANY, "more problem")
        report.add("integrity", chain.problems[MANY][0], f"{more} in {JOURNAL}")
    if rest:
        text = f"{JOURNAL} was read as far as line {chain.number}, and goes on"
        report.add("integrity", "journal-length", text)
        report.add("completeness", "journal-length", text, UNKNOWN)
        return None
    report.redacted = chain.redacted
    if chain.redacted and statement and not chain.problems:
        # the signed list of the lines' digests stands in for the digest of the file
        report.problems = [problem for problem in report.problems if problem != changed(JOURNAL)]
    return chain.story


def fields_of(line: bytes) -> tuple[dict[str, Any], str]:
    """A line's fields, and what is wrong with it ("" where nothing is)."""
    try:
        fields = parsed(line)
        if not isinstance(fields, dict) or written(fields, sort=False) != line:
            return {}, "is not in its one accepted form"
    except ValueError:
        return {}, "is not JSON in its one accepted form"
    if type(fields.get("v")) is not int or fields["v"] not in (1, 2):
        return {}, f"has an unknown format version {shown(fields.get('v'))}"
    if list(fields) == ["v", "seq", "redacted"] and type(fields["seq"]) is int and is_digest(fields["redacted"]):
        return fields, ""
    sound = (
        list(fields) == LINE_KEYS
        and type(fields["seq"]) is int
        and is_digest(fields["prev"])
        and all(isinstance(fields[key], str) for key in ("salt", "utc", "kind"))
        and re.fullmatch("[0-9a-f]{32}", fields["salt"]) is not None
        and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", fields["utc"], re.ASCII) is not None
        and type(fields["mono"]) is int
        and isinstance(fields["data"], dict)
    )
    return (fields, "") if sound else ({}, "has not the fields of a fact")


def check_story(report: Report, story: Story, found: dict[str, str]) -> None:
    """Does the journal tell a run from its first line to its last, and does it fit the files and the seal?"""
    check_shown(report, story)
    check_against_seal(report, story)
    for number, name, digest in story.digests:
        if name not in found:
            report.add("completeness", "file-not-there", f"line {number} speaks of {shown(name)}, which is not there")
        elif found[name] and found[name] != digest:
            report.add("integrity", "digest-differs", f"{shown(name)} is not what line {number} of the journal says")
    plan = story.first.get("plan")
    if is_digest(plan) and found.get("plan.yaml", plan) not in ("", plan):
        report.add("integrity", "digest-differs", "plan.yaml is not the plan that the journal's first line names")
    features = story.first.get("features")
    if is_digest(features) and features != digest_of_features(found):
        report.add("integrity", "digest-differs", "features/ is not what the journal's first line names")
    if story.torn:
        report.notes.append(f"the run was killed in the middle of a line: see line {ranges(story.torn)}")
    if story.kinds[1] != "run.end":
        return
    if story.outcome in ("stopped", "killed", "aborted"):
        report.notes.append(f"the run was {story.outcome} before its end; what it had shown until then stands")
    elif story.outcome == "completed":
        check_completed(report, story, found)
    else:
        text = f"the last line gives the outcome {shown(story.outcome)}, which this verifier does not know"
        report.add("completeness", "unknown-outcome", text, UNKNOWN)


def check_shown(report: Report, story: Story) -> None:
    """Are all lines there to be read, and do they begin and end as a run does?"""
    if report.redacted:
        many = counted(len(report.redacted), "line")
        are = "is" if len(report.redacted) == 1 else "are"
        where = ("line " if len(report.redacted) == 1 else "lines ") + ranges(report.redacted)
        text = f"{many} of {JOURNAL} {are} withheld, and nothing shows what was said there: {where}"
        if kinds := Counter(report.facts.get("journal", {}).get("kinds", {})) - story.shown:
            listed = [f"{times} {shown(kind)}" for kind, times in sorted(kinds.items())]
            text += f"; by the seal {', '.join(listed[:MANY])}{', …' if len(listed) > MANY else ''}"
        report.add("completeness", "lines-redacted", text, UNKNOWN)
    for place, kind, want in (("first", story.kinds[0], "run.begin"), ("last", story.kinds[1], "run.end")):
        if kind == "redacted":
            report.add("completeness", "line-redacted", f"the {place} line is withheld: {want} is not shown", UNKNOWN)
        elif kind != want:
            report.add("completeness", f"no-{want.replace('.', '-')}", f"the {place} line of the journal is not {want}")


def ranges(numbers: list[int]) -> str:
    """1, 2, 3, 7 as `1 to 3, 7`; of very many ranges the first ones."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    words = [str(first) if first == last else f"{first} to {last}" for first, last in found[:MANY]]
    return ", ".join(words) + (f", and {len(found) - MANY} more places" if len(found) > MANY else "")


def digest_of_features(found: dict[str, str]) -> str:
    """SHA-256 over a line for each file below features/, in order of its path there: digest, two spaces, path."""
    inside = sorted((name.removeprefix("features/"), found[name]) for name in found if name.startswith("features/"))
    return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in inside).encode()).hexdigest()


def check_against_seal(report: Report, story: Story) -> None:
    """The signed statement repeats some of the journal; where a line is redacted, the statement speaks for it."""
    unhealed = set(story.hurt)
    if report.facts:
        differ = [] if story.format in (0, report.format) else ["format"]
        if report.format > 1:
            signed_kinds = Counter(report.facts["journal"]["kinds"])
            more = story.shown - signed_kinds if report.redacted else story.shown != signed_kinds
            differ += ["kinds of lines"] if more else []
        if story.kinds[0] == "run.begin":
            pairs = ((ours, story.first[ours], report.facts.get(theirs)) for ours, theirs in REPEATED.items())
            differ += [name for name, ours, theirs in pairs if written(ours) != written(theirs)]
            also = ((name, value, report.facts.get(name)) for name, value in story.also.items())
            differ += [name for name, ours, theirs in also if written(ours) != written(theirs)]
            differ += ["began"] if story.utc[0] != report.facts.get("startedOn") else []
        if story.kinds[1] == "run.end":
            differ += ["ended"] if story.utc[1] != report.facts.get("endedOn") else []
            differ += ["outcome"] if written(story.outcome) != written(report.facts.get("outcome")) else []
        signed = set(report.facts["unhealedFaults"])
        if report.redacted:
            unhealed = signed
        elif unhealed != signed:
            differ.append("faults that were not healed")
        if differ:
            report.add("integrity", "statement-differs", f"seal and journal differ in: {', '.join(differ)}")
    for fault in sorted(unhealed):
        told = f": the journal says that it was {shown(story.left[fault])}" if fault in story.left else ""
        said = f"the fault {shown(fault)} was injected and is not shown healed{told}"
        report.add("completeness", "unhealed-fault", said)


def check_completed(report: Report, story: Story, found: dict[str, str]) -> None:
    """A run that says that it was completed has left nothing out: each scenario counts, as often as it is named."""

    def add(name: str, many: Counter[str], text: str, outcome: str = MISSED) -> None:
        for scenario, times in sorted(many.items()):
            again = "" if times == 1 else f" ({times} times)"
            report.add("completeness", name, f"the scenario {shown(scenario)} {text}{again}", outcome)

    announced = story.announced
    if announced is None and story.kinds[0] == "run.begin":
        text = "the first line does not say which scenarios were to run"
        report.add("completeness", "nothing-announced", text, UNKNOWN)
    if announced is not None:
        more = "has begun more often than it was announced"
        add("scenario-unannounced", story.begun - announced, more, UNKNOWN)
    if report.redacted:
        return  # what is not shown may be in the lines that are withheld
    add("scenario-missing", (announced or Counter()) - story.begun, "was announced and not begun")
    add("scenario-open", story.begun - story.ended, "has no end")
    add("scenario-not-begun", story.ended - story.begun, "has an end and no beginning", UNKNOWN)
    told = {name for _, name, _ in story.digests}
    for name in sorted(found):
        if re.fullmatch(r"scenarios/.+/(?:ledger|rows|answers)-[^/]*\.jsonl", name) and name not in told:
            report.add("completeness", "not-digested", f"the journal does not speak of {shown(name)}")


# --- packs and folders --------------------------------------------------------------------------------------------


def verify_pack(path: Path, *, key: str | Path | None = None, trust: Collection[Trusted] = ()) -> Report:
    """Answer the three questions about one pack. `key`: a PEM file or a fingerprint from elsewhere; or `trust`.

    Errors: `BadInput` when `path` is not a pack at all, or `key` is not a key.
    """
    root = Path(path)
    if not is_pack(root):
        text = f"{shown(path)} is not an evidence pack: it holds no {ENVELOPE}, no {SUMS} and no {JOURNAL}"
        raise BadInput(text, hint=NAME_A_PACK)
    wanted, given = expected_key(key, root)
    report = Report(root)
    statement = check_seal(root, report, wanted, given, trust)
    found = check_files(root, report, statement)
    story = check_journal(root, report, statement)
    if story:
        report.declared = story.declared
        check_story(report, story, found)
    check_name(report, str(report.facts.get("run") or (story.first.get("run") if story else None) or ""))
    return report


def check_name(report: Report, run: str) -> None:
    """A folder's name is not sealed and bears on no answer; whoever goes by it should know that it is another."""
    if report.name.endswith(UNFINISHED):
        report.add("completeness", "unfinished", "the folder is named as unfinished: sealing did not come to its end")
    elif run and report.name != run:
        report.notes.append(
            f"renamed: this folder is called {shown(report.name)} and holds the run {shown(run)}. What a folder is "
            f"called is not sealed, and changes no answer; the run is what its journal and seal say"
        )


NAME_A_PACK = "name a sealed pack, or the folder that holds the packs; unpack it first where it came as one file"


def is_pack(root: Path) -> bool:
    """Errors: `BadInput` when it cannot be looked at."""
    try:
        if not root.is_dir():
            what = "not a folder" if os.path.lexists(root) else "no such folder"
            raise BadInput(f"{shown(root)}: {what}", hint=NAME_A_PACK)
        next(root.iterdir(), None)
        return any(os.path.lexists(root / name) for name in (ENVELOPE, SUMS, JOURNAL))
    except (OSError, ValueError) as error:
        text = f"{shown(root)} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise BadInput(text, hint="verify it as somebody who may read it, or copy it to where you may") from None


def verify_folder(
    path: Path, *, key: str | Path | None = None, trust: Collection[Trusted] = (), may_be_empty: bool = False
) -> FolderReport:
    """Every pack in a folder, and whether the runs follow one another: gaps, branches, replaced packs, duplicates.

    Errors: `BadInput` when there is no pack in it (unless it may be empty), or `key` is not a key.
    """
    root = Path(path)
    is_pack(root)
    expected_key(key, root)
    answer = FolderReport(root)
    for entry in sorted(root.iterdir()):
        try:
            if entry.is_symlink() or not entry.is_dir():
                if entry.name == RECEIPTS:
                    answer.notes.append(RECEIPTS_LIE)
                elif not entry.name.startswith("."):
                    answer.notes.append(f"{shown(entry.name)} is not a pack and was not looked at")
            elif entry.name.endswith(UNFINISHED):
                text = f"{shown(entry.name)}: a run that is going on or was killed, and is not sealed"
                answer.problems.append(Problem("completeness", "unfinished", text, UNKNOWN))
            elif is_pack(entry):
                answer.packs.append(verify_pack(entry, key=key, trust=trust))
            else:
                answer.notes.append(f"{shown(entry.name)} is not a pack and was not looked at")
        except (BadInput, OSError) as error:
            text = f"{shown(entry.name)} cannot be looked at: {shown(error)}"
            answer.problems.append(Problem("integrity", "unreadable", text, UNKNOWN))
    if not answer.packs and not answer.problems and not may_be_empty:
        raise BadInput(f"{shown(path)} holds no evidence pack", hint=NAME_A_PACK)
    answer.packs.sort(key=lambda pack: (stream_of(pack), pack.facts.get("number", 0), pack.name))
    check_succession(answer)
    check_streams(answer)
    return answer


NOT_SEALED = Problem("completeness", "unfinished", "not sealed: its run goes on or was killed", UNKNOWN)


def unsealed(path: Path) -> FolderReport:
    """The answer about the folder of a run that nobody has sealed yet: none."""
    return FolderReport(Path(path), problems=[NOT_SEALED])


def stream_of(pack: Report) -> str:
    """The series of runs that it says it is of."""
    stream = pack.facts.get("stream")
    return stream if isinstance(stream, str) else MAIN


def within(stream: str) -> str:
    """What stands behind a number: nothing in the stream that there has always been."""
    return "" if stream == MAIN else f" of the stream {shown(stream)}"


def check_succession(answer: FolderReport) -> None:
    """Of each stream the numbers without a gap, and each pack naming the digest of the one before.

    Only what a signature fits has a place in the series: anybody can write any number into a folder. A copy of a pack
    that was spoiled there speaks for nothing either.
    """
    packs = [pack for pack in answer.packs if is_placed(pack)]
    for stream in sorted({stream_of(pack) for pack in packs}):
        check_stream(answer, stream, [pack for pack in packs if stream_of(pack) == stream])
    keys = {pack.key for pack in packs}
    if len(keys) > 1:
        answer.notes.append(f"sealed with {len(keys)} keys: {', '.join(sorted(keys))}")


def check_stream(answer: FolderReport, stream: str, packs: list[Report]) -> None:
    """The same of the packs of one stream."""
    of = within(stream)

    def add(name: str, text: str) -> None:
        answer.problems.append(Problem("completeness", name, text))

    by_number: dict[int, list[Report]] = {}
    by_previous: dict[str, list[Report]] = {}
    signed = {pack.envelope: pack.payload for pack in packs}  # what a run of format 1 calls a pack, and one of 2
    for pack in packs:
        by_number.setdefault(pack.facts["number"], []).append(pack)
        before = pack.facts["previousPack"]
        by_previous.setdefault(signed.get(before, before) if pack.format == 1 else before, []).append(pack)
    for number, same in sorted(by_number.items()):
        if len(same) > 1:
            add("duplicate", f"number {number}{of} is there more than once: {names(same)}")
    for previous, same in sorted(by_previous.items()):
        if len({pack.digest for pack in same}) > 1:
            add("branch", f"these name the same pack before them ({previous[:16]}): {names(same)}")
    expected = 1
    for number in sorted(by_number):
        if number > expected:
            gone = str(expected) if number == expected + 1 else f"{expected} to {number - 1}"
            add("gap", f"run {gone}{of} is not here: it was removed, or never sealed")
        expected = number + 1
        earlier = by_number.get(number - 1, [])
        for pack in by_number[number]:
            previous = pack.facts["previousPack"]
            if earlier and previous not in {each.called_by(pack.format) for each in earlier}:
                add("replaced", f"{names(earlier)} is not the pack that {names([pack])} names as the one before it")
            elif number == 1 and previous != "none":
                add("replaced", f"{names([pack])} has number 1{of}, yet names a pack before it")


def check_streams(answer: FolderReport) -> None:
    """Say of each stream that the newest pack's plan declares whether it is empty, and which packs are of none."""
    packs = [pack for pack in answer.packs if is_placed(pack) and pack.declared]
    if not packs:
        return
    latest = max(packs, key=lambda pack: str(pack.facts.get("startedOn")))
    there = {stream_of(pack) for pack in answer.packs if is_placed(pack)}
    for stream in latest.declared:
        if stream not in there:
            answer.notes.append(f"the stream {shown(stream)} is declared in the plan and has no pack here")
    for stream in sorted(there - set(latest.declared)):
        those = names([pack for pack in answer.packs if is_placed(pack) and stream_of(pack) == stream])
        answer.notes.append(f"the stream {shown(stream)} is not declared in the plan of {latest.name}: {those}")


def is_placed(pack: Report) -> bool:
    """Whether a signature, by whichever key, says which number it has."""
    return bool(pack.key and pack.facts)


# --- receipts: what was told while the runs went on ---------------------------------------------------------------

RECEIPT = "drdrill-receipt"
RECEIPTS = "receipts.txt"  # beside the packs
RECEIPTS_LIE = (
    f"{RECEIPTS} lies beside the packs, where whoever can change them can change it: hold the folder against the "
    f"receipts that you were sent (--receipts FILE)"
)
LARGEST_MAILS = 1 << 26  # bytes
LONGEST_NONCE = 64  # letters that are written out
# All white space is taken out before, so that it does not matter where a mail was wrapped.
RECEIPT_FORM = re.compile(
    rf"{RECEIPT}(?:(?P<v1>1)|(?P<v2>2))(?P<what>begin|end)(?(v2)stream:(?P<stream>[a-z0-9-]{{1,40}}?)|)"
    rf"number:(?P<number>[1-9]\d{{0,14}})"
    rf"(?:nonce:(?P<nonce>[\w.~%-]{{0,80}}?)first:(?P<first>[0-9a-f]{{64}})|payload:(?P<payload>[0-9a-f]{{64}}))"
    rf"check:(?P<check>[0-9a-f]{{8}})"
    rf"|{RECEIPT}(?P<version>\d{{1,9}})",
    re.ASCII,
)


@dataclass(frozen=True)
class Receipt:
    """What was told of a run: at its start nonce and digest of the first line; at its end that of what was signed."""

    number: int
    nonce: str = ""
    first: str = ""  # SHA-256 of the journal's first line, without its newline
    payload: str = ""  # SHA-256 of the signed statement; empty in the receipt of a start
    stream: str = MAIN

    @property
    def line(self) -> str:
        """The receipt in its one form, without a newline."""
        return self.written(f"2 {self._what} stream:{self.stream} number:{self.number}")

    @property
    def run(self) -> tuple[str, int]:
        """Which run it is of: stream and number."""
        return self.stream, self.number

    @property
    def old_line(self) -> str:
        """The same as version 1 had it, which knew one stream."""
        return self.written(f"1 {self._what} number:{self.number}")

    @property
    def _what(self) -> str:
        return "end" if self.payload else "begin"

    def written(self, head: str) -> str:
        """`head` and what it says, with the check at its end."""
        told = f"payload:{self.payload}" if self.payload else f"nonce:{self.nonce} first:{self.first}"
        text = f"{RECEIPT} {head} {told}"
        return f"{text} check:{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def nonce_word(nonce: object) -> str:
    """A nonce as it stands in a receipt: its bytes outside of a-z, A-Z, 0-9 and _.-~ as %XX; a long one digested."""
    word = urllib.parse.quote(str(nonce), safe="", errors="replace")
    if len(word) <= LONGEST_NONCE:
        return word
    return f"sha256-{hashlib.sha256(str(nonce).encode(errors='replace')).hexdigest()}"


def receipts_in(content: bytes) -> tuple[list[Receipt], list[Problem]]:
    """The receipts in a text, each once, and what is wrong with others.

    The text may be a mail with other words, quoted (`> `), wrapped anywhere, with any ends of line, quoted-printable.
    """
    text = re.sub(r"=\r?\n", "", content.replace(b"\0", b"").decode(errors="replace"))
    joined = "".join("".join(re.sub(r"^[\s>|]+", "", line).split()) for line in text.splitlines())
    found: dict[Receipt, None] = {}
    problems: list[Problem] = []
    for place, match in enumerate(RECEIPT_FORM.finditer(joined), start=1):
        version = match["version"]
        nonce, first, payload, stream = (match[part] or "" for part in ("nonce", "first", "payload", "stream"))
        receipt = Receipt(int(match["number"] or 0), nonce, first, payload, stream or MAIN)
        line = receipt.old_line if match["v1"] else receipt.line
        if version is None and line.endswith(f" check:{match['check']}"):
            found[receipt] = None
            continue
        name, what = "receipt-damaged", "is damaged: letters of it were lost or changed"
        if version is not None and version not in ("1", "2"):
            name, what = "receipt-version", f"is of the unknown version {version}: get a newer verifier"
        text = f"receipt {place} {what} ({shown(joined[match.start() : match.start() + 60])}…)"
        problems.append(Problem("completeness", name, text, UNKNOWN))
    return list(found), problems


def read_receipts(path: Path) -> tuple[list[Receipt], list[Problem]]:
    """The receipts of a file. Errors: `BadInput` where it cannot be read or holds none."""
    hint = "give the mails, or a text file, with the lines that begin with drdrill-receipt"
    try:
        with opened(Path(os.path.realpath(path))) as source:
            content = source.read(LARGEST_MAILS + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadInput(f"--receipts {shown(path)}: {shown(why)}", hint=hint) from None
    if len(content) > LARGEST_MAILS:
        raise BadInput(f"--receipts {shown(path)}: larger than {LARGEST_MAILS >> 20} MB", hint=hint)
    found, problems = receipts_in(content)
    if not found and not problems:
        raise BadInput(f"--receipts {shown(path)}: no receipt is in it", hint=hint)
    return found, problems


@dataclass(frozen=True)
class Told:
    """What a pack that is here has to agree with."""

    pack: Report
    run: tuple[str, int]  # stream and number; the number is 0 where nobody has signed one
    nonce: str
    first: str
    payload: str


def told_by(pack: Report) -> Told:
    number = pack.facts["number"] if is_placed(pack) else 0
    run = (stream_of(pack), number)
    return Told(pack, run, nonce_word(pack.facts.get("nonce")), first_line(pack.path), signed_digest(pack.path))


def signed_digest(pack: Path) -> str:
    """SHA-256 of the signed statement; empty where there is none that can be read."""
    try:
        return hashlib.sha256(from_base64(parsed(content_of(pack / ENVELOPE))["payload"])).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def first_line(folder: Path) -> str:
    """The digest of a journal's first line; empty where there is none."""
    try:
        with opened(folder / JOURNAL) as source:
            raw = source.readline(LONGEST_LINE)
    except OSError:
        return ""
    line = raw.removesuffix(b"\n")
    return str(fields_of(line)[0].get("redacted") or hashlib.sha256(line).hexdigest()) if raw != line else ""


def check_receipts(answer: Report | FolderReport, path: Path) -> None:
    """Hold a folder, or one pack, against receipts: every start has its end, every end its pack, and they agree.

    Errors: `BadInput`.
    """
    found, damaged = read_receipts(path)
    alone = isinstance(answer, Report)
    packs = [told_by(pack) for pack in ([answer] if isinstance(answer, Report) else answer.packs)]
    if alone:  # the others' packs are elsewhere
        ours = {receipt.run for receipt in found if receipt.first == packs[0].first} | {packs[0].run}
        found = [receipt for receipt in found if receipt.run in ours or receipt.payload == packs[0].payload]
    going_on = set() if alone else {first_line(each) for each in answer.path.glob(f"*{UNFINISHED}")}
    by_run: dict[tuple[str, int], list[Receipt]] = {}
    for receipt in found:
        by_run.setdefault(receipt.run, []).append(receipt)
    in_doubt = UNKNOWN if damaged else MISSED  # what it is where a receipt is not there
    wrong = [
        problem
        for run, theirs in sorted(by_run.items())
        for problem in check_run(run, theirs, packs, going_on, in_doubt=in_doubt)
    ]
    for stream in sorted({told.run[0] for told in packs}):
        numbers = {number for of, number in by_run if of == stream}
        ours_of_it = [told for told in packs if told.run[0] == stream]
        wrong += unannounced(numbers, ours_of_it, in_doubt=UNKNOWN if alone else in_doubt)
    answer.problems += damaged + wrong
    answer.notes = [note for note in answer.notes if note != RECEIPTS_LIE]
    if not wrong and not damaged:
        runs = counted(len(by_run), "run")
        answer.notes.append(f"held against the receipts of {runs}: every start has its end, and every end its pack")
    if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(answer.path)):
        answer.notes.append("the receipts lie in the evidence itself: what somebody sent you before says more")


def check_run(
    run: tuple[str, int], receipts: list[Receipt], packs: list[Told], going_on: set[str], *, in_doubt: str
) -> list[Problem]:
    """What is wrong with one run, which the receipts are of."""
    begun = [receipt for receipt in receipts if not receipt.payload]
    ended = [receipt for receipt in receipts if receipt.payload]
    here = [told for told in packs if told.run == run]
    called = names([told.pack for told in here])
    wrong = []

    def add(name: str, text: str, outcome: str = MISSED) -> None:
        wrong.append(Problem("completeness", name, f"run {run[1]}{within(run[0])} {text}", outcome))

    if len(begun) > 1:
        add("receipt-repeated", f"was announced {len(begun)} times, each time another run: its number was used again")
    if len(ended) > 1:
        add("receipt-repeated", f"was sealed {len(ended)} times, each time with other content")
    if not begun:
        add("receipt-no-begin", "has a receipt of its end and none of its start", UNKNOWN)
    if not ended and any(receipt.first in going_on for receipt in begun):
        add("receipt-unfinished", "was announced and is not sealed: it goes on, or was killed", UNKNOWN)
    elif not ended:
        what = f"what {called} holds was not told" if here else "its pack is not here: it was removed, or never sealed"
        add("receipt-no-end", f"was announced and has no receipt of its end; {what}", in_doubt)
    for receipt in ended:
        same = [told for told in packs if told.payload == receipt.payload]
        if not same:
            what = f"{called} is not what was sealed then: it was replaced" if here else "it was removed"
            add("receipt-no-pack", f"was sealed, and its pack is not here: {what}")
        elif (signed := {told.run for told in same if told.run[1]}) and run not in signed:
            add("receipt-differs", f"was sealed as {names([told.pack for told in same])}, which has another number")
    for told in here:
        if begun and not any(receipt.first == told.first and receipt.nonce == told.nonce for receipt in begun):
            parts = (("nonce", begun[0].nonce, told.nonce), ("first line", begun[0].first, told.first))
            differ = " and ".join(what for what, announced, is_here in parts if announced != is_here)
            where = shown(told.pack.name)
            add("receipt-differs", f"is another one in {where} than was announced: its {differ} is not the one told")
    return wrong


def unannounced(numbers: Collection[int], packs: list[Told], *, in_doubt: str) -> list[Problem]:
    """Packs that no receipt speaks of. Those before the first receipt are older than receipts are, or than yours."""
    oldest, newest = min(numbers, default=0), max(numbers, default=0)
    wrong = []
    for told in packs:
        stream, number = told.run
        if number and number not in numbers and number >= oldest:
            late = number > newest
            text = f"no receipt speaks of {shown(told.pack.name)}, run {number}{within(stream)}"
            more = ", which is newer than all of them" if late and newest else ""
            wrong.append(Problem("completeness", "receipt-none", text + more, UNKNOWN if late else in_doubt))
    return wrong


def names(packs: list[Report]) -> str:
    return ", ".join(shown(pack.name) for pack in packs)


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# --- the same by hand, and how it is told -------------------------------------------------------------------------

# (what, why, commands). They run in any POSIX shell, one after another in the same one, from inside the pack. Each line
# that they print names the question that it bears on; the last three are the answers, the same as this program's.
BY_HAND: tuple[tuple[str, str, str], ...] = (
    (
        "Whom do you expect?",
        "Get the fingerprint of the signing key from whoever ran the drill, by another way than this pack. Put it "
        "between the quotes; without it, who sealed the pack stays unknown. Where others are to have signed, too, put "
        "the PEM files of their public keys into KEYS, with blanks between them. The tools are tried first. What is a "
        "link, a pipe or a device, or far too large, is not opened.",
        r"""EXPECTED="${EXPECTED:-}"; KEYS="${KEYS:-}"
export LC_ALL=C; T=$(mktemp -d); : > "$T/told"
tell() { printf '%-8s %s: %s\n' "$1" "$2" "$3" | tr '\001-\011\013-\037\177' '?' | tee -a "$T/told"; }
take() {
  : > "$T/$1"
  if [ -h "$1" ] || [ ! -f "$1" ]; then tell BAD integrity "$1 is not there, or is not a file"
  elif [ -n "$(find "./$1" -size +"$2"c)" ]; then tell BAD integrity "$1 is too large"
  elif ! cat "./$1" > "$T/$1"; then tell BAD integrity "$1 cannot be read"; fi
}
BROKEN=""
for TOOL in cmp comm cut find grep od openssl paste sed sha256sum sort tail tr uniq wc; do
  command -v "$TOOL" > /dev/null || BROKEN="$BROKEN $TOOL"; done
printf 'a\nb\nb\n' > "$T/one"; printf 'b\nc\n' > "$T/two"
TRIED=$(comm -3 "$T/one" "$T/two" | sed -n -E 's/^.*([a-z])$/\1/p' | od -A n -t x1 | tr -d ' \n'; sha256sum < "$T/two")
case $TRIED in 610a620a630abb9ead4c*) ;; *) BROKEN="$BROKEN comm, sed, od or sha256sum";; esac
[ -z "$BROKEN" ] || echo "UNKNOWN  nothing can be checked here, for this is missing or does not work:$BROKEN"
take pack.dsse.json 8388608; take SHA256SUMS 8388608; take public-key.pem 65536; take journal.jsonl 134217728""",
    ),
    (
        "The signature",
        "It is Ed25519, over the DSSE encoding: the word DSSEv1, length and text of the type, length and text of the "
        "signed statement. The envelope must be exactly what its parts make again. A key is a fixed head and 32 bytes. "
        "The first signature is that of the seal; those of others may have been added since, in order of their keys.",
        r"""der() {
  sed -n '/^-----BEGIN PUBLIC KEY-----/,/^-----END/p' "$1" | grep -v '^-----' | tr -d '\r\n' | openssl base64 -d -A
}
fits() {
  printf '%s' "$2" | openssl base64 -d -A > "$T/signature"
  if openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$T/encoded" -sigfile "$T/signature" > "$T/said" 2>&1
  then return 0; elif grep -q -i 'signature verification failure' "$T/said"; then return 1; else return 2; fi
}
der "$T/public-key.pem" > "$T/key"; FOUND=$(sha256sum < "$T/key" | cut -c1-64)
od -A n -t x1 "$T/key" | tr -d ' \n' | grep -q '^302a300506032b6570032100[0-9a-f]\{64\}$' \
  || tell BAD integrity "public-key.pem is not an Ed25519 public key"
sed -n '1s/^{"payload":"\([^"]*\)".*/\1/p' "$T/pack.dsse.json" | openssl base64 -d -A > "$T/statement"
sed -n '1s/.*"signatures":\[//p' "$T/pack.dsse.json" | sed 's/},{/},\
{/g' | sed -n -E 's/^\{"keyid":"([0-9a-f]{64})","sig":"([A-Za-z0-9+/]{86}==)"\}(,|\]\})$/\1 \2/p' \
  | sed 101q > "$T/signers"
{ printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(($(wc -c < "$T/statement")))"
  cat "$T/statement"; } > "$T/encoded"
{ printf '{"payload":"'; openssl base64 -A -in "$T/statement"
  printf '","payloadType":"application/vnd.in-toto+json","signatures":['; COMMA=""
  while read -r KEYID SIG; do
    printf '%s{"keyid":"%s","sig":"' "$COMMA" "$KEYID"; COMMA=,
    printf '%s' "$SIG" | openssl base64 -d -A | openssl base64 -A; printf '"}'
  done < "$T/signers"; printf ']}\n'; } > "$T/envelope"
SIGNED=BAD; SIGNERS=$(($(wc -l < "$T/signers"))); read -r FIRST SIG < "$T/signers"
sed -n '2,$s/ .*//p' "$T/signers" > "$T/later"
if [ ! -s "$T/statement" ] || [ "$SIGNERS" -gt 100 ] || ! cmp -s "$T/envelope" "$T/pack.dsse.json" \
  || [ "$FIRST" != "$FOUND" ] || ! sort -c -u "$T/later" 2> /dev/null || grep -q -F -x "$FOUND" "$T/later"
then tell BAD integrity "pack.dsse.json is not in its one form, or names another key than public-key.pem"
else
  fits "$T/public-key.pem" "$SIG"
  case $? in
    0) SIGNED=OK; tell OK integrity "the signature fits";;
    1) tell BAD integrity "the signature does not fit";;
    *) SIGNED=UNKNOWN; tell UNKNOWN integrity "the signature cannot be checked here: $(sed -n 1p "$T/said")";;
  esac
  sed 1d "$T/signers" > "$T/others"; while read -r KEYID SIG; do
    NAMED=""; for FILE in $KEYS; do [ "$(der "$FILE" | sha256sum | cut -c1-64)" != "$KEYID" ] || NAMED=$FILE; done
    if [ -z "$NAMED" ]; then echo "NOTE     it has a signature of the key $KEYID, which was not checked"
    elif fits "$NAMED" "$SIG"; then echo "NOTE     it is signed with $NAMED, too"
    else tell BAD integrity "the signature with $NAMED does not fit, or cannot be checked here"; fi
  done < "$T/others"
fi
EXPECTED=$(printf '%s' "${EXPECTED#sha256:}" | tr -d ': ' | tr A-F a-f)
case $EXPECTED/$SIGNED in
  /*) tell UNKNOWN authorship "you named no key; the one in the pack is $FOUND";;
  "$FOUND"/OK) tell OK authorship "it was sealed with the key that you expect";;
  "$FOUND"/UNKNOWN) tell UNKNOWN authorship "the key is the one that you expect; its signature cannot be checked here";;
  *) tell BAD authorship "nothing shows that the key that you expect has signed this; the one in the pack is $FOUND";;
esac
FORMAT=$(sed -n -E 's|^\{"_type":"https://in-toto.io/Statement/v1",(.*)$|\1|p' "$T/statement" \
  | sed -n -E 's|.*"predicateType":"https://drdrill.dev/evidence-pack/v([12])",.*|\1|p')
if [ -n "$FORMAT" ]; then
  grep -q '"number":[1-9][0-9]\{0,14\},' "$T/statement" || tell BAD integrity "the number of the run is not one"
  [ "$FORMAT" != 1 ] || [ "$SIGNERS" -le 1 ] || tell BAD integrity "a pack of format 1 has one signature"
  [ "$FORMAT" != 2 ] || for WORD in '"clockCompression":[0-9]' '"harness":{' '"project":{' '"stream":"' \
    '"rehearsal":\(true\|false\),' '"journal":{"head":"[0-9a-f]*","kinds":{' "\"keyid\":\"$FOUND\","; do
    [ "$SIGNED" = BAD ] || grep -q "$WORD" "$T/statement" || tell BAD integrity "the statement does not say: $WORD"
  done
elif grep -q '^{"_type":"[^"]*",.*"predicateType":"[^"]*",' "$T/statement"; then
  tell UNKNOWN integrity "the statement is of another version: these commands do not know it"
else tell BAD integrity "no statement can be read"; fi""",
    ),
    (
        "The journal",
        "Each line names the digest of the line before it. The statement names the number of lines, the digest of the "
        "last, and one digest over the list of all of them. Where a line was withheld, its digest stands in its place. "
        "A control character in a line, a carriage return or a zero byte too, cannot be in a fact.",
        r"""TEXT='"([^"\\]|\\.)*"'; DIGIT='[0-9]{2}'; BEGIN='^\{"v":[12],"seq":[0-9]+,'
FACT='"prev":"[0-9a-f]{64}","salt":"[0-9a-f]{32}","utc":"'"[0-9]{4}-$DIGIT-${DIGIT}T$DIGIT:$DIGIT:$DIGIT"
FACT=$FACT'\.[0-9]{6}Z","mono":(0|-?[1-9][0-9]*),"kind":'; WITHHELD='"redacted":"[0-9a-f]{64}"\}$'
HEAD='.*"journal":\{"head":"[0-9a-f]*",("kinds":\{([^}]*)\},)?'
MANY=$(sed -n -E "s/$HEAD\"lines\":([0-9]{1,9}),\"linesSha256\":.*/\3/p" "$T/statement")
KINDS=$(sed -n -E "s/$HEAD\"lines\":.*/\1/p" "$T/statement")
MANY=${MANY:-249999}; THERE=$(($(wc -l < "$T/journal.jsonl"))); TORN=0
if [ "$(tail -c 1 "$T/journal.jsonl" | od -A n -t x1 | tr -d ' \n')" != 0a ]
then TORN=1; tell BAD integrity "the last line of the journal has no end"; fi
sed "$((MANY + 1))q" "$T/journal.jsonl" | tr '\000-\011\013-\037' '\001' > "$T/lines"
if [ "$THERE" -le "$MANY" ] && [ "$TORN" -eq 1 ]; then sed '$d' "$T/lines" > "$T/whole"
else THERE=$((THERE + TORN)); cat "$T/lines" > "$T/whole"; fi
CONTROL=$(printf '\001'); WELL="$BEGIN($WITHHELD|$FACT$TEXT,\"data\":\{.*\}\}$)"
sed -E -e "/$CONTROL/s/^/0/" -e t -e "/$WELL/s/^/1/" -e t -e 's/^/0/' "$T/whole" > "$T/lines"
sed -n 's/^1//p' "$T/lines" > "$T/facts"
N=0; WRONG=0; V=1; PREV=0000000000000000000000000000000000000000000000000000000000000000; : > "$T/digests"
while [ "$WRONG" -le 20 ] && IFS= read -r LINE; do
  DIGEST=$(printf '%s' "${LINE#?}" | sha256sum | cut -c1-64)
  case $LINE in '1{"v":2,'*) V=2;; esac
  case $LINE in
    '1{"v":'"$V"',"seq":'"$N"',"redacted":"'*) DIGEST=${LINE#*redacted\":\"}; DIGEST=${DIGEST%\"\}};;
    '1{"v":'"$V"',"seq":'"$N"',"prev":"'"$PREV"'",'*) ;;
    *) WRONG=$((WRONG + 1)); tell BAD integrity "line $((N + 1)) of the journal is not a fact, or the chain is broken";;
  esac
  PREV=$DIGEST; N=$((N + 1)); echo "$DIGEST" >> "$T/digests"
done < "$T/lines"
LIST=$(sha256sum < "$T/digests" | cut -c1-64); INTACT=no
printf '"journal":{"head":"%s",%s"lines":%d,"linesSha256":"%s"}' "$PREV" "$KINDS" "$N" "$LIST" > "$T/journal"
if grep -q -F -f "$T/journal" "$T/statement"
then tell OK integrity "the journal is the one that was sealed"; [ "$((WRONG + TORN))" -gt 0 ] || INTACT=yes
else tell BAD integrity "the journal is not the one that was sealed"; fi
HIDDEN=$(grep -c '^{"v":[12],"seq":[0-9]*,"redacted":"' "$T/facts")""",
    ),
    (
        "The files",
        "The signed statement names every file and its digest, and SHA256SUMS says the same of all but itself. Only "
        "files that were sealed are read. In the place of a file that was withheld lies its digest.",
        r"""{ cat "$T/statement"; echo; } | sed 's/.*"subject":\[//; s/{"digest":{"sha256":"/\
/g' | sed -n 's/^\([0-9a-f]\{64\}\)"},"name":"\(.*\)"},\{0,1\}\(\]}\)\{0,1\}$/\1  \2/p' | sed 's/\\"/"/g' > "$T/signed"
grep -v '^.\{66\}SHA256SUMS$' "$T/signed" | cmp -s - "$T/SHA256SUMS" \
  || tell BAD integrity "SHA256SUMS does not list what was signed, or not in its one form"
if [ -s "$T/signed" ]; then sort "$T/signed" > "$T/sealed"; : > "$T/beside"
else grep -E '^[0-9a-f]{64}  .' "$T/SHA256SUMS" | sort > "$T/sealed"; echo SHA256SUMS > "$T/beside"; fi
cut -c67- "$T/signed" | sort -c -u 2> /dev/null || tell BAD integrity "the signed names are not in order"
cut -c67- "$T/sealed" | sort -u > "$T/names"
! grep -q -E '\\|(^|/)\.{0,2}(/|$)' "$T/names" || tell BAD integrity "a sealed name leads out of the pack"
BREAK='
'
find . -name "*$BREAK*" -print 2> /dev/null | grep -q . && tell BAD integrity "a name with a line break in it was added"
find . -name "*$BREAK*" -prune -o -type f -print 2> "$T/unread" | sed 's|^\./||' | sort > "$T/there"
sed 's/^/cannot be looked at: /' "$T/unread" | while IFS= read -r LINE; do tell UNKNOWN integrity "$LINE"; done
sed -n 's/\.withheld$//p' "$T/there" | sort | comm -12 - "$T/names" | comm -23 - "$T/there" > "$T/maybe"
while IFS= read -r NAME; do
  case $NAME in journal.jsonl|pack.dsse.json|SHA256SUMS|public-key.pem|findings.json|VERIFY.md) continue;; esac
  [ -n "$(find "./$NAME.withheld" -size 86c)" ] && ! grep -q -F -x -e "$NAME.withheld" "$T/names" || continue
  DIGEST=$(sed -n '1s/^{"v":2,"withheld":"\([0-9a-f]\{64\}\)"}$/\1/p' "./$NAME.withheld")
  printf '{"v":2,"withheld":"%s"}\n' "$DIGEST" | cmp -s - "./$NAME.withheld" || continue
  ! grep -q -F -x "$DIGEST  $NAME" "$T/sealed" || printf '%s  %s\n' "$DIGEST" "$NAME"
done < "$T/maybe" > "$T/stubs"
cut -c67- "$T/stubs" > "$T/hidden"; sed 's/$/.withheld/' "$T/hidden" | sort > "$T/beside_them"
comm -23 "$T/there" "$T/beside_them" | sort - "$T/hidden" > "$T/all"; cat "$T/all" > "$T/there"
while IFS= read -r NAME; do tell UNKNOWN completeness "a file is withheld: $NAME"; done < "$T/hidden"
comm -23 "$T/names" "$T/there" | while IFS= read -r NAME; do
  if [ -s "$T/unread" ]; then tell UNKNOWN integrity "not found: $NAME"
  else tell BAD integrity "was removed: $NAME"; tell BAD completeness "a sealed file is not there: $NAME"; fi
done
{ cat "$T/names" "$T/beside"; echo pack.dsse.json; } | sort -u | comm -13 - "$T/there" \
  | while IFS= read -r NAME; do tell BAD integrity "was added: $NAME"; done
find . ! -type f ! -type d -print 2> /dev/null \
  | while IFS= read -r NAME; do tell BAD integrity "is neither a file nor a folder: $NAME"; done
find . -name "*$BREAK*" -prune -o -type d -print 2> /dev/null | while IFS= read -r NAME; do
  [ ! -r "$NAME" ] || [ -n "$(ls -A "$NAME")" ] || tell BAD integrity "is an empty folder: $NAME"; done
cat "$T/stubs" > "$T/read"
comm -12 "$T/names" "$T/there" | comm -23 - "$T/hidden" | while IFS= read -r NAME; do
  if [ -n "$(find "./$NAME" -size +1073741824c)" ]; then tell UNKNOWN integrity "is too large and was not read: $NAME"
  elif DIGEST=$(sha256sum < "./$NAME"); then printf '%.64s  %s\n' "$DIGEST" "$NAME" >> "$T/read"
  else tell UNKNOWN integrity "cannot be read: $NAME"; fi
done
sort "$T/read" > "$T/found"
comm -13 "$T/sealed" "$T/found" | cut -c67- | while IFS= read -r NAME; do
  [ "$NAME/$INTACT" = journal.jsonl/yes ] && [ "$HIDDEN" -gt 0 ] || tell BAD integrity "is not as it was sealed: $NAME"
done
tell OK integrity "the files have been compared" """.rstrip(),
    ),
    (
        "Is anything missing?",
        "A journal begins with run.begin and ends with run.end; each scenario that the first line announces has begun "
        "and ended, as often as it is announced; every fault that was injected was healed. What a withheld line said "
        "nobody can say. What this folder is called is not sealed: the run is what the first line says.",
        r"""kind() { sed -n -E "s/$BEGIN$FACT\"([^\"]*)\",\"data\".*/\2/p; s/$BEGIN\"redacted\".*/withheld/p" "$T/$1"; }
of() { sed -n -E "s/$BEGIN$FACT\"$1\",\"data\":\{(.*)\}\}$/\2/p" "$T/${2:-facts}"; }
each() { while IFS= read -r LINE; do tell "$1" "$2" "$3: $LINE"; done; }
same() {
  SAID=$(sed -n -E "$2" "$T/begin")
  [ -n "$SAID" ] && grep -q -F "$SAID" "$T/statement" || tell BAD integrity "seal and journal differ in: $1"
}
also() {
  SAID=$(sed -n -E "s/.*\"$1\":($TEXT|null|true|false),.*/\"$2\":\1,/p" "$T/begin")
  [ -z "$SAID" ] || grep -q -F "$SAID" "$T/statement" || tell BAD integrity "seal and journal differ in: $1"
}
inside() {
  sed -n -E "s/.*\"$1\":\{(([^{}\"]|$TEXT)*)\}.*/\1/p" "$T/$2" | sed -E 's/,("[A-Za-z_]+":)/\
\1/g' | sort
}
parts() {
  inside "$1" begin > "$T/ours"; inside "$1" statement > "$T/theirs"
  [ ! -s "$T/ours" ] || cmp -s "$T/ours" "$T/theirs" || tell BAD integrity "seal and journal differ in: $1"
}
stamped() {
  SAID=$(sed -n 's/^{"v":[12],[^{]*"utc":"\([^"]*\)".*/\1/p' "$T/$1")
  grep -q -F "\"$2\":\"$SAID\"," "$T/statement" || tell BAD integrity "seal and journal differ in: $3"
}
counted() {
  COUNT='"([A-Za-z0-9_.-]{1,100})":([1-9][0-9]{0,8})'; ALL=0; OUT=""
  printf '%s\n' "$KINDS" | grep -q -E "^\"kinds\":\{($COUNT,)*$COUNT\},\$" \
    || tell BAD integrity "the kinds of lines are not counted in their one form"
  printf '%s' "$KINDS" | sed -E 's/^"kinds":\{(.*)\},$/\1,/; s/,/,\
/g' | sed -n -E "s/^$COUNT,\$/\1 \2/p" > "$T/counts"
  sed -n -E "s/$BEGIN$FACT\"([^\"]*)\",\"data\".*/\2/p" "$T/facts" | sort > "$T/kinds"
  while read -r KIND OFTEN; do
    SHOWN=$(grep -c -F -x -e "$KIND" "$T/kinds"); ALL=$((ALL + OFTEN))
    [ "$SHOWN" -le "$OFTEN" ] || tell BAD integrity "more lines of a kind than were sealed: $KIND"
    [ "$SHOWN" -ge "$OFTEN" ] || OUT="$OUT $((OFTEN - SHOWN)) $KIND,"
  done < "$T/counts"
  cut -d ' ' -f 1 "$T/counts" | sort > "$T/counted"
  sort -u "$T/kinds" | comm -23 - "$T/counted" | each BAD integrity "no line of this kind was sealed"
  [ "$ALL" -eq "$N" ] || tell BAD integrity "the lines of all kinds are not as many as the lines"
  case $OUT/$HIDDEN in
    /*) ;;
    */0) tell BAD integrity "fewer lines of a kind than were sealed:$OUT";;
    *) tell UNKNOWN completeness "lines that the seal counts are not shown:$OUT";;
  esac
}
story() {
  sed -n '1s/^1//p' "$T/lines" > "$T/first"; sed -n '$p' "$T/facts" > "$T/last"; FIRST=$(kind first); LAST=$(kind last)
  [ "$HIDDEN" -eq 0 ] || grep -n '^1{"v":[12],"seq":[0-9]*,"redacted":"' "$T/lines" | sed -n '1s/:.*//p' \
    | each UNKNOWN completeness "$HIDDEN lines of the journal are withheld, the first of them is line"
  case $FIRST in run.begin|withheld) ;; *) tell BAD completeness "the first line is not run.begin";; esac
  case $LAST in run.end|withheld) ;; *) tell BAD completeness "the last line is not run.end";; esac
  of run.begin first > "$T/begin"
  V=$(sed -n 's/^{"v":\([12]\),.*/\1/p' "$T/first")
  [ -z "$V" ] || [ -z "$FORMAT" ] || [ "$V" = "$FORMAT" ] || tell BAD integrity "seal and journal differ in: format"
  [ "$FORMAT" != 2 ] || counted
  if [ "$FIRST" = run.begin ] && [ -s "$T/signed" ]; then
    AFTER="^\"run\":$TEXT,(\"stream\":$TEXT,)?"
    same run "s/^\"run\":($TEXT),.*/\"run\":\1,\"sabotage\":/p"
    same number "s/$AFTER\"number\":([0-9]+),.*/\"number\":\4,\"operatorAsClaimed\":/p"
    same previous "s/$AFTER\"number\":[0-9]+,\"previous\":($TEXT),.*/\"previousPack\":\4,/p"
    same nonce "s/.*\"nonce\":($TEXT|null),.*/\"nonce\":\1,\"number\":/p"
    also environment environmentClass; also stack stack; also rules rules; also operator operatorAsClaimed
    also sabotage sabotage; stamped first startedOn began
    if [ "$V" = 2 ]; then
      also stream stream; also rehearsal rehearsal; parts harness; parts project
      SAID=$(sed -n -E 's/.*"clock":\{[^{}]*"compression":([0-9][0-9.e+-]*)[,}].*/"clockCompression":\1,/p' "$T/begin")
      [ -z "$SAID" ] || grep -q -F "$SAID" "$T/statement" || tell BAD integrity "seal and journal differ in: clock"
    fi
  fi
  if [ "$LAST" = run.end ] && [ -s "$T/signed" ]; then
    stamped last endedOn ended; SAID=$(of run.end last | sed -n -E "s/^\"outcome\":($TEXT).*/\1/p")
    grep -q -F "\"outcome\":$SAID," "$T/statement" || tell BAD integrity "seal and journal differ in: outcome"
  fi
  EACH='^("injection":[0-9]+,)?'
  of fault.intent | sed -n -E "s/$EACH\"fault\":($TEXT).*/\2/p" | sort > "$T/hurt"
  of fault.healed | sed -n -E "s/$EACH\"fault\":($TEXT),\"ok\":true.*/\2/p" | sort > "$T/healed"
  comm -23 "$T/hurt" "$T/healed" | uniq > "$T/unhealed"
  if [ "$HIDDEN" -gt 0 ] && [ -s "$T/signed" ]
  then grep -q -F '"unhealedFaults":[],' "$T/statement" || tell BAD completeness "not shown healed: see the statement"
  else
    each BAD completeness "not shown healed" < "$T/unhealed"
    [ ! -s "$T/signed" ] || grep -q -F "\"unhealedFaults\":[$(paste -s -d , "$T/unhealed")]," "$T/statement" \
      || tell BAD integrity "seal and journal differ in: faults that were not healed"
  fi
  { of ledger; of rows; of answers; } \
    | sed -n -E 's/^"file":"([^"]*)","sha256":"([0-9a-f]*)".*/\2  \1/p' | sort -u > "$T/digested"
  cut -c67- "$T/digested" | sort -u > "$T/spoken"; cut -c67- "$T/found" | sort > "$T/read"
  comm -23 "$T/spoken" "$T/there" | each BAD completeness "the journal speaks of a file that is not there"
  comm -23 "$T/digested" "$T/found" | cut -c67- | sort -u | comm -12 - "$T/read" \
    | each BAD integrity "is not what the journal says"
  PLAN=$(sed -n 's/.*"digests":{[^}]*"plan":"\([0-9a-f]\{64\}\)".*/\1/p' "$T/begin")
  grep -q '  plan\.yaml$' "$T/found" && [ -n "$PLAN" ] && ! grep -q -F -x "$PLAN  plan.yaml" "$T/found" \
    && tell BAD integrity "plan.yaml is not the plan that the first line names"
  FEATURES=$(sed -n 's/.*"digests":{[^}]*"features":"\([0-9a-f]\{64\}\)".*/\1/p' "$T/begin")
  sed -n 's|  features/|  |p' "$T/found" | sort -k 2 > "$T/features"
  [ -z "$FEATURES" ] || [ "$FEATURES" = "$(sha256sum < "$T/features" | cut -c1-64)" ] \
    || tell BAD integrity "features/ is not what the first line names"
  case $LAST/$(of run.end last | sed -n 's/^"outcome":"\([^"]*\)".*/\1/p') in
    run.end/completed) completed;;
    run.end/stopped|run.end/killed|run.end/aborted) echo "NOTE     the run was ended before it was done";;
    run.end/*) tell UNKNOWN completeness "the last line names no outcome that is known";;
  esac
  case $(basename "$PWD") in
    *.unfinished) tell BAD completeness "this folder is named as unfinished";;
    "$(sed -n 's/^"run":"\([^"]*\)".*/\1/p' "$T/begin")") ;;
    *) [ ! -s "$T/begin" ] || echo "NOTE     this folder was renamed: the first line says which run it holds";;
  esac
  tell OK completeness "the journal was read to its end"
}
completed() {
  if [ "$FIRST" = run.begin ]; then
    if grep -q '"scenarios":\[' "$T/begin"; then
      sed 's/.*"scenarios":\[//; s/".*/&/; s/"\].*/"/; s/^\].*//; s/","/"\
"/g' "$T/begin" | grep . | sort > "$T/announced"
    else tell UNKNOWN completeness "the first line announces no scenarios"; fi
  fi
  of scenario.begin | sed -n -E "s/^\"scenario\":($TEXT).*/\1/p" | sort > "$T/begun"
  of scenario.end | sed -n -E "s/^\"scenario\":($TEXT).*/\1/p" | sort > "$T/ended"
  [ ! -f "$T/announced" ] || comm -13 "$T/announced" "$T/begun" \
    | each UNKNOWN completeness "has begun more often than it was announced"
  if [ "$HIDDEN" -eq 0 ]; then
    [ ! -f "$T/announced" ] || comm -23 "$T/announced" "$T/begun" | each BAD completeness "announced and not begun"
    comm -23 "$T/begun" "$T/ended" | each BAD completeness "has no end"
    comm -13 "$T/begun" "$T/ended" | each UNKNOWN completeness "has an end and no beginning"
    grep -E '^scenarios/.+/(ledger|rows|answers)-[^/]*\.jsonl$' "$T/there" | comm -23 - "$T/spoken" \
      | each BAD completeness "the journal does not speak of"
  fi
}
if [ "$N" -ge "$THERE" ]; then story
else
  tell BAD integrity "the journal goes on after line $N, as far as it was read"
  tell UNKNOWN completeness "the journal was not read to its end"
fi""",
    ),
    (
        "The answers",
        "BAD where a line above says so, else UNKNOWN where one says so or a step was left out, else OK. Where a tool "
        "does not work here, no answer is more than UNKNOWN.",
        r"""for STEPS in integrity:3 completeness:1 authorship:1; do
  QUESTION=${STEPS%:*}; ANSWER=OK
  [ "$(grep -c "^OK  *$QUESTION:" "$T/told")" -ge "${STEPS#*:}" ] || ANSWER=UNKNOWN
  if grep -q "^UNKNOWN  *$QUESTION:" "$T/told"; then ANSWER=UNKNOWN; fi
  if grep -q "^BAD  *$QUESTION:" "$T/told"; then ANSWER=BAD; fi
  [ -z "$BROKEN" ] || ANSWER=UNKNOWN
  echo "The answer about $QUESTION is $ANSWER."
done
rm -r "$T" """.rstrip(),
    ),
)


def by_hand() -> str:
    """The commands that reach the same answers with openssl and sha256sum alone, as one text."""
    parts = []
    for number, (what, why, commands) in enumerate(BY_HAND, start=1):
        told = "\n".join(f"# {line}" for line in textwrap.wrap(why, width=110))
        parts.append(f"# {number}. {what}\n{told}\n{commands}\n")
    return "\n".join(parts)


GOOD = {
    "integrity": "every file is, byte for byte, what was sealed, and the signature fits",
    "completeness": "the journal runs from its first line to its last, no file is missing, every fault was healed",
    "authorship": "it was sealed with the key that you gave",
}


def good(report: Report, question: str) -> str:
    """What a MET says; of authorship who has signed as what, where the caller said whom they trust."""
    signed = [str(each.who) for each in report.signatures if each.holds and each.who]
    if question == "integrity" and (report.redacted or report.withheld):
        return "what is shown is, byte for byte, what was sealed, and the signature fits"
    if question != "authorship" or not signed:
        return GOOD[question]
    return f"sealed by {signed[0]}" + (f"; signed by {', '.join(signed[1:])}" if signed[1:] else "")


def told(problems: Iterable[Problem]) -> list[str]:
    """A line for each; of very many of one name the first ones, and how many more there are."""
    lines, many = [], Counter[str]()
    for problem in problems:
        many[problem.name] += 1
        if many[problem.name] <= 5 * MANY:
            lines.append(f"{problem.name}: {problem.text}")
    return lines + [f"{name}: {times - 5 * MANY} more like these" for name, times in many.items() if times > 5 * MANY]


def text_of(report: Report) -> str:
    """The answers first, each with its reasons; then what the pack says of itself."""
    facts = report.facts
    lines = [f"Pack {shown(report.name)}: {report.outcome}"]
    for question in QUESTIONS:
        answer = report.answer(question)
        why = good(report, question) if answer == MET else ""
        lines.append(f"  {question.capitalize():<13} {answer:<8}{why}".rstrip())
        lines += [f"      {line}" for line in told(p for p in report.problems if p.question == question)]
    if report.judged:
        lines.append(f"  {'Findings':<13} {report.judged[0]:<8}{shown(report.judged[1], most=2000)}")
    lines += [f"  Note: {note}" for note in report.notes]
    if {problem.name for problem in report.problems if problem.outcome == MISSED} == {"unhealed-fault"}:
        told_so = "what was hurt was so still when it was sealed, and it says so"
        lines.append(f"  HINT: no file and no line is missing: {told_so}")
    elif report.outcome == MISSED:
        lines.append("  HINT: ask whoever sealed it for the pack again, and use no figure of this one")
    if facts:
        verdict = facts["verdict"] if isinstance(facts.get("verdict"), dict) else {}
        lines += [
            f"  In its own words{'' if report.judged else ', which are not judged here'}:",
            f"      run {shown(facts['run'])}, number {facts['number']}{within(stream_of(report))}, "
            f"verdict {shown(verdict.get('run'))}",
            f"      environment class: {shown(facts.get('environmentClass'))}",
            f"      began {shown(facts.get('startedOn'))}, ended {shown(facts.get('endedOn'))}, "
            f"sealed {shown(facts.get('sealedOn'))}",
            f"      the pack before it: {facts['previousPack']}",
        ]
    what = "the signed statement" if report.format > 1 else ENVELOPE
    return "\n".join([*lines, f"  Digest of {what}: {report.digest or 'none'}"]) + "\n"


def folder_text(answer: FolderReport) -> str:
    lines = [f"Folder {shown(answer.path)}, {counted(len(answer.packs), 'pack')}: {answer.outcome}"]
    judged = {outcome: [pack for pack in answer.packs if pack.outcome == outcome] for outcome in (MISSED, UNKNOWN)}
    lines += [
        f"  {counted(len(packs), 'pack')} {outcome}, with the reasons below: {names(packs)}"
        for outcome, packs in judged.items()
        if packs
    ]
    lines += [f"  {problem.name} ({problem.outcome}): {problem.text}" for problem in answer.problems]
    unread = [pack for pack in answer.packs if not pack.facts]
    if unread:
        lines.append(f"  without a seal that can be read, their place in the series is not known: {names(unread)}")
    if unsigned := [pack for pack in answer.packs if pack.facts and not is_placed(pack)]:
        lines.append(f"  without a signature that fits, the numbers that they name say nothing: {names(unsigned)}")
    elif unread:
        pass
    elif not answer.problems:
        streams = sorted({stream_of(pack) for pack in answer.packs})
        many = "the runs follow one another without a gap, each naming the pack before it"
        many = f"in each of {len(streams)} streams {many}" if len(streams) > 1 else many
        lines.append(f"  {many if len(answer.packs) > 1 else 'it is number 1, the first of its series'}")
        lines += [
            f"      {shown(stream)}: {counted(sum(stream_of(pack) == stream for pack in answer.packs), 'pack')}"
            for stream in (streams if len(streams) > 1 else ())
        ]
    lines += [f"  Note: {note}" for note in answer.notes]
    return "\n".join(["\n".join(lines) + "\n", *(text_of(pack) for pack in answer.packs)])


def as_dict(answer: Report | FolderReport) -> dict[str, Any]:
    problems = [problem.__dict__ for problem in answer.problems]
    told: dict[str, Any] = {
        "path": str(answer.path),
        "outcome": answer.outcome,
        "problems": problems,
        "notes": answer.notes,
    }
    if isinstance(answer, FolderReport):
        return told | {"packs": [as_dict(pack) for pack in answer.packs]}
    answers = {question: answer.answer(question) for question in QUESTIONS}
    return (
        told
        | answers
        | {"digest": answer.digest, "key": answer.key, "redacted": answer.redacted, "facts": answer.facts}
        | {"format": answer.format, "withheld": answer.withheld}
        | {"signatures": [signature_dict(each) for each in answer.signatures]}
        | ({"judged": dict(zip(("outcome", "said"), answer.judged, strict=True))} if answer.judged else {})
    )


def signature_dict(signature: Signature) -> dict[str, Any]:
    who = {"name": signature.who.name, "role": signature.who.role} if signature.who else {}
    return {"keyid": signature.keyid, "holds": signature.holds} | who


class Parser(argparse.ArgumentParser):
    """Wrong usage is bad input, told like any other."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(message, hint=f"`{self.prog} --help` shows what may be given")


def run(
    path: Path,
    *,
    key: str | None,
    as_json: bool,
    commands: bool,
    trust: Path | None = None,
    receipts: Path | None = None,
    judge: Callable[[Report], tuple[str, str]] | None = None,
    say: Callable[[str], object] = print,
) -> int:
    """Say the answer about a pack or a folder of packs, and return the exit code. Errors: `BadInput`.

    `judge` gives outcome and words about the figures of a pack; this file alone has no rules to judge by.
    """
    looked = is_pack(path)
    if key is not None and trust is not None:
        raise BadInput("--key and --trust exclude each other", hint="name the key in the trust file, with its role")
    trusted = read_trust(trust, path) if trust is not None else []
    if path.resolve().name.endswith(UNFINISHED) and not os.path.lexists(path / ENVELOPE):
        answer: Report | FolderReport = unsealed(path)
    else:
        bare = receipts is not None  # they say what had to be there, also where nothing is
        if looked:
            answer = verify_pack(path, key=key, trust=trusted)
        else:
            answer = verify_folder(path, key=key, trust=trusted, may_be_empty=bare)
        if receipts is not None:
            check_receipts(answer, receipts)
    for report in (answer.packs if isinstance(answer, FolderReport) else [answer]) if judge else ():
        assert judge is not None
        report.judged = judge(report)
    if not as_json and answer.problems == [NOT_SEALED]:
        say(f"{shown(path)}: {NOT_SEALED.text}; `drdrill heal` seals it where it was killed")
    elif as_json:
        say(json.dumps(as_dict(answer), indent=2, sort_keys=True))
    else:
        told = text_of(answer) if isinstance(answer, Report) else folder_text(answer)
        bullets = textwrap.TextWrapper(118, initial_indent="  - ", subsequent_indent="    ")
        limits = "\n".join(map(bullets.fill, LIMITS))
        hand = (
            f"The same without this program, in a shell, from inside a pack:\n\n{by_hand()}"
            if commands
            else "`--by-hand` prints the commands that reach the same answers with openssl and sha256sum alone."
        )
        unjudged = "" if judge else f"{textwrap.fill(NOT_JUDGED, 118)}\n\n"
        say(f"{told}\n{unjudged}What this does not say:\n{limits}\n\n{hand}")
    return EXITS[answer.outcome]


def main(argv: list[str] | None = None, *, say: Callable[[str], object] = print) -> int:
    parser = Parser(prog="verify", description="Verify an evidence pack, or a folder of packs.")
    parser.add_argument("path", type=Path, help="a pack, or a folder of packs")
    parser.add_argument("--key", metavar="FILE|FINGERPRINT", help=KEY_HELP)
    parser.add_argument("--trust", metavar="FILE", type=Path, help=TRUST_HELP)
    parser.add_argument("--receipts", metavar="FILE", type=Path, help=RECEIPTS_HELP)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", dest="as_json", help=JSON_HELP)
    form.add_argument("--by-hand", action="store_true", dest="commands", help=BY_HAND_HELP)
    try:
        return run(**vars(parser.parse_args(argv)), say=say)
    except BadInput as error:
        print(f"error: {error}\nHINT: {error.hint}", file=sys.stderr)
        return BAD_INPUT
    except SystemExit:  # --help
        return 0


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = BAD_INPUT
    sys.exit(code)
