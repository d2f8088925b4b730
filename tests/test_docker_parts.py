"""The container stack's own parts, as far as no engine is needed: refusals, addresses, commands, configurations."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest

from harness.cli.run import RunRequest, carry_out
from harness.errors import DrillError, Exit, Refused
from harness.stacks import kinds
from harness.stacks.docker import engine, image, inside, layout, network
from harness.stacks.docker.engine import told
from harness.stacks.docker.watching import RULES, Platform, Target, Watching
from harness.stacks.load_balancers.haproxy import HAProxy, quoted
from tests import warm


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The engine is asked anew, and forgotten afterwards."""
    engine.engine.cache_clear()
    yield monkeypatch
    engine.engine.cache_clear()


@pytest.mark.parametrize("host", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"])
def test_without_an_engine_a_run_is_refused(elsewhere: pytest.MonkeyPatch, host: str) -> None:
    """Exit code 3, and what to do."""
    elsewhere.setenv("DOCKER_HOST", host)
    with pytest.raises(Refused, match="no Docker engine runs here") as refused:
        kinds.named("docker").maker.way_in(["true"], level=None)
    assert refused.value.exit is Exit.REFUSED and "dockerd" in refused.value.hint


def test_a_socket_that_is_not_ours_is_named(elsewhere: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hint names the group to join."""

    def refuse(**_: object) -> None:
        raise docker.errors.DockerException("Error while fetching server API version: Permission denied")

    elsewhere.setattr("docker.from_env", refuse)
    with pytest.raises(Refused, match="no permission") as refused:
        engine.engine()
    assert "usermod" in refused.value.hint


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ("write /x: no space left on device", Refused, "the disk of the Docker engine is full"),
        ("Bind for 127.0.0.1:80 failed: port is already allocated", Refused, "port is already allocated"),
        ("something else", DrillError, "trying: something else"),
    ],
)
def test_what_the_engine_refuses_is_one_clear_error(said: str, error: type[DrillError], words: str) -> None:
    """Whatever it is, there is a hint."""
    with pytest.raises(error, match=words) as refused, told("trying"):
        raise docker.errors.APIError("500", explanation=said)
    assert refused.value.hint


def test_too_little_room_for_the_image_is_told_before_it_is_made(elsewhere: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is pulled or built then."""
    fake = SimpleNamespace(
        info=lambda: {"DockerRootDir": str(tmp_path)}, images=SimpleNamespace(list=lambda **_: [], build=None)
    )
    elsewhere.setattr(image, "engine", lambda: fake)
    elsewhere.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(Refused, match=r"0\.0 GB free where the Docker engine keeps its images"):
        image.make(lambda _: None)


def test_an_image_that_cannot_be_made_says_its_last_words(elsewhere: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The package that was not found, and not that a command exited with 100."""

    def build(**_: object) -> None:
        log = [{"stream": "Step 3/3\n"}, {"stream": "E: Unable to locate package patroni\n"}]
        raise docker.errors.BuildError("returned a non-zero code: 100", iter(log))

    there = {image.PUBLIC_BASE: [1]}
    fake = SimpleNamespace(
        info=lambda: {"DockerRootDir": str(tmp_path)},
        images=SimpleNamespace(list=lambda name="": there.get(name, []), build=build),
    )
    elsewhere.setattr(image, "engine", lambda: fake)
    elsewhere.setattr(image, "ROOM", 0)
    with pytest.raises(Refused, match=r"cannot be made: .*Unable to locate package patroni"):
        image.make(lambda _: None)


def test_without_a_registry_and_without_mmdebstrap_the_way_out_is_named(elsewhere: pytest.MonkeyPatch) -> None:
    """The hint names the package."""

    def pull(_: str) -> None:
        raise docker.errors.APIError("500", explanation="no route to host")

    fake = SimpleNamespace(images=SimpleNamespace(list=lambda **_: [], pull=pull))
    elsewhere.setattr(image, "engine", lambda: fake)
    elsewhere.setattr("shutil.which", lambda _: None)
    with pytest.raises(Refused, match="no mmdebstrap") as refused:
        image.debian(lambda _: None)
    assert "apt install mmdebstrap" in refused.value.hint


def unreachable(elsewhere: pytest.MonkeyPatch, *programs: str, user: int) -> list[str]:
    """No registry answers, and of the programs only these are there. Returns what is said and started, as it comes."""
    happened: list[str] = []

    def pull(_: str) -> None:
        raise docker.errors.APIError("500", explanation="no route to host")

    def start(words: list[str], **_: object) -> object:
        happened.append(words[0])
        return SimpleNamespace(returncode=1, stderr="E: no mirror\n")

    fake = SimpleNamespace(
        info=lambda: {"DockerRootDir": "/"}, images=SimpleNamespace(list=lambda **_: [], pull=pull, build=None)
    )
    elsewhere.setattr(image, "engine", lambda: fake)
    elsewhere.setattr(image, "ROOM", 0)
    elsewhere.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name in programs else None)
    elsewhere.setattr("os.geteuid", lambda: user)
    elsewhere.setattr("subprocess.run", start)
    return happened


@pytest.mark.parametrize("also", [(), ("newuidmap",), ("newgidmap",)])
def test_an_ordinary_user_without_uidmap_is_refused_before_anything_is_done(
    elsewhere: pytest.MonkeyPatch, tmp_path: Path, also: tuple[str, ...]
) -> None:
    """Also by a run, which leaves no folder; both ways out are said, one as a command for any folder."""
    happened = unreachable(elsewhere, "mmdebstrap", *also, user=1000)
    elsewhere.setattr(sys, "executable", "/home/ada/my drills/.venv/bin/python")
    for begin in (
        lambda: image.make(happened.append),
        lambda: carry_out(
            RunRequest(tmp_path, tmp_path / "e", "network-failover", stack=kinds.named("docker")), quiet=False
        ),
    ):
        with pytest.raises(Refused, match="only root can make a base") as refused:
            begin()
        assert "sudo apt install uidmap" in refused.value.hint
        assert "sudo '/home/ada/my drills/.venv/bin/drdrill' stack image" in refused.value.hint
    assert happened == [] and not (tmp_path / "e").exists()


@pytest.mark.parametrize(("user", "also"), [(0, ()), (1000, ("newuidmap", "newgidmap"))])
def test_who_can_make_a_base_makes_one(elsewhere: pytest.MonkeyPatch, user: int, also: tuple[str, ...]) -> None:
    """Root, and an ordinary user with uidmap; what mmdebstrap said last is told where it fails."""
    happened = unreachable(elsewhere, "mmdebstrap", *also, user=user)
    with pytest.raises(Refused, match="mmdebstrap made no base: E: no mirror"):
        image.make(happened.append)
    assert happened == ["no image registry can be reached: making a base from packages alone", "mmdebstrap"]


def test_every_run_has_its_own_addresses() -> None:
    """Two runs begin at different ranges, and each range is a private one that no two of its networks share."""
    first, second = (list(network._candidates(run)) for run in ("20261124-012201-ffb6", "20261124-012202-ffb6"))
    assert len(set(first) | set(second)) == len(first) + len(second)
    assert all(prefix.startswith("10.") for prefix in first)
    nets = network.Subnets("10.143.7")
    assert [nets.between(), *map(nets.of_zone, range(3))] == [f"10.143.7.{at}/26" for at in (0, 64, 128, 192)]
    assert nets.in_zone(2, layout.IN_ZONE + layout.places(1).beyond) == "10.143.7.233"


def test_a_range_that_this_machine_routes_elsewhere_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A VPN's 10.200.0.0/16, say; the default route says nothing."""
    table = "Iface Destination Gateway Flags RefCnt Use Metric Mask\n"
    route = "tun0 0000C80A 00000000 0001 0 0 0 0000FFFF\neth0 00000000 0100A8C0 0003 0 0 0 00000000\n"
    (tmp_path / "route").write_text(table + route)
    monkeypatch.setattr(network, "Path", lambda _: tmp_path / "route")
    assert network._routed("10.200.7")
    assert not network._routed("10.201.7")


def test_a_command_of_ours_keeps_its_folder_and_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside the container's network it is the very program that is installed here."""
    monkeypatch.setenv("PYTHONPATH", "/somewhere")  # the caller's: what runs is the code that starts it
    words = inside.here(["python", "-m", "x"])
    assert words[:3] == ["chroot", f"--userspec={os.geteuid()}:{os.getegid()}", "/host"]
    assert words[3:] == [
        "env",
        f"--chdir={Path.cwd()}",
        f"PYTHONPATH={Path(inside.__file__).parents[3]}",
        "python",
        "-m",
        "x",
    ]


def test_the_load_balancer_never_tries_twice_and_trusts_one_authority(tmp_path: Path) -> None:
    """A second try would store a payment twice; and its key is nobody else's to read."""
    chain, key = tmp_path / "chain", tmp_path / "key"
    chain.write_text("CHAIN\n")
    key.write_text("KEY\n")
    made = HAProxy("10.0.0.5", {"api-a": ("10.0.0.21", 8443)}, chain, key, tmp_path / "ca")
    argv = made.argv(tmp_path / "haproxy")
    text = Path(argv[-1]).read_text()
    assert "retries 0" in text and "verify required" in text and "server api-a 10.0.0.21:8443" in text
    assert (tmp_path / "haproxy" / "entrance.pem").stat().st_mode & 0o077 == 0


def watching(folder: Path, address: str = "10.0.0.15") -> Watching:
    """Three zones, whose API and database are asked."""
    targets = [Target("patroni", f"patroni-{zone}", zone, f"10.0.0.{n}:8008") for n, zone in enumerate("abc")]
    targets += [
        Target("health", f"api-{zone}", zone, f"https://10.0.0.{n}:8443/health") for n, zone in enumerate("abc")
    ]
    platform = Platform("api.example.test", "s3.example.test", folder / "ca.pem")
    return Watching(address, targets, platform, "http://10.0.0.15:9095/alertmanager", folder)


def test_a_check_of_the_port_alone_asks_for_nothing(tmp_path: Path) -> None:
    """Neither a page nor a handshake: a server that hangs passes it, which is what the sabotage twin shows."""
    made = HAProxy("10.0.0.5", {"api-a": ("10.0.0.21", 8443)}, *(tmp_path / one for one in ("chain", "key", "ca")))
    assert "uri /ready" in made.configuration(tmp_path / "pem") and "check-sni" in made.configuration(tmp_path / "pem")
    text = replace(made, checks="port").configuration(tmp_path / "pem")
    assert (
        "httpchk" not in text and "http-check" not in text and "no-check-ssl" in text and "default-server check" in text
    )


def test_every_alert_names_what_failed(tmp_path: Path) -> None:
    """Each rule has the component or the zone in its summary, or is about the whole; so has each target in labels."""
    watching(tmp_path).prometheus()
    found: dict[str, Any] = json.loads((tmp_path / "rules.json").read_text())["groups"][0]
    assert [rule["alert"] for rule in found["rules"]] == [*RULES, "Watchdog"]
    whole = {name for name, (_, said) in RULES.items() if "$labels" not in said}
    assert whole == {"NobodyLeads", "NotServing", "ProbesDown"}
    jobs = {one["job_name"]: one for one in json.loads((tmp_path / "prometheus.json").read_text())["scrape_configs"]}
    assert [one["labels"]["component"] for one in jobs["patroni"]["static_configs"]] == [f"patroni-{z}" for z in "abc"]
    assert [one["labels"]["zone"] for one in jobs["health"]["static_configs"]] == ["a", "b", "c"]
    assert jobs["health"]["metrics_path"] == "/probe" and "metrics_path" not in jobs["patroni"]


def test_every_alert_goes_to_the_receiver_at_once(tmp_path: Path) -> None:
    """Nothing is grouped and nothing waits; the watchdog alone is told again and again, and ends are told too."""
    watching(tmp_path).alertmanager()
    told = json.loads((tmp_path / "alertmanager.json").read_text())
    route = told["route"]
    assert (route["group_by"], route["group_wait"], route["repeat_interval"]) == (["..."], "0s", "1h")
    assert [(one["matchers"], one["repeat_interval"]) for one in route["routes"]] == [(['alertname="Watchdog"'], "5s")]
    sink = told["receivers"][0]["webhook_configs"]
    assert sink == [{"url": "http://10.0.0.15:9095/alertmanager", "send_resolved": True}]


def test_the_api_is_asked_by_its_name_and_with_its_certificate_verified(tmp_path: Path) -> None:
    """A plain answer would be no good one; a certificate of somebody else neither."""
    watching(tmp_path).blackbox()
    asked = json.loads((tmp_path / "blackbox.json").read_text())["modules"]["platform"]["http"]
    assert asked["tls_config"] == {"ca_file": str(tmp_path / "ca.pem"), "server_name": "api.example.test"}
    assert asked["fail_if_not_ssl"] is True and asked["headers"] == {"Host": "api.example.test"}


def test_prometheus_that_does_not_answer_is_not_steady(tmp_path: Path) -> None:
    """It says so, and raises nothing."""
    seen = watching(tmp_path, "127.0.0.1").condition()
    assert not seen.ok and seen.seen.startswith("Prometheus does not answer")


def test_a_path_is_one_word_for_the_load_balancer() -> None:
    """A folder may have blanks, quotes and dollars in its name."""
    assert quoted(Path('/a clone/"x"/$y')) == '"/a clone/\\"x\\"/\\$y"'


@pytest.mark.parametrize("words", [["run", "monthly"], ["prove", "database-backup-restoration"], ["stack", "up"]])
def test_without_an_engine_nothing_is_begun(tmp_path: Path, words: list[str]) -> None:
    """One error, a hint, exit code 3, and no folder of evidence."""
    env = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = warm.drdrill(*words, "--stack", "docker", "--evidence", tmp_path / "e", env=env)
    assert done.returncode == Exit.REFUSED
    assert done.stderr.startswith("error: no Docker engine runs here\nHINT: ") and done.stderr.count("\n") == 2
    assert not (tmp_path / "e").exists()
