"""A store that speaks S3, on this machine, with a certificate that an authority of our own gave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.restores.described import S3
from harness.system.command import Commands
from harness.system.recorder import Memory

BUCKET, KEY, SECRET = "vault", "reader", "secret-of-the-reader"


@dataclass(frozen=True)
class Store:
    """`s3`: as a stack file has it; `values`: what its secret stands for."""

    s3: S3
    client: Any

    @property
    def values(self) -> dict[str, str]:
        return {"secret:STORE": SECRET}

    def put(self, folder: Path, prefix: str) -> None:
        """All files of a folder, below a prefix."""
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.client.put_object(
                    Bucket=BUCKET, Key=f"{prefix}/{path.relative_to(folder)}", Body=path.read_bytes()
                )


@contextmanager
def store(folder: Path) -> Iterator[Store]:
    """By https, as pgBackRest wants it."""
    import boto3  # noqa: PLC0415  (of an extra)
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415
    from werkzeug.serving import make_server  # noqa: PLC0415

    key, certificate = folder / "key.pem", folder / "certificate.pem"
    Commands(Memory(), label="unit").run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
    )  # fmt: skip  # words in groups
    certificate.chmod(0o644)
    application = DomainDispatcherApplication(create_backend_app)
    served = make_server("localhost", 0, application, threaded=True, ssl_context=(str(certificate), str(key)))
    threading.Thread(target=served.serve_forever, daemon=True).start()
    try:
        endpoint = f"https://localhost:{served.server_port}"
        client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", verify=str(certificate),
            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        )  # fmt: skip  # arguments in groups
        client.create_bucket(Bucket=BUCKET)
        yield Store(S3(endpoint, ca=certificate, key=KEY, secret="${secret:STORE}"), client)
    finally:
        served.shutdown()
