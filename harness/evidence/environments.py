"""Classes of environments: where a run was, which stands beside every figure; and the class of each kind of stack.

For whoever only names one: `harness.stacks.kinds` imports what the stacks stand on.
"""

from __future__ import annotations

# In order: each is nearer to what customers use than the one before. At a table nothing runs.
CLASSES = ("tabletop", "embedded", "containers", "emulated", "staging", "production")
ENVIRONMENTS = {"local": "embedded", "docker": "containers"}  # kind of stack to class of environment


def is_at_least(environment: str, least: str) -> bool:
    """Whether a run there does what has to be done in a class of at least `least`; one without a name asks nothing."""
    if not least:
        return True
    return environment in CLASSES and CLASSES.index(environment) >= CLASSES.index(least)
