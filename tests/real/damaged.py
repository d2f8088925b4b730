"""What is done to copies of repositories, so that each is wrong in one way."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.real.grounds import BUCKET, NAME, Ground, client

PAGE = 8192
Change = Callable[[bytes], bytes]
TABLE, INDEX = "orders", "by_total"


def flipped(content: bytes, at: int) -> bytes:
    """One byte is another one; counted from the end where `at` is below 0."""
    found = bytearray(content)
    found[at] ^= 0xFF
    return bytes(found)


def cut(content: bytes) -> bytes:
    return content[: len(content) * 6 // 10]


def change(path: Path, how: Change) -> None:
    """The file, with its owner as before."""
    path.chmod(0o600)
    path.write_bytes(how(path.read_bytes()))


def page(relation: str) -> Change:
    """In a page that nothing of the archive writes again: the table's second, the index's last."""
    return lambda content: flipped(content, PAGE + 8000 if relation == TABLE else -100)


def file_of(of: Ground, relation: str) -> str:
    """Where it is in a data directory."""
    return str(of.sql(f"SELECT pg_relation_filepath('{relation}')")[0][0])


def in_tar(name: str, how: Change) -> Change:
    """Of one member."""

    def changed(content: bytes) -> bytes:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = archive.getmember(name)
            begin, end = member.offset_data, member.offset_data + member.size
        return content[:begin] + how(content[begin:end]) + content[end:]

    return changed


def zipped(how: Change) -> Change:
    """Of what is packed, and packed again: the packing does not tell it."""
    return lambda content: gzip.compress(how(gzip.decompress(content)), 1)


def made_fresh(folder: Path) -> None:
    """As a copy without -p makes it: every file is from now."""
    now = time.time()
    for path in folder.rglob("*"):
        os.utime(path, (now, now))


def in_store(of: Ground, name: str, changes: dict[str, Change | None]) -> str:
    """The repository once more under another prefix, in which objects by their names' ends are changed, or gone."""
    store, prefix = client(of.url), of.cloud.removeprefix(f"s3://{BUCKET}/")
    left = set(changes)
    for pages in store.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/"):
        for each in pages["Contents"]:
            key = str(each["Key"])
            ends = [end for end in changes if key.endswith(end)]
            left -= set(ends)
            hows = [changes[end] for end in ends]
            if None not in hows:
                content: Any = store.get_object(Bucket=BUCKET, Key=key)["Body"].read()
                for how in hows:
                    content = how(content) if how else content
                store.put_object(Bucket=BUCKET, Key=key.replace(prefix, name, 1), Body=content)
    assert not left, f"there is no {left}"
    return f"s3://{BUCKET}/{name}"


def later_piece(of: Ground, folder: Path) -> Path:
    """Of the archive: it has the rows that no base backup has."""
    (found,) = [path for path in folder.rglob(f"{of.later}*") if ".backup" not in path.name]
    return found


def server_of(repository: Path) -> Path:
    """Of a barman_home: the folder of the one server."""
    return repository / NAME
