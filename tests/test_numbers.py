"""Which numbers of a folder count: what is signed or was told in a receipt, and of the rest only the very next one."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from harness.errors import Refused
from harness.evidence import receipts
from harness.evidence.numbers import LEAP
from harness.evidence.seal import newest, pack_digest
from harness.evidence.verify import Receipt, verify_folder
from harness.schedule import runs
from harness.schedule.series import Claim, Gap, copies, gaps
from reports.calendar import text as calendar_text
from tests.made_packs import OTHERS, OUR_PRINT, sealed, series

FAR = 7 * 10**11


def junk(evidence: Path, name: str, number: int) -> Path:
    """A folder with a journal of one line, made by hand; nobody has signed it."""
    folder = evidence / name
    folder.mkdir(parents=True)
    data = {"run": name, "number": number, "previous": "none", "scenarios": []}
    fields = {"v": 1, "seq": 0, "prev": "0" * 64, "salt": "0" * 32, "utc": "2026-11-02T10:00:00.000000Z", "mono": 1}
    line = json.dumps({**fields, "kind": "run.begin", "data": data}, separators=(",", ":"))
    (folder / "journal.jsonl").write_text(line + "\n")
    return folder


@pytest.mark.parametrize("name", ["20261103-101112-beef", "z.unfinished", "a.damaged"])
@pytest.mark.parametrize("number", [FAR, 5, 10**30])
def test_what_nobody_signed_moves_nothing(tmp_path: Path, name: str, number: int) -> None:
    """A number that is not the very next one is not counted, whatever the folder is called."""
    *_, last = series(tmp_path, length=2)
    junk(tmp_path, name, number)
    assert newest(tmp_path) == (2, pack_digest(last))
    folder = runs.read(tmp_path)
    assert folder.gaps == () and len(calendar_text.about(folder)) < 10


def test_a_killed_run_that_is_the_next_one_counts(tmp_path: Path) -> None:
    """Two of them as well, each one more than the one before; a third that leaps does not."""
    series(tmp_path, length=2)
    for number in (3, 4, 6):
        junk(tmp_path, f"r{number}.unfinished", number)
    assert newest(tmp_path)[0] == 4


@pytest.mark.parametrize("number", [FAR, LEAP + 4])
def test_a_key_of_somebodys_own_does_not_move_the_series_far(tmp_path: Path, number: int) -> None:
    """Signed and sound, yet greater than any folder of so many runs can have: left alone, and said."""
    *_, last = series(tmp_path, length=2)
    sealed(tmp_path / "theirs", number=number, previous=pack_digest(last), key=OTHERS)
    assert newest(tmp_path) == (2, pack_digest(last))
    folder = runs.read(tmp_path)
    assert folder.gaps == ()
    assert any(f"says that it is run {number}" in note for note in folder.notes)
    assert any(remark.startswith("sealed with 2 keys") for remark in folder.remarks)
    assert verify_folder(tmp_path).outcome == "MISSED", "an auditor is told of the gap"


def test_a_key_that_was_changed_goes_on_with_the_series(tmp_path: Path) -> None:
    """Nobody expects a key here: the next run follows the newest pack, whoever sealed it."""
    (first,) = series(tmp_path, length=1)
    second = sealed(tmp_path / "run-2", number=2, previous=pack_digest(first), key=OTHERS)
    assert newest(tmp_path) == (2, pack_digest(second))
    assert runs.read(tmp_path, key=OUR_PRINT).gaps == ()


def test_a_seal_that_no_signature_fits_gives_no_number(tmp_path: Path) -> None:
    """An envelope can be written by hand, too; the number in it counts as little as one in a journal."""
    *_, last = series(tmp_path, length=2)
    forged = sealed(tmp_path / "forged", number=40, previous="none")
    other = (last / "pack.dsse.json").read_text().partition('"sig":"')[2]
    envelope = (forged / "pack.dsse.json").read_text().partition('"sig":"')[0]
    (forged / "pack.dsse.json").write_text(f'{envelope}"sig":"{other}')
    assert newest(tmp_path) == (2, pack_digest(last))
    assert runs.read(tmp_path).gaps == ()
    assert "gap" not in verify_folder(tmp_path, key=OUR_PRINT).names()


def test_a_spoiled_pack_keeps_its_number(tmp_path: Path) -> None:
    """Its seal still says it: the next run does not get it again."""
    *_, last = series(tmp_path, length=3)
    (last / "plan.yaml").write_text("other: true\n")
    assert newest(tmp_path) == (3, pack_digest(last))


def test_the_newest_number_is_not_used_again(tmp_path: Path) -> None:
    """The pack is gone; the receipts beside the others remember it, and the calendar says that it is missing."""
    *_, last = series(tmp_path, length=3)
    receipts.add(tmp_path, receipts.begun(last))
    shutil.rmtree(last)
    assert newest(tmp_path)[0] == 3
    folder = runs.read(tmp_path)
    assert folder.gaps == (Gap("main", range(3, 4)),)
    assert any("run 3 is missing" in line for line in calendar_text.about(folder))


def test_a_receipt_by_hand_does_not_move_it_far_either(tmp_path: Path) -> None:
    """Nobody signs receipts: one of a number that no folder has says nothing."""
    series(tmp_path, length=2)
    receipts.add(tmp_path, Receipt(FAR, nonce="n", first="0" * 64))
    assert newest(tmp_path)[0] == 2
    assert runs.read(tmp_path).gaps == ()


@pytest.mark.parametrize("odd", ["fifo", "folder", "link"])
def test_receipts_that_are_no_file_are_refused(tmp_path: Path, odd: str) -> None:
    """Before anything begins, with what to do; nothing waits for a pipe."""
    path = tmp_path / "receipts.txt"
    if odd == "fifo":
        os.mkfifo(path)
    elif odd == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    for asked in (receipts.must_be_writable, newest):
        with pytest.raises(Refused, match="HINT"):
            asked(tmp_path)


def test_a_pipe_in_a_journals_place_is_not_waited_for(tmp_path: Path) -> None:
    """It is a folder that says nothing."""
    series(tmp_path, length=1)
    (tmp_path / "odd").mkdir()
    os.mkfifo(tmp_path / "odd" / "journal.jsonl")
    (tmp_path / "link").symlink_to(tmp_path / "run-1")
    assert newest(tmp_path)[0] == 1


def test_gaps_are_ranges(tmp_path: Path) -> None:
    """However many numbers are missing; said in one line, and cut where a day or a run asks for it."""
    assert gaps({1, 2, 5, FAR}, FAR) == (range(3, 5), range(6, FAR))
    assert gaps((), 0) == () and gaps({1}, 1) == () and gaps((), 2) == (range(1, 3),)
    gap = Gap("main", range(3, 9))
    assert gap.between(above=4) == Gap("main", range(5, 9)) and gap.between(below=3) is None
    assert str(Gap("main", range(6, FAR))).startswith(f"runs 6 to {FAR - 1} are missing")
    assert str(Gap("ci-a", range(6, 7))).startswith("run 6 of the stream ci-a is missing")
    packs = series(tmp_path, length=4)
    shutil.rmtree(packs[1])
    shutil.rmtree(packs[2])
    folder = runs.read(tmp_path)
    assert folder.gaps == (Gap("main", range(2, 4)),)
    assert calendar_text.folder_json(folder)["missing_numbers"] == {"main": [2, 3]}
    assert folder.until(date(2000, 1, 1), ZoneInfo("UTC")).gaps == ()


def test_what_is_sound_speaks_for_its_copies() -> None:
    """By the envelope, else by run and number; unsound ones alone speak for themselves."""
    found = [
        Claim("a", "d1", "r1", 1, sound=False),
        Claim("b", "d1", "r1", 1, sound=True),
        Claim("c", "d1", "r1", 1, sound=True),
        Claim("d", "d9", "r1", 1, sound=False),
        Claim("e", "", "r1", 2, sound=False),
        Claim("f", "d2", "r1", 1, sound=True),
        Claim("g", "", "r7", 0, sound=False),
    ]
    assert copies(found) == ["b", "", "b", "b", "", "", ""]
