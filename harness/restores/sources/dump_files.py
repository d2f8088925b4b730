"""The dumps among the files of a repository, and what lies beside them. All is told by what a file begins with."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path, PurePosixPath

from harness.errors import DrillError, NotReady, Unable
from harness.evidence.run_folder import temporary_prefix
from harness.restores import Kept
from harness.restores.sources.header import (
    ARCHIVES,
    LONG,
    SHORT,
    Header,
    NoHeader,
    Packed,
    looks_like_one,
    packed,
    read_header,
    unpacked,
)
from harness.restores.sources.load import MAKE_ANEW, NO_END, SPOILT, TOC, Time, copy, is_whole, opened
from harness.restores.sources.script import Script, read_script
from harness.restores.sources.storage import PIECE, Storage, Stored
from harness.system import clock
from harness.system.command import Commands

ENDING = re.compile(r"\.(?:gz|bz2|xz|zst)$")
GLOBALS = ("globals.sql", "roles.sql")
NAMED_LIKE_ONE = re.compile(r"\.(?:dump|dmp|pgdump|backup|bak|custom|sql|tar)(?:\.(?:gz|bz2|xz|zst))?$", re.IGNORECASE)
SUMS = "SHA256SUMS"
SUM = re.compile(r"^([0-9a-fA-F]{64})(?:[ \t]+\*?(\S.*?))?\s*$", re.MULTILINE)
AHEAD = timedelta(minutes=5)  # by which clocks may differ
TAIL = 4096  # bytes in which the end of a script is
SOON = timedelta(minutes=5)

Parts = Mapping[str, Stored]


class DumpFiles:
    """Of one repository. `zone`: of the clock in a dump; empty: UTC. Errors of all: as those of `Storage`."""

    def __init__(self, storage: Storage, commands: Commands, *, zone: str) -> None:
        self.storage = storage
        self._commands = commands
        self._zone = zone
        self._found: Parts | None = None

    @property
    def files(self) -> Parts:
        """As they were when all were listed last."""
        if self._found is None:
            self._found = self.storage.files()
        return self._found

    def all(self) -> list[Kept]:
        """Errors: `NotReady` where there are files, and none is a dump."""
        self._found = None
        files = self.files
        folders = {name.removesuffix(f"/{TOC}") for name in files if name.endswith(f"/{TOC}")}
        found: dict[str, dict[str, Stored]] = {name: {} for name in folders}
        for name, stored in files.items():
            folder = next((str(path) for path in PurePosixPath(name).parents if str(path) in folders), "")
            found.setdefault(folder or name, {})[name] = stored
        kept = [each for name, parts in found.items() if (each := self._kept(name, parts))]
        if files and not kept:
            raise NotReady(
                f"{self.storage.said} has {len(files)} files, such as {min(files)}, and none is a dump of pg_dump",
                hint="what is encrypted, or the tar of a folder, is for the tool `commands`, which unpacks it first",
            )
        return kept

    def globals_of(self, name: str) -> str:
        """The file beside a dump that has the roles; empty where there is none."""
        stem = PurePosixPath(name).name.partition(".")[0]
        for folder in PurePosixPath(name).parents:
            under = "" if str(folder) == "." else f"{folder}/"
            for wanted in (*(f"{stem}.{each}" for each in GLOBALS), *GLOBALS):
                for file in self.files:
                    if ENDING.sub("", file) == under + wanted:
                        return file
        return ""

    def sums(self, name: str) -> dict[str, str]:
        """What checksums beside a dump say: SHA-256 in hex by the name of a file; of no file where none is named."""
        folder = PurePosixPath(name).parent
        for beside in (f"{name}.sha256", str(folder / SUMS)):
            if beside in self.files:
                text = self.storage.read(beside).decode(errors="replace")
                return {PurePosixPath(file).name: found.lower() for found, file in SUM.findall(text)}
        return {}

    def fetch(self, name: str, into: Path, time: Time) -> tuple[int, str]:
        """Copy a dump to the file or folder `into`; how many bytes, and its SHA-256 as that of `sha256_of_all`.

        Errors: `DrillError` where a checksum beside it says otherwise.
        """
        sums = self.sums(name)
        parts = sorted(file for file in self.files if file.startswith(f"{name}/"))
        size = 0
        for file in parts or [name]:
            target = into / file.removeprefix(f"{name}/") if parts else into
            target.parent.mkdir(parents=True, exist_ok=True)
            with self.storage.open(file) as source, target.open("wb") as out:
                copy(source, out, time)
                size += out.tell()
            wanted = sums.get(PurePosixPath(file).name, "" if parts else sums.get("", ""))
            if wanted and wanted != (found := sha256_of(target)):
                raise DrillError(f"{file} is not what it was: its SHA-256 is {found}, not {wanted}", hint=MAKE_ANEW)
        return size, sha256_of_all(into)

    def script(self, name: str) -> Script:
        """All of a script is read. Errors: `DrillError` where it is spoilt; `Unable` where it cannot be unpacked."""
        kind = packed(self.storage.part(name, SHORT))
        if kind == "zstd":
            raise Unable(f"{name} cannot be read where it is", hint="it is unpacked by zstd once it is brought")
        with self.storage.open(name) as source:
            try:
                return read_script(opened(source, kind) if kind else source)
            except SPOILT as error:
                raise DrillError(f"{name} is cut short or spoilt: {error}", hint=MAKE_ANEW) from None

    def beginning(self, name: str, length: int = LONG) -> bytes:
        """Of what is packed in it, where it is. Errors: `NoHeader`."""
        first = self.storage.part(name, length)
        kind = packed(first)
        if kind != "zstd":
            return unpacked(first, kind, length) if kind else first
        with self.temporary() as folder:
            (folder / "part").write_bytes(first)
            # It is cut short, which zstd says; what it could unpack until then is what is wanted.
            words = f'zstd -d -q -c -- "$0" 2>"$0.said" | head -c {length} >"$0.out"'
            self._commands.run(["sh", "-c", words, folder / "part"], within=SOON, quiet=True)
            found = (folder / "part.out").read_bytes()
            if not found:
                raise NoHeader(f"zstd: {(folder / 'part.said').read_text(errors='replace').strip()}")
            return found

    @contextmanager
    def temporary(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix=temporary_prefix(self._commands.label)) as folder:
            yield Path(folder)

    def _kept(self, name: str, parts: Parts) -> Kept | None:
        """None where it is no dump, and not named like one."""
        if is_globals(name):
            return None
        first = f"{name}/{TOC}" if name not in parts else name
        stored = sum(each.size for each in parts.values())
        begin = self.storage.part(first, SHORT)
        meant = first != name or bool(NAMED_LIKE_ONE.search(name))
        if not meant and not looks_like_one(begin):
            return None
        try:
            header = read_header(self.beginning(first) if looks_like_one(begin) else begin)
        except NoHeader as error:
            return Kept(name, None, 0, "dump", size=0, stored=stored, sound=str(error)) if meant else None
        return self._described(name, header, stored, packed(begin))

    def _described(self, name: str, header: Header, stored: int, kind: Packed) -> Kept:
        ended, against = header.ended(self._zone)
        if ended and ended > clock.now().utc + AHEAD:
            against = against or f"it says that it was made at {ended:%Y-%m-%d %H:%M:%S} UTC, which is yet to come"
        sound = [against, "" if header.version else "its beginning does not say of which version it is"]
        script = header.kind not in ARCHIVES
        if script and not kind and not is_whole(header, self._end(name)):
            sound.append(NO_END)
        sums = self.sums(name)
        digest = sums.get(PurePosixPath(name).name, sums.get("", "")) if header.kind != "directory" else ""
        facts = {"kind": header.kind, "packed": kind, "server": header.server, "by": header.by}
        if header.made and not header.zone:
            facts["zone"] = self._zone or "UTC, since the stack file has no `zone`"
        return Kept(
            name, ended, header.version, "dump", size=stored if script and not kind else 0, stored=stored,
            digest=digest, digest_of="the file, by the checksum beside it" if digest else "",
            database=header.database, sound="; ".join(filter(None, sound)), facts=facts,
        )  # fmt: skip  # in groups

    def _end(self, name: str) -> str:
        return read_script(self.storage.part(name, TAIL, last=True).splitlines(keepends=True)).end


def sha256_of(path: Path) -> str:
    """In hex, of a file."""
    found = sha256()
    with path.open("rb") as source:
        while piece := source.read(PIECE):
            found.update(piece)
    return found.hexdigest()


def sha256_of_all(path: Path) -> str:
    """In hex: of a file; of a folder that of the lines that `sha256sum *` prints in it."""
    if path.is_file():
        return sha256_of(path)
    files = sorted(each for each in path.rglob("*") if each.is_file())
    lines = (f"{sha256_of(each)}  {each.relative_to(path)}\n" for each in files)
    return sha256("".join(lines).encode()).hexdigest()


def is_globals(name: str) -> bool:
    """Whether a file is called as what `pg_dumpall --globals-only` writes is to be."""
    plain = ENDING.sub("", PurePosixPath(name).name)
    return plain in GLOBALS or plain.endswith(tuple(f".{each}" for each in GLOBALS))
