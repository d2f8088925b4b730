"""The process: a pass, a rest, and so on until it is told to end. What breaks a pass off is said once."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from harness.stacks.parts.bucket import Bucket
from harness.stacks.parts.replication.copying import Copying
from harness.stacks.parts.s3 import CREDENTIALS, REGION
from harness.system import clock


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="replication", description="Copies a bucket to another region.")
    parser.add_argument("--from", required=True, nargs=2, metavar=("URL", "BUCKET"), dest="source")
    parser.add_argument("--to", required=True, nargs=2, metavar=("URL", "BUCKET"), dest="target")
    parser.add_argument("--ca", required=True, type=Path)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--every", type=float, default=5.0, help="seconds of rest between passes")
    words = parser.parse_args(argv)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    source, target = (
        Bucket(name, url=url, ca=words.ca, credentials=CREDENTIALS, region=REGION)
        for url, name in (words.source, words.target)
    )
    try:
        copying = Copying(source, target, words.folder)
    except OSError as error:
        print(f"replication: {words.folder}: {error}", file=sys.stderr)
        return 1
    why = ""
    while not ended.is_set():
        before = copying.state.copied
        state = copying.go_through(ended.is_set)
        if state.copied > before:
            _say(f"copied {state.copied - before}, of which the oldest was {state.lag().total_seconds():.1f} s old")
        if state.why != why:
            why = state.why
            _say(f"broken off: {why}" if why else "goes through again")
        ended.wait(words.every)
    return 0


def _say(what: str) -> None:
    print(f"{clock.utc_text(clock.now().utc)} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
