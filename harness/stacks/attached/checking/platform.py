"""What is asked of one platform: its containers, its acts and looks, and its secrets as far as they can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.errors import NotReady, Refused
from harness.stacks.attached import secrets
from harness.stacks.attached.addresses import Addresses
from harness.stacks.attached.containers import Container
from harness.stacks.attached.database import Database
from harness.stacks.attached.doing import Acts
from harness.stacks.attached.file.described import Component, Probe, StackFile
from harness.stacks.attached.file.formats import SECRET, placeholders
from harness.stacks.attached.stack import ADDRESSES, AttachedStack
from harness.stacks.capabilities import find
from harness.system.recorder import Memory


class Platform:
    """Of one file. `folder`: for what is remembered while it is asked; `known`: the secrets that could be read."""

    def __init__(self, said: StackFile, folder: Path, known: Mapping[str, str], *, label: str) -> None:
        self.said = said
        self.known = known
        self.stack = AttachedStack(said, folder, recorder=Memory(), label=label, secrets=known)
        project = said.compose.project if said.compose else ""
        addresses = Addresses(folder / ADDRESSES)
        self.boxes = {
            name: Container(one, project=project, addresses=addresses)
            for name, one in said.components.items()
            if one.is_container
        }
        self.words = secrets.words(known)  # as `${…}` names them
        self.acts = Acts(self.stack.commands, boxes=self.boxes, probes=said.probes, values=self.words, base=said.base)

    @property
    def database(self) -> Database | None:
        return find(self.stack, Database)

    def values(self, one: Component) -> dict[str, str]:
        """What `${…}` stands for in words about a component. Errors: `NotReady` where its address is not known."""
        return {"address": self.boxes[one.name].address} if one.is_container else {}

    def running(self, one: Component) -> bool:
        return self.stack.components()[one.name].running()

    def asked_at(self) -> Iterator[tuple[Probe, Component | None]]:
        """Each probe, with each component that names it; alone where it has no address to fill in, and none does."""
        for probe in self.said.probes.values():
            named = [one for one in self.said.components.values() if one.alive == probe.name]
            yield from ((probe, one) for one in named)
            if not named and not probe.of_component:
                yield probe, None

    def must_know(self, *texts: str) -> None:
        """Errors: `NotReady` where a secret that these name could not be read: nothing is asked without it."""
        named = [name.removeprefix(SECRET) for text in texts for name in placeholders(text) if name.startswith(SECRET)]
        if missing := [name for name in named if name not in self.known]:
            raise NotReady(f'not asked: the secret "{missing[0]}" could not be read', hint="see `secrets` above")


def texts_of(probe: Probe) -> Sequence[str]:
    """All in which names may stand."""
    if probe.http is not None:
        return [probe.http.url, probe.http.body, *probe.http.headers.values()]
    assert probe.tcp is not None
    return [probe.tcp.target, *(line.send for line in probe.tcp.lines)]


def readable(said: StackFile) -> tuple[dict[str, str], dict[str, Refused]]:
    """The secrets that can be read now, and why the others cannot. Each has its own limit, and all are read at once."""

    def one(name: str) -> str | Refused:
        try:
            return secrets.read_one(name, said.secrets[name], said)
        except Refused as error:
            return error

    with ThreadPoolExecutor(max_workers=max(1, len(said.secrets))) as pool:
        found = dict(zip(said.secrets, pool.map(one, said.secrets), strict=True))
    known = {name: each for name, each in found.items() if isinstance(each, str)}
    return known, {name: each for name, each in found.items() if isinstance(each, Refused)}
