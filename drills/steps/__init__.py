"""What the sentences of the features mean: each is a verb or two of the scene; objectives come from the plan.

`shared` has what several drills say, and every sentence that is only judged; each other module is of one drill.
"""

from importlib import import_module

MODULES = (
    "drills.steps.shared",
    "drills.steps.restoration",
    "drills.steps.application",
    "drills.steps.network",
)


def load() -> None:
    """Make every sentence known, also where pytest has not loaded the modules as plugins."""
    for module in MODULES:
        import_module(module)
