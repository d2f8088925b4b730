"""One DNS question and its answer, as bytes. Pure, but for the zone that it is given: it knows no socket.

RFC 1035 for the answers, 2308 for what is not there, 6891 for EDNS; what cannot be read is a FORMERR where at least
its head can, and is dropped where not.
"""

from __future__ import annotations

import struct
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from harness.stacks.parts.name_server.zone import Record, Zone, answered

HEAD = 12  # bytes
PAYLOAD = 1232  # bytes of a datagram that no path breaks up (DNS flag day 2020)
LARGEST = 65535
EXTRAS = 2  # records that may go with a question: EDNS, and a signature
QR, RD, OPCODE = 0x8000, 0x0100, 0x7800  # bits of the head
ZONE_TRANSFERS = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)


@dataclass(frozen=True)
class Told:
    """What goes back, and in words for the log; `record` only where a record was the answer."""

    wire: bytes
    name: str = ""
    type: str = ""
    record: Record | None = None


def respond(wire: bytes, *, zone: Zone | None, healthy: Callable[[str], bool], stream: bool) -> Told | None:
    """The answer to what came in; None where nothing is to be said. `healthy`: of a check of one address.

    `zone` None: none was ever read. `stream`: over TCP, where an answer may be long. Never raises.
    """
    if len(wire) < HEAD:
        return None
    id, flags = struct.unpack("!HH", wire[:4])
    if flags & QR:
        return None  # an answer to an answer would go on for ever
    if flags & OPCODE:
        return Told(_head(id, flags, dns.rcode.NOTIMP))
    query = _read(wire)
    if query is None:
        return Told(_head(id, flags, dns.rcode.FORMERR))
    try:
        return _answer(query, zone, healthy, stream)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        return Told(_head(id, flags, dns.rcode.SERVFAIL))


def _read(wire: bytes) -> dns.message.Message | None:
    """What was asked; None where it is not one question.

    Told by the head alone, where it can be: to read 64 KiB of records that no question has takes seconds.
    """
    questions, answers, authorities, more = struct.unpack("!4H", wire[4:HEAD])
    if questions != 1 or answers or authorities or more > EXTRAS:
        return None
    try:
        query = dns.message.from_wire(wire)
    except Exception:  # whatever a library makes of bytes that anybody can send
        return None
    return query if query.question else None


def _head(id: int, flags: int, rcode: int) -> bytes:
    return struct.pack("!HHHHHH", id, QR | (flags & (OPCODE | RD)) | rcode, 0, 0, 0, 0)


def _answer(query: dns.message.Message, zone: Zone | None, healthy: Callable[[str], bool], stream: bool) -> Told:
    asked = query.question[0]
    name = asked.name.to_text(omit_final_dot=True).lower()
    told = Told(b"", name, dns.rdatatype.to_text(asked.rdtype))
    response = dns.message.make_response(query, recursion_available=False, our_payload=PAYLOAD)
    if query.edns > 0:
        response.set_rcode(dns.rcode.BADVERS)
    elif zone is None:
        response.set_rcode(dns.rcode.SERVFAIL)
    elif not _ours(name, asked, zone):
        response.set_rcode(dns.rcode.REFUSED)
    else:
        told = replace(told, record=_fill(response, asked, name, zone, healthy))
    room = LARGEST if stream else min(max(query.payload, 512), PAYLOAD) if query.edns >= 0 else 512
    # In the order of the record, which is the one that customers try; Route 53 mixes it.
    return replace(told, wire=response.to_wire(max_size=room, prefer_truncation=True, want_shuffle=False))


def _ours(name: str, asked: dns.rrset.RRset, zone: Zone) -> bool:
    own = name == zone.name or name.endswith(f".{zone.name}")
    return own and asked.rdclass == dns.rdataclass.IN and asked.rdtype not in ZONE_TRANSFERS


def _fill(
    response: dns.message.Message, asked: dns.rrset.RRset, name: str, zone: Zone, healthy: Callable[[str], bool]
) -> Record | None:
    """Put the answer into the response, or what says that there is none; returns the record, where one was it."""
    response.flags |= dns.flags.AA
    wanted, chosen = dns.rdatatype.to_text(asked.rdtype), None
    records = zone.at(name)
    for type in sorted({one.type for one in records if wanted in (one.type, "ANY")}):
        chosen = answered(
            [one for one in records if one.type == type],
            healthy=lambda one: not one.check or zone.healthy(one.check, healthy),
        )
        if chosen is None:  # by a rule that this server does not know
            response.set_rcode(dns.rcode.SERVFAIL)
            return None
        response.answer.append(_rrset(asked.name, chosen))
    if not response.answer:
        if not zone.holds(name):
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority += [_negative(one) for one in zone.at(zone.name) if one.type == "SOA"]
    return chosen


def _rrset(name: dns.name.Name, record: Record) -> dns.rrset.RRset:
    ttl = int(record.ttl.total_seconds())
    root = dns.name.root  # the emulator writes names without the dot at their end
    return dns.rrset.from_text_list(
        name, ttl, dns.rdataclass.IN, record.type, record.values, origin=root, relativize=False
    )


def _negative(soa: Record) -> dns.rrset.RRset:
    """For as long as this, it may be kept that there is nothing (RFC 2308)."""
    minimum = timedelta(seconds=int(soa.values[0].split()[-1]))
    return _rrset(dns.name.from_text(soa.name), replace(soa, ttl=min(soa.ttl, minimum)))
