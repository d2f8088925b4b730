"""The embedded stack: the whole platform on one machine, as ordinary processes, from wheels."""

from harness.stacks.local.stack import LocalSettings, LocalStack

__all__ = ["LocalSettings", "LocalStack"]
