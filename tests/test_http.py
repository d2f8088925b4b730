"""The one HTTP client: real requests to a small service that can misbehave, and what is made of the answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.stacks import Entrance
from harness.stacks.parts.etcd import says_healthy
from harness.stacks.parts.tls import Authority, make_authority
from harness.stacks.parts.visitor import Visitor
from harness.system import clock
from harness.system.http import DIRECT, LONGEST, Canned, NoAnswer, Response
from harness.system.resolver import Fixed
from harness.workload.probe import Probe
from tests.small_service import Mood, SmallService

NAME = "api.quantumnest.com"
SOON = timedelta(seconds=5)
SHORT = timedelta(seconds=0.5)
HERE = Fixed(("127.0.0.1",))
BODY = {"origin": "test", "number": 1}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def service(authority: Authority) -> Iterator[SmallService]:
    small = SmallService(*authority.issue("api", [NAME]))
    yield small
    small.close()


def asked(service: SmallService, authority: Authority, *, name: str = NAME, within: timedelta = SOON) -> Response:
    url = f"https://{name}:{service.port}/transactions"
    return DIRECT.ask("POST", url, within=within, sends=BODY, ca=authority.ca, resolver=HERE)


@pytest.mark.parametrize(
    ("mood", "status"), [("store", 201), ("decline", 409), ("shrug", 500), ("proxy", 503), ("redirect", 307)]
)
def test_every_status_is_an_answer(service: SmallService, authority: Authority, mood: Mood, status: int) -> None:
    """Also an error's, and a redirect's, which is not followed; the server is asked by its name, once."""
    service.mood = mood
    assert asked(service, authority).status == status
    assert service.heard == [("test", 1)] and service.hosts == {f"{NAME}:{service.port}"}


@pytest.mark.parametrize("mood", ["reset", "lose", "cut"])
def test_half_an_answer_is_none_and_nothing_is_sent_again(
    service: SmallService, authority: Authority, mood: Mood
) -> None:
    """Whatever broke, somebody had taken the connection."""
    service.mood = mood
    with pytest.raises(NoAnswer) as broken:
        asked(service, authority)
    assert broken.value.taken and not broken.value.late and len(service.heard) == 1


@pytest.mark.parametrize("mood", ["stall", "drip"])
def test_the_limit_is_for_all_of_the_answer(service: SmallService, authority: Authority, mood: Mood) -> None:
    """One that never comes, and one that begins and never ends."""
    service.mood = mood
    begin = clock.mono()
    with pytest.raises(NoAnswer, match=r"no answer within 0.5 s") as silent:
        asked(service, authority, within=SHORT)
    assert silent.value.late and silent.value.taken
    assert clock.since(begin) < SHORT * 4


def test_a_certificate_is_checked(service: SmallService, authority: Authority, tmp_path: Path) -> None:
    """Its name and its authority; the connection counts as not taken then."""
    other = make_authority(tmp_path)
    for name, ca in (("other.example.com", authority.ca), (NAME, other.ca)):
        with pytest.raises(NoAnswer, match="certificate verify failed") as refused:
            DIRECT.ask("GET", f"https://{name}:{service.port}/", within=SOON, ca=ca, resolver=HERE)
        assert not refused.value.taken
    assert service.heard == []


def test_an_authority_that_was_made_anew_is_the_one_that_counts(
    service: SmallService, authority: Authority, tmp_path: Path
) -> None:
    """As by a run whose first stack was spoilt: the second one lies in the same place."""
    ca = make_authority(tmp_path).ca
    with pytest.raises(NoAnswer, match="certificate verify failed"):
        DIRECT.ask("GET", f"https://{NAME}:{service.port}/", within=SOON, ca=ca, resolver=HERE)
    ca.write_bytes(authority.ca.read_bytes())
    assert asked(service, replace(authority, ca=ca)).status == 201


def test_the_next_address_of_a_name_is_tried(service: SmallService, authority: Authority) -> None:
    """Where nobody takes a connection; and nobody at all is an error with the system's own word."""
    url = f"https://{NAME}:{service.port}/transactions"
    found = DIRECT.ask(
        "POST", url, within=SOON, sends=BODY, ca=authority.ca, resolver=Fixed(("127.0.0.2", "127.0.0.1"))
    )
    assert found.status == 201
    with pytest.raises(NoAnswer, match="Connection refused") as refused:
        DIRECT.ask("GET", url, within=SOON, ca=authority.ca, resolver=Fixed(("127.0.0.2", "127.0.0.3")))
    assert not refused.value.taken


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"hello\r\n\r\n", "is not HTTP"),
        (b"", "breaks off without an answer"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LONGEST + 1), "more than"),
    ],
    ids=["garbage", "nothing", "too long"],
)
def test_what_is_no_answer_says_why(said: bytes, why: str) -> None:
    """Also one without end: no more than a bound is read."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            opened = server.accept()[0]
            opened.recv(4096)
            try:
                opened.sendall(said)
            except OSError:
                assert len(said) > LONGEST  # nobody reads on
            opened.close()

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(NoAnswer, match=why):
            DIRECT.ask("GET", f"http://127.0.0.1:{server.getsockname()[1]}/", within=SOON)
        thread.join()


def test_nothing_of_the_environment_has_a_say(
    service: SmallService, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy, say."""
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.9:9")
    assert asked(service, authority).status == 201


@pytest.mark.parametrize(
    ("answer", "healthy"),
    [
        (Response(200, b'{"health":"true"}'), True),
        (Response(503, b'{"health":"true"}'), False),
        (Response(200, b'{"health":"false"}'), False),
        (None, False),
    ],
)
def test_etcd_is_healthy_by_its_own_word(answer: Response | None, healthy: bool) -> None:
    """And not where it says nothing."""
    assert says_healthy("10.0.0.1:2379", Canned(answer)) is healthy


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (Response(200, b'{"status": "ready"}'), "HTTP 200: status ready"),
        (Response(503, b""), "HTTP 503: "),
        (Response(503, b"no healthy upstream"), "NoAnswer: HTTP 503, and no object in JSON"),
        (Response(200, b"[]"), "NoAnswer: HTTP 200, and no object in JSON"),
        (None, "NoAnswer: nobody answers GET https://api.quantumnest.com:8443/ready"),
    ],
)
def test_a_visitor_says_what_was_seen(answer: Response | None, seen: str) -> None:
    """In the words of whoever answered, or why nobody did."""
    found = Visitor(Entrance(NAME, HERE, 8443, Path("ca")), http=Canned(answer)).ready()
    assert (found.ok, found.seen) == (seen.startswith("HTTP 200"), seen)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [(Response(200, b'{"id": 7}'), 200, {"id": 7}), (Response(503, b"oh"), 503, "oh"), (None, 0, None)],
)
def test_a_probe_never_raises(answer: Response | None, status: int, body: Any) -> None:
    """Without an answer the status is 0, and the error says why."""
    found = Probe(Entrance(NAME, HERE, 8443, Path("ca")), http=Canned(answer)).ask("GET", "/health", within=SOON)
    assert (found.status, found.body, bool(found.error)) == (status, body, answer is None)
