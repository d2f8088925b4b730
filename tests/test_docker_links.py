"""The links of the container stack, as far as no engine is needed: what is asked of a pod, and how a link flaps."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import Unable
from harness.stacks.capabilities.network import Slowness
from harness.stacks.docker import engine, flapper, stamped
from harness.stacks.docker.links import Links
from harness.system import clock
from harness.system.recorder import Memory
from harness.system.wait import until

ROUTE = {"a": "10.0.0.21", "b": "10.0.0.22"}


class Pods:
    """Stands for the network: pods by name, of which some have no power."""

    def __init__(self, *, off: Sequence[str] = ()) -> None:
        self.off = off

    def address(self, zone: str) -> str:
        return ROUTE[zone]

    def customers(self, zone: str) -> str:
        return ROUTE[zone].replace(".2", ".4")

    def pod(self, name: str) -> str:
        return f"pod-{name}"

    def runs(self, name: str) -> bool:
        return name not in self.off

    def run_on_machine(self, argv: Sequence[str], *, what: str) -> str:
        return engine.execute("the machine", argv, what=what)


class Kernel:
    """Stands for the engine: keeps what is asked of each pod, and answers as a kernel with these queues does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, lacks: Sequence[str] = ()) -> None:
        self.asked: dict[str, str] = {}
        self.lacks = lacks
        self.ours = True  # the clock of the kernel
        monkeypatch.setattr(engine, "execute", self.execute)

    def execute(self, container: str, argv: Sequence[str], *, what: str, detach: bool = False) -> str:
        script = argv[-1]
        if "iflink" in script:
            return "eth0\n7\n"
        self.asked[container] = script
        if detach:  # a flapper: its link goes down at once
            with Path(argv[3]).open("a") as lines:
                at = clock.mono() if self.ours else 9
                lines.write(f"{'down' if script == 'yes' else 'also'} {at} {at + 1}\n")
        if argv[0] == "python3" and not detach:  # it says when
            return f"{clock.mono()} {clock.mono()}\n"
        if "netem" in self.lacks and "netem" in script:
            return "netem\nbandwidth\n" if "tbf" in self.lacks and "tbf" in script else "netem\n"
        return "bandwidth\n" if "tbf" in self.lacks and "tbf" in script else ""


def made(tmp_path: Path, *, off: Sequence[str] = ()) -> Links:
    return Links(Pods(off=off), folder=tmp_path / "links")


def test_a_link_is_cut_on_both_sides_and_for_customers_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither zone hears the other, nor the customers behind its link."""
    kernel = Kernel(monkeypatch)
    made(tmp_path).cut_link("a", "b")
    for pod, others in (("pod-a", ("10.0.0.22", "10.0.0.42")), ("pod-b", ("10.0.0.21", "10.0.0.41"))):
        for other in others:
            assert f"iptables -w -A INPUT -s {other} -j DROP" in kernel.asked[pod]
            assert f"iptables -w -A OUTPUT -d {other} -j DROP" in kernel.asked[pod]


def test_etcd_alone_is_told_by_its_ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever asks and whoever answers: both directions of both sides."""
    kernel = Kernel(monkeypatch)
    made(tmp_path).cut_link("a", "b", part="consensus store")
    added = [line for line in kernel.asked["pod-a"].splitlines() if " -A " in line]
    assert len(added) == 4 and all("port 2379:2380 -j DROP" in line and "10.0.0.22" in line for line in added)


def test_a_zone_without_power_is_joined_already(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its rules went with it; what is left of its link is joined all the same."""
    kernel = Kernel(monkeypatch)
    found = made(tmp_path, off=["a"])
    found.join("a")
    found.join_link("a", "b")
    found.settle("a")
    found.unslow("a")
    assert "pod-a" not in kernel.asked and "-D INPUT -s 10.0.0.21" in kernel.asked["pod-b"]
    assert found.slowed("a") == ""


def test_what_a_kernel_has_no_queue_for_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The rest is done."""
    Kernel(monkeypatch, lacks=["netem"])
    said = made(tmp_path).slow("a", Slowness(kilobytes=100, latency=timedelta(milliseconds=80), loss=1.5))
    assert said == ["latency of 80 ms and loss of 1.5 %: this kernel has no netem"]
    assert made(tmp_path).slow("a", Slowness(kilobytes=100)) == []


@pytest.mark.parametrize(
    ("lacks", "how"),
    [(["netem"], Slowness(loss=2.0)), (["tbf"], Slowness(kilobytes=9)), (["netem", "tbf"], Slowness(9, loss=2.0))],
)
def test_where_nothing_can_be_done_nothing_is_left_half_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lacks: list[str], how: Slowness
) -> None:
    """It is said what would lift it, and the link is free again."""
    kernel = Kernel(monkeypatch, lacks=lacks)
    with pytest.raises(Unable, match="kernel") as unable:
        made(tmp_path).slow("a", how)
    assert "sch_netem" in unable.value.hint
    assert all("tc qdisc del" in script and " add " not in script for script in kernel.asked.values())


def test_a_link_flaps_by_its_schedule_and_ends_joined(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each going down is counted, and nothing is left at the end."""
    rules, file = _watched(monkeypatch), _token(tmp_path)
    flapper.main([str(file), "token", "0", "0.02", "0.02", "0.1", "eth0", "yes"])
    assert [one for one in rules if one == "-A"] == ["-A"] * 6  # three times two rules
    assert rules[-1] == "-D" and not file.exists()


def test_a_link_that_is_settled_does_not_go_down_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another may flap it by then: the one before leaves it alone."""
    rules, file = _watched(monkeypatch), _token(tmp_path)
    words = [str(file), "token", "0", "0.3", "0.3", "30", "eth0", "yes"]
    running = threading.Thread(target=flapper.main, args=(words,))
    running.start()
    until(lambda: rules.count("-A") == 2, what="it goes down", within=timedelta(seconds=5), recorder=Memory())
    with flapper.locked(file):
        file.write_text("another\n")
    running.join(timeout=5)
    assert not running.is_alive() and file.read_text() == "another\n" and rules.count("-A") == 2


def test_the_goings_down_are_counted_and_settled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None where nothing flaps."""
    kernel = Kernel(monkeypatch)
    found = made(tmp_path)
    assert found.flaps("a") == 0
    before = clock.mono()
    begun = found.flap("a", down=timedelta(seconds=1), up=timedelta(seconds=1), lasting=timedelta(seconds=9))
    assert begun is not None and before <= begun.earliest < begun.latest - 1  # behind the link is not only the zone
    assert found.flaps("a") == 1
    with (tmp_path / "links" / "flapping-a").open("a") as lines:
        lines.write("also 20 21\ndown 20 21\n")
    assert found.flaps("a") == 2
    asked = clock.mono()
    settled = found.settle("a")
    assert settled is not None and asked <= settled.earliest <= settled.latest <= clock.mono()
    found.settle("a")
    assert found.flaps("a") == 0
    kernel.ours = False
    assert found.flap("a", down=timedelta(seconds=1), up=timedelta(seconds=1), lasting=timedelta(seconds=9)) is None


def test_what_is_stamped_inside_a_container_counts_only_where_the_clock_is_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An engine in a machine of its own has another monotonic clock: then nobody says more than the call."""
    for said, known in ((f"{clock.mono() + 10**12} {clock.mono() + 10**12}\n", False), ("so\n", False), (None, True)):
        monkeypatch.setattr(
            engine, "execute", lambda *_, said=said, **__: said or f"x\n{clock.mono()} {clock.mono()}\n"
        )
        assert (engine.stamped("pod", "true", what="a cut") is not None) is known


def test_a_script_inside_a_container_is_stamped_alone(capfd: pytest.CaptureFixture[str]) -> None:
    """What goes before it does not count, and a script that fails is an error."""
    begun = clock.mono()
    assert stamped.main("sleep 0.2; echo before", "echo act") == 0
    *said, stamps = capfd.readouterr().out.splitlines()
    earliest, latest = map(int, stamps.split())
    assert said == ["before", "act"] and begun + 200_000_000 < earliest < latest < clock.mono()
    assert stamped.main("true", "exit 3") == 3 and stamped.main("exit 4", "true") == 4


def test_the_engines_own_stamp_is_told_at_the_latest_that_it_can_be() -> None:
    """It is of the clock of the day; what is no time, or not of this machine's clock, says nothing."""
    before = clock.now()
    found = engine.mono_of(f"{before.utc:%Y-%m-%dT%H:%M:%S.%f}000Z")
    assert found is not None and before.mono - 1000 <= found <= clock.mono()
    assert found - before.mono < 50_000_000
    for said in ("", "yesterday", "0001-01-01T00:00:00Z", "2199-01-01T00:00:00.5Z"):
        assert engine.mono_of(said) is None


def _token(tmp_path: Path) -> Path:
    file = tmp_path / "flapping-a"
    file.write_text("token\n")
    (tmp_path / "flapping-a.lock").touch()
    return file


def _watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of iptables, one after the other: `-A` and `-D`."""
    rules: list[str] = []

    def run(words: Sequence[str], **_: object) -> None:
        rules.append(words[2])

    monkeypatch.setattr(subprocess, "run", run)
    return rules
