"""Lets a pod's link come and go: runs inside the pod, by the image's own Python, and imports nothing of this project.

    python3 -c SOURCE FILE TOKEN BEGIN DOWN UP LASTING INTERFACE COUNTS

At BEGIN, a reading of the monotonic clock in seconds, so that all behind one link go down together. Down first, for
`DOWN` seconds, then up for `UP`, by a fixed schedule, until `LASTING` seconds are over or FILE does not begin with
TOKEN any more; then the link is joined. Each going down is one more line of FILE: `down` where COUNTS is `yes`, `also`
elsewhere, and two readings of the monotonic clock between which it took effect. FILE is removed at the end. Whoever
changes the link or the file holds a lock on `FILE.lock`.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LATEST = 5.0  # seconds; a beginning that is further off is of another machine's clock


def rules(interface: str) -> list[list[str]]:
    """What drops every packet at an interface, both ways, without a word."""
    return [["INPUT", "-i", interface, "-j", "DROP"], ["OUTPUT", "-o", interface, "-j", "DROP"]]


def lift(interface: str) -> None:
    for rule in rules(interface):
        subprocess.run(["iptables", "-w", "-D", *rule], check=False, stderr=subprocess.DEVNULL)


def drop(interface: str) -> None:
    lift(interface)
    for rule in rules(interface):
        subprocess.run(["iptables", "-w", "-A", *rule], check=True)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with Path(f"{file}.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ours(file: Path, token: str) -> bool:
    try:
        return file.read_text().startswith(f"{token}\n")
    except FileNotFoundError:
        return False


def main(argv: list[str]) -> None:
    file, token, interface, counts = Path(argv[0]), argv[1], argv[6], argv[7] == "yes"
    begin, down, up, lasting = (float(word) for word in argv[2:6])
    now = time.monotonic()
    begin, turn = min(max(begin, now), now + LATEST), 0.0

    def rest(until: float) -> None:
        time.sleep(max(0.0, begin + min(until, lasting) - time.monotonic()))

    rest(0.0)
    while turn < lasting:
        with locked(file):
            if not ours(file, token):
                break
            earliest = time.monotonic_ns()
            drop(interface)
            with file.open("a") as lines:
                lines.write(f"{'down' if counts else 'also'} {earliest} {time.monotonic_ns()}\n")
        rest(turn + down)
        lift(interface)
        turn += down + up
        rest(turn)
    with locked(file):
        if ours(file, token):  # another may flap it by now
            lift(interface)
            if counts:
                file.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
