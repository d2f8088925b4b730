"""Backups of Barman's cloud tools: what their catalogue says, and what becomes of one that is restored."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from harness.errors import DrillError, NotReady, Refused
from harness.restores import Brought, Kept, Point
from harness.restores.described import S3, Backup
from harness.restores.sources.barman_cloud import BarmanCloud
from harness.restores.sources.cloud_access import Access
from harness.system.command import Commands
from harness.system.recorder import Memory
from tests.barman_repositories import FIRST, ID, WITHIN, Given, info, name, place, segment, tar

NEXT = "20261130T113000"
BASE = f"pre/main/base/{ID}"
DATA = {"PG_VERSION": b"18", "backup_label": b"label"}
SPACE = {"PG_18_202506291/5/16390": b"big rows"}
SECRET = "very-secret"
RESTORES = """\
if [ "$1" = --version ]; then echo barman-cloud-restore 3.19.1; exit; fi
echo "$@" > "$OUT/argv"; env > "$OUT/env"; cp "$AWS_SHARED_CREDENTIALS_FILE" "$AWS_CONFIG_FILE" "$OUT"
for last; do :; done
echo 18 > "$last/PG_VERSION"; echo label > "$last/backup_label"; echo map > "$last/tablespace_map"
"""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """One good backup and its archive, in S3 by moto in this process."""
    import boto3  # noqa: PLC0415  it takes 0.3 s to import

    for each in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(each, raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="backups")

        def put(key: str, content: bytes) -> None:
            client.put_object(Bucket="backups", Key=key, Body=content)

        client.put = put
        put(f"{BASE}/backup.info", info(mode="None"))
        put(f"{BASE}/data.tar", tar(DATA))
        put(f"{BASE}/16389.tar.gz", gzip.compress(tar(SPACE)))
        for number in (3, 4, 5):
            put(f"pre/main/wals/{FIRST[:16]}/{name(number)}.gz", gzip.compress(segment(number)))
        put(f"pre/main/wals/{FIRST[:16]}/{FIRST}.00000028.backup.gz", gzip.compress(b"label"))
        put("pre/main-old/base/x/backup.info", b"another's")
        yield client


@pytest.fixture
def programs(tmp_path: Path) -> Given:
    """A tool in the place of theirs, that restores next to nothing and writes down how it was called."""
    made = Given(tmp_path / "bin")
    (tmp_path / "out").mkdir()
    made.script("barman-cloud-restore", RESTORES.replace("$OUT", str(tmp_path / "out")))
    return made


def source(programs: Given, *, repository: str = "s3://backups/pre", server: str = "main", **s3: Any) -> BarmanCloud:
    settings = S3(**{"key": "${secret:KEY}", "secret": "${secret:OTHER}", **s3})
    values = {"secret:KEY": "key", "secret:OTHER": SECRET}
    backup = Backup("orders", "barman-cloud", repository, server, s3=settings)
    return BarmanCloud(backup, programs=programs, commands=Commands(Memory(), label="unit"), values=values)


def only(programs: Given) -> Kept:
    (kept,) = source(programs).catalogue()
    return kept


def restored(programs: Given, into: Path) -> tuple[Path, Brought]:
    """The place's folder, and what was said."""
    made = place(into)
    return made.folder, source(programs).bring(only(programs), made, point=Point(), within=WITHIN)


def test_a_catalogue_has_what_each_backup_info_says(bucket: Any, programs: Given) -> None:
    """One that cannot be read, or is not there yet, hides no other."""
    bucket.put(f"pre/main/base/{NEXT}/backup.info", b"nonsense\n")
    bucket.put("pre/main/base/20261130T120000/data.tar", tar(DATA))
    good, bad, cut = source(programs).catalogue()
    assert (good.id, good.version, good.size, good.sound) == (ID, 18, 38060305, "")
    assert good.stored == len(tar(DATA)) + len(gzip.compress(tar(SPACE)))
    assert (bad.id, bad.sound) == (NEXT, 'its backup.info cannot be read: "nonsense" is no key=value')
    assert cut.sound == "it has no backup.info: it is being made, or was cut short"
    assert (cut.digest, good.digest_of) == ("", "the catalogue's entry")
    assert source(programs).read_only == ""


def test_what_a_catalogue_lacks_is_against_the_backup(bucket: Any, programs: Given) -> None:
    """Its archives of tar, or its own part of the archive."""
    bucket.delete_object(Bucket="backups", Key=f"pre/main/wals/{FIRST[:16]}/{FIRST}.gz")
    for each in ("data.tar", "16389.tar.gz"):
        bucket.delete_object(Bucket="backups", Key=f"{BASE}/{each}")
    assert only(programs).sound == f"its files are not there; of the archive it needs {FIRST}, and that is not there"


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"server": "other"}, "has no server other\nHINT: servers in it: main, main-old"),
        ({"repository": "s3://backups/elsewhere"}, "has no server main\nHINT: it has none of a Barman"),
        ({"repository": "s3://nowhere/pre"}, "there is no such bucket"),
    ],
)
def test_what_cannot_be_looked_at_is_no_empty_catalogue(
    bucket: Any, programs: Given, where: dict[str, str], words: str
) -> None:
    """Each in words, for the catalogue as for the inventory."""
    for ask in (source(programs, **where).catalogue, source(programs, **where).inventory):
        with pytest.raises(NotReady, match=words):
            ask()


def test_a_folder_or_a_name_that_is_none_is_refused(programs: Given) -> None:
    """Before anything is asked."""
    with pytest.raises(Refused, match="is no repository in S3"):
        source(programs, repository="/backups").catalogue()
    with pytest.raises(Refused, match="is no name of a server"):
        source(programs, server="a/b").catalogue()


def test_a_backup_is_restored_by_their_tool_and_its_archive_fetched(
    bucket: Any, programs: Given, tmp_path: Path
) -> None:
    """Every tablespace is in the place, and no secret is on a command line or in its variables."""
    folder, brought = restored(programs, tmp_path / "place")
    argv = (tmp_path / "out" / "argv").read_text().split()
    moved = ["--tablespace", f"big:{folder}/tablespaces/16389"]
    assert argv == [*moved, "s3://backups/pre", "main", ID, str(folder / "data")]
    assert SECRET not in (tmp_path / "out" / "env").read_text()
    assert f"aws_secret_access_key = {SECRET}" in (tmp_path / "out" / "aws-credentials").read_text()
    assert not (folder / "data" / "tablespace_map").exists()
    assert (list(brought.said), brought.archive_end, brought.wal) == ([], name(5), folder / "wal")
    assert [part.name for part in brought.parts] == ["restore", "verify", "fetch"]
    assert sorted(path.name for path in (folder / "wal").iterdir()) == [name(4), name(5)]
    assert (folder / "wal" / name(5)).read_bytes() == segment(5)
    assert not any((folder / "work").iterdir())


@pytest.mark.parametrize("content", [tar(DATA)[:1024], tar(DATA)[:700], tar(DATA)[:0]])
def test_an_archive_that_was_cut_off_is_an_error_though_their_tool_ends_well(
    bucket: Any, programs: Given, tmp_path: Path, content: bytes
) -> None:
    """Between two files, in the middle of one, and before the first."""
    bucket.put(f"{BASE}/data.tar", content)
    with pytest.raises(DrillError, match=r"data\.tar is cut off"):
        restored(programs, tmp_path / "place")


def test_a_wrong_checksum_of_gzip_is_told_though_their_tool_ends_well(
    bucket: Any, programs: Given, tmp_path: Path
) -> None:
    """As `barman-cloud-restore` 3.19.1 does: it does not look at it."""
    packed = gzip.compress(tar(SPACE))
    bucket.put(f"{BASE}/16389.tar.gz", packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:])
    _, brought = restored(programs, tmp_path / "place")
    assert len(brought.said) == 1
    assert "16389.tar.gz is damaged: CRC check failed" in brought.said[0]


@pytest.mark.parametrize(
    ("gone", "words"),
    [("data.tar", "it has no data.tar"), ("16389.tar.gz", "it has no 16389.tar")],
)
def test_an_archive_that_is_gone_is_an_error(
    bucket: Any, programs: Given, tmp_path: Path, gone: str, words: str
) -> None:
    """Their tool would leave the tablespace out."""
    bucket.delete_object(Bucket="backups", Key=f"{BASE}/{gone}")
    with pytest.raises(DrillError, match=words):
        restored(programs, tmp_path / "place")


def test_a_part_of_an_archive_that_is_gone_is_an_error(bucket: Any, programs: Given, tmp_path: Path) -> None:
    """A large one is in several parts, which are numbered."""
    bucket.put(f"{BASE}/data_0002.tar", tar({"more": b""}))
    with pytest.raises(DrillError, match=r"it has no data_0001\.tar"):
        restored(programs, tmp_path / "place")


def test_what_their_tool_says_is_the_error(bucket: Any, programs: Given, tmp_path: Path) -> None:
    """In one line, without its stamp."""
    said = "2026-11-30 10:50:51,270 [2341] ERROR: Barman cloud restore exception: unexpected end of data"
    version = '[ "$1" = --version ] && echo "barman 3.19.1" && exit'
    programs.script("barman-cloud-restore", f'{version}; echo "{said}" >&2; exit 4')
    with pytest.raises(DrillError) as raised:
        restored(programs, tmp_path / "place")
    words = "barman-cloud-restore exited 4: ERROR: Barman cloud restore exception: unexpected end of data"
    assert raised.value.message == f"{ID} cannot be restored: {words}"
    programs.script("barman-cloud-restore", f"{version}; exit 0")
    with pytest.raises(DrillError, match="has no backup_label"):
        restored(programs, tmp_path / "second")


def test_the_store_is_told_of_by_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this machine's own environment only the key is handed on, and as a file, too; and where its store is."""
    access = Access(S3(endpoint="https://s3.here", region="eu-1", ca=tmp_path / "ca.pem", key="k", secret="s"), {})
    env = access.environment(tmp_path)
    assert access.options == ["--endpoint-url", "https://s3.here", "--addressing-style", "path"]
    config = (tmp_path / "aws-config").read_text().splitlines()
    assert config == ["[default]", "region = eu-1", f"ca_bundle = {tmp_path}/ca.pem"]
    assert (tmp_path / "aws-credentials").stat().st_mode & 0o777 == 0o600
    assert env["AWS_SHARED_CREDENTIALS_FILE"] == str(tmp_path / "aws-credentials")
    assert access.files(env, tmp_path) == []
    (tmp_path / "second").mkdir()
    (tmp_path / "ca.pem").touch()
    assert access.files(env, tmp_path / "second") == [tmp_path / "aws-credentials", tmp_path / "ca.pem"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the machine")
    env = Access(S3(), {}).environment(tmp_path / "second")
    assert "of the machine" in Path(env["AWS_SHARED_CREDENTIALS_FILE"]).read_text()
    assert Access(S3(), {}).options == []
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://s3.there")
    assert Access(S3(), {}).options[:2] == ["--endpoint-url", "https://s3.there"]
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/their/own")
    assert Access(S3(), {}).environment(tmp_path / "second")["AWS_SHARED_CREDENTIALS_FILE"] == "/their/own"
