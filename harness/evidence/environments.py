"""The names of the kinds of stacks, for whoever only names one: `harness.stacks.kinds` imports what they stand on."""

from __future__ import annotations

ENVIRONMENTS = {"local": "embedded", "docker": "containers"}  # kind of stack to class of environment
