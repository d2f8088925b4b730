"""The secrets of a client: asked of the stack, handed on in the environment alone, in no file that anybody keeps."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from harness.errors import Refused, Unable
from harness.evidence.redact import Redactor
from harness.stacks import Entrance
from harness.system import clock
from harness.system.command import Commands, end_labelled
from harness.system.recorder import Memory
from harness.system.resolver import Fixed
from harness.workload import handed
from harness.workload.ledger import outcomes
from harness.workload.source import client_source
from harness.workload.workload import Workload, outside
from tests.plain_clients import PAYDESK

SECRET = 'sésame "open" /it'.replace("é", "e")


class Desk:
    """As much of a stack as customers need, which knows a secret."""

    kind = "fake"

    def __init__(self, port: int = 1, **known: str) -> None:
        self.entrance = Entrance("desk.example", Fixed(("127.0.0.1",)), port, None)
        self.known = known or {"api key": SECRET}

    def secret(self, name: str) -> str:
        if name not in self.known:
            raise Refused(f"the stack's file names no secret {name}", hint="add it there")
        return self.known[name]


class Echo(BaseHTTPRequestHandler):
    """Takes a payment only with the key, and says in its refusals which key it was given, in several forms."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key, number = self.headers["X-Api-Key"], int(json.loads(body)["external_id"].rpartition("-")[2])
        status, said = 201, body.decode()
        if key != SECRET or number % 2 == 0:
            encoded = base64.b64encode(key.encode()).decode()
            status, said = 403, f"not with {key}, nor {quote(key, safe='')}, nor {encoded}" + "." * 500
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.xdist_group("timed")
def test_customers_pay_with_a_secret_that_stands_nowhere(tmp_path: Path, port: int) -> None:
    """Neither on a command line, nor in what is recorded, nor in the ledger or the log, whatever the platform says."""
    memory = Memory()
    label = f"test-handed-{tmp_path.name}-{clock.mono()}"
    workload = Workload(
        Desk(port), memory, Commands(memory, label=label), tmp_path / "scenarios" / "s",
        client=client_source(PAYDESK, "client.yaml"), origin="r/s", groups=[outside(40.0)],
    )  # fmt: skip  # arguments in groups
    try:
        workload.begin()
        path = workload.files["outside"]
        deadline = clock.mono() + 15 * 10**9
        while path.read_text().count('"failed"') < 5:
            assert clock.mono() < deadline
        (process,) = workload._processes.values()
        assert SECRET.encode() in Path(f"/proc/{process.pid}/environ").read_bytes().replace(b'\\"', b'"')
        assert SECRET not in Path(f"/proc/{process.pid}/cmdline").read_text()
    finally:
        workload.end()
        end_labelled(label)
    requests = list(outcomes(path.read_text().splitlines(keepends=True)))
    assert {(r.number % 2, r.outcome) for r in requests} == {(1, "acknowledged"), (0, "failed")}
    words = f"not with {handed.MASKED}, nor {handed.MASKED}, nor {handed.MASKED}"
    whys = {request.why for request in requests if request.outcome == "failed"}
    assert whys == {f"403: {words}{'.' * (120 - len(words))}"}  # masked before it was cut short
    kept = "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file()) + json.dumps(memory.facts)
    assert not list(Redactor([SECRET]).hits(kept))


def test_each_secret_is_asked_of_the_stack_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them as one variable; none where the client names none; and the process has it only once."""
    assert handed.environment((), object()) == {}
    found = handed.environment(("api key",), Desk())
    assert set(found) == {handed.VARIABLE}
    monkeypatch.setenv(handed.VARIABLE, found[handed.VARIABLE])
    assert handed.handed_on() == {"api key": SECRET} and handed.handed_on() == {}


@pytest.mark.parametrize(
    ("place", "error", "said"),
    [
        (object(), Unable, "secrets of the client"),
        (Desk(other="x"), Refused, "names no secret api key"),
        (Desk(**{"api key": " \n"}), Refused, "the secret api key is empty"),
    ],
)
def test_a_secret_that_cannot_be_had_is_told_before_anybody_is_sent_away(
    place: object, error: type[Exception], said: str
) -> None:
    """An empty one would be 401 for all, and nothing lost."""
    with pytest.raises(error, match=said):
        handed.environment(("api key",), place)
    with pytest.raises(Refused, match="was not handed on to these customers"):
        handed.secrets_in({})("api key")


def test_a_stack_that_knows_no_secrets_lacks_what_the_client_takes() -> None:
    """Said before anything starts; of a client that asks back no database is wanted."""
    from harness import project  # noqa: PLC0415  (only here)
    from harness.stacks.capabilities.entrance import Entrusted, Reachable, Readable  # noqa: PLC0415  (only here)
    from harness.stacks.needs import Offer  # noqa: PLC0415  (only here)

    desk = project.load(PAYDESK)
    (drill,) = (each for each in desk.drills() if each.name == "application-recovery")
    scenario = drill.scenarios[1]
    lacks = {lack.capability for lack in desk.lacking(scenario, Offer("plain", (Reachable, Readable)))}
    assert "Entrusted" in lacks and "Readable or Queried" not in lacks
    having = {lack.capability for lack in desk.lacking(scenario, Offer("plain", (Reachable, Entrusted)))}
    assert "Entrusted" not in having and "Readable or Queried" in having
