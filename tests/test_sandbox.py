"""The levels of the machine, tried for real, and the way into a sandbox."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import Refused
from harness.stacks.local.sandbox import LEVEL, NAMES, attempt, best_level, enter_argv
from harness.system import wait
from harness.system.command import LABEL, labelled
from harness.system.recorder import Memory
from tests.real.refusing import refusing_argv

SAYS_LEVEL = f"import os; print(os.environ[{LEVEL!r}])"
COUNTS_INTERRUPTS = """
import signal, sys, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("ready", flush=True)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    time.sleep(0.05)
sys.exit(len(seen))
"""


@pytest.fixture(scope="module")
def best() -> str:
    """The machine's best level."""
    return best_level().name


def _python(code: str, *words: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code, *words]


def _code(returned: int) -> int:
    """128+n and -n both mean: ended by signal n."""
    return 128 - returned if returned < 0 else returned


def test_the_best_level_holds_and_every_level_above_it_says_why_not() -> None:
    """What is found was tried last and holds; what failed before it has a reason and a remedy."""
    found = best_level()
    assert found.tried[-1].ok and found.tried[-1].name == found.name
    assert [one.name for one in found.tried] == list(NAMES[: len(found.tried)])
    assert all(not one.ok and one.why and one.lift for one in found.tried[:-1])


def test_where_user_namespaces_are_refused_the_level_found_is_loopback() -> None:
    """The level is found by trying: the same machine with a limit of zero user namespaces gives another one."""
    code = (
        "from harness.stacks.local.sandbox import best_level; found = best_level();"
        " print(found.name, *[one.lift for one in found.tried], sep='|')"
    )
    ended = subprocess.run([*refusing_argv(), sys.executable, "-c", code], capture_output=True, text=True, check=False)
    name, lift, *_ = ended.stdout.strip().split("|")
    assert (name, lift) == ("loopback", "sudo sysctl -w user.max_user_namespaces=10000"), ended.stderr


def test_a_level_that_is_forced_and_does_not_hold_is_refused_with_the_reason() -> None:
    """Nothing else is taken instead of it."""
    code = "from harness.stacks.local.sandbox import best_level; best_level('rootless')"
    ended = subprocess.run([*refusing_argv(), sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "Refused: this machine does not allow the sandbox level rootless: unshare" in ended.stderr
    assert "HINT: sudo sysctl" in ended.stderr


def test_a_level_that_does_not_exist_is_refused() -> None:
    """The error names the levels there are."""
    with pytest.raises(Refused, match="rootless, privileged, loopback"):
        best_level("bare-metal")


@pytest.mark.parametrize("name", NAMES)
def test_a_level_that_fails_says_why_and_what_would_lift_it(name: str) -> None:
    """Each level either holds or has both."""
    tried = attempt(name)
    assert tried.ok == (not tried.why) == (not tried.lift)


def test_the_command_knows_its_level_and_its_exit_code_is_passed_on(best: str) -> None:
    """Inside, the environment names the level; outside, the code is the command's own, 128+n after signal n."""
    said = subprocess.run(enter_argv(best, _python(SAYS_LEVEL)), capture_output=True, text=True, check=True)
    assert said.stdout.strip() == best
    assert subprocess.run(enter_argv(best, _python("raise SystemExit(7)")), check=False).returncode == 7
    killed = subprocess.run(enter_argv(best, _python("import os; os.kill(os.getpid(), 9)")), check=False)
    assert _code(killed.returncode) == 128 + signal.SIGKILL
    missing = subprocess.run(enter_argv(best, ["/no/such/program"]), capture_output=True, check=False)
    assert missing.returncode in (125, 127)


@pytest.mark.parametrize("whole_group", [False, True], ids=["to the process", "to the group, as a terminal does"])
def test_an_interrupt_reaches_the_command_exactly_once(best: str, whole_group: bool) -> None:
    """Whether one process or its whole group is signalled, the command sees one SIGINT: two would mean: at once."""
    words = enter_argv(best, _python(COUNTS_INTERRUPTS, "0.6"))
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout and process.stdout.readline() == b"ready\n"
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        assert process.wait(timeout=10) == 1


def test_ctrl_c_at_a_terminal_reaches_the_command_exactly_once(best: str) -> None:
    """The terminal's foreground group is the command's, inside the sandbox as well."""
    words = enter_argv(best, _python(COUNTS_INTERRUPTS, "0.6"))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(words[0], words)
    with os.fdopen(terminal, "rb+", buffering=0) as screen:
        assert screen.readline().strip() == b"ready"
        screen.write(b"\x03")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1


def test_everything_dies_with_the_sandbox(best: str) -> None:
    """After kill -9 of the process that entered, nothing of the sandbox is left, daemons included."""
    label = f"sandbox-{uuid.uuid4().hex[:8]}"
    daemon = (
        "import subprocess; subprocess.Popen(['sleep', '300'], start_new_session=True); print(1, flush=True); input()"
    )
    words = enter_argv(best, _python(daemon))
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, LABEL: label}
    ) as process:
        assert process.stdout and process.stdout.readline() == b"1\n"
        assert len(labelled(label)) >= 2
        process.kill()
    if best == "loopback":  # no namespace: the label is what ends them
        for left in labelled(label):
            left.send(signal.SIGKILL)
    wait.until(lambda: not labelled(label), what="all gone", within=timedelta(seconds=5), recorder=Memory())


def test_orphans_are_reaped(best: str) -> None:
    """A child whose parent has ended leaves no zombie behind in the sandbox."""
    code = (
        "import pathlib, subprocess, time\n"
        "said = subprocess.run(['sh', '-c', 'sleep 0.2 >&2 & echo $!'], capture_output=True, text=True).stdout\n"
        "time.sleep(0.6)\n"
        "print(pathlib.Path('/proc', said.strip()).exists())\n"
    )
    ended = subprocess.run(enter_argv(best, _python(code)), capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


def test_a_sandbox_starts_fast(best: str) -> None:
    """Entering costs well under a second: it is paid by every run and by every test that enters."""
    begin = time.monotonic()
    subprocess.run(enter_argv(best, ["true"]), check=True)
    assert time.monotonic() - begin < 1.0


def test_the_first_process_imports_nothing_of_the_harness() -> None:
    """It must not depend on what it starts."""
    source = Path("harness/stacks/local/sandbox_init.py").read_text()
    assert "from harness" not in source and "import harness" not in source
