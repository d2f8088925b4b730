"""Carries out the acts of a stack file, and looks as it says: the owner's own commands and requests."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from harness.errors import DrillError, NotInTime
from harness.stacks.attached import asking
from harness.stacks.attached.asking import Seen
from harness.stacks.attached.containers import Container
from harness.stacks.attached.file.described import Action, Look, Probe, Verb
from harness.stacks.attached.file.formats import filled
from harness.system import wait
from harness.system.clock import Moment, around
from harness.system.command import Commands
from harness.system.environment import home

OFTEN = timedelta(milliseconds=250)
ONCE = timedelta(seconds=10)  # for one look
SAID = 200  # letters of what a command printed


class Acts:
    """Of one platform. `values`: what the names in `${…}` stand for everywhere, secrets among them. `base`: the folder
    that its commands run in, where it is there."""

    def __init__(
        self, commands: Commands, *, boxes: Mapping[str, Container], probes: Mapping[str, Probe],
        values: Mapping[str, str], base: Path | None = None,
    ) -> None:  # fmt: skip  # parameters in groups
        self._commands = commands
        self._boxes = boxes
        self._probes = probes
        self._values = dict(values)
        self._base = base

    def do(self, action: Action, **more: str) -> None:
        """Errors: `DrillError` where it fails, or takes too long."""
        values = {**self._values, **more}
        if action.http is not None:
            seen = asking.request(action.http, values, within=action.within)
            self._commands.recorder.record("request", url=action.http.url, ok=seen.ok, seen=seen.said)
            if not seen.ok:
                what = f"{action.http.method} {action.http.url}: {seen.said}"
                raise DrillError(what, hint="it is an act of the stack file")
            return
        words = self._words(action.run, filled(action.place, values), values)
        self._commands.run(
            words, within=action.within, env=_of_people(), cwd=self._cwd(action.place),
            hint="it is an act of the stack file",
        )  # fmt: skip  # arguments in groups

    def seen(self, look: Look, **more: str) -> Seen:
        """Look once. Raises nothing: what cannot be looked at is not so."""
        values = {**self._values, **more}
        try:
            if look.probe:
                return self._of_probe(look, values)
            if look.tcp:
                said = asking.connection(filled(look.tcp, values))
                return Seen(said == look.wanted, f"a connection to {look.tcp} is {said}")
            return self._of_command(look, values)
        except DrillError as error:
            return Seen(False, error.message)

    def await_seen(self, look: Look, *, what: str, **more: str) -> str:
        """Look again and again until it is so; what was seen. Errors: `NotInTime`."""
        last = Seen(False, "")

        def once() -> bool:
            nonlocal last
            last = self.seen(look, **more)
            return last.ok

        if not wait.poll(once, within=look.within, every=OFTEN):
            within = f"{look.within.total_seconds():g} s"
            seen = f"{what}: not seen within {within}; last seen: {last.said}"
            raise NotInTime(seen, hint="it is a look of the stack file")
        return last.said

    def hurt(self, verb: Verb, *, what: str, **more: str) -> Moment | None:
        """Do it, and look until the proof is there; harmless where it is already. Errors: as `do` and `await_seen`."""
        if self.seen(verb.proof, **more).ok and not self.seen(verb.undone, **more).ok:
            return None
        moment = around(lambda: self.do(verb.do, **more), by=f"the stack file's own act: {what}")
        self.await_seen(verb.proof, what=what, **more)
        return moment

    def heal(self, verb: Verb, *, what: str, **more: str) -> Moment | None:
        """Undo it, and look until nothing of it is left; harmless where that is so already. Errors: as `hurt`."""
        if self.seen(verb.undone, **more).ok and not self.seen(verb.proof, **more).ok:
            return None
        moment = around(lambda: self.do(verb.undo, **more), by=f"the stack file's own act: {what}")
        self.await_seen(verb.undone, what=what, **more)
        return moment

    def probed(self, name: str, **more: str) -> Seen:
        """Ask by a probe of the file, once."""
        return asking.ask(self._probes[name], {**self._values, **more})

    def _of_probe(self, look: Look, values: dict[str, str]) -> Seen:
        found = asking.ask(self._probes[look.probe], values)
        return Seen(found.ok == (look.wanted == "passing"), f"{look.probe}: {found.said}")

    def _of_command(self, look: Look, values: dict[str, str]) -> Seen:
        words = self._words(look.run, filled(look.place, values), values)
        within = min(look.within, ONCE)
        cwd = self._cwd(look.place)
        done = self._commands.run(words, within=within, env=_of_people(), cwd=cwd, check=False, quiet=True)
        printed = f"{done.out}\n{done.err}".strip()
        said = f"{look.run[0]} exits {done.exit} and says: {' | '.join(printed.splitlines())[:SAID] or 'nothing'}"
        return Seen(done.exit == look.exits and bool(re.search(look.says, printed)), said)

    def _cwd(self, place: str) -> Path | None:
        """Relative paths of a stack file are seen from where it lies, whoever heals and from where."""
        return self._base if not place and self._base is not None and self._base.is_dir() else None

    def _words(self, run: Sequence[str], place: str, values: dict[str, str]) -> list[str]:
        """The command line, in the container of a component where it is to run there, as the container's own user."""
        words = [filled(word, values) for word in run]
        if not place:
            return words
        inside = [sys.executable, "-P", "-m", "harness.stacks.docker.inside", "--user="]
        return [*inside, self._boxes[place].id, "--", *words]


def _of_people() -> dict[str, str]:
    """The owner's commands are as whoever drills would type them: ssh and others look into the home folder."""
    return {"HOME": str(home())}
