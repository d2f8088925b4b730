"""Customers of one scenario who ask for what they know: begin, watch, end. They stand beside those who write."""

from __future__ import annotations

import json
import secrets
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from harness.errors import DrillError, Refused
from harness.stacks.capabilities import need
from harness.stacks.capabilities.entrance import Reachable
from harness.system import command, wait
from harness.system.command import Commands, Process
from harness.system.growing import Growing
from harness.system.recorder import Recorder
from harness.workload import answers, ledger
from harness.workload.answers import Totals
from harness.workload.client import AskingClient, ClientSource
from harness.workload.handed import environment
from harness.workload.ledger import Header
from harness.workload.workload import (
    BEGIN_WITHIN,
    END_WITHIN,
    TIMEOUT,
    clients,
    digested,
    last_words,
    name_in_pack,
    stand_outside,
    way_in,
)

NAME = "readers"  # of their group
RATE = 25.0  # questions a second


class Readers:
    """One group; `folder` is the scenario's in the pack, and takes `answers-readers.jsonl`, `logs` their log.

    `origin` is "<run>/<scenario>", `knows` the ledgers of those who write; a rate of 0 means customers that never come.
    """

    def __init__(
        self, place: object, recorder: Recorder, commands: Commands, folder: Path, *, client: ClientSource,
        origin: str, knows: Sequence[Path], rate: float = RATE, logs: Path | None = None,
    ) -> None:  # fmt: skip  # parameters in groups
        self.file = folder / f"answers-{NAME}.jsonl"
        self.rate = rate
        self._place = place
        self._recorder = recorder
        self._commands = commands
        self._client = client
        self._origin = origin
        self._knows = knows
        self._log = (logs or folder) / f"customers-{NAME}.log"
        self._process: Process | None = None
        self._seen = _Seen(self.file)
        self._begun = False

    def begin(self) -> None:
        """Returns when one of them was answered rightly.

        Errors: `Refused` where the project's client asks nothing; `DrillError` with the last line of their log when
        they end at once; `NotInTime`.
        """
        if not isinstance(self._client.load(), AskingClient):
            raise Refused(
                f"{self._client.name}: its CLIENT asks nothing, so no answer to customers can be compared",
                hint="give it `question` and `told`, or a file its `ask`: docs/projects.md says what a client is",
            )
        groups = [{"group": NAME, "rate": self.rate, "file": name_in_pack(self.file)}]
        self._recorder.record("readers.begin", origin=self._origin, groups=groups)
        self._begun = True
        self.file.parent.mkdir(parents=True, exist_ok=True)
        if self.rate <= 0:
            header = Header(self._origin, NAME, rate=0.0, timeout=TIMEOUT.total_seconds(), salt=secrets.token_hex(16))
            ledger.Writer(self.file, header).close()
            return
        env = environment(self._client.secrets, self._place)
        self._process = self._commands.start(self._words(), log=self._log, env=env, part=False)
        wait.until(
            self._answered,
            what="a customer who asks is answered rightly",
            within=BEGIN_WITHIN,
            recorder=self._recorder,
            hint=f"read {self._log}, and {self.file.name} for what they were told",
        )

    def complaint(self, *, after: int) -> str:
        """What the first customer complains of who was not answered rightly, and asked after that reading of the
        monotonic clock; empty where all were."""
        self._seen.look()
        return next((words for asked, words in self._seen.complaints if asked > after), "")

    def end(self) -> Totals:
        """Stop them, let them finish what is under way, and digest their record. Harmless when repeated.

        Errors: `DrillError` when they had ended by themselves; the totals are recorded before that, and hold.
        """
        if not self._begun:
            return Totals()
        self._begun = False
        gone = self._process is not None and not self._running()
        if self._process is not None:
            self._process.send(signal.SIGTERM)
            if wait.poll(self._running, within=END_WITHIN, enough=lambda running: not running):
                self._process.send(signal.SIGKILL)
                wait.poll(self._running, within=None, enough=lambda running: not running)
        totals = record_answers([self.file] if self.file.exists() else [], self._recorder)
        if gone:
            raise DrillError(
                f"customers {NAME} ended before they were told to: {last_words(self._log)}", hint=f"read {self._log}"
            )
        return totals

    def _words(self) -> list[str]:
        given: Mapping[str, object] = {
            "project": self._client.folder,
            "client": self._client.name,
            "group": NAME,
            "origin": self._origin,
            "rate": self.rate,
            "phase": 0.5,  # between those who write
            "ledger": self.file,
            "timeout": TIMEOUT.total_seconds(),
            "clients": clients(self.rate),
            **way_in(need(self._place, Reachable).entrance),
        }
        options = [f"--{name}={value}" for name, value in given.items()]
        options += [f"--knows={path}" for path in self._knows]
        return [*stand_outside(self._place), sys.executable, "-m", "harness.workload.asking", *options]

    def _running(self) -> bool:
        command.reap()
        return self._process is not None and self._process.running()

    def _answered(self) -> bool:
        if not self._running():
            raise DrillError(f"customers {NAME} could not begin: {last_words(self._log)}", hint=f"read {self._log}")
        self._seen.look()
        return self._seen.right > 0


class _Seen:
    """Their record as far as it goes: for waiting, never for a verdict."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._growing = Growing()
        self._asked: dict[int, tuple[int, str, str]] = {}
        self.right = 0
        self.complaints: list[tuple[int, str]] = []  # when it was asked, and what was told, in order of the answers

    def look(self) -> None:
        for fact in map(json.loads, self._growing.lines(self._path)):
            number, event = fact.get("n"), fact.get("e")
            if event == "asked":
                self._asked[number] = fact["t"], fact["about"], fact["knows"]
            elif event in ("told", "refused", "no_answer"):
                asked, about, knows = self._asked.pop(number)
                if event == "told" and fact["told"] == knows:
                    self.right += 1
                else:
                    said = fact["told"] if event == "told" else fact["why"]
                    self.complaints.append((asked, f"{about}: {said}"))


def record_answers(paths: Sequence[Path], recorder: Recorder) -> Totals:
    """Digest complete records (`answers`), and record their totals (`readers.end`), whoever wrote the last line.

    Errors: `Refused` when one is no such record.
    """
    totals = Totals()
    for path in paths:
        with path.open("rb") as source:
            totals += answers.count(answers.answers(source, name=str(path)))
        recorder.record("answers", **digested(path))
    recorder.record("readers.end", **asdict(totals))
    return totals
