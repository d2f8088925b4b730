"""A compose file, as far as a proposal looks at it. Of its environment only names are kept: values may be secrets."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.errors import Refused

LARGEST = 1_000_000  # bytes
VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::?-([^}]*)|:?[?+][^}]*)?\}|([A-Za-z_]\w*)|(\$))")
SECRET = re.compile(r"passw|secret|token|api_?key|private|credential|\bkey\b|_key$|_url$|dsn", re.IGNORECASE)
DATABASE_NAME = ("POSTGRES_DB", "POSTGRESQL_DATABASE", "PGDATABASE")
HINT = "name the file that `docker compose` is given"


@dataclass(frozen=True)
class Port:
    """One that is published: where, and what it is inside."""

    host: str
    published: int
    inside: int


@dataclass(frozen=True)
class Service:
    name: str
    image: str = ""
    command: str = ""
    ports: Sequence[Port] = ()
    exposed: Sequence[int] = ()  # ports that are not published
    check: str = ""  # its healthcheck, as a command line
    secrets: Sequence[str] = ()  # names in its environment whose values look like secrets
    database: str = ""  # the name of its database, where the file says it
    replicas: int = 1
    container: str = ""  # its name, where the file gives one
    job: str = ""  # why it does its work once, and ends; empty where it goes on


@dataclass(frozen=True)
class ComposeFile:
    paths: Sequence[Path]
    project: str
    services: Mapping[str, Service]
    left_out: Sequence[str] = field(default_factory=tuple)  # what of it was not followed


def read(paths: Sequence[Path]) -> ComposeFile:
    """Later files change earlier ones, as far as whole fields of services go. Errors: `Refused`."""
    given = [_mapping(path) for path in paths]
    variables = _variables(paths[0].parent / ".env")
    services: dict[str, dict[str, Any]] = {}
    for path, each in zip(paths, given, strict=True):
        if not isinstance(each.get("services"), dict):
            raise Refused(f"{path}: has no services", hint=HINT)
        for name, service in each["services"].items():
            services[str(name)] = {**services.get(str(name), {}), **(service if isinstance(service, dict) else {})}
    once = {name for each in services.values() for name in _awaited(each)}
    left = [f"{word}: of {path.name}" for path, each in zip(paths, given, strict=True) for word in _not_followed(each)]
    return ComposeFile(
        paths=tuple(path.absolute() for path in paths),
        project=_project(given, variables, paths[0]),
        services={name: _service(name, each, variables, once) for name, each in services.items()},
        left_out=tuple(left),
    )


class _Loader(yaml.SafeLoader):
    """Compose has tags of its own, such as `!reset`."""


def _untagged(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return None


_Loader.add_multi_constructor("!", _untagged)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise Refused(f"{path}: is larger than {LARGEST:,} bytes", hint=HINT)
        found = yaml.load(content, _Loader)  # a safe loader
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}", hint=HINT) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise Refused(f"{where}: is not YAML", hint="docker compose config says what is wrong with it") from None
    if not isinstance(found, dict):
        raise Refused(f"{path}: is no compose file", hint=HINT)
    return found


def _variables(path: Path) -> dict[str, str]:
    """Of the `.env` beside it: they fill in ports and names, and none is copied for itself."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    split = (line.strip().removeprefix("export ").partition("=") for line in lines if not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, equals, value in split if equals}


def _filled(said: Any, variables: Mapping[str, str]) -> str:
    """With what `${NAME:-default}` stands for; empty where nobody says it."""

    def value(found: re.Match[str]) -> str:
        if found[4]:
            return "$"
        return variables.get(found[1] or found[3], found[2] or "")

    return VARIABLE.sub(value, str(said))


def _project(given: Sequence[Mapping[str, Any]], variables: Mapping[str, str], first: Path) -> str:
    named = next((each["name"] for each in reversed(given) if each.get("name")), "")
    name = _filled(named, variables) or variables.get("COMPOSE_PROJECT_NAME", "") or first.absolute().parent.name
    return re.sub(r"[^a-z0-9_-]", "", name.lower()).lstrip("_-") or "platform"


def _service(name: str, given: Mapping[str, Any], variables: Mapping[str, str], once: set[str]) -> Service:
    environment = dict(_environment(given.get("environment")))
    named = next((environment[each] for each in DATABASE_NAME if environment.get(each)), "")
    ports = [port for each in _list(given.get("ports")) for port in _port(each, variables)]
    return Service(
        name=name,
        image=_filled(given.get("image", ""), variables),
        command=" ".join(_words(given.get("entrypoint")) + _words(given.get("command"))),
        ports=[port for port in ports if port.published],
        exposed=[
            *(port.inside for port in ports),
            *(int(each) for each in _list(given.get("expose")) if _digits(each)),
        ],
        check=" ".join(_check(given.get("healthcheck"))),
        secrets=[each for each, value in environment.items() if SECRET.search(each) and value],
        database=_filled(named, variables) if named else "",
        replicas=_replicas(given, variables),
        container=_filled(given.get("container_name", ""), variables),
        job=_job(name, given, once),
    )


def _environment(given: Any) -> Iterator[tuple[str, str]]:
    if isinstance(given, dict):
        yield from ((str(name), "" if value is None else str(value)) for name, value in given.items())
    for each in given if isinstance(given, list) else ():
        name, _, value = str(each).partition("=")
        yield name, value


def _port(said: Any, variables: Mapping[str, str]) -> Iterator[Port]:
    """None where it is a range, or of UDP."""
    if isinstance(said, dict):
        target, published = _filled(said.get("target", ""), variables), _filled(said.get("published", ""), variables)
        host, protocol = _filled(said.get("host_ip", ""), variables), str(said.get("protocol", "tcp"))
    else:
        text, _, protocol = _filled(said, variables).partition("/")
        rest, _, target = text.rpartition(":")
        host, _, published = rest.rpartition(":")
    if (protocol or "tcp") == "tcp" and _digits(target) and (not published or _digits(published)):
        yield Port(host.strip("[]"), int(published or 0), int(target))


def _replicas(given: Mapping[str, Any], variables: Mapping[str, str]) -> int:
    deploy = given.get("deploy")
    said = deploy.get("replicas") if isinstance(deploy, dict) else None
    number = _filled(said if said is not None else given.get("scale", 1), variables)
    return int(number) if _digits(number) else 1


def _job(name: str, given: Mapping[str, Any], once: set[str]) -> str:
    if name in once:
        return "others wait until it has completed"
    return f"it is started with the profile {given['profiles'][0]} alone" if _list(given.get("profiles")) else ""


def _awaited(given: Mapping[str, Any]) -> Iterator[str]:
    others = given.get("depends_on")
    for name, how in others.items() if isinstance(others, dict) else ():
        if isinstance(how, dict) and how.get("condition") == "service_completed_successfully":
            yield str(name)


def _not_followed(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("include"):
        yield "include"
    for name, service in given["services"].items():
        if isinstance(service, dict) and service.get("extends"):
            yield f"services.{name}.extends"


def _check(given: Any) -> list[str]:
    if not isinstance(given, dict) or given.get("disable"):
        return []
    words = _words(given.get("test"))
    return words[1:] if words[:1] in (["CMD"], ["CMD-SHELL"]) else [] if words[:1] == ["NONE"] else words


def _words(said: Any) -> list[str]:
    if isinstance(said, list):
        return [str(each) for each in said]
    try:
        return shlex.split(str(said)) if said else []
    except ValueError:
        return str(said).split()


def _list(said: Any) -> list[Any]:
    return said if isinstance(said, list) else []


def _digits(said: Any) -> bool:
    return str(said).isascii() and str(said).isdigit() and 0 < int(said) < 65536
