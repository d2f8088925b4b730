"""Set-up says what is missing and what to do. Interpreter and pip are stand-ins here: nothing is fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.stacks.docker import image

HOME = Path(__file__).parent.parent
TOOLS = (
    "sh",
    "uname",
    "dirname",
    "cat",
    "awk",
    "rm",
    "tail",
    "grep",
    "mkdir",
    "chmod",
    "find",
    "id",
    "flock",
    "unshare",
    "nsenter",
    "df",
)

# A Python that knows what set-up asks of it. Its .venv/bin/python is a pip that writes down how it was called.
INTERPRETER = """#!/bin/sh
case "$*" in
    *version_info*) echo {new_enough} ;;
    *ensurepip*) exit {venv_exit} ;;
    *sys.executable*) echo stand-in ;;
    --version) echo Python 3.11.0 ;;
    "-m venv .venv")
        mkdir -p .venv/bin
        cat > .venv/bin/python <<'PIP'
#!/bin/sh
echo "$*" >> calls
{pip}
PIP
        chmod +x .venv/bin/python ;;
esac
"""


class Project:
    """A copy of the project with a space in its path, and a PATH of its own."""

    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "a clone"
        self.tools = tmp_path / "tools"
        self.tools.mkdir()
        (self.path / "bin").mkdir(parents=True)
        for name in ("bin/set-up", "pyproject.toml", "constraints.txt"):
            shutil.copy(HOME / name, self.path / name)
        for tool in TOOLS:
            self.tool(tool)

    def tool(self, name: str) -> None:
        found = shutil.which(name)
        assert found, f"{name} is part of every machine this runs on"
        (self.tools / name).symlink_to(found)

    def script(self, name: str, text: str) -> None:
        path = self.tools / name
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def python(self, name: str = "python3", *, new_enough: bool = True, venv: bool = True, pip: str = "") -> None:
        self.script(name, INTERPRETER.format(new_enough=new_enough, venv_exit=0 if venv else 1, pip=pip))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.path / "bin" / "set-up"), *arguments], env={"PATH": str(self.tools), **environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip  # arguments in groups

    def set_up(self, *arguments: str, **environment: str) -> tuple[int, str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=20)
        return process.returncode, out + err

    def calls(self) -> list[str]:
        path = self.path / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def refused(answer: tuple[int, str], what: str, hint: str) -> None:
    code, said = answer
    assert code == 3
    assert what in said
    assert [line for line in said.splitlines() if line.startswith("HINT: ") and hint in line]


def test_no_python_is_refused(project: Project) -> None:
    """Where there is no Python at all, the hint says how to get one."""
    refused(project.set_up(), "there is no python3", "apt install python3")


def test_an_old_python_is_refused(project: Project) -> None:
    """A Python before 3.11 is named, and how to choose another."""
    project.python(new_enough=False)
    refused(project.set_up(), "too old, Python 3.11 or later is needed: python3", "PYTHON=")


def test_a_python_without_venv_is_refused(project: Project) -> None:
    """Debian's python3 without python3-venv is told of the package."""
    project.python(venv=False)
    refused(project.set_up(), "no venv module in: python3", "apt install python3-venv")


def test_the_first_python_that_fits_is_taken(project: Project) -> None:
    """An old python3 does not stand in the way of a newer one beside it."""
    project.python(new_enough=False)
    project.python("python3.12")
    assert project.set_up()[0] == 0


@pytest.mark.parametrize("python", ["/nonexistent/python", "/bin/true"])
def test_a_chosen_python_that_is_none_is_refused(project: Project, python: str) -> None:
    """PYTHON has to name a Python 3.11 or later, and nothing else is tried instead."""
    project.python()
    refused(project.set_up(PYTHON=python), f"PYTHON={python} is not Python 3.11 or later", "leave PYTHON unset")


@pytest.mark.parametrize("tool", ["flock", "unshare", "nsenter"])
def test_a_missing_tool_is_named(project: Project, tool: str) -> None:
    """Without util-linux the hint names the package."""
    project.python()
    (project.tools / tool).unlink()
    refused(project.set_up(), f"there is no {tool}", "apt install util-linux")


def test_another_system_is_refused(project: Project) -> None:
    """On macOS the answer is a container, and nothing is installed."""
    project.python()
    project.script("uname", "#!/bin/sh\necho Darwin\n")
    refused(project.set_up(), "runs on Linux only", "container")
    assert project.calls() == []


def test_a_full_disk_is_noticed_before_anything_is_installed(project: Project) -> None:
    """Too little free space is refused at once, with both figures."""
    project.python()
    project.script("df", "#!/bin/sh\necho head\necho disk 100 70 30 70% /\n")
    refused(project.set_up(), "only 30 MB are free here", "free some")
    assert project.calls() == []


PIP_FAILURES = [
    ("echo 'OSError: [Errno 28] No space left on device'", "the disk is full", "temporary folder"),
    ("echo \"WARNING: connection broken by NewConnectionError\"", "could not be fetched", "check the network"),
    ("case $* in *setuptools*) echo odd;; esac", "could not be fetched", "check the network"),
    ("case $* in *setuptools) exit 0;; esac; echo 'ERROR: No matching distribution found for x'",
     "no wheel for this machine", "PYTHON="),
    ("case $* in *setuptools) exit 0;; esac; echo 'something odd'", "pip failed", "set-up.log"),
]  # fmt: skip  # a table


@pytest.mark.parametrize(
    ("pip", "what", "hint"), PIP_FAILURES, ids=[f"{one[1]}, {n}" for n, one in enumerate(PIP_FAILURES)]
)
def test_a_failure_of_pip_is_explained(project: Project, pip: str, what: str, hint: str) -> None:
    """Each way in which pip fails has a hint of its own, and the set-up is begun anew the next time."""
    project.python(pip=f"{pip}; exit 1")
    refused(project.set_up(), what, hint)
    project.python()
    assert project.set_up()[0] == 0


# What a Docker engine answers: it is there, has these images, and its registry is out of reach or not.
DOCKER = """#!/bin/sh
case "$1" in
    info) exit {there} ;;
    images) [ "$3" != "{has}" ] || echo 0123456789ab ;;
    pull) exit {pulled} ;;
esac
"""


def test_an_image_that_nobody_can_make_is_refused_before_anything_is_fetched(project: Project) -> None:
    """An ordinary user without uidmap, a registry that is out of reach: both ways out are said."""
    project.python()
    project.script("id", "#!/bin/sh\necho 1000\n")
    project.script("docker", DOCKER.format(there=0, has="", pulled=1))
    refused(project.set_up("docker"), "only root can make a base", "sudo apt install uidmap")
    refused(project.set_up("docker"), "only root can make a base", f"docker import base.tar {image.OWN_BASE}")
    assert project.calls() == []
    assert project.set_up()[0] == 0, "the embedded stack needs no image"


@pytest.mark.parametrize(
    ("user", "uidmap", "engine"),
    [
        (0, False, {"there": 0, "has": "", "pulled": 1}),
        (1000, True, {"there": 0, "has": "", "pulled": 1}),
        (1000, False, {"there": 1, "has": "", "pulled": 1}),
        (1000, False, {"there": 0, "has": "", "pulled": 0}),
        (1000, False, {"there": 0, "has": image.PUBLIC_BASE, "pulled": 1}),
        (1000, False, {"there": 0, "has": image.OWN_BASE, "pulled": 1}),
        (1000, False, {"there": 0, "has": image.REPOSITORY, "pulled": 1}),
    ],
)
def test_whoever_may_have_an_image_is_set_up(
    project: Project, user: int, uidmap: bool, engine: dict[str, object]
) -> None:
    """Root, who has uidmap, who has a base or can pull one; what is wrong with the engine says the drill."""
    project.python()
    project.script("id", f"#!/bin/sh\necho {user}\n")
    project.script("docker", DOCKER.format(**engine))
    if uidmap:
        project.script("newuidmap", "#!/bin/sh\n")
    assert project.set_up("docker")[0] == 0


def test_a_drill_does_not_install_the_tools_of_the_tests(project: Project) -> None:
    """The first set-up installs the project and Barman without its dependencies; `test` adds the extra, once."""
    project.python()
    assert project.set_up()[0] == 0
    calls = project.calls()
    assert [call.split()[-1] for call in calls] == ["setuptools", ".[embedded]", "barman"]
    assert "--no-deps barman" in calls[-1]
    assert all("-c constraints.txt" in call and "--no-compile" in call for call in calls)
    assert project.set_up("test")[0] == 0
    assert project.calls()[len(calls) :] == [calls[1].replace("embedded", "test")]
    assert project.set_up("test") == (0, "")
    assert len(project.calls()) == len(calls) + 1


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_what_is_installed_sets_up_anew(project: Project, name: str) -> None:
    """A changed list of packages makes a new environment; a touched file with the same content does not."""
    project.python()
    project.set_up()
    before = len(project.calls())
    (project.path / name).touch()
    project.set_up()
    assert len(project.calls()) == before
    with (project.path / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    project.set_up()
    assert len(project.calls()) == 2 * before


def test_a_project_that_was_moved_sets_up_anew(project: Project, tmp_path: Path) -> None:
    """An environment knows its own path, so a moved or copied one is not used."""
    project.python()
    project.set_up()
    project.path = project.path.rename(tmp_path / "elsewhere")
    before = len(project.calls())
    project.set_up()
    assert len(project.calls()) == 2 * before


def test_two_at_once_set_up_once(project: Project) -> None:
    """The second waits for the first, and then finds the work done."""
    project.tool("sleep")
    project.python(pip="sleep 0.3")
    first = project.start()
    time.sleep(0.1)
    second = project.start()
    said = second.communicate(timeout=20)[0]
    first.communicate(timeout=20)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "waiting for another set-up to end" in said
    assert len(project.calls()) == 3


@pytest.mark.parametrize("code", [0, 3])
def test_a_timed_command_keeps_its_exit_code(code: int) -> None:
    """`bin/timed` says how long a part took and ends as the part did."""
    done = subprocess.run(
        [HOME / "bin" / "timed", "a part", sys.executable, "-c", f"raise SystemExit({code})"],
        capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip  # arguments in groups
    assert done.returncode == code
    assert f"== a part: exit {code} after " in done.stdout
