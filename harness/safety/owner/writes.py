"""What a run writes on a platform of somebody else: no faster and no more than its file lets.

What is written is marked: its number and the run it is of are in the key that the project's client makes of them
(`harness.workload.client.Key`). What stays of it is said at the end of the run. To take it away again is the client's
(`harness.scenario.marks`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from harness.errors import Refused
from harness.evidence.lines import Line
from harness.stacks.attached.file.described import StackFile
from harness.system.growing import Growing
from harness.system.recorder import Recorder

EVERY = timedelta(milliseconds=500)
SENT = b'"e":"sent"'  # in a line of a ledger
SPENT = "as many writes are sent as the owner lets"


def must_be_slow_enough(said: StackFile, rate: float) -> None:
    """Errors: `Refused` where a run would write faster than the file lets: by `safety`, else by `customers`."""
    most, place = said.safety.most_a_second, said.where("safety", "writes", "rate")
    if most is None and said.customers is not None:
        most, place = said.customers.rate, said.where("customers", "rate")
    if most is not None and rate > most:
        what = f"the run would write {rate:g} a second, and {said.platform.name} lets {most:g}"
        raise Refused(f"{what}; nothing was hurt", hint=f"{place}: give a smaller rate")


def sent(lines: Iterable[Line]) -> int:
    """How many a run has sent so far, by its journal: customers of scenarios that have ended, and trials."""
    found = 0
    for line in lines:
        found += line.kind == "trial.sent"
        found += int(line.data.get("sent", 0)) if line.kind == "workload.end" else 0
    return found


def removed(lines: Iterable[Line]) -> int | None:
    """How many were taken away again, by the `marks` of scenarios that have ended; None where nobody knows, or does."""
    marks = [line.data for line in lines if line.kind == "marks" and line.data["how"] != "left"]
    known = [each for each in marks if each["found"] is not None and each["left"] is not None]
    return sum(int(each["found"]) - int(each["left"]) for each in known) if known and len(known) == len(marks) else None


def left(said: StackFile, lines: Iterable[Line]) -> int | None:
    """How many more may be sent in this run; None where nobody says. Errors: `Refused` where none is left."""
    most = said.safety.most_writes
    if most is None:
        return None
    before = sent(lines)
    if before >= most:
        what = f"{before} writes were sent, and {said.platform.name} lets {most} in one run; nothing was hurt"
        raise Refused(what, hint=f"{said.where('safety', 'writes', 'number')}: run fewer scenarios at once")
    return most - before


class Bound:
    """Watches the ledgers of one scenario, and says once that no more may be sent: then the run ends.

    The customers themselves stop at their share (`--most`), whoever watches.
    """

    def __init__(self, files: Sequence[Path], most: int, spent: Callable[[str], None]) -> None:
        self._growing = {path: Growing() for path in files}
        self._most = most
        self._spent = spent
        self._over = threading.Event()
        self.sent = 0

    def begin(self) -> None:
        threading.Thread(target=self._watch, name="writes", daemon=True).start()

    def end(self) -> None:
        self._over.set()

    def look(self) -> bool:
        """Whether as many are sent as may be."""
        for path, growing in self._growing.items():
            self.sent += sum(SENT in line for line in growing.lines(path))
        return self.sent >= self._most

    def _watch(self) -> None:
        while not self._over.wait(EVERY.total_seconds()):
            if self.look():
                self._spent(f"{SPENT}: {self.sent}")
                return


def record(said: StackFile, lines: Iterable[Line], recorder: Recorder, *, run: str) -> None:
    """At the end of a run: what it has sent, and how much of that its client has taken away again."""
    written = list(lines)
    recorder.record(
        "writes", sent=sent(written), most=said.safety.most_writes, most_a_second=said.safety.most_a_second,
        marked=f"{run}/", removed=removed(written),
    )  # fmt: skip  # arguments in groups
