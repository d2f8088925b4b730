"""The customers' rows as a database has them, written down beside the ledger that they are compared with."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from harness.stacks import Stack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.database import Queried
from harness.stacks.capabilities.entrance import Readable
from harness.system.recorder import Recorder
from harness.workload.client import Client, canonical
from harness.workload.ledger import VERSION, stored_origin
from harness.workload.workload import name_in_pack


def stored(stack: Stack) -> Callable[[], AbstractContextManager[Any]] | None:
    """What opens what the project's client reads from: what the stack says, else the leader of its cluster; None where
    it has neither."""
    if own := find(stack, Readable):
        return own.reading
    queried = find(stack, Queried)
    return queried.connect if queried else None


def export_rows(
    source: Any, client: Client, *, origin: str, groups: Sequence[str], folder: Path, moment: str, recorder: Recorder
) -> None:
    """Write `rows-<moment>-<group>.jsonl` for each group of customers, fsynced, and record its digest as `rows`.

    `source`: what the client reads from. The first line says whose rows they are, and has a salt: a file that is
    withheld tells nothing by its digest.
    """
    for group in groups:
        path = folder / f"rows-{moment}-{group}.jsonl"
        digest, lines = sha256(), 0
        first = {"v": VERSION, "origin": origin, "group": group, "moment": moment, "salt": secrets.token_hex(16)}
        with path.open("wb") as file:
            for fact in chain([first], _rows(source, client, origin=stored_origin(origin, group))):
                text = json.dumps(fact, separators=(",", ":")).encode() + b"\n"
                digest.update(text)
                file.write(text)
                lines += 1
            file.flush()
            os.fsync(file.fileno())
        recorder.record("rows", file=name_in_pack(path), sha256=digest.hexdigest(), lines=lines, moment=moment)


def _rows(source: Any, client: Client, *, origin: str) -> Iterator[dict[str, Any]]:
    for number, payload in client.rows(source, origin=origin):
        amount = client.amount(payload)
        yield {"n": number, "payload": canonical(payload)} | ({} if amount is None else {"amount": str(amount)})
