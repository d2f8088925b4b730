"""What a stack file asks for the safety of its platform, and nothing here sees to yet: then nothing is hurt at all."""

from __future__ import annotations

from harness.errors import Refused
from harness.stacks.attached.file.described import StackFile

PRODUCTION = "production"
HINT = "nothing was hurt. Take these words out only where the platform may be hurt without them"


def must_be_kept(said: StackFile) -> None:
    """Errors: `Refused` where the platform is production, or its owner relies on a limit that is not enforced."""
    if said.platform.environment == PRODUCTION:
        where = said.where("platform", "environment")
        raise Refused(f"{where}: production is not drilled: no authorisation can be given yet", hint="nothing was hurt")
    safety = said.safety
    asked = {
        "blast radius": safety.components is not None or safety.zones is not None,
        "may": bool(safety.may),
        "longest fault": safety.longest_fault is not None,
        "abort when": bool(safety.abort_when),
        "windows": bool(safety.windows),
        "not on": bool(safety.not_on),
        "confirm": bool(safety.confirm),
    }
    if unkept := [name for name, is_asked in asked.items() if is_asked]:
        where = said.where("safety", unkept[0])
        raise Refused(f"{where}: nothing enforces {', '.join(unkept)} yet", hint=HINT)
