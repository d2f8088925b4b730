"""One versioned bucket of an S3 store: bytes in, bytes out, and what versions there are.

Speaks S3 itself, so that what Barman says about its own objects is checked by something else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

from harness.errors import DrillError, Refused
from harness.stacks.parts.aws import client

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PIECE = 1 << 20  # bytes read at a time: a base backup is never held in memory
GONE = ("NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405")


@dataclass(frozen=True)
class Stored:
    """An object as the store shows it without its bytes."""

    key: str
    size: int  # bytes
    version: str = ""  # a listing does not say


@dataclass(frozen=True)
class Version:
    """One version of an object; a deletion is one too."""

    id: str
    latest: bool
    deletion: bool


@dataclass(frozen=True)
class Kept:
    """One version of any object, as a listing of all of them has it."""

    key: str
    id: str
    at: datetime
    size: int  # bytes; 0 of a deletion
    deletion: bool


class Bucket:
    """A bucket behind `url`, trusted by `ca`. One connection pool, made on first use; usable from several threads."""

    def __init__(self, name: str, *, url: str, ca: Path, credentials: Mapping[str, str], region: str) -> None:
        self.name = name
        self.url = url
        self._ca = ca
        self._credentials = credentials
        self._region = region
        self._making = Lock()

    @cached_property
    def _made(self) -> S3Client:
        found: S3Client = client(
            "s3", url=self.url, ca=self._ca, credentials=self._credentials, region=self._region,
            s3={"addressing_style": "path"},
        )  # fmt: skip  # arguments in groups
        return found

    @property
    def _client(self) -> S3Client:
        with self._making:
            return self._made

    def make(self) -> None:
        """Make the bucket, versioned; harmless where it is there."""
        with self._saying("be made"):
            self._client.create_bucket(Bucket=self.name)
            self._client.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    def answers(self) -> bool:
        """Whether the store answers a real request: makes the bucket where it does. False where it does not listen."""
        try:
            self.make()
        except DrillError:
            return False
        return True

    def objects(self, prefix: str, *, after: str = "") -> Iterator[Stored]:
        """Every object under the prefix, in order of key, from the one behind `after` on."""
        with self._saying(f"list {prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix, StartAfter=after
            )
            for page in pages:
                for found in page.get("Contents", []):
                    yield Stored(found["Key"], found["Size"])

    def ever(self, prefix: str) -> set[str]:
        """Every key under the prefix that the bucket has any version of, also where it was deleted since."""
        with self._saying(f"list the versions under {prefix}"):
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix)
            return {entry["Key"] for page in pages for entry in page.get("Versions", [])}

    def current(self, key: str) -> Stored | None:
        """What a reader of the key gets now; None where nothing is or it is deleted."""
        from botocore.exceptions import ClientError  # noqa: PLC0415  (see `aws`)

        with self._saying(f"look at {key}"):
            try:
                head = self._client.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if _is_gone(error):
                    return None
                raise
        return Stored(key, head["ContentLength"], head.get("VersionId", ""))

    def find(self, key: str, *, version: str = "") -> bytes | None:
        """What is stored at a key; None where nothing is."""
        pieces = self._pieces(key, version)
        return None if pieces is None else b"".join(pieces)

    def read(self, key: str, *, version: str = "") -> bytes:
        """What is stored at a key. Errors: `Refused` where nothing is."""
        content = self.find(key, version=version)
        if content is None:
            raise Refused(f"no object {key} in bucket {self.name}", hint="list the backups and the archive")
        return content

    def sha256(self, key: str, *, version: str = "") -> str:
        """The SHA-256, in hex, of what is stored at a key; "" where nothing is."""
        pieces = self._pieces(key, version)
        if pieces is None:
            return ""
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        return digest.hexdigest()

    def write(self, key: str, content: bytes) -> str:
        """Store bytes at a key; returns the id of the new version."""
        with self._saying(f"write {key}"):
            return self._client.put_object(Bucket=self.name, Key=key, Body=content)["VersionId"]

    def delete(self, key: str, *, version: str = "") -> None:
        """Delete an object (a versioned bucket keeps what it was), or one version of it for good."""
        with self._saying(f"delete {key}"):
            if version:
                self._client.delete_object(Bucket=self.name, Key=key, VersionId=version)
            else:
                self._client.delete_object(Bucket=self.name, Key=key)

    def versions(self, key: str) -> list[Version]:
        """Every version of one object, the latest first."""
        with self._saying(f"list the versions of {key}"):
            found: list[tuple[Any, Version]] = []
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=key)
            for page in pages:
                for kind, deletion in (("Versions", False), ("DeleteMarkers", True)):
                    entries: Any = page.get(kind, [])
                    found += [
                        (entry["LastModified"], Version(entry["VersionId"], bool(entry["IsLatest"]), deletion))
                        for entry in entries
                        if entry["Key"] == key
                    ]
        # Sorting is stable, so versions of the same second stay in the store's own order, the latest first.
        found.sort(key=lambda one: (one[1].latest, one[0]), reverse=True)
        return [version for _, version in found]

    def history(self) -> list[Kept]:
        """Every version and every deletion of everything, the oldest first.

        The store tells seconds, and versions apart from deletions: within a second those of one object stay in their
        order, but a deletion between two versions of the same second may come after both, unless it is not the latest.
        """
        with self._saying("list all versions"):
            found: list[tuple[tuple[Any, ...], Kept]] = []
            for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self.name):
                for kind, deletion in (("Versions", False), ("DeleteMarkers", True)):
                    entries: Any = page.get(kind, [])
                    for one in entries:
                        at, key = one["LastModified"], one["Key"]
                        order = (at, key, bool(one["IsLatest"]), deletion, -len(found))
                        found.append((order, Kept(key, one["VersionId"], at, one.get("Size", 0), deletion)))
        return [one for _, one in sorted(found, key=lambda each: each[0])]

    def marks(self, key: str, version: str) -> dict[str, str]:
        """What was stored beside the bytes of a version; nothing where nothing is."""
        from botocore.exceptions import ClientError  # noqa: PLC0415  (see `aws`)

        with self._saying(f"look at {key}"):
            try:
                return dict(self._client.head_object(Bucket=self.name, Key=key, VersionId=version)["Metadata"])
            except ClientError as error:
                if _is_gone(error):
                    return {}
                raise

    def bring(self, key: str, *, version: str, into: IO[bytes]) -> dict[str, str] | None:
        """Write all of a version into a file; returns what was stored beside it, or None where it is gone.

        Errors: `DrillError`, also where it is cut short.
        """
        answer = self._get(key, version)
        if answer is None:
            return None
        for piece in self._stream(key, answer["Body"]):
            into.write(piece)
        return dict(answer["Metadata"])

    def write_from(self, key: str, source: IO[bytes], *, marks: Mapping[str, str]) -> str:
        """Store what a file holds, from its beginning; returns the id of the new version."""
        source.seek(0)
        with self._saying(f"write {key}"):
            return self._client.put_object(Bucket=self.name, Key=key, Body=source, Metadata=marks)["VersionId"]

    def _pieces(self, key: str, version: str) -> Iterator[bytes] | None:
        answer = self._get(key, version)
        return None if answer is None else self._stream(key, answer["Body"])

    def _get(self, key: str, version: str) -> Any:
        """None where nothing is."""
        from botocore.exceptions import ClientError  # noqa: PLC0415  (see `aws`)

        with self._saying(f"read {key}"):
            try:
                if version:
                    return self._client.get_object(Bucket=self.name, Key=key, VersionId=version)
                return self._client.get_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if _is_gone(error):
                    return None
                raise

    def _stream(self, key: str, body: Any) -> Iterator[bytes]:
        with self._saying(f"read {key}"):
            yield from body.iter_chunks(PIECE)

    @contextmanager
    def _saying(self, what: str) -> Iterator[None]:
        """Turn the client's errors into ours."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (see `aws`)

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise DrillError(
                f"backup store {self.url}, bucket {self.name}: could not {what}: {error}",
                hint="read the log of the S3 server in the run's folder; is it running?",
            ) from None


def _is_gone(error: Any) -> bool:
    return error.response.get("Error", {}).get("Code") in GONE
