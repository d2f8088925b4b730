"""The embedded stack: the whole platform on one machine, as ordinary processes, from wheels."""

from harness.stacks.local.stack import LocalSettings, LocalStack, remove_local

__all__ = ["LocalSettings", "LocalStack", "remove_local"]
