"""Commands that are not run: each is answered by what was recorded of one like it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from harness.system.command import Commands, Done
from harness.system.recorder import Memory

Answer = str | tuple[int, str, str] | Callable[[tuple[str, ...]], tuple[int, str, str]]


class Recorded(Commands):
    """`answers`: by a regular expression for the words, the first that fits: what it printed, or exit code, output and
    errors, or what makes these. `ran`: the words of all, `files`: what each file was that was named as a configuration.
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        super().__init__(Memory(), label="unit")
        self.answers = dict(answers)
        self.ran: list[tuple[str, ...]] = []
        self.files: list[tuple[int, str]] = []

    def run(
        self, argv: Sequence[str | Path], *, within: timedelta = timedelta(seconds=60),
        env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str | None = None, check: bool = True,
        quiet: bool = False, hint: str = "",
    ) -> Done:  # fmt: skip  # parameters in groups
        words = tuple(map(str, argv))
        self.ran.append(words)
        for word in words:
            if word.startswith("--config="):
                file = Path(word.removeprefix("--config="))
                self.files.append((file.stat().st_mode & 0o777, file.read_text()))
        answer = next(said for like, said in self.answers.items() if re.search(like, " ".join(words), re.DOTALL))
        code, out, err = answer(words) if callable(answer) else (0, answer, "") if isinstance(answer, str) else answer
        assert not check or code == 0
        return Done(words, code, out, err, timedelta(seconds=1))


class Plainly:
    """Programs that are called by their names."""

    said = "this machine"
    read_only = "mounted read-only"

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Path, ...], bool]] = []

    def words(
        self, program: str, *, version: int = 0, reads: Sequence[Path] = (), writes: Sequence[Path] = (),
        network: bool = False,
    ) -> list[str]:  # fmt: skip  # parameters in groups
        self.asked.append((program, tuple(reads), network))
        return [program]

    def place(self, folder: Path, version: int) -> BarePlace:
        return BarePlace(folder, version)


class BarePlace:
    """A folder, and programs that are recorded."""

    isolation = ""

    def __init__(self, folder: Path, version: int, commands: Commands | None = None) -> None:
        self.folder, self.version = folder, version
        self.data, self.log = folder / "data", folder / "server.log"
        self.data.mkdir(parents=True)
        self._commands = commands

    def run(
        self, program: str, *words: str, within: timedelta, env: Mapping[str, str] | None = None, check: bool = True,
        stdin: Path | None = None,
    ) -> Done:  # fmt: skip  # parameters in groups
        assert self._commands is not None
        return self._commands.run([program, *words], within=within, env=env, check=check)

    def initialise(self, *words: str) -> None:
        raise NotImplementedError

    def start(self, settings: Mapping[str, str], *, recovery: bool = False) -> None:
        raise NotImplementedError

    def running(self) -> bool:
        return False

    def connect(self, database: str = "postgres") -> object:
        raise NotImplementedError

    def stop(self) -> None:
        """Nothing runs."""

    def reach(self, address: str) -> str:
        raise NotImplementedError

    def remove(self) -> str:
        return ""
