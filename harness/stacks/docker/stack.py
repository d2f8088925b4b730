"""The container stack as one thing: started from nothing in a fixed order, and removed without a trace."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from harness.stacks import Condition, Region
from harness.stacks.capabilities import need
from harness.stacks.capabilities.clocks import SAME_KERNEL, Clock
from harness.stacks.capabilities.entrance import ZoneServices
from harness.stacks.capabilities.network import Slowness
from harness.stacks.docker import engine, image
from harness.stacks.docker.ground import DockerGround
from harness.stacks.docker.parts import Parts, put_together, write_backup_settings
from harness.stacks.docker.watching import ALERTMANAGER, PROMETHEUS
from harness.stacks.local.ground import POSTGRES as CLIENTS
from harness.stacks.parts import lifecycle
from harness.stacks.parts.first_data import make_first_data
from harness.stacks.parts.ground import Unit
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.messages import SIMULATED
from harness.stacks.parts.positions import PostgresPositions
from harness.stacks.parts.postgres import Roles
from harness.stacks.parts.reachability import sees
from harness.stacks.parts.region import PlatformRegion
from harness.stacks.parts.s3 import REGION, simulated
from harness.stacks.parts.settings import STALLED, Settings
from harness.stacks.parts.steady import SERVES_WITHIN, Steady
from harness.stacks.parts.tls import Issued, Issuer, make_authority
from harness.stacks.parts.users import PostgresUsers
from harness.stacks.stand_in import history
from harness.system import clock, wait
from harness.system.clock import Moment, spanning
from harness.system.command import Commands
from harness.system.recorder import Recorder

ZONES = ("a", "b", "c")
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
    regions: Sequence[Region] = ()

    def __init__(self, folder: Path, *, recorder: Recorder, label: str, settings: Settings) -> None:
        self.folder = folder.absolute()
        self.commands = Commands(recorder, label=label)
        self.settings = settings
        self._recorder = recorder
        self._use(Roles())
        self._ground: DockerGround | None = None
        self._parts: Parts | None = None

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
            ground = self._stand(made, sockets=lifecycle.socket_folder(self.folder, self.commands.label, ZONES))
            self._save(made)  # before anything is made: whoever removes it must know its kind
            ground.make()
            self._save(made)
            authority = make_authority(self.folder / "tls")
            parts = self._build(authority)
            write_backup_settings(ground, parts, ca=authority.ca)
        parts.names.publish()
        parts.releases.history()  # the first release is there before the first API asks for it
        others = (*parts.watchers, *parts.balancers, *parts.services.values())
        with lifecycle.timed(self._recorder, "data"):
            engine.at_once([
                lambda: make_first_data(
                    self._here, parts.members, roles=self._roles,
                    transactions=round(history.TRANSACTIONS * self.settings.scale),
                    checksums=self.settings.checksums == "on",
                ),
                parts.etcd.start, parts.store.start, *(one.start for one in others),
            ])  # fmt: skip  # arguments in groups
        with lifecycle.timed(self._recorder, "etcd"):
            parts.etcd.wait_ready()
        with lifecycle.timed(self._recorder, "s3"):
            wait.until(parts.store.ready, what="s3 serves", within=SERVES_WITHIN, recorder=self._recorder)
        with lifecycle.timed(self._recorder, "cluster"):
            parts.cluster.start()
            parts.backups.prepare()
        steady = self._asked()
        with lifecycle.timed(self._recorder, "serving"):
            steady.wait_serving()
        parts.prometheus.start()  # not earlier: what is still starting is no news
        with lifecycle.timed(self._recorder, "first backup"):
            parts.backups.take()
        with lifecycle.timed(self._recorder, "replication"):
            steady.wait_replicating()
        with lifecycle.timed(self._recorder, "watching"):
            steady.wait_watched()

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
        return self._asked().conditions()

    def clocks(self) -> Sequence[Clock]:
        """Those of this machine, where the engine runs on its kernel; else nothing is known of them."""
        boot = engine.execute(self._here.network.pod(ZONES[0]), ["cat", BOOT], what="asking which kernel this is")
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
        """Rules and queues of the zone's link went with its power. What runs already is left alone."""
        self._here.network.start(zone)
        for component in self._of_zone(zone):
            component.start()

    def has_power(self, zone: str) -> bool:
        return self._here.network.runs(zone)

    def sees(self, one: str, other: str, *, part: Literal["", "consensus store"] = "") -> bool:
        """Whether a zone gets an answer from another, by a real try from inside it."""
        return sees(self._here, one, other, part=part)

    @property
    def simulated(self) -> Sequence[str]:
        return [simulated(), SIMULATED]

    def parts(self) -> dict[str, str]:
        asked = ["dpkg-query", "--show", "--showformat=${Package} ${Version}\\n", *PACKAGES]
        words = self.commands.run([*self._here.words(ZONES[0]), *asked]).out.split()
        ours = {"patroni": metadata.version("patroni"), "docker": str(engine.engine().version()["Version"])}
        return dict(zip(words[::2], words[1::2], strict=True)) | ours

    def logs(self) -> dict[str, Path]:
        """Component name to its log; the ones that exist."""
        return lifecycle.logs(self.folder, ZONES)

    def components(self) -> dict[str, Unit | PatroniMember]:
        """Every component of the stack, by its name."""
        parts = self._made
        units = [*parts.etcd.members, *parts.services.values(), *parts.balancers, *parts.watchers, *parts.store.units]
        found: list[Unit | PatroniMember] = [*units, parts.prometheus, *parts.members]
        return {component.name: component for component in found}

    def explore(self) -> dict[str, Any]:
        """For people: addresses, and the words and the environment with which its database and API are asked."""
        parts, network = self._made, self._here.network
        bucket = parts.vault.bucket.name
        return {
            "commands": lifecycle.commands(parts.entrance, parts.members),
            "addresses": {
                **lifecycle.addresses(parts.entrance, parts.members, store=parts.store.url, bucket=bucket),
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
        assert self._parts is not None, "the stack was not started"
        return self._parts

    @property
    def _here(self) -> DockerGround:
        assert self._ground is not None, "the stack was not started"
        return self._ground

    def _of_zone(self, zone: str) -> list[Unit | PatroniMember]:
        return [component for component in self.components().values() if component.zone == zone]

    def _asked(self) -> Steady:
        parts, (region,) = self._made, self.regions
        zone_entrances = {zone: need(region, ZoneServices).zone_entrance(zone) for zone in region.zones}
        return Steady(
            parts.entrance, zone_entrances, parts.cluster, parts.backups, parts.monitor, self.settings.archive_timeout,
            self._recorder,
        )  # fmt: skip  # arguments in groups

    def _use(self, roles: Roles) -> None:
        self._roles = roles
        self.secrets = list(roles.all().values())

    def _stand(self, made: str, *, sockets: Path, prefix: str = "") -> DockerGround:
        self._ground = DockerGround(
            self.folder, commands=self.commands, image=made, zones=ZONES, sockets=sockets, prefix=prefix
        )
        return self._ground

    def _build(self, authority: Issuer) -> Parts:
        parts = put_together(self._here, roles=self._roles, authority=authority, chosen=self.settings)
        self._parts = parts
        addresses = {zone: self._here.network.zone_address(zone) for zone in ZONES}
        self.regions = (
            PlatformRegion(
                REGION, ZONES,
                (
                    parts.cluster, PostgresPositions(parts.cluster),
                    PostgresUsers(parts.cluster, parts.cluster.log_in, self._recorder),
                    parts.backups, parts.vault, parts.releases, parts.monitor, parts.messages,
                ),
                parts.entrance, parts.balancers, parts.balancer_entrances, parts.services, addresses, self._roles,
            ),
        )  # fmt: skip  # arguments in groups
        return parts

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
