"""What the sentences of the features mean: each is a verb or two of the scenario; objectives come from the plan.

`every_drill` has what several drills say; each other module is of one drill, and a new one needs no entry anywhere. A
step says beside its sentence what that promises, asks and carries out. To list the drills all of these are imported:
what only a run needs (a database driver, a stack) is imported where it is used, or for types alone.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from harness.errors import Refused
from harness.features.sentences import Sentences


@cache
def load() -> Sentences:
    """All sentences that there are steps for, of each module here. Errors: `Refused` where one declares none."""
    return Sentences.joined(_of(f"{__name__}.{module.name}") for module in iter_modules(__path__))


def _of(name: str) -> Sentences:
    module = import_module(name)
    found = getattr(module, "SENTENCES", None)
    if not isinstance(found, Sentences):
        raise Refused(f"{module.__file__}: declares no SENTENCES", hint="docs/write-a-drill.md says how steps begin")
    return found
