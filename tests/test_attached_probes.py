"""The words of the blackbox exporter that a stack file takes are carried out as the exporter does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Refused
from harness.stacks.attached import asking, composing
from harness.stacks.attached.file import acts

SECOND = timedelta(seconds=1)


class Service(BaseHTTPRequestHandler):
    """Says what it was asked."""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        said = f"{self.command} {self.path} {self.headers.get('X-Key', '')} {self.rfile.read(length).decode()}".encode()
        self.send_response(503 if self.path == "/broken" else 302 if self.path == "/moved" else 200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET

    def log_message(self, *words: object) -> None:
        """Nothing."""


@pytest.fixture
def at() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


HTTP: list[tuple[dict[str, Any], bool]] = [
    ({"url": "/alive"}, True),
    ({"url": "/broken"}, False),
    ({"url": "/moved"}, False),
    ({"url": "/moved", "valid_status_codes": ["302"]}, True),
    ({"url": "/broken", "valid_status_codes": ["200", "503"]}, True),
    ({"url": "/alive", "fail_if_body_not_matches_regexp": ["GET", "a.ive"]}, True),
    ({"url": "/alive", "fail_if_body_not_matches_regexp": ["GET", "nothing"]}, False),
    ({"url": "/alive", "fail_if_body_matches_regexp": ["nothing"]}, True),
    ({"url": "/alive", "fail_if_body_matches_regexp": ["nothing", "^GET"]}, False),
    ({"url": "/x", "method": "POST", "body": "hi", "fail_if_body_not_matches_regexp": ["^POST /x  hi$"]}, True),
    ({"url": "/x", "headers": {"X-Key": "${secret:k}"}, "fail_if_body_not_matches_regexp": ["of-the-api"]}, True),
]


@pytest.mark.parametrize(("given", "ok"), HTTP)
def test_a_request_is_as_the_words_say(at: str, tmp_path: Path, given: dict[str, Any], ok: bool) -> None:
    """Status, body, method, headers; the address and the secrets are put in."""
    probe = acts.probe("p", {"http": {**given, "url": f"http://${{address}}{given['url']}"}}, tmp_path)
    seen = asking.ask(probe, {"address": at, "secret:k": "key-of-the-api"})
    assert seen.ok is ok, seen
    assert asking.door(probe, {"address": at}) == ("127.0.0.1", int(at.partition(":")[2]))


def test_a_connection_is_taken_and_spoken_over(tmp_path: Path) -> None:
    """Line by line; a line that does not come is a failure within the time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = f"127.0.0.1:{server.getsockname()[1]}"
        plain = acts.probe("p", {"tcp": {"target": target}}, tmp_path)
        assert asking.ask(plain, {}).ok and asking.connection(target) == "taken"

        def answer() -> None:
            for _ in range(2):
                taken, _ = server.accept()
                with taken:
                    taken.sendall(b"hello\nSSH-2.0-x\n")
                    taken.recv(100)

        server.accept()[0].close()  # those of above
        server.accept()[0].close()
        threading.Thread(target=answer, daemon=True).start()
        spoken = {"target": target, "query_response": [{"expect": "^SSH-2"}, {"send": "quit"}]}
        assert asking.ask(acts.probe("p", {"tcp": spoken}, tmp_path), {}).ok
        other = {"target": target, "query_response": [{"expect": "^HTTP"}]}
        late = acts.probe("p", {"tcp": other, "timeout": "300 ms"}, tmp_path)
        assert not asking.ask(late, {}).ok
    assert asking.connection(target) == "refused" and not asking.ask(plain, {}).ok


@pytest.mark.parametrize(
    ("script", "refused"),
    [
        ("echo v2.40.3", ""),
        ("echo 1.29.2", "there is version 1.29.2"),
        ("echo 'docker: usage'", "there is none"),  # Debian's: it knows no `compose`, and ends with 0
        ("exit 1", "there is none"),
    ],
)
def test_compose_is_refused_where_it_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, refused: str
) -> None:
    """An older one ends with 0 where it has done nothing."""
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(composing, "_of_python", lambda: None)
    if refused:
        with pytest.raises(Refused, match=refused):
            composing.compose()
    else:
        assert composing.compose().which == "Docker's own plugin"


@pytest.mark.parametrize(
    ("docker", "python", "version"), [("exit 1", "2.40.3", "2.40.3"), ("echo 5.0.1", "2.40.3", "5.0.1"),
                                      ("echo 1.29.2", "2.9.0", "2.9.0"), ("exit 1", "1.0.0", "")],
)  # fmt: skip  # a table
def test_compose_of_pypi_stands_in_for_dockers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, docker: str, python: str, version: str
) -> None:
    """Where Docker has none, or an old one; which of them is called is told."""
    for name, script in (("docker", docker), ("docker-compose", f"echo v{python}")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(composing, "_of_python", lambda: tmp_path / "docker-compose")
    if not version:
        with pytest.raises(Refused, match=r"there is none, and that of this Python is version 1\.0\.0"):
            composing.compose()
        return
    found = composing.compose()
    assert found.version == version and ("this Python" in found.which) == (version == python)
    assert (found.plugin == tmp_path / "docker-compose") == (version == python)
