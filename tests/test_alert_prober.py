"""The prober: what rounds of looks say is wrong, as a pure function, and what it tells a receiver on loopback."""

from __future__ import annotations

import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.alerts import prober
from harness.alerts.alert_file import AlertFile
from harness.alerts.look import look
from harness.alerts.prober import Config, Prober, Told
from harness.alerts.receiver import Receiver
from harness.alerts.rules import Look, Problem, Target, firing, wrong
from harness.stacks import Entrance
from harness.stacks.local.watching import Watched, Watching
from harness.stacks.parts.monitor import named
from harness.stacks.parts.settings import Settings
from harness.system import clock, wait
from harness.system.recorder import Memory
from harness.system.resolver import Fixed

GOOD, BAD, SILENT = Look(200, "HTTP 200"), Look(503, "HTTP 503"), Look(0, "no answer within 1 s", taken=False)
API, READY = Target("api-a", "a", "https://a/health"), Target("api-a", "a", "https://a/ready", "ready")
FIRST, SECOND = (Target(f"patroni-{z}", z, f"http://{z}/primary", "leads") for z in "ab")
FRONT = Target("envoy-1", "", "https://front/health", "there")
SOON = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("looks", "problems"),
    [
        ({API: GOOD, READY: GOOD}, []),
        ({API: SILENT, READY: GOOD}, [Problem("InstanceDown", "api-a", "a")]),
        ({API: BAD, READY: BAD}, [Problem("InstanceDown", "api-a", "a")]),
        ({API: GOOD, READY: BAD}, [Problem("NotReady", "api-a", "a")]),
        ({API: GOOD, READY: SILENT}, [Problem("NotReady", "api-a", "a")]),
        ({API: SILENT, READY: SILENT}, [Problem("InstanceDown", "api-a", "a"), Problem("ZoneUnreachable", "", "a")]),
        ({FIRST: GOOD, SECOND: BAD}, []),
        ({FIRST: BAD, SECOND: SILENT}, [Problem("NobodyLeads"), Problem("ZoneUnreachable", "", "b")]),
        ({FRONT: SILENT}, [Problem("InstanceDown", "envoy-1")]),
        ({FRONT: BAD}, [Problem("NotServing")]),
        ({FRONT: Look(0, "no answer within 1 s")}, [Problem("NotServing")]),
    ],
    ids=lambda value: "" if isinstance(value, dict) else "+".join(p.name for p in value) or "well",
)
def test_a_round_says_what_is_wrong(looks: dict[Target, Look], problems: list[Problem]) -> None:
    """A dead API is not also unready, and a load balancer that is there is not blamed for what stands behind it."""
    found = wrong(looks)
    assert list(found) == problems
    assert all(found.values())


def test_nobody_is_told_of_a_single_bad_look() -> None:
    """Only what was wrong in every round fires, and one good look ends it."""
    down = Problem("InstanceDown", "api-a", "a")
    bad, good = {API: SILENT, READY: GOOD}, {API: GOOD, READY: GOOD}
    assert (firing([]), firing([good, bad]), firing([bad, good])) == ({}, {}, {})
    assert list(firing([bad, bad])) == [down]


def test_a_sabotaged_alert_names_a_zone_that_is_no_longer_there() -> None:
    """And its component; what stands in no zone keeps its name."""
    wrongly = Settings(alerts="wrong")
    assert named("api-c", "c", chosen=wrongly) == ("api-c-old", "c-old")
    assert named("api-c", "c", chosen=Settings()) == ("api-c", "c")
    assert named("s3", "", chosen=wrongly) == ("s3", "")


def test_every_component_of_an_embedded_stack_is_asked(tmp_path: Path) -> None:
    """Sabotaged, everything of a zone is named as a former one's, so that no alert names what really failed."""
    ground: Any = SimpleNamespace(
        zones=list("abc"), folder=tmp_path, watch="10.0.0.9", address=lambda zone: f"10.0.0.{ord(zone)}",
        store_address=lambda zone: f"10.0.1.{ord(zone)}",
        unit=lambda name, **_: SimpleNamespace(name=name),
    )  # fmt: skip  # arguments in groups
    entrance = Entrance("api.example.test", Fixed(()), 8443, tmp_path / "ca.pem")
    balancers = {"envoy-1": "10.0.0.5", "envoy-2": "10.0.0.6"}

    def asked(settings: Settings) -> list[Target]:
        store = "https://10.0.0.10:9000"
        region = Watched(ground, entrance, balancers, "s3", store, "abc")
        return Watching(ground, [region], chosen=settings).targets()

    right, wrongly = asked(Settings()), asked(Settings(alerts="wrong"))
    of_zones = {f"{part}-{zone}" for part in ("api", "patroni", "etcd") for zone in "abc"}
    assert {one.component for one in right} == {*of_zones, "envoy-1", "envoy-2", "s3"}
    assert [one.url for one in right] == [one.url for one in wrongly]
    turned = {one.zone: other.zone for one, other in zip(right, wrongly, strict=True)}
    assert turned == {"a": "a-old", "b": "b-old", "c": "c-old", "": ""}


class Answering(http.server.BaseHTTPRequestHandler):
    """Says `mood`."""

    mood = 200

    def do_GET(self) -> None:
        self.send_response(type(self).mood)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def serving(server: http.server.HTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def platform() -> Iterator[int]:
    """The port of something that answers well."""
    Answering.mood = 200
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)) as port:
        yield port


def test_a_look_is_a_real_request(platform: int) -> None:
    """The status that was answered, or why there is none."""
    target = Target("x", "", f"http://127.0.0.1:{platform}/health")
    assert look(target, within=SOON) == Look(200, "HTTP 200")
    Answering.mood = 503
    assert look(target, within=SOON) == Look(503, "HTTP 503")
    secure = look(Target("x", "", f"https://127.0.0.1:{platform}/"), within=SOON)
    assert (secure.status, secure.taken) == (0, False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert look(Target("x", "", f"http://127.0.0.1:{port}/"), within=SOON) == Look(0, "Connection refused", taken=False)


@pytest.mark.parametrize("drip", [b"", b"H"], ids=["silent", "dripping"])
def test_a_look_never_takes_longer_than_its_limit(drip: bytes) -> None:
    """Neither at a server that says nothing, nor at one that never ends its first line."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            opened = server.accept()[0]
            while drip and not ended.wait(0.05):
                opened.sendall(drip)
            ended.wait()
            opened.close()

        thread = threading.Thread(target=serve)
        thread.start()
        begin = clock.mono()
        seen = look(Target("x", "", f"http://127.0.0.1:{server.getsockname()[1]}/"), within=timedelta(seconds=0.4))
        took = clock.since(begin).total_seconds()
        ended.set()
        thread.join()
    assert seen == Look(0, "no answer within 0.4 s") and 0.35 < took < 1.5


def test_it_tells_what_fires_and_what_is_over(platform: int, tmp_path: Path) -> None:
    """Twice bad is told once; good again is told once; the watchdog came first."""
    file = AlertFile(tmp_path / "alerts.jsonl")
    with serving(Receiver("127.0.0.1", 0, file.path)) as port:
        probing = Prober(_config(port, platform), told=Told(tmp_path / "told"))
        for mood, told in ((200, 0), (503, 0), (503, 1), (503, 1), (200, 2), (200, 2)):
            Answering.mood = mood
            probing.round()
            assert len(file.alerts()) == told, mood
    first, second = file.alerts()
    assert (first.state, first.name, first.component, first.zone) == ("firing", "InstanceDown", "api-a", "a")
    assert (second.state, second.name, second.component) == ("resolved", "InstanceDown", "api-a")
    assert first.starts == second.starts and file.silence() is not None
    assert file.firing() == []


def test_what_was_not_taken_is_told_again(platform: int, tmp_path: Path) -> None:
    """A receiver that was away misses nothing that still fires."""
    Answering.mood = 503
    file = AlertFile(tmp_path / "alerts.jsonl")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    probing = Prober(_config(port, platform), told=Told(tmp_path / "told"))
    for _ in range(3):
        probing.round()
    with serving(Receiver("127.0.0.1", port, file.path)):
        probing.round()
    assert [one.state for one in file.alerts()] == ["firing"] and file.silence() is not None


def test_started_again_it_tells_what_fires_and_what_ended_meanwhile(platform: int, tmp_path: Path) -> None:
    """The first rounds of a new prober take nothing back that they have not seen well."""
    file, told = AlertFile(tmp_path / "alerts.jsonl"), tmp_path / "told"
    with serving(Receiver("127.0.0.1", 0, file.path)) as port:

        def rounds(*moods: int) -> list[str]:
            before, probing = len(file.alerts()), Prober(_config(port, platform), told=Told.read(told))
            for Answering.mood in moods:
                probing.round()
            return [one.state for one in file.alerts()[before:]]

        assert rounds(503, 503) == ["firing"]
        assert rounds(503) == []
        assert rounds(503, 503, 503) == ["firing"]
        assert rounds(200, 200) == ["resolved"]
        assert rounds(200, 200) == []


def test_while_a_stack_starts_only_what_was_seen_well_can_fail(platform: int, tmp_path: Path) -> None:
    """Nobody is told of what has not come up yet."""
    file = AlertFile(tmp_path / "alerts.jsonl")
    with serving(Receiver("127.0.0.1", 0, file.path)) as port:
        starting = Config(f"http://127.0.0.1:{port}/alertmanager", clock.mono() + 10**12, _targets(platform))
        probing = Prober(starting, told=Told(tmp_path / "told"))
        for mood, told in ((503, 0), (503, 0), (503, 0), (200, 0), (503, 0), (503, 1)):
            Answering.mood = mood
            probing.round()
            assert len(file.alerts()) == told


def test_the_program_watches_until_it_is_told_to_end(platform: int, tmp_path: Path) -> None:
    """By its configuration, a file; one that cannot be read is one line and exit code 1."""
    file, config = AlertFile(tmp_path / "alerts.jsonl"), tmp_path / "prober.json"
    words = [sys.executable, "-m", "harness.alerts.prober", f"--config={config}"]
    refused = subprocess.run(words, capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    with serving(Receiver("127.0.0.1", 0, file.path)) as port:
        config.write_text(_config(port, platform).text())
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
            wait.until(file.silence, what="the watchdog", within=timedelta(seconds=20), recorder=Memory())
            process.terminate()
            assert process.wait(10) == 0


def test_a_round_takes_no_longer_than_its_slowest_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are asked at once."""
    monkeypatch.setattr(prober, "look", lambda *_, **__: time.sleep(0.3) or GOOD)
    targets = tuple(Target(f"x{n}", "", "http://127.0.0.1:1/") for n in range(20))
    begin = clock.mono()
    Prober(Config("http://127.0.0.1:1/alertmanager", 0, targets), told=Told(tmp_path / "told")).round()
    assert clock.since(begin).total_seconds() < 1.5


def _targets(platform: int) -> tuple[Target, ...]:
    return (Target("api-a", "a", f"http://127.0.0.1:{platform}/health"),)


def _config(port: int, platform: int) -> Config:
    return Config(f"http://127.0.0.1:{port}/alertmanager", 0, _targets(platform))
