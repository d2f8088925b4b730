"""Names and addresses that somebody calls private: in a pack their aliases stand in their stead.

What the run says itself is told so on its way in (`harness.evidence.redact`). Here is what customers and others wrote
into files of their own, which is told otherwise before it is judged and sealed, and what cannot be told otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from harness.errors import DrillError, Refused
from harness.evidence.lines import NAME
from harness.evidence.redact import Redactor
from harness.evidence.run_folder import CONTROL, STACK_FOLDER
from harness.evidence.scan import pieces, scan

COPIES = ("plan.yaml", "features")  # whose digests are in the first line
TOLD = ".told"  # a copy that is not whole yet
LEFT = {CONTROL, STACK_FOLDER, "logs", NAME, *COPIES}


def must_not_be_named(folder: Path, aliases: Mapping[str, str]) -> None:
    """In the copies of plan and features: their digests are those of the project's own files.

    Errors: `Refused`, with file and line.
    """
    looking = Redactor(aliases=aliases)
    for found in scan(folder, redactor=looking) if aliases else ():
        if found.file.split("/")[0] in COPIES and found.what == looking.PRIVATE:
            what = f"{found.file}, line {found.line}: names what the stack file calls private, and would be in the pack"
            raise Refused(what, hint="write its alias there, or take it out of `private`")


def tell_otherwise(folder: Path, *, redactor: Redactor) -> None:
    """In ledgers and the like, in place. Harmless when repeated. Errors: `DrillError` for a full disk."""
    if not redactor.aliases:
        return
    for left in folder.rglob(f".*{TOLD}"):  # of one who was killed over it
        left.unlink()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        if path.relative_to(folder).parts[0] in LEFT:
            continue
        half_told = path.with_name(f".{path.name}{TOLD}")
        try:
            with path.open("rb") as source, half_told.open("wb") as sink:
                for piece in pieces(source):
                    text = piece.decode(errors="surrogateescape")
                    sink.write(redactor.aliased(text).encode(errors="surrogateescape"))
                sink.flush()
                os.fsync(sink.fileno())
            half_told.replace(path)
        except OSError as error:
            raise DrillError(
                f"{path}: it cannot be told otherwise: {error.strerror}",
                hint="nothing is lost: free some space, then run `drdrill heal`, which seals the run",
            ) from None
