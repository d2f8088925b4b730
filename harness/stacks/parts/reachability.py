"""Whether a zone sees another: tried from inside the zone, with the programs that every ground has."""

from __future__ import annotations

from typing import Literal

from harness.stacks.parts.etcd import CLIENTS
from harness.stacks.parts.ground import Ground
from harness.stacks.parts.postgres import PORT

PATIENCE = 1  # seconds; a silent address says nothing, and one that is seen answers within a millisecond
NO_ANSWER = 2  # exit code of `pg_isready`


def sees(ground: Ground, one: str, other: str, *, part: Literal["", "consensus store"]) -> bool:
    """Whether `one` gets an answer of the other zone's database server, or of its etcd.

    etcd is asked for its status and not for its health: one that answers may be cut off from whoever leads it.
    """
    if part == "consensus store":
        address = ground.store_address(other)
        asked = [f"--endpoints={address}:{CLIENTS}", f"--dial-timeout={PATIENCE}s", f"--command-timeout={PATIENCE}s"]
        words, env = [*ground.program("etcdctl"), *asked, "endpoint", "status"], {"ETCDCTL_API": "3"}
    else:
        asked = [f"--host={ground.address(other)}", f"--port={PORT}", f"--timeout={PATIENCE}"]
        words, env = [*ground.program("pg_isready"), *asked], {}
    done = ground.commands.run([*ground.words(one), *words], env=env, check=False)
    return done.ok if part == "consensus store" else done.exit != NO_ANSWER
