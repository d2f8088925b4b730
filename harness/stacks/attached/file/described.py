"""What a stack file says, as plain values. They know no engine, no network and no clock: whoever asks reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from harness.restores.described import Backups
from harness.stacks.attached.file.times import Days, Window

Name = str
ALREADY, FOR_THE_RUN = "already", "for the run"
HERE = "here"  # the region of zones that name none
NEVER = "never"
ALL = "all"  # components that name a probe
TYPED_NAME, TWO_PEOPLE = "typed name", "two people"  # ways to confirm
PRODUCTION = "production"
VERBS = ("kill", "pause", "cut")
INVERSE = {"kill": "start", "pause": "resume", "cut": "join"}


@dataclass(frozen=True)
class Platform:
    """Whose it is."""

    name: str
    owner: str
    environment: str  # its class


@dataclass(frozen=True)
class Secret:
    """Where one is read: one of the three is given."""

    env: str = ""
    file: Path | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compose:
    """The compose project whose services are components."""

    project: str
    stands: Literal["already", "for the run"]
    files: tuple[Path, ...] = ()
    helper: str = ""  # image that cuts; empty: the one of `drdrill stack image`


@dataclass(frozen=True)
class Http:
    """A request, and which answers are valid."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    codes: tuple[int, ...] = ()  # empty: any of 2xx
    matches: tuple[str, ...] = ()  # regular expressions, each of which has to be found in the body
    matches_not: tuple[str, ...] = ()  # none of which may be
    ca: Path | None = None
    server_name: str = ""


@dataclass(frozen=True)
class Line:
    """One step of what is said over a connection."""

    send: str = ""
    expect: str = ""


@dataclass(frozen=True)
class Tcp:
    target: str  # host:port
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Probe:
    """How something is asked whether it does its work: one of the two is given."""

    name: str
    http: Http | None
    tcp: Tcp | None
    timeout: timedelta

    @property
    def target(self) -> str:
        """The URL, or host and port."""
        return self.http.url if self.http else self.tcp.target if self.tcp else ""

    @property
    def of_component(self) -> bool:
        """Whether it is asked of a component that names it, and cannot be asked without one."""
        return "${address}" in self.target


@dataclass(frozen=True)
class Action:
    """An act of the owner's own: a command, or a request."""

    run: tuple[str, ...]
    place: str  # the component in whose container it runs; empty: this machine
    http: Http | None
    within: timedelta


@dataclass(frozen=True)
class Look:
    """What shows that something is so: a command's answer, a probe, or a connection."""

    run: tuple[str, ...]
    place: str
    says: str  # regular expression
    exits: int
    probe: str  # by its name
    tcp: str  # host:port
    wanted: str  # passing, failing, taken, refused or silent
    within: timedelta


@dataclass(frozen=True)
class Verb:
    """What hurts, its inverse, and what shows either."""

    do: Action
    undo: Action
    proof: Look
    undone: Look


@dataclass(frozen=True)
class Component:
    """`service`, `container`, `label`: which container it is; all empty where it is none."""

    name: str
    zone: str = ""
    host: str = ""
    role: str = ""
    hurt: str = ""
    alive: str = ""  # a probe by its name
    service: str = ""
    container: str = ""
    label: str = ""
    log: Path | None = None
    verbs: Mapping[str, Verb] = field(default_factory=dict)  # of its own: `kill`, `pause`, `cut`

    @property
    def is_container(self) -> bool:
        return bool(self.service or self.container or self.label)


@dataclass(frozen=True)
class Zone:
    name: str
    region: str = HERE


@dataclass(frozen=True)
class Customers:
    """Where they come in: URLs of one scheme and port, in order."""

    at: tuple[str, ...]
    rate: float | None  # requests a second; None: not said
    timeout: timedelta
    ca: Path | None = None


@dataclass(frozen=True)
class Failover:
    do: Action
    undo: Action | None  # None: it says that there is none


@dataclass(frozen=True)
class Database:
    kind: str
    members: Mapping[str, str]  # component to host:port
    dsn: str
    leader: str  # SQL
    returns_as_copy: bool
    failover: Failover | None  # None: it fails over by itself
    rejoin: Action | None = None  # None: a server that is down while another leads is made a copy by hand


@dataclass(frozen=True)
class Alerts:
    """One of `receive` and `poll` is given. `labels`: component, zone and region, each to the label that names it."""

    receive: str
    poll: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Condition:
    """Something on which a run heals at once and ends: one of `probe`, `prometheus`, `file` and `url` is given."""

    text: str  # as people call it
    probe: str = ""
    of: str = ""  # a component, or ALL
    fails_for: timedelta = timedelta(0)
    prometheus: str = ""
    at: str = ""
    above: float | None = None
    below: float | None = None
    file: Path | None = None
    url: str = ""
    says: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: timedelta = timedelta(0)


@dataclass(frozen=True)
class Safety:
    """What a drill may do. A field that is not said is None, or empty."""

    components: int | None = None  # at once
    zones: int | None = None
    hosts: int | None = None
    may: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    longest_fault: timedelta | None = None
    abort_when: tuple[Condition, ...] = ()
    windows: tuple[Window, ...] = ()
    not_on: tuple[Days, ...] = ()
    time_zone: str = ""
    confirm: str = ""
    most_a_second: float | None = None  # of writes
    most_writes: int | None = None  # of one run


@dataclass(frozen=True)
class StackFile:
    """All of it. Relative paths of it are seen from `base`. `told` is its text as packs have it, with aliases in the
    stead of what is `private` (word to alias), and `digest` the SHA-256 of that."""

    path: Path
    base: Path
    told: str = field(repr=False)
    digest: str
    platform: Platform
    components: Mapping[str, Component]
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    compose: Compose | None = None
    zones: Mapping[str, Zone] = field(default_factory=dict)
    probes: Mapping[str, Probe] = field(default_factory=dict)
    customers: Customers | None = None
    database: Database | None = None
    backups: Backups | None = None
    alerts: Alerts | None = None
    safety: Safety = Safety()
    private: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def for_the_run(self) -> bool:
        """Whether the run brings it up, and takes it down."""
        return self.compose is not None and self.compose.stands == FOR_THE_RUN

    @property
    def never(self) -> Sequence[str]:
        """The components that no fault may reach."""
        named = [each.name for each in self.components.values() if each.hurt == NEVER]
        return list(dict.fromkeys([*named, *self.safety.protected]))

    def where(self, *place: str | int) -> str:
        """File and line of a field, or of the nearest above it that is there: for an error that is found later."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.path}:{self.lines.get(place, 1)}"
