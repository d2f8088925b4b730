"""What is done with pgBackRest's own names and files, without pgBackRest: names, digests, the command of a recovery."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
from pathlib import Path

import pytest

from harness.errors import DrillError
from harness.stacks.backup_tools import pgbackrest
from harness.stacks.backup_tools.pgbackrest import PgBackRest
from harness.stacks.backup_tools.vault import Vault
from harness.stacks.parts.bucket import Bucket
from harness.system.command import Commands
from harness.system.recorder import Memory

WAL = b"what PostgreSQL wrote" * 100
SEGMENT = "0000000200000000000000A7"
KEY = f"archive/15-1/0000000200000000/{SEGMENT}-{hashlib.sha1(WAL, usedforsecurity=False).hexdigest()}.gz"


@pytest.fixture
def backups(tmp_path: Path) -> PgBackRest:
    bucket = Bucket("b", url="https://127.0.0.1:1", ca=tmp_path, credentials={}, region="r")
    return PgBackRest(
        vault=Vault(bucket),
        commands=Commands(Memory(), label="x"),
        leader=lambda: None,
        words=lambda zone: [],
        password="",
    )


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (KEY, SEGMENT),
        ("archive/15-1/0000000B.history", "0000000B.history"),
        ("archive/15-1/0000000B.history.gz", "0000000B.history"),
        ("archive/15-1/x/000000010000000000000002.00000028.backup", "000000010000000000000002.00000028.backup"),
        ("archive/archive.info", ""),
        (f"archive/15-1/x/{SEGMENT}.gz", ""),
    ],
)
def test_an_archived_file_has_postgresqls_name(key: str, name: str) -> None:
    """What is no WAL file has none."""
    assert pgbackrest._name(key) == name


def test_a_segment_is_compared_with_the_digest_in_its_name() -> None:
    """A flipped byte, a cut file, another segment's content and nothing at all are not sound."""
    sound = gzip.compress(WAL)
    flipped = bytearray(sound)
    flipped[len(sound) // 2] ^= 1
    assert pgbackrest._sound(KEY, sound)
    for content in (bytes(flipped), sound[:-9], gzip.compress(WAL + b"!"), b"", None):
        assert not pgbackrest._sound(KEY, content)


def test_a_history_must_be_readable() -> None:
    """It has no digest: bytes that are no text are damage."""
    assert pgbackrest._sound("x/0000000B.history", b"1\t0/5000000\tno reason\n")
    assert not pgbackrest._sound("x/0000000B.history", b"\xff\xfe\xfd")


@pytest.mark.parametrize(
    ("asked", "tool", "code"),
    [
        ("000000020000000000000003", 0, 0),  # before the ordered end, and there
        ("000000020000000000000003", 1, 1),  # not in the archive: its end
        ("000000020000000000000003", 53, 200),  # anything else must not be taken for its end
        ("000000020000000000000004", 0, 1),  # the ordered end
        ("000000030000000100000000", 0, 1),  # behind it, on any timeline
        ("00000003.history", 0, 0),  # histories are always asked for
    ],
)
def test_the_command_of_a_recovery_ends_where_it_is_told(
    backups: PgBackRest, tmp_path: Path, asked: str, tool: int, code: int
) -> None:
    """By the shell, as PostgreSQL runs it, with a pgbackrest that exits as told."""
    (tmp_path / "pgbackrest").write_text(f"#!/bin/sh\nexit {tool}\n")
    (tmp_path / "pgbackrest").chmod(0o755)
    command = backups.fetch_command(before="000000020000000000000004")
    shell = command.replace("%f", asked).replace("%p", "pg_wal/RECOVERYXLOG")
    done = subprocess.run(["/bin/sh", "-c", shell], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False)
    assert done.returncode == code


@pytest.mark.parametrize(("kept", "asked"), [(None, ["stanza-create", "backup"]), (b"", ["backup"])])
def test_a_store_that_lost_all_it_had_is_made_ready_before_a_backup(
    backups: PgBackRest, monkeypatch: pytest.MonkeyPatch, kept: bytes | None, asked: list[str]
) -> None:
    """What pgBackRest keeps of the archive may have died with a region; where it is there nothing is made anew."""
    said: list[str] = []
    monkeypatch.setattr(backups, "_leading", lambda: "a")
    monkeypatch.setattr(backups, "_run", lambda *words, **_: said.append(words[-1]))
    monkeypatch.setattr(backups._vault.bucket, "find", lambda key, **_: kept)
    with pytest.raises(DrillError, match="no complete backup"):
        backups.take()
    backups.revive("a")
    assert said == [*asked, *asked[:-1]]
