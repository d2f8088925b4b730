"""What the sentences of the features mean: each is a verb or two of the scenario; objectives come from the plan.

`every_drill` has what several drills say; each other module is of one drill, and a new one needs no entry anywhere. A
step says beside its sentence what that promises, asks and carries out. To list the drills all of these are imported:
what only a run needs (a database driver, a stack) is imported where it is used, or for types alone.
"""

import traceback
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from harness.errors import Refused
from harness.features.sentences import Sentences


@cache
def load() -> Sentences:
    """All sentences that there are steps for, of each module here.

    Errors: `Refused` where one cannot be imported, or declares none.
    """
    return Sentences.joined(_of(f"{__name__}.{module.name}") for module in iter_modules(__path__))


def _of(name: str) -> Sentences:
    try:
        module = import_module(name)
    except Exception as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise Refused(
            f"{_place(error)}: {type(error).__name__}: {said}",
            hint="mend the steps: every drill imports all of them; docs/write-a-drill.md says how they begin",
        ) from error
    found = getattr(module, "SENTENCES", None)
    if not isinstance(found, Sentences):
        raise Refused(f"{module.__file__}: declares no SENTENCES", hint="docs/write-a-drill.md says how steps begin")
    return found


def _place(error: Exception) -> str:
    """The last line here that led to it."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    here = [each for each in frames if each.filename.startswith(__path__[0]) and each.filename != __file__]
    return f"{here[-1].filename}:{here[-1].lineno}" if here else __path__[0]
