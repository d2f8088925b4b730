"""Makes the stack of a stack file. What it stands on is an extra: it is imported for one that is made or removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness.errors import DrillError, Refused
from harness.evidence.run_folder import UNHEALED, keep_logs
from harness.plan.lengths import in_words
from harness.stacks import Stack
from harness.stacks.attached import place, secrets
from harness.stacks.attached.extra import extra_for
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.file.formats import STREAMS_WITHIN
from harness.stacks.attached.file.read import load
from harness.stacks.attached.has import divisible, has
from harness.stacks.kinds import FILE
from harness.stacks.maker import Maker, remove_temporary
from harness.stacks.needs import Need
from harness.system.later import fetch
from harness.system.recorder import Memory, Recorder

if TYPE_CHECKING:
    from harness.stacks.attached.stack import AttachedStack


class AttachedMaker(Maker):
    """Of one file. `base`: the folder that its relative paths are seen from."""

    def __init__(self, file: Path, base: Path | None = None) -> None:
        self._file = file
        self._base = base

    @cached_property
    def said(self) -> StackFile:
        """What the file says. Errors: `Refused`, with every problem of it."""
        return load(self._file, base=self._base)

    @property
    def has(self) -> tuple[Need, ...]:
        return has(self.said)

    @property
    def rate(self) -> float | None:
        return self.said.customers.rate if self.said.customers else None

    @property
    def stands(self) -> Path | None:
        return None if self.said.for_the_run else place.folder_of(self.said)

    def prepare(self, say: Callable[[str], None]) -> None:
        """The engine can be asked, and what cuts is there. Errors: `Refused`, also where a secret cannot be read."""
        extra_for(self.said).must_be_installed()
        secrets.read(self.said)
        if any(one.is_container for one in self.said.components.values()):
            fetch("harness.stacks.docker.engine:engine")()
            helper = self.said.compose.helper if self.said.compose else ""
            if divisible(self.said) and not helper:
                fetch("harness.stacks.docker.image:make")(say)

    def must_fit(self, *, level: str | None) -> None:
        if level:
            raise Refused(f"an attached platform stands on no sandbox level {level!r}", hint="leave --sandbox out")

    def open(
        self, folder: Path, *, recorder: Recorder, label: str, scale: float, broken: Mapping[str, Any], regions: int = 1
    ) -> Stack:
        """Errors: `Refused` where it stands already, or it should be made broken."""
        if not self.said.for_the_run:
            where = self.said.where("compose", "stands")
            raise Refused(f"{self.said.platform.name} stands already: nobody makes it here", hint=f"{where} says so")
        if broken:
            raise Refused(f"{self.said.platform.name} cannot be made otherwise", hint="prove it by other twins: --twin")
        made: Stack = self._made(folder, recorder=recorder, label=label)
        return made

    def attach(self, folder: Path, *, recorder: Recorder) -> Stack:
        """Errors: `Refused` where no run has begun there."""
        if not folder.is_dir():
            raise Refused(f"no run has begun on a platform in {folder}", hint="drdrill run NAME --stack FILE.yaml")
        made: Stack = self._made(folder, recorder=recorder, label=place.label(folder))
        return made

    def begin(self, stack: Stack) -> None:
        cast("AttachedStack", stack).begin()

    def end(self, stack: Stack) -> None:
        cast("AttachedStack", stack).end()
        beside = self._file.parent
        if not any((beside / UNHEALED).glob("*.json")):  # what is left hurt is healed with what this run has read
            secrets.forget(beside)

    def must_answer(self, stack: Stack) -> None:
        fetch("harness.stacks.well_made:must_answer")(stack)

    def keep(self, folder: Path) -> None:
        """The file as it is now, and its secrets. Errors: `Refused` where one cannot be read."""
        values = secrets.kept(self.said)
        if folder / FILE != self._file:
            shutil.copyfile(self._file, folder / FILE)
        secrets.keep(folder, values)

    @property
    def aliases(self) -> Mapping[str, str]:
        return self.said.private

    @property
    def heals_in(self) -> timedelta:
        """Each database server may have to be made a copy again."""
        database = self.said.database
        if database is None or database.rejoin is None:
            return timedelta(0)
        return (database.rejoin.within + STREAMS_WITHIN) * len(database.members)

    def tell(self, file: Path) -> None:
        """The file as it is in packs. Errors: `DrillError` where it cannot be written."""
        try:
            file.write_text(self.said.told, encoding="utf-8")
        except OSError as error:
            raise DrillError(f"{file}: {error.strerror}", hint="free some space, or mend the permission") from None

    def standing(self) -> str:
        return "attached"

    def secrets_left(self, folder: Path) -> list[str] | None:
        try:
            return list(secrets.kept(self.said).values())
        except Refused:  # such as a variable that whoever heals has not
            return None

    @property
    def restores(self) -> list[str]:
        said = self.said.backups
        if said is None:
            return []
        where = said.folder or "the run's own folder"
        together = f"{said.at_once} at a time, within {in_words(said.within)}, each in an empty place in {where}"
        each = [
            f"  {name}: {one.tool}, {one.repository or one.config or 'by commands'}"
            for name, one in said.databases.items()
        ]
        return [f"backups that can be restored beside, {together}:", *each]

    def remove_beside(self, run: str, folder: Path) -> None:
        if self.said.backups is not None:
            fetch("harness.restores.left:remove_places")(self.said.backups, run=run, beside=folder)

    def remove_left(self, run: str, folder: Path) -> None:
        """What a killed run has brought up. Nothing of a platform that stands. Errors: `DrillError`."""
        remove_temporary(run)
        if not folder.is_dir() or not self.said.for_the_run:
            return
        stack = self._made(folder, recorder=Memory(), label=run)
        with suppress(DrillError):  # where the engine has nothing of it any more there is no log
            keep_logs(stack.logs(), folder / "logs")
        stack.stop()

    def _made(self, folder: Path, *, recorder: Recorder, label: str) -> Any:
        extra_for(self.said).must_be_installed()
        kind = "for_the_run:StackForTheRun" if self.said.for_the_run else "stack:AttachedStack"
        made = fetch(f"harness.stacks.attached.{kind}")
        return made(self.said, folder, recorder=recorder, label=label, secrets=secrets.kept(self.said))
