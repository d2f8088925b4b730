"""Where the files of a repository lie: a folder, or a prefix in S3. Only read, and nothing outside of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from harness.errors import NotReady, Refused
from harness.restores.described import S3, Backup
from harness.restores.sources.storage import Storage, storage

PLAIN = {"a.dump": b"one", "more/b.dump": b"three", "empty.sql": b""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository of three files."""
    made = tmp_path / "backups"
    for name, content in PLAIN.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(content)
    return made


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The same files in S3, by moto in this process."""
    import boto3  # noqa: PLC0415  (it takes 0.3 s)

    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="backups")
        client.put_bucket_versioning(Bucket="backups", VersioningConfiguration={"Status": "Enabled"})
        for name, content in PLAIN.items():
            client.put_object(Bucket="backups", Key=f"daily/{name}", Body=content)
        client.put_object(Bucket="backups", Key="daily-more/c.dump", Body=b"another's")
        client.put_object(Bucket="backups", Key="daily/more/", Body=b"")
        yield client


def of(repository: Path | str, **s3: Any) -> Storage:
    """What a stack file would make of it."""
    values = {"secret:KEY": "key", "secret:OTHER": "secret"}
    settings = S3(**{"key": "${secret:KEY}", "secret": "${secret:OTHER}", **s3})
    return storage(Backup("orders", "pg_dump", repository, s3=settings), values)


def reads_all(found: Storage, into: Path) -> None:
    assert {name: one.size for name, one in found.files().items()} == {name: len(PLAIN[name]) for name in PLAIN}
    assert found.read("more/b.dump") == b"three"
    assert found.part("more/b.dump", 2) == b"th"
    assert found.part("more/b.dump", 2, last=True) == b"ee"
    assert found.part("a.dump", 99) == found.part("a.dump", 99, last=True) == b"one"
    assert found.part("empty.sql", 5) == found.part("empty.sql", 5, last=True) == b""
    assert found.fetch("more/b.dump", into / "x" / "y") == 5
    assert (into / "x" / "y").read_bytes() == b"three"
    with found.open("a.dump") as source:
        assert [source.read(2), source.read(2), source.read(2)] == [b"on", b"e", b""]
    with pytest.raises(NotReady, match=r"nothing\.dump"):
        found.read("nothing.dump")
    with pytest.raises(Refused, match="no name in a repository"):
        found.read("../a.dump")


def test_a_folder_is_read(folder: Path, tmp_path: Path) -> None:
    """All of it, parts of it, and what is not there is told."""
    reads_all(of(folder), tmp_path)


def test_a_prefix_is_read(bucket: Any, tmp_path: Path) -> None:
    """As a folder is; a prefix that begins alike is another one."""
    reads_all(of("s3://backups/daily"), tmp_path)
    reads_all(of("s3://backups/daily/"), tmp_path)
    assert len(of("s3://backups").files()) == 4


def test_all_pages_are_listed(bucket: Any, tmp_path: Path) -> None:
    """A listing has a thousand at a time."""
    for number in range(1003):
        bucket.put_object(Bucket="backups", Key=f"many/{number:04}", Body=b"x")
    found = of("s3://backups/many")
    assert len(found.files()) == len(found.inventory()) == 1003


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    """Neither to a file nor to a folder outside; they and a socket are in the inventory."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("x")
    (folder / "latest").symlink_to("a.dump")
    (folder / "way-out").symlink_to(tmp_path / "outside")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "socket"))
    found = of(folder)
    assert set(found.files()) == set(PLAIN)
    inventory = found.inventory()
    assert set(inventory) == {*PLAIN, "latest", "way-out", "socket"}
    assert inventory["latest"] == "a link to a.dump"
    assert inventory["socket"] == "no file, folder or link"
    for name in ("latest", "way-out/secret", "socket"):
        with pytest.raises(NotReady, match="is no file of it"):
            found.read(name)


def test_the_folder_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    """It is what the stack file names."""
    (tmp_path / "named").symlink_to(folder)
    reads_all(of(tmp_path / "named"), tmp_path)


def test_an_inventory_tells_what_was_written_again(folder: Path) -> None:
    """With the same size, too."""
    found = of(folder)
    before = found.inventory()
    assert found.inventory() == before
    (folder / "a.dump").write_bytes(b"two")
    os.utime(folder / "a.dump", ns=(1, 1))
    changed = found.inventory()
    assert {name for name in before if before[name] != changed[name]} == {"a.dump"}


def test_an_inventory_of_objects_tells_versions(bucket: Any) -> None:
    """The same bytes written again within the second are another version."""
    found = of("s3://backups/daily")
    before = found.inventory()
    assert set(before) == set(PLAIN)
    assert found.inventory() == before
    bucket.put_object(Bucket="backups", Key="daily/a.dump", Body=b"one")
    bucket.delete_object(Bucket="backups", Key="daily/empty.sql")
    after = found.inventory()
    assert set(after) == {"a.dump", "more/b.dump"}
    assert [after[name] == before[name] for name in ("a.dump", "more/b.dump")] == [False, True]


def test_what_cannot_be_read_is_not_empty(folder: Path, bucket: Any) -> None:
    """A folder or a bucket that is not there, and a file where a folder should be."""
    for repository, said in (
        (folder / "nothing", "No such file or directory"), (folder / "a.dump", "is no folder"),
        ("s3://nothing/daily", "there is no such bucket"),
    ):  # fmt: skip  # one a case
        for ask in (of(repository).files, of(repository).inventory):
            with pytest.raises(NotReady, match=said):
                ask()
    with pytest.raises(Refused, match="has no bucket"):
        of("s3://")


def test_a_store_that_does_not_answer_is_told() -> None:
    """With where it was looked for."""
    found = of("s3://backups/daily", endpoint="http://127.0.0.1:9")
    with pytest.raises(NotReady, match=r"at http://127\.0\.0\.1:9: could not list it"):
        found.files()


def test_errors_of_who_reads_are_his_own(folder: Path) -> None:
    """A full disk is none of the repository's."""
    with pytest.raises(OSError, match="disk"), of(folder).open("a.dump"):
        raise OSError(28, "disk")


def test_a_key_that_may_not_is_told(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that may list no versions has an inventory without; one that may list nothing has none."""
    from botocore.client import BaseClient  # noqa: PLC0415  (it takes 0.3 s)
    from botocore.exceptions import ClientError  # noqa: PLC0415  (the same)

    refused = {"ListObjectVersions"}
    known = BaseClient._make_api_call

    def asked(self: Any, operation: str, given: Any) -> Any:
        if operation in refused:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, operation)
        return known(self, operation, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", asked)
    found = of("s3://backups/daily")
    assert set(found.inventory()) == set(PLAIN)
    refused.add("ListObjectsV2")
    with pytest.raises(NotReady, match=r"AWS refuses to list it: .*Access Denied"):
        found.inventory()


def test_read_only_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this account cannot write to; S3 is not tried."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name == "b.dump")
    assert of(folder).read_only == ""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert of(folder).read_only == "this account cannot write to anything in it"
    assert of("s3://backups").read_only == ""
