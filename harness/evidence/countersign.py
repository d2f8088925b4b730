"""The signature of another key, added to a sealed pack: somebody else vouches for the very bytes that were sealed.

What was signed does not change, and so no digest by which a pack of format 2 is known. What the one who signs is to
anybody (auditor, manager) stands in no pack: whoever verifies says it, in a trust file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.errors import Refused
from harness.evidence import files, verify
from harness.evidence.keys import fingerprint
from harness.evidence.numbers import ENVELOPE
from harness.evidence.seal import envelope, signature
from harness.system.durable import sync_folder


def countersign(pack: Path, *, key: Ed25519PrivateKey, sealed_by: str | None = None) -> str:
    """Add the signature of `key`, and return its fingerprint. `sealed_by`: the key that has to have sealed the pack.

    Errors: `Refused` where the pack does not verify, is of format 1, or has a signature of this key already.
    """
    try:
        report = verify.verify_pack(pack, key=sealed_by)
        asked = verify.QUESTIONS if sealed_by else ("integrity", "completeness")
        if wrong := [each for each in report.problems if each.question in asked]:
            raise Refused(f"{pack}: it does not verify: {wrong[0].text}", hint="sign what `drdrill verify` finds sound")
        if report.format < 2:  # its digest in the chain is that of the envelope
            raise Refused(f"{pack}: a pack of format 1 has one signature", hint="sign its receipt, or its digest")
        ours = fingerprint(key.public_key())
        if any(each.keyid == ours for each in report.signatures):
            raise Refused(f"{pack}: the key {ours} has signed it already", hint="name the key of somebody else")
        wrapped = json.loads(files.content(pack / ENVELOPE, largest=files.LARGEST_ENVELOPE))
        payload = verify.from_base64(wrapped["payload"])
        signatures = [*wrapped["signatures"], signature(payload, key=key)]
        if len(signatures) > verify.MOST_SIGNATURES:
            raise Refused(f"{pack}: it has {verify.MOST_SIGNATURES} signatures", hint="no more are read")
        _replace(pack, envelope(payload, signatures))
    except verify.BadInput as error:
        raise Refused(str(error), hint=error.hint) from None
    except OSError as error:
        hint = "nothing was changed: mend the permission or the room"
        raise Refused(f"{error.filename or pack}: {error.strerror}", hint=hint) from None
    return ours


def _replace(pack: Path, content: bytes) -> None:
    """At once: a kill leaves the old envelope or the new one, and nothing beside it in the pack."""
    beside = pack.resolve().with_name(f".{pack.resolve().name}.countersign")
    with beside.open("wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())
    beside.replace(pack / ENVELOPE)
    sync_folder(pack)
