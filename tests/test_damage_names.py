"""A damaged file of the archive is known by the name that the archive has for it, and not only by its key."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from harness.errors import NotReady
from harness.faults.damage_stored_object import DamageStoredObject, Which
from harness.stacks import PlainRegion, Stack
from harness.stacks.capabilities.backups import ArchivedFile, Backup

NOW = datetime(2026, 11, 29, tzinfo=UTC)
LAST = Backup("1", NOW, NOW, "7", 0x700, 0x7F0, ("base/label", "base/data.tar"), 10)
HISTORY = ArchivedFile("2.history", "log/2.history.gz", 1, "", "", written=False)


class Kept:
    """Backups, their archive and the store of both."""

    def __init__(self, *names: str) -> None:
        self.files = [ArchivedFile(name, f"log/{name}.gz", 1, "", "", written=True) for name in names]

    def backups(self) -> list[Backup]:
        return [LAST]

    def archive(self, *, since: str = "") -> list[ArchivedFile]:
        assert since == LAST.first_file
        return [*self.files, HISTORY]

    def size_of(self, key: str) -> int:
        return len(key)

    def current_version(self, key: str) -> str:
        return f"of {key}"

    def read(self, key: str) -> bytes:
        return key.encode()

    take = check = restore = archived = restore_version = fetch_command = ""  # not asked here


def prepared(which: Which, *names: str) -> dict[str, object]:
    stack = cast(Stack, SimpleNamespace(regions=[PlainRegion("region-1", holds=(Kept(*names),))]))
    return DamageStoredObject(which, "delete").prepare(stack)


def test_a_file_of_the_archive_is_named() -> None:
    """The last that was written; what only goes with them is none of these."""
    undo = prepared("archived file after the latest base backup", "7", "8", "9")
    assert (undo["versions"], undo["names"]) == ({"log/9.gz": "of log/9.gz"}, {"log/9.gz": "9"})


def test_an_object_of_a_backup_has_no_other_name() -> None:
    """The one that holds the data."""
    undo = prepared("latest base backup")
    assert (undo["versions"], undo["names"]) == ({"base/data.tar": "of base/data.tar"}, {})


def test_too_little_archive_is_not_damaged() -> None:
    """Nothing is hurt then."""
    with pytest.raises(NotReady, match="too few files"):
        prepared("archived file after the latest base backup", "7", "8")
