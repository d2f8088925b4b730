"""How fast, and in how little memory, ledgers are compared with the rows: `python -m benchmarks.ledger`.

A pack with 1,000,000 acknowledged transactions is made, some of them lost, in doubt and not sent. The loss check reads
it as it reads any pack. Bounds: at most 3 times as long as `json.loads` over the same lines takes, under 150 MB. Each
is measured in a process of its own, three times in turn, and the fastest counts. Exit code 1 when a bound is not met.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from benchmarks import machine
from harness.checks import Finding, load
from harness.checks.evidence import Expectation
from harness.checks.loss import ledger_agreement, loss, tally
from harness.workload.ledger import SECOND, Header, Totals, end_line, header_line, not_sent_line, sent_line

ACKNOWLEDGED = 1_000_000
ZONES = "abc"
LOST = 1000  # the latest of each zone
EVERY = 500  # one request of so many is in doubt, one is not sent
RATIO = 3.0
MEMORY = 150.0  # MB
TURNS = 3
Work = Callable[[Path], dict[str, float]]


def make(folder: Path) -> None:
    """A pack of one scenario, as far as the loss check reads it."""
    scenario = folder / "scenarios" / "s"
    scenario.mkdir(parents=True)
    facts: list[tuple[str, dict[str, object]]] = [
        ("scenario.begin", {"scenario": "s"}),
        ("workload.begin", {"origin": "r/s", "rate": 50.0, "zones": list(ZONES)}),
    ]
    totals = Totals()
    for zone in ZONES:
        ledger, rows = scenario / f"ledger-{zone}.jsonl", scenario / f"rows-final-{zone}.jsonl"
        totals += _zone(zone, ledger, rows, acknowledged=ACKNOWLEDGED // len(ZONES) + (zone < "b"))
        facts.append(("ledger", {"file": f"scenarios/s/{ledger.name}"}))
        facts.append(("rows", {"file": f"scenarios/s/{rows.name}", "moment": "final"}))
    facts += [("workload.end", asdict(totals)), ("scenario.end", {"scenario": "s", "outcome": "completed"})]
    with (folder / "journal.jsonl").open("w") as journal:
        for seq, (kind, data) in enumerate(facts):
            journal.write(json.dumps({"seq": seq, "kind": kind, "utc": "", "mono": 1 << 60, "data": data}) + "\n")


def _zone(zone: str, ledger: Path, rows: Path, *, acknowledged: int) -> Totals:
    """Answers come up to 30 requests late, and in another order than the requests."""
    draw = random.Random(zone)
    header = Header(origin="r/s", group=zone, rate=50 / 3, timeout=5.0, begin=1000 * SECOND)
    due = acknowledged + 2 * (acknowledged // (EVERY - 2))
    late: dict[int, list[str]] = {}
    totals = {"acknowledged": 0, "in_doubt": 0, "not_sent": 0}
    with ledger.open("w") as lines, rows.open("w") as stored:
        lines.write(header_line(header))
        stored.write('{"v":2}\n')
        number = 0
        while totals["acknowledged"] < acknowledged:
            number += 1
            at = header.due(number)
            if number % EVERY == 1:
                totals["not_sent"] += 1
                lines.write(not_sent_line(number, due=at, t=at + 9, why="clients full"))
            else:
                source, target, amount = draw.randint(1, 5000), draw.randint(5001, 10_000), draw.randint(1, 10_000)
                outcome = "in_doubt" if number % EVERY == 2 else "acknowledged"
                totals[outcome] += 1
                money = Decimal(amount).scaleb(-2)
                payload = f'{{"amount":"{money}","from":{source},"to":{target}}}'
                lines.write(sent_line(number, due=at, t=at + 99, payload=payload, amount=money))
                after = number + (draw.randint(0, 30) if number % 10 == 0 else 0)
                end = end_line(number, outcome, t=header.due(after) + 5_000_000)
                late.setdefault(after, []).append(end)
                if totals["acknowledged"] <= acknowledged - LOST:
                    row = {"n": number, "payload": payload, "amount": str(money)}
                    stored.write(json.dumps(row, separators=(",", ":")) + "\n")
            lines.writelines(late.pop(number, ()))
        lines.writelines(end for number in sorted(late) for end in late[number])
    assert number <= due + EVERY
    return Totals(due=number, sent=number - totals["not_sent"], **totals)


def _lines(folder: Path) -> Iterator[bytes]:
    for path in sorted((folder / "scenarios" / "s").iterdir()):
        with path.open("rb") as source:
            yield from source


def parse(folder: Path) -> dict[str, float]:
    """The yardstick: every line through json.loads, and thrown away."""
    count = 0
    for count, line in enumerate(_lines(folder), 1):  # noqa: B007  counted
        json.loads(line)
    return {"lines": count}


def check(folder: Path) -> dict[str, float]:
    """The loss check and its companion, as a run makes them."""
    (evidence,) = load.evidence(folder)
    total = tally(evidence)
    found: list[Finding] = [
        loss(evidence, Expectation("loss")),
        ledger_agreement(evidence, Expectation("ledger-agreement")),
    ]
    assert all(finding.figure is not None for finding in found), found
    return {"acknowledged": total.acknowledged, "lost": total.lost, "wrong": found[1].figure or 0.0}


def _timed(work: Work, folder: Path) -> dict[str, float]:
    begin = time.perf_counter()
    said = work(folder)
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, **said}


def alone(work: Work, folder: Path) -> dict[str, float]:
    """Run it in a fresh process; adds its seconds and its peak memory in MB. Errors: what it raises."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(_timed, work, folder).result()


def main() -> int:
    print(f"Loss check over {ACKNOWLEDGED:,} acknowledged transactions; {machine.facts()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        parsed, checked = [], []
        for _ in range(TURNS):
            parsed.append(alone(parse, folder))
            checked.append(alone(check, folder))
    plain, best = min(parsed, key=_seconds), min(checked, key=_seconds)
    ratio, peak = best["seconds"] / plain["seconds"], max(each["peak"] for each in checked)
    print(f"  json.loads of {plain['lines']:,.0f} lines   {plain['seconds']:6.2f} s")
    print(f"  loss check of the same files   {best['seconds']:6.2f} s   {ratio:.2f} times   (bound {RATIO:g})")
    print(f"  peak memory of the loss check  {peak:6.1f} MB            (bound {MEMORY:g})")
    print(f"  found: {best['lost']:,.0f} lost of {best['acknowledged']:,.0f}; {best['wrong']:.0f} disagreements")
    exact = best["acknowledged"] == ACKNOWLEDGED and best["lost"] == LOST * len(ZONES) and best["wrong"] == 0
    met = ratio <= RATIO and peak < MEMORY and exact
    print("  MET" if met else "  NOT MET")
    return 0 if met else 1


def _seconds(said: dict[str, float]) -> float:
    return said["seconds"]


if __name__ == "__main__":
    sys.exit(main())
