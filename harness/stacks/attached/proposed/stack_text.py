"""The stack file of a proposal, as text: what is guessed has its reason beside it, and what is missing an example."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from harness.stacks.attached.file.described import FOR_THE_RUN
from harness.stacks.attached.proposed.guesses import Asked
from harness.stacks.attached.proposed.proposal import Part, Proposal, Servers

OWNERS = ("postgres", "root", "admin")  # roles that are there already, and may do all
PLAIN = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_ ./-]*[A-Za-z0-9_/.-]|[A-Za-z0-9]")


def stack_text(found: Proposal, folder: Path) -> str:
    """`folder`: where it will lie. Read by the machine as it is."""
    return "\n".join([*_head(found), *_compose(found, folder), *_parts(found), *_probes(found), *_customers(found),
                      *_database(found), *_rest(found)]) + "\n"  # fmt: skip  # in groups


def said(text: str) -> str:
    """As YAML has it: quoted where it has to be."""
    return text if PLAIN.fullmatch(text) and not text.endswith(" ") else json.dumps(text, ensure_ascii=False)


def _head(found: Proposal) -> Iterator[str]:
    yield f"# {found.name}, as drdrill finds, asks and hurts it. Written by `drdrill init`: what is guessed says why."
    yield "# It goes into every pack, so it holds no secret. `drdrill stack check` asks all that stands here."
    yield "format: 1"
    environment = f"environment: {said(found.environment)}"
    yield f"platform: {{name: {said(found.name)}, owner: {said(found.owner)}, {environment}}}"
    yield from (f"# Left out: {note}." for note in found.notes)
    yield ""
    yield "# Each secret by reference: {env: NAME}, {file: ./name.key} or {command: [pass, show, name]}."
    for name, settings in found.not_copied.items():
        yield f"# Not copied of {name}: {', '.join(settings)}."
    if found.database:
        yield f"secrets:\n  database: {{env: {found.database.secret}}}"
    yield ""


def _compose(found: Proposal, folder: Path) -> Iterator[str]:
    if not found.project:
        return
    files = [said(os.path.relpath(path, folder)) for path in found.files if found.stands == FOR_THE_RUN]
    listed = f", files: [{', '.join(files)}]" if files else ""
    why = "brought up before each run, and taken down" if files else "found by its labels, never made or taken down"
    yield f"compose: {{project: {found.project}, stands: {said(found.stands)}{listed}}}  # {why}"
    yield ""


def _parts(found: Proposal) -> Iterator[str]:
    zones = list(dict.fromkeys(part.zone for part in found.parts if part.zone))
    own = zones and all([part.zone for part in found.parts].count(zone) == 1 for zone in zones)
    if zones:
        yield f"zones:{'  # what dies together; one each, for nothing said more' if own else ''}"
        yield from (f"  {said(zone)}: {{}}" for zone in zones)
        yield ""
    yield "components:"
    yield from (_part(part) for part in found.parts)
    yield ""


def _part(part: Part) -> str:
    fields = [f"role: {said(part.role)}"]
    fields += [f"zone: {said(part.zone)}"] if part.zone else []
    fields += [f"alive: {said(part.alive)}"] if part.alive else []
    fields += [f"container: {said(part.container)}"] if part.container else []
    fields += ["hurt: never"] if part.never else []
    whys = [f"role guessed: {part.why}"] if part.why else []
    whys += [f"never: {part.never}"] if part.never else []
    because = f"  # {'; '.join(whys)}" if whys else ""
    return f"  {said(part.name)}: {{{', '.join(fields)}}}{because}"


def _probes(found: Proposal) -> Iterator[str]:
    if not found.probes:
        yield "# probes:  # how a component is asked whether it does its work; named under `alive` of each that is"
        yield '#   api health: {http: {url: "http://${address}:8080/alive", valid_status_codes: [200]}}'
    else:
        yield "probes:"
        yield from (line for name, asked in found.probes.items() for line in _probe(name, asked))
    yield ""


def _probe(name: str, asked: Asked) -> Iterator[str]:
    at = f"${{address}}:{asked.port}"
    yield f"  {said(name)}:  # guessed: {asked.why}"
    if asked.path:
        url = json.dumps(f"{asked.scheme}://{at}{asked.path}")
        yield f"    http: {{url: {url}, valid_status_codes: [200]}}"
    elif asked.says[0]:
        sent, expected = map(json.dumps, asked.says)
        yield f'    tcp: {{target: "{at}", query_response: [{{send: {sent}}}, {{expect: {expected}}}]}}'
    else:
        why = "the kernel takes it also where it hangs: ask by http, or add query_response"
        yield f'    tcp: {{target: "{at}"}}  # {why}'


def _customers(found: Proposal) -> Iterator[str]:
    if found.at:
        why = f"  # guessed: {found.at_why}" if found.at_why else ""
        yield f"customers:{why}\n  at: {json.dumps(found.at)}\n  rate: {said(found.rate)}"
    else:
        yield "# Without this no drill sees an outage: where customers come in."
        yield f'# customers: {{at: "http://127.0.0.1:8080", rate: {found.rate}}}'
    yield ""


def _database(found: Proposal) -> Iterator[str]:
    if found.database is None:
        yield "# Without this loss is UNKNOWN, unless the client reads back by requests."
        yield '# database: {kind: postgresql, members: {db-1: "${address}:5432"}, dsn: "host=${host} port=${port} …"}'
    else:
        yield from _servers(found.database)
    yield ""


def _servers(given: Servers) -> Iterator[str]:
    members = ", ".join(f'{said(name)}: "${{address}}:{port}"' for name, port in given.members.items())
    name = given.name or "FILL_IN"
    dsn = f"host=${{host}} port=${{port}} user={given.user} dbname={name} password=${{secret:database}}"
    fill_in = "" if given.name else "  # FILL IN: dbname, of the database that customers' transactions are in"
    ours = given.user not in OWNERS
    reader = given.user if ours else "drill"
    role = f"CREATE ROLE {reader} LOGIN PASSWORD '…' IN ROLE pg_monitor, pg_read_all_data"
    better = f"{given.user} may do all; better a role that only reads"
    yield f"# {'A role that only reads' if ours else better}: {role}"
    yield f"database:{f'  # guessed: {given.why}' if given.why else ''}"
    yield f"  kind: postgresql\n  members: {{{members}}}\n  dsn: {json.dumps(dsn)}{fill_in}"
    if len(given.members) > 1:
        yield "  # returns: as a copy   # say it where a server that led is safe to start while another leads"
        yield "  # failover:             # FILL IN where nothing fails over by itself: how its owner does it"
        yield '  #   do: {in: "${survivor}", run: [pg_ctl, promote]}'
        yield "  #   undo: none"
        yield "  # rejoin:               # FILL IN: makes a server that led a copy, and starts it; else it stays down"
        yield '  #   {run: [./rejoin.sh, "${server}", "${leader}"], within: 2 min}'


def _rest(found: Proposal) -> Iterator[str]:
    yield "backups: none  # nothing is restored by this version"
    yield ""
    if found.alerts:
        yield f"alerts: {{poll: {json.dumps(found.alerts)}}}  # labels: {{component: service}} names another label"
    else:
        yield "# Without this nobody knows how long operations wait to be told:"
        yield '# alerts: {poll: "http://127.0.0.1:9093/api/v2/alerts"}   # or {receive: "0.0.0.0:9095"}'
    yield ""
    yield "safety:"
    yield "  blast radius: {components: 1, zones: 1}"
    yield "  may: [kill, pause, cut]  # each has its inverse; not: lose volumes, destroy rows, fill disks, fail over"
    yield "  longest fault: 5 min"
    yield "  abort when:  # one that is true heals at once, and ends the run"
    yield from (f"    - {{probe: {said(name)}, of: all, fails for: 60 s}}" for name in _shared(found))
    yield "    - {file: ./veto}  # true while such a file is there"
    yield '  # windows: ["Mon-Fri 09:00-16:00 UTC"]'


def _shared(found: Proposal) -> Iterator[str]:
    """Probes of several components: where all of them fail it is no drill any more."""
    named = [part.alive for part in found.parts]
    yield from (name for name in found.probes if named.count(name) > 1)
