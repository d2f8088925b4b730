"""Heal what a run left hurt, remove what is its own, and seal its pack. Works in any process, after any crash.

It ends what is left of the run, and leaves the stack; goes to the stack, heals, looks and records what was seen; and
only then removes the stack, where that is the run's own. Where nobody can heal on it any more, its removal is the last
resort. A stack that stands and is not healed stays refused for drills until somebody has healed it.

Idempotent; harmless where nothing was injected, and while the run is alive (then it is asked to stop first).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from harness.communications import kept_out
from harness.errors import Exit, Refused
from harness.evidence import receipts
from harness.evidence.journal import Journal
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.lines import JournalDamaged, Line, NothingBegan, UnknownVersion
from harness.evidence.places import places
from harness.evidence.redact import Redactor
from harness.evidence.run_folder import DAMAGED, STACK_FOLDER, UNFINISHED, keep_logs, option
from harness.evidence.scan import clean_logs
from harness.safety import left_hurt, stopping, undo
from harness.safety.elsewhere import healed_there
from harness.safety.healing import Healing, by_removal, record
from harness.safety.owner import told
from harness.safety.running import held
from harness.safety.sealing import Reports, close, finish
from harness.stacks.kinds import of_run, stands_on
from harness.stacks.maker import logs_left, remove_temporary
from harness.system import clock
from harness.system.command import end_labelled
from harness.system.recorder import Memory, Recorder
from harness.workload.readers import record_answers
from harness.workload.workload import record_ledgers

ROOM = 100_000_000  # bytes; with less a journal may have no room either
STOP_LIMIT = timedelta(minutes=6)  # longer than the guardian's grace, after which it ends the harness, and heals


@dataclass(frozen=True)
class Healed:
    """What was done for one run."""

    run: str
    ended: int  # processes
    faults: tuple[str, ...]
    pack: Path | None  # None where nothing had begun
    damaged: str = ""  # why its journal is no evidence, and where it is kept; then there is no pack
    unhealed: tuple[str, ...] = ()  # faults that are left on a stack which is not the run's own, each with what is seen
    command: str = ""  # with which a person goes on

    @property
    def exit(self) -> Exit:
        """2 where something is left hurt, or where there is no evidence."""
        return Exit.UNKNOWN if self.unhealed or self.damaged else Exit.MET

    def words(self) -> str:
        """What became of it, in a line, and a hint where a person has something to do."""
        faults = f"faults healed: {', '.join(self.faults)}" if self.faults else "no fault was left"
        if self.unhealed:
            faults = "; ".join(f"NOT healed: {each}" for each in self.unhealed)
            faults += f"; healed: {', '.join(self.faults)}" if self.faults else ""
        pack = self.damaged or str(self.pack or "nothing had begun, no pack")
        how = undo.what_to_do(self.command, faults) if self.command else "its folder says in `unhealed/` what to do"
        hint = f"\nHINT: look at the stack, {how}" if self.unhealed else ""
        return f"run {self.run}: {self.ended} processes ended, {faults}; {pack}{hint}"

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
            return (
                Healed(run, 0, (), pack, unhealed=left_hurt.said_in(pack))
                if pack.is_dir()
                else Healed(run, 0, (), None)
            )
        if ours:
            return _heal(folder, run, by=by, reports=reports)
    raise Refused(
        f"run {run} is alive and does not stop: {folder}",
        hint=f"end its process, then run `drdrill heal{option(folder.parent)}` again",
    )


def _heal(folder: Path, run: str, *, by: str, reports: Reports) -> Healed:
    place = stands_on(folder)
    if place is None:
        return _heal_on(folder, run, None, by=by, reports=reports)
    with held(place, within=left_hurt.MOMENT) as ours:
        if not ours and place.exists():
            raise Refused(
                f"the stack that run {run} has hurt is drilled by another run, or is just healed: {place}",
                hint=f"wait until that is over, then run `drdrill heal{option(folder.parent)}` again",
            )
        return _heal_on(folder, run, place, by=by, reports=reports)


def _heal_on(folder: Path, run: str, place: Path | None, *, by: str, reports: Reports) -> Healed:
    """`place`: where the stack stands that is not the run's own; None: it is, and is removed afterwards."""
    owned = place is None
    ended, begun = end_labelled(run, but_parts=True), clock.mono()
    maker = of_run(folder).maker
    secrets = maker.secrets_left((place or folder) / STACK_FOLDER)
    redactor = Redactor([*(secrets or ()), *kept_out.left(folder)], places=places(folder), aliases=maker.aliases)

    def remove() -> None:
        nonlocal ended
        maker.remove_beside(run, folder / STACK_FOLDER)
        if not owned:
            remove_temporary(run)
            return
        ended += end_labelled(run)
        maker.remove_left(run, folder / STACK_FOLDER)
        if secrets is not None:  # otherwise the stack had not begun, or its logs were kept before it ended
            keep_logs(logs_left(folder / STACK_FOLDER), folder / "logs")
            clean_logs(folder / "logs", redactor=redactor)  # now: whoever heals after a kill knows the secrets no more

    if shutil.disk_usage(folder).free < ROOM:  # first of all what fills the disk goes, where it may
        remove()
    journal, damaged = _journal(folder, redactor)
    began = journal.lines() if journal else []
    pending = [] if _ended(began) else undo.pending(folder)
    healings = healed_there(maker, place or folder, pending, of=folder, label=run)
    recorder: Recorder = journal or Memory()

    def said(left: undo.Pending, healing: Healing) -> None:
        whose = undo.earlier_scenario(left, began)
        record(recorder, healing, injection=left.injection, fault=left.fault, by=by, scenario=whose)

    if journal:
        _digest_ledgers(folder, journal)
        told.take_left(folder, journal, taken=sum(line.kind == told.KIND for line in began))
        _who_asked(folder, journal, began)
    for left, healing in healings:
        if healing.ok or not owned:
            said(left, healing)
        if healing.ok:
            undo.healed(left.path)
        elif not owned:
            undo.explain(left.path, seen=healing.seen)
    remove()
    for left, healing in healings:
        if owned and not healing.ok:
            said(left, by_removal(healing.seen, begun=begun))
            undo.healed(left.path)
    done = Healed(
        run,
        ended,
        faults=tuple(left.fault for left, healing in healings if healing.ok or owned),
        pack=None,
        unhealed=tuple(f"{left.fault}: {one.seen}" for left, one in healings if not (one.ok or owned)),
        command=undo.command(place, "; ".join(one.seen for _, one in healings if not one.ok)) if place else "",
    )
    if damaged:  # no evidence, and nothing to go on with: it is kept, out of the way of others
        kept = folder.with_name(f"{run}{DAMAGED}")
        close(folder)
        folder.rename(kept)
        return replace(done, damaged=f"no pack: {damaged}; it is {kept}")
    if journal is None:
        shutil.rmtree(folder)
        return done
    if not _ended(began):
        journal.record("run.end", outcome="killed", by=by)
    journal.close()
    return replace(done, pack=finish(folder, redactor=redactor, reports=reports))


def _journal(folder: Path, redactor: Redactor) -> tuple[Journal | None, str]:
    """None where nothing had begun, or why it is no evidence. Errors: `UnknownVersion`: a newer drdrill can heal it."""
    if not (folder / JOURNAL).exists():  # killed on its way into the sandbox
        return None, ""
    try:
        return Journal.resume(folder, redactor=redactor), ""
    except NothingBegan:
        return None, ""
    except UnknownVersion:
        raise
    except JournalDamaged as error:
        return None, error.message


def _who_asked(folder: Path, journal: Journal, began: Sequence[Line]) -> None:
    """Somebody had asked the run to stop, such as on a condition, and it was ended before it said so."""
    request = stopping.asked(folder)
    if request is not None and not any(line.kind in ("stopped", "stop.asked") for line in began):
        journal.record("stop.asked", who=request.who, why=request.why)


def _digest_ledgers(folder: Path, journal: Journal) -> None:
    """What the customers of a killed scenario wrote down is evidence too; all of a kind at once, for its totals."""
    scenario, ended = "", {"workload.end", "readers.end"}
    for line in journal.lines():
        if line.kind == "scenario.begin":
            scenario, ended = str(line.data.get("scenario", scenario)), set()
        ended.add(line.kind)
    left = folder / "scenarios" / scenario
    if "readers.end" not in ended and (told := sorted(left.glob("answers-*.jsonl"))):
        record_answers(told, journal)
    if "workload.end" not in ended and (written := sorted(left.glob("ledger-*.jsonl"))):
        record_ledgers(written, journal)


def _ended(began: Sequence[Line]) -> bool:
    """Whether the run had written its last line itself."""
    return any(line.kind == "run.end" for line in began)
