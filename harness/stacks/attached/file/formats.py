"""What the formats of a stack file mean, besides those of plans, and what to write instead of something else."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from urllib.parse import urlsplit

from harness.plan.shape import Formats
from harness.stacks.attached.file.times import days, window
from harness.system.lookalikes import unseen

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")
_NAME_OR_ADDRESS = re.compile(r"(?=.{4})[A-Za-z0-9](?:[A-Za-z0-9._-]*|[0-9A-Fa-f:.]*)[A-Za-z0-9]")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) an? (second|minute|hour)")
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
SECRET = "secret:"


def placeholders(text: str) -> list[str]:
    """The names in `${…}`, in order."""
    return _PLACEHOLDER.findall(text)


def filled(text: str, values: dict[str, str]) -> str:
    """With what the names in `${…}` stand for; one that is not among the values stays as it is."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def plain_name(text: str) -> str:
    """Errors: `ValueError`."""
    if not _PLAIN.fullmatch(text):
        raise ValueError(f'"{text}" is no plain name')
    return text


def rate(text: str) -> float:
    """`"5 a second"` is 5.0 and `"30 a minute"` 0.5, in requests a second. Errors: `ValueError`."""
    found = _RATE.fullmatch(text.strip())
    if not found or not float(found[1]):
        raise ValueError(f'"{text}" is no rate')
    return float(found[1]) / _SECONDS[found[2]]


def address(text: str) -> tuple[str, int]:
    """`"db:5432"` is `("db", 5432)`; the host may be in brackets. Errors: `ValueError`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536 or " " in host or unseen(host):
        raise ValueError(f'"{text}" is no address')
    return host.removeprefix("[").removesuffix("]"), int(port)


def url(text: str) -> str:
    """Errors: `ValueError`, also where a password is written in it."""
    known = _PLACEHOLDER.sub("x", text)
    parts = urlsplit(known)
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in known or unseen(known):
        raise ValueError(f'"{text}" is no URL')
    if parts.password or parts.username:
        raise ValueError(f'"{parts.scheme}://…@{parts.hostname}" has a user in it')
    _ = parts.port  # which raises where it is none
    return text


def origin(text: str) -> str:
    """A URL without a path: customers add it. Errors: `ValueError`."""
    parts = urlsplit(url(text))
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f'"{text}" has a path')
    return text


def _project(text: str) -> str:
    if not _PROJECT.fullmatch(text):
        raise ValueError(f'"{text}" is no name of a compose project')
    return text


def _status(text: str) -> int:
    if not (text.isdecimal() and 100 <= int(text) <= 599):
        raise ValueError(f'"{text}" is no status code')
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise ValueError(f'"{text}" is no whole number')
    return int(text)


def _digits(text: str) -> str:
    if not text.isdecimal():
        raise ValueError(f'"{text}" is no number')
    return text


def _regexp(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f'"{text}" is no regular expression: {error}') from None


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f'"{text}" is no number')
    return found


def _private(text: str) -> str:
    if not _NAME_OR_ADDRESS.fullmatch(text):
        raise ValueError(f'"{text}" is no host name, domain or address')
    return text


FORMATS: Formats = {
    "private": (
        _private,
        "write a host name, a domain or an address of 4 letters or more, without scheme, port and path",
    ),
    "plain-name": (plain_name, "letters, digits and - _ . @ are plain; it begins with a letter or a digit"),
    "compose-project": (_project, "as compose names it: small letters, digits, - and _"),
    "rate": (rate, 'write it like "5 a second" or "30 a minute"'),
    "address": (address, "write host and port, such as 127.0.0.1:5432 or ${address}:5432"),
    "url": (url, "write it like https://example.com/alive; a user and a password go into headers, by ${secret:…}"),
    "origin": (origin, "write it like https://api.example.com: customers add the path"),
    "status": (_status, "write a status code of HTTP, such as 200"),
    "whole-number": (_whole, "write a whole number, such as 1"),
    "whole-number-of-any-length": (_digits, "write the number that pg_controldata prints"),
    "number": (_number, "write a number, such as 50 or 0.5"),
    "window": (window, "write it like Mon-Fri 09:00-16:00 Europe/Berlin"),
    "days": (days, "write it like 2026-12-24, or 2026-12-24..2027-01-02"),
    "regexp": (_regexp, "write a regular expression as Python reads it"),
}
STREAMS_WITHIN = timedelta(seconds=120)  # a server, once its owner's `rejoin` has ended
USUAL_TIMEOUT, USUAL_WITHIN, USUAL_LOOK = timedelta(seconds=2), timedelta(seconds=60), timedelta(seconds=30)
