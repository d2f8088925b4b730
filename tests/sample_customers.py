"""Customers of a sample pack: their ledgers, and the rows that a database would hold of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.workload import ledger

ZONES = ("a", "b", "c")
SECOND = 1_000_000_000
AMOUNT = Decimal("12.34")


@dataclass(frozen=True)
class Stretch:
    """When requests went wrong, and what became of the data. Seconds on the journal's clock."""

    origin: str
    begin: float  # customers
    end: float
    rate: float  # of each zone; 0: idle customers
    down: float  # first moment of no service
    up: float  # first moment of good service again; infinite: never
    mono: Callable[[float], int]


def write(folder: Path, name: str, stretch: Stretch, kept: dict[str, Callable[[float], bool]]) -> list[dict[str, Any]]:
    """Ledgers, and rows of each moment in `kept` (given a request's answer time: is it stored?); facts to journal."""
    facts: list[dict[str, Any]] = []
    for place, zone in enumerate(ZONES):
        header = ledger.Header(origin=stretch.origin, group=zone, rate=stretch.rate, timeout=5.0)
        lines = [ledger.header_line(header)]
        rows: dict[str, list[str]] = {moment: ['{"v":2}\n'] for moment in kept}
        count = int((stretch.end - stretch.begin) * stretch.rate)
        for n in range(1, count + 1):
            due = stretch.begin + place * 0.02 + n / stretch.rate
            made, stored = _request(n, due, stretch)
            lines += made
            for moment, keep in kept.items():
                if stored is not None and keep(stored):
                    row = {"n": n, "payload": _payload(n), "amount": str(AMOUNT)}
                    rows[moment].append(json.dumps(row, separators=(",", ":")) + "\n")
        facts.append({"kind": "ledger"} | _write(folder, f"scenarios/{name}/ledger-{zone}.jsonl", lines))
        for moment, made in rows.items():
            listed = _write(folder, f"scenarios/{name}/rows-{moment}-{zone}.jsonl", made)
            facts.append({"kind": "rows"} | listed | {"moment": moment})
    return facts


def totals(folder: Path, name: str) -> dict[str, int]:
    """What the customers themselves count at the end."""
    total = ledger.Totals()
    for zone in ZONES:
        with (folder / f"scenarios/{name}/ledger-{zone}.jsonl").open() as lines:
            total += ledger.count(ledger.outcomes(lines))
    return {field: getattr(total, field) for field in ("due", "sent", "acknowledged", "failed", "in_doubt", "not_sent")}


def salvaged(stretch: Stretch, since: float) -> tuple[int, str]:
    """Rows that were stored from `since` on and before service ended, and their amount."""
    count = 0
    for place in range(len(ZONES)):
        numbers = range(1, int((stretch.down + 1 - stretch.begin) * stretch.rate) + 1)
        stored = (
            _request(n, stretch.begin + place * 0.02 + n / stretch.rate, stretch)[1] for n in numbers if stretch.rate
        )
        count += sum(at is not None and since <= at < stretch.down + 1 for at in stored)
    return count, str(count * AMOUNT)


def _payload(n: int) -> str:
    return f'{{"amount":"{AMOUNT}","from":{1 + n % 90},"to":{1 + (n + 7) % 90}}}'


def _request(n: int, due: float, stretch: Stretch) -> tuple[list[str], float | None]:
    """The lines of one request, and when it was stored; None: it was not."""
    out = stretch.down <= due < stretch.up
    if out and n % 9 == 0:
        at = stretch.mono(due)
        return [ledger.not_sent_line(n, due=at, t=at, why="clients full")], None
    sent = ledger.sent_line(
        n,
        due=stretch.mono(due),
        t=stretch.mono(due + 0.001),
        payload=_payload(n),
        amount=AMOUNT,
    )
    if not out:
        answered = due + 0.006 + (n * 7919 % 97) / 9000 + (0.09 if n % 83 == 0 else 0)
        return [sent, ledger.end_line(n, "acknowledged", t=stretch.mono(answered))], answered
    if due < stretch.down + 0.5:
        end = ledger.end_line(n, "in_doubt", t=stretch.mono(due + 5.0), why="no answer within 5 s")
        return [sent, end], due + 0.01 if n % 3 == 0 else None
    return [sent, ledger.end_line(n, "failed", t=stretch.mono(due + 0.004), why="connection refused")], None


def _write(folder: Path, name: str, lines: list[str]) -> dict[str, Any]:
    content = "".join(lines).encode()
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"file": name, "sha256": hashlib.sha256(content).hexdigest(), "lines": len(lines)}
