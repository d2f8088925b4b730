"""Damaged files of a restored database, on real servers: found by checksums, and by amcheck where there are none."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from harness.restores.programs.place import OwnPlace
from harness.restores.proof import entries, log, pages
from tests.real.restored import SOON, VERSIONS, cluster, database, file_of, flip, place, up

PAGE = 8192
SOUND = (
    "CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL, note text)",
    "ALTER TABLE customers ALTER note SET STORAGE EXTERNAL",
    "INSERT INTO customers SELECT g, 'somebody ' || g, CASE WHEN g < 50 THEN repeat(md5(g::text), 200) END"
    " FROM generate_series(1, 1000) g",
    "VACUUM (FREEZE) customers",
)
FILES = ("customers", "customers_pkey", "TOAST")


def files(of: OwnPlace, name: str) -> dict[str, Path]:
    with of.connect(name) as connection:
        row = connection.execute(
            "SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'customers'"
        ).fetchone()
    assert row
    return {kind: file_of(of, name, row[0] if kind == "TOAST" else kind) for kind in FILES}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_flipped_byte_is_found_by_its_checksum(version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a table, in an index and in TOAST: by pg_checksums, by amcheck, and in the server's words."""
    with place(tmp_path / "place", version) as there:
        cluster(there)
        names = [database(there, f"db{n}", *SOUND) for n in range(3)]
        found = [files(there, name)[kind] for name, kind in zip(names, FILES, strict=True)]
        looks = pages.amcheck(there.connect, names, within=SOON)
        assert [look.ok for look in looks] == [True] * 3 and all((look.figure or 0) > 250 for look in looks)
        there.stop()
        look = pages.checksums(there, within=SOON)
        assert look.ok and (look.figure or 0) > 3000
        for file in found:
            flip(file, PAGE + 4000)
        look = pages.checksums(there, within=SOON)
        assert look.ok is False and look.seen.startswith("3 of") and "block 1" in look.seen
        up(there)
        running = pages.checksums(there, within=SOON)
        assert running.ok is None and "shut down" in running.seen
        looks = pages.amcheck(there.connect, names, within=SOON)
        assert [look.ok for look in looks] == [False] * 3
        assert all(
            named in look.seen for look, named in zip(looks, ("customers", "customers_pkey", "of 274"), strict=True)
        )
        said = log.looks_at_log([], there.log.read_text())
        assert said[1].ok is False and "verification failed" in said[1].seen
        monkeypatch.setattr(pages, "INSTALL", "CREATE EXTENSION drdrill_nowhere")
        absent = pages.amcheck(there.connect, names[:1], within=SOON)
        assert [look.ok for look in absent] == [None] and "contrib" in absent[0].seen
        monkeypatch.undo()
        late = pages.amcheck(there.connect, names[:1], within=timedelta(0))
        assert [look.ok for look in late] == [None]


def zeroes(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(PAGE)
        opened.write(bytes(PAGE))


def shorter(file: Path) -> None:
    os.truncate(file, PAGE)


DAMAGE: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a row's header": ("customers", lambda file: flip(file, PAGE * 2 - 48 + 22)),
    "a page's header": ("customers", lambda file: flip(file, PAGE + 8, 8)),
    "a key of an index": ("customers_pkey", lambda file: flip(file, PAGE * 2 - 40, 8)),
    "zeroes in an index": ("customers_pkey", zeroes),
    "a shorter index": ("customers_pkey", shorter),
    "a shorter TOAST": ("TOAST", shorter),
    "zeroes in TOAST": ("TOAST", zeroes),
    "zeroes in a table": ("customers", zeroes),
    "a shorter table": ("customers", shorter),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_without_checksums_amcheck_finds_what_does_not_fit(version: int, tmp_path: Path) -> None:
    """And checksums, which are off, are UNKNOWN, with what lifts that."""
    with place(tmp_path / "place", version) as there:
        cluster(there, checksums=False)
        names = {what: database(there, f"db{n}", *SOUND) for n, what in enumerate(DAMAGE)}
        found = {what: files(there, names[what])[kind] for what, (kind, _) in DAMAGE.items()}
        there.stop()
        look = pages.checksums(there, within=SOON)
        assert look.ok is None and "off" in look.seen and "--enable" in look.seen
        for what, (_, damage) in DAMAGE.items():
            damage(found[what])
        up(there)
        looks = pages.amcheck(there.connect, list(names.values()), within=SOON)
        missed = [what for what, look in zip(names, looks, strict=True) if look.ok is not False]
        assert missed == ["zeroes in a table", "a shorter table"]
        counted = entries.entries(there.connect, [*(names[what] for what in missed), "postgres"], within=SOON)
        assert [look.ok for look in counted] == [False, False, True]
        assert "1000 entries" in counted[0].seen and "rows)" in counted[1].seen
