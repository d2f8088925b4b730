"""What the sentences of the features mean: each is a verb or two of the scenario; objectives come from the plan.

`every_drill` has what several drills say; each other module is of one drill. A step says beside its sentence what that
promises, asks and carries out. To list the drills all of these are imported: what only a run needs (a database driver,
a stack) is imported where it is used, or for types alone.
"""

from importlib import import_module

from harness.features.sentences import Sentences

MODULES = (
    "drills.steps.every_drill",
    "drills.steps.restoration",
    "drills.steps.application",
    "drills.steps.network",
)


def load() -> Sentences:
    """All sentences that there are steps for."""
    return Sentences.joined(import_module(module).SENTENCES for module in MODULES)
