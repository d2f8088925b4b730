"""Backups that a real Barman made of real servers are restored, and what is wrong with one is named."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DrillError
from harness.restores import Kept
from harness.restores.described import S3, Backup
from harness.restores.programs.machine import ThisMachine
from harness.restores.sources.barman import Barman
from harness.restores.sources.barman_cloud import BarmanCloud
from tests.real.barman_servers import COMMANDS, CREDENTIALS, WITHIN, Ground, ground, restored, store

VERSIONS = (15, 18)
ALL, BASE = (1500, 1000), (1000, 1000)  # rows of both tables: with the archive, and without
BUCKET = "backups"
PACKED = ("gzip", *filter(shutil.which, ("zstd", "lz4")))  # as far as this machine can unpack it


@pytest.fixture(scope="module")
def made() -> Iterator[Ground]:
    with ground(VERSIONS) as one:
        yield one


def of(home: Path, version: int) -> Barman:
    backup = Backup("orders", "barman", home, f"main{version}")
    return Barman(backup, programs=ThisMachine(COMMANDS), commands=COMMANDS, values={})


def newest(source: Barman | BarmanCloud) -> Kept:
    return source.catalogue()[-1]


def flip(path: Path, at: int) -> None:
    """One bit of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def table(base: Path, made: Ground, version: int) -> Path:
    """The file of the table in a base backup."""
    ((where,),) = made.servers[version].sql("SELECT pg_relation_filepath('t')")
    return base / "data" / str(where)


@pytest.mark.parametrize("version", VERSIONS)
def test_one_of_two_servers_is_restored_with_its_archive(made: Ground, version: int) -> None:
    """The repository is as before, and the catalogue has what the server says of itself."""
    source = of(made.home, version)
    before = source.inventory()
    kept = source.catalogue()[0]
    ((system,),) = made.servers[version].sql("SELECT system_identifier FROM pg_control_system()")
    assert (kept.version, kept.system, kept.sound) == (version, str(system), "")
    with restored(source, kept, made.folder / "place") as found:
        assert (list(found.brought.said), found.rows()) == ([], ALL)
        end = found.brought.archive_end
    assert end == max(path.name for path in (made.home / f"main{version}" / "wals").rglob("0" * 7 + "*") if
                      path.is_file() and "." not in path.name)  # fmt: skip  # one condition
    assert source.inventory() == before


@pytest.mark.parametrize("compression", PACKED)
def test_a_packed_backup_is_restored(made: Ground, compression: str) -> None:
    """As backup_compression makes it."""
    made.configure("packed.conf", f"backup_compression = {compression}")
    made.barman("backup", "--wait", "main15", config="packed.conf")
    source = of(made.home, 15)
    assert list((made.home / "main15" / "base" / newest(source).id / "data").glob("base.tar.*"))
    with restored(source, newest(source), made.folder / "place") as found:
        assert (list(found.brought.said), found.rows()) == ([], ALL)


def test_an_increment_is_restored_with_what_it_stands_on(made: Ground) -> None:
    """Two of them, one on the other, and a tablespace in each."""
    for _ in range(2):
        made.barman("backup", "--wait", "--incremental", "last", "main18")
    source = of(made.home, 18)
    assert [kept.kind for kept in source.catalogue()] == ["full", "incremental", "incremental"]
    with restored(source, newest(source), made.folder / "place") as found:
        assert (list(found.brought.said), found.rows()) == ([], ALL)


@pytest.fixture
def copy(made: Ground) -> Iterator[Path]:
    """Of the barman_home, to be damaged."""
    one = made.copy("copy")
    yield one
    shutil.rmtree(one)


def first(home: Path, version: int) -> tuple[Barman, Kept, Path]:
    """The source, its first backup, and that one's folder."""
    source = of(home, version)
    kept = source.catalogue()[0]
    return source, kept, home / f"main{version}" / "base" / kept.id


@pytest.mark.parametrize("version", VERSIONS)
def test_a_flipped_byte_in_data_is_named(made: Ground, copy: Path, version: int) -> None:
    """By the manifest of the backup."""
    source, kept, base = first(copy, version)
    file = table(base, made, version)
    flip(file, 5000)
    with restored(source, kept, made.folder / "place") as found:
        (said,) = found.brought.said
    assert f'checksum mismatch for file "{file.relative_to(base / "data")}"' in said


def test_a_flipped_byte_in_the_archive_is_named(made: Ground, copy: Path) -> None:
    """Packed, its checksum says so; plain, replay ends before it, and the archive's end does not move."""
    source, kept, _ = first(copy, 15)
    wals = copy / "main15" / "wals"
    end = max(path.name for path in wals.rglob("0000*") if path.is_file() and len(path.name) == 24)
    after = wals / end[:16] / f"{kept.facts['last'][:16]}{int(kept.facts['last'][16:], 16) + 1:08X}"
    whole = gzip.decompress(after.read_bytes())
    flip(after, after.stat().st_size - 6)
    with restored(source, kept, made.folder / "place") as found:
        (said,) = found.brought.said
        assert f"{after.name} of the archive is damaged" in said
        assert (found.brought.archive_end, found.rows()) == (end, BASE)
    after.write_bytes(whole)
    flip(after, 100)
    with restored(source, kept, made.folder / "place") as found:
        (said,) = found.brought.said
        assert f"another size than main15-xlog.db says: {after.name}" in said
        assert (found.brought.archive_end, found.rows()) == (end, BASE)


def test_an_old_backup_under_fresh_times_stays_old(made: Ground, copy: Path) -> None:
    """Its catalogue counts."""
    for path in copy.rglob("*"):
        os.utime(path, (2e9, 2e9), follow_symlinks=False)
    assert of(copy, 15).catalogue() == of(made.home, 15).catalogue()


def test_a_backup_without_its_archive_is_an_error(made: Ground, copy: Path) -> None:
    """Its catalogue says so before."""
    source, kept, _ = first(copy, 18)
    (copy / "main18" / "wals" / kept.facts["first"][:16] / kept.facts["first"]).unlink()
    assert "of the archive it needs" in source.catalogue()[0].sound
    with pytest.raises(DrillError, match="cannot be restored"), restored(source, kept, made.folder / "place"):
        raise AssertionError("it is restored")


def test_a_backup_of_another_system_is_told_by_its_identifier(made: Ground, copy: Path) -> None:
    """Under the right name; and pieces of its archive are not taken for ours."""
    ours, other = of(made.home, 15).catalogue()[0], of(made.home, 18).catalogue()[0]
    shutil.rmtree(copy / "main15")
    (copy / "main18").rename(copy / "main15")
    found = of(copy, 15).catalogue()[0]
    assert (found.system, found.version) == (other.system, 18)
    assert found.system != ours.system
    source, kept, _ = first(made.copy("mixed"), 15)
    wals = made.folder / "mixed" / "main15" / "wals"
    try:
        alien = max(path for path in (copy / "main15" / "wals").rglob("0000*") if len(path.name) == 24)
        victim = max(path for path in wals.rglob("0000*") if len(path.name) == 24)
        shutil.copy(alien, victim)
        with restored(source, kept, made.folder / "place") as mixed:
            assert any(f"it is of the system {other.system}, and not" in said for said in mixed.brought.said)
    finally:
        shutil.rmtree(made.folder / "mixed")


# By the cloud tools


@pytest.fixture(scope="module")
def bucket(made: Ground) -> Iterator[tuple[Any, str]]:
    """A client, and the URL: each server with a plain and a packed backup, and 500 rows in the archive alone."""
    import boto3  # noqa: PLC0415  it takes 0.3 s to import

    with store(made.folder) as url:
        client = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
        )
        client.create_bucket(Bucket=BUCKET)
        for one in made.servers.values():
            before = set(one.incoming.parent.rglob("0" * 7 + "*"))
            words = ["-h", one.folder, "-U", "postgres", "--immediate-checkpoint", f"s3://{BUCKET}/pre", one.name]
            one.sql("DELETE FROM t WHERE filled = 'y'")
            made.cloud("backup", url, *words)
            made.cloud("backup", url, "--gzip", *words)
            one.sql("INSERT INTO t SELECT id, 'y' FROM generate_series(1, 500) id")
            one.switch()
            for path in sorted(one.incoming.iterdir()):
                assert path not in before
                made.cloud("walarchive", url, "--gzip", f"s3://{BUCKET}/pre", one.name, path)
        yield client, url


def cloud(url: str, version: int, prefix: str = "pre") -> BarmanCloud:
    values = {"secret:KEY": CREDENTIALS["AWS_ACCESS_KEY_ID"], "secret:OTHER": CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
    s3 = S3(endpoint=url, key="${secret:KEY}", secret="${secret:OTHER}")
    backup = Backup("orders", "barman-cloud", f"s3://{BUCKET}/{prefix}", f"main{version}", s3=s3)
    return BarmanCloud(backup, programs=ThisMachine(COMMANDS), commands=COMMANDS, values=values)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("which", [0, 1])
def test_a_backup_in_the_cloud_is_restored_with_its_archive(
    made: Ground, bucket: tuple[Any, str], version: int, which: int
) -> None:
    """Plain and packed, with its tablespace in the place; the bucket is as before."""
    source = cloud(bucket[1], version)
    before = source.inventory()
    kept = source.catalogue()[which]
    assert (kept.version, kept.sound) == (version, "")
    with restored(source, kept, made.folder / "place") as found:
        assert (list(found.brought.said), found.rows()) == ([], ALL)
        assert (found.place.folder / "tablespaces").is_dir()
    assert source.inventory() == before


def twin(client: Any, prefix: str, change: dict[str, Callable[[bytes], bytes]]) -> None:
    """The repository once more under another prefix; `change`: names' ends, to what becomes of their bytes."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="pre/main15/"):
        for one in page["Contents"]:
            content = client.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
            for end, changed in change.items():
                content = changed(content) if one["Key"].endswith(end) else content
            client.put_object(Bucket=BUCKET, Key=one["Key"].replace("pre/", f"{prefix}/", 1), Body=content)


def test_a_flipped_byte_in_an_archive_of_tar_is_seen_by_checksums_of_pages_alone(
    made: Ground, bucket: tuple[Any, str]
) -> None:
    """The tools for the cloud write no manifest, and their restore ends well: the pages have to be looked at."""

    def flipped(content: bytes) -> bytes:
        """In the second page of the table in the tablespace, which nothing of the archive writes again."""
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            at = max(archive, key=lambda member: member.size).offset_data + 8192 + 8000
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    ((oid,),) = made.servers[15].sql("SELECT oid FROM pg_tablespace WHERE spcname = 'big'")
    twin(bucket[0], "flipped", {f"/{oid}.tar": flipped})
    source = cloud(bucket[1], 15, "flipped")
    with restored(source, source.catalogue()[0], made.folder / "place") as found:
        assert list(found.brought.said) == []
        found.recover()
        found.place.stop()
        done = found.place.run("pg_checksums", "--check", str(found.place.data), within=WITHIN, check=False)
        assert not done.ok
        assert "checksum verification failed" in done.err


def in_the_middle(content: bytes) -> bytes:
    return content[: len(content) // 2 + 100]


def behind_a_file(content: bytes) -> bytes:
    """Without the blocks that an archive of tar ends with."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        last = archive.getmembers()[-1]
    return content[: last.offset_data + -(-last.size // 512) * 512]


@pytest.mark.parametrize(
    ("which", "end", "cut", "words"),
    [
        (0, "/data.tar", in_the_middle, "unexpected end of data"),
        (0, ".tar", behind_a_file, "is cut off"),  # their tool ends well
        (1, "/data.tar.gz", in_the_middle, "unexpected end of data"),
    ],
)
def test_an_archive_of_tar_that_was_cut_off_is_an_error(  # noqa: PLR0917  (of one case)
    made: Ground, bucket: tuple[Any, str], which: int, end: str, cut: Callable[[bytes], bytes], words: str
) -> None:
    """In the middle of a file, or behind one."""
    prefix = f"cut-{which}{end.replace('/', '-')}"
    twin(bucket[0], prefix, {end: cut})
    source = cloud(bucket[1], 15, prefix)
    kept = source.catalogue()[which]
    with pytest.raises(DrillError, match=words), restored(source, kept, made.folder / "place"):
        raise AssertionError("it is restored")
