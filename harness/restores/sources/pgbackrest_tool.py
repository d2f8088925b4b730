"""What pgBackRest is asked, and what it says. It says of a repository by a code inside of its answer: it exits 0 for
one that is not there."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.errors import NotReady, Refused, Unable
from harness.restores import Programs
from harness.restores.described import Backup
from harness.restores.sources.pgbackrest_config import Configuration, configuration
from harness.system.command import Commands, Done

NAME = "pgbackrest"
OLDEST = (2, 45)
ASKED_WITHIN = timedelta(minutes=5)  # of the catalogue, or a list of files
FINE, EMPTY = 0, 2  # codes of a repository that can be read
HARMLESS = re.compile(  # nothing of the data is left out by it: what was linked to becomes a part of the place
    r"(file link|contents of directory link) .* will be restored (as a file|in a directory) at the same location"
    r"|unknown (user|group) .*mapped to|configuration file contains invalid option"
)
TOO_NEW = re.compile(r"\[046\]|expected format \d+ but found")
TOLD = re.compile(r"(?:P\d+ +)?(WARN|ERROR): *(.*)")
NEWER = "install a newer pgbackrest, or say an `image` that has it"


class Tool:
    """pgBackRest, with a configuration of our own for one database of a stack file."""

    def __init__(
        self, backup: Backup, *, programs: Programs, commands: Commands, values: Mapping[str, str]
    ) -> None:  # fmt: skip  # parameters in groups
        self._backup = backup
        self._programs = programs
        self._commands = commands
        self._values = values

    @cached_property
    def version(self) -> tuple[int, int]:
        """Errors: `Unable` where it is not there, or too old."""
        done = self._commands.run([*self._programs.words(NAME), "version"], check=False)
        found = re.search(r"pgBackRest (\d+)\.(\d+)", done.out)
        if not found:
            raise Unable(f"pgbackrest of {self._programs.said} says no version: {error_of(done)}", hint=NEWER)
        version = (int(found[1]), int(found[2]))
        if version < OLDEST:
            least = ".".join(map(str, OLDEST))
            raise Unable(f"pgBackRest {found[1]}.{found[2]} of {self._programs.said} is older than {least}", hint=NEWER)
        return version

    @property
    def said(self) -> str:
        """`"pgBackRest 2.45"`. Errors: as `version`."""
        return f"pgBackRest {'.'.join(map(str, self.version))}"

    @cached_property
    def configuration(self) -> Configuration:
        """Errors: those of the function."""
        return configuration(self._backup, self._values)

    @property
    def where(self) -> str:
        return ", ".join(repo.at for repo in self.configuration.repos)

    @cached_property
    def stanza(self) -> str:
        """Errors: `Refused` where the repository has several and none is named; `NotReady` where it has none."""
        if self._backup.server:
            return self._backup.server
        names = [str(each["name"]) for each in self._asked(["--output=json", "info"])]
        if not names:
            raise NotReady(f"{self.where} has no stanza", hint="look at `repository`, and whether it can be read")
        if len(names) > 1:
            raise Refused(f"{self.where} has several stanzas: {', '.join(names)}", hint="name one as `server`")
        return names[0]

    def info(self, *words: str) -> dict[str, Any]:
        """What the catalogue says of the stanza. Errors: `NotReady` where a repository of it cannot be read."""
        _ = self.version
        answer = self._asked([f"--stanza={self.stanza}", "--output=json", *words, "info"])
        found = next((each for each in answer if each.get("name") == self.stanza), None)
        if found is None:
            raise NotReady(f"{self.where} has no stanza {self.stanza}", hint="look at `repository` and `server`")
        states = [repo["status"] for repo in found.get("repo", ())] or [found["status"]]
        for status in states:
            if status["code"] not in (FINE, EMPTY):
                raise self._unread(f"stanza {self.stanza}: {_line(status['message'])}", status["message"])
        return dict(found)

    def listed(self, repo: int, path: str = "") -> dict[str, dict[str, Any]]:
        """The files below a path of a repository, by their names below it; of a path that is not there, none."""
        words = [f"--repo={repo}", "--recurse", "--output=json", "repo-ls", *([path] if path else [])]
        return {name: one for name, one in self._asked(words).items() if one.get("type") == "file"}

    @contextmanager
    def given(self, *, data: Path | None = None, processes: int = 1) -> Iterator[tuple[list[str], Path]]:
        """Options for a command, and the folder that they lie in, in a file of mode 600; gone at the end."""
        stanza = self.stanza if data else ""
        with tempfile.TemporaryDirectory(prefix="drdrill-") as folder:
            work = Path(folder)
            file = work / "pgbackrest.conf"
            file.touch(mode=0o600)
            file.write_text(self.configuration.text(stanza=stanza, work=work, data=data, processes=processes))
            yield [f"--config={file}", *([f"--stanza={stanza}"] if stanza else [])], work

    def words(self, program: str, writes: Sequence[Path]) -> list[str]:
        """Those that run `program` where pgBackRest is, with all repositories to be read."""
        repos = self.configuration.repos
        reads = [path for repo in repos for path in repo.reads]
        return self._programs.words(program, reads=reads, writes=writes, network=any(repo.remote for repo in repos))

    def _asked(self, words: Sequence[str]) -> Any:
        with self.given() as (options, work):
            argv = [*self.words(NAME, [work]), *options, *words]
            done = self._commands.run(argv, within=ASKED_WITHIN, check=False)
        if not done.ok:
            raise self._unread(error_of(done), done.err)
        try:
            return json.loads(done.out)
        except ValueError:
            raise NotReady(f"{self.where}: pgbackrest's answer is no JSON", hint="read it in the journal") from None

    def _unread(self, words: str, all_of_it: str) -> NotReady | Unable:
        if TOO_NEW.search(all_of_it):
            return Unable(f"{self.where} is too new for {self.said}: {words}", hint=NEWER)
        hint = "look at `repository`, `server` and `config`, and whether this account may read all of it"
        return NotReady(f"{self.where}: {words}", hint=hint)


def _line(text: str) -> str:
    """The first lines of what is said, up to its hints."""
    said = text.partition("HINT:")[0]
    return re.sub(r"\s*\n\s*", "; ", said.strip()).rstrip(":;")


def error_of(done: Done) -> str:
    """What went wrong, in one line, without its hints."""
    text = done.err or done.out
    _, found, rest = text.partition("ERROR:")
    return _line(rest) if found else _line(text) or f"exit code {done.exit}, without a word"


def told(text: str) -> list[str]:
    """Each line with a warning or an error, but for those that are harmless."""
    found = [match for line in text.splitlines() if (match := TOLD.match(line.strip()))]
    return [f"pgbackrest: {each[1]}: {each[2]}" for each in found if not HARMLESS.search(each[2])]
