"""A ground for parts of a stack that are tested alone: this machine, at 127.0.0.1."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.stacks.local.database_user import DatabaseUser
from harness.stacks.local.ground import LocalGround
from harness.system.command import Commands


@dataclass(frozen=True)
class OneHost:
    """Fills the protocol Addresses of the embedded stack."""

    storage: str = "127.0.0.1"
    entrances: tuple[str, ...] = ("127.0.0.1",)

    def address(self, zone: str) -> str:
        return self.storage

    def inside(self, zone: str) -> list[str]:
        return []

    def store_address(self, zone: str) -> str:
        return self.storage


def one_host(folder: Path, commands: Commands, *, ourselves: bool = False) -> LocalGround:
    """`ourselves`: the database's user is who runs the tests, also where that is root; no PostgreSQL runs then."""
    ground = LocalGround(folder, commands=commands, network=OneHost(), zones=(), level="loopback")
    if ourselves:
        ground.user = DatabaseUser((), None)
    return ground
