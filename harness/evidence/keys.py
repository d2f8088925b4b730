"""The key that seals packs: an Ed25519 key of the person or machine that runs drills, made on first use.

It lies in `${XDG_CONFIG_HOME:-~/.config}/drdrill/signing-key.pem`; the environment variable DRDRILL_KEY names another
file. Its fingerprint is what an auditor must get by another way than the pack. Beside it lies `digest-key`, 32 random
bytes in hex: with it the digest of a file that is in no pack tells nothing of the file to whoever has only the pack.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from harness.errors import Refused
from harness.system.durable import sync_folder
from harness.system.environment import home

VARIABLE = "DRDRILL_KEY"
DIGEST_KEY = "digest-key"
LARGEST = 64 * 1024  # bytes: a PKCS8 Ed25519 key has about 120


class KeyRefused(Refused):
    """A key cannot be used: others can read it, or it is no such key."""


def key_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the signing key lies, or will lie."""
    if named := environment.get(VARIABLE):
        return Path(named)
    config = environment.get("XDG_CONFIG_HOME")
    # the XDG rules say that a relative path is to be ignored
    base = Path(config) if config and Path(config).is_absolute() else home(environment) / ".config"
    return base / "drdrill" / "signing-key.pem"


def signing_key(path: Path | None = None, *, make: bool = True) -> Ed25519PrivateKey:
    """The signing key, made with mode 0600 where there is none; two processes at first use get the same key.

    With `make` false there has to be one: whoever signs what others made wants the key that is known. Errors:
    `KeyRefused`.
    """
    path = key_path() if path is None else path
    try:
        if not path.exists():
            if not make:
                raise KeyRefused(f"{path}: there is no signing key", hint=f"name yours with {VARIABLE}=FILE")
            pem = Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            _make(path, pem)
        return _load(path)
    except OSError as error:
        raise KeyRefused(
            f"{path}: the signing key cannot be read or made: {error.strerror}",
            hint=f"give a place that you may write to with {VARIABLE}=FILE",
        ) from None


def fingerprint(key: Ed25519PublicKey) -> str:
    """Hex SHA-256 of the DER SubjectPublicKeyInfo: what `openssl pkey -pubin -outform DER | sha256sum` prints."""
    return hashlib.sha256(
        key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def public_pem(key: Ed25519PublicKey) -> bytes:
    """The public key as it lies in a pack."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def private_digest(file: Path) -> str:
    """`hmac-sha256:<hex>` of a file that is in no pack, by the key that lies beside the signing key; made on first use.

    Errors: `KeyRefused`; `Refused` where the file cannot be read.
    """
    path = key_path().with_name(DIGEST_KEY)
    try:
        if not path.exists():
            _make(path, secrets.token_hex(32).encode() + b"\n")
        key = _secret(path, "key of digests").decode(errors="replace").strip()
    except OSError as error:
        raise KeyRefused(
            f"{path}: the key of digests cannot be read or made: {error.strerror}",
            hint=f"it lies beside the signing key: give a place that you may write to with {VARIABLE}=FILE",
        ) from None
    if not re.fullmatch("[0-9a-f]{64}", key):
        raise KeyRefused(f"{path}: not a key of 64 hex digits", hint="move it away, and one is made")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}", hint="mend the permission, or name another file") from None
    return f"hmac-sha256:{hmac.new(bytes.fromhex(key), content, 'sha256').hexdigest()}"


def _make(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half_made = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(half_made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as sink:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())
        try:
            path.hardlink_to(half_made)  # unlike a rename, never replaces the key another process has just made
        except FileExistsError:
            return
        sync_folder(path.parent)
    finally:
        half_made.unlink()


def _secret(path: Path, what: str) -> bytes:
    """What is in a file that nobody else may read. Errors: `KeyRefused`, `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as source:
        about = os.fstat(source.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise KeyRefused(f"{path}: the {what} is not a file", hint=f"name a file with {VARIABLE}=FILE")
        if about.st_mode & 0o077:
            mend = f"chmod 600 {shlex.quote(str(path))}"
            raise KeyRefused(
                f"{path}: others can read or change the {what} (mode {stat.S_IMODE(about.st_mode):04o})",
                hint=f"if nobody has copied it, run: {mend}; otherwise delete it and tell your auditors",
            )
        return source.read(LARGEST)


def _load(path: Path) -> Ed25519PrivateKey:
    pem = _secret(path, "signing key")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused(
            f"{path}: not an Ed25519 private key in PEM without a password",
            hint=f"make one with: openssl genpkey -algorithm ed25519 -out FILE; or move {path} away, and one is made",
        )
    return key
