"""Drills are plain tests: `pytest features -m monthly`."""

pytest_plugins = ["harness.pytest_plugin"]
