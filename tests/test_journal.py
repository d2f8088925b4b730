"""The journal is durable, chained, and survives kills and full disks."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import DrillError, Refused
from harness.evidence import lines
from harness.evidence.journal import Journal, JournalBusy, JournalFull
from harness.evidence.lines import NothingBegan, read
from harness.evidence.redact import Redactor
from harness.system import clock
from tests.made_packs import unfinished

NAME = lines.NAME


def in_child(action: Callable[[], Any]) -> int:
    """Run it in a forked child; its exit code, or minus the signal that killed it."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_line_is_exactly_what_the_documentation_says(tmp_path: Path) -> None:
    """Keys in their order, no spaces, UTF-8, and `prev` is what sha256sum prints for the line before."""
    with Journal.create(tmp_path) as journal:
        journal.record("run.begin", run="ü")
        journal.record("wait", what="x")
    first, second = (tmp_path / NAME).read_bytes().splitlines()
    assert list(json.loads(first)) == ["v", "seq", "prev", "salt", "utc", "mono", "kind", "data"]
    assert first.startswith(b'{"v":2,"seq":0,"prev":"' + b"0" * 64 + b'","salt":"')
    assert first.endswith('"kind":"run.begin","data":{"run":"ü"}}'.encode())
    by_hand = f"sed -n 1p {tmp_path / NAME} | tr -d '\\n' | sha256sum | cut -c1-64"
    assert subprocess.check_output(["sh", "-c", by_hand], text=True).strip() == json.loads(second)["prev"]


def test_what_was_recorded_is_read_back(tmp_path: Path) -> None:
    """Every line comes back with its number, both clocks, its kind and its data."""
    with Journal.create(tmp_path) as journal:
        journal.record("a", n=1)
        journal.record("b", list=[1, "x", None, 1.5])
        assert journal.lines() == read(tmp_path / NAME)
    first, second = read(tmp_path / NAME)
    assert (first.seq, first.kind, first.data) == (0, "a", {"n": 1})
    assert (second.seq, second.kind, second.data) == (1, "b", {"list": [1, "x", None, 1.5]})
    assert second.prev == first.digest and second.mono >= first.mono and second.utc.tzinfo is not None
    assert first.salt != second.salt


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(JSON, min_size=1, max_size=4))
def test_any_json_goes_through(values: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever JSON is recorded, the journal reads as one unbroken chain of as many lines."""
    folder = tmp_path_factory.mktemp("any")
    with Journal.create(folder) as journal:
        for value in values:
            journal.record("x", value=value)
    assert [line.kind for line in read(folder / NAME)] == ["x"] * len(values)


def test_several_threads_record_one_chain(tmp_path: Path) -> None:
    """Threads that record at once get numbers without a gap, on clocks that do not go back."""
    with Journal.create(tmp_path) as journal:
        threads = [
            threading.Thread(target=lambda n=n: [journal.record("t", who=n, i=i) for i in range(25)]) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    recorded = read(tmp_path / NAME)
    assert len(recorded) == 100
    assert [line.mono for line in recorded] == sorted(line.mono for line in recorded)


def test_a_second_journal_of_the_same_run_is_refused(tmp_path: Path) -> None:
    """Neither created over an old one, nor resumed while its process lives."""
    with Journal.create(tmp_path) as journal:
        journal.record("run.begin")
        with pytest.raises(Refused, match="already"):
            Journal.create(tmp_path)
        with pytest.raises(JournalBusy, match="alive"):
            Journal.resume(tmp_path)
    Journal.resume(tmp_path).close()


def test_misuse_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    """Data that is not JSON, a closed journal and a forked child are refused."""
    journal = Journal.create(tmp_path)
    journal.record("run.begin")
    before = (tmp_path / NAME).read_bytes()
    for data in ({"x": float("nan")}, {"x": object()}, {"x": {1, 2}}):
        with pytest.raises(DrillError, match="not JSON"):
            journal.record("bad", **data)

    def child() -> None:
        with pytest.raises(DrillError, match="forked"):
            journal.record("x")

    assert in_child(child) == 0
    journal.close()
    with pytest.raises(DrillError, match="closed"):
        journal.record("late")
    assert (tmp_path / NAME).read_bytes() == before


def die_after(folder: Path, part: int) -> None:
    """Record one whole line, then be killed with `part` bytes of the next one written."""
    write = os.pwrite

    def part_of_it(handle: int, line: bytes, at: int) -> int:
        write(handle, line[:part], at)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    journal = Journal.create(folder)
    journal.record("run.begin", run="r")
    os.pwrite = part_of_it
    journal.record("wait", what="x" * 20)


def test_killed_in_the_middle_of_a_line(tmp_path: Path) -> None:
    """Kill -9 with any part of a line written: resume cuts it off, says so, and the chain goes on."""
    whole = 262  # about the length of the second line: the clock's digits differ
    for part in (0, 1, 2, *range(20, whole, 20), whole - 1, whole, whole + 1):
        folder = tmp_path / str(part)
        assert in_child(lambda folder=folder, part=part: die_after(folder, part)) == -signal.SIGKILL
        torn = (folder / NAME).read_bytes().partition(b"\n")[2]
        with Journal.resume(folder) as journal:
            journal.record("run.end")
        lines = read(folder / NAME)
        if part == 0:
            assert [line.kind for line in lines] == ["run.begin", "resumed", "run.end"]
        elif torn.endswith(b"\n"):
            assert [line.kind for line in lines] == ["run.begin", "wait", "resumed", "run.end"]
        else:
            assert [line.kind for line in lines] == ["run.begin", "resumed", "torn", "run.end"]
            assert lines[1].data == {"boot": clock.boot()}
            assert lines[2].data == {"bytes": len(torn), "sha256": hashlib.sha256(torn).hexdigest()}


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """A process killed from outside while it records leaves a journal that resumes; nothing returned is lost."""
    script = (
        "import sys; from pathlib import Path; from harness.evidence.journal import Journal\n"
        "journal = Journal.create(Path(sys.argv[1]))\n"
        "for n in range(10**6):\n    journal.record('x', n=n)\n    print(n, flush=True)\n"
    )
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        child = subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.02 + 0.013 * attempt)
        child.kill()
        said = child.stdout.read().splitlines()
        child.wait()
        Journal.resume(folder).close()
        recorded = [line.data["n"] for line in read(folder / NAME) if line.kind == "x"]
        assert recorded == list(range(len(recorded)))
        assert len(recorded) >= int(said[-1] if said else 0) + 1


def test_nothing_began(tmp_path: Path) -> None:
    """A journal without a whole line is not resumed: nothing had been started."""
    Journal.create(tmp_path).close()
    (tmp_path / NAME).write_bytes(b'{"v":1,"se')
    with pytest.raises(NothingBegan, match="before anything began"):
        Journal.resume(tmp_path)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """A disk that fills in the middle of a line: a clear error, a readable journal, and it goes on afterwards."""

    def limited() -> None:
        journal = Journal.create(tmp_path)
        journal.record("run.begin")
        size = (tmp_path / NAME).stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))  # a real write that takes only 50 bytes
        with pytest.raises(JournalFull, match="HINT: free some space"):
            journal.record("wait", what="does not fit")
        assert [line.kind for line in read(tmp_path / NAME)] == ["run.begin"]
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        journal.record("run.end")

    assert in_child(limited) == 0
    assert [line.kind for line in read(tmp_path / NAME)] == ["run.begin", "run.end"]


def test_a_full_disk_that_cannot_even_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the torn line cannot be cut off at once, the next record overwrites it, and so does resume."""
    write, cut = os.pwrite, os.ftruncate

    def full(handle: int, line: bytes, at: int) -> int:
        write(handle, line[:150], at)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def stuck(handle: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Journal.create(tmp_path) as journal:
        journal.record("run.begin")
        for _ in range(2):
            monkeypatch.setattr(os, "pwrite", full)
            monkeypatch.setattr(os, "ftruncate", stuck)
            with pytest.raises(JournalFull, match="No space left"):
                journal.record("wait", what="x" * 500)
            monkeypatch.setattr(os, "pwrite", write)
            monkeypatch.setattr(os, "ftruncate", cut)
            assert read(tmp_path / NAME, torn_ok=True) == journal.lines()
            journal.record("y")
    assert [line.kind for line in read(tmp_path / NAME)] == ["run.begin", "y", "y"]


def test_interrupted_between_write_and_return(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C inside a record leaves the fact whole or not there, and the next one chains on."""
    with Journal.create(tmp_path) as journal:
        journal.record("run.begin")

        def interrupted(handle: int) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.record("wait", what="a long line that is not to stay")
        monkeypatch.undo()
        journal.record("run.end")
    assert [line.kind for line in read(tmp_path / NAME)] == ["run.begin", "run.end"]


def rewrite(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in change(path.read_bytes().splitlines())))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda ls: [ls[0], ls[1].replace(b"scenario.begin", b"scenario.BEGIN"), *ls[2:]], lines.ChainBroken),
        (lambda ls: [ls[0], *ls[2:]], lines.SequenceGap),
        (lambda ls: [ls[1], ls[0], *ls[2:]], lines.SequenceGap),
        (lambda ls: [ls[0], ls[1].replace(b'"v":2', b'"v":3'), *ls[2:]], lines.UnknownVersion),
        (lambda ls: [ls[0], ls[1].replace(b":", b": ", 1), *ls[2:]], lines.NotCanonical),
        (lambda ls: [ls[0].replace(b'"v":2', b'"v":true'), *ls[1:]], lines.NotCanonical),
        (lambda ls: [b"\xff\xfe", *ls], lines.NotCanonical),
        (lambda ls: [b"[" * 100000, *ls], lines.NotCanonical),
        (lambda ls: [b"[]", *ls], lines.NotCanonical),
        (lambda ls: [b'{"v":1,"seq":0,"redacted":"' + b"0" * 64 + b'"}', *ls[1:]], lines.LineRedacted),
    ],
)
def test_a_changed_journal_is_named(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], error: type[Exception]
) -> None:
    """Each way to change a journal has an error of its own."""
    path = unfinished(tmp_path / "r") / NAME
    rewrite(path, change)
    with pytest.raises(error):
        read(path)


def test_a_torn_journal_is_read_only_on_request(tmp_path: Path) -> None:
    """A last line without its end is an error, unless the reader asks for what is whole."""
    path = unfinished(tmp_path / "r") / NAME
    whole = len(read(path))
    path.write_bytes(path.read_bytes() + b'{"v":1,"seq":8,')
    with pytest.raises(lines.TornLine, match="HINT: run `drdrill heal`"):
        read(path)
    assert len(read(path, torn_ok=True)) == whole


def test_secrets_are_masked_on_the_way_in(tmp_path: Path) -> None:
    """What a command printed goes through the redactor before it is on disk."""
    with Journal.create(tmp_path, redactor=Redactor(["hunter2hunter2"])) as journal:
        journal.record("command", argv=["psql", "postgresql://u:s3cr3tpw@db/x"], out="it is hunter2hunter2", mono=1)
    text = (tmp_path / NAME).read_text()
    assert "hunter2" not in text and "s3cr3tpw" not in text and "[redacted: known secret]" in text
