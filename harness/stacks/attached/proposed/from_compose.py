"""A proposal from a compose file, and one from names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from harness.stacks.attached.proposed import guesses
from harness.stacks.attached.proposed.compose_file import ComposeFile, Port, Service
from harness.stacks.attached.proposed.guesses import DATABASE, Asked, Guess
from harness.stacks.attached.proposed.proposal import Part, Proposal, Servers, protected, with_zones

POSTGRES_PORT = 5432
ANYWHERE = ("", "0.0.0.0", "::")  # a port that is published there is reached on the loopback, too
ALERTMANAGER = re.compile("alertmanager", re.IGNORECASE)


def from_compose(found: ComposeFile, *, owner: str) -> Proposal:
    """All that can be guessed of it."""
    going = [service for service in found.services.values() if not service.job]
    roles = {service.name: guesses.role_of(service) for service in going}
    probes, alive = _probes(going, roles)
    entered = guesses.entrance([(service, roles[service.name].role) for service in going])
    database, apart = _database(going, found.project)
    page = next((probes[alive[one.name]].path for one in going if alive.get(one.name)), "") or "/"
    return Proposal(
        name=found.project.replace("-", " ").replace("_", " ").capitalize(),
        owner=owner,
        project=found.project,
        files=found.paths,
        parts=with_zones(_parts(going, roles, alive, found.project), {}),
        probes=probes,
        at=_url(*entered) if entered else "",
        at_why=f"{entered[0].name} publishes it" if entered else "",
        page=page,
        database=database,
        alerts=_alerts(going),
        notes=[*_left_out(found), *apart],
        not_copied={one.name: one.secrets for one in going if one.secrets},
    )


def from_names(named: Mapping[str, str], *, project: str, name: str, owner: str) -> Proposal:
    """`named`: components, each with its role, empty where it is to be guessed. `project`: of compose, or empty."""
    found = {each: Guess(role, "") if role else _guessed(each) for each, role in named.items()}
    servers = [each for each, guess in found.items() if guess.role == DATABASE]
    many = [guess.role for guess in found.values()]
    parts = [
        Part(each, guess.role, guess.why, protected(guess.role, many=many.count(guess.role)),
             container="" if project else each)
        for each, guess in found.items()
    ]  # fmt: skip  # a table
    database = Servers(dict.fromkeys(servers, POSTGRES_PORT), "", why="by their role") if servers else None
    return Proposal(
        name=name,
        owner=owner,
        project=project,
        parts=with_zones(parts, {}),
        database=replace(database, secret=variable(name)) if database else None,
    )


def variable(name: str) -> str:
    """What a database's password is read from: `PAYDESK_DRILL_PASSWORD`."""
    return re.sub(r"[^A-Z0-9]+", "_", f"{name}_drill_password".upper()).strip("_").lstrip("0123456789_")


def _guessed(name: str) -> Guess:
    return guesses.role_of_name(name) or Guess("service", "nothing says more of it")


def _parts(going: Sequence[Service], roles: Mapping[str, Guess], alive: Mapping[str, str], project: str) -> list[Part]:
    many = [roles[one.name].role for one in going for _ in range(one.replicas)]
    parts = []
    for one in going:
        guess = roles[one.name]
        part = Part(
            one.name, guess.role, guess.why, protected(guess.role, many=many.count(guess.role)),
            alive=alive.get(one.name, ""),
        )  # fmt: skip  # arguments in groups
        if one.replicas == 1:
            parts.append(part)
            continue
        names = [f"{one.name}-{number}" for number in range(1, one.replicas + 1)]  # one component is one container
        parts += [replace(part, name=name, container=f"{project}-{name}") for name in names]
    return parts


def _probes(going: Sequence[Service], roles: Mapping[str, Guess]) -> tuple[dict[str, Asked], dict[str, str]]:
    """By name; and which each service has. What is asked alike has one probe, whatever the reason."""
    probes: dict[str, Asked] = {}
    alive: dict[str, str] = {}
    for one in going:
        role = roles[one.name].role
        if (asked := guesses.asked(one, role)) is None:
            continue
        same = (name for name, each in probes.items() if each._replace(why="") == asked._replace(why=""))
        usual = f"{role} health"
        name = next(same, usual if usual not in probes else f"{one.name} health")
        probes.setdefault(name, asked)
        alive[one.name] = name
    return probes, alive


def _database(going: Sequence[Service], project: str) -> tuple[Servers | None, list[str]]:
    """And what is said of the servers that are not among its members."""
    servers = [one for one in going if guesses.is_postgres(one) and one.replicas == 1]
    if not servers:
        others = [one.name for one in going if guesses.role_of(one).role == DATABASE]
        return None, [f"{name} is a database, and only PostgreSQL is asked who leads" for name in others]
    found = guesses.members(servers)
    why = "called alike, so taken for one that leads and its copies" if len(found) > 1 else "the only one"
    name = next((one.database for one in found if one.database), "")
    members = {one.name: POSTGRES_PORT for one in found}
    apart = [one.name for one in servers if one not in found]
    other = f"is a PostgreSQL server, too, and is called otherwise than {found[0].name}: no member"
    notes = [f"{name} {other}" for name in apart]
    return Servers(members, name, secret=variable(project), why=why), notes


def _url(service: Service, port: Port) -> str:
    host = "127.0.0.1" if port.host in ANYWHERE else port.host
    scheme = "https" if port.inside in (443, 8443) else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port.published}"


def _alerts(going: Iterable[Service]) -> str:
    for one in going:
        if ALERTMANAGER.search(f"{one.image} {one.name}") and one.ports:
            return f"{_url(one, one.ports[0])}/api/v2/alerts"
    return ""


def _left_out(found: ComposeFile) -> list[str]:
    jobs = [f"{one.name} is no component: {one.job}" for one in found.services.values() if one.job]
    return [*jobs, *(f"{each} was not followed" for each in found.left_out)]
