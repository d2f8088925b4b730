"""Whether a stack that stands suits what is asked of a run: its kind, its project, its size, and nothing broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.errors import Refused
from harness.run.sabotage import Sabotage
from harness.stacks import brought_up
from harness.stacks.brought_up import BroughtUp
from harness.stacks.kinds import Kind


def suited(
    folder: Path,
    *,
    project: Path,
    kind: Callable[[str], Kind],
    stack: str,
    level: str | None,
    scale: float | None,
    sabotage: Sabotage,
) -> tuple[BroughtUp, Kind]:
    """The stack in this folder and its kind. `kind`: how the project finds one by its name.

    `stack`, `level` and `scale` are what was asked for besides; empty or None where nothing was. Errors: `Refused`.
    """
    found = brought_up.find(folder)
    found.must_stand()
    stands = found.kind
    if stack and stack != stands.name:
        raise Refused(f"{found.name} is of the kind {stands.name}, not {stack}", hint="leave --stack out")
    if stands.project is not None and stands.project != project:
        raise Refused(
            f"{found.name} is a stack of the project in {stands.project}",
            hint="drdrill --project FOLDER names that one",
        )
    known = stands if stands.file else kind(stands.name)
    if known.environment != found.said.get("environment"):
        raise Refused(
            f"{found.name} was brought up as {found.said.get('environment')}, and {known.name} is {known.environment}",
            hint="bring up another one",
        )
    if level:
        raise Refused(f"{found.name} stands in its own sandbox", hint="leave --sandbox out")
    if scale is not None and scale != found.scale:
        raise Refused(f"{found.name} was brought up with --scale {found.scale:g}", hint="leave --scale out")
    must_leave_whole(sabotage, found.name)
    return found, known


def must_leave_whole(sabotage: Sabotage, name: str) -> None:
    """Errors: `Refused` where a sabotage breaks a stack that is not the run's own."""
    if broken := sabotage.of_stack():
        raise Refused(
            f"this sabotage breaks the stack itself ({', '.join(broken)}), and {name} stays",
            hint="drill a stack that the run makes: that is removed, too",
        )
