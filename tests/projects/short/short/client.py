"""How its customers write: as those of the platform on the machine's own stack do."""

from __future__ import annotations

from drills.client import CLIENT

__all__ = ["CLIENT"]
