"""Asks an Alertmanager that is not ours, each second: `python -m harness.alerts.poller --at URL --file FILE`.

What fires now and did not before is told, and what fires no more is told as resolved; so the file is as a receiver's.
Whether it could be asked is in FILE.asked: the reading of the clock when it could last, and why not since.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

from harness.alerts.formats import Line, from_api, named
from harness.alerts.writer import Writer
from harness.system import clock, control_files
from harness.system.http import DIRECT, NoAnswer

EVERY = timedelta(seconds=1)
WITHIN = timedelta(seconds=2)
ASKED = ".asked"


class Poller:
    """What has fired so far, and what is told of it."""

    def __init__(self, at: str, file: Path, names: dict[str, str]) -> None:
        self._at = at
        self._names = names
        self._writer = Writer(file)
        self._asked = file.with_name(f"{file.name}{ASKED}")
        self._firing: dict[str, Line] = {}
        self._last = 0

    def look(self) -> None:
        """Ask once, and tell what has changed. Errors: `OSError` where nothing can be written."""
        try:
            answer = DIRECT.ask("GET", self._at, within=WITHIN)
            why = "" if answer.status == 200 else f"HTTP {answer.status}"
        except NoAnswer as error:
            why = str(error)
        if not why:
            parsed = from_api(answer.body, self._names)
            why = "; ".join(parsed.wrong[:3])
            if not (parsed.wrong and not parsed.lines):
                self._tell({str(line["fingerprint"]): line for line in parsed.lines})
                self._last = clock.mono()
        control_files.leave(self._asked, {"last": self._last, "why": why})

    def _tell(self, now: dict[str, Line]) -> None:
        fresh = [line for which, line in now.items() if which not in self._firing]
        over = [{**line, "state": "resolved"} for which, line in self._firing.items() if which not in now]
        if fresh or over:
            self._writer.write([*fresh, *over])
        self._firing = now


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="poller", description="Asks an Alertmanager, and keeps what it says.")
    parser.add_argument("--at", required=True, metavar="URL")
    parser.add_argument("--file", required=True, type=Path)
    parser.add_argument("--label", action="append", default=[], metavar="component=LABEL", help="which label says it")
    words = parser.parse_args(argv)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    poller = Poller(words.at, words.file, named(words.label))
    while not ended.wait(EVERY.total_seconds()):
        poller.look()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
