"""The restores of all databases that a scenario is about: some at a time, within a time and a room for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, count
from pathlib import Path
from typing import Any

from harness.errors import DrillError, Exit, quietly
from harness.restores import Place
from harness.restores.broken import WAYS
from harness.restores.budget import Budget
from harness.restores.choice import Asked
from harness.restores.described import ON_FAILURE, Backups
from harness.restores.one import FAILED, NOT_EXERCISED, OneRestore
from harness.restores.places import places_of
from harness.restores.programs import programs
from harness.restores.programs.left import MARK
from harness.restores.sources import source
from harness.system.command import Commands
from harness.system.recorder import Recorder


def nothing(place: Place, names: Sequence[str]) -> None:
    """Nobody wants to look besides."""


class Restores:
    """Of one scenario. `folder`: of the run, where the places are made, unless the stack file names another one;
    `kept`: where one goes that is to be looked at. `values`: what `${…}` stands for in the stack file."""

    def __init__(
        self, said: Backups, *, names: Sequence[str], values: Mapping[str, str], label: str, folder: Path, kept: Path,
        recorder: Recorder, books: Any = None,
        then: Callable[[Place, Sequence[str]], None] = nothing, broken: str = "",
    ) -> None:  # fmt: skip  # parameters in groups
        self._said = said
        self.names = list(names)
        self._values = values
        self._recorder = recorder
        self._commands = Commands(recorder, label=label)
        self._folder = places_of(said, run=label, beside=folder)
        self._kept = kept
        self._books = books
        self._then = then
        self._broken = WAYS[broken]
        self._all: list[OneRestore] = []

    def carry_out(self, asked: Asked, *, seed: str) -> None:
        """All of them; each records what it found. Errors: those of whoever stops the run; then no place is left."""
        said = self._said
        self._recorder.record(
            "restore.asked", databases=self.names, which=asked.which, named=asked.named, point=asked.point,
            at_once=said.at_once, within=said.within.total_seconds(), keep=said.keep,
        )  # fmt: skip  # arguments in groups
        self._folder.mkdir(parents=True, exist_ok=True)
        budget = Budget(self._folder, said.within, said.room)
        self._all = [one for name in self.names if (one := self._one(name, asked, seed, budget)) is not None]
        pool = ThreadPoolExecutor(max_workers=said.at_once)
        try:
            for done in [pool.submit(one.carry_out) for one in self._all]:
                done.result()
        except BaseException:
            budget.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            self._remove_places()
            raise
        finally:
            pool.shutdown(wait=True)
            self._remove_places()  # of one that broke, and one that was just being made
            quietly(self._folder.rmdir)

    def _one(self, name: str, asked: Asked, seed: str, budget: Budget) -> OneRestore | None:
        """None where nothing can be begun, which is recorded."""
        backup = self._broken.asks(self._said.databases[name])
        try:
            where = programs(self._said, self._commands)
            found = source(backup, programs=where, commands=self._commands, values=self._values)
        except DrillError as error:
            self._not_begun(name, FAILED if error.exit is Exit.FAILED else NOT_EXERCISED, error.message)
            return None
        except OSError as error:
            self._not_begun(name, NOT_EXERCISED, f"{error.filename}: {error.strerror}")
            return None
        return OneRestore(
            backup, found, where, self._folder / name, asked, seed, budget, self._recorder,
            keep=self._keep if self._said.keep == ON_FAILURE else None, books=self._books,
            then=self._then,
            broken=self._broken,
        )  # fmt: skip  # in the order of the fields

    def _not_begun(self, name: str, outcome: str, why: str) -> None:
        self._recorder.record(
            "restore.end", database=name, outcome=outcome, why=why, seconds=0.0, size=0, removed=True, left="", kept="",
        )  # fmt: skip  # in one line

    def _keep(self, place: Path) -> Path:
        """Out of the way of what is removed, and without the mark by which it would be. Errors: `OSError`."""
        self._kept.mkdir(parents=True, exist_ok=True)
        beside = (self._kept / f"{place.name}{more}" for more in chain([""], (f"-{each}" for each in count(2))))
        kept = Path(shutil.move(place, next(each for each in beside if not each.exists())))
        (kept / MARK).unlink(missing_ok=True)
        return kept

    def _remove_places(self) -> None:
        for one in self._all:
            if (place := one.place) is not None and self._broken.removes:
                quietly(place.remove)
