"""What of the contacts never comes into a pack: known to the run, and to whoever heals it after it was killed.

The file of the contacts is named in the run's own folder, beside its other controls, which is in no pack.
"""

from __future__ import annotations

from pathlib import Path

from harness.communications import contacts
from harness.errors import Refused
from harness.evidence.run_folder import CONTROL
from harness.system import control_files

FILE = f"{CONTROL}/contacts.json"


def begin(run: Path, file: Path | None) -> frozenset[str]:
    """The private words of a run that begins; None: its project has no contacts. Errors: `Refused`, as `load`."""
    if file is None:
        return frozenset()
    (run / CONTROL).mkdir(parents=True, exist_ok=True)
    control_files.leave(run / FILE, {"file": str(file)})
    return contacts.private_words(contacts.load(file))


def left(run: Path) -> frozenset[str]:
    """Those of a run that was killed, as far as they can be read still: whoever heals does not fail because of it."""
    said = control_files.read(run / FILE) or {}
    if not said.get("file"):
        return frozenset()
    try:
        return contacts.private_words(contacts.load(Path(str(said["file"]))))
    except Refused:
        return frozenset()
