"""Who did something, as claimed: the login name, unless another one is given."""

from __future__ import annotations

import getpass
import os

LONGEST = 200  # letters of a name or of a reason


def operator_name() -> str:
    """The user who is logged in, also behind sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def logins() -> set[str]:
    """The login names of whoever drills, as far as the caller says them."""
    return {name for variable in ("SUDO_USER", "LOGNAME", "USER") if (name := os.environ.get(variable, "").strip("/"))}
