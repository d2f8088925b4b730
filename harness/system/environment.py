"""What a process is handed of its caller's environment: a short list, here and nowhere else.

A drill is about the stack and never about who starts it. So no proxy, no setting of any client, no locale and
no file of a home folder reaches a component, a tool or a customer; whoever needs one of these is given it by name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

OWN = "DRDRILL_"  # our own variables: the marks by which processes are found, and the key
HOME = "DRDRILL_HOME"  # the caller's home folder: the signing key lies in it, and it is masked in a pack
MARKS = ("DRDRILL_RUN", "DRDRILL_LEVEL", "DRDRILL_SANDBOX", "DRDRILL_PART")  # of the processes of a run
HOOK = "DRDRILL_NOTIFY_URL"  # where `drdrill notify` posts, which is a secret: handed on to nobody
HOOK_FILE = "DRDRILL_NOTIFY_URL_FILE"  # or the file that holds it
NOWHERE = "/nonexistent"  # the home of Debian's `nobody`: a folder that is not there, so no file in it decides anything
EVERYBODY = ("PATH", "TMPDIR")
ENGINE = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")  # which engine containers are asked of
PEOPLE = ("LOGNAME", "USER", "SUDO_USER", "XDG_CONFIG_HOME", "TERM")  # who drills, where the key is, the terminal
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
STORES = "AWS_"  # as the clients of S3 have it; no component and no tool of a stack is handed any of it
FIXED = {
    "HOME": NOWHERE,
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
}

OF_PARTS = ("harness.stacks.parts.heeded",)  # what the parts of stacks heed: FIXED, VARIABLES and FILES of each
_HEEDED = (  # by a client or an interpreter, where it would reach one
    r"LOCUST\w*|LD_\w+|GLIBC_TUNABLES|MALLOC_\w+|FAKETIME\w*|PYTHON\w+|PYTEST\w*|GEVENT\w*"
    r"|GIT_\w+|GODEBUG|GOMAXPROCS|LC_\w+|LANG|LANGUAGE|TZ|BASH_ENV|ENV|CDPATH|BASH_FUNC_.*|NETRC"
    r"|DOCKER_\w+|SSL_\w+|SSLKEYLOGFILE|OPENSSL_\w+|REQUESTS_CA_BUNDLE|CURL_\w+|NO_PROXY|\w+_PROXY|no_proxy|\w+_proxy"
)
_FILES = (".netrc",)


@cache
def fixed() -> dict[str, str]:
    """What is the same for every process, whoever starts it."""
    return FIXED | {name: value for part in _parts() for name, value in part.FIXED.items()}


def _parts() -> list[Any]:
    """Imported when they are asked for: parts stand above this room, and the lists of one import nothing."""
    return [import_module(name) for name in OF_PARTS]


def handed_on(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """All that a component, a tool or a customer gets; what else it needs is added by name.

    Programs of this project find the very code that starts them, wherever that was found.
    """
    caller = os.environ if caller is None else caller
    kept = {name: caller[name] for name in (*EVERYBODY, *ENGINE) if name in caller}
    if "DOCKER_TLS_VERIFY" in kept:
        kept.setdefault("DOCKER_CERT_PATH", str(home(caller) / ".docker"))
    return {
        "PATH": os.defpath,
        **kept,
        **{name: value for name, value in caller.items() if name.startswith(OWN) and name not in (HOOK, HOOK_FILE)},
        **fixed(),
        HOME: str(home(caller)),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def for_harness(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a process of the harness itself gets: it also names who drills, and seals with their key."""
    caller = os.environ if caller is None else caller
    return {**{name: caller[name] for name in PEOPLE if name in caller}, **handed_on(caller)}


def for_new_run(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """The same for the process of a run that begins, without the marks of another run or of its sandbox."""
    return {name: value for name, value in for_harness(caller).items() if name not in MARKS}


def for_stores(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """Where this machine keeps what a store of backups is reached by: for a run that restores from it, besides."""
    caller = os.environ if caller is None else caller
    files = {"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"}
    usual = {variable: home(caller) / ".aws" / name for variable, name in files.items()}
    found = {variable: str(path) for variable, path in usual.items() if path.is_file()}
    return found | {name: value for name, value in caller.items() if name.startswith(STORES)}


def for_people(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """For a command that somebody types into a stack: what a component gets, and the terminal."""
    caller = os.environ if caller is None else caller
    return {**{name: caller[name] for name in ("TERM",) if name in caller}, **handed_on(caller)}


def with_proxies(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """For what fetches packages from outside, and never talks to a stack."""
    caller = os.environ if caller is None else caller
    return {**handed_on(caller), **{name: caller[name] for name in PROXIES if name in caller}}


def home(caller: Mapping[str, str] | None = None) -> Path:
    """The home folder of whoever drills, also in a process that was given none."""
    named = (os.environ if caller is None else caller).get(HOME)
    return Path(named) if named else Path.home()


def ignored(caller: Mapping[str, str] | None = None) -> list[str]:
    """The caller's variables, and files of the home folder, that some part would heed if it were handed them."""
    caller = os.environ if caller is None else caller
    kept = for_harness(caller)
    heeded = re.compile("|".join([_HEEDED, *(part.VARIABLES for part in _parts())]))
    names = [name for name in caller if heeded.fullmatch(name) and kept.get(name) != caller[name]]
    listed = [name for part in _parts() for name in part.FILES]
    files = [f"~/{name}" for name in (*listed, *_FILES) if (home(caller) / name).exists()]
    return [*sorted(names), *files]
