#!/usr/bin/env python3
"""Is this evidence pack whole, unchanged, and sealed by whom you expect? Needs Python 3.11 and `cryptography` only.

    python verify.py PACK|FOLDER [--key FILE|FINGERPRINT] [--receipts FILE] [--json | --by-hand]

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
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
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
PREDICATE_TYPE = "https://drdrill.dev/evidence-pack/v1"
JOURNAL, ENVELOPE, SUMS, KEY = "journal.jsonl", "pack.dsse.json", "SHA256SUMS", "public-key.pem"
UNFINISHED = ".unfinished"
LINE_KEYS = ["v", "seq", "prev", "salt", "utc", "mono", "kind", "data"]
LARGEST = {ENVELOPE: 1 << 26, SUMS: 1 << 26, KEY: 1 << 16}  # bytes that are read into memory
LONGEST_LINE = 1 << 24  # bytes
DEEPEST = 64  # brackets within brackets: more is refused before it can exhaust the stack
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


@dataclass
class Report:
    """The answers about one pack. `facts` are the pack's own words; trust them as far as the answers go."""

    path: Path
    digest: str = ""
    key: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    redacted: list[int] = field(default_factory=list)  # line numbers, the first is 1
    unread: list[str] = field(default_factory=list)  # folders in it that cannot be read

    @property
    def name(self) -> str:
        """What the pack's own folder is called, also where the path is a dot."""
        return self.path.resolve().name

    def add(self, question: str, name: str, text: str, outcome: str = MISSED) -> None:
        self.problems.append(Problem(question, name, text, outcome))

    def answer(self, question: str) -> str:
        return worst([problem.outcome for problem in self.problems if problem.question == question])

    @property
    def outcome(self) -> str:
        return worst([self.answer(question) for question in QUESTIONS])

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


def shown(text: object) -> str:
    """The text with everything that could fool a terminal escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in str(text))[:300]


def parsed(content: bytes) -> Any:
    """JSON, or ValueError for whatever is wrong with it (NaN, nesting without end, numbers without end)."""

    def refuse(word: str) -> Any:
        raise ValueError(f"{word} is not JSON")

    if content.count(b"[") + content.count(b"{") > DEEPEST and depth_of(content) > DEEPEST:
        raise ValueError("nested too deeply")
    return json.loads(content.decode(), parse_constant=refuse)


def depth_of(content: bytes) -> int:
    """How deeply its brackets are nested, those in strings left out."""
    depth = deepest = 0
    for match in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', content, re.DOTALL):
        if match[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in b"]}":
            depth -= 1
    return deepest


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


def files_of(root: Path, report: Report) -> dict[str, str]:
    """Digest of every file in the pack, by relative path ("" where it cannot be read, and for an empty folder/)."""
    found: dict[str, str] = {}
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            where = shown(folder.relative_to(root))
            report.add("integrity", "unreadable", f"the folder {where} cannot be read: {error.strerror}", UNKNOWN)
            report.unread.append(f"{folder.relative_to(root).as_posix()}/")
            continue
        if not entries:
            found[f"{folder.relative_to(root).as_posix()}/"] = ""
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
                found[name] = ""
                try:
                    with opened(path) as source:
                        found[name] = hashlib.file_digest(source, "sha256").hexdigest()
                except OSError as error:
                    why = f"{shown(name)} cannot be read: {error.strerror}"
                    report.add("integrity", "unreadable", why, UNKNOWN)
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


def expected_key(key: str | Path | None, root: Path) -> tuple[str, Ed25519PublicKey | None]:
    """The fingerprint that the caller expects, and the key itself where a file was given. Errors: `BadInput`."""
    if key is None:
        return "", None
    digits = str(key).lower().removeprefix("sha256:").replace(":", "")
    if re.fullmatch("[0-9a-f]{64}", digits):
        return digits, None
    path = Path(key)
    try:
        inside = path.resolve().is_relative_to(root.resolve())
        with path.open("rb") as source:
            content = source.read(LARGEST[KEY])
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "not a file"
        why = "no key was given" if not str(key).strip(".") else why
        if re.fullmatch("[0-9a-f]{16,}", digits):
            why = f"{len(digits)} hex digits; a fingerprint has 64"
        raise BadInput(f"--key {shown(key)}: {why}", hint=KEY_FORMS) from None
    if inside:
        text = f"--key {shown(key)}: this key lies in the evidence itself and proves nothing"
        raise BadInput(text, hint="get the key, or its fingerprint, from whoever ran the drill, by another way")
    found = key_from(content)
    if found is None and b"PRIVATE KEY-----" in content:
        text = f"--key {shown(key)}: a private key; to verify, the public one is enough"
        command = f"openssl pkey -in {shown(shlex.quote(str(key)))} -pubout"
        raise BadInput(text, hint=f"`{command}` prints the public key: give that as a file")
    if found is None:
        raise BadInput(f"--key {shown(key)}: this file holds no Ed25519 public key in PEM", hint=KEY_FORMS)
    return fingerprint(found), found


# --- the seal -----------------------------------------------------------------------------------------------------


def signed_by(key: Ed25519PublicKey, signature: bytes, payload: bytes) -> bool:
    """DSSE v1: the signature is over this encoding of type and payload, not over the payload alone."""
    encoded = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    try:
        key.verify(signature, encoded)
    except InvalidSignature:
        return False
    return True


def check_seal(root: Path, report: Report, wanted: str, given: Ed25519PublicKey | None) -> dict[str, Any]:
    """The statement in the envelope ({} where there is none), after its form, its signature and its key."""
    statement: dict[str, Any] = {}
    try:
        content = content_of(root / ENVELOPE)
        report.digest = hashlib.sha256(content).hexdigest()
        envelope = parsed(content)
        payload, (signature,) = from_base64(envelope["payload"]), envelope["signatures"]
        keyid, sig = signature["keyid"], from_base64(signature["sig"])
        accepted = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": keyid, "sig": base64.b64encode(sig).decode()}],
        }
        if written(accepted) + b"\n" != content:
            report.add("integrity", "envelope-form", f"{ENVELOPE} is not in its one accepted form")
    except OSError as error:
        report.add("integrity", "no-seal", f"{ENVELOPE} is missing or cannot be read: {error.strerror}")
        payload, keyid, sig, envelope = b"", "", b"", {}
    except (ValueError, KeyError, TypeError) as error:
        report.add("integrity", "envelope-form", f"{ENVELOPE} is not a sealed envelope: {shown(error)}")
        payload, keyid, sig, envelope = b"", "", b"", {}
    lying: Ed25519PublicKey | None = None
    try:
        lying = key_from(content_of(root / KEY))
    except OSError as error:
        report.add("integrity", "no-key", f"{KEY} is missing or cannot be read: {error.strerror}")
    else:
        if lying is None:
            report.add("integrity", "no-key", f"{KEY} is not an Ed25519 public key")
    signer = None
    if envelope:
        signer = next((key for key in (given, lying) if key and signed_by(key, sig, payload)), None)
        if signer is None:
            report.add("integrity", "bad-signature", f"the signature in {ENVELOPE} does not fit its content and key")
        elif keyid != fingerprint(signer):
            report.add("integrity", "envelope-form", f"{ENVELOPE} names another key than the one that signed")
        statement = check_statement(payload, report)
    report.key = fingerprint(signer) if signer else ""
    if not wanted:
        report.add(
            "authorship",
            "no-key-given",
            f"give --key with what you got by another way than the pack. The key in the pack has the fingerprint "
            f"{report.key or (fingerprint(lying) if lying else 'unknown')}",
            UNKNOWN,
        )
    elif signer is None:
        report.add("authorship", "bad-signature", "nothing shows that the expected key has signed this")
    elif report.key != wanted:
        report.add("authorship", "other-key", f"it was sealed with the key {report.key}, not with {wanted}")
    return statement


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
        if statement["predicateType"] != PREDICATE_TYPE:
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
            and type(predicate["number"]) is int
            and isinstance(predicate["run"], str)
            and (predicate["previousPack"] == "none" or is_digest(predicate["previousPack"]))
            and all(isinstance(each, str) for each in predicate["unhealedFaults"])
            and type(journal["lines"]) is int
            and is_digest(journal["head"])
            and is_digest(journal["linesSha256"])
        )
        names = [each["name"] for each in statement["subject"]]
        if not sound or not all(is_safe(name) for name in names) or names != sorted(set(names), key=str.encode):
            raise ValueError("fields are missing or wrong")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        report.add("integrity", "statement-form", f"the signed statement cannot be read: {shown(error)}")
        return {}
    report.facts = predicate
    return dict(statement)


def is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def is_safe(name: object) -> bool:
    """A relative path that stays inside the pack and reads the same everywhere."""
    return (
        isinstance(name, str) and name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(name.split("/"))
    )


def check_files(root: Path, report: Report, statement: dict[str, Any], found: dict[str, str]) -> None:
    """Every file against the signed list, and SHA256SUMS against its one accepted form."""
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
    for name in sorted(truth.keys() | found.keys() - beside, key=lambda name: name.encode(errors="replace")):
        if name.startswith(tuple(report.unread)):
            continue  # nobody can say
        if name not in found:
            report.add("integrity", "file-removed", f"{shown(name)} was sealed and is not there")
        elif name.endswith("/"):
            if not any(each.startswith(name) for each in truth):  # else its files were removed, which is said already
                report.add("integrity", "folder-added", f"the empty folder {shown(name)} was not sealed")
        elif name not in truth:
            report.add("integrity", "file-added", f"{shown(name)} was not sealed")
        elif found[name] and found[name] != truth[name]:
            report.problems.append(changed(name))
    if removed := sum(problem.name == "file-removed" for problem in report.problems):
        report.add("completeness", "files-missing", f"{removed} of the sealed files are not there")


def changed(name: str) -> Problem:
    return Problem("integrity", "file-changed", f"{shown(name)} is not as it was sealed")


# --- the journal --------------------------------------------------------------------------------------------------


class Story:
    """What the journal tells that completeness hangs on; filled line by line."""

    def __init__(self) -> None:
        self.kinds: tuple[str, str] = ("", "")  # of the first and the last line
        self.first: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        self.hurt: dict[str, int] = {}  # fault: how many of its injections are not healed; none is left out
        self.open: dict[str, int] = {}  # scenario: line of its beginning, until its end
        self.begun: set[str] = set()
        self.digests: list[tuple[int, str, object]] = []  # line, file, digest
        self.torn: list[int] = []

    def tell(self, number: int, kind: str, data: dict[str, Any]) -> None:
        if number == 1:
            self.kinds, self.first = (kind, ""), data
        self.kinds, self.last = (self.kinds[0], kind), data
        name = str(data.get("fault" if kind.startswith("fault.") else "scenario"))
        if kind == "fault.intent":
            self.hurt[name] = self.hurt.get(name, 0) + 1
        elif kind == "fault.healed" and data.get("ok") is True and name in self.hurt:
            self.hurt[name] -= 1
            self.hurt = {fault: left for fault, left in self.hurt.items() if left}
        elif kind == "scenario.begin":
            self.open[name] = number
            self.begun.add(name)
        elif kind == "scenario.end":
            self.open.pop(name, None)
        elif kind in ("ledger", "rows"):
            self.digests.append((number, str(data.get("file")), data.get("sha256")))
        elif kind == "torn":
            self.torn.append(number)


class Chain:
    """The journal's lines, each checked against the one before."""

    def __init__(self) -> None:
        self.story = Story()
        self.problems: list[tuple[str, str]] = []
        self.redacted: list[int] = []
        self.number = 0
        self.head = "0" * 64
        self.listed = hashlib.sha256()

    def add(self, raw: bytes) -> None:
        """One more line, with its newline."""
        self.number += 1
        where = f"line {self.number} of {JOURNAL}"
        line = raw.removesuffix(b"\n")
        before, self.head = self.head, hashlib.sha256(line).hexdigest()
        fields, why = fields_of(line) if raw.endswith(b"\n") else ({}, "is torn: it has no end")
        if why:
            self.problems.append(("journal-line", f"{where} {why}"))
        elif fields["seq"] != self.number - 1:
            text = f"{where} has the number {shown(fields['seq'])} in place of {self.number - 1}"
            self.problems.append(("sequence-gap", text))
        if "redacted" in fields:
            self.redacted.append(self.number)
            self.head = fields["redacted"]
            self.story.tell(self.number, "redacted", {})
        elif fields:
            if fields["prev"] != before:
                self.problems.append(("chain-broken", f"the chain is broken at {where}"))
            self.story.tell(self.number, fields["kind"], fields["data"])
        self.listed.update(self.head.encode() + b"\n")

    def end(self, signed: dict[str, Any]) -> None:
        """Compare with what was signed. The list of digests also binds the lines before a redacted one."""
        if self.number != signed["lines"]:
            text = f"{JOURNAL} has {counted(self.number, 'line')}; {shown(signed['lines'])} were sealed"
            self.problems.append(("journal-length", text))
        if self.head != signed["head"]:
            self.problems.append(("journal-head", f"the last line of {JOURNAL} is not the one that was sealed"))
        if self.listed.hexdigest() != signed["linesSha256"]:
            self.problems.append(("journal-lines", f"the lines of {JOURNAL} are not those that were sealed"))


def check_journal(root: Path, report: Report, statement: dict[str, Any]) -> Story | None:
    """The chain, from the first line to the signed head. None where it cannot be read at all."""
    chain = Chain()
    try:
        with opened(root / JOURNAL) as source:
            while line := source.readline(LONGEST_LINE):
                chain.add(line)
    except OSError as error:
        report.add("integrity", "no-journal", f"{JOURNAL} is missing or cannot be read: {error.strerror}")
        return None
    if statement:
        chain.end(report.facts["journal"])
    for name, text in chain.problems[:MANY]:
        report.add("integrity", name, text)
    if len(chain.problems) > MANY:
        more = counted(len(chain.problems) - MANY, "more problem")
        report.add("integrity", chain.problems[MANY][0], f"{more} in {JOURNAL}")
    report.redacted = chain.redacted
    if chain.redacted:
        lines = ("line " if len(chain.redacted) == 1 else "lines ") + ", ".join(map(str, chain.redacted))
        report.notes.append(f"redacted: {lines} of {JOURNAL}: what was said there is withheld, and is not judged")
        if statement and not chain.problems:
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
    if type(fields.get("v")) is not int or fields["v"] != 1:
        return {}, f"has an unknown format version {shown(fields.get('v'))}"
    if list(fields) == ["v", "seq", "redacted"] and type(fields["seq"]) is int and is_digest(fields["redacted"]):
        return fields, ""
    sound = (
        list(fields) == LINE_KEYS
        and type(fields["seq"]) is int
        and is_digest(fields["prev"])
        and re.fullmatch("[0-9a-f]{32}", str(fields["salt"])) is not None
        and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", str(fields["utc"])) is not None
        and type(fields["mono"]) is int
        and isinstance(fields["kind"], str)
        and isinstance(fields["data"], dict)
    )
    return (fields, "") if sound else ({}, "has not the fields of a fact")


def check_story(report: Report, story: Story, found: dict[str, str]) -> None:
    """Does the journal tell a run from its first line to its last, and does it fit the files and the seal?"""
    for place, kind, want in (("first", story.kinds[0], "run.begin"), ("last", story.kinds[1], "run.end")):
        if kind == "redacted":
            report.add("completeness", "line-redacted", f"the {place} line is redacted: {want} is not shown", UNKNOWN)
        elif kind != want:
            report.add("completeness", f"no-{want.replace('.', '-')}", f"the {place} line of the journal is not {want}")
    check_against_seal(report, story)
    for number, name, digest in story.digests:
        if name not in found:
            report.add("completeness", "file-not-there", f"line {number} speaks of {shown(name)}, which is not there")
        elif found[name] and found[name] != digest:
            report.add("integrity", "digest-differs", f"{shown(name)} is not what line {number} of the journal says")
    digests = story.first.get("digests")
    plan = digests.get("plan") if isinstance(digests, dict) else None
    if is_digest(plan) and found.get("plan.yaml", plan) not in ("", plan):
        report.add("integrity", "digest-differs", "plan.yaml is not the plan that the journal's first line names")
    if story.torn:
        report.notes.append(f"the run was killed in the middle of a line: see line {', '.join(map(str, story.torn))}")
    outcome = story.last.get("outcome") if story.kinds[1] == "run.end" else None
    if outcome in ("stopped", "killed", "aborted"):
        report.notes.append(f"the run was {outcome} before its end; what it had shown until then stands")
    elif outcome == "completed" and not report.redacted:
        check_completed(report, story, found)


def check_against_seal(report: Report, story: Story) -> None:
    """The signed statement repeats some of the journal; where a line is redacted, the statement speaks for it."""
    unhealed = set(story.hurt)
    if report.facts:
        names = (("run", "run"), ("number", "number"), ("previous", "previousPack"), ("nonce", "nonce"))
        differ = [ours for ours, theirs in names if story.first.get(ours) != report.facts.get(theirs)]
        signed = set(report.facts["unhealedFaults"])
        if story.kinds[0] != "run.begin":
            differ = []
        if report.redacted:
            unhealed = signed
        elif unhealed != signed:
            differ.append("faults that were not healed")
        if differ:
            report.add("integrity", "statement-differs", f"seal and journal differ in: {', '.join(differ)}")
    for fault in sorted(unhealed):
        report.add("completeness", "unhealed-fault", f"the fault {shown(fault)} was injected and is not shown healed")


def check_completed(report: Report, story: Story, found: dict[str, str]) -> None:
    """A run that says that it was completed has left nothing out."""
    planned = story.first.get("scenarios")
    missing = {str(name) for name in planned} - story.begun if isinstance(planned, list) else set()
    told = {name for _, name, _ in story.digests}
    for name in sorted(missing):
        report.add("completeness", "scenario-missing", f"the scenario {shown(name)} was announced and not begun")
    for name in sorted(story.open):
        report.add("completeness", "scenario-open", f"the scenario {shown(name)} has no end")
    for name in sorted(found):
        if re.fullmatch(r"scenarios/.+/(?:ledger|rows)-[^/]*\.jsonl", name) and name not in told:
            report.add("completeness", "not-digested", f"the journal does not speak of {shown(name)}")


# --- packs and folders --------------------------------------------------------------------------------------------


def verify_pack(path: Path, *, key: str | Path | None = None) -> Report:
    """Answer the three questions about one pack. `key`: a PEM file or a fingerprint from elsewhere.

    Errors: `BadInput` when `path` is not a pack at all, or `key` is not a key.
    """
    root = Path(path)
    if not is_pack(root):
        text = f"{shown(path)} is not an evidence pack: it holds no {ENVELOPE}, no {SUMS} and no {JOURNAL}"
        raise BadInput(text, hint=NAME_A_PACK)
    wanted, given = expected_key(key, root)
    report = Report(root)
    statement = check_seal(root, report, wanted, given)
    found = files_of(root, report)
    check_files(root, report, statement, found)
    story = check_journal(root, report, statement)
    if story is None:
        report.add("completeness", "no-journal", "without the journal nothing shows what the run did")
    else:
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


def verify_folder(path: Path, *, key: str | Path | None = None, may_be_empty: bool = False) -> FolderReport:
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
                answer.packs.append(verify_pack(entry, key=key))
            else:
                answer.notes.append(f"{shown(entry.name)} is not a pack and was not looked at")
        except (BadInput, OSError) as error:
            text = f"{shown(entry.name)} cannot be looked at: {shown(error)}"
            answer.problems.append(Problem("integrity", "unreadable", text, UNKNOWN))
    if not answer.packs and not answer.problems and not may_be_empty:
        raise BadInput(f"{shown(path)} holds no evidence pack", hint=NAME_A_PACK)
    answer.packs.sort(key=lambda pack: (pack.facts.get("number", 0), pack.name))
    check_succession(answer)
    return answer


NOT_SEALED = Problem("completeness", "unfinished", "not sealed: its run goes on or was killed", UNKNOWN)


def unsealed(path: Path) -> FolderReport:
    """The answer about the folder of a run that nobody has sealed yet: none."""
    return FolderReport(Path(path), problems=[NOT_SEALED])


def check_succession(answer: FolderReport) -> None:
    """The numbers without a gap, and each pack naming the digest of the one before.

    Only what a signature fits has a place in the series: anybody can write any number into a folder. A copy of a pack
    that was spoiled there speaks for nothing either.
    """

    def add(name: str, text: str) -> None:
        answer.problems.append(Problem("completeness", name, text))

    packs = [pack for pack in answer.packs if is_placed(pack)]
    by_number: dict[int, list[Report]] = {}
    by_previous: dict[str, list[Report]] = {}
    for pack in packs:
        by_number.setdefault(pack.facts["number"], []).append(pack)
        by_previous.setdefault(pack.facts["previousPack"], []).append(pack)
    for number, same in sorted(by_number.items()):
        if len(same) > 1:
            add("duplicate", f"number {number} is there more than once: {names(same)}")
    for previous, same in sorted(by_previous.items()):
        if len({pack.digest for pack in same}) > 1:
            add("branch", f"these name the same pack before them ({previous[:16]}): {names(same)}")
    expected = 1
    for number in sorted(by_number):
        if number > expected:
            gone = str(expected) if number == expected + 1 else f"{expected} to {number - 1}"
            add("gap", f"run {gone} is not here: it was removed, or never sealed")
        expected = number + 1
        before = by_number.get(number - 1, [])
        for pack in by_number[number]:
            previous = pack.facts["previousPack"]
            if before and previous not in {each.digest for each in before}:
                add("replaced", f"{names(before)} is not the pack that {names([pack])} names as the one before it")
            elif number == 1 and previous != "none":
                add("replaced", f"{names([pack])} has number 1, yet names a pack before it")
    keys = {pack.key for pack in packs}
    if len(keys) > 1:
        answer.notes.append(f"sealed with {len(keys)} keys: {', '.join(sorted(keys))}")


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
    rf"{RECEIPT}1(?:beginnumber:(?P<begun>[1-9]\d{{0,14}})nonce:(?P<nonce>[\w.~%-]{{0,80}}?)first:(?P<first>[0-9a-f]{{64}})"
    rf"|endnumber:(?P<ended>[1-9]\d{{0,14}})payload:(?P<payload>[0-9a-f]{{64}}))check:(?P<check>[0-9a-f]{{8}})"
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

    @property
    def line(self) -> str:
        """The receipt in its one form, without a newline."""
        told = f"begin number:{self.number} nonce:{self.nonce} first:{self.first}"
        text = f"{RECEIPT} 1 {f'end number:{self.number} payload:{self.payload}' if self.payload else told}"
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
        number = int(match["begun"] or match["ended"] or 0)
        receipt = Receipt(number, *(match[part] or "" for part in ("nonce", "first", "payload")))
        if version is None and receipt.line.endswith(f" check:{match['check']}"):
            found[receipt] = None
            continue
        name, what = "receipt-damaged", "is damaged: letters of it were lost or changed"
        if version is not None and version != "1":
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
    number: int
    nonce: str
    first: str
    payload: str


def told_by(pack: Report) -> Told:
    number = pack.facts["number"] if is_placed(pack) else 0
    return Told(pack, number, nonce_word(pack.facts.get("nonce")), first_line(pack.path), signed_digest(pack.path))


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
        ours = {receipt.number for receipt in found if receipt.first == packs[0].first} | {packs[0].number}
        found = [receipt for receipt in found if receipt.number in ours or receipt.payload == packs[0].payload]
    going_on = set() if alone else {first_line(each) for each in answer.path.glob(f"*{UNFINISHED}")}
    by_number: dict[int, list[Receipt]] = {}
    for receipt in found:
        by_number.setdefault(receipt.number, []).append(receipt)
    in_doubt = UNKNOWN if damaged else MISSED  # what it is where a receipt is not there
    wrong = [
        problem
        for number, theirs in sorted(by_number.items())
        for problem in check_number(number, theirs, packs, going_on, in_doubt=in_doubt)
    ]
    wrong += unannounced(by_number.keys(), packs, in_doubt=UNKNOWN if alone else in_doubt)
    answer.problems += damaged + wrong
    answer.notes = [note for note in answer.notes if note != RECEIPTS_LIE]
    if not wrong and not damaged:
        runs = counted(len(by_number), "run")
        answer.notes.append(f"held against the receipts of {runs}: every start has its end, and every end its pack")
    if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(answer.path)):
        answer.notes.append("the receipts lie in the evidence itself: what somebody sent you before says more")


def check_number(
    number: int, receipts: list[Receipt], packs: list[Told], going_on: set[str], *, in_doubt: str
) -> list[Problem]:
    """What is wrong with the run of one number, which the receipts are of."""
    begun = [receipt for receipt in receipts if not receipt.payload]
    ended = [receipt for receipt in receipts if receipt.payload]
    here = [told for told in packs if told.number == number]
    called = names([told.pack for told in here])
    wrong = []

    def add(name: str, text: str, outcome: str = MISSED) -> None:
        wrong.append(Problem("completeness", name, f"run {number} {text}", outcome))

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
        elif (numbers := {told.number for told in same if told.number}) and number not in numbers:
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
        if told.number and told.number not in numbers and told.number >= oldest:
            late = told.number > newest
            text = f"no receipt speaks of {shown(told.pack.name)}, run {told.number}"
            more = ", which is newer than all of them" if late and newest else ""
            wrong.append(Problem("completeness", "receipt-none", text + more, UNKNOWN if late else in_doubt))
    return wrong


def names(packs: list[Report]) -> str:
    return ", ".join(shown(pack.name) for pack in packs)


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# --- the same by hand, and how it is told -------------------------------------------------------------------------

# (what, why, commands). They run in any POSIX shell, from inside the pack, and print a line with BAD for each problem.
BY_HAND: tuple[tuple[str, str, str], ...] = (
    (
        "Whom do you expect?",
        "Get the fingerprint of the signing key from whoever ran the drill, by another way than this pack. "
        "Put it between the quotes; without it, who sealed the pack stays unknown.",
        """\
EXPECTED="${EXPECTED:-}"
export LC_ALL=C; T=$(mktemp -d)
FOUND=$(openssl pkey -pubin -in public-key.pem -outform DER | sha256sum | cut -c1-64)
openssl pkey -pubin -in public-key.pem -noout -text | grep -q '^ED25519' || echo "BAD  the key is not Ed25519"
if [ -z "$EXPECTED" ]; then echo "UNKNOWN  the key in the pack is $FOUND"
elif [ "$EXPECTED" = "$FOUND" ]; then echo "OK   the key is the one you expect"
else echo "BAD  the key is $FOUND"; fi""",
    ),
    (
        "The signature",
        "It is Ed25519, over the DSSE encoding: the word DSSEv1, length and text of the type, length and text of the "
        "signed statement. The envelope must be exactly what its parts make again.",
        """\
sed -n 's/^{"payload":"\\([^"]*\\)".*/\\1/p' pack.dsse.json | openssl base64 -d -A > "$T/statement"
sed -n 's/.*"sig":"\\([^"]*\\)".*/\\1/p' pack.dsse.json | openssl base64 -d -A > "$T/signature"
{ printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < "$T/statement")"; cat "$T/statement"; } > "$T/encoded"
openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in "$T/encoded" -sigfile "$T/signature" > "$T/said" 2>&1 \\
  && echo "OK   the signature fits" || echo "BAD  the signature does not fit"
{ printf '{"payload":"'; openssl base64 -A -in "$T/statement"
  printf '","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"%s","sig":"' "$FOUND"
  openssl base64 -A -in "$T/signature"; printf '"}]}\\n'; } | cmp -s - pack.dsse.json \\
  && echo "OK   the envelope is in its one form" || echo "BAD  the envelope is not in its one form" """.rstrip(),
    ),
    (
        "The files",
        "The signed statement names the digest of SHA256SUMS, and SHA256SUMS names every other file.",
        """\
SIGNED=$(sed -n 's/.*"digest":{"sha256":"\\([0-9a-f]*\\)"},"name":"SHA256SUMS"}.*/\\1/p' "$T/statement")
[ "$(sha256sum < SHA256SUMS | cut -c1-64)" = "$SIGNED" ] || echo "BAD  SHA256SUMS is not the one that was signed"
HIDDEN=$(grep -c '^{"v":1,"seq":[0-9]*,"redacted":"' journal.jsonl)
sha256sum -c SHA256SUMS 2> "$T/said" | grep -v ': OK$' | while IFS= read -r LINE; do
  [ "$HIDDEN" -gt 0 ] && [ "$LINE" = "journal.jsonl: FAILED" ] || echo "BAD  $LINE"; done
{ cut -c67- SHA256SUMS; echo SHA256SUMS; echo pack.dsse.json; } | sort > "$T/listed"
find . -type f | sed 's|^\\./||' | sort > "$T/there"
comm -3 "$T/listed" "$T/there" | sed 's/^/BAD  added or removed: /'
find . ! -type f ! -type d | sed 's/^/BAD  neither a file nor a folder: /'
find . -type d | while IFS= read -r LINE; do [ -n "$(ls -A "$LINE")" ] || echo "BAD  an empty folder: $LINE"; done
echo "OK   the files have been compared" """.rstrip(),
    ),
    (
        "The journal",
        "Each line names the digest of the line before it. The statement names the number of lines, the digest of the "
        "last, and one digest over the list of all of them. Where a line was redacted, its digest stands in its place.",
        """\
N=0; PREV=0000000000000000000000000000000000000000000000000000000000000000; : > "$T/digests"
while IFS= read -r LINE; do
  DIGEST=$(printf '%s' "$LINE" | sha256sum | cut -c1-64)
  case $LINE in
    '{"v":1,"seq":'"$N"',"redacted":"'*)
      DIGEST=${LINE#*redacted\\":\\"}; DIGEST=${DIGEST%\\"\\}}; echo "NOTE line $((N + 1)) is redacted";;
    '{"v":1,"seq":'"$N"',"prev":"'"$PREV"'",'*) ;;
    *) echo "BAD  the chain is broken at line $((N + 1))";;
  esac
  PREV=$DIGEST; N=$((N + 1)); echo "$DIGEST" >> "$T/digests"
done < journal.jsonl
LIST=$(sha256sum < "$T/digests" | cut -c1-64)
printf '"journal":{"head":"%s","lines":%d,"linesSha256":"%s"}' "$PREV" "$N" "$LIST" > "$T/journal"
grep -q -F -f "$T/journal" "$T/statement" && echo "OK   the journal is the one that was sealed" \\
  || echo "BAD  the journal is not the one that was sealed"
for KIND in ledger rows; do
  sed -n 's/^{.*,"kind":"'$KIND'","data":{\\(.*\\)}}$/\\1/p' journal.jsonl | while IFS= read -r LINE; do
    NAME=$(printf '%s\\n' "$LINE" | sed 's/.*"file":"\\([^"]*\\)".*/\\1/')
    DIGEST=$(printf '%s\\n' "$LINE" | sed 's/.*"sha256":"\\([0-9a-f]*\\)".*/\\1/')
    [ "$(sha256sum < "$NAME" | cut -c1-64)" = "$DIGEST" ] || echo "BAD  $NAME is not what the journal says"
  done
done""",
    ),
    (
        "Is anything missing?",
        "A journal begins with run.begin and ends with run.end, and every fault that was injected was healed. What "
        "this folder is called is not sealed: the run is what the first line says.",
        """\
sed -n 1p journal.jsonl | grep -q '"kind":"run.begin"' || echo "BAD  the first line is not run.begin"
sed -n '$p' journal.jsonl | grep -q '"kind":"run.end"' || echo "BAD  the last line is not run.end"
grep -q -F '"unhealedFaults":[]' "$T/statement" || echo "BAD  a fault was not healed"
RUN=$(sed -n '1s/.*"data":{"run":"\\([^"]*\\)".*/\\1/p' journal.jsonl)
[ "${RUN:-$(basename "$PWD")}" = "$(basename "$PWD")" ] || echo "NOTE this folder was renamed: it holds the run $RUN"
rm -r "$T"
echo "Done: every line with BAD is a problem." """.rstrip(),
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


def text_of(report: Report) -> str:
    """The answers first, each with its reasons; then what the pack says of itself."""
    facts = report.facts
    lines = [f"Pack {shown(report.name)}: {report.outcome}"]
    for question in QUESTIONS:
        answer = report.answer(question)
        lines.append(f"  {question.capitalize():<13} {answer:<8}{GOOD[question] if answer == MET else ''}".rstrip())
        lines += [f"      {p.name}: {p.text}" for p in report.problems if p.question == question]
    lines += [f"  Note: {note}" for note in report.notes]
    if facts:
        verdict = facts["verdict"] if isinstance(facts.get("verdict"), dict) else {}
        lines += [
            "  In its own words, which are not judged here:",
            f"      run {shown(facts['run'])}, number {facts['number']}, verdict {shown(verdict.get('run'))}",
            f"      environment class: {shown(facts.get('environmentClass'))}",
            f"      began {shown(facts.get('startedOn'))}, ended {shown(facts.get('endedOn'))}, "
            f"sealed {shown(facts.get('sealedOn'))}",
            f"      the pack before it: {facts['previousPack']}",
        ]
    return "\n".join([*lines, f"  Digest of {ENVELOPE}: {report.digest or 'none'}"]) + "\n"


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
        many = "the runs follow one another without a gap, each naming the pack before it"
        lines.append(f"  {many if len(answer.packs) > 1 else 'it is number 1, the first of its series'}")
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
    )


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
    receipts: Path | None = None,
    say: Callable[[str], object] = print,
) -> int:
    """Say the answer about a pack or a folder of packs, and return the exit code. Errors: `BadInput`."""
    looked = is_pack(path)
    if path.resolve().name.endswith(UNFINISHED) and not os.path.lexists(path / ENVELOPE):
        answer: Report | FolderReport = unsealed(path)
    else:
        bare = receipts is not None  # they say what had to be there, also where nothing is
        answer = verify_pack(path, key=key) if looked else verify_folder(path, key=key, may_be_empty=bare)
        if receipts is not None:
            check_receipts(answer, receipts)
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
        say(f"{told}\nWhat this does not say:\n{limits}\n\n{hand}")
    return EXITS[answer.outcome]


def main(argv: list[str] | None = None, *, say: Callable[[str], object] = print) -> int:
    parser = Parser(prog="verify", description="Verify an evidence pack, or a folder of packs.")
    parser.add_argument("path", type=Path, help="a pack, or a folder of packs")
    parser.add_argument("--key", metavar="FILE|FINGERPRINT", help=KEY_HELP)
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
