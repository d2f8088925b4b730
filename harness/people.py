"""Who did something, as claimed: the login name, unless another one is given."""

from __future__ import annotations

import getpass
import os

LONGEST = 200  # letters of a name or of a reason


def operator() -> str:
    """The user who is logged in, also behind sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
