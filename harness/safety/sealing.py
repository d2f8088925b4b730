"""The last act of every run: judge, write the reports, close the folder to requests, and seal.

It is given what builds the reports, and knows none of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from harness.checks import load
from harness.errors import Refused
from harness.evidence import keys, receipts
from harness.evidence.aliases import tell_otherwise
from harness.evidence.redact import Redactor
from harness.evidence.run_folder import CONTROL, STACK_FOLDER, UNFINISHED
from harness.evidence.scan import clean_logs
from harness.evidence.seal import seal

Reports = Callable[
    [Path], Mapping[str, bytes]
]  # of a run's folder that has its findings: name of a file to its content


def finish(folder: Path, *, redactor: Redactor, reports: Reports) -> Path:
    """Whoever does it, the run or who heals it: return the sealed pack."""
    shutil.rmtree(folder / STACK_FOLDER, ignore_errors=True)
    if (folder / "logs").is_dir():
        clean_logs(folder / "logs", redactor=redactor)
    tell_otherwise(folder, redactor=redactor)
    rules = load.rules_of(folder)  # a run that was begun by an older drdrill is judged as it announced
    (folder / "findings.json").write_bytes(load.findings_json(load.judged(folder, rules), rules))
    for name, content in reports(folder).items():
        (folder / name).write_bytes(content)
    close(folder)
    final = folder.with_name(folder.name.removesuffix(UNFINISHED))
    pack = seal(folder, final, key=keys.signing_key(), redactor=redactor)
    with suppress(Refused):  # it is sealed all the same; the next run, or heal, writes what is missing
        for receipt in receipts.both(pack):
            receipts.add(pack.parent, receipt)
    return pack


def close(folder: Path) -> None:
    """No more requests: renamed first, so that nobody can write into it while it is removed."""
    gone = folder / f"{CONTROL}.gone"
    with suppress(FileNotFoundError):
        (folder / CONTROL).rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
