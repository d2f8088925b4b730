"""One run: its journal, its stack, its scenarios one after another, and the code that it is of."""

from harness.run.commit import code_state

__all__ = ["code_state"]
