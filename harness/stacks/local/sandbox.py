"""What this machine allows, found by trying, and how to enter it.

A sandbox has one of three levels, best first: `rootless` (a user namespace of our own: no privilege at all),
`privileged` (root with the capabilities, where user namespaces are refused), `loopback` (no namespaces: addresses of
127/8). Nothing is guessed from a version or a file: each level is really entered, and a bridge, a zone and a database
user are really made there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DrillError, Refused
from harness.stacks.local.extra import EXTRA
from harness.system.environment import handed_on

LEVEL = "DRDRILL_LEVEL"  # set in the environment of everything that runs in a sandbox
SANDBOX = "DRDRILL_SANDBOX"  # the pid, out where the user is, of the process that holds the sandbox
NAMES = ("rootless", "privileged", "loopback")
HERE = Path(__file__).parent
NO_NETWORKS = "on the sandbox level loopback zones are addresses and no networks"
PATIENCE = 30.0  # seconds for one level to be tried


@dataclass(frozen=True)
class Tried:
    """One level that was tried: `why` and `lift` are empty when it holds."""

    name: str
    ok: bool
    why: str  # what failed, in the system's words
    lift: str  # what would make it hold


@dataclass(frozen=True)
class Level:
    """The best level of this machine, and how every level above it failed."""

    name: str
    tried: tuple[Tried, ...]


def inside() -> str | None:
    """The name of the level that this process runs on; None outside of a sandbox."""
    return os.environ.get(LEVEL)


def best_level(forced: str | None = None) -> Level:
    """The best level that holds here; with `forced`, that one and no other.

    Errors: `Refused` when the forced level does not hold or is no level; `DrillError` when none does.
    """
    if forced is not None and forced not in NAMES:
        raise Refused(f"no sandbox level is called {forced!r}", hint=f"one of: {', '.join(NAMES)}")
    tried: list[Tried] = []
    for name in NAMES if forced is None else (forced,):
        tried.append(attempt(name))
        if tried[-1].ok:
            return Level(name=name, tried=tuple(tried))
    reasons = "; ".join(f"{one.name}: {one.why}" for one in tried)
    lifts = "; ".join(one.lift for one in tried if one.lift) or "run `drdrill doctor`"
    if forced is not None:
        raise Refused(f"this machine does not allow the sandbox level {reasons}", hint=lifts)
    raise DrillError(f"this machine allows no embedded stack: {reasons}", hint=lifts)


def to_zones_apart() -> str:
    """What would make zones networks of their own, for a process that stands on loopback."""
    tried = [attempt(name) for name in NAMES if name != "loopback"]
    held = [one.name for one in tried if one.ok]
    if held:
        return f"this machine allows the sandbox level {held[0]}: --sandbox {held[0]}"
    return "; ".join(f"for the sandbox level {one.name}: {one.lift}" for one in tried)


def attempt(name: str) -> Tried:
    """Try one level for real."""
    if name == "privileged" and os.geteuid() != 0:
        return Tried(name, ok=False, why="not root", lift="run as root, or make the sandbox level rootless hold")
    words = enter_argv(name, [sys.executable, "-I", "-S", str(HERE / "sandbox_probe.py"), name, *sys.path])
    try:
        ended = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            start_new_session=True,
            env=handed_on(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Tried(name, ok=False, why=f"no answer within {PATIENCE:g} s", lift=_lift(name, ""))
    except OSError as error:
        lift = "install util-linux (unshare, nsenter)" if sys.platform == "linux" else _lift(name, "")
        return Tried(name, ok=False, why=f"{words[0]}: {error.strerror}", lift=lift)
    if ended.returncode == 0:
        return Tried(name, ok=True, why="", lift="")
    said = (ended.stdout + ended.stderr).strip().splitlines()
    why = said[-1] if said else f"exited {ended.returncode} without a word"
    lift = EXTRA.install if "No module named" in why else _lift(name, why)
    return Tried(name, ok=False, why=why, lift=lift)


def enter_argv(found: Level | str, argv: Sequence[str]) -> list[str]:
    """What to exec so that `argv` runs on that level. On loopback too the level's name is set in the environment."""
    name = found if isinstance(found, str) else found.name
    mark = ["env", f"{LEVEL}={name}"]
    if name == "loopback":
        return [*mark, *argv]
    user = ["--user", "--map-root-user"] if name == "rootless" else []
    init = [sys.executable, "-I", "-S", str(HERE / "sandbox_init.py"), "--", *argv]
    return [*mark, "unshare", *user, "--net", "--mount", "--pid", "--ipc", *init]


def join_argv(holder: int, argv: Sequence[str]) -> list[str]:
    """What to exec so that `argv` runs in a sandbox that is there already; `holder` is the pid in `DRDRILL_SANDBOX`.

    Errors: `Refused` when that sandbox is gone.
    """
    try:
        first = Path(f"/proc/{holder}/task/{holder}/children").read_text(encoding="ascii").split()[0]
        environment = Path(f"/proc/{first}/environ").read_bytes().split(b"\0")
    except (OSError, IndexError):
        raise Refused(f"the sandbox of process {holder} is gone", hint="`drdrill stack up` makes a new one") from None
    own = [word.decode() for word in environment if word.startswith((f"{LEVEL}=".encode(),))]
    user = ["--user", "--preserve-credentials"] if f"{LEVEL}=rootless" in own else []
    mark = ["env", *own, f"{SANDBOX}={holder}"]
    return [
        "nsenter",
        f"--target={first}",
        *user,
        "--net",
        "--mount",
        "--pid",
        "--ipc",
        f"--wd={Path.cwd()}",
        *mark,
        *argv,
    ]


def _lift(name: str, why: str) -> str:
    """What would make a level hold, by what the machine shows."""
    if sys.platform != "linux":
        return "namespaces, and all addresses of 127/8, are Linux's: run the drills in containers"
    if name == "loopback":
        return "all addresses of 127/8 must be usable, and root needs another uid for the database (CAP_SETUID)"
    if name == "privileged":
        return "give the container --privileged, or --cap-add SYS_ADMIN --cap-add NET_ADMIN"
    switches = {
        "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
        "kernel.unprivileged_userns_clone": ("0", "1"),
        "user.max_user_namespaces": ("0", "10000"),
    }
    for key, (bad, good) in switches.items():
        try:
            value = Path("/proc/sys", *key.split(".")).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value == bad:
            return f"sudo sysctl -w {key}={good}"
    if "mount /proc" in why or "/proc" in why:
        return "start the container with --security-opt systempaths=unconfined"
    return "start the container with --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
