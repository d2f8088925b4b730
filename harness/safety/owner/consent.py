"""Without which nothing of a platform is hurt: people who say that they mean it, and in production a signed word.

It is asked for before a run makes anything, lies in the run's folder, and is looked at again before each fault.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence import verify
from harness.evidence.keys import fingerprint, signing_key
from harness.evidence.run_folder import CONTROL
from harness.safety.owner import authorisation
from harness.safety.owner.authorisation import Authorised, Wanted
from harness.stacks.attached.file.described import PRODUCTION, TWO_PEOPLE, TYPED_NAME, StackFile
from harness.system import clock, control_files
from harness.system.operator import operator_name
from harness.system.recorder import Recorder

SAID = "consent.json"  # in the control folder of a run
TYPED, FLAG, SIGNED = "typed at a terminal", "--yes-hurt", "signed"


@dataclass(frozen=True)
class Given:
    """What whoever runs it has brought along."""

    name: str = ""  # of the platform, as typed or given
    how: str = FLAG
    people: tuple[str, ...] = ()  # who typed it, as claimed
    authorised: Path | None = None
    authorities: tuple[str, ...] = ()  # fingerprints, or files of public keys, from elsewhere
    drills: tuple[str, ...] = ()  # that are to be run


def way(said: StackFile) -> str:
    """How people have to confirm; empty where they need not."""
    return said.safety.confirm or (TYPED_NAME if said.platform.environment == PRODUCTION else "")


def must_be_given(said: StackFile, given: Given) -> dict[str, Any]:
    """Before a run begins; what of it is kept. Errors: `Refused`."""
    given = replace(given, authorities=_fingerprints(given.authorities))
    found = _authorised(said, given)
    must_confirm(said, given, found)
    return {
        "platform": said.platform.name, "confirmed": given.how if given.name else "",
        "people": list(given.people) or [operator_name()], "authorities": list(given.authorities),
        "drills": list(given.drills), "authorised": found.facts() if found else None, "stack_file": said.digest,
    }  # fmt: skip  # in groups


def must_confirm(said: StackFile, given: Given, found: Authorised | None) -> None:
    """Errors: `Refused`."""
    name, wanted = said.platform.name, way(said)
    where = said.where("safety", "confirm")
    if given.name and given.name != name:
        raise Refused(f'"{given.name}" is not the platform\'s name; nothing was hurt', hint=f"{where}: it is {name}")
    if wanted == TYPED_NAME and not given.name:
        hint = f"{where}: type it on a terminal when you are asked, or give --yes-hurt {shlex.quote(name)}"
        raise Refused(f"nobody has said that {name} is to be hurt", hint=hint)
    if wanted == TWO_PEOPLE:
        typed = len(set(given.people)) > 1 and given.how == TYPED
        if not typed and (found is None or len(found.keys) < 2):
            hint = (
                f"{where}: on a terminal both are asked; without one, two keys sign an authorisation, and both are "
                "named with --authority"
            )
            raise Refused(f"two people have to say that {name} is to be hurt", hint=hint)


def keep(folder: Path, said: dict[str, Any], authorised: Path | None) -> None:
    """In the folder of a run: what was given, and the authorisation, which goes into the pack."""
    control_files.leave(folder / CONTROL / SAID, said)
    if authorised is not None:
        shutil.copyfile(authorised, folder / authorisation.FILE)


def must_hold(folder: Path, said: StackFile) -> None:
    """Before each fault: it was given, and has not expired. Errors: `Refused`."""
    if not way(said) and said.platform.environment != PRODUCTION:
        return
    kept = control_files.read(folder / CONTROL / SAID)
    if kept is None or kept.get("stack_file") != said.digest:
        hint = "begin with drdrill run"
        raise Refused("nobody has said that this platform is to be hurt; nothing was hurt", hint=hint)
    if said.platform.environment == PRODUCTION:
        drills, authorities = kept.get("drills", ()), kept.get("authorities", ())
        _checked(folder / authorisation.FILE, said, authorities=authorities, drills=drills)


def record(folder: Path, recorder: Recorder) -> None:
    """The line of the journal; none where the run has a platform of nobody."""
    kept = control_files.read(folder / CONTROL / SAID)
    if kept is not None:
        recorder.record(
            "consent", platform=kept["platform"], confirmed=kept["confirmed"], people=kept["people"],
            drills=kept["drills"], authorised=kept["authorised"], authorities=kept["authorities"],
        )  # fmt: skip  # arguments in groups


def _authorised(said: StackFile, given: Given) -> Authorised | None:
    """Errors: `Refused`, also where one is there that is not needed and not sound."""
    if given.authorised is None:
        if said.platform.environment == PRODUCTION:
            where = said.where("platform", "environment")
            hint = f"{where}: --authorised FILE, made with `drdrill authorise`, and --authority FINGERPRINT"
            raise Refused(f"{said.platform.name} is production, and nobody has authorised this", hint=hint)
        return None
    return _checked(given.authorised, said, authorities=given.authorities, drills=given.drills)


def _checked(file: Path, said: StackFile, *, authorities: Collection[str], drills: Collection[str]) -> Authorised:
    own = fingerprint(signing_key().public_key())
    wanted = Wanted(said, drills, operator_name(), clock.now().utc)
    return authorisation.check(file, wanted, authorities=authorities, own=own)


def _fingerprints(given: Sequence[str]) -> tuple[str, ...]:
    """Errors: `Refused` where one is neither a fingerprint nor a file of a public key."""
    try:
        return tuple(verify.expected_key(each, Path("/nowhere"), said="--authority")[0] for each in given)
    except verify.BadInput as error:
        raise Refused(str(error), hint=error.hint) from None
