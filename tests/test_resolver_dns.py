"""A DNS server as customers ask it: kept for as long as the answer says, never waited for without end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from harness.system import clock, wait
from harness.system.resolver import Dns, NotResolved
from tests.name_servers import FIRST, NAME, SECOND, Serving, pair, zone

LOCAL = "127.0.0.1"
SHORT = timedelta(seconds=0.7)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    with Serving(tmp_path).serves() as serving:
        yield serving


def seen_after(names: Dns, server: Serving) -> float:
    """Seconds from a switch of the name until it is seen."""
    assert names.resolve(NAME) == FIRST
    server.ill, begin = {"r1"}, clock.mono()
    wait.poll(lambda: names.resolve(NAME) == SECOND, within=timedelta(seconds=10), every=timedelta(milliseconds=20))
    return clock.since(begin).total_seconds()


def test_an_answer_is_kept_for_as_long_as_it_says(server: Serving) -> None:
    """One second here; the server is not asked meanwhile, and a name is the same whatever its case."""
    names = Dns(LOCAL, server.port)
    after = seen_after(names, server)
    assert 0.8 < after < 3
    server.ill = set()
    assert names.resolve(NAME.upper()) == SECOND, "kept"
    assert names.fresh().resolve(NAME) == FIRST


def test_a_stubborn_client_keeps_it_longer(server: Serving) -> None:
    """As some do, whatever the answer says."""
    assert 2.3 < seen_after(Dns(LOCAL, server.port, keeps=timedelta(seconds=1.5)), server) < 5


def test_without_a_time_to_live_it_is_asked_each_time(server: Serving) -> None:
    """Zero is no second."""
    server.zone, names = zone(*pair(ttl=0)), Dns(LOCAL, server.port)
    assert names.resolve(NAME) == FIRST
    server.ill = {"r1"}
    assert names.resolve(NAME) == SECOND


def test_what_cannot_be_resolved_is_said_in_words_and_not_kept(server: Serving) -> None:
    """No such name, no server that knows it; as soon as it is there, it is found."""
    names, served = Dns(LOCAL, server.port), server.zone
    for held, why in ((zone(), "there is no such name"), (None, "no answer that can be used")):
        server.zone = held
        with pytest.raises(NotResolved, match=f"name not resolved: {NAME}: 127.0.0.1:{server.port}: .*{why}"):
            names.resolve(NAME)
    server.zone = served
    assert names.resolve(NAME) == FIRST


def test_a_server_that_is_silent_is_waited_for_no_longer_than_told() -> None:
    """Whether nobody listens there or somebody who says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOCAL, 0))
        for port in (silent.getsockname()[1], 1):
            begin = clock.mono()
            with pytest.raises(NotResolved, match="no answer"):
                Dns(LOCAL, port, within=SHORT).resolve(NAME)
            assert clock.since(begin) < SHORT + timedelta(seconds=1)


def test_a_server_that_is_gone_is_not_missed_before_its_answer_is_old(tmp_path: Path) -> None:
    """After that nothing is known any more."""
    with Serving(tmp_path).serves() as server:
        names = Dns(LOCAL, server.port, within=SHORT)
        names.resolve(NAME)
    assert names.resolve(NAME) == FIRST
    clock.sleep(timedelta(seconds=1.1))
    with pytest.raises(NotResolved):
        names.resolve(NAME)


CUSTOMERS = """
import json, sys
import locust  # as the customers' processes do, which makes sockets gevent's
import gevent, time
from harness.system.resolver import NotResolved, resolver

names, silent, host = resolver(json.loads(sys.argv[1])), resolver(json.loads(sys.argv[2])), sys.argv[3]
ticks = []


def fails():
    try:
        silent.resolve(host)
    except NotResolved:
        return True


def tick():
    for _ in range(20):
        ticks.append(time.monotonic())
        gevent.sleep(0.02)


jobs = [gevent.spawn(fails) for _ in range(5)]
ticking = gevent.spawn(tick)
found = [gevent.spawn(names.resolve, host) for _ in range(20)]
gevent.joinall([*jobs, *found, ticking])
longest = max(after - before for before, after in zip(ticks, ticks[1:]))
print(json.dumps([longest, all(job.value for job in jobs), [job.value for job in found]]))
"""


def test_customers_go_on_while_one_of_them_resolves(server: Serving) -> None:
    """Their processes have gevent's sockets: five that wait for a silent server keep nobody else waiting."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOCAL, 0))
        asks = [Dns(LOCAL, server.port), Dns(LOCAL, silent.getsockname()[1], within=timedelta(seconds=1.5))]
        words = [json.dumps(one.said()) for one in asks]
        done = subprocess.run(
            [sys.executable, "-c", CUSTOMERS, *words, NAME], capture_output=True, text=True, timeout=60, check=True
        )
    longest, failed, found = json.loads(done.stdout.splitlines()[-1])
    assert failed and found == [list(FIRST)] * 20
    assert longest < 1, "nobody waits for the silent one"
