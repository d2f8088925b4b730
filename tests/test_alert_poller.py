"""An Alertmanager that is not ours is asked: what fires is told once, and what fires no more is taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.alerts import poller
from harness.alerts.alert_file import AlertFile
from harness.alerts.formats import from_api, from_webhook, named
from harness.alerts.poller import ASKED, Poller
from harness.system import control_files
from harness.system.http import Canned, Response

NAMES = named(["component=service", "zone=az"])


def alert(service: str, name: str = "Down") -> dict[str, object]:
    labels = {"alertname": name, "service": service, "az": "a"}
    return {
        "labels": labels,
        "annotations": {"summary": "x"},
        "startsAt": "2026-11-23T20:55:01Z",
        "fingerprint": service,
    }


def says(monkeypatch: pytest.MonkeyPatch, alerts: object, *, status: int = 200) -> None:
    monkeypatch.setattr(poller, "DIRECT", Canned(Response(status, json.dumps(alerts).encode())))


def test_what_fires_is_told_once_and_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the labels that the platform has for component and zone."""
    file = tmp_path / "alerts.jsonl"
    asked = Poller("http://x", file, NAMES)
    for alerts in ([], [alert("db-1")], [alert("db-1")], [alert("db-1"), alert("api")], [alert("api")]):
        says(monkeypatch, alerts)
        asked.look()
    told = [(one.component, one.zone, one.state) for one in AlertFile(file).alerts()]
    assert told == [("db-1", "a", "firing"), ("api", "a", "firing"), ("db-1", "a", "resolved")]
    assert [one.component for one in AlertFile(file).firing()] == ["api"]


def test_one_that_cannot_be_asked_takes_nothing_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is no good news; when it answered last, and why it does not, is written down."""
    file = tmp_path / "alerts.jsonl"
    asked = Poller("http://x", file, NAMES)
    says(monkeypatch, [alert("db-1")])
    asked.look()
    last = (control_files.read(tmp_path / f"alerts.jsonl{ASKED}") or {})["last"]
    monkeypatch.setattr(poller, "DIRECT", Canned(None))
    asked.look()
    says(monkeypatch, {"not": "a list"})
    asked.look()
    says(monkeypatch, [], status=502)
    asked.look()
    assert [one.component for one in AlertFile(file).firing()] == ["db-1"]
    said = control_files.read(tmp_path / f"alerts.jsonl{ASKED}") or {}
    assert said["last"] == last and said["why"] == "HTTP 502"


def test_a_webhook_is_read_by_other_labels_too() -> None:
    """What is not named goes by its usual label."""
    sent = {"version": "4", "groupKey": "g", "alerts": [{**alert("db-1"), "status": "firing"}]}
    (line,) = from_webhook(json.dumps(sent).encode(), NAMES).lines
    assert (line["component"], line["zone"], line["region"]) == ("db-1", "a", "")
    (line,) = from_webhook(json.dumps(sent).encode()).lines
    assert (line["component"], line["zone"]) == ("", "")


@pytest.mark.parametrize("body", [b"", b"{}", b"nothing", b"[[]]"])
def test_what_is_no_list_of_alerts_is_told(body: bytes) -> None:
    """And is no alert."""
    parsed = from_api(body)
    assert parsed.wrong and not parsed.lines
