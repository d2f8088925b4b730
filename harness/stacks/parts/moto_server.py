"""Moto's server, as `python -m moto.server` is it, but that a listing of versions does not copy what they hold.

Moto lists versions of a deep copy of the bucket, contents and all: with some base backups in it that is a gigabyte of
memory and disk at each look. Such a copy has here all that a listing tells, and no content.
"""

from __future__ import annotations

import io
import sys
from typing import Any

from moto.s3.models import FakeKey
from moto.server import main


def without_content(key: FakeKey, _memo: dict[int, Any]) -> FakeKey:
    """A copy of a version for listings. Its digest is known before: it would be made of the content."""
    with key.lock:
        _ = key.etag
    copied: FakeKey = object.__new__(FakeKey)
    copied.__dict__.update(key.__dict__, _value_buffer=io.BytesIO(), multipart=None, disposed=True)
    return copied


if __name__ == "__main__":
    setattr(FakeKey, "__deepcopy__", without_content)  # noqa: B010  (it has none of its own)
    main(sys.argv[1:])
