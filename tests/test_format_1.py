"""What a journal of format 1 did not say, because there was one platform, is said when it is read."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checks.called import called
from harness.evidence.format1 import Format1

SEGMENT = "000000010000000000000007"


def read(kind: str, /, **data: Any) -> dict[str, Any]:
    found: dict[str, Any] = Format1().line({"v": 1, "kind": kind, "mono": 7, "data": data})["data"]
    return found


def test_the_words_of_its_database_are_what_its_findings_said() -> None:
    """So that they are judged with the same words again."""
    ready = read("stack.ready", kind="local", zones=["a"], seconds=9.0, parts={"moto": "5.2.5"})
    assert called(ready) == {"position": "place in the WAL", "history": "timeline", "histories": "timelines"}
    assert ready["simulated"] == [
        "the object store (moto: 5.2.5) is Moto, an emulator of the S3 protocol: a simulated store"
    ]
    assert ready["logs"] == {"patroni-a": ["postgresql-a"]}
    assert read("stack.ready", seconds=1.0)["simulated"] == []
    assert "words" not in read("stack.begin", zones=["a"])


def test_a_stack_that_says_no_words_has_none_of_its_own() -> None:
    """Nor one that says what is no word."""
    for said in ({}, {"words": "none"}, {"words": {"history": None}}):
        assert called(said) == {"position": "position", "history": "history", "histories": "histories"}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (f"wals/0000000100000000/{SEGMENT}.gz", SEGMENT),
        (f"archive/15-1/0000000100000000/{SEGMENT}-{'a' * 40}.gz", SEGMENT),
        ("base/20261123/data.tar", None),
    ],
)
def test_a_damaged_segment_is_called_as_its_archive_calls_it(key: str, name: str | None) -> None:
    """With or without the digest that a backup tool adds to it."""
    undo = read("fault.intent", fault="damage_stored_object", undo={"versions": {key: "v1"}})["undo"]
    assert undo["names"].get(key) == name
    assert read("fault.intent", fault="x", undo="none")["undo"] == "none"
