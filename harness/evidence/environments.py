"""The classes of environments: what a figure of one says is never taken for what it would be in another."""

from __future__ import annotations

# In order: each is nearer to what customers use than the one before. At a table nothing runs, and an emulator only
# speaks as the real thing does.
CLASSES = ("tabletop", "emulated", "embedded", "containers", "staging", "production")


def is_at_least(environment: str, least: str) -> bool:
    """Whether a run there does what has to be done in a class of at least `least`; one without a name asks nothing."""
    if not least:
        return True
    return environment in CLASSES and CLASSES.index(environment) >= CLASSES.index(least)
