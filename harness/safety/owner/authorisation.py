"""Who lets a drill be run on a platform: a signed word about one stack file, some drills, and a time.

The file is the envelope of a pack (DSSE over an in-toto statement), and after it, in PEM, the public keys of those who
signed. A key that lies beside what it signed proves nothing: it counts where its fingerprint was given from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from harness.errors import Refused
from harness.evidence import verify
from harness.evidence.keys import fingerprint, public_pem
from harness.evidence.seal import PAYLOAD_TYPE, STATEMENT_TYPE, envelope, signature
from harness.stacks.attached.file.described import StackFile
from harness.system import clock

TYPE = "https://drdrill.dev/authorisation/v1"
FILE = "authorisation.dsse"  # as it lies in a run's folder, and in its pack
LONGEST = timedelta(days=31)  # from its beginning to its end
LARGEST = 1 << 20  # bytes
END_OF_KEY = "-----END PUBLIC KEY-----\n"
HINT = "`drdrill authorise --help` says how one is made"


@dataclass(frozen=True)
class Authorised:
    """What holds: who said so, as claimed, by which keys, and until when."""

    by: str
    keys: tuple[str, ...]  # fingerprints that were trusted, of those who signed
    operator: str
    drills: tuple[str, ...]
    begins: datetime
    until: datetime
    why: str
    digest: str  # of the file

    def facts(self) -> dict[str, Any]:
        """As a journal has them."""
        return {
            "by": self.by, "keys": list(self.keys), "operator": self.operator, "drills": list(self.drills),
            "begins": clock.utc_text(self.begins), "until": clock.utc_text(self.until), "why": self.why,
            "sha256": self.digest,
        }  # fmt: skip  # in groups


@dataclass(frozen=True)
class Approval:
    """What somebody lets be done. `by`: who, as claimed; `operator`: who alone may run it, empty: anybody."""

    by: str
    operator: str
    drills: tuple[str, ...]
    why: str
    begins: datetime
    until: datetime


def made(said: StackFile, approval: Approval, *, key: Ed25519PrivateKey) -> bytes:
    """A file with one signature. Errors: `Refused` where its time makes no sense."""
    begins, until = approval.begins, approval.until
    if not begins < until <= begins + LONGEST:
        hint = "give another time with --until"
        raise Refused("an authorisation ends after it begins, and within 31 days", hint=hint)
    payload = verify.written(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": said.path.name, "digest": {"sha256": said.digest}}],
            "predicateType": TYPE,
            "predicate": {
                "platform": said.platform.name, "environment": said.platform.environment,
                "drills": sorted(approval.drills),
                "by": approval.by, "operator": approval.operator, "why": approval.why,
                "begins": clock.utc_text(begins),
                "until": clock.utc_text(until), "nonce": secrets.token_hex(16),
            },
        }
    )  # fmt: skip  # in groups
    return envelope(payload, [signature(payload, key=key)]) + public_pem(key.public_key())


def signed_too(content: bytes, *, key: Ed25519PrivateKey) -> bytes:
    """The same with one signature more. Errors: `Refused`, also where this key has signed it already."""
    payload, signatures, keys = _read(content, "it")
    ours = fingerprint(key.public_key())
    if ours in keys:
        raise Refused(f"the key {ours} has signed it already", hint="name the key of somebody else: DRDRILL_KEY=FILE")
    pems = b"".join(public_pem(each) for each in [*keys.values(), key.public_key()])
    return envelope(payload, [*_listed(signatures), signature(payload, key=key)]) + pems


def told(content: bytes) -> dict[str, Any]:
    """What it says, whoever signed it: for whoever is to sign it, too. Errors: `Refused`."""
    statement: dict[str, Any] = json.loads(_read(content, "it")[0])
    return {**statement["predicate"], "stack file": statement["subject"][0]["digest"]["sha256"]}


@dataclass(frozen=True)
class Wanted:
    """What is to be let: these drills, now, by this operator (as claimed), on the platform of this file as it is."""

    said: StackFile
    drills: Collection[str]
    operator: str
    moment: datetime


def check(file: Path, wanted: Wanted, *, authorities: Collection[str], own: str) -> Authorised:
    """That it lets this be done.

    `authorities`: fingerprints that were given from elsewhere. `own`: that of the operator's key, which counts for
    nothing. Errors: `Refused`, with what is wrong.
    """
    content = _content(file)
    payload, signatures, keys = _read(content, str(file))
    if not authorities:
        hint = "--authority FINGERPRINT, as whoever authorises gave it to you by another way"
        raise Refused(f"{file}: nobody says whose signature counts", hint=hint)
    if own in authorities:
        raise Refused(f"the authority {own} is your own key", hint="somebody else authorises: name their key")
    valid = [name for name, sig in signatures if name in keys and verify.signed_by(keys[name], sig, payload)]
    if len(valid) < len(signatures):
        raise Refused(f"{file}: a signature does not fit what it is over", hint=f"it was changed; {HINT}")
    trusted = tuple(name for name in valid if name in authorities)
    if not trusted:
        hint = "is the fingerprint that of whoever authorised? your own key cannot"
        raise Refused(f"{file}: nobody has signed it whose key you were given: {', '.join(valid)}", hint=hint)
    found = _authorised(file, payload, trusted, hashlib.sha256(content).hexdigest())
    _must_fit(file, payload, found, wanted)
    return found


def _must_fit(file: Path, payload: bytes, found: Authorised, wanted: Wanted) -> None:
    statement, said, operator = json.loads(payload), wanted.said, wanted.operator
    if statement["subject"][0]["digest"]["sha256"] != said.digest:
        what = f"{file}: it is about another stack file, or {said.path.name} was changed since"
        raise Refused(what, hint=f"have this one authorised: sha256 {said.digest}")
    if beyond := sorted(set(wanted.drills) - set(found.drills)):
        what = f"{file}: it lets {', '.join(found.drills)} be run, and not {', '.join(beyond)}"
        raise Refused(what, hint=f"have that authorised; {HINT}")
    if found.operator and found.operator != operator:
        raise Refused(f"{file}: it lets {found.operator} run it, and not {operator}", hint=HINT)
    if wanted.moment < found.begins:
        raise Refused(f"{file}: it holds from {clock.utc_text(found.begins)} on", hint="wait until then")
    if wanted.moment >= found.until:
        raise Refused(f"{file}: it has expired, at {clock.utc_text(found.until)}", hint=f"ask for another; {HINT}")


def _authorised(file: Path, payload: bytes, trusted: tuple[str, ...], digest: str) -> Authorised:
    said = json.loads(payload)["predicate"]
    try:
        begins, until = (datetime.fromisoformat(str(said[name])) for name in ("begins", "until"))
        if begins.tzinfo is None or not begins < until <= begins + LONGEST:
            raise ValueError
        names = tuple(map(str, said["drills"]))
        return Authorised(
            str(said["by"]), trusted, str(said["operator"]), names, begins, until, str(said["why"]), digest
        )
    except (KeyError, TypeError, ValueError):
        raise Refused(f"{file}: its statement is not whole", hint=HINT) from None


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as source:
            return source.read(LARGEST)
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}", hint=f"name the file that you were given; {HINT}") from None


def _read(content: bytes, name: str) -> tuple[bytes, list[tuple[str, bytes]], dict[str, Ed25519PublicKey]]:
    """What was signed, the signatures, and the keys that lie beside. Errors: `Refused` where it is in another form."""
    line, _, rest = content.partition(b"\n")
    try:
        wrapped = verify.parsed(line)
        payload = verify.from_base64(wrapped["payload"])
        signatures = [(str(each["keyid"]), verify.from_base64(each["sig"])) for each in wrapped["signatures"]]
        statement = verify.parsed(payload)
        keys = _keys(rest.decode("ascii"))
        again = envelope(payload, _listed(signatures))
        sound = (
            wrapped["payloadType"] == PAYLOAD_TYPE
            and statement["predicateType"] == TYPE
            and statement["_type"] == STATEMENT_TYPE
            and verify.written(statement) == payload
            and len(statement["subject"]) == 1
            and again == line + b"\n"
            and verify.in_order(signatures)
            and {fingerprint(key) for key in keys} == {keyid for keyid, _ in signatures}
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise Refused(f"{name}: not an authorisation, or it was changed", hint=HINT)
    return payload, signatures, {fingerprint(key): key for key in keys}


def _listed(signatures: list[tuple[str, bytes]]) -> list[dict[str, str]]:
    return [{"keyid": name, "sig": base64.b64encode(sig).decode()} for name, sig in signatures]


def _keys(text: str) -> list[Ed25519PublicKey]:
    """Errors: `ValueError` where something else is there."""
    pems = [part + END_OF_KEY for part in text.split(END_OF_KEY)[:-1]]
    found = [key for pem in pems if (key := verify.key_from(pem.encode())) is not None]
    if b"".join(map(public_pem, found)).decode() != text:
        raise ValueError("not keys alone")
    return found
