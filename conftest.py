"""Drills are plain tests: `pytest drills -m monthly`."""

pytest_plugins = ["harness.pytest_plugin"]
