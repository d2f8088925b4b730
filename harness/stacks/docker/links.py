"""The links of a container stack: cut, slowed down, and made to come and go, inside the pods' own networks.

Rules and queues are the kernel's, in a pod's network namespace, set from inside the pod; they end with it. Packets are
dropped as they come in and as they go out; what a zone's components say to each other is left alone. Customers of a
zone stand behind the same link as the zone. Only the far end of a slow link lies in the machine's own namespace: the
half of the pair of interfaces that Docker has made for the pod, and that goes with it.
"""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from harness.errors import Unable
from harness.stacks.capabilities.network import Slowness
from harness.stacks.docker import engine, flapper
from harness.stacks.docker.network import DockerNetwork
from harness.stacks.parts.etcd import CLIENTS, PEERS
from harness.system import clock, wait
from harness.system.clock import Moment, spanning

ALONE = ("INPUT ! -i lo -d {address} -j DROP", "OUTPUT ! -o lo -s {address} -j DROP")  # nobody outside of the pod
APART = ("INPUT -s {other} -j DROP", "OUTPUT -d {other} -j DROP")
WITHOUT_ETCD = tuple(
    f"{side} -p tcp --{port} {CLIENTS}:{PEERS} -j DROP"
    for side in ("INPUT -s {other}", "OUTPUT -d {other}")
    for port in ("sport", "dport")
)
INTERFACE = "ip -o -4 addr show to {address} | awk '{{print $2}}'"
FAR_END = "ip -o link | awk -F': ' -v at={index} '$1 == at {{sub(/@.*/, \"\", $2); print $2}}'"
LIFT = "while iptables -w -D {} 2>/dev/null; do :; done"
QUEUES = ("tbf", "netem")
FLAPS = "the kernel, by its clock inside the pods"
TOGETHER = timedelta(seconds=1)  # until all that stand behind a link have begun, and it goes down for all of them
BEGINS, OFTEN = timedelta(seconds=10), timedelta(milliseconds=20)
NOTHING = "this kernel can slow no link down: it has neither of the queues tbf and netem"


class Links:
    """Fills `Divisible`, `Linked` (but for `sees`), `Slowable` and `Flappable` for the stack."""

    def __init__(self, network: DockerNetwork, *, folder: Path) -> None:
        self._network = network
        self._folder = folder  # what flaps, and how often

    def cut(self, zone: str) -> Moment | None:
        """Drop silently whatever goes between this zone and the others, both ways. Harmless when repeated."""
        return self._rules({pod: _for(ALONE, address=address) for pod, address in self._behind(zone)}, begins=True)

    def join(self, zone: str) -> Moment | None:
        """End the cut. Harmless where there is none, where the zone has no power, and after one that was killed."""
        return self._rules({pod: _for(ALONE, address=address) for pod, address in self._behind(zone)}, begins=False)

    def cut_link(self, one: str, other: str, *, part: str = "") -> Moment | None:
        return self._rules({one: self._apart(other, part), other: self._apart(one, part)}, begins=True)

    def join_link(self, one: str, other: str) -> Moment | None:
        parts, sides = ("", "consensus store"), ((one, other), (other, one))
        rules = {pod: [rule for part in parts for rule in self._apart(away, part)] for pod, away in sides}
        return self._rules(rules, begins=False)

    def slow(self, zone: str, how: Slowness) -> list[str]:
        """Both ways: packets queue as they leave the zone, and as they leave the network for it."""
        left_out: list[str] = []
        for pod, address in self._behind(zone):
            near, index = self._interface(pod, address)
            said = engine.execute(self._network.pod(pod), _slowing(f"echo {near}", how), what=f"slowing down {pod}")
            said += self._network.run_on_machine(_slowing(FAR_END.format(index=index), how), what=f"slowing {pod}")
            left_out = sorted({*left_out, *said.split()})
        if "bandwidth" in left_out or (left_out and not how.kilobytes):
            self.unslow(zone)
            raise Unable(NOTHING if how.kilobytes else _could_not(how), hint="a kernel with sch_netem and sch_tbf can")
        return [_could_not(how)] if left_out else []

    def unslow(self, zone: str) -> None:
        for pod, address in self._behind(zone):
            if not self._network.runs(pod):
                continue
            near, index = self._interface(pod, address)
            engine.execute(self._network.pod(pod), _freeing(f"echo {near}"), what=f"freeing {pod}")
            self._network.run_on_machine(_freeing(FAR_END.format(index=index)), what=f"freeing {pod}")

    def slowed(self, zone: str) -> str:
        if not self._network.runs(zone):
            return ""
        near, _ = self._interface(zone, self._network.address(zone))
        said = engine.execute(
            self._network.pod(zone), ["tc", "qdisc", "show", "dev", near], what=f"looking at the link of {zone}"
        )
        top = [line.strip() for line in said.splitlines() if " root " in line]  # below it: what leaves the region
        return "; ".join(line for line in top if any(f" {one} " in line for one in QUEUES))

    def flap(self, zone: str, *, down: timedelta, up: timedelta, lasting: timedelta) -> Moment | None:
        self.settle(zone)
        token, file = uuid.uuid4().hex, self._file(zone)
        with self._locked(zone):
            file.write_text(f"{token}\n")
        near_ends = {pod: self._interface(pod, address)[0] for pod, address in self._behind(zone)}
        asked = clock.mono()
        begin = asked / 1_000_000_000 + TOGETHER.total_seconds()
        times = [f"{begin:.6f}", *(str(one.total_seconds()) for one in (down, up, lasting))]
        for pod, near in near_ends.items():
            words = ["python3", "-c", Path(flapper.__file__).read_text(), str(file), token, *times, near]
            engine.execute(
                self._network.pod(pod), [*words, "yes" if pod == zone else "no"], what=f"flapping {pod}", detach=True
            )
        many = len(near_ends)
        if not wait.poll(lambda: len({words[0] for words in self._said(zone)}) == many, within=BEGINS, every=OFTEN):
            return None
        first = {words[0]: words for words in reversed(self._said(zone))}
        moment = spanning(Moment(int(at), int(until), FLAPS) for _, at, until in first.values())
        ours = moment is not None and asked <= moment.earliest <= moment.latest <= clock.mono()
        return moment if ours else None  # another kernel's clock says nothing here

    def settle(self, zone: str) -> Moment | None:
        """From when it could go down no more, until nothing is left that drops."""
        rules = {}
        for pod, address in self._behind(zone):
            if self._network.runs(pod):
                near, _ = self._interface(pod, address)
                rules[pod] = [" ".join(rule) for rule in flapper.rules(near)]
        begun = clock.mono()
        with self._locked(zone):
            self._file(zone).unlink(missing_ok=True)
        lifted = self._rules(rules, begins=False)
        return lifted and Moment(begun, lifted.latest, lifted.by)

    def flaps(self, zone: str) -> int:
        return sum(words[0] == "down" for words in self._said(zone))

    def _said(self, zone: str) -> list[list[str]]:
        """What the flappers of a zone have written: `down`, or `also` behind the same link, and when it took effect."""
        try:
            return [words for line in self._file(zone).read_text().splitlines()[1:] if len(words := line.split()) == 3]
        except FileNotFoundError:
            return []

    def _behind(self, zone: str) -> Sequence[tuple[str, str]]:
        """The pods behind the link of a zone, with their addresses on it."""
        network = self._network
        return (zone, network.address(zone)), (f"customers-{zone}", network.customers(zone))

    def _apart(self, zone: str, part: str) -> list[str]:
        """What keeps a zone, or of it only etcd, from the pod where these rules are."""
        if part == "consensus store":
            return _for(WITHOUT_ETCD, other=self._network.address(zone))
        return [rule for _, address in self._behind(zone) for rule in _for(APART, other=address)]

    def _rules(self, of_pods: Mapping[str, Sequence[str]], *, begins: bool) -> Moment | None:
        """In all of these pods at once; those without power have none that could be lifted."""
        what = "cutting off" if begins else "joining"
        drop = "iptables -w -A {}"

        def script(line: str, rules: Sequence[str]) -> str:
            return "\n".join(line.format(rule) for rule in rules)

        def act(pod: str, rules: Sequence[str]) -> Moment | None:
            found, lifted = self._network.pod(pod), script(LIFT, rules)
            if not begins:
                return engine.stamped(found, lifted, what=f"{what} {pod}")
            return engine.stamped(found, script(drop, rules), before=lifted, what=f"{what} {pod}")

        there = {pod: rules for pod, rules in of_pods.items() if begins or self._network.runs(pod)}
        return spanning(engine.at_once([partial(act, pod, rules) for pod, rules in there.items()]))

    def _interface(self, pod: str, address: str) -> tuple[str, int]:
        """The interface of a pod that has this address, and the number of its far end on the machine."""
        script = f"at=$({INTERFACE.format(address=address)}); echo $at; cat /sys/class/net/$at/iflink"
        name, index = engine.execute(self._network.pod(pod), ["sh", "-ec", script], what=f"looking into {pod}").split()
        return name, int(index)

    def _file(self, zone: str) -> Path:
        return self._folder / f"flapping-{zone}"

    @contextmanager
    def _locked(self, zone: str) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with Path(f"{self._file(zone)}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _for(rules: Sequence[str], **given: str) -> list[str]:
    return [rule.format(**given) for rule in rules]


def _slowing(interface: str, how: Slowness) -> list[str]:
    """A script that prints a word for all that could not be done: `netem`, `bandwidth`."""
    rate = f"rate {how.kilobytes * 8}kbit"
    delay = f"delay {how.latency.total_seconds() * 1000:g}ms" if how.latency else ""
    loss = f"loss {how.loss:g}%" if how.loss else ""
    lines = [f"at=$({interface})", "tc qdisc del dev $at root 2>/dev/null || true"]
    by_tbf = f"tc qdisc add dev $at root tbf {rate} burst 32kb latency 500ms 2>/dev/null || echo bandwidth"
    if delay or loss:
        by_netem = f"tc qdisc add dev $at root netem {delay} {loss} {rate if how.kilobytes else ''} 2>/dev/null"
        otherwise = f"echo netem; {by_tbf}" if how.kilobytes else "echo netem"
        lines.append(f"{by_netem} || {{ {otherwise}; }}")
    elif how.kilobytes:
        lines.append(by_tbf)
    return ["sh", "-ec", "\n".join(lines)]


def _freeing(interface: str) -> list[str]:
    return ["sh", "-ec", f"at=$({interface})\ntc qdisc del dev $at root 2>/dev/null || true"]


def _could_not(how: Slowness) -> str:
    asked = [f"latency of {how.latency.total_seconds() * 1000:g} ms"] if how.latency else []
    asked += [f"loss of {how.loss:g} %"] if how.loss else []
    return f"{' and '.join(asked)}: this kernel has no netem"
