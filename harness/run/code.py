"""What a run is of: the code of the machine and of the project, and the digests of what else a verdict depends on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.evidence.keys import private_digest
from harness.plan import Plan
from harness.procedures.health import Health
from harness.procedures.reconciliation import Books
from harness.run.commit import CODE, ROOT, machine_state, project_state
from harness.workload.client import ClientSource

if TYPE_CHECKING:
    from harness.communications.contacts import Contacts
    from harness.communications.templates import Template

DECIDES = (".py", ".sql", ".json", ".html", ".css", ".md", ".txt")  # with schemas, texts and runbooks


class Drilled(Protocol):
    """What a run is given of a project: `harness.project.Project`."""

    @property
    def name(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def features(self) -> Path: ...
    @property
    def contacts(self) -> Path | None: ...
    def load_contacts(self) -> Contacts | None:
        """Whom to call; None where it names nobody. Errors: `Refused`."""

    def load_templates(self) -> Mapping[str, Template]:
        """The texts of messages, by kind. Errors: `Refused`."""

    @property
    def code(self) -> Sequence[Path]:
        """Folders and files of its own Python, with what lies beside it; files that take the place of some."""

    @property
    def client(self) -> ClientSource: ...
    @property
    def health(self) -> Health: ...
    @property
    def books(self) -> Books | None:
        """What must agree by itself, where a file says it. Errors: `Refused`."""


def machine() -> dict[str, Any]:
    """`harness` of the first line: version, digest, commit, clean."""
    return {"version": _version("drdrill"), "digest": digest_of_machine(), **machine_state()._asdict()}


def digest_of_machine() -> str:
    """SHA-256 over the machine's own code."""
    return _digest_of(machine_files())


def project(given: Drilled) -> dict[str, Any]:
    """`project` of the first line: name, digest, commit, clean."""
    state = project_state(given.folder, [*given.code, given.features])
    return {"name": given.name, "digest": digest_of_project(given.code), **state._asdict()}


def digest_of_project(code: Iterable[Path]) -> str:
    """SHA-256 over a project's own code."""
    return _digest_of(project_files(code))


def digests(
    plan: Plan, features: Path, *, contacts: Path | None = None, stack_file: Path | None = None
) -> dict[str, str | None]:
    """SHA-256 of the plan, the features, the list of packages and the stack file. Of contacts, which are in no pack,
    one that only the holder of a key can compare; None where there is none. The list of packages is None where
    the machine was not set up by it, as one from a wheel.

    Errors: `Refused` where the contacts cannot be read.
    """
    return {
        "plan": plan.digest,
        "features": _digest_of(_files([(features, features)])),
        "constraints": _digest_file(pins) if (pins := ROOT / "constraints.txt").is_file() else None,
        "stack_file": _digest_file(stack_file) if stack_file else None,
        "contacts": private_digest(contacts) if contacts else None,
    }


def packages() -> dict[str, str]:
    """Versions of those whose behaviour a figure depends on."""
    names = ("locust", "gevent")  # what a stack is made of, the stack says itself
    return {name: _version(name) for name in names}


def machine_files() -> dict[str, Path]:
    """All of the machine that decides what a drill does, how it is judged and how that is shown, by name."""
    return _files(((ROOT, ROOT / part) for part in CODE), suffixes=DECIDES)


def project_files(code: Iterable[Path]) -> dict[str, Path]:
    """The same of a project; `code`: folders and files of it, each with its own name first."""
    return _files(((own.parent, own) for own in code), suffixes=DECIDES)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _digest_file(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else "none"


def _files(parts: Iterable[tuple[Path, Path]], *, suffixes: Collection[str] = ()) -> dict[str, Path]:
    """By its path in a folder: a file, or what lies below one; of all suffixes, where none are named. A file that is
    named itself counts whatever its suffix is."""
    return {
        path.relative_to(folder).as_posix(): path
        for folder, part in parts
        for path in ([part] if part.is_file() else part.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
        if not suffixes or path == part or path.suffix in suffixes
    }


def _digest_of(files: Mapping[str, Path]) -> str:
    """SHA-256 over the lines `<sha256>  <name>` of files, in order of that name."""
    lines = (f"{_digest_file(files[name])}  {name}\n" for name in sorted(files))
    return sha256("".join(lines).encode()).hexdigest()
