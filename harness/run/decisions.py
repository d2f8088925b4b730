"""Decisions that the plan gives to people: who is asked, and how the answer comes back.

A drill has no terminal of its own, so a question is a file in the run's control folder, and so is the answer. Whoever
shows the run asks; anybody else may answer with `drdrill decide`. The first answer stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from harness.errors import Declined, NotInTime
from harness.evidence.run_folder import CONTROL
from harness.plan.lengths import in_words
from harness.system import clock, control_files, wait
from harness.system.recorder import Recorder

FILE = "question.json"
YES, NO = "yes", "no"
LIMIT = timedelta(hours=1)  # to decide, where no fault has a time of its own
ROOM = timedelta(minutes=5)  # of a fault's time, that is kept for the recovery after the decision


@dataclass(frozen=True)
class Question:
    """What is asked, of whom, since when (`mono`), and for how many seconds."""

    number: int
    role: str
    question: str
    asked: int
    within: float


@dataclass(frozen=True)
class Decision:
    """`answer`: yes or no. `by`: the name as claimed."""

    answer: str
    by: str
    attended: bool = True


class Desk(Protocol):
    """Where a decision is asked for."""

    def ask(self, question: str, *, role: str, within: timedelta) -> Decision:
        """Errors: `Declined` where nobody decides in time."""


class StandIn:
    """Decides at once, and says that it is nobody."""

    def ask(self, question: str, *, role: str, within: timedelta) -> Decision:
        return Decision(YES, by="stand-in of the harness", attended=False)


class Attended:
    """Asks people, and waits."""

    def __init__(self, folder: Path, recorder: Recorder) -> None:
        self.folder = folder
        self.recorder = recorder
        self._asked = 0

    def ask(self, question: str, *, role: str, within: timedelta) -> Decision:
        self._asked += 1
        self.recorder.record("asked", question=question, role=role, within=within.total_seconds())
        put = Question(self._asked, role, question, clock.mono(), within.total_seconds())
        path = self.folder / CONTROL / FILE
        control_files.leave(path, vars(put))
        try:
            return wait.until(
                lambda: _answer(self.folder, put),
                what=f"the {role} decides",
                within=within,
                recorder=self.recorder,
            )
        except NotInTime:
            waited = in_words(timedelta(seconds=round(within.total_seconds())))
            raise Declined(
                f"nobody decided within {waited} for the {role}: {question}",
                hint="have somebody at the terminal, or at `drdrill decide`; without --attended a stand-in decides",
            ) from None
        finally:
            path.unlink(missing_ok=True)


def time_for(expires: int | None) -> timedelta:
    """How long people may take: what a fault that heals at `expires` (`mono`) leaves, less room for the recovery."""
    if expires is None:
        return LIMIT
    left = timedelta(microseconds=max(0, expires - clock.mono()) / 1000)
    return max(left - ROOM, left / 2)


def open_question(folder: Path) -> Question | None:
    """The question that waits in this run, if one does."""
    said = control_files.read(folder / CONTROL / FILE)
    if said is None:
        return None
    try:
        question = Question(**said)
    except TypeError:
        return None
    return None if _answer(folder, question) else question


def answer(folder: Path, question: Question, given: Decision) -> bool:
    """Answer it. Returns False where somebody was faster, or where nobody waits for an answer any more."""
    try:
        return control_files.leave(_path(folder, question), {"answer": given.answer, "by": given.by}, first=True)
    except FileNotFoundError:
        return False


def _answer(folder: Path, question: Question) -> Decision | None:
    said = control_files.read(_path(folder, question))
    return Decision(str(said.get("answer")), by=str(said.get("by"))) if said else None


def _path(folder: Path, question: Question) -> Path:
    return folder / CONTROL / f"answer-{question.number}.json"
