"""The alert receiver: what any monitoring may post is kept durable, and nothing that is posted can break it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from harness.alerts.alert_file import AlertFile
from harness.alerts.formats import LONGEST
from harness.alerts.receiver import BODY_LIMIT, Receiver
from harness.alerts.writer import Writer
from harness.stacks import Condition
from harness.stacks.parts.monitor import Monitor, alert_file
from harness.system import clock


@dataclass(frozen=True)
class Sink:
    """A receiver that serves, and its file."""

    port: int
    file: AlertFile

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        said = answer.status, answer.read().decode()
        connection.close()
        return said

    def say(self, raw: bytes) -> bytes:
        """What it answers to bytes that need not be HTTP."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as opened:
            opened.sendall(raw)
            opened.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: opened.recv(4096), b""))


@contextmanager
def receiving(path: Path) -> Iterator[Sink]:
    receiver = Receiver("127.0.0.1", 0, path)
    thread = threading.Thread(target=receiver.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Sink(receiver.server_address[1], AlertFile(path))
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with receiving(tmp_path / "alerts" / "alerts.jsonl") as found:
        yield found


def alert(name: str = "InstanceDown", **more: Any) -> dict[str, Any]:
    """One as Alertmanager sends it; `more` replaces fields."""
    return {
        "status": "firing",
        "labels": {"alertname": name, "component": "api-a", "zone": "a", "severity": "page"},
        "annotations": {"summary": "api-a does not answer"},
        "startsAt": "2026-11-23T21:55:01.123456789+01:00",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.test/graph?g0.expr=up",
        "fingerprint": "1a30ba71cca2921f",
        **more,
    }


def webhook(*alerts: Any, **more: Any) -> bytes:
    """A whole message of Alertmanager 0.25."""
    whole = {"receiver": "drill", "status": "firing", "alerts": list(alerts), "groupLabels": {}, "commonLabels": {},
             "commonAnnotations": {}, "externalURL": "http://alertmanager.example.test", "version": "4",
             "groupKey": "{}:{}", "truncatedAlerts": 0}  # fmt: skip  # a table
    return json.dumps({**whole, **more}).encode()


def test_alertmanager_is_understood(sink: Sink) -> None:
    """Each alert has its own state, the labels that name what failed, and its start in UTC as a journal writes it."""
    before = clock.mono()
    assert sink.post("/alertmanager", webhook(alert(), alert(status="resolved"))) == (200, "2 kept\n")
    first, second = sink.file.alerts()
    assert (first.name, first.component, first.zone, first.state) == ("InstanceDown", "api-a", "a", "firing")
    assert (first.starts, first.summary) == ("2026-11-23T20:55:01.123456Z", "api-a does not answer")
    assert second.state == "resolved" and first.region == ""
    assert before < first.received <= second.received < clock.mono()


def grafana(*alerts: Any, **more: Any) -> bytes:
    """A whole message of Grafana 10, with what Alertmanager does not send."""
    known = [
        {
            **one,
            "values": {"B": 22, "C": 1.5},
            "valueString": "[ var='B' value=22 ]",
            "silenceURL": "http://g.example",
            "dashboardURL": "",
            "panelURL": "",
            "imageURL": "",
        }
        for one in alerts
    ]
    whole = {"version": "1", "orgId": 1, "title": "[FIRING:2, RESOLVED:1] Disk", "state": "alerting", "message": "x"}
    return webhook(*known, **{**whole, **more})


@pytest.mark.parametrize("path", ["/grafana", "/alertmanager"])
def test_grafana_is_understood(sink: Sink, path: str) -> None:
    """Wherever it posts; it writes its own zone's time, with as many digits as it has."""
    sent = grafana(alert(startsAt="2026-03-29T04:00:00.92607674+02:00"), alert(status="resolved", values=None))
    assert sink.post(path, sent) == (200, "2 kept\n")
    first, second = sink.file.alerts()
    assert (first.name, first.component, first.zone, first.state) == ("InstanceDown", "api-a", "a", "firing")
    assert (first.starts, second.state) == ("2026-03-29T02:00:00.926076Z", "resolved")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-28T10:00:00Z", "2026-11-28T10:00:00.000000Z"),
        ("2026-11-28T10:00:00.5Z", "2026-11-28T10:00:00.500000Z"),
        ("2026-11-28T10:00:00.123456789Z", "2026-11-28T10:00:00.123456Z"),
        ("2026-11-28T05:30:00.1234567-05:30", "2026-11-28T11:00:00.123456Z"),
        ("2026-11-28T11:00:00+01:00", "2026-11-28T10:00:00.000000Z"),
        ("0001-01-01T00:00:00Z", ""),  # Go's way to say that there is none
        ("0001-01-01T00:00:00+01:00", ""),
        ("", ""),
    ],
)
def test_a_moment_is_read_however_it_is_written(sink: Sink, written: str, meant: str) -> None:
    """With Z or an offset, and with any number of digits."""
    assert sink.post("/alertmanager", webhook(alert(startsAt=written, endsAt=written)))[0] == 200
    assert sink.file.alerts()[0].starts == meant


def test_two_instances_under_one_name_are_two_alerts(sink: Sink) -> None:
    """Whatever label tells them apart: one that is resolved says nothing about the other, nor does its group."""
    one, other = ({"alertname": "Lag", "component": "db", "instance": f"db:{port}"} for port in (5432, 5433))
    sink.post("/alertmanager", webhook(alert(labels=one), alert(labels=other)))
    sink.post("/alertmanager", webhook(alert(labels=other, status="resolved"), alert(labels=one), status="resolved"))
    (left,) = sink.file.firing()
    assert (left.name, left.component) == ("Lag", "db")
    sink.post("/alertmanager", webhook(alert(labels=one, status="resolved"), status="resolved"))
    assert sink.file.firing() == []


def test_alerts_whose_labels_are_alike_are_told_apart_by_their_fingerprint(sink: Sink) -> None:
    """Grafana leaves labels of its own out; its fingerprint is of all of them."""
    sink.post("/grafana", grafana(alert(fingerprint="aa"), alert(fingerprint="bb")))
    sink.post("/grafana", grafana(alert(fingerprint="aa", status="resolved")))
    assert len(sink.file.firing()) == 1
    for which in ("aa", "bb"):
        sink.post("/alert", json.dumps({"name": "Disk", "state": "firing", "fingerprint": which}).encode())
    sink.post("/alert", b'{"name": "Disk", "state": "resolved", "fingerprint": "bb"}')
    assert [one.name for one in sink.file.firing()] == ["InstanceDown", "Disk"]


def test_what_was_left_out_is_kept_until_its_group_is_told_whole(sink: Sink) -> None:
    """Other groups say nothing about it, and the watchdog of the same one does."""
    sink.post("/alertmanager", webhook(alert(), groupKey="g1", truncatedAlerts=4))
    sink.post("/alertmanager", webhook(alert(), groupKey="g2"))
    assert (sink.file.left_out(), [one.count for one in sink.file.truncated()]) == (4, [4])
    sink.post("/alertmanager", webhook(alert(), groupKey="g1", truncatedAlerts=2))
    assert sink.file.left_out() == 2
    sink.post("/alertmanager", webhook(alert("Watchdog"), groupKey="g1"))
    assert (sink.file.left_out(), [one.count for one in sink.file.truncated()]) == (0, [4, 2, 0])
    assert len(sink.file.alerts()) == 3


def test_what_was_left_out_beside_no_alert_is_kept_too(sink: Sink) -> None:
    """The group is told apart from others by its receiver and by Grafana's organisation, too."""
    sink.post("/grafana", grafana(truncatedAlerts=1, orgId=1))
    sink.post("/grafana", grafana(alert(), orgId=2))
    assert sink.file.left_out() == 1
    sink.post("/grafana", grafana(alert(), orgId=1))
    assert sink.file.left_out() == 0


def test_a_stack_is_not_steady_while_alerts_are_left_out(tmp_path: Path) -> None:
    """Nor while one of two instances fires; it says which it is."""
    monitor = Monitor(by="x", folder=tmp_path, receiver=Mock(), sees=lambda: Condition("watched", ok=True, seen="all"))
    with receiving(alert_file(tmp_path)) as sink:
        sink.post("/alertmanager", webhook(alert("Watchdog"), groupKey="all", truncatedAlerts=2))
        cut = monitor.condition()
        assert not cut.ok and cut.seen.startswith("2 more alerts are not told")
        assert [one.count for one in monitor.truncated()] == [2]
        sink.post("/alertmanager", webhook(alert("Watchdog"), groupKey="all"))
        assert monitor.condition().ok
        both = [alert(fingerprint="one"), alert(fingerprint="two", status="resolved")]
        sink.post("/alertmanager", webhook(*both, groupKey="other"))
        assert not monitor.condition().ok


def test_a_line_of_an_older_receiver_is_an_alert_all_the_same(tmp_path: Path) -> None:
    """It had no fingerprint: name, component and zone tell its alerts apart."""
    file = AlertFile(tmp_path / "alerts.jsonl")
    Writer(file.path).write([_said("A"), _said("B"), {**_said("A"), "state": "resolved"}])
    assert [one.name for one in file.firing()] == ["B"]


def test_plain_json_is_understood(sink: Sink) -> None:
    """Only name and state are needed: not every monitoring knows a zone."""
    assert (
        sink.post("/alert", b'{"name": "Disk", "state": "firing", "zone": "b", "starts": "2026-11-23T20:55:01Z"}')[0]
        == 200
    )
    assert sink.post("/alert", b'{"name": "Disk", "state": "resolved"}') == (200, "1 kept\n")
    assert sink.post("/alert", b'{"name": "Disk", "state": "firing", "zone": "b", "region": "east"}')[0] == 200
    first, second, third = sink.file.alerts()
    assert (first.region, third.region) == ("", "east") and first.fingerprint != third.fingerprint
    assert (first.zone, first.component, first.starts) == ("b", "", "2026-11-23T20:55:01.000000Z")
    assert (second.zone, second.starts) == ("", "")


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("/alert", b"", "not JSON"),
        ("/alert", b"\xff\xfe{", "not JSON"),
        ("/alert", b"[" * 100_000, "not JSON"),
        ("/alert", b"[1]", "no object"),
        ("/alert", b'{"name": "X"}', "its state is None"),
        ("/alert", b'{"name": "X", "state": {"a": 1}}', "its state is"),
        ("/alert", b'{"name": "", "state": "firing"}', "no name"),
        ("/alert", b'{"name": 7, "state": "firing"}', "name is no text"),
        ("/alert", b'{"name": "X", "state": "firing", "starts": "yesterday"}', "'yesterday' is no moment"),
        ("/alertmanager", b"{}", "neither version 4"),
        ("/grafana", b'{"version": "2", "alerts": []}', "Grafana's, but '2'"),
        ("/grafana", b'{"title": "[Alerting] api", "ruleName": "api", "state": "alerting"}', "legacy alerting"),
        ("/alertmanager", webhook(truncatedAlerts="7"), "truncatedAlerts is '7'"),
        ("/alertmanager", webhook(truncatedAlerts=-1), "truncatedAlerts is -1"),
        ("/alertmanager", webhook(truncatedAlerts=True), "truncatedAlerts is True"),
        ("/alertmanager", webhook(truncatedAlerts=10**400), "truncatedAlerts is 1000"),
        ("/alertmanager", b'{"version": "4", "alerts": {}}', "no list of alerts"),
        ("/alertmanager", webhook("text"), "alert 1 of 1: no object"),
        ("/alertmanager", webhook(alert(labels=[])), "no name"),
        ("/alertmanager", webhook(alert(labels="text")), "labels is no object"),
        ("/alertmanager", webhook(alert(startsAt=12)), "starts is no text"),
    ],
)
def test_what_is_no_alert_gets_one_clear_line(sink: Sink, path: str, body: bytes, why: str) -> None:
    """Status 400, nothing is kept, and the receiver goes on."""
    status, said = sink.post(path, body)
    assert status == 400 and why in said and said.count("\n") == 1 and len(said) < 300
    assert sink.file.alerts() == []
    assert sink.post("/alert", b'{"name": "X", "state": "firing"}')[0] == 200


def test_one_bad_alert_loses_nothing_of_the_others(sink: Sink) -> None:
    """The sound ones are kept, and the answer says which is not."""
    sent = webhook(alert("One"), alert("Two", status="odd"), alert("Three"))
    assert sink.post("/alertmanager", sent) == (
        400,
        "2 kept; alert 2 of 3: its state is 'odd', and neither firing nor resolved\n",
    )
    assert [one.name for one in sink.file.alerts()] == ["One", "Three"]


def test_a_long_value_is_cut_and_any_text_is_data(sink: Sink) -> None:
    """Line breaks, quotes and half characters stay inside their line."""
    odd = 'a\n{"received": 1}\u2028"\ud800' + "x" * 10_000
    assert sink.post("/alert", json.dumps({"name": odd, "state": "firing", "component": odd}).encode())[0] == 200
    (kept,) = sink.file.alerts()
    assert len(kept.name) == LONGEST and kept.name.startswith('a\n{"received": 1}\u2028"?') and kept.name.endswith("…")


def test_a_huge_body_is_refused_before_it_is_read(sink: Sink) -> None:
    """Nobody has to send it all to be told."""
    said = sink.say(f"POST /alert HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n".encode())
    assert said.startswith(b"HTTP/1.1 413 ") and b"longer than" in said
    assert sink.say(b"POST /alert HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n").startswith(
        b"HTTP/1.1 413 "
    )


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /alert HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"POST /alert HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"400"),
        (b"POST /alert HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{}", b"400"),
        (b"POST /alert HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
        (b"DELETE /alert HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200"),
    ],
)
def test_every_request_is_answered_by_a_line(sink: Sink, raw: bytes, status: bytes) -> None:
    """Also where it is hardly one; no page of HTML and no traceback."""
    said = sink.say(raw)
    assert status in said.split(b"\r\n")[0] and b"<" not in said and b"Traceback" not in said


def test_many_at_once_are_all_kept_whole(sink: Sink) -> None:
    """Each answered request is in the file, and the order of the lines is that of their stamps."""

    def send(number: int) -> int:
        return sink.post("/alertmanager", webhook(*(alert(f"N{number}-{n}") for n in range(5))))[0]

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(send, range(100))) == [200] * 100
    kept = sink.file.alerts()
    assert {one.name for one in kept} == {f"N{number}-{n}" for number in range(100) for n in range(5)}
    assert len(kept) == 500 and [one.received for one in kept] == sorted(one.received for one in kept)


def test_a_torn_last_line_costs_nothing_but_itself(tmp_path: Path) -> None:
    """Before and after a receiver is started again; what is appended begins a line of its own."""
    path = tmp_path / "alerts.jsonl"
    Writer(path).write([{**_said("One")}])
    with path.open("ab") as file:
        file.write(b'{"received": 5, "name": "Tw')
    assert [one.name for one in AlertFile(path).alerts()] == ["One"]
    with receiving(path) as again:
        assert again.post("/alert", b'{"name": "Three", "state": "firing"}')[0] == 200
        assert [one.name for one in again.file.alerts()] == ["One", "Three"]


def test_what_is_not_durable_is_not_confirmed(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is 500, so that the monitoring tries again; what was half written is no alert."""
    kept = "harness.alerts.writer.os.fsync"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(kept, full)
        assert sink.post("/alert", b'{"name": "X", "state": "firing"}') == (
            500,
            "nothing is kept: No space left on device\n",
        )
    assert sink.post("/alert", b'{"name": "X", "state": "resolved"}')[0] == 200
    assert sink.file.alerts()[-1].state == "resolved"


def test_the_watchdog_is_heard_and_is_no_alert(tmp_path: Path) -> None:
    """Where nothing has come there is no silence to measure."""
    file = AlertFile(tmp_path / "alerts.jsonl")
    assert (file.alerts(), file.silence(), file.firing()) == ([], None, [])
    Writer(file.path).write([_said("Watchdog")])
    heard = file.silence()
    assert heard is not None and 0 <= heard.total_seconds() < 5
    assert file.alerts() == []


def test_what_was_taken_back_fires_no_more(tmp_path: Path) -> None:
    """The last word about each name, component and zone counts."""
    file = AlertFile(tmp_path / "alerts.jsonl")
    Writer(file.path).write([_said("A"), _said("B"), {**_said("A"), "state": "resolved"}, _said("B")])
    assert [one.name for one in file.firing()] == ["B"]


def test_an_address_that_is_taken_is_one_line(tmp_path: Path) -> None:
    """The process ends with 1, and says which address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        words = [sys.executable, "-m", "harness.alerts.receiver", f"--listen={listen}", f"--file={tmp_path / 'x'}"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and listen in done.stderr


def _said(name: str) -> dict[str, str | int]:
    return {"name": name, "state": "firing", "starts": "", "component": "", "zone": "", "summary": ""}
