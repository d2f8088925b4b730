"""The name server: what resolvers need is there, failover records follow Route 53's rule, and no packet ends it."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.resolver
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stacks.parts.name_server.answers import respond
from harness.stacks.parts.name_server.health import State
from harness.stacks.parts.name_server.zone import zone_of
from harness.system.resolver import Dns
from tests.name_servers import FIRST, NAME, SECOND, ZONE, Serving, pair, record, zone

LOCAL = "127.0.0.1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    with Serving(tmp_path).serves() as serving:
        yield serving


def ask(server: Serving, name: str = NAME, type: str = "A", **more: object) -> dns.message.Message:
    return dns.query.udp(dns.message.make_query(name, type, **more), LOCAL, port=server.port, timeout=2)


def addresses(answer: dns.message.Message) -> tuple[str, ...]:
    return tuple(one.to_text() for rrset in answer.answer for one in rrset)


@pytest.mark.parametrize(
    ("ill", "answered"),
    [(set(), FIRST), ({"r2"}, FIRST), ({"r1"}, SECOND), ({"r1", "r2"}, FIRST)],
    ids=["both well", "secondary ill", "primary ill", "both ill"],
)
def test_failover_records_follow_the_rule_of_route_53(
    server: Serving, ill: set[str], answered: tuple[str, ...]
) -> None:
    """The primary while it is well, the secondary if only that is, and the primary where neither is."""
    server.ill = ill
    answer = ask(server)
    assert addresses(answer) == answered
    assert answer.rcode() == dns.rcode.NOERROR and answer.flags & dns.flags.AA and answer.answer[0].ttl == 1


def test_a_check_of_several_addresses_is_healthy_while_enough_of_them_are() -> None:
    """A calculated one counts those that it is of; of what is not known, nothing bad is said."""
    config = {"Type": "CALCULATED", "ChildHealthChecks": ["a", "b"], "HealthThreshold": 1}
    both = zone_of({"name": ZONE, "records": [], "checks": [{"Id": "any", "HealthCheckConfig": config}]})
    assert both.healthy("any", lambda one: one == "b") and not both.healthy("any", lambda _: False)
    assert both.healthy("unknown", lambda _: True)


def test_a_state_turns_after_so_many_looks_in_a_row() -> None:
    """Either way, and one look to the contrary begins anew; at first everything counts as healthy."""
    state, seen = State(), ""
    for look in "--+---+-++-+++":
        state = state.after(look == "+", threshold=3)
        seen += "+" if state.healthy else "-"
    assert seen == "+++++--------+"


def test_a_name_with_one_record_has_no_health(server: Serving) -> None:
    """Whatever is ill: that is what a switch by hand leaves behind."""
    server.zone, server.ill = zone(record(NAME, "A", *SECOND)), {"r1", "r2", ""}
    assert addresses(ask(server)) == SECOND


def test_real_resolvers_are_served(server: Serving) -> None:
    """The stub resolver of dnspython, over UDP and over TCP, with EDNS and without, whatever the case of the name."""
    stub = dns.resolver.Resolver(configure=False)
    stub.nameservers, stub.port, stub.lifetime = [LOCAL], server.port, 2
    for edns in (-1, 0):
        stub.use_edns(edns, 0, 4096)
        for tcp in (False, True):
            answer = stub.resolve("ApI.example.TEST.", "A", tcp=tcp)
            assert tuple(one.address for one in answer) == FIRST and answer.rrset
            assert answer.rrset.name.to_text() == "ApI.example.TEST."
    assert [one.to_text() for one in stub.resolve(ZONE, "NS")] == [f"ns1.{ZONE}.", f"ns2.{ZONE}."]
    assert stub.resolve(ZONE, "SOA")[0].minimum == 5


def test_that_there_is_nothing_is_said_so_that_it_is_not_kept_for_long(server: Serving) -> None:
    """A name that is not there, and one that has no such record, as glibc asks for with each name."""
    absent, no_ipv6, above = ask(server, f"x.{ZONE}"), ask(server, NAME, "AAAA"), ask(server, ZONE, "A")
    assert (absent.rcode(), no_ipv6.rcode(), above.rcode()) == (dns.rcode.NXDOMAIN, dns.rcode.NOERROR, 0)
    for answer in (absent, no_ipv6, above):
        assert not answer.answer and answer.flags & dns.flags.AA
        assert (answer.authority[0].name.to_text(), answer.authority[0].ttl) == (f"{ZONE}.", 5)
    server.zone = zone(record(f"a.b.{ZONE}", "A", "127.0.0.5"))
    assert ask(server, f"b.{ZONE}").rcode() == dns.rcode.NOERROR, "something is below it"


@pytest.mark.parametrize(
    ("asked", "rcode"),
    [
        (dns.message.make_query("example.com", "A"), dns.rcode.REFUSED),
        (dns.message.make_query(f"not{ZONE}", "A"), dns.rcode.REFUSED),
        (dns.message.make_query(".", "NS"), dns.rcode.REFUSED),
        (dns.message.make_query(ZONE, "AXFR"), dns.rcode.REFUSED),
        (dns.message.make_query(NAME, "A", "CH"), dns.rcode.REFUSED),
        (dns.message.make_query(NAME, "A", use_edns=1), dns.rcode.BADVERS),
    ],
    ids=["elsewhere", "looks alike", "root", "transfer", "class", "EDNS 1"],
)
def test_what_is_not_ours_is_refused(server: Serving, asked: dns.message.Message, rcode: dns.rcode.Rcode) -> None:
    """With nothing in the answer."""
    answer = dns.query.udp(asked, LOCAL, port=server.port, timeout=2, ignore_trailing=True)
    assert answer.rcode() == rcode and not answer.answer and not answer.authority


def test_before_any_zone_was_read_and_by_rules_that_are_unknown_it_fails(server: Serving) -> None:
    """SERVFAIL, upon which a resolver asks another server, and not a wrong answer."""
    weighted = record(NAME, "A", "127.0.0.5", SetIdentifier="w", Weight=1)
    for held in (None, zone(weighted), zone(record(NAME, "A", "no address")), zone(pair()[0])):
        server.zone = held
        served = ask(server).rcode()
        assert served == (dns.rcode.NOERROR if held == zone(pair()[0]) else dns.rcode.SERVFAIL)


def test_what_is_too_long_for_a_datagram_comes_over_tcp(server: Serving) -> None:
    """Truncated, with the bit that says so; EDNS makes room."""
    many = tuple(f"127.1.0.{number}" for number in range(1, 61))
    server.zone = zone(record(NAME, "A", *many))
    short, roomy = ask(server), ask(server, use_edns=0, payload=1232)
    assert short.flags & dns.flags.TC and len(addresses(short)) < 60
    assert not roomy.flags & dns.flags.TC and addresses(roomy) == many
    query = dns.message.make_query(NAME, "A")
    answer, over_tcp = dns.query.udp_with_fallback(query, LOCAL, port=server.port, timeout=2)
    assert over_tcp and addresses(answer) == many


def test_several_questions_over_one_connection_are_answered(server: Serving) -> None:
    """A connection that is cut within a question ends, and the next one is served."""
    wire = dns.message.make_query(NAME, "A").to_wire()
    with socket.create_connection((LOCAL, server.port), timeout=2) as opened:
        for _ in range(2):
            opened.sendall(struct.pack("!H", len(wire)) + wire)
            (length,) = struct.unpack("!H", opened.recv(2, socket.MSG_WAITALL))
            assert addresses(dns.message.from_wire(opened.recv(length, socket.MSG_WAITALL))) == FIRST
        opened.sendall(struct.pack("!H", len(wire)) + wire[:7])
        opened.shutdown(socket.SHUT_WR)
        assert opened.recv(1) == b""
    assert addresses(dns.query.tcp(dns.message.make_query(NAME, "A"), LOCAL, port=server.port, timeout=2)) == FIRST


def test_no_packet_ends_it(server: Serving) -> None:
    """Nonsense, halves, answers, and questions that were changed at random: who asks rightly is answered after."""
    chance = random.Random(5)
    good = dns.message.make_query(NAME, "A", use_edns=0, payload=4096).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(300):
            bad = bytearray(chance.choice([good, chance.randbytes(chance.randrange(300))]))
            for _ in range(min(len(bad), chance.randrange(5))):
                bad[chance.randrange(len(bad))] = chance.randrange(256)
            sender.sendto(bad[: chance.randrange(len(bad) + 1)], (LOCAL, server.port))
    with socket.create_connection((LOCAL, server.port), timeout=2) as opened:
        opened.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert Dns(LOCAL, server.port, within=timedelta(seconds=10)).resolve(NAME) == FIRST  # again, where one was dropped


@given(wire=st.binary(max_size=200))
def test_whatever_comes_in_is_answered_as_dns_or_not_at_all(wire: bytes) -> None:
    """With the id that it had, as an answer; an answer itself is never answered."""
    told = respond(wire, zone=zone(*pair()), healthy=lambda _: True, stream=False)
    if len(wire) < 12 or wire[2] & 0x80:
        assert told is None
    else:
        assert told and told.wire[:2] == wire[:2] and told.wire[2] & 0x80


@pytest.mark.parametrize(
    ("wire", "rcode"),
    [
        (dns.message.make_query(NAME, "A").to_wire()[:-3], dns.rcode.FORMERR),
        (dns.message.make_query(NAME, "A").to_wire() + b"x", dns.rcode.FORMERR),
        (dns.message.make_query(NAME, "A").to_wire()[:10] + b"\xff\xff" + b"\x00" * 60_000, dns.rcode.FORMERR),
        (b"\x00\x01\x01\x00" + b"\x00" * 8, dns.rcode.FORMERR),
        (b"\x00\x01\x28\x00" + b"\x00" * 8, dns.rcode.NOTIMP),
    ],
    ids=["cut", "more behind it", "full of records", "no question", "an update"],
)
def test_what_is_no_question_is_told_so(wire: bytes, rcode: dns.rcode.Rcode) -> None:
    """As far as its head could be read."""
    told = respond(wire, zone=zone(*pair()), healthy=lambda _: True, stream=False)
    assert told and dns.message.from_wire(told.wire).rcode() == rcode


def test_the_log_has_each_answer_that_is_another_one(server: Serving) -> None:
    """To the same address; what is not there, or not ours, is not logged, for it would have no end."""
    for _ in range(3):
        ask(server)
    server.ill = {"r1"}
    ask(server)
    for number in range(3):
        ask(server, f"x{number}.{ZONE}")
    told = server.log.new()
    assert [(one["e"], one["by"], one["name"], one["set"]) for one in told] == [
        ("answer", LOCAL, NAME, "r1"),
        ("answer", LOCAL, NAME, "r2"),
    ]
    assert [tuple(one["addresses"]) for one in told] == [FIRST, SECOND] and told[0]["t"] < told[1]["t"]
