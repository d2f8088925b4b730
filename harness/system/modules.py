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


def module(name: str, *, folder: Path, where: str) -> ModuleType:
    """The module of that dotted name in a project's folder. `where` says who names it, for an error.

    Errors: `Refused` where there is none, or where it cannot be imported, with the file and line that broke.
    """
    _must_be_found_first(folder)
    try:
        found = import_module(name)
    except DrillError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise Refused(f"{where}: there is no module {name} in {folder}", hint=HINT) from None
        raise _broken(error, folder, where) from error
    except Exception as error:
        raise _broken(error, folder, where) from error
    if not _lies_in(found, folder):
        raise Refused(
            f"{where}: the module {name} is {found.__file__}, and not of the project in {folder}",
            hint="give the project's package a name that no installed package has",
        )
    return found


def modules(name: str, *, folder: Path, where: str) -> list[ModuleType]:
    """A module, or each module of a package, in order of name. Errors: as `module`."""
    package = module(name, folder=folder, where=where)
    if not hasattr(package, "__path__"):
        return [package]
    names = sorted(each.name for each in iter_modules(package.__path__))
    return [module(f"{name}.{each}", folder=folder, where=where) for each in names]


def _must_be_found_first(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _lies_in(found: ModuleType, folder: Path) -> bool:
    places = [found.__file__] if found.__file__ else list(found.__path__)
    return any(Path(place).resolve().is_relative_to(folder.resolve()) for place in places)


def _broken(error: BaseException, folder: Path, where: str) -> Refused:
    """Where it broke: the last line of the project's own code on the way."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).resolve().is_relative_to(folder.resolve())]
    if isinstance(error, SyntaxError) and error.filename:
        at = f"{error.filename}:{error.lineno}"
    else:
        at = f"{own[-1].filename}:{own[-1].lineno}" if own else where
    return Refused(f"{at}: {type(error).__name__}: {error}", hint=f"{where} names it; {HINT}")
