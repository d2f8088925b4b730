"""What stands in for the services: its rules where nothing is wrong, and the program as a stack starts it."""

from __future__ import annotations

import json
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from harness.communications.channels import simulated
from harness.errors import Refused
from harness.stacks.parts.receivers import SERVICES, control, served, slack, store, teams, unit
from harness.stacks.parts.receivers.control import Control
from harness.stacks.parts.receivers.rate import Rate
from harness.system import wait
from harness.system.http import DIRECT, NoAnswer, Response
from tests.receivers import Receivers, free_ports
from tests.test_house import HOME

SOON = timedelta(seconds=10)
TOKEN = "0123456789abcdef" * 2


@pytest.fixture(scope="module")
def receivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    made = Receivers(tmp_path_factory.mktemp("receivers"))
    yield made
    made.stop()


def posted(receivers: Receivers, service: str, path: str, body: Any, **more: Any) -> Response:
    return DIRECT.ask("POST", receivers.url(service) + path, within=SOON, sends=body, **more)


def section(text: str, kind: str = "section") -> dict[str, Any]:
    return {"type": kind, "text": {"type": "plain_text", "text": text}}


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        (slack.PATH, {"text": "hello"}, (200, b"ok")),
        ("/services/T/B/gone", {"text": "hello"}, (404, b"no_service")),
        (slack.PATH, b"{", (400, b"invalid_payload")),
        (slack.PATH, b"[" * 100_000, (400, b"invalid_payload")),
        (slack.PATH, ["hello"], (400, b"invalid_payload")),
        (slack.PATH, {"text": ""}, (400, b"no_text")),
        (slack.PATH, {"blocks": [section("x" * 3001)]}, (400, b"invalid_blocks")),
        (slack.PATH, {"blocks": [section("x" * 151, "header")]}, (400, b"invalid_blocks")),
        (slack.PATH, {"blocks": [section("x")] * 51}, (400, b"invalid_blocks")),
        (slack.PATH, {"blocks": "x"}, (400, b"invalid_blocks")),
        (slack.PATH, {"blocks": [section("x", "video")]}, (400, b"invalid_blocks")),
    ],
)
def test_slack_says_its_words(receivers: Receivers, path: str, body: Any, answer: tuple[int, bytes]) -> None:
    """As the real one does, and as it calls its pages HTML."""
    found = posted(receivers, "slack", path, body)
    assert (found.status, found.body) == answer and found.headers["content-type"] == "text/html"


CARD = {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": "hello"}]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"type": "message", "attachments": [{"contentType": teams.CARD, "content": CARD}]}, 202),
        ({"type": "message", "attachments": [{"contentType": teams.CARD, "content": {**CARD, "x": "é" * 9_400}}]}, 413),
        ({"type": "message", "attachments": [{"contentType": teams.CARD, "content": {**CARD, "version": "2"}}]}, 400),
        ({"type": "message", "attachments": []}, 400),
        ({"text": "as connectors had it"}, 400),
        ([], 400),
        (b"x", 400),
    ],
)
def test_teams_takes_a_card_and_nothing_else(receivers: Receivers, body: Any, status: int) -> None:
    """202 and nothing in it; else an error with a code."""
    found = wait.poll(
        lambda: posted(receivers, "teams", teams.PATH, body), within=SOON, enough=lambda it: it.status != 429
    )
    assert found.status == status
    assert found.body == b"" if status == 202 else found.json()["error"]["code"]


def test_more_than_four_cards_at_once_are_too_many(receivers: Receivers) -> None:
    """And it says after which second there may be more."""
    card = {"type": "message", "attachments": [{"contentType": teams.CARD, "content": CARD}]}
    found = [posted(receivers, "teams", teams.PATH, card) for _ in range(8)]
    late = [each for each in found if each.status == 429]
    assert late and {each.headers["retry-after"] for each in late} == {"1"}


EVENT = {"routing_key": "x", "event_action": "trigger", "dedup_key": "d",
         "payload": {"summary": "down", "source": "drill", "severity": "critical"}}  # fmt: skip  # a table


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (EVENT, 202, "Event processed"),
        ({**EVENT, "routing_key": ""}, 400, "'routing_key' is missing or blank"),
        ({**EVENT, "event_action": "shout"}, 400, "'event_action' is not one of"),
        ({**EVENT, "payload": None}, 400, "'payload' is missing or blank"),
        ({**EVENT, "payload": {**EVENT["payload"], "severity": "bad"}}, 400, "'payload.severity' is not one of"),
        ({**EVENT, "payload": {**EVENT["payload"], "summary": "x" * 1025}}, 400, "'payload.summary' is missing"),
        ({**EVENT, "x": "x" * 512_000}, 413, "too large"),
        ([], 400, "JSON is invalid"),
    ],
)  # fmt: skip  # a table
def test_pagerduty_says_what_is_wrong(receivers: Receivers, body: Any, status: int, says: str) -> None:
    """Each thing by itself."""
    found = posted(receivers, "pager", "/v2/enqueue", body)
    assert found.status == status and says in found.body.decode()


def test_opsgenie_wants_a_key(receivers: Receivers) -> None:
    """And a message."""
    body, key = {"message": "down"}, {"headers": {"Authorization": "GenieKey x"}}
    assert posted(receivers, "pager", "/v2/alerts", body).status == 401
    assert posted(receivers, "pager", "/v2/alerts", {"message": ""}, **key).status == 422
    assert posted(receivers, "pager", "/v2/alerts", body, **key).status == 202


def test_addresses_are_for_nobody_else(tmp_path: Path) -> None:
    """Neither how people answer, nor what came in below the same folder."""
    ground = SimpleNamespace(folder=tmp_path, unit=lambda name, argv, **_: argv())
    unit.unit(cast("Any", ground), address="127.0.0.1")
    folder = unit.folder(cast("Any", ground))
    control.leave(folder, Control())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / control.FILE).stat().st_mode & 0o777 == 0o600


def test_whoever_only_looks_at_a_link_acknowledges_nothing(receivers: Receivers) -> None:
    """A button does; a program that opens every link does not press it."""
    url = receivers.url("page")

    def seen() -> Response:
        return DIRECT.ask("GET", f"{url}/acknowledged/{TOKEN}", within=SOON)

    assert b"<button>" in DIRECT.ask("GET", f"{url}/acknowledge/{TOKEN}", within=SOON).body and seen().status == 404
    assert b"Noted" in posted(receivers, "page", f"/acknowledge/{TOKEN}", b"").body
    assert seen().json()["mono"] > 0
    for path in ("/", "/acknowledge/", "/acknowledge/x", "/acknowledged/../x", f"/acknowledge/{TOKEN}/x"):
        assert DIRECT.ask("GET", url + path, within=SOON).status == 404


@pytest.mark.parametrize("body", [b"x", [], {"token": "x", "text": "y"}, {"token": TOKEN}, {"token": 1, "text": "y"}])
def test_a_task_that_is_none_is_refused(receivers: Receivers, body: Any) -> None:
    """By its status, and nothing breaks."""
    assert posted(receivers, "page", "/tasks", body).status == 400


def test_what_is_no_request_breaks_nothing(receivers: Receivers) -> None:
    """Without a length, or with too much of it."""
    url = receivers.url("slack") + slack.PATH
    assert DIRECT.ask("GET", url, within=SOON).status == 404
    for length, status in (("99999999", b"413"), ("many", b"411")):
        with socket.create_connection(("127.0.0.1", receivers.ports["slack"])) as raw:
            raw.sendall(f"POST {slack.PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
            assert raw.recv(100).startswith(b"HTTP/1.1 " + status)
    assert posted(receivers, "slack", slack.PATH, {"text": "still here"}).status == 200


def test_a_mode_that_a_service_has_not_is_refused(tmp_path: Path) -> None:
    """With those that there are."""
    with pytest.raises(Refused, match="the simulated e-mail has no mode html") as caught:
        control.leave(tmp_path, Control({"e-mail": "html"}))
    assert "hangs" in caught.value.hint
    with pytest.raises(Refused, match="the simulated fax has no mode up"):
        control.leave(tmp_path, Control({"fax": "up"}))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"modes": [], "people": 1, "otherwise": "x"}', '{"otherwise": true}'])
def test_a_control_file_that_says_nothing_changes_nothing(tmp_path: Path, text: str) -> None:
    """They behave as usual, and nobody acknowledges."""
    (tmp_path / control.FILE).write_text(text)
    assert control.read(tmp_path) == Control()


def test_a_control_file_is_read_as_it_was_left(tmp_path: Path) -> None:
    """Whoever is named first in it answers for a text that names several."""
    people = {"mira@example.com": timedelta(seconds=2), "U0MIRA12345": None}
    left = Control({"slack": "hangs", "page": "down"}, people, timedelta(seconds=9))
    control.leave(tmp_path, left)
    found = control.read(tmp_path)
    assert found == left and found.mode("slack") == "hangs" and found.mode("teams") == "up"
    assert found.acknowledges("<mira@example.com>") == timedelta(seconds=2)
    assert found.acknowledges("<@U0MIRA12345>") is None and found.acknowledges("else") == timedelta(seconds=9)


def test_a_rate_gives_a_burst_and_then_one_after_another() -> None:
    """And says how long until the next."""
    rate = Rate(2, timedelta(seconds=60))
    assert [rate.wait(), rate.wait()] == [timedelta(), timedelta()]
    assert timedelta(seconds=59) < rate.wait() <= timedelta(seconds=60)


def test_the_program_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    """It says that it is simulated; a port that is taken, and words that are no address, are one line and 1."""
    port, other = free_ports(2)
    program = [sys.executable, "-m", "harness.stacks.parts.receivers", "--folder", str(tmp_path)]
    words = [*program, "--slack", f"127.0.0.1:{port}", "--e-mail", f"127.0.0.1:{other}"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=HOME) as running:
        assert running.stderr and running.stderr.readline() == "stands in for slack, e-mail (simulated)\n"
        url = f"http://127.0.0.1:{port}{slack.PATH}"
        assert DIRECT.ask("POST", url, within=SOON, sends={"text": "hello"}).body == b"ok"
        taken = subprocess.run(words, capture_output=True, text=True, cwd=HOME, check=False)
        assert taken.returncode == 1 and f"receivers: slack: 127.0.0.1:{port}" in taken.stderr
        assert "Traceback" not in taken.stderr
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    (line,) = store.lines(tmp_path)
    assert line["service"] == "slack" and json.loads((tmp_path / f"{line['file']}.json").read_text())["text"] == "hello"
    with pytest.raises(NoAnswer):
        DIRECT.ask("GET", url, within=SOON)
    wrong = subprocess.run([*program, "--slack", "here"], capture_output=True, text=True, cwd=HOME, check=False)
    assert (wrong.returncode, wrong.stderr) == (1, "receivers: here is not ADDRESS:PORT\n")


def test_none_asks_for_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a network of containers no name server answers: each would be asked for many seconds, and no port be open."""

    def asked(*_: object) -> str:
        raise AssertionError("a name server was asked")

    monkeypatch.setattr(socket, "getfqdn", asked)
    made = Receivers(tmp_path)
    try:
        assert posted(made, "slack", slack.PATH, {"text": "hello"}).body == b"ok"
        with smtplib.SMTP("127.0.0.1", made.ports["e-mail"], local_hostname="x.invalid", timeout=5) as server:
            assert server.noop()[0] == 250
    finally:
        made.stop()


def test_a_stack_has_them_as_one_component(tmp_path: Path) -> None:
    """Each on a port of its own at one address; what they keep lies in the stack's folder."""
    started: dict[str, Any] = {}

    def made(name: str, **more: Any) -> str:
        started.update(more, words=more["argv"]())
        return name

    ground = SimpleNamespace(folder=tmp_path, unit=made)
    assert unit.unit(cast(Any, ground), address="10.1.0.9", place="watch") == unit.NAME
    assert started["place"] == "watch" and f"--folder={unit.folder(cast(Any, ground))}" in started["words"]
    urls = unit.urls("10.1.0.9")
    assert set(urls) == set(SERVICES) and urls["slack"].endswith(slack.PATH) and urls["e-mail"].startswith("smtp://")
    for name in SERVICES:
        where = urlsplit(urls[name]).netloc
        assert f"--{name}={where}" in started["words"] and served.address(where)[0] == "10.1.0.9"
    channels = simulated.channels(
        urls, status_page=Path("status.html"), title="Status", bridge_number="+1-555-0199", own=["10.1.0.9"]
    )
    assert not any(channel.real for channel in channels.values())
    with pytest.raises(Refused, match=r"10\.1\.0\.9: a channel that is not real would leave this machine"):
        simulated.channels(urls, status_page=Path("status.html"), title="Status", bridge_number="+1-555-0199")
