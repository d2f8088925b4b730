"""What a hostile pack can cost whoever verifies it is bounded before reading: by what was sealed, and by limits."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.evidence import files, verify
from harness.evidence.verify import Report, verify_pack
from tests.damaged_packs import JOURNAL, canonical, lines_of, names, payload, resealed, signed
from tests.made_packs import OUR_PRINT

TERABYTE = 1 << 40


def with_holes(path: Path, size: int = TERABYTE) -> None:
    """A file of that size that takes no room."""
    with path.open("ab"):
        os.truncate(path, size)


def counting(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> list[tuple[Any, ...]]:
    """The calls of a function, which still does what it did."""
    calls: list[tuple[Any, ...]] = []
    real: Callable[..., Any] = getattr(where, name)

    def counted(*given: Any, **named: Any) -> Any:
        calls.append(given)
        return real(*given, **named)

    monkeypatch.setattr(where, name, counted)
    return calls


def test_only_what_was_sealed_is_read(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was added is named and not opened, whatever its size."""
    digested = counting(monkeypatch, hashlib, "file_digest")
    verify_pack(pack, key=OUR_PRINT)
    sealed = len(digested)
    assert sealed == len(payload(pack)["subject"])
    for name in ("huge", "scenarios/huge.jsonl"):
        with_holes(pack / name)
    assert names(pack) == {"file-added"}
    assert len(digested) == 2 * sealed


@pytest.mark.parametrize(
    "name", ["plan.yaml", "findings.json", JOURNAL, "SHA256SUMS", "pack.dsse.json", "public-key.pem"]
)
def test_a_terabyte_of_holes(pack: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In a sealed file's place: its size is looked at, and it is not read. What is too large is not called changed."""
    with_holes(pack / name)
    digested = counting(monkeypatch, hashlib, "file_digest")
    report = verify_pack(pack, key=OUR_PRINT)
    assert report.answer("integrity") == ("UNKNOWN" if name in ("plan.yaml", "findings.json") else "MISSED")
    assert not any(source.name == str(pack / name) for source, _ in digested)
    if name != "pack.dsse.json":  # without the seal nobody says that it is to be there
        assert any("1099511627776 bytes" in problem.text for problem in report.problems)


def test_a_pack_is_bounded_as_a_whole(pack: Path) -> None:
    """Many files, each within the bound, are no way round it; those before are compared all the same."""
    for n in range(3):
        (pack / f"z{n}").touch()
    resealed(pack)
    for n in range(3):
        with_holes(pack / f"z{n}", verify.LARGEST_PACK // 2 + n)
    read: list[str] = []
    digests = verify.digests_of(pack, ["plan.yaml", "z2", "z1"], report := Report(pack))
    read = [name for name, digest in digests.items() if digest]
    assert read == ["plan.yaml", "z2"]
    assert [problem.outcome for problem in report.problems] == ["UNKNOWN"]


@pytest.mark.parametrize("tail", [b"\n" * 3_000_000, b"x" * 40_000_000, b'{"v":1}\n' * 400_000])
def test_no_more_lines_are_read_than_were_sealed(pack: Path, monkeypatch: pytest.MonkeyPatch, tail: bytes) -> None:
    """One more shows that there are too many."""
    sealed = len(lines_of(pack))
    with (pack / JOURNAL).open("ab") as journal:
        journal.write(tail)
    parsed = counting(monkeypatch, verify, "fields_of")
    report = verify_pack(pack, key=OUR_PRINT)
    assert len(parsed) <= sealed + 1
    assert report.answer("integrity") == "MISSED" and "journal-length" in report.names()


def test_a_journal_that_is_wrong_all_over_is_not_read_to_its_end(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where somebody has sealed that many lines; what is not read is not called missing."""
    (pack / JOURNAL).write_bytes(b"\n" * 200_000)
    resealed(pack)
    parsed = counting(monkeypatch, verify, "fields_of")
    report = verify_pack(pack, key=OUR_PRINT)
    assert len(parsed) <= 2 * verify.MANY
    assert (report.answer("integrity"), report.answer("completeness")) == ("MISSED", "UNKNOWN")
    assert any("was read as far as line" in problem.text for problem in report.problems)


WORST = {
    "quotes": b'{"v":["' + b'\\"' * 1_999_000 + b'"]}',
    "quotes that end nothing": b"[" * 65 + b'"\\' * 1_999_000,
    "one string": b'"' + "\U0001f600".encode() * 1_000_000 + b'"',
    "lists": b"[" + b"[]," * 1_390_000 + b"[]]",
    "objects": b"[" + b'{"a":{}},' * 60_000 + b"{}]",
    "deep": b"[" * 2_000_000 + b"]" * 2_000_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "closed too often": b"[" + b"]" * 4_000_000,
    "numbers": b"[" + b"0.5," * 190_000 + b"1]",
    "one number": b"9" * 4_000_000,
}


@pytest.mark.parametrize("what", WORST)
def test_a_line_takes_bounded_memory(what: str) -> None:
    """Four megabytes of the worst that can be in a line, and the same read back; refused or not."""
    tracemalloc.start()
    try:
        verify.written(verify.parsed(WORST[what]))
    except ValueError as error:
        assert str(error)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(WORST[what]) <= verify.LONGEST_LINE
    assert peak < 100_000_000


def test_nesting_is_counted_outside_of_strings() -> None:
    """Sixty-four brackets within one another and no more, whatever the strings between them hold."""
    deep = b'["[[[\\"{{{\\\\",' * verify.DEEPEST + b"1" + b"]" * verify.DEEPEST
    assert verify.parsed(deep)
    for text in (b"[" + deep + b"]", b'{"a":' + deep + b"}", deep + b"]", b"[" * 70 + b'"' + b"]" * 70):
        with pytest.raises(ValueError, match="nested"):
            verify.parsed(text)


@pytest.mark.parametrize("number", [10**40, -(10**32), 10**400, "9" * 33])
def test_a_number_without_end(pack: Path, number: object) -> None:
    """Of a run, or anywhere in what was signed: no number has more than 32 digits."""
    told = payload(pack)
    told["predicate"]["number"] = number
    signed(pack, canonical(told))
    assert "statement-form" in names(pack)


@pytest.mark.parametrize("number", [0, -1, 10**15, True, 1.0])
def test_the_number_of_a_run_is_one(pack: Path, number: object) -> None:
    """Of at most fifteen digits: such a number can be read and counted everywhere."""
    resealed(pack, change=lambda told: told.update(number=number))
    assert "statement-form" in names(pack)


def test_more_files_than_any_pack_has(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not listed to their end, and not one by one."""
    monkeypatch.setattr(verify, "MOST_ENTRIES", 200)
    for n in range(300):
        (pack / f"{n}.log").touch()
    assert names(pack) >= {"too-many-files"}
    monkeypatch.setattr(verify, "MOST_ENTRIES", 1000)
    text = verify.text_of(verify_pack(pack, key=OUR_PRINT))
    assert text.count("was not sealed") == 100 and "file-added: 200 more like these" in text


def test_the_door_for_everybody_else(tmp_path: Path) -> None:
    """Reports and calendar open a pack's files through the same bounds, and are told the file's name and why."""
    path = tmp_path / "x"
    path.write_bytes(b"a\n" + b"b" * files.LONGEST_LINE)
    lines = files.lines(path)
    assert next(lines) == b"a\n"
    with pytest.raises(OSError, match="a line of it is longer"):
        next(lines)
    with pytest.raises(OSError, match="larger than 10 bytes") as refused:
        files.content(path, largest=10)
    assert refused.value.filename == str(path)
    (tmp_path / "link").symlink_to(path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder", "nothing"):
        with pytest.raises(OSError, match=name) as refused:
            files.content(tmp_path / name)
        assert refused.value.strerror
    with pytest.raises(FileNotFoundError):
        files.content(tmp_path / "nothing")
