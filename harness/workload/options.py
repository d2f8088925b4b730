"""What the process of any group of customers is told, and how it ends."""

from __future__ import annotations

import argparse
import json
import random
import secrets
import signal
import sys
import urllib.parse
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import gevent

from harness.errors import DrillError, Exit, Refused
from harness.system import clock
from harness.system.resolver import Fixed, resolver
from harness.workload import ledger
from harness.workload.client import Client
from harness.workload.connection import Target
from harness.workload.handed import Mask, handed_on, mask, secrets_in
from harness.workload.open_loop import Customers, first_due
from harness.workload.source import client_source

CLIENTS = 100  # enough for 16.7 a second that all hang for 5 s
TIMEOUT = timedelta(seconds=5)


class Options(argparse.ArgumentParser):
    """Of one group. Wrong usage is `Refused`."""

    def __init__(self, module: str, description: str) -> None:
        super().__init__(prog=f"python -m {module}", description=description)
        self.add_argument("--group", required=True, help="its name")
        self.add_argument("--origin", required=True, help="<run>/<scenario>")
        self.add_argument("--rate", type=float, required=True, help="requests a second of this group")
        self.add_argument("--phase", type=float, default=0.0, help="of the grid of due times, 0 to 1 of its period")
        self.add_argument("--ledger", type=Path, required=True, help="a file that does not exist yet")
        self.add_argument("--resolver", help="who says what NAME stands for, as JSON; the system if not given")
        self.add_argument("--ca", type=Path, help="who may vouch for NAME; the system's authorities when not given")
        self.add_argument("--timeout", type=float, default=TIMEOUT.total_seconds(), help="seconds from the due time")
        self.add_argument("--most", type=int, help="so many are sent at most; all that are due when not given")
        self.add_argument("--clients", type=int, default=CLIENTS, help="at most this many requests under way")
        self.add_argument("--project", type=Path, required=True, help="the folder that the client is imported from")
        self.add_argument("--client", required=True, help="a module of it, with a CLIENT, or a file: how they write")
        self.add_argument("--seed", type=int, help="of what is sent; drawn when not given")

    def error(self, message: str) -> NoReturn:
        raise Refused(message, hint=f"see `{self.prog} --help`")

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Errors: `Refused`."""
        given = self.parse_args(words)
        if not (given.rate > 0 and given.timeout > 0 and given.clients > 0 and 0 <= given.phase < 1):
            self.error("rate, timeout and clients are above 0, phase from 0 to below 1")
        return given


def target(given: argparse.Namespace) -> Target:
    """Where the platform is. Errors: `Refused`."""
    url = urllib.parse.urlsplit(given.url)
    hint = "give --url https://NAME:PORT, and a CA certificate in PEM"
    if url.scheme not in ("https", "http") or not url.hostname:
        raise Refused(f"{given.url}: not a URL of a platform", hint=hint)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        asked = resolver(_json(given.resolver)) if given.resolver else Fixed((url.hostname,))
        return Target.at(scheme=url.scheme, host=url.hostname, port=port, resolver=asked, ca=given.ca)
    except OSError as error:
        raise Refused(f"{given.ca}: {error.strerror or error}", hint=hint) from None


def _json(text: str) -> Any:
    """None where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def header_of(given: argparse.Namespace) -> ledger.Header:
    """The first line of its file: the first request is due at once."""
    return ledger.Header(
        origin=given.origin,
        group=given.group,
        rate=given.rate,
        timeout=given.timeout,
        begin=first_due(ready=clock.mono(), rate=given.rate, phase=given.phase),
        seed=given.seed if given.seed is not None else random.SystemRandom().getrandbits(32),
        salt=secrets.token_hex(16),
    )


def run(options: Options, words: Sequence[str], make: Callable[[argparse.Namespace, Client, Mask], Customers]) -> int:
    """The customers, until SIGTERM: what is under way is finished, at most a time-out later.

    Returns the exit code: 0 after SIGTERM, 3 for wrong usage, 4 when the ledger was lost.
    """
    try:
        given = options.read(words)
        source, secrets = client_source(given.project, given.client), handed_on()
        customers = make(given, source.load(secrets_in(secrets)), mask(secrets))
        for signum in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(signum, customers.stop)
        try:
            customers.run()
        except Exception as error:
            if isinstance(error, DrillError) or (told := source.told(error)) is None:
                raise
            raise told from error
    except DrillError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit
    print(customers.summary(), flush=True)
    return Exit.MET
