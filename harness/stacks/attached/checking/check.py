"""All questions about a platform in their order: secrets first, then whatever is independent, at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from harness.errors import Refused
from harness.evidence.run_folder import heal_on
from harness.restores.earlier import Earlier
from harness.stacks.attached import composing, place
from harness.stacks.attached.asking import PORTS, connection
from harness.stacks.attached.checking import alerts_asked, backups_asked, database_asked, parts_asked, probes_asked
from harness.stacks.attached.checking.at_once import Question, all_at_once
from harness.stacks.attached.checking.line import Line
from harness.stacks.attached.checking.platform import Platform, readable
from harness.stacks.attached.extra import extra_for
from harness.stacks.attached.file.described import Secret, StackFile
from harness.stacks.brought_up import BroughtUp

LABEL = "stack-check"
CLIENT_WITHIN = timedelta(seconds=60)  # several requests and a reading, each with its own limit
Before = Callable[[str], Earlier | None]
Then = Callable[[Platform], Sequence[Line]]  # what is asked of it last, once all that is independent is known


def check(said: StackFile, *, then: Then, before: Before = lambda name: None) -> list[Line]:
    """What was found, in order. `then` is called with a platform that answers as far as it can; `before`: what earlier
    runs have seen of the restore of a database.

    Errors: `Refused` where what asks is not installed.
    """
    extra_for(said).must_be_installed()
    known, wrong = readable(said)
    lines = [*_left_hurt(said), *_secrets(said, known, wrong)]
    if said.for_the_run:
        return [*lines, *all_at_once([Question("compose", "version", lambda: [_compose()])]), _not_yet(said)]
    with TemporaryDirectory(prefix="drdrill-check-", ignore_cleanup_errors=True) as folder:
        platform = Platform(said, Path(folder), known, label=LABEL)
        asked = (parts_asked, probes_asked, database_asked, alerts_asked)
        lines += all_at_once([*(each for part in asked for each in part.questions(platform)), *_entrance(said)])
        lines += all_at_once(
            backups_asked.questions(
                said.backups, values=platform.words, folder=Path(folder) / "places", label=LABEL, earlier=before
            )
        )
        if not said.components:  # backups alone: nobody writes there
            return lines
        last = Question("client", "a numbered transaction", lambda: then(platform), within=CLIENT_WITHIN)
        return [*lines, *all_at_once([last])]


def _left_hurt(said: StackFile) -> list[Line]:
    folder = place.folder_of(said)
    if not (left := BroughtUp(folder).said_hurt()):
        return []
    seen = f"a run has left it hurt: {'; '.join(left)}"
    return [Line("platform", "is as it was", False, seen, f"settle that, then {heal_on(folder)}")]


def _secrets(said: StackFile, known: Mapping[str, str], wrong: Mapping[str, Refused]) -> list[Line]:
    lines = [Line("secrets", name, True, f"read from {_from(said.secrets[name])}") for name in known]
    return lines + [Line("secrets", name, False, error.message, error.hint) for name, error in wrong.items()]


def _from(secret: Secret) -> str:
    return f"the variable {secret.env}" if secret.env else str(secret.file or secret.command[0])


def _entrance(said: StackFile) -> list[Question]:
    """A connection is taken at each URL, or by its name. What customers send is another question."""
    if said.customers is None:
        return []

    def one(at: str) -> list[Line]:
        url = urlsplit(at)
        became = connection(f"{url.hostname}:{url.port or PORTS[url.scheme]}")
        hint = "" if became == "taken" else f"{said.where('customers', 'at')} says where customers come in"
        return [Line("customers", f"{at} is there", became == "taken", f"a connection is {became}", hint)]

    return [Question("customers", at, partial(one, at)) for at in said.customers.at]


def _compose() -> Line:
    try:
        found = composing.compose()
    except Refused as error:
        return Line("compose", "can bring it up", False, error.message, error.hint)
    return Line("compose", "can bring it up", True, f"version {found.version}: {found.which}")


def _not_yet(said: StackFile) -> Line:
    name = said.compose.project if said.compose else said.platform.name
    seen = "it is brought up for a run, so nothing of it is there to ask"
    hint = f"bring {name} up by hand, and check it with `stands: already`"
    return Line("platform", "can be asked", None, seen, hint)
