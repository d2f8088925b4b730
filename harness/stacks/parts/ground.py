"""What the parts of a stack need of the kind of stack that runs them: addresses, programs, and units to run.

A part (a database member, the store, the API) is written once, against this page; `local` fills it with processes,
`docker` with containers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.stacks import Component
from harness.stacks.capabilities.components import Killable, Logged, Pausable, Startable
from harness.system.clock import Moment
from harness.system.command import Commands

SOON = timedelta(seconds=10)


class Runs(Enum):
    """Whose program a unit is: it decides as whom, and with which files, it runs."""

    DATABASE = "as the database's own user"
    PART = "a program of the stack's own"
    HARNESS = "a program of this project, by this Python"


class Unit(Component, Startable, Killable, Logged, Pausable, Protocol):
    """A component as its kind of stack runs it. Any process can go on with one that another has started."""

    def ask_to_stop(self) -> None:
        """Ask it to end and return, so that several can end at once."""

    def wait_stopped(self) -> None:
        """Wait until it has ended, by force when it takes too long."""

    def ended(self) -> int | None:
        """By when it had ended, in nanoseconds of the monotonic clock, where its kind keeps that; else None."""

    def must_run(self) -> None:
        """Errors: `NotReady` with its last words, when it has ended."""

    def alive(self) -> bool:
        """Whether anything of it runs: its own process, or what that has started, which may outlive it."""

    def freeze_first(self) -> None:
        """SIGSTOP its own process, and nothing that it has started. Harmless when repeated."""

    def thaw_first(self) -> None:
        """Harmless where it is not frozen."""

    def fill(self) -> Moment | None:
        """From now on no file that it, or what it has started, writes can grow. Harmless when repeated."""

    def free(self) -> Moment | None:
        """Harmless where files can grow."""

    def full(self) -> bool:
        """Whether they can not."""


class Ground(Protocol):
    """Where one stack stands. All paths are the same for whoever runs on it."""

    folder: Path  # the stack's own
    commands: Commands

    @property
    def zones(self) -> Sequence[str]: ...
    @property
    def initdb(self) -> Sequence[str]:
        """Options of `initdb` that this PostgreSQL wants besides."""

    @property
    def storage(self) -> str:
        """Address of the backup store."""

    def address(self, zone: str) -> str:
        """Of the zone's components, as the other zones reach them."""

    def listen(self, zone: str) -> str:
        """Where a zone's components listen."""

    def store_address(self, zone: str) -> str:
        """Of the zone's etcd, as all zones reach it; its own where the kind can make that alone silent."""

    def store_listen(self, zone: str) -> str:
        """Where the zone's etcd listens."""

    def program(self, name: str) -> list[str]:
        """The words that begin a program: `postgres`, `patroni`, `etcd`, ..."""

    def unit(
        self, name: str, *, runs: Runs, zone: str = "", place: str = "", argv: Callable[[], Sequence[str]],
        env: Callable[[], Mapping[str, str]] = dict, stop_within: timedelta = SOON,
    ) -> Unit:  # fmt: skip  # parameters in groups
        """A component, not started. It stands in its zone, or in `place` outside of the zones. `argv` is asked for at
        each start."""

    def words(self, zone: str) -> list[str]:
        """The words before a command of the database: in the zone, as the database's own user."""

    def own(self, folder: Path) -> None:
        """Give a folder, and what is in it, to the database's user."""

    def release(self, volume: Path) -> None:
        """Remove what the kernel keeps for servers that were killed on this volume. Harmless when repeated."""


@runtime_checkable
class Beside(Protocol):
    """A ground on which the harness reaches a zone's components as who stands in the zone does, whatever is cut."""

    def beside(self, zone: str) -> str:
        """Their address there; empty where there is none, or nobody answers without power."""


@runtime_checkable
class Renumbered(Protocol):
    """A ground whose process numbers begin anew with its power: one that a killed server has written down is another
    process's by then, and PostgreSQL takes that for itself and does not start."""

    def forget_numbers(self, files: Sequence[Path]) -> None:
        """Of a server of which nothing runs. Harmless where there are none."""
