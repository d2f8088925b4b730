"""Many packs at once, on all CPUs: for a folder of years; a few are looked at faster than processes start."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def each(look: Callable[[Path], T], packs: Sequence[Path]) -> list[T]:
    """What comes of each pack, in their order."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        return list(pool.map(look, packs, chunksize=4))
