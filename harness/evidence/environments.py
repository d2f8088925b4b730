"""The classes of environments: what a figure of one says is never taken for what it would be in another."""

from __future__ import annotations

CLASSES = ("tabletop", "emulated", "embedded", "containers", "staging", "production")
