"""The object store of a stack lists versions as Moto does, and copies none of what they hold for it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend

from harness.stacks.parts.moto_server import without_content

BUCKET = "backups"


@pytest.fixture
def store() -> Iterator[S3Backend]:
    """A bucket with two versions of one key, one of another, and one that was deleted."""
    made = S3Backend("us-east-1", "123456789012")
    made.create_bucket(BUCKET, "us-east-1")
    made.put_bucket_versioning(BUCKET, "Enabled")
    for key, value in (("x", b"one"), ("x", b"three"), ("y", b"seven!!"), ("z", b"gone")):
        made.put_object(BUCKET, key, value)
    made.delete_object(BUCKET, "z")
    yield made
    made.reset()


def listed(store: S3Backend) -> list[tuple[object, ...]]:
    """What a listing tells of each version."""
    versions, _, deleted, *_ = store.list_object_versions(BUCKET)
    told = [(one.name, one.version_id, one.etag, one.size, one.is_latest, one.last_modified) for one in versions]
    return [*told, *((one.name, one.version_id, one.is_latest) for one in deleted)]


def test_a_listing_says_the_same(store: S3Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, ids, digests, sizes, which is the latest, since when; and deletions."""
    before = listed(store)
    monkeypatch.setattr(FakeKey, "__deepcopy__", without_content, raising=False)
    assert listed(store) == before
    assert len(before) == 5


def test_it_holds_no_content(store: S3Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it was made of still does, when it is gone."""
    monkeypatch.setattr(FakeKey, "__deepcopy__", without_content, raising=False)
    versions, _, deleted, *_ = store.list_object_versions(BUCKET)
    assert [one.value for one in versions] == [b""] * 4
    assert [one.key.value for one in deleted if isinstance(one, FakeDeleteMarker)] == [b""]
    newest = {one.name: one.version_id for one in versions if one.is_latest}
    del versions, deleted
    gc.collect()
    found = {name: store.get_object(BUCKET, name, version_id=id) for name, id in newest.items()}
    assert {name: one.value for name, one in found.items() if one} == {"x": b"three", "y": b"seven!!"}
