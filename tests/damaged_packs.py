"""Packs that somebody with the tooling has tampered with: sealed again, chained again, signed garbage."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.evidence.keys import fingerprint, public_pem
from harness.evidence.seal import envelope, signature, statement
from harness.evidence.verify import main, verify_pack
from tests.made_packs import OUR_PRINT, OURS

JOURNAL = "journal.jsonl"


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
    before = payload(pack)
    predicate, version = before["predicate"], int(before["predicateType"][-1])
    for name in ("SHA256SUMS", "pack.dsse.json"):
        (pack / name).unlink()
    (pack / "public-key.pem").write_bytes(public_pem(key.public_key()))
    lines = [hashlib.sha256(line).hexdigest() for line in (pack / JOURNAL).read_bytes().splitlines()]
    listed = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    predicate["journal"] |= {"lines": len(lines), "head": lines[-1], "linesSha256": listed}
    if version > 1:
        predicate["journal"]["kinds"] = Counter(map(kind_of, lines_of(pack)))
        predicate["keyid"] = fingerprint(key.public_key())
    change(predicate)
    files = {path.relative_to(pack).as_posix(): path for path in pack.rglob("*") if path.is_file()}
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    sums = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    (pack / "SHA256SUMS").write_text(sums)
    digests["SHA256SUMS"] = hashlib.sha256(sums.encode()).hexdigest()
    told = statement(digests, predicate, version=version)
    (pack / "pack.dsse.json").write_bytes(envelope(told, [signature(told, key=key)]))
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


def kind_of(line: bytes) -> str:
    """Of a line that may be anything."""
    try:
        return str(json.loads(line)["kind"])
    except (ValueError, KeyError, TypeError):
        return "none"


def lines_of(pack: Path) -> list[bytes]:
    return (pack / JOURNAL).read_bytes().splitlines()


def signed(pack: Path, told: bytes) -> None:
    (pack / "pack.dsse.json").write_bytes(envelope(told, [signature(told, key=OURS)]))


def canonical(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def said(*argv: str) -> tuple[int, str]:
    """The exit code, and all that the command said: the answer, or the error."""
    out = io.StringIO()
    with redirect_stderr(out):
        code = main([str(word) for word in argv], say=lambda text: print(text, file=out))
    return code, out.getvalue()
