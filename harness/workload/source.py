"""Where a project's client comes from: a module of Python, or a file that is plain data."""

from __future__ import annotations

from pathlib import Path

from harness.workload.client import ClientModule, ClientSource

FILES = (".yaml", ".yml")  # no module is called so


def is_file(name: str) -> bool:
    """Whether it is the name of a file, and of no module."""
    return name.endswith(FILES)


def client_source(folder: Path, name: str, where: str = "--client") -> ClientSource:
    """`where`: who names it, for an error."""
    if not is_file(name):
        return ClientModule(folder, name, where)
    from harness.workload.plain.client import ClientFile  # noqa: PLC0415  (customers of a module start without it)

    return ClientFile(folder, name, where)
