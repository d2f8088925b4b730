"""What a script of pg_dump or pg_dumpall names, and whether it is whole: read through once, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

NAME = rb'("(?:[^"]|"")+"|[^\s;,"]+)'
OWNER = re.compile(rb"^ALTER .* OWNER TO " + NAME + rb";$")
GRANT = re.compile(rb"^(?:ALTER DEFAULT PRIVILEGES .*|GRANT .*|REVOKE .*)\b(?:TO|FROM) " + NAME + rb"(?: .*)?;$")
FOR_ROLE = re.compile(rb"^ALTER DEFAULT PRIVILEGES FOR ROLE " + NAME)
POLICY = re.compile(rb"^CREATE POLICY .* TO (.+?)(?: USING .*| WITH CHECK .*)?;$")
MAPPING = re.compile(rb"^CREATE USER MAPPING FOR " + NAME)
CREATED = re.compile(rb"^CREATE (?:ROLE|USER) (?!MAPPING )" + NAME)
EXTENSION = re.compile(rb"^CREATE EXTENSION (?:IF NOT EXISTS )?" + NAME)
IN_TABLESPACE = re.compile(rb"^SET default_tablespace = '?\"?([^\"';]+)\"?'?;$")
TABLESPACE = re.compile(rb"^CREATE TABLESPACE " + NAME)
DATABASE = re.compile(rb"^CREATE DATABASE " + NAME)
LOCALES = re.compile(rb"\b(?:LOCALE|LC_COLLATE|LC_CTYPE|ICU_LOCALE|BUILTIN_LOCALE) ?= ?'([^']+)'", re.IGNORECASE)
ICU = re.compile(rb"(?:LOCALE_PROVIDER|provider) ?= ?'?icu", re.IGNORECASE)
ENCODING = re.compile(rb"^SET client_encoding = '([^']+)';$")
END = re.compile(rb"^-- PostgreSQL database (cluster )?dump complete$")
COPY, COPIED = re.compile(rb"^COPY .* FROM stdin;$"), b"\\."
ORDER = re.compile(rb"^\\(?!\.$|[bfnrtvN\\])")  # no row begins so, and neither does its end
# To a database by its name, as pg_dump writes it: never to another server.
CONNECT = re.compile(
    rb"""^\\connect (?:-reuse-previous=on "dbname='(?:[^'"`\\]|""|\\['\\])+'"|"[^"'`\\:=]+"|[^\s"'`\\:=/]+)$"""
)
KEEP = re.compile(rb"^\\(un)?restrict [A-Za-z0-9]+$")
EVERYBODY = (b"public", b"current_user", b"session_user", b"current_role")
SHOWN = 60  # letters of a line


@dataclass
class Script:
    """What was read. `orders`: lines by which psql would do something else than pg_dump wrote, such as a program."""

    named: set[str] = field(default_factory=set)  # roles
    created: set[str] = field(default_factory=set)  # roles
    extensions: set[str] = field(default_factory=set)
    tablespaces: set[str] = field(default_factory=set)
    locales: set[str] = field(default_factory=set)  # "de_DE.UTF-8", "icu:de-DE"
    databases: set[str] = field(default_factory=set)
    encoding: str = ""
    end: str = ""  # "database" or "cluster": what the last line but empty ones says is complete
    connects: bool = False
    restricted: bool = False  # it has psql refuse orders
    orders: list[str] = field(default_factory=list)

    @property
    def missing_roles(self) -> list[str]:
        """That it names and does not bring."""
        return sorted(self.named - self.created)


def read_script(lines: Iterable[bytes]) -> Script:
    """Of its lines, ended by a newline each. Rows are passed over."""
    found, copying, keeping, idle = Script(), False, False, True
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip(b"\r\n")
        if line.startswith(b"\\") and not keeping and ORDER.match(line) and not CONNECT.match(line):
            found.orders.append(f"line {number}: {line[:SHOWN].decode(errors='replace')}")
        if copying:
            copying = line != COPIED
            continue
        if keep := KEEP.match(line):
            # Where a statement is under way, such a line may stand in a text, and psql would not take it for its own.
            keeping, idle = not keep[1] and (keeping or idle), bool(keep[1])
            found.restricted = found.restricted or keeping
            continue
        if not line or line == b"--":
            continue
        if CONNECT.match(line):
            found.connects = True
            continue
        idle = idle and line.startswith(b"--")
        end = END.match(line) if line.startswith(b"-- PostgreSQL") else None
        found.end = ("cluster" if end[1] else "database") if end else ""
        copying = bool(COPY.match(line))
        if not copying:
            _read_line(found, line)
    return found


def _read_line(found: Script, line: bytes) -> None:
    if line.startswith((b"ALTER ", b"GRANT ", b"REVOKE ")):
        _add(found.named, OWNER.match(line), GRANT.match(line), FOR_ROLE.match(line))
    elif line.startswith(b"SET "):
        encoding = ENCODING.match(line)
        found.encoding = found.encoding or (encoding[1].decode() if encoding else "")
        _add(found.tablespaces, IN_TABLESPACE.match(line))
    elif line.startswith(b"CREATE "):
        _created(found, line)


def _created(found: Script, line: bytes) -> None:
    policy = POLICY.match(line)
    for each in policy[1].split(b", ") if policy else ():
        _add(found.named, re.match(NAME, each))
    _add(found.named, MAPPING.match(line))
    _add(found.created, CREATED.match(line))
    if extension := EXTENSION.match(line):
        found.extensions.add(extension[1].strip(b'"').decode(errors="replace"))
    _add(found.tablespaces, TABLESPACE.match(line))
    _add(found.databases, DATABASE.match(line))
    if line.startswith((b"CREATE DATABASE", b"CREATE COLLATION")):
        prefix = "icu:" if ICU.search(line) else ""
        found.locales |= {prefix + each.decode(errors="replace") for each in LOCALES.findall(line)}


def _add(names: set[str], *matches: re.Match[bytes] | None) -> None:
    """What is PostgreSQL's own, as `pg_monitor` and `pg_default`, is everywhere."""
    for match in matches:
        said = match[1] if match else b""
        if said and said.lower() not in EVERYBODY and not said.startswith(b"pg_"):
            names.add(said.removeprefix(b'"').removesuffix(b'"').replace(b'""', b'"').decode(errors="replace"))
