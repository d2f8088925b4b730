"""A compose project that is brought up for a run, and taken down after it: the run's own, in all but what made it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from harness.stacks import Condition
from harness.stacks.attached.composing import Project
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.stack import AttachedStack
from harness.system import wait
from harness.system.recorder import Recorder

STEADY_WITHIN = timedelta(minutes=3)
OFTEN = timedelta(milliseconds=500)


class StackForTheRun(AttachedStack):
    """Fills `Startable` besides."""

    def __init__(
        self, said: StackFile, folder: Path, *, recorder: Recorder, label: str, secrets: Mapping[str, str]
    ) -> None:
        super().__init__(said, folder, recorder=recorder, label=label, secrets=secrets)
        assert said.compose is not None
        self._project = Project(said.compose, self.folder)

    def start(self) -> None:
        """Up, and steady. Errors: as `Project.up`; `NotInTime`."""
        self._project.up()
        self.begin()
        seen: list[Condition] = []

        def steady() -> bool:
            seen[:] = self.steady()
            return all(one.ok for one in seen)

        wait.until(
            steady, what="the compose project is steady", within=STEADY_WITHIN, recorder=self._recorder, every=OFTEN,
            last_seen=lambda: "; ".join(f"{one.name}: {one.seen}" for one in seen if not one.ok),
        )  # fmt: skip  # arguments in groups

    def stop(self) -> None:
        """Down, with all that it has made. Harmless when nothing runs, and where somebody else has brought it up."""
        self.end()
        self._project.down()
