"""An attached platform as a stack: what its file describes, asked and hurt through the protocols of a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import DrillError
from harness.evidence.run_folder import heal_on
from harness.stacks import Condition, PlainRegion
from harness.stacks.attached import inventory
from harness.stacks.attached.addresses import Addresses
from harness.stacks.attached.asking import Seen
from harness.stacks.attached.containers import Container, together
from harness.stacks.attached.cutting import Cutter
from harness.stacks.attached.database import AttachedPositions, Database
from harness.stacks.attached.doing import Acts
from harness.stacks.attached.failing_over import OwnersFailover
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.front import Front, Keys, Reads
from harness.stacks.attached.gate import Gate
from harness.stacks.attached.has import can, divisible, powered, regions_of
from harness.stacks.attached.kept import KeptBackups
from harness.stacks.attached.monitoring import Heard
from harness.stacks.attached.parts import Builder, Part
from harness.stacks.attached.rejoining import OwnersRejoin
from harness.stacks.attached.secrets import words
from harness.stacks.attached.zones import CuttableZones, PoweredZones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Killable
from harness.stacks.docker import engine
from harness.system import clock, control_files
from harness.system.clock import Moment, spanning
from harness.system.command import Commands
from harness.system.recorder import Recorder

BEGUN = "begun.json"  # since when its logs are of a run
BEFORE = "inventory.json"  # what was in the engine then
ADDRESSES = "addresses.json"
LOOKS = 8  # threads for one look at all of it


class AttachedStack:
    """Fills the protocol Stack. What its file gives besides is held by its first region."""

    kind = "attached"

    def __init__(
        self, said: StackFile, folder: Path, *, recorder: Recorder, label: str, secrets: Mapping[str, str]
    ) -> None:
        self.said = said
        self.environment = said.platform.environment
        self.folder = folder.absolute()
        self.commands = Commands(recorder, label=label)
        self.secrets: Sequence[str] = list(secrets.values())
        self._recorder = recorder
        project = said.compose.project if said.compose else ""
        addresses = Addresses(self.folder / ADDRESSES)
        self.boxes = {
            name: Container(one, project=project, addresses=addresses)
            for name, one in said.components.items()
            if one.is_container
        }
        values = words(secrets)
        self.gate = Gate(said, self.folder.parent)
        helper = said.compose.helper if said.compose else ""
        self._cutter = Cutter(self.boxes, label=label, helper=helper)
        self._acts = Acts(self.commands, boxes=self.boxes, probes=said.probes, values=values, base=said.base)
        self._builder = Builder(
            said, boxes=self.boxes, acts=self._acts, cutter=self._cutter, gate=self.gate, logs=self.folder / "logs",
            ask_member=self._ask_member,
        )  # fmt: skip  # arguments in groups
        self._parts = {name: self._builder.part(one) for name, one in said.components.items()}
        self._database = self._asked_database(values)
        self._heard = self._listening()
        self._kept = KeptBackups(said.backups, values, self.folder) if said.backups else None
        self.regions = self._regions(secrets)
        if any(can(said, one, "kill") for one in said.components.values()):
            self.kill_together = self._kill_together

    def components(self) -> Mapping[str, Part]:
        return self._parts

    def steady(self) -> list[Condition]:
        """Everything runs, every probe passes, one leads and the others stream, and the engine is as it was."""
        alive = [(one.alive, one.name) for one in self.said.components.values() if one.alive]
        alone = [(name, "") for name, probe in self.said.probes.items() if not probe.of_component]
        asked = list(dict.fromkeys([*alive, *((name, at) for name, at in alone if (name, "") not in alive)]))
        looks: list[Callable[[], list[Condition]]] = [self._all_run] if self._parts else []
        looks += [partial(self._probed, probe, component) for probe, component in asked]
        looks += [self._database.healthy] if self._database else []
        looks += [self._watched] if self._heard else []
        looks += [self._as_it_was] if self.boxes else []
        looks += [self._room] if self.said.backups else []
        return [each for found in engine.at_once(looks, threads=LOOKS) for each in found]

    def parts(self) -> dict[str, str]:
        found = {name: box.made_of() for name, box in self.boxes.items()}
        if self.boxes:
            found["docker"] = str(engine.engine().version()["Version"])
        return {**found, "stack file": self.said.digest[:12]}

    def logs(self) -> dict[str, Path]:
        """Of containers what they have said since the run began, as the engine has it now."""
        begun = int((control_files.read(self.folder / BEGUN) or {}).get("utc", clock.now().utc.timestamp() - 600))
        found = {name: one.log for name, one in self.said.components.items() if one.log}
        for name, box in self.boxes.items():
            found[name] = self.folder / "logs" / f"{name}.log"
            box.write_log(found[name], since=begun)
        return found

    def probed(self, probe: str, component: str = "") -> Seen:
        """Ask by a probe once, of a component where it is of one. Errors: `DrillError` where that cannot be asked."""
        values = self._builder.values(self.said.components[component]) if component else {}
        return self._acts.probed(probe, **values)

    def begin(self) -> None:
        """A run begins here: what is in the engine is written down, and alerts are listened to."""
        self.folder.mkdir(parents=True, exist_ok=True)
        control_files.leave(self.folder / BEGUN, {"utc": int(clock.now().utc.timestamp())})
        if self.boxes:
            before = self._look()
            control_files.leave(self.folder / BEFORE, before)
            self._recorder.record(
                "stack.inventory", moment="before", **before, changed=[], beside={"came": [], "gone": []}
            )
        if self._heard:
            self._heard.begin()

    def end(self) -> None:
        """It is over: nobody listens any more, and what is in the engine is compared. Harmless when repeated."""
        if self._heard:
            self._heard.end()
        before = control_files.read(self.folder / BEFORE)
        if before is not None and self.boxes:
            after = self._look()
            said, other = inventory.changed(before, after), inventory.beside(before, after)
            self._recorder.record("stack.inventory", moment="after", **after, changed=said, beside=other)
        for name in (BEGUN, BEFORE):
            (self.folder / name).unlink(missing_ok=True)

    def _look(self) -> dict[str, Any]:
        ids = [str(found.id) for box in self.boxes.values() if (found := box.look())]
        return inventory.look(project=self.said.compose.project if self.said.compose else "", ids=ids)

    def _all_run(self) -> list[Condition]:
        down = [name for name, part in self._parts.items() if not part.running()]
        seen = f"not running: {', '.join(down)}" if down else f"{len(self._parts)} components"
        return [Condition("everything runs", ok=not down, seen=seen)]

    def _probed(self, probe: str, component: str) -> list[Condition]:
        name = f"{component}: {probe}" if component else probe
        try:
            seen = self.probed(probe, component)
        except DrillError as error:
            return [Condition(name, ok=False, seen=error.message)]
        return [Condition(name, ok=seen.ok, seen=seen.said)]

    def _watched(self) -> list[Condition]:
        assert self._heard is not None
        return [self._heard.condition()]

    def _room(self) -> list[Condition]:
        assert self._kept is not None
        return [self._kept.condition()]

    def _as_it_was(self) -> list[Condition]:
        """Nothing where no run has begun."""
        before = control_files.read(self.folder / BEFORE)
        if before is None:
            return []
        said = inventory.changed(before, self._look())
        return [
            Condition("the engine is as it was", ok=not said, seen="; ".join(said) or "nothing of it is new, or gone")
        ]

    def _kill_together(self, names: Sequence[str]) -> Moment | None:
        return spanning(together([need(self._parts[name], Killable).kill for name in names]))

    def _ask_member(self, name: str) -> None:
        assert self._database is not None
        self._database.ask(name)

    def _asked_database(self, values: Mapping[str, str]) -> Database | None:
        if self.said.database is None:
            return None
        return Database(
            self.said.database, parts=self._parts, values=values, cutter=self._cutter, folder=self.folder,
            boxed=list(self.boxes), heal="" if self.said.for_the_run else heal_on(self.folder.parent),
        )  # fmt: skip  # arguments in groups

    def _listening(self) -> Heard | None:
        if self.said.alerts is None:
            return None
        ours = [*self.said.components, *self.said.zones]
        return Heard(self.said.alerts, folder=self.folder / "alerts", commands=self.commands, ours=ours)

    def _regions(self, secrets: Mapping[str, str]) -> Sequence[PlainRegion]:
        (home, zones), *others = regions_of(self.said)
        front = Front(self.said.customers) if self.said.customers else None
        keys = Keys(self.said, secrets)
        holds: list[object] = [keys, front] if front else [keys]
        holds += [Reads(self._database, front, keys)] if front or self._database else []
        if self._database is not None and self.said.database is not None:
            holds += [self._database, AttachedPositions(self._database)]
            if planned := self.said.database.failover:
                holds.append(OwnersFailover(planned, self._database, self._acts, self._recorder, gate=self.gate))
            if own := self.said.database.rejoin:
                holds.append(OwnersRejoin(own, self._database, self._acts, self._recorder, gate=self.gate))
        holds += [self._heard] if self._heard else []
        holds += [self._kept] if self._kept else []
        if divisible(self.said):
            holds.append(CuttableZones(self.components, self._cutter, self._cut_by_us(), self.gate))
        holds += [PoweredZones(self.components)] if powered(self.said) else []
        return (PlainRegion(home, zones, holds), *(PlainRegion(name, zones) for name, zones in others))

    def _cut_by_us(self) -> list[str]:
        """Containers whose cut the file does not say otherwise."""
        return [name for name in self.boxes if "cut" not in self.said.components[name].verbs]
