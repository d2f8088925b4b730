"""Beginnings of dumps, as pg_dump writes them."""

from __future__ import annotations

from datetime import datetime

MADE = datetime(2026, 11, 30, 10, 29, 37)


def number(value: int) -> bytes:
    """A sign and four bytes."""
    return bytes([value < 0]) + abs(value).to_bytes(4, "little")


def text(value: str) -> bytes:
    return number(len(value.encode())) + value.encode()


def archive(
    *, kind: int = 1, made: datetime = MADE, summer: int = 0, database: str = "shop", server: str = "15.18 (Debian)",
    by: str = "15.18 (Debian)", version: tuple[int, int, int] = (1, 14, 0),
) -> bytes:  # fmt: skip  # parameters in groups
    """The header of a custom archive (1), or of the `toc.dat` of a directory and a tar (3)."""
    clock = (made.second, made.minute, made.hour, made.day, made.month - 1, made.year - 1900, summer)
    compression = b"\x01" if version >= (1, 15, 0) else number(-1)
    return b"".join(
        [b"PGDMP", bytes(version), bytes([4, 8, kind]), compression, *map(number, clock), text(database), text(server),
         text(by), number(23)]
    )  # fmt: skip  # in groups


def tar() -> bytes:
    """A tar whose first member is the table of contents."""
    return b"toc.dat".ljust(257, b"\0") + b"ustar".ljust(255, b"\0") + archive(kind=3)


def script(*lines: str, version: str = "15.18", started: str = "", end: bool = True, cluster: bool = False) -> bytes:
    """A script, with these lines in it. `started`: as `--verbose` writes it."""
    what = "database cluster dump" if cluster else "database dump"
    return "\n".join(
        [
            "--", f"-- PostgreSQL {what}", "--", "",
            f"-- Dumped from database version {version}", f"-- Dumped by pg_dump version {version}", "",
            *([f"-- Started on {started}", ""] if started else []),
            "SET client_encoding = 'UTF8';", *lines,
            *(["", "--", f"-- PostgreSQL {what} complete", "--", ""] if end else []), "",
        ]
    ).encode()  # fmt: skip  # as it is in a file
