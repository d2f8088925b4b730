"""The Python of a project: its modules are imported from its folder, and what breaks in them is one error."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from harness.errors import DrillError, Refused

HINT = "docs/projects.md says what a project holds"
OWN = "the project's own code failed"
MACHINE = Path(__file__).parents[1]


def has_a_file(name: str, folder: Path) -> bool:
    """Whether a project's folder has a module or a package of that dotted name. Nothing is imported."""
    return any(place.exists() for place in _places(name, folder))


def _places(name: str, folder: Path) -> tuple[Path, ...]:
    """Where Python would find it in the folder: a package with its own module, a module, a package without one."""
    path = folder.joinpath(*name.split("."))
    return path / "__init__.py", path.with_suffix(".py"), path


def module(name: str, *, folder: Path, where: str) -> ModuleType:
    """The module of that dotted name in a project's folder. `where` says who names it, for an error.

    Errors: `Refused` where another module has its name, or where it cannot be imported, with the file and line that
    broke.
    """
    _must_be_found(folder)
    first = name.partition(".")[0]
    try:
        if first != name:
            _must_lie_in(import_module(first), first, folder, where)
        found = import_module(name)
    except (DrillError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit() at the top of a module is no Exception
        hint = f"mend that: it is imported because {where} names it; {HINT}"
        raise broken(error, folder=folder, where=where, hint=hint) from error
    _must_lie_in(found, name, folder, where)
    return found


def modules(name: str, *, folder: Path, where: str) -> list[ModuleType]:
    """A module, or each module of a package, in order of name. Errors: as `module`."""
    package = module(name, folder=folder, where=where)
    if not hasattr(package, "__path__"):
        return [package]
    names = sorted(each.name for each in iter_modules(package.__path__))
    return [module(f"{name}.{each}", folder=folder, where=where) for each in names]


def _must_be_found(folder: Path) -> None:
    """Behind all else that Python finds: no file of a project takes the place of one that the machine imports."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _must_lie_in(found: ModuleType, name: str, folder: Path, where: str) -> None:
    """Errors: `Refused` where what was imported is somebody else's."""
    file = getattr(found, "__file__", None)
    places = [Path(place) for place in ([file] if file else getattr(found, "__path__", ()))]
    wanted = {place.resolve() for place in _places(name, folder)}
    if not any(place.resolve() in wanted for place in places):
        at = ", ".join(map(str, places)) or "a part of Python"
        raise Refused(
            f"{where}: the name {name} is taken: Python finds {at}, and not the project's in {folder}",
            hint="give the project's package a name that nothing installed has",
        )


def broken(error: BaseException, *, folder: Path, where: str, hint: str) -> Refused:
    """What a project's own code has raised, as an error with the last line of it on the way; else `where`."""
    said = " ".join(str(error).split())
    at = place_in(folder, error) or where
    if isinstance(error, SyntaxError) and error.filename:
        at, said = f"{error.filename}:{error.lineno}", error.msg
    return Refused(f"{at}: {type(error).__name__}{': ' if said else ''}{said}", hint=hint)


def what_broke(error: BaseException, folder: Path | None) -> str:
    """In words, with the line of the project's own code on the way to it, where there is one: then that broke."""
    what = f"{type(error).__name__}: {error}"
    place = place_in(folder, error) if folder else ""
    return f"{OWN}: {place}: {what}" if place else f"the harness itself failed: {what}"


def place_in(folder: Path, error: BaseException) -> str:
    """The last line of the project's own code on the way to an error, as file:line; empty where it has no part."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_of_project(Path(frame.filename), folder)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def _is_of_project(file: Path, folder: Path) -> bool:
    """And neither of the machine nor of a package, which may lie in the same folder."""
    if not file.is_absolute() or "site-packages" in file.parts or file.is_relative_to(MACHINE):
        return False
    return file.resolve().is_relative_to(folder)
