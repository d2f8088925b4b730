"""Small sealed packs for the tests of the evidence, of each format."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.evidence.journal import Journal
from harness.evidence.keys import fingerprint
from harness.evidence.lines import NAME, VERSION
from harness.evidence.seal import newest, seal

OURS = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
OTHERS = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
OUR_PRINT = fingerprint(OURS.public_key())
LEDGER = "scenarios/all-volumes-lost/ledger-a.jsonl"
SCENARIO = "All volumes lost"
BEGIN_2 = {
    "stream": "main", "rehearsal": False, "clock": {"name": "machine", "compression": 1},
    "harness": {"version": "0.1.0", "digest": "ab" * 32, "commit": None, "clean": None},
    "project": {"name": 'the {"bank"}', "digest": "cd" * 32, "commit": "ef" * 20, "clean": True},
}  # what a first line of format 2 says beyond  # fmt: skip  # a table


def unfinished(
    folder: Path,
    *,
    number: int = 1,
    previous: str = "none",
    lost: int = 3,
    end: bool = True,
    version: int = VERSION,
    since: int = 0,
) -> Path:
    """A run that has ended and is not sealed. `version`: of the format, which the journal has from line `since` on."""
    folder = folder.with_name(f"{folder.name}.unfinished")
    run = folder.name.removesuffix(".unfinished")
    (folder / LEDGER).parent.mkdir(parents=True)
    (folder / LEDGER).write_text('{"v":1,"origin":"r/s","zone":"a","rate":16.7,"timeout":5.0}\n')
    (folder / "plan.yaml").write_text("objectives: {}\n")
    plan = hashlib.sha256((folder / "plan.yaml").read_bytes()).hexdigest()
    with Journal.create(folder) as journal:
        said = dict(BEGIN_2) if version > 1 and not since else {}
        stream = {"stream": said.pop("stream")} if said else {}
        journal.record(
            "run.begin", run=run, **stream, number=number, previous=previous, nonce="n0", scenarios=[SCENARIO],
            environment="embedded", digests={"plan": plan}, **said,
        )  # fmt: skip  # arguments in groups
        journal.record("scenario.begin", scenario=SCENARIO, title=SCENARIO)
        journal.record("fault.intent", fault="lose_volumes", settings={}, undo={})
        journal.record("fault.healed", fault="lose_volumes", ok=True, by="harness")
        digest = hashlib.sha256((folder / LEDGER).read_bytes()).hexdigest()
        journal.record("ledger", file=LEDGER, sha256=digest, lines=1)
        journal.record("verified", ok=True, checks=[{"name": 'a "quoted" name, \\ and ü', "ok": True, "seen": lost}])
        journal.record("scenario.end", scenario=SCENARIO, outcome="completed")
        if end:
            journal.record("run.end", outcome="completed", by="harness")
    of_format(folder / NAME, version, since=since)
    (folder / "findings.json").write_text(
        '{"findings":[],"rules":"1","verdict":"MET","verdicts":{"All volumes lost":"MET"}}'
    )
    return folder


def of_format(journal: Path, version: int, *, since: int = 0) -> None:
    """Write its lines anew as a harness of this format would have, from the line of the number `since` on."""
    prev, told = "0" * 64, b""
    for seq, line in enumerate(journal.read_bytes().splitlines()):
        fields = json.loads(line) | {"v": version if seq >= since else 1, "prev": prev}
        again = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        prev = hashlib.sha256(again).hexdigest()
        told += again + b"\n"
    journal.write_bytes(told)


def sealed(
    folder: Path,
    *,
    number: int = 1,
    previous: str = "none",
    lost: int = 3,
    key: Ed25519PrivateKey = OURS,
    version: int = VERSION,
) -> Path:
    """A sealed pack."""
    return seal(unfinished(folder, number=number, previous=previous, lost=lost, version=version), folder, key=key)


def series(evidence: Path, *, length: int, key: Ed25519PrivateKey = OURS) -> list[Path]:
    """Runs one after another, numbered and chained as the harness does it."""
    packs = []
    for _ in range(length):
        number, previous = newest(evidence)
        packs.append(sealed(evidence / f"run-{number + 1}", number=number + 1, previous=previous, key=key))
    return packs
