"""The embedded stack: the whole platform on one machine, as ordinary processes, from wheels."""

from harness.stacks.local.leftovers import remove_local
from harness.stacks.local.stack import LocalStack

__all__ = ["LocalStack", "remove_local"]
