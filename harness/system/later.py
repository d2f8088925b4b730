"""The one place where something is imported when it is wanted, and not at the top of a module.

A command that imported all that any command may need would take a second to say its version.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def fetch(place: str) -> Any:
    """What is meant by `module:name`: `harness.cli.with_reports:heal_run`."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
