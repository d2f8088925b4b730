"""What a dump says of itself at its beginning: what it is, of which version, and from when."""

from __future__ import annotations

import bz2
import gzip
import lzma
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.restores.sources.header import Header, NoHeader, looks_like_one, packed, read_header, unpacked
from tests import dumps

KNOWN = Header("custom", dumps.MADE, database="shop", server="15.18", by="15.18")


@pytest.mark.parametrize("version", [(1, 12, 0), (1, 14, 0), (1, 15, 0), (1, 16, 0)])
def test_an_archive_is_read(version: tuple[int, int, int]) -> None:
    """Of each version of archives, which say in different ways how they are compressed."""
    assert read_header(dumps.archive(version=version)) == KNOWN


def test_the_formats_are_told_apart() -> None:
    """By what they begin with."""
    assert read_header(dumps.archive(kind=3)) == replace(KNOWN, kind="directory")
    assert read_header(dumps.tar()) == replace(KNOWN, kind="tar")
    assert read_header(dumps.script()).kind == "script"
    assert read_header(dumps.script(cluster=True)).kind == "cluster"


def test_the_newer_version_counts() -> None:
    """What a newer pg_dump wrote is not for an older server."""
    assert KNOWN.version == 15
    assert read_header(dumps.archive(by="18.1")).version == 18
    assert read_header(dumps.script("x")).version == 15
    assert read_header(dumps.script("x", version="devel")).version == 0


def test_the_time_of_an_archive_has_no_zone() -> None:
    """It is of the clock of who made it, which the stack file names; and UTC where it does not."""
    assert KNOWN.ended("") == (datetime(2026, 11, 30, 10, 29, 37, tzinfo=UTC), "")
    assert KNOWN.ended("Asia/Tokyo") == (datetime(2026, 11, 30, 1, 29, 37, tzinfo=UTC), "")


def test_summer_time_tells_of_another_zone() -> None:
    """An archive says whether it was kept: UTC has none."""
    summer = read_header(dumps.archive(made=datetime(2026, 7, 1, 12), summer=1))
    assert summer.ended("Europe/Berlin") == (datetime(2026, 7, 1, 10, tzinfo=UTC), "")
    assert summer.ended("")[1] == "it was made in summer time, which UTC does not have then"


@pytest.mark.parametrize(
    ("started", "zone", "ended", "against"),
    [
        ("2026-11-30 10:29:38 UTC", "Asia/Tokyo", datetime(2026, 11, 30, 10, 29, 38, tzinfo=UTC), ""),
        ("2026-11-30 10:29:38 +03", "", datetime(2026, 11, 30, 7, 29, 38, tzinfo=UTC), ""),
        ("2026-11-30 10:29:38 CET", "Europe/Berlin", datetime(2026, 11, 30, 9, 29, 38, tzinfo=UTC), ""),
        ("2026-11-30 10:29:38 CET", "", None, "its time is of the zone CET, which UTC is not"),
        ("", "Europe/Berlin", None, ""),
    ],
)
def test_the_time_of_a_script(started: str, zone: str, ended: datetime | None, against: str) -> None:
    """It has letters of a zone, which may be of several; without `--verbose` there is no time."""
    assert read_header(dumps.script(started=started)).ended(zone) == (ended, against)


def test_the_database_of_a_script() -> None:
    """Where it connects to one, in each way that pg_dump writes that."""
    for line in ("\\connect shop", '\\connect "a shop"', "\\connect -reuse-previous=on \"dbname='a shop'\""):
        assert read_header(dumps.script(line)).database == ("shop" if line.endswith(" shop") else "a shop")
    assert read_header(dumps.script()).database == ""
    assert read_header(dumps.script("\\connect shop", cluster=True)).database == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\0" * 100, "does not begin as"),
        (dumps.archive()[:40], "cut short"),
        (dumps.archive(version=(3, 0, 0)), "version 3.0.0, which is not known"),
        (dumps.archive(kind=9), "a format that is not known"),
        (b"other".ljust(257, b"\0") + b"ustar".ljust(255, b"\0"), "toc.dat is not the first"),
        (dumps.tar()[:512] + b"x" * 99, "toc.dat does not begin"),
        (b"select 1; -- PostgreSQL database dump", "does not begin as"),
    ],
)
def test_what_is_none_is_said(content: bytes, said: str) -> None:
    """And what is wrong with it."""
    with pytest.raises(NoHeader, match=said):
        read_header(content)


def test_a_time_that_is_none_is_said() -> None:
    """A month of 30 is no month."""
    with pytest.raises(NoHeader, match="a time that is none"):
        read_header(dumps.archive().replace(dumps.number(10) + dumps.number(126), dumps.number(30) + dumps.number(126)))


def test_what_is_packed_is_read_as_far_as_it_goes() -> None:
    """Of each way of Python; a beginning that is cut short is enough."""
    content = dumps.script(*(f"-- {each}" for each in range(9000)))
    for pack, kind in ((gzip.compress, "gzip"), (bz2.compress, "bzip2"), (lzma.compress, "xz")):
        made = pack(content)
        assert packed(made) == kind
        assert looks_like_one(made[:1024])
        assert unpacked(made, packed(made), 500) == content[:500]
    assert read_header(unpacked(gzip.compress(content)[:3000], "gzip")).version == 15
    assert packed(content) == packed(b"") == ""
    assert not looks_like_one(b"hello")
    for kind in ("gzip", "bzip2", "xz"):
        with pytest.raises(NoHeader, match=f"no sound {kind}"):
            unpacked(b"\x1f\x8bBZh" + b"x" * 100, "gzip" if kind == "gzip" else "bzip2" if kind == "bzip2" else "xz")
