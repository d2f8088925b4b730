"""Where the files of a repository lie: a folder, or what is under a prefix in S3. It is only ever read."""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from harness.errors import NotReady, Refused, Unable
from harness.restores import Inventory
from harness.restores.described import S3, Backup
from harness.stacks.attached.file.formats import filled

PIECE = 1 << 20  # bytes that are held in memory at a time
REFUSED = ("AccessDenied", "403", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken")
LINK, SPECIAL = "a link to ", "no file, folder or link"


@dataclass(frozen=True)
class Stored:
    """A file, or an object. `changed` differs once it was written again: it is no time of a backup."""

    size: int  # bytes
    changed: str


class Storage(Protocol):
    """Files by their names relative to the repository, with `/`. Errors of all: `NotReady` where it cannot be read."""

    @property
    def said(self) -> str:
        """`"the folder /backups"`, `"s3://bucket/prefix"`."""

    @property
    def read_only(self) -> str:
        """How it is kept from being written by us; empty where nothing does but that we do not."""

    def files(self) -> Mapping[str, Stored]:
        """All of them. Links are not followed, so that nothing outside of the repository is in it."""

    def fetch(self, name: str, into: Path) -> int:
        """Copy it to the file `into`, whose folder is made; how many bytes it had."""

    def read(self, name: str) -> bytes:
        """All of it, into memory: a small one."""

    def part(self, name: str, length: int, *, last: bool = False) -> bytes:
        """Its first `length` bytes, or its last ones; all where it is shorter."""

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """To be read from its beginning to its end; it cannot seek."""

    def inventory(self) -> Inventory:
        """Of all that is in it, links and special files of a folder with it."""


def storage(backup: Backup, values: Mapping[str, str]) -> Storage:
    """Of the repository in a stack file. `values` are what `${secret:NAME}` stands for.

    Errors: `Refused` where none is said, or `s3://` without a bucket; `Unable` without a client of S3.
    """
    at = backup.repository
    if isinstance(at, str) and at.startswith("s3://"):
        bucket, _, prefix = at.removeprefix("s3://").partition("/")
        if not bucket:
            raise Refused(f'"{at}" has no bucket', hint="write it like s3://bucket/prefix")
        return Objects(bucket, prefix.strip("/"), backup.s3, values)
    if at is None:
        raise Refused(f"{backup.name} has no repository", hint="add `repository`: a folder, or s3://bucket/prefix")
    return Folder(Path(at))


class Folder:
    """A folder of this machine. The folder itself may be a link; one in it is never followed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def said(self) -> str:
        return f"the folder {self.root}"

    @property
    def read_only(self) -> str:
        with self._saying():
            if os.statvfs(self.root).f_flag & os.ST_RDONLY:
                return "its file system is mounted read-only"
        if all(not os.access(path, os.W_OK) for path, _, _ in self._walk() if not path.is_symlink()):
            return "this account cannot write to anything in it"
        return ""  # we open each file for reading alone; that is our word, and nothing that keeps us

    def files(self) -> Mapping[str, Stored]:
        return {
            name: Stored(seen.st_size, str(seen.st_mtime_ns))
            for _, name, seen in self._walk()
            if stat.S_ISREG(seen.st_mode)
        }

    def fetch(self, name: str, into: Path) -> int:
        into.parent.mkdir(parents=True, exist_ok=True)
        with self.open(name) as source, into.open("wb") as target:
            shutil.copyfileobj(source, target, PIECE)
            return target.tell()

    def read(self, name: str) -> bytes:
        with self.open(name) as source:
            return source.read()

    def part(self, name: str, length: int, *, last: bool = False) -> bytes:
        with self._opened(name) as source, self._saying(name):
            if last:
                source.seek(max(0, os.fstat(source.fileno()).st_size - length))
            return source.read(length) or b""

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        with self._opened(name) as source:
            yield _reader(source.read, lambda: self._saying(name))

    @contextmanager
    def _opened(self, name: str) -> Iterator[io.FileIO]:
        with self._saying(name):
            path = self.root.resolve() / _inside(name)
            if path.is_symlink() or path.parent.resolve() != path.parent or not path.is_file():
                raise NotReady(f"{self.said}: {name} is no file of it", hint="a link in a repository is not followed")
            opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with io.FileIO(opened) as source:
            yield source

    def inventory(self) -> Inventory:
        found = {}
        for path, name, seen in self._walk():
            if stat.S_ISREG(seen.st_mode):
                found[name] = f"{seen.st_size} bytes, changed {seen.st_mtime_ns}"
            elif stat.S_ISLNK(seen.st_mode):
                found[name] = f"{LINK}{path.readlink()}"
            elif not stat.S_ISDIR(seen.st_mode):
                found[name] = SPECIAL
        return found

    def _walk(self) -> Iterator[tuple[Path, str, os.stat_result]]:
        """The folder itself as `""`, and all below it, sorted. What goes while it is looked at is left out."""
        with self._saying():
            todo = [(self.root, "")]
            while todo:
                folder, under = todo.pop()
                seen = folder.stat()
                if not under and not stat.S_ISDIR(seen.st_mode):
                    raise NotADirectoryError(20, "is no folder")
                yield folder, under, seen
                try:
                    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
                except FileNotFoundError:
                    if not under:
                        raise
                    continue
                for entry in entries:
                    name = f"{under}/{entry.name}" if under else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        todo.append((Path(entry.path), name))
                        continue
                    try:
                        yield Path(entry.path), name, entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue

    @contextmanager
    def _saying(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = f"{self.said}: {name}" if name else self.said
            hint = "it has to be there, and this account has to be let read all of it"
            raise NotReady(f"{what}: {error.strerror or error}", hint=hint) from None


class Objects:
    """What lies under a prefix of a bucket. Usable from several threads."""

    def __init__(self, bucket: str, prefix: str, s3: S3, values: Mapping[str, str]) -> None:
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self._s3 = s3
        self._key, self._secret = (filled(each, dict(values)) for each in (s3.key, s3.secret))
        try:
            import botocore.session  # noqa: F401, PLC0415  (of an extra, and it costs 0.3 s)
        except ImportError:
            hint = "pip install boto3 (it comes with `bin/set-up embedded`, too)"
            raise Unable(f"{self.said}: there is no client of S3 here", hint=hint) from None

    @property
    def said(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def read_only(self) -> str:
        return ""  # we only list and read; what the key may do besides is not tried: that would be writing

    def files(self) -> Mapping[str, Stored]:
        found = {}
        with self._saying("list it"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix):
                for one in page.get("Contents", []):
                    if not one["Key"].endswith("/"):  # what consoles call a folder
                        found[self._name(one)] = Stored(one["Size"], _changed(one))
        return found

    def fetch(self, name: str, into: Path) -> int:
        into.parent.mkdir(parents=True, exist_ok=True)
        with self.open(name) as source, into.open("wb") as target:
            shutil.copyfileobj(source, target, PIECE)
            return target.tell()

    def read(self, name: str) -> bytes:
        with self.open(name) as source:
            return source.read()

    def part(self, name: str, length: int, *, last: bool = False) -> bytes:
        with self._opened(name, Range=f"bytes=-{length}" if last else f"bytes=0-{length - 1}") as source:
            return source.read()

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        with self._opened(name) as source:
            yield source

    @contextmanager
    def _opened(self, name: str, **more: str) -> Iterator[IO[bytes]]:
        from botocore.exceptions import ClientError  # noqa: PLC0415  (as above)

        what = f"read {name}"
        with self._saying(what):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=self.prefix + _inside(name), **more)
            except ClientError as error:
                if not more or _code(error) not in ("InvalidRange", "416"):
                    raise
                answer = {"Body": io.BytesIO()}  # of nothing there is no part
        with closing(answer["Body"]) as body:
            yield _reader(body.read, lambda: self._saying(what))

    def inventory(self) -> Inventory:
        """With the ids of versions, where there are any and the key may list them."""
        if self._versioned:
            return {self._name(one): f"{_told(one)}, version {one['VersionId']}" for one in self._versions()}
        return {name: f"{one.size} bytes, changed {one.changed}" for name, one in self.files().items()}

    @cached_property
    def _versioned(self) -> bool:
        """Asked once, so that an inventory before and one after are made alike."""
        from botocore.exceptions import ClientError  # noqa: PLC0415  (as above)

        with self._saying("list it"):
            try:
                self._client.list_object_versions(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)
            except ClientError as error:
                if _code(error) == "NoSuchBucket":
                    raise
                return False
        return True

    def _versions(self) -> Iterator[dict[str, Any]]:
        """Of each object that is there, the current one."""
        with self._saying("list its versions"):
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=self.prefix)
            for page in pages:
                yield from (one for one in page.get("Versions", []) if one["IsLatest"] and one["Key"][-1] != "/")

    def _name(self, one: Mapping[str, Any]) -> str:
        return str(one["Key"]).removeprefix(self.prefix)

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config  # noqa: PLC0415  (as above)
        from botocore.session import Session  # noqa: PLC0415  (as above)

        style: Any = {"addressing_style": "path"} if self._s3.endpoint else {}
        return Session().create_client(
            "s3",
            endpoint_url=self._s3.endpoint or None,
            region_name=self._s3.region,
            verify=str(self._s3.ca) if self._s3.ca else None,
            aws_access_key_id=self._key or None,
            aws_secret_access_key=self._secret or None,
            config=Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 3}, s3=style),
        )

    @contextmanager
    def _saying(self, what: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (as above)

        try:
            yield
        except (BotoCoreError, ClientError, OSError, ValueError) as error:
            raise self._words(what, error) from None

    def _words(self, what: str, error: Exception) -> NotReady:
        at = self._s3.endpoint or "AWS"
        code = _code(error)
        if code == "NoSuchBucket":
            return NotReady(f"{self.said}: there is no such bucket at {at}", hint="look at `repository` and `s3`")
        if code in REFUSED or type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
            hint = "the key has to be let list the bucket and read its objects; look at `key` and `secret` of `s3`"
            return NotReady(f"{self.said}: {at} refuses to {what}: {_said(error)}", hint=hint)
        hint = "look at `endpoint`, `region` and `ca_file` of `s3`, and whether this machine reaches it"
        return NotReady(f"{self.said} at {at}: could not {what}: {_said(error)}", hint=hint)


def _reader(read: Callable[[int], bytes | None], saying: Callable[[], AbstractContextManager[None]]) -> IO[bytes]:
    """With errors of reading as `saying` has them; those of whoever reads stay what they are."""
    return io.BufferedReader(_Raw(read, saying), PIECE)


class _Raw(io.RawIOBase):
    def __init__(self, read: Callable[[int], bytes | None], saying: Callable[[], AbstractContextManager[None]]) -> None:
        self._read, self._saying = read, saying

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._saying():
            piece = self._read(len(buffer)) or b""
        buffer[: len(piece)] = piece
        return len(piece)


def _inside(name: str) -> str:
    """Errors: `Refused` where the name leads out of the repository."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts:
        raise Refused(f'"{name}" is no name in a repository', hint="names are relative to it")
    return name


def _changed(one: Mapping[str, Any]) -> str:
    return f"{one['LastModified'].astimezone(UTC).isoformat()} {one['ETag']}"


def _told(one: Mapping[str, Any]) -> str:
    return f"{one['Size']} bytes, changed {_changed(one)}"


def _code(error: Exception) -> str:
    answer: Mapping[str, Any] = getattr(error, "response", {})
    return str(answer.get("Error", {}).get("Code", ""))


def _said(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error))
