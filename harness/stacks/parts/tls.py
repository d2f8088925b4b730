"""A throw-away certificate authority, so that everything of the embedded stack speaks TLS that is really verified.

It lives for one run and is trusted by nothing but that run: never add it to a machine's own store.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.errors import Refused
from harness.system import clock

CA_NAME = "drdrill throw-away CA"
VALID = timedelta(days=3)  # longer than any drill, short enough that a forgotten key is worth nothing
CA = "ca.pem"
SLACK = timedelta(hours=1)  # clocks of a world's processes agree, but a resumed laptop's may step back


class Issuer(Protocol):
    """Whoever has certificates for the components of a stack."""

    @property
    def ca(self) -> Path: ...
    def issue(self, name: str, hosts: Sequence[str]) -> tuple[Path, Path]: ...


@dataclass(frozen=True)
class Issued:
    """What an authority of another process has issued; its key is gone with that process."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / CA

    def issue(self, name: str, hosts: Sequence[str]) -> tuple[Path, Path]:
        """The certificate that was issued under that name. Errors: `Refused` where none was."""
        chain, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        if not key.exists():
            raise Refused(f"no certificate was issued for {name}", hint="start the stack anew")
        return chain, key


@dataclass(frozen=True)
class Authority:
    """Signs certificates for the components of one run."""

    folder: Path
    ca: Path  # PEM, to be trusted by clients
    _key: ec.EllipticCurvePrivateKey = field(repr=False)
    _certificate: x509.Certificate = field(repr=False)

    def issue(self, name: str, hosts: Sequence[str]) -> tuple[Path, Path]:
        """A certificate chain and its key for a server known by `hosts`, DNS names and IP addresses alike.

        Returns the two paths, `<name>.pem` and `<name>.key` (0600: the process that reads it runs as the same user).
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        certificate = (
            _begin(name, key.public_key())
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(names, critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        chain, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        chain.write_bytes(_pem(certificate) + _pem(self._certificate))
        _write_secret(secret, key)
        return chain, secret


def make_authority(folder: Path) -> Authority:
    """A new authority whose certificate lies in `folder`. Its key is never written: it ends with this process."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _begin(CA_NAME, key.public_key())
        .issuer_name(_name(CA_NAME))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    ca = folder / CA
    ca.write_bytes(_pem(certificate))
    return Authority(folder=folder, ca=ca, _key=key, _certificate=certificate)


def _begin(name: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = clock.now().utc
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + VALID)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write_secret(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.unlink(missing_ok=True)
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
        sink.write(content)
