"""Who takes writes: every database server is asked, from inside of its own zone, again and again.

    python -m tests.crash.writers KIND STACK OUT

It runs where the stack stands, and writes to OUT a line for each question: which server, the clock right before the
question and right after the answer, and the answer. No cut hides a server from it, and nothing that heals is asked.
Which components run, and since when, it writes beside OUT.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from harness.stacks import Stack, kinds
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.capabilities.entrance import Standpoints
from harness.system import clock
from harness.system.recorder import Memory

EVERY, LOOKS = 0.05, 0.5  # seconds between two questions, and between two looks at the components
PATIENCE = 2  # seconds; a frozen server takes a connection, and says nothing on it
DSN = "DRDRILL_TEST_DSN"
QUERY = (
    "SELECT NOT (pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool),"
    " extract(epoch FROM pg_postmaster_start_time())::text"
)


@dataclass(frozen=True)
class Answer:
    """What one server said. `life` is when its process was started: what follows a leader again is started anew."""

    server: str
    asked: int  # nanoseconds of the monotonic clock
    answered: int
    writable: bool | None  # None: it said nothing
    life: str


def read(file: Path, *, since: int = 0) -> list[Answer]:
    """All answers that were asked for after a moment; a line that is just being written is left out."""
    found = [Answer(*json.loads(line)) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [answer for answer in found if answer.asked >= since]


def two_writers(answers: Iterable[Answer]) -> str:
    """Two servers that took writes at one moment, for sure; empty where no two did.

    A server that is no copy becomes one only when it is started again: so between its first answer and its last one of
    one life it took writes all the time, unless it said otherwise in between. Whoever else has then said that it does,
    asked and answered in that time, is a second one.
    """
    said = defaultdict(list)
    for answer in sorted(answers, key=lambda one: one.asked):
        if answer.writable is not None:
            said[answer.server].append(answer)
    for one, other in permutations(said, 2):
        for begin, end in _spans(said[one]):
            during = [each for each in said[other] if each.writable and begin <= each.asked and each.answered <= end]
            if during:
                length = (during[-1].answered - during[0].asked) / 1e9
                return f"{one} and {other} took writes at one time, for {length:.2f} s at least"
    return ""


def _spans(answers: list[Answer]) -> Iterator[tuple[int, int]]:
    """From, and to: where it took writes without doubt."""
    begin = end = None
    for answer, following in zip(answers, [*answers[1:], None], strict=True):
        if answer.writable:
            begin = begin or answer
            end = answer
        if begin and end and (not answer.writable or following is None or following.life != answer.life):
            if begin is not end:
                yield begin.answered, end.asked
            begin = end = None


def ask(server: str) -> None:
    """Ask one server for as long as we live."""
    connection: psycopg.Connection[Any] | None = None
    while True:
        asked = clock.mono()
        writable, life = None, ""
        try:
            connection = connection or psycopg.connect(os.environ[DSN], autocommit=True, connect_timeout=PATIENCE)
            writable, life = _answer(connection.pgconn)
        except (psycopg.Error, OSError):
            if connection is not None:
                connection.close()
            connection = None
        line = json.dumps([server, asked, clock.mono(), writable, life])
        os.write(sys.stdout.fileno(), f"{line}\n".encode())  # whole, beside the lines of the others
        time.sleep(EVERY)


def _answer(asked: PGconn) -> tuple[bool, str]:
    """Below the driver, which would wait for a server that is frozen. Errors: `TimeoutError`."""
    asked.send_query(QUERY.encode())
    end = time.monotonic() + PATIENCE
    while asked.is_busy():
        if not select.select([asked.socket], [], [], max(0.0, end - time.monotonic()))[0]:
            raise TimeoutError(f"no answer within {PATIENCE} s")
        asked.consume_input()
    result = asked.get_result()
    if result is None or result.status != ExecStatus.TUPLES_OK:
        raise OSError("no answer")
    while asked.get_result() is not None:  # until it can be asked again
        pass
    return result.get_value(0, 0) == b"t", (result.get_value(0, 1) or b"").decode()


def main(kind: str, stack: Path, out: Path) -> None:
    """Ask all servers at once, until we are ended."""
    found = kinds.named(kind).maker.attach(stack, recorder=Memory())
    children = []
    with out.open("ab", buffering=0) as lines:
        for member in (each for region in found.regions for each in need(region, Cluster).members):
            words = [*need(found, Standpoints).stand_in(member.zone), sys.executable, "-m", __spec__.name, member.name]
            environment = {**os.environ, DSN: member.dsn}
            children.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=lines, env=environment))
    while signal.sigtimedwait([signal.SIGTERM, signal.SIGINT], LOOKS) is None:
        fresh = beside(out).with_suffix(".new")
        fresh.write_text(json.dumps({"at": clock.mono(), "parts": _parts(found)}))
        fresh.rename(beside(out))
    for child in children:
        child.kill()
        child.wait()


def beside(out: Path) -> Path:
    """Where it says which components run: `at` a moment, `parts` by their names, each with what tells two lives of it
    apart; those that do not run are left out."""
    return out.with_suffix(".parts")


def _parts(stack: Stack) -> dict[str, Any]:
    files = {path.stem: path for path in stack.folder.glob("**/pids/*.json")}
    lives = {}
    for name, component in stack.components().items():
        if component.running():
            with suppress(KeyError, OSError, ValueError):
                lives[name] = json.loads(files[name].read_text())
    return lives


if __name__ == "__main__":
    if len(sys.argv) == 2:
        ask(sys.argv[1])
    else:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
        main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
