"""The one door through which a pack's files are opened: what lies in their place may be anything.

A pack that has not been verified may hold a pipe, a link to a device or a file with holes of a terabyte where a file
should be. Behind this door there are regular files of bounded size only, and lines and JSON of bounded size. The
stand-alone verifier has the same few lines of its own (`harness.evidence.verify`); the bounds are the same, too.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from harness.evidence import verify

LARGEST = verify.LARGEST[verify.JOURNAL]  # bytes of a file that is read as a whole
LARGEST_ENVELOPE = verify.LARGEST[verify.ENVELOPE]
LARGEST_TEXT = 1_000_000  # bytes of a feature or a plan
LONGEST_LINE = verify.LONGEST_LINE  # bytes


def opened(path: Path, *, largest: int | None = None) -> io.BufferedReader:
    """A regular file, not through a link and without waiting; of at most `largest` bytes.

    Errors: `OSError`, with the file's name and why.
    """
    try:
        source = verify.opened(path)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None
    if largest is not None and os.fstat(source.fileno()).st_size > largest:
        source.close()
        raise OSError(errno.EFBIG, f"it is larger than {largest} bytes", str(path))
    return source


def content(path: Path, *, largest: int = LARGEST) -> bytes:
    """All of a file. Errors: `OSError`, also where it is larger than `largest` bytes."""
    with opened(path, largest=largest) as source:
        return source.read(largest)


def lines(path: Path, *, largest: int | None = None) -> Iterator[bytes]:
    """The lines of a file, with their ends, one after another; of any size, or of at most `largest` bytes.

    Errors: `OSError`, also for a line that is too long.
    """
    with closing(opened(path, largest=largest)) as source:
        while line := source.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE:
                raise OSError(errno.EFBIG, f"a line of it is longer than {LONGEST_LINE} bytes", str(path))
            yield line


def features(folder: Path) -> list[tuple[Path, bytes]]:
    """Every feature below `folder`, by its path in it, with what is in it.

    Call this before a reader of Gherkin, which opens whatever is there. Errors: `OSError`, where one is no file.
    """
    paths = sorted(folder.glob("*/*.feature"))
    return [(path.relative_to(folder), content(path, largest=LARGEST_TEXT)) for path in paths]


def parsed(text: bytes) -> Any:
    """JSON with bounds on nesting, values and numbers. Errors: `ValueError`, for whatever is wrong with it."""
    return verify.parsed(text)
