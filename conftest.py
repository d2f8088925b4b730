"""Drills are plain tests: `pytest drills -m monthly`."""

from drills.steps import MODULES

pytest_plugins = ["harness.pytest_plugin", *MODULES]
