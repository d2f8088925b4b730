"""Runs a command in a Python that has none of the modules that are named first: `python -m tests.without a,b list`."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

ABSENT = set(sys.argv.pop(1).split(",")) if __name__ == "__main__" else set()


class Without(MetaPathFinder):
    """Finds what these find, but for what is absent: as if that were not installed."""

    def __init__(self, finders: Sequence[Any]) -> None:
        self._finders = finders

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in ABSENT:
            return None
        found = (finder.find_spec(fullname, path, target) for finder in self._finders)
        return next((spec for spec in found if spec is not None), None)

    def find_distributions(self, context: Any) -> Iterator[Any]:
        """Which version drdrill itself has, is asked so."""
        for finder in self._finders:
            yield from getattr(finder, "find_distributions", lambda _: ())(context)


if __name__ == "__main__":
    assert not ABSENT & {name.partition(".")[0] for name in sys.modules}, "some are imported already"
    sys.meta_path[:] = [Without([*sys.meta_path])]
    runpy.run_module("harness", run_name="__main__", alter_sys=True)
