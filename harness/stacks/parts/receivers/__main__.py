"""Serves all that are named, until it is told to end: `python -m harness.stacks.parts.receivers --folder FOLDER …`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from harness.stacks.parts.receivers import SERVICES
from harness.stacks.parts.receivers.page import Page
from harness.stacks.parts.receivers.served import Served, Service, address
from harness.stacks.parts.receivers.slack import Slack
from harness.stacks.parts.receivers.smtp import Mail
from harness.stacks.parts.receivers.store import Store
from harness.stacks.parts.receivers.teams import Teams
from harness.stacks.parts.receivers.webhook import Pager


def open_all(store: Store, addresses: dict[str, tuple[str, int]]) -> list[Served | Mail]:
    """Each service at its address. Errors: `OSError` with the name of the first whose port is taken."""
    services: dict[str, Service] = {"slack": Slack(), "teams": Teams(), "pager": Pager(), "page": Page(store)}
    opened: list[Served | Mail] = []
    for name, where in addresses.items():
        try:
            opened.append(Mail(where, store) if name == "e-mail" else Served(services[name], where, store))
        except OSError as error:
            for each in opened:
                each.stop()
            raise OSError(f"{name}: {where[0]}:{where[1]}: {error.strerror or error}") from error
    return opened


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="receivers", description="Stands in for the services that tell people.")
    parser.add_argument("--folder", required=True, type=Path)
    for name in SERVICES:
        parser.add_argument(f"--{name}", metavar="ADDRESS:PORT", dest=name)
    words = vars(parser.parse_args(argv))
    try:
        addresses = {name: address(words[name]) for name in SERVICES if words[name]}
        opened = open_all(Store(words["folder"]), addresses)
    except (OSError, ValueError) as error:
        print(f"receivers: {error}", file=sys.stderr)
        return 1
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    print(f"stands in for {', '.join(addresses) or 'nothing'} (simulated)", file=sys.stderr, flush=True)
    ended.wait()
    for each in opened:
        each.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
