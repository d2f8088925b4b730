"""The customers' rows as a database has them, written down beside the ledger that they are compared with."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from harness.procedures.reconciliation import Reconciliation
from harness.system import clock
from harness.system.recorder import Recorder
from harness.workload.ledger import stored_origin
from harness.workload.workload import name_in_pack


def export_rows(
    connection: psycopg.Connection[Any],
    reconciliation: Reconciliation,
    *,
    origin: str,
    groups: Sequence[str],
    folder: Path,
    moment: str,
    recorder: Recorder,
) -> None:
    """Write `rows-<moment>-<group>.jsonl` for each group of customers, fsynced, and record its digest as `rows`."""
    for group in groups:
        path = folder / f"rows-{moment}-{group}.jsonl"
        digest, lines = sha256(), 0
        with path.open("wb") as file:
            for row in reconciliation.rows(connection, origin=stored_origin(origin, group)):
                line = {
                    "n": row.number,
                    "from": row.source,
                    "to": row.target,
                    "amount": str(row.amount),
                    "created": clock.utc_text(row.created),
                }
                text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
                digest.update(text)
                file.write(text)
                lines += 1
            file.flush()
            os.fsync(file.fileno())
        recorder.record("rows", file=name_in_pack(path), sha256=digest.hexdigest(), lines=lines, moment=moment)
