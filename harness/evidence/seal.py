"""The seal: digests of every file, and a signature over them; then one rename, which is the commit.

A pack is written in its unfinished folder and everything is fsynced before the folder gets its final name, so a pack
under its final name is whole. Killed at any point before, `seal` is simply run again: what it had half made is made
anew. It shares no code with the verifier but the words of the printed commands.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.errors import DrillError, Refused
from harness.evidence.guide import guide
from harness.evidence.keys import fingerprint, public_pem
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.lines import Line, read
from harness.evidence.numbers import ENVELOPE, newest, pack_digest
from harness.evidence.redact import Redactor
from harness.evidence.scan import scan
from harness.system import clock
from harness.system.durable import sync_folder, sync_tree

__all__ = ["newest", "pack_digest", "seal"]

SAID_BY_2 = {"stream": "main", "rehearsal": False, "harness": {}, "project": {}}  # where the first line says nothing
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://drdrill.dev/evidence-pack/v"  # and the format of the journal's first line
FINDINGS, GUIDE, SUMS, KEY = "findings.json", "VERIFY.md", "SHA256SUMS", "public-key.pem"
MADE_HERE = (ENVELOPE, SUMS, GUIDE, KEY)  # in the order in which a stale one is removed: the envelope first
Signature = dict[str, str]  # keyid and sig
Seen = dict[str, tuple[int, int, int]]  # inode, size and time of change of each file


class SecretFound(Refused):
    """Something that must not leave the machine is in the pack."""


class OddFile(Refused):
    """Something in the folder that is not a plain file with a plain name."""


def seal(unfinished: Path, final: Path, *, key: Ed25519PrivateKey, redactor: Redactor | None = None) -> Path:
    """Seal the run in `unfinished`; it is called `final` afterwards. Safe to repeat, also after a kill.

    Errors: `Refused` where the journal has no end, a file is odd, or a secret is found; `DrillError` for a full disk.
    Nothing is lost then: the unfinished folder stays, and can be sealed later.
    """
    try:
        if not unfinished.exists() and (final / ENVELOPE).is_file():
            sync_folder(final.parent)  # killed between the rename and this
            return final
        if final.exists():
            raise Refused(f"{final}: there is a pack of this name already", hint="give the run another name")
        for name in MADE_HERE:
            (unfinished / name).unlink(missing_ok=True)
        _drop_empty_folders(unfinished)
        before = _files(unfinished)
        if found := scan(unfinished, redactor=redactor):
            listed = "; ".join(map(str, found[:5])) + ("; …" if len(found) > 5 else "")
            raise SecretFound(
                f"{unfinished}: not sealed, for it holds what must not leave this machine: {listed}",
                hint="mask it in the named file, then run `drdrill heal`, which seals the run",
            )
        lines = _run_of(unfinished)
        predicate = _predicate(unfinished, lines, run=final.name, key=key)
        _write(unfinished / KEY, public_pem(key.public_key()))
        _write(unfinished / GUIDE, guide(predicate).encode())
        digests = {name: _digest(unfinished / name) for name in _files(unfinished)}
        sums = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests, key=str.encode)).encode()
        _write(unfinished / SUMS, sums)
        digests[SUMS] = hashlib.sha256(sums).hexdigest()
        told = statement(digests, predicate, version=lines[0].version)
        _write(unfinished / ENVELOPE, envelope(told, [signature(told, key=key)]))
        after = {name: seen for name, seen in _files(unfinished).items() if name not in MADE_HERE}
        if after != before:
            changed = sorted(name for name, _ in before.items() ^ after.items())
            raise DrillError(
                f"{unfinished / changed[0]}: it was written to while the pack was sealed",
                hint="end what writes to it (`drdrill heal` does), then seal again",
            )
        sync_tree(unfinished)
        unfinished.rename(final)
        sync_folder(final.parent)
    except OSError as error:
        raise DrillError(
            f"{error.filename or unfinished}: the pack cannot be sealed: {error.strerror}",
            hint="nothing is lost: free some space or mend the permission, then run `drdrill heal`, which seals it",
        ) from None
    return final


def statement(digests: dict[str, str], predicate: dict[str, Any], *, version: int) -> bytes:
    """The in-toto statement, in its one accepted form. Its subjects are all files but the envelope."""
    return _canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": digests[name]}} for name in sorted(digests, key=str.encode)
            ],
            "predicateType": f"{PREDICATE_TYPE}{version}",
            "predicate": predicate,
        }
    )


def signature(payload: bytes, *, key: Ed25519PrivateKey) -> Signature:
    """A DSSE v1 signature over a statement, as it stands in the envelope."""
    encoded = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    return {"keyid": fingerprint(key.public_key()), "sig": base64.b64encode(key.sign(encoded)).decode()}


def envelope(payload: bytes, signatures: Sequence[Signature]) -> bytes:
    """The DSSE v1 envelope around a statement, in its one accepted form: a line of canonical JSON.

    The first signature is that of the seal; those that others add stand after it in order of their keys.
    """
    first, *later = signatures
    listed = [first, *sorted(later, key=lambda each: each["keyid"])]
    wrapped = {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE, "signatures": listed}
    return _canonical(wrapped) + b"\n"


def _run_of(folder: Path) -> list[Line]:
    """The lines of a run that has its first line and its last. Errors: `Refused`."""
    lines = read(folder / JOURNAL)
    if not lines or lines[0].kind != "run.begin" or lines[-1].kind != "run.end":
        raise Refused(
            f"{folder / JOURNAL}: not a run from its first line to its last", hint="run `drdrill heal`: it ends the run"
        )
    begin = lines[0].data
    if type(begin.get("number")) is not int or not isinstance(begin.get("previous"), str):
        raise Refused(
            f"{folder / JOURNAL}: the first line has no number or no pack before it", hint="see numbers.newest"
        )
    return lines


def _predicate(folder: Path, lines: list[Line], *, run: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    """What the seal itself says, all of it taken from the journal and the findings. Errors: `Refused`."""
    begin, end = lines[0], lines[-1]
    digests = "".join(f"{line.digest}\n" for line in lines)
    second = begin.version > 1
    kinds = {"kinds": dict(Counter(line.kind for line in lines))} if second else {}
    return {
        "run": begin.data.get("run", run),
        "number": begin.data.get("number"),
        "previousPack": begin.data.get("previous"),
        "drill": begin.data.get("drill"),
        "scenarios": begin.data.get("scenarios"),
        "stack": begin.data.get("stack"),
        "environmentClass": begin.data.get("environment"),
        "operatorAsClaimed": begin.data.get("operator"),
        "nonce": begin.data.get("nonce"),
        "rules": begin.data.get("rules"),
        "sabotage": begin.data.get("sabotage"),
        "startedOn": clock.utc_text(begin.utc),
        "endedOn": clock.utc_text(end.utc),
        "sealedOn": clock.utc_text(clock.now().utc),
        "outcome": end.data.get("outcome"),
        "verdict": _verdict(folder / FINDINGS),
        "unhealedFaults": _unhealed(lines),
        "journal": {
            "lines": len(lines),
            "head": end.digest,
            "linesSha256": hashlib.sha256(digests.encode()).hexdigest(),
            **kinds,
        },
        "keyid": fingerprint(key.public_key()),
        **(_said_by_2(begin.data, folder) if second else {}),
    }


def _said_by_2(begin: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the seal of format 2 says beyond. Errors: `Refused` where the first line says what it cannot say."""
    of_run = begin.get("clock", {})
    ratio = of_run.get("compression", 1) if isinstance(of_run, dict) else None
    said = {name: begin.get(name, usual) for name, usual in SAID_BY_2.items()}
    wrong = [name for name, usual in SAID_BY_2.items() if type(said[name]) is not type(usual)]
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or ratio <= 0:
        wrong.append("clock")
    if wrong:
        raise Refused(f"{folder / JOURNAL}: the first line has an odd {wrong[0]}", hint="please report this")
    return said | {"clockCompression": ratio}


def _verdict(findings: Path) -> dict[str, Any]:
    """The verdicts of the run and of its scenarios; UNKNOWN where nobody has judged it."""
    try:
        judged = json.loads(findings.read_bytes())
        return {"run": str(judged["verdict"]), "scenarios": {str(k): str(v) for k, v in judged["verdicts"].items()}}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {"run": "UNKNOWN", "scenarios": {}}


def _unhealed(lines: list[Line]) -> list[str]:
    hurt: Counter[str] = Counter()  # the same fault may be injected several times
    for line in lines:
        fault = str(line.data.get("fault"))
        if line.kind == "fault.intent":
            hurt[fault] += 1
        elif line.kind == "fault.healed" and line.data.get("ok") is True and hurt[fault]:
            hurt[fault] -= 1
    return sorted(+hurt)


def _files(folder: Path) -> Seen:
    """Every file in it, by relative path. Errors: `OddFile` for anything that is not a plain file or folder."""
    found: Seen = {}
    folders = [folder]
    while folders:
        for entry in os.scandir(folders.pop()):
            path = Path(entry.path)
            name = path.relative_to(folder).as_posix()
            about = entry.stat(follow_symlinks=False)
            if not name.isprintable() or "\\" in name:
                raise OddFile(f"{path!r}: a name that does not read the same everywhere", hint="rename it")
            if stat.S_ISDIR(about.st_mode):
                folders.append(path)
            elif stat.S_ISREG(about.st_mode):
                found[name] = (about.st_ino, about.st_size, about.st_mtime_ns)
            else:
                raise OddFile(f"{path}: a link or a special file cannot be sealed", hint="remove it from the folder")
    return found


def _drop_empty_folders(root: Path) -> None:
    """No digest speaks of an empty folder, so a pack has none: one that is there later was added."""
    for folder, _, _ in os.walk(root, topdown=False):
        path = Path(folder)
        if path != root and not any(path.iterdir()):
            path.rmdir()


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _canonical(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode()


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(handle, "wb") as sink:
        sink.write(content)
