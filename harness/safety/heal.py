"""Heal what a run left hurt, remove what it left behind, and seal its pack. Works in any process, after any crash.

Idempotent; harmless where nothing was injected, and while the run is alive (then it is asked to stop first).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness.errors import Refused
from harness.evidence import receipts
from harness.evidence.journal import Journal
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.lines import JournalDamaged, NothingBegan, UnknownVersion
from harness.evidence.places import places
from harness.evidence.redact import Redactor
from harness.evidence.run_folder import DAMAGED, STACK_FOLDER, UNFINISHED, keep_logs, option
from harness.evidence.scan import clean_logs
from harness.safety import stopping, undo
from harness.safety.running import held
from harness.safety.sealing import Reports, close, finish
from harness.stacks.kinds import of_run
from harness.stacks.maker import logs_left
from harness.system import clock
from harness.system.command import end_labelled
from harness.workload.workload import record_ledgers

STOP_LIMIT = timedelta(minutes=3)  # longer than the guardian's grace, after which it ends the harness


@dataclass(frozen=True)
class Healed:
    """What was done for one run."""

    run: str
    ended: int  # processes
    faults: tuple[str, ...]
    pack: Path | None  # None where nothing had begun
    damaged: str = ""  # why its journal is no evidence, and where it is kept; then there is no pack

    def words(self) -> str:
        """What became of it, in a line."""
        faults = f"faults healed: {', '.join(self.faults)}" if self.faults else "no fault was left"
        pack = self.damaged or str(self.pack or "nothing had begun, no pack")
        return f"run {self.run}: {self.ended} processes ended, {faults}; {pack}"

    @property
    def receipt(self) -> str:
        """The receipt of its end; empty where there is no pack."""
        return receipts.ended(self.pack).line if self.pack else ""


def heal_run(folder: Path, *, by: str, reports: Reports) -> Healed:
    """Heal one unfinished run and seal it, with the reports of it.

    Errors: `Refused` when a harness that is alive will not stop in time.
    """
    run = folder.name.removesuffix(UNFINISHED)
    with held(folder) as ours:
        if ours and folder.exists():
            return _heal(folder, run, by=by, reports=reports)
    stopping.ask(folder, who=by, why="heal was asked for")
    with held(folder, within=STOP_LIMIT) as ours:
        if not folder.exists():  # it, or another healer, was faster
            pack = folder.with_name(run)
            return Healed(run, 0, (), pack if pack.is_dir() else None)
        if ours:
            return _heal(folder, run, by=by, reports=reports)
    raise Refused(
        f"run {run} is alive and does not stop: {folder}",
        hint=f"end its process, then run `drdrill heal{option(folder.parent)}` again",
    )


def _heal(folder: Path, run: str, *, by: str, reports: Reports) -> Healed:
    ended = end_labelled(run)
    begun = clock.mono()
    maker = of_run(folder).maker
    secrets = maker.secrets_left(folder / STACK_FOLDER)
    redactor = Redactor(secrets or (), places=places(folder))
    maker.remove_left(run, folder / STACK_FOLDER)  # first of all: what fills a disk goes, and the logs stay
    if secrets is not None:  # otherwise the stack had not begun, or its logs were kept before it ended
        keep_logs(logs_left(folder / STACK_FOLDER), folder / "logs")
        clean_logs(folder / "logs", redactor=redactor)  # now: whoever heals after a kill knows the secrets no more
    pending = undo.pending(folder)
    if not (folder / JOURNAL).exists():  # killed on its way into the sandbox
        shutil.rmtree(folder)
        return Healed(run, ended, (), None)
    try:
        journal = Journal.resume(folder, redactor=redactor)
    except NothingBegan:
        shutil.rmtree(folder)
        return Healed(run, ended, (), None)
    except UnknownVersion:  # of a newer drdrill, which can heal it
        raise
    except JournalDamaged as error:  # no evidence, and nothing to go on with: it is kept, out of the way of others
        kept = folder.with_name(f"{run}{DAMAGED}")
        close(folder)
        folder.rename(kept)
        return Healed(
            run, ended, tuple(left.fault for left in pending), None, f"no pack: {error.message}; it is {kept}"
        )
    kinds = [line.kind for line in journal.lines()]
    _digest_ledgers(folder, journal)
    for left in pending:
        journal.record(
            "fault.healed",
            injection=left.injection,
            fault=left.fault,
            ok=True,
            by=by,
            seen="the stack that it hurt was removed",
            earliest=begun,
            latest=clock.mono(),
        )
        undo.healed(left.path)
    if "run.end" not in kinds:
        journal.record("run.end", outcome="killed", by=by)
    journal.close()
    pack = finish(folder, redactor=redactor, reports=reports)
    return Healed(run, ended, tuple(left.fault for left in pending), pack)


def _digest_ledgers(folder: Path, journal: Journal) -> None:
    """What the customers of a killed scenario wrote down is evidence too; all of it at once, for its totals."""
    scenario, ended = "", True
    for line in journal.lines():
        if line.kind in ("scenario.begin", "workload.end"):
            scenario, ended = str(line.data.get("scenario", scenario)), line.kind == "workload.end"
    if not ended and (left := sorted((folder / "scenarios" / scenario).glob("ledger-*.jsonl"))):
        record_ledgers(left, journal)
