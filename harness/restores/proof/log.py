"""What the tools and the server said while they restored: of what was skipped, ignored or wrong.

The server's own words are read in English, as its place is set up. What is usual in a recovery is listed here with
the reason, and nothing else is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.restores import Look
from harness.restores.proof import MARK

READY = "database system is ready to accept connections"
TOLD = 300  # letters of a line

_SEVERITY = re.compile(
    r"(?:^|\s)(DEBUG\d?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION):\s+(.*)"
)
_GRAVE = ("WARNING", "ERROR", "FATAL", "PANIC")
_MORE = ("DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION")  # of the line before

# Words of a line that is no warning or error to the server, and yet says that something is not as it was.
_WRONG = re.compile(
    r"errors? ignored|could not |cannot |can't |invalid |checksum|contrecord|corrupt|damaged|mismatch|unexpected"
    r"|missing|incorrect|wrong|fail|was terminated by signal|ended before|has not been reached|no space left"
    r"|out of memory|\berror\b|\bpanic\b|not found|truncated|out-of-sequence|skipp|prev-link",
    re.IGNORECASE,
)
_NAMES = re.compile(r'"[^"]*"')  # a table may be called failures
# A session's error in which a page, a file or the log is wrong, whoever asked.
_DAMAGE = re.compile(r"invalid page|could not read|could not open|checksum|missing chunk|unexpected chunk|corrupt")

# What is usual, and why it is harmless.
USUAL: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(words), reason)
    for words, reason in (
        (r"^(?:/\S+/)?cp: (?:cannot stat|can't stat) .*/?(?:[0-9A-F]{24}|[0-9A-F]{8}\.history)\W.*No such file",
         "the end of the archive, or no newer timeline: the recovery asks for one piece more than there is"),
        (r"^invalid record length at [0-9A-F/]+: (?:wanted|expected at least) 24, got 0$",
         "the end of the log: zeroes follow; whether it is where the archive ends is looked at by itself"),
        (r"^invalid magic number 0000 in (?:log|WAL) segment", "the same, at the begin of a page"),
        (r"^successfully skipped missing contrecord at", "the original itself had crashed there, and went on"),
        (r"^checkpoint record is at ", "where the recovery begins"),
        (r"^database system was (?:shut down|interrupted|not properly shut down)", "how the backup was taken"),
        (r"^the database system is (?:starting up|shutting down|not yet accepting connections)", "we asked too early"),
        (r"^terminating (?:connection|background worker .*|autovacuum process) due to administrator command$",
         "the server was stopped by us"),
        (r"^canceling (?:statement due to (?:statement timeout|user request)|autovacuum task)", "by our own limit"),
        (r"^could not (?:receive data from|send data to) client: ", "one of us closed the connection"),
        (r"^unexpected EOF on client connection", "the same"),
        (r'^enabling "trust" authentication for local connections', "initdb of a place that nobody else reaches"),
        (r"^P\d\d +WARN: +unable to open log file .*", "pgBackRest goes on without a log file of its own"),
        (r'^role "[^"]*" already exists$', "as the place has it already; what it may do is set by what follows"),
        (r"^skipping (?:restartpoint|missing configuration file)", "nothing to write, or nothing to read"),
        (r"^creating missing WAL directory ", "a base backup without a log leaves out the folders of it, too"),
        (r"^ending log output to stderr", "the server's log goes on where it is set to"),
    )
)  # fmt: skip  # words and their reason together

# What may be a value of a row, in a message about it.
_VALUES: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r'((?:invalid input|invalid value|out of range|malformed|does not exist in|value|near)[^"]*)".*"'),
     r'\1"…"'),
    (re.compile(r"(Key \([^)]*\)=)\(.*\)"), r"\1(…)"),
    (re.compile(r"(LINE \d+:).*"), r"\1 …"),
    (re.compile(r"(invalid command) \\.*"), r"\1 …"),
    (re.compile(r"(?<=: )\d+\t.*"), "…"),
)  # fmt: skip  # what is hidden and what is put there together


@dataclass(frozen=True)
class _Line:
    severity: str  # empty: of no server, or of a program that the server ran
    text: str
    ours: bool = False


def looks_at_log(said: Sequence[str], log: str) -> list[Look]:
    """`said`: what a source has brought of its tools' words; `log`: the whole server's log."""
    return [_tools(said), _server(log)]


def _tools(said: Sequence[str]) -> Look:
    lines = [each.strip() for each in said if each.strip()]
    wrong = [each for each in lines if not _usual(each) and not _usual((line := _line(each)).text)
             and line.severity not in _MORE]  # fmt: skip  # what is usual, and what belongs to a line before
    return _look("what the tools said", wrong, of=len(lines), none="nothing was skipped, ignored or wrong")


def _server(log: str) -> Look:
    lines = list(_lines(log))
    wrong = [each.text for each in lines if _offends(each)]
    if not wrong and not any(READY in each.text for each in lines):
        return Look("log", "what the server said", None, f"{len(lines)} lines, and none that it was ready: "
                    "this is not its whole log, or not in English", expected="nothing was wrong")  # fmt: skip  # words
    return _look("what the server said", wrong, of=len(lines), none=f"nothing wrong in {len(lines)} lines")


def _look(name: str, wrong: Sequence[str], *, of: int, none: str) -> Look:
    seen = f"{len(wrong)} of {of} lines; the first: {hidden(wrong[0])}" if wrong else none
    return Look("log", name, not wrong, seen, expected="nothing was wrong", figure=float(len(wrong)))


def _lines(log: str) -> Iterator[_Line]:
    """An error of a session of ours is known by the statement, which stands some lines after it."""
    lines = [_line(each) for each in log.splitlines() if each.strip()]
    for at, line in enumerate(lines):
        if line.severity == "ERROR":
            yield _Line(line.severity, line.text, ours=_of_ours(lines[at + 1 : at + 8]))
        else:
            yield line


def _of_ours(after: Sequence[_Line]) -> bool:
    for line in after:
        if line.severity == "STATEMENT":
            return line.text.startswith(MARK.strip())
        if line.severity in (*_GRAVE, "LOG"):
            return False
    return False


def _line(text: str) -> _Line:
    if text.startswith("\t"):  # as the server goes on with a line
        return _Line("CONTEXT", text.strip())
    found = _SEVERITY.search(text)
    return _Line(found[1], found[2].strip()) if found else _Line("", text.strip())


def _offends(line: _Line) -> bool:
    if line.severity in _MORE or line.severity == "STATEMENT" or _usual(line.text):
        return False
    if line.ours:
        return bool(_DAMAGE.search(line.text))
    if line.severity in ("", "LOG"):
        return bool(_WRONG.search(_NAMES.sub("", line.text)))
    return line.severity in _GRAVE


def _usual(text: str) -> bool:
    return any(words.search(text) for words, _ in USUAL)


def hidden(text: str) -> str:
    """A line without what may be a value of a row."""
    for words, instead in _VALUES:
        text = words.sub(instead, text)
    return text[:TOLD]
