"""The project that lies in this repository, as a command would load it."""

from __future__ import annotations

from pathlib import Path

from harness import project

PROJECT = project.load(Path(__file__).parents[1])
