"""Customers against a real platform on loopback that misbehaves: nothing is lost from the ledger, and nothing guessed.

The service's own list of what it stored is the truth that outcomes are compared with.
"""

from __future__ import annotations

import json
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.stacks.parts.tls import Authority, make_authority
from harness.system.resolver import Fixed, HostsFile, Resolver
from harness.workload.ledger import SECOND, Header, Request, count, outcomes, read_header
from tests.small_service import Mood, SmallService

NAME = "api.quantumnest.com"
pytestmark = pytest.mark.xdist_group("timed")  # figures of a clock: not beside each other
LOOPBACK = Fixed(("127.0.0.1",))
IN_DOUBT: tuple[Mood, ...] = ("reset", "lose", "shrug", "proxy", "redirect", "garble", "drip", "cut")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def service(authority: Authority) -> Iterator[SmallService]:
    small = SmallService(*authority.issue("api", [NAME]))
    yield small
    small.close()


CLIENT = (f"--project={Path(__file__).parents[1]}", "--client=drills.client")


class Zone:
    """A process of customers under test, and what their ledger says."""

    def __init__(
        self, folder: Path, ca: Path, port: int, *more: str, limit: int = 0, name: str = NAME,
        resolver: Resolver = LOOPBACK,
    ) -> None:  # fmt: skip  # parameters in groups
        self.path = folder / "ledger-a.jsonl"
        words = [
            sys.executable,
            "-m",
            "harness.workload.customers",
            "--group=a",
            "--origin=r/s",
            f"--ledger={self.path}",
            *CLIENT,
        ]
        words += [f"--url=https://{name}:{port}", f"--resolver={json.dumps(resolver.said())}", f"--ca={ca}", *more]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if limit:  # of any file's size, in bytes; in force long before the first is written
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (limit, limit))

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines(keepends=True) if self.path.exists() else []

    def wait_for(self, condition: Callable[[list[str]], bool]) -> None:
        deadline = time.monotonic() + 15
        while not condition(self.lines()):
            assert time.monotonic() < deadline and self.process.poll() is None, self.process.communicate(timeout=5)
            time.sleep(0.005)

    def wait_for_acknowledged(self, more: int = 5) -> None:
        before = self.acknowledged()
        self.wait_for(lambda lines: sum('"acknowledged"' in line for line in lines) >= before + more)

    def acknowledged(self) -> int:
        return sum('"acknowledged"' in line for line in self.lines())

    def header(self) -> Header:
        return read_header(self.lines()[0])

    def requests(self) -> list[Request]:
        return list(outcomes(self.lines()))

    def end(self, *, within: float = 7) -> list[Request]:
        """SIGTERM; checks the exit code, the grid up to the signal, and the sum; returns all requests."""
        stopped = time.monotonic_ns()
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=within)
        assert (self.process.returncode, err) == (0, ""), out + err
        requests, header = self.requests(), self.header()
        assert [request.due for request in requests] == [header.due(n) for n in range(1, len(requests) + 1)]
        assert header.due(len(requests) + 1) > stopped - SECOND // 100
        totals = count(requests)
        assert totals.due == totals.acknowledged + totals.failed + totals.in_doubt + totals.not_sent == len(requests)
        return requests


@pytest.fixture
def zone(tmp_path: Path, authority: Authority, service: SmallService) -> Iterator[Callable[..., Zone]]:
    zones: list[Zone] = []

    def make(
        *more: str, limit: int = 0, ca: Path = authority.ca, name: str = NAME, resolver: Resolver = LOOPBACK
    ) -> Zone:
        zones.append(Zone(tmp_path, ca, service.port, *more, limit=limit, name=name, resolver=resolver))
        return zones[-1]

    yield make
    for one in zones:
        one.process.kill()
        one.process.communicate()


def compare(service: SmallService, requests: list[Request]) -> None:
    """Acknowledged is stored, failed is not, nothing came twice, and nothing came that the ledger does not have."""
    stored = {number for _, number in service.stored}
    heard = [number for _, number in service.heard]
    by_outcome = {name: {r.number for r in requests if r.outcome == name} for name in ("acknowledged", "failed")}
    assert by_outcome["acknowledged"] <= stored
    assert not by_outcome["failed"] & stored
    assert len(heard) == len(set(heard))
    assert set(heard) <= {request.number for request in requests if request.sent is not None}


def test_every_answer_is_judged_by_the_platforms_own_word(zone: Callable[..., Zone], service: SmallService) -> None:
    """Only "stored" true acknowledges, only "stored" false fails; a reset, an error page, a redirect leave doubt."""
    customers = zone("--rate=50", "--timeout=0.7")
    customers.wait_for_acknowledged()
    moods: tuple[Mood, ...] = ("decline", "once", *IN_DOUBT)
    for mood in moods:
        service.mood = mood
        time.sleep(0.1)
        service.mood = "store"
        time.sleep(0.03)
    requests = customers.end()
    compare(service, requests)
    assert set(service.moods.values()) == {"store", *moods}
    wanted = dict.fromkeys(IN_DOUBT, "in_doubt") | {
        "decline": "failed",
        "store": "acknowledged",
        "once": "acknowledged",
    }
    assert [request.outcome for request in requests] == [wanted[service.moods[r.number]] for r in requests]
    whys = {service.moods[request.number]: request.why for request in requests}
    assert whys["proxy"] == "503: no healthy upstream" and whys["drip"] == "time-out" and whys["store"] == ""


def test_what_is_sent_is_what_the_ledger_says(zone: Callable[..., Zone], service: SmallService) -> None:
    """Accounts and amounts, and it is in the ledger before it is heard; connections live a second at most."""
    customers = zone("--rate=50", "--seed=7")
    unrecorded: list[int] = []

    def look(number: int) -> None:
        if not any(line.startswith(f'{{"n":{number},"e":"sent",') for line in customers.lines()):
            unrecorded.append(number)

    service.on_heard = look
    customers.wait_for_acknowledged(70)
    requests = customers.end()
    compare(service, requests)
    assert customers.header().seed == 7
    assert unrecorded == []
    assert service.hosts == {f"{NAME}:{service.port}"}
    for request in requests:
        payload = json.loads(str(request.payload))
        assert service.bodies[request.number] == {"origin": "r/s/a", "number": request.number, **payload}
        assert payload["amount"] == str(request.amount) and payload["from"] != payload["to"]
    assert service.connections >= 2


def test_a_stall_of_five_seconds_leaves_no_hole(zone: Callable[..., Zone], service: SmallService) -> None:
    """Requests stay due while every client hangs: each is in doubt after 5 s, or not sent for want of clients."""
    customers = zone("--rate=50", "--clients=40")
    customers.wait_for_acknowledged()
    service.mood = "stall"
    begin = time.monotonic_ns()
    time.sleep(5)
    service.mood = "store"
    end = time.monotonic_ns()
    customers.wait_for_acknowledged(20)
    requests = customers.end()
    compare(service, requests)
    during = [r for r in requests if begin + SECOND // 20 < r.due < end - SECOND // 5]
    assert len(during) > 230
    assert {request.outcome for request in during} == {"in_doubt", "not_sent"}
    hung = [request for request in during if request.outcome == "in_doubt"]
    assert 40 <= sum(request.outcome == "in_doubt" for request in requests) <= 43  # one for each client
    assert all(5.0 <= (request.ended or 0) / SECOND - request.due / SECOND < 5.2 for request in hung)
    assert {request.why for request in during if request.outcome == "not_sent"} == {"clients full"}
    assert requests[-1].outcome == "acknowledged"


def test_a_refused_connection_is_a_failure_and_service_is_seen_again_at_once(
    zone: Callable[..., Zone], service: SmallService
) -> None:
    """While nobody listens nothing leaves; the first request due after that is served."""
    customers = zone("--rate=50")
    customers.wait_for_acknowledged()
    gone = service.gone()
    time.sleep(0.4)
    back = service.back()
    customers.wait_for_acknowledged(10)
    requests = customers.end()
    compare(service, requests)
    during = [request for request in requests if gone + SECOND // 50 < request.due < back - SECOND // 50]
    assert during and {request.outcome for request in during} == {"failed"}
    assert all(request.why.startswith("never left: ConnectionRefusedError") for request in during)
    assert {request.outcome for request in requests if request.due > back} == {"acknowledged"}


def test_nothing_leaves_to_a_server_that_is_not_the_platform(
    zone: Callable[..., Zone], service: SmallService, tmp_path: Path
) -> None:
    """Neither with a certificate of somebody else, nor with one for another name."""
    stranger = make_authority(tmp_path / "stranger")
    for number, wrong in enumerate([{"ca": stranger.ca}, {"name": "api.example.com"}]):
        customers = zone("--rate=50", **wrong)
        customers.wait_for(lambda lines: sum('"failed"' in line for line in lines) >= 5)
        requests = customers.end()
        assert {request.outcome for request in requests} == {"failed"}, number
        assert all("CERTIFICATE_VERIFY_FAILED" in request.why for request in requests)
        customers.path.unlink()
    assert service.heard == []


def test_a_handshake_that_never_ends_is_a_failure(tmp_path: Path, authority: Authority) -> None:
    """A port that accepts and stays silent takes nothing: the request has never left."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        customers = Zone(tmp_path, authority.ca, silent.getsockname()[1], "--rate=20", "--timeout=0.5")
        customers.wait_for(lambda lines: sum('"failed"' in line for line in lines) >= 5)
        requests = customers.end()
    assert {(request.outcome, request.why) for request in requests} == {("failed", "never left: time-out")}


def test_due_times_are_kept_while_the_customers_are_frozen(zone: Callable[..., Zone], service: SmallService) -> None:
    """What came due meanwhile is sent late, or listed as not sent where its time-out had passed."""
    customers = zone("--rate=50", "--timeout=1")
    customers.wait_for_acknowledged()
    customers.process.send_signal(signal.SIGSTOP)
    begin = time.monotonic_ns()
    time.sleep(1.5)
    customers.process.send_signal(signal.SIGCONT)
    end = time.monotonic_ns()
    customers.wait_for_acknowledged(60)
    requests = customers.end()
    compare(service, requests)
    frozen = [request for request in requests if begin < request.due < end]
    assert len(frozen) >= 74
    late = {request.why for request in frozen if request.outcome == "not_sent" and request.due < end - 1.01 * SECOND}
    assert late == {"customers held up past its time-out"}
    assert all(r.outcome == "acknowledged" for r in frozen if r.due > end - 0.8 * SECOND)


def test_killed_customers_leave_a_ledger_that_can_be_read(zone: Callable[..., Zone], service: SmallService) -> None:
    """What had left without an answer is in doubt, and the platform has stored nothing that the ledger lacks."""
    customers = zone("--rate=200")
    customers.wait_for_acknowledged(20)
    service.mood = "stall"
    time.sleep(0.1)
    customers.process.kill()
    customers.process.wait()
    requests = customers.requests()
    compare(service, requests)
    assert {"acknowledged", "in_doubt"} == {request.outcome for request in requests}


def test_a_full_disk_ends_the_customers_and_sends_nothing_unrecorded(
    zone: Callable[..., Zone], service: SmallService
) -> None:
    """They say why and what to do, with exit code 4; the ledger is whole up to there."""
    customers = zone("--rate=100", limit=6000)
    out, err = customers.process.communicate(timeout=15)
    assert customers.process.returncode == 4, out + err
    assert "the ledger cannot be written: File too large" in err and "HINT: " in err and "Traceback" not in err
    torn: list[str] = []
    requests = list(outcomes(customers.lines(), torn=torn.append))
    compare(service, requests)
    assert len(requests) > 20 and not torn


def test_wrong_usage_is_refused_with_a_hint(tmp_path: Path, authority: Authority) -> None:
    """Exit code 3 each time, no traceback, and no ledger made."""
    sound = [
        "--group=a",
        "--origin=r/s",
        "--rate=1",
        f"--ledger={tmp_path / 'l'}",
        "--url=https://x",
        f"--ca={authority.ca}",
        *CLIENT,
    ]
    wrong = ["--rate=0", "--rate=fast", "--colour=red", f"--ca={tmp_path / 'none'}", "--url=gopher://x", "--phase=1"]
    wrong += [f"--ledger={tmp_path / 'no' / 'where'}", "--client=drills.nothing"]
    script = (
        "import json, sys; from harness.workload.customers import main\n"
        "print([int(main([*sys.argv[2:], word])) for word in json.loads(sys.argv[1])])"
    )
    words = [sys.executable, "-c", script, json.dumps(wrong), *sound]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (0, f"{[3] * len(wrong)}\n"), done.stderr
    assert done.stderr.count("HINT: ") == len(wrong) and "Traceback" not in done.stderr
    assert not (tmp_path / "l").exists()


def test_a_ledger_that_is_there_is_not_written_over(zone: Callable[..., Zone], tmp_path: Path) -> None:
    """It may be the only record of an earlier scenario."""
    (tmp_path / "ledger-a.jsonl").write_text(json.dumps({"v": 1}))
    customers = zone("--rate=10")
    _, err = customers.process.communicate(timeout=15)
    assert customers.process.returncode == 3 and "is there already" in err
    assert customers.path.read_text() == '{"v": 1}'


CLIENTS = {
    "draw": "def draw(self, random):\n        return {'amount': random.random()}\n",
    "message": "def message(self, key, payload):\n        return self.nothing\n",
    "judge": "def judge(self, status, body):\n        return {}['stored']\n",
}


@pytest.mark.parametrize(
    ("method", "says"), [("draw", "has a float"), ("message", "AttributeError"), ("judge", "KeyError")]
)
def test_a_client_that_breaks_ends_the_customers_with_one_error(
    tmp_path: Path, zone: Callable[..., Zone], method: str, says: str
) -> None:
    """With the line that broke; what had left is in doubt, never acknowledged."""
    odd = f"class Odd(QuantumNestClient):\n    {CLIENTS[method]}\nCLIENT = Odd()\n"
    (tmp_path / "odd.py").write_text(f"from drills.client import QuantumNestClient\n{odd}")
    customers = zone("--rate=50", f"--project={tmp_path}", "--client=odd")
    out, err = customers.process.communicate(timeout=15)
    assert customers.process.returncode in (3, 4) and out == "", out
    assert says in err and err.count("HINT: ") == 1 and "Traceback" not in err
    assert method == "draw" or f"{tmp_path / 'odd.py'}:4: " in err
    assert {request.outcome for request in customers.requests()} <= {"in_doubt"}


# The name


def resolved(one: Zone) -> list[tuple[int, list[str]]]:
    """Number and addresses of each answer that was another one than the one before."""
    facts = [json.loads(line) for line in one.lines()[1:]]
    return [(fact["n"], fact["addresses"]) for fact in facts if fact["e"] == "resolved"]


def test_a_switch_of_the_name_is_seen_by_the_next_connection(
    zone: Callable[..., Zone], service: SmallService, tmp_path: Path
) -> None:
    """The file is asked for each: an open connection stays, and what comes after it goes to the new address. The ledger
    has the answer once, and again when it has changed."""
    names = HostsFile(tmp_path / "hosts")
    names.write({"other.example": ["127.0.0.9"], NAME: ["127.0.0.1"]})
    customers = zone("--rate=50", "--timeout=2", resolver=names)
    customers.wait_for_acknowledged(20)
    names.write({NAME: ["127.0.0.9"]})  # where nobody listens
    customers.wait_for(lambda lines: any("refused" in line for line in lines))
    names.write({NAME: ["127.0.0.9", "127.0.0.1"]})
    customers.wait_for(lambda lines: sum('"resolved"' in line for line in lines) == 3)
    customers.wait_for_acknowledged(20)
    requests = customers.end()
    answers = resolved(customers)
    assert [addresses for _, addresses in answers] == [["127.0.0.1"], ["127.0.0.9"], ["127.0.0.9", "127.0.0.1"]]
    assert answers[0][0] == 1
    assert {r.outcome for r in requests if r.number in dict(answers[1:2])} == {"failed"}
    compare(service, requests)


def test_who_cannot_resolve_the_name_has_failed_and_goes_on(
    zone: Callable[..., Zone], service: SmallService, tmp_path: Path
) -> None:
    """A file that is gone, or has no line for the name: known not to be stored, by a reason of its own."""
    names = HostsFile(tmp_path / "hosts")
    customers = zone("--rate=50", "--timeout=2", resolver=names)
    customers.wait_for(lambda lines: any("No such file" in line for line in lines))
    names.write({"other.example": ["127.0.0.1"]})
    customers.wait_for(lambda lines: any("has no line for it" in line for line in lines))
    names.write({NAME: ["127.0.0.1"]})
    customers.wait_for_acknowledged(20)
    requests = customers.end()
    failed = [request.why for request in requests if request.outcome == "failed"]
    assert failed and all(why.startswith(f"never left: name not resolved: {NAME}: ") for why in failed)
    assert [addresses for _, addresses in resolved(customers)] == [[], ["127.0.0.1"]]
    compare(service, requests)


@pytest.mark.parametrize("wrong", ["hosts", '{"kind": "guess"}', '{"kind": "hosts"}'])
def test_a_resolver_that_is_none_is_refused(zone: Callable[..., Zone], wrong: str) -> None:
    """With those that there are."""
    customers = zone("--rate=50", f"--resolver={wrong}")
    _, err = customers.process.communicate(timeout=15)
    assert customers.process.returncode == 3 and "not a resolver" in err and "kinds: dns, fixed, hosts" in err
