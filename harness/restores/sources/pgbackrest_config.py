"""The configuration that pgBackRest is given: always one of our own, in a file that nobody else may read.

Of the owner's own only what says where a repository is and how it is reached is taken over. Whatever else there may
be, such as links and tablespaces elsewhere, databases left out, settings of a recovery, or the host of the original,
would lead out of the place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import NotReady, Refused, Unable
from harness.restores.described import Backup
from harness.stacks.attached.file.formats import filled

USUAL = Path("/etc/pgbackrest/pgbackrest.conf")
USUAL_MORE = Path("/etc/pgbackrest/conf.d")  # read by pgBackRest besides that one, and besides no other
USUAL_PATH = "/var/lib/pgbackrest"
REPOSITORY = re.compile(r"repo(\d*)-([a-z0-9-]+)")
REACHED = re.compile(
    r"(cmd-ssh|protocol-timeout|io-timeout|buffer-size|compress-level-network|(sck|tcp|tls)-[a-z0-9-]+)"
)
FILES = re.compile(r".*-(file|path|key)")  # of a repository: what may be a file's name besides
COMMANDS = ("info", "restore", "archive-get", "repo-ls")


@dataclass(frozen=True)
class Repo:
    """`where`: a folder of this machine, or None. `at`: as a stack file has it. `files`: what is read besides."""

    key: int
    where: Path | None
    at: str
    remote: bool
    files: tuple[Path, ...] = ()

    @property
    def reads(self) -> list[Path]:
        return [*([self.where] if self.where else []), *self.files]


@dataclass(frozen=True)
class Configuration:
    """`lines`: by their sections, such as `global` and `main:restore`."""

    lines: Mapping[str, Sequence[str]]
    repos: tuple[Repo, ...]

    def text(self, *, stanza: str, work: Path, data: Path | None = None, processes: int = 1) -> str:
        """All of the file. `work`: a folder of ours; `data`: where it is restored."""
        ours = [
            f"lock-path={work}",
            f"log-path={work}",
            f"spool-path={work}",  # which a restore empties
            "log-level-file=off",
            "log-level-console=off",
            "log-level-stderr=warn",  # apart from what is asked for, which is JSON
            "log-timestamp=n",
            f"process-max={processes}",
            "allow-root=y",  # newer ones let root ask nothing else; none of it writes into a repository
        ]
        sections = {"global": [*ours, *self.lines.get("global", ())]}
        sections |= {name: list(lines) for name, lines in self.lines.items() if name != "global"}
        if data:
            sections.setdefault(stanza, []).append(f"pg1-path={data}")
        return "".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections.items())


def configuration(backup: Backup, values: Mapping[str, str]) -> Configuration:
    """Of the database in a stack file. Errors: `NotReady` where its configuration cannot be read; `Refused`."""
    if backup.config is None:
        return _ours(backup, values)
    return _theirs(backup, _read(backup.config), stanza=backup.server)


def _ours(backup: Backup, values: Mapping[str, str]) -> Configuration:
    at = backup.repository
    if at is None:
        hint = "add `repository`, or the tool's own `config`"
        raise Refused(f"{backup.name}: nothing says where the repository is", hint=hint)
    if not str(at).startswith("s3://"):
        where = Path(at)
        return Configuration({"global": [_line("repo1-path", str(where))]}, (Repo(1, where, str(at), remote=False),))
    bucket, _, prefix = str(at).removeprefix("s3://").partition("/")
    if not bucket:
        raise Refused(f'"{at}" has no bucket', hint="write it like s3://bucket/prefix")
    s3 = backup.s3
    url = urlsplit(s3.endpoint or f"https://s3.{s3.region}.amazonaws.com")
    if url.scheme != "https":
        hint = "give it an endpoint with a certificate, and its authority as `ca_file`"
        raise Unable(f"{s3.endpoint}: pgBackRest speaks https alone", hint=hint)
    host = url.hostname or ""
    facts = {
        "type": "s3",
        "path": f"/{prefix.strip('/')}",
        "s3-bucket": bucket,
        "s3-endpoint": host,
        "s3-region": s3.region,
        "storage-port": str(url.port or 443),
        **({"s3-uri-style": "path"} if s3.endpoint else {}),
        **({"storage-ca-file": str(s3.ca)} if s3.ca else {}),
        **_keys(filled(s3.key, dict(values)), filled(s3.secret, dict(values))),
    }
    lines = [_line(f"repo1-{name}", value) for name, value in facts.items()]
    return Configuration({"global": lines}, (Repo(1, None, str(at), True, (s3.ca,) if s3.ca else ()),))


def _keys(key: str, secret: str) -> dict[str, str]:
    """For pgBackRest, which looks at no environment; where there are none, it asks the machine that it runs on."""
    token = ""
    if not key:
        found = _surrounding()
        key, secret, token = found or ("", "", "")
    if not key:
        return {"s3-key-type": "auto"}
    return {"s3-key": key, "s3-key-secret": secret, **({"s3-token": token} if token else {})}


def _surrounding() -> tuple[str, str, str] | None:
    try:
        from botocore.session import Session  # noqa: PLC0415  (of an extra, and only where no key is given)
    except ImportError:
        return None
    found: Any = Session().get_credentials()
    if found is None:
        return None
    now = found.get_frozen_credentials()
    return now.access_key, now.secret_key, now.token or ""


def _line(name: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise Refused(f"{name} has more than one line", hint="look at `s3` and the secrets that it names")
    return f"{name}={value}"


# The owner's own


def _read(path: Path) -> dict[str, list[str]]:
    """Its lines by their sections, and those of the files that pgBackRest reads with it."""
    more = sorted(USUAL_MORE.glob("*.conf")) if path == USUAL else []
    sections: dict[str, list[str]] = {}
    for each in (path, *more):
        try:
            text = each.read_text(errors="replace")
        except OSError as error:
            hint = "this account has to be let read it; or say `repository`"
            raise NotReady(f"{each}: {error.strerror}", hint=hint) from None
        section = ""
        for line in map(str.strip, text.splitlines()):
            if line.startswith("[") and line.endswith("]"):
                section = line[1:-1]
            elif "=" in line and not line.startswith("#"):
                sections.setdefault(section, []).append(line)
    return sections


def _theirs(backup: Backup, sections: Mapping[str, Sequence[str]], *, stanza: str) -> Configuration:
    told = [name for name in sections if ":" not in name and not name.startswith("global") and name]
    owner = stanza or (told[0] if len(told) == 1 else "")
    names = [each for each in ("global", owner) if each]
    names += [f"{name}:{command}" for name in list(names) for command in COMMANDS]
    repos = _repos([line for name in names[:2] for line in sections.get(name, ())])
    if backup.repository is not None:
        chosen = tuple(repo for repo in repos if repo.at.rstrip("/") == str(backup.repository).rstrip("/"))
        if not chosen:
            there = ", ".join(repo.at for repo in repos)
            raise Refused(
                f"{backup.config} has no repository {backup.repository}: it has {there}", hint="name one of them"
            )
        repos = chosen
    keys = {repo.key for repo in repos}
    kept = {name: [line for line in sections[name] if _ours_too(line, keys)] for name in names if name in sections}
    return Configuration({"global": (), **kept}, repos)


def _ours_too(line: str, keys: set[int]) -> bool:
    name = line.partition("=")[0].strip()
    found = REPOSITORY.fullmatch(name)
    return int(found[1] or 1) in keys if found else bool(REACHED.fullmatch(name))


def _repos(lines: Sequence[str]) -> tuple[Repo, ...]:
    facts: dict[int, dict[str, str]] = {}
    for line in lines:
        name, _, value = (part.strip() for part in line.partition("="))
        if found := REPOSITORY.fullmatch(name):
            facts.setdefault(int(found[1] or 1), {})[found[2]] = value
    return tuple(_repo(key, facts[key]) for key in sorted(facts)) or (_repo(1, {}),)


def _repo(key: int, facts: Mapping[str, str]) -> Repo:
    kind, path, host = facts.get("type", "posix"), facts.get("path", USUAL_PATH), facts.get("host", "")
    files = tuple(
        Path(value)
        for name, value in facts.items()
        if FILES.fullmatch(name) and name != "path" and value.startswith("/") and not name.startswith("host-config")
        and Path(value).exists()
    )  # fmt: skip  # a condition of several parts
    here = kind in ("posix", "cifs") and not host
    bucket = facts.get(f"{kind}-bucket") or facts.get(f"{kind}-container", "")
    at = path if here else f"{host}:{path}" if host else f"{kind}://{bucket}{path}"
    return Repo(key, Path(path) if here else None, at, not here, files)
