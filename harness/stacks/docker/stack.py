"""The container stack as one thing: started from nothing in a fixed order, and removed without a trace."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from harness.stacks import Condition
from harness.stacks.capabilities import need
from harness.stacks.capabilities.clocks import SAME_KERNEL, Clock
from harness.stacks.capabilities.entrance import ZoneServices
from harness.stacks.capabilities.network import Slowness
from harness.stacks.docker import engine, image
from harness.stacks.docker.grid import DockerGrid
from harness.stacks.docker.ground import DockerGround
from harness.stacks.docker.layout import CUSTOMERS, places
from harness.stacks.docker.parts import (
    Parts,
    entrances,
    put_names,
    put_outside,
    put_region,
    put_together,
    write_backup_settings,
)
from harness.stacks.docker.watching import ALERTMANAGER, PROMETHEUS
from harness.stacks.local.ground import POSTGRES as CLIENTS
from harness.stacks.parts import lifecycle, others
from harness.stacks.parts.fence_device import SIMULATED as FENCE_SIMULATED
from harness.stacks.parts.fence_device import FenceDevice
from harness.stacks.parts.first_data import make_first_data
from harness.stacks.parts.ground import Unit
from harness.stacks.parts.in_service import InService
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.messages import SIMULATED
from harness.stacks.parts.names import Names
from harness.stacks.parts.naming import Naming
from harness.stacks.parts.postgres import Roles
from harness.stacks.parts.reachability import sees
from harness.stacks.parts.region import PlatformRegion
from harness.stacks.parts.region_powers import RegionPowers
from harness.stacks.parts.route53 import simulated as names_simulated
from harness.stacks.parts.s3 import REGION, simulated
from harness.stacks.parts.settings import STALLED, Settings
from harness.stacks.parts.steady import SERVES_WITHIN, Steady
from harness.stacks.parts.tls import Issued, Issuer, make_authority
from harness.stacks.stand_in import history
from harness.system import clock, wait
from harness.system.clock import Moment, spanning
from harness.system.command import Commands
from harness.system.recorder import Recorder

BOOT = "/proc/sys/kernel/random/boot_id"
GONE_WITHIN = timedelta(seconds=10)
PACKAGES = (
    "postgresql-15", "etcd-server", "haproxy", "pgbackrest", "prometheus", "prometheus-alertmanager",
    "prometheus-blackbox-exporter",
)  # fmt: skip  # a list


class DockerStack:
    """Fills the protocol Stack, and what a network and zones can have done to them."""

    kind = "docker"
    environment = "containers"

    def __init__(self, folder: Path, *, recorder: Recorder, label: str, settings: Settings) -> None:
        self.folder = folder.absolute()
        self.commands = Commands(recorder, label=label)
        self.settings = settings
        self._recorder = recorder
        self._use(Roles())
        self._ground: DockerGround | None = None  # of the first region
        self._service = InService(self.folder)
        self._regions: Sequence[PlatformRegion] = ()
        self._naming: Naming | None = None  # of a stack of several regions
        self._parts: dict[str, Parts] = {}  # by the name of the region

    @property
    def regions(self) -> Sequence[PlatformRegion]:
        """The one in service is the first."""
        serves = self._service.region()
        return sorted(self._regions, key=lambda region: region.name != serves) if serves else self._regions

    @classmethod
    def attach(cls, folder: Path, *, recorder: Recorder) -> DockerStack:
        """A stack that another process has started, from what it saved.

        Errors: `Refused` when no stack was started there, or it was removed.
        """
        saved = lifecycle.saved(folder)
        stack = cls(folder, recorder=recorder, label=saved["label"], settings=Settings.of(saved))
        stack._use(Roles(**saved["roles"]))
        stack._stand(saved["image"], sockets=Path(saved["sockets"]), prefix=saved["prefix"])
        stack._build(Issued(stack.folder / "tls"))
        return stack

    def start(self) -> None:
        """From nothing to steady. Errors: `DrillError`s; what was started is then still there, for `stop`."""
        with lifecycle.starting(self.folder):
            self._start()

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with lifecycle.timed(self._recorder, "image"):  # it is there already, unless it was removed since the run began
            made = image.make(lambda _: None)
        with lifecycle.timed(self._recorder, "network"):
            zones = list(places(self.settings.regions).zones)
            ground = self._stand(made, sockets=lifecycle.socket_folder(self.folder, self.commands.label, zones))
            self._save(made)  # before anything is made: whoever removes it must know its kind
            ground.make()
            self._save(made)
            authority = make_authority(self.folder / "tls")
            self._build(authority)
            self._grid.lay_links()
        regions, parts = list(self._parts.values()), self._made
        for one in regions:
            write_backup_settings(one, ca=authority.ca)
            one.releases.history()  # the first release is there before the first API asks for it
        self._names.publish()
        with lifecycle.timed(self._recorder, "data"):
            engine.at_once([
                lambda: make_first_data(
                    ground, [member for one in regions for member in one.members], roles=self._roles,
                    transactions=round(history.TRANSACTIONS * self.settings.scale),
                    checksums=self.settings.checksums == "on",
                ),
                *(start for one in regions for start in (one.etcd.start, one.s3.start)),
                *(unit.start for unit in (*self._naming_units, *self._outside.watchers)),
                *(unit.start for one in regions for unit in (*one.balancers, *one.services.values())),
            ])  # fmt: skip  # arguments in groups
        with lifecycle.timed(self._recorder, "etcd"):
            for one in regions:
                one.etcd.wait_ready()
        with lifecycle.timed(self._recorder, "s3"):
            for one in regions:
                wait.until(one.s3.ready, what="s3 serves", within=SERVES_WITHIN, recorder=self._recorder)
        if self._naming:
            with lifecycle.timed(self._recorder, "names"):
                self._naming.publish(self.regions[0].name, self._recorder)
        with lifecycle.timed(self._recorder, "cluster"):
            parts.cluster.start()
            parts.backups.prepare()
            following = [member.start for one in regions[1:] for member in one.members]  # now there is whom to follow
            engine.at_once([*following, *(one.start for one in others.replicators(regions))])
        with lifecycle.timed(self._recorder, "serving"):
            self._asked().wait_serving()
        self._outside.prometheus.start()  # not earlier: what is still starting is no news
        with lifecycle.timed(self._recorder, "first backup"):
            parts.backups.take()
        with lifecycle.timed(self._recorder, "replication"):
            self._asked().wait_replicating()
            for other in others.standing_by(self._followers, parts.cluster):
                self._asked().wait_for(other.conditions, f"{other.region.name} stands by")
            others.wait_copied(regions, self._recorder)
        with lifecycle.timed(self._recorder, "watching"):
            self._asked().wait_watched()

    def stop(self) -> None:
        """End everything by force and remove what it made; logs stay. Harmless when nothing runs."""
        remove(self.commands.label, self.folder)

    def stand_outside(self) -> list[str]:
        """The words to put before a command so that it runs where customers outside of all zones stand."""
        return self._here.network.outside()

    def stand_in(self, zone: str) -> list[str]:
        """The words to put before a command so that it runs where a customer of that zone stands."""
        return self._here.network.inside(zone)

    def steady(self) -> list[Condition]:
        """Serves, replicates, archives, is watched: each shown by a real request or query."""
        beside = others.is_home(self.regions, REGION)
        for one in others.standing_by(self._followers, self._made.cluster):
            beside += one.conditions()
        return self._asked().conditions(beside=beside)

    def clocks(self) -> Sequence[Clock]:
        """Those of this machine, where the engine runs on its kernel; else nothing is known of them."""
        boot = engine.execute(self._here.network.pod(CUSTOMERS), ["cat", BOOT], what="asking which kernel this is")
        return SAME_KERNEL if boot.strip() == clock.boot() else ()

    def stall_archiving(self) -> None:
        """For sabotage only: from now on every attempt to archive fails."""
        (self.folder / STALLED).touch()

    def cut(self, zone: str) -> Moment | None:
        return self._here.links.cut(zone)

    def join(self, zone: str) -> Moment | None:
        return self._here.links.join(zone)

    def cut_link(self, one: str, other: str, *, part: Literal["", "consensus store"] = "") -> Moment | None:
        return self._here.links.cut_link(one, other, part=part)

    def join_link(self, one: str, other: str) -> Moment | None:
        return self._here.links.join_link(one, other)

    def slow(self, zone: str, how: Slowness) -> Sequence[str]:
        return self._here.links.slow(zone, how)

    def unslow(self, zone: str) -> None:
        self._here.links.unslow(zone)
        self._grid.hold_back_zone(zone)

    def slowed(self, zone: str) -> str:
        return self._here.links.slowed(zone)

    def flap(self, zone: str, *, down: timedelta, up: timedelta, lasting: timedelta) -> Moment | None:
        return self._here.links.flap(zone, down=down, up=up, lasting=lasting)

    def settle(self, zone: str) -> Moment | None:
        return self._here.links.settle(zone)

    def flaps(self, zone: str) -> int:
        return self._here.links.flaps(zone)

    def kill_together(self, names: Sequence[str]) -> Moment | None:
        """All at once, as far as the engine takes it: who they are is asked before."""
        ours: Any = {"label": f"{engine.RUN}={self.commands.label}"}
        with engine.told(f"killing {', '.join(names)}"):
            found = [one for one in engine.engine().containers.list(filters=ours) if one.labels[engine.PART] in names]
            moment = spanning(engine.at_once([partial(engine.killed, one) for one in found]))
        for name in names:
            self.components()[name].kill()  # removes what is left of it
        return moment

    def cut_power(self, zone: str) -> Moment | None:
        """Kill the zone's pod; returns when the engine says of every component that it is gone."""
        for component in self._of_zone(zone):
            component.resume()  # a frozen process cannot die
        moment = self._here.network.kill(zone)
        what = f"nothing of zone {zone} runs"
        wait.until(
            lambda: not any(one.running() for one in self._of_zone(zone)),
            what=what,
            within=GONE_WITHIN,
            recorder=self._recorder,
        )
        return moment

    def restore_power(self, zone: str) -> None:
        """Rules and queues of the zone's link went with its power. What runs already is left alone, and what is fenced
        is not started."""
        self._grid.start_zone(zone)
        for component in self._of_zone(zone):
            if not (isinstance(component, PatroniMember) and component.kept_off):
                component.start()

    def has_power(self, zone: str) -> bool:
        return self._here.network.runs(zone)

    def sees(self, one: str, other: str, *, part: Literal["", "consensus store"] = "") -> bool:
        """Whether a zone gets an answer from another, by a real try from inside it."""
        return sees(self._here, one, other, part=part)

    @property
    def simulated(self) -> Sequence[str]:
        beyond = [FENCE_SIMULATED, names_simulated(), *others.simulated(self._parts.values())]
        return [simulated(), SIMULATED, *(beyond if self._naming else [])]

    def parts(self) -> dict[str, str]:
        asked = ["dpkg-query", "--show", "--showformat=${Package} ${Version}\\n", *PACKAGES]
        words = self.commands.run([*self._here.words(self._here.zones[0]), *asked]).out.split()
        ours = {"patroni": metadata.version("patroni"), "docker": str(engine.engine().version()["Version"])}
        return dict(zip(words[::2], words[1::2], strict=True)) | ours

    def logs(self) -> dict[str, Path]:
        """Component name to its log; the ones that exist."""
        return lifecycle.logs(self.folder, self._here.network.zones)

    def components(self) -> dict[str, Unit | PatroniMember]:
        """Every component of the stack, by its name."""
        found = [one for parts in self._parts.values() for one in parts.components()]
        beside = [*self._outside.watchers, self._outside.prometheus, *self._naming_units]
        return {component.name: component for component in (*found, *beside)}

    def explore(self) -> dict[str, Any]:
        """For people: addresses, and the words and the environment with which its database and API are asked."""
        parts, network = self._made, self._here.network
        bucket = parts.vault.bucket.name
        return {
            "commands": lifecycle.commands(parts.entrance, parts.members),
            "addresses": {
                **lifecycle.addresses(parts.entrance, parts.members, store=parts.s3.url, bucket=bucket),
                **others.addresses(self._followers),
                "prometheus": f"http://{network.watch}:{PROMETHEUS}",
                "alerts": f"http://{network.watch}:{ALERTMANAGER}",
                "containers": f"docker ps --filter label={engine.RUN}={self.commands.label}",
            },
            "environment": {
                "PGPASSWORD": self._roles.postgres,
                "PATH": f"{CLIENTS}:{os.environ.get('PATH', os.defpath)}",
            },
        }

    @property
    def _made(self) -> Parts:
        """Of the region in service."""
        assert self._parts, "the stack was not started"
        return self._parts[self.regions[0].name] if self._regions else next(iter(self._parts.values()))

    @property
    def _followers(self) -> list[tuple[PlatformRegion, Parts]]:
        """The regions that follow the one in service."""
        return [(region, self._parts[region.name]) for region in self.regions[1:]]

    @property
    def _naming_units(self) -> Sequence[Unit]:
        return self._naming.units if self._naming else ()

    @property
    def _here(self) -> DockerGround:
        assert self._ground is not None, "the stack was not started"
        return self._ground

    def _of_zone(self, zone: str) -> list[Unit | PatroniMember]:
        return [component for component in self.components().values() if component.zone == zone]

    def _asked(self) -> Steady:
        parts, region = self._made, self.regions[0]
        zone_entrances = {zone: need(region, ZoneServices).zone_entrance(zone) for zone in region.zones}
        return Steady(
            parts.entrance, zone_entrances, parts.cluster, parts.backups, self._outside.monitor,
            self.settings.archive_timeout, self._recorder,
        )  # fmt: skip  # arguments in groups

    def _use(self, roles: Roles) -> None:
        self._roles = roles
        self.secrets = list(roles.all().values())

    def _stand(self, made: str, *, sockets: Path, prefix: str = "") -> DockerGround:
        self._ground = DockerGround(
            self.folder, commands=self.commands, image=made, places=places(self.settings.regions), sockets=sockets,
            prefix=prefix,
        )  # fmt: skip  # arguments in groups
        return self._ground

    def _build(self, authority: Issuer) -> None:
        """Put the parts together, each region on its ground."""
        here = self._here
        grounds = {one.name: here.of_region(one) for one in here.places.regions}
        if len(grounds) > 1:
            self._naming = put_names(list(grounds.values()), authority=authority, chosen=self.settings)
        self._names = Names(self.folder, tuple(entrances(here, chosen=self.settings).values()))
        servers = {name: [ground.address(zone) for zone in ground.zones] for name, ground in grounds.items()}
        device = FenceDevice(self.folder)
        self._parts = {
            name: put_together(
                ground, roles=self._roles, authority=authority, chosen=self.settings,
                resolver=self._naming.server.resolver if self._naming else self._names.resolver,
                others={other: found for other, found in servers.items() if other != name}, device=device,
                service=self._service,
            )
            for name, ground in grounds.items()
        }  # fmt: skip  # arguments in groups
        if self.settings.replication == "on":
            first = self._parts[REGION]
            self._parts = {
                name: one if one is first else one.replicated(first.s3.bucket, authority=authority)
                for name, one in self._parts.items()
            }
        self._outside = put_outside(here, list(self._parts.values()), ca=authority.ca, chosen=self.settings)
        inside = {REGION: [self._outside.prometheus]} if self.settings.monitoring == "inside" else {}
        self._grid = DockerGrid(here.network, folder=self.folder / "links", falls_too=inside)
        powers = RegionPowers(self._grid, self._parts, device=device, kill=self.kill_together, recorder=self._recorder)
        beyond = [powers, *([self._naming.names] if self._naming else [])]
        copied = {REGION: others.replicators(self._parts.values())}
        self._regions = [
            put_region(parts, self._outside, [*beyond, *copied.get(name, [])], self._roles, self._recorder)
            for name, parts in self._parts.items()
        ]

    def _save(self, made: str) -> None:
        """Write down what another process needs in order to go on with the stack, or to remove it."""
        saved = {
            "kind": self.kind,
            "label": self.commands.label,
            "image": made,
            "sockets": str(self._here.sockets),
            "prefix": self._here.network.prefix,
            "roles": self._roles.saved(),
            **self.settings.saved(),
        }
        lifecycle.save(self.folder, saved)


def remove(label: str, folder: Path) -> None:
    """Remove what a container stack has left, in any process; logs stay. Harmless where nothing is left."""
    engine.remove(label)
    lifecycle.remove_files(folder)
