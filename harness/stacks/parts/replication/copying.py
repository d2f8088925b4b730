"""One pass after the other: what the source has and was not copied yet, the oldest first."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from harness.errors import DrillError
from harness.stacks.parts.bucket import Bucket, Kept
from harness.system import clock

DONE, STATE = "done.jsonl", "state.json"
OF = "source-version"  # beside each copy: the id of what it is a copy of


@dataclass(frozen=True)
class State:
    """How far it is. What it says of the source is of `seen`."""

    seen: str = ""  # UTC, when the source was listed last; empty: never
    missing: int = 0  # versions and deletions that were there then, and are not copied yet
    oldest: str = ""  # UTC, since when the oldest of these is there
    copied: int = 0  # versions and deletions, ever
    passes: int = 0  # that went through, since its start
    ended: str = ""  # UTC, when the last of these ended
    why: str = ""  # the last pass broke off

    def lag(self) -> timedelta:
        """The age of the oldest that was missing when the source was listed last."""
        if not self.oldest:
            return timedelta(0)
        return max(timedelta(0), datetime.fromisoformat(self.seen) - datetime.fromisoformat(self.oldest))

    @classmethod
    def read(cls, folder: Path) -> State:
        """As it was written last; of one that never ran where nothing was."""
        try:
            return cls(**json.loads((folder / STATE).read_text()))
        except (OSError, ValueError, TypeError):
            return cls()


class Copying:
    """From one bucket to another."""

    def __init__(self, source: Bucket, target: Bucket, folder: Path) -> None:
        """Errors: `OSError` where the folder cannot be written."""
        folder.mkdir(parents=True, exist_ok=True)
        self._source = source
        self._target = target
        self._folder = folder
        self._done = _read(folder / DONE)
        self._file = os.open(folder / DONE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        os.write(self._file, b"\n")  # after a line that was torn
        self._unsure = True  # whether something may have been copied that was not recorded
        self.state = State(copied=len(self._done))

    def go_through(self, ended: Callable[[], bool] = lambda: False) -> State:
        """One pass; returns how far that came. What breaks it off is in `why`: the next one goes on from there."""
        try:
            if not self._pass(ended):
                return self.state
            self._unsure = False
            now = clock.utc_text(clock.now().utc)
            self._becomes(passes=self.state.passes + 1, ended=now, why="")
        except (DrillError, OSError) as error:
            self._unsure = True
            self._becomes(why=error.message if isinstance(error, DrillError) else str(error))
        return self.state

    def _pass(self, ended: Callable[[], bool]) -> bool:
        """Whether it came to its end."""
        seen = clock.utc_text(clock.now().utc)
        there = self._there() if self._unsure else {}
        missing = [one for one in self._source.history() if (one.key, one.id) not in self._done]
        self._becomes(seen=seen, **_left(missing, 0))
        for at, one in enumerate(missing):
            if ended():
                return False
            self._record(one, self._delete(one) if one.deletion else self._copy(one, there.get(one.key, ())))
            self._becomes(copied=len(self._done), **_left(missing, at + 1))
        return True

    def _there(self) -> dict[str, list[str]]:
        """What the target has, by key. What was copied and is not there any more is copied again: it may have died with
        its region."""
        self._target.make()
        there: dict[str, list[str]] = {}
        for one in self._target.history():
            there.setdefault(one.key, []).extend([] if one.deletion else [one.id])
        self._done = {
            (key, id): copy for (key, id), copy in self._done.items() if not copy or copy in there.get(key, ())
        }
        return there

    def _copy(self, one: Kept, there: Sequence[str]) -> str:
        """Returns the id of the copy; empty where there is none. `there`: what may be it, though nobody recorded it."""
        for id in there:
            if self._target.marks(one.key, id).get(OF) == one.id:
                return id
        with tempfile.TemporaryFile(dir=self._folder) as whole:
            marks = self._source.bring(one.key, version=one.id, into=whole)
            if marks is None or OF in marks:
                return ""  # destroyed since it was listed, or a copy itself
            if whole.tell() != one.size:
                raise DrillError(
                    f"{one.key}: {whole.tell()} bytes came of {one.size}", hint="read the log of the source store"
                )
            return self._target.write_from(one.key, whole, marks={**marks, OF: one.id})

    def _delete(self, one: Kept) -> str:
        """Hide it there, too, unless it is: so it does not come back from there as news."""
        if self._target.current(one.key):
            self._target.delete(one.key)
        return ""

    def _record(self, one: Kept, copy: str) -> None:
        os.write(self._file, (json.dumps({"key": one.key, "version": one.id, "copy": copy}) + "\n").encode())
        self._done[one.key, one.id] = copy

    def _becomes(self, **news: Any) -> None:
        self.state = replace(self.state, **news)
        fresh = self._folder / f"{STATE}.new"
        fresh.write_text(json.dumps(asdict(self.state)))
        fresh.replace(self._folder / STATE)


def _left(missing: Sequence[Kept], at: int) -> dict[str, Any]:
    left = len(missing) - at
    return {"missing": left, "oldest": clock.utc_text(missing[at].at) if left else ""}


def _read(path: Path) -> dict[tuple[str, str], str]:
    """By key and version: the id of the copy; empty where there is none."""
    found = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        with suppress(ValueError, KeyError, TypeError):  # torn: whether it was copied is looked for
            one = json.loads(line)
            found[one["key"], one["version"]] = str(one["copy"])
    return found
