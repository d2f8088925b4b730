"""A webhook that is told of a run: one URL, which is a secret, and a few tries within a bounded time.

The URL is never printed, and comes from no command line and no pack: whoever has it can post there.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import NotInTime, Refused
from harness.system import clock
from harness.system.environment import HOOK, HOOK_FILE
from harness.system.http import DIRECT, Http, NoAnswer

WITHIN = timedelta(seconds=10)  # for one try, all of it
PAUSES = (timedelta(seconds=1), timedelta(seconds=4))  # before the second try, and before the third
SHOWN = 100  # letters of an answer
LONGEST = 4096  # bytes of a URL
AGAIN = (429, 500, 502, 503, 504)  # what may be over at the next try
HOW = f"put it into {HOOK}, or the path of a file that holds it into {HOOK_FILE}; docs/ci.md says more"


@dataclass(frozen=True)
class Hook:
    """A URL that has been checked."""

    url: str = field(repr=False)
    http: Http = DIRECT
    within: timedelta = WITHIN
    sleep: Callable[[timedelta], None] = clock.sleep

    @property
    def host(self) -> str:
        """All of it that is ever shown."""
        return urlsplit(self.url).hostname or ""

    def post(self, notice: Mapping[str, object]) -> None:
        """As JSON; any 2xx is a good answer. What may have arrived is posted again: the notice's `id` says so.

        Errors: `NotInTime` when nobody has taken it after all tries, `Refused` where another try would change nothing.
        """
        why = ""
        for pause in (None, *PAUSES):
            if pause is not None:
                self.sleep(pause)
            try:
                answer = self.http.ask("POST", self.url, within=self.within, sends=notice)
            except NoAnswer as error:
                why = self._hidden(str(error))
                continue
            if 200 <= answer.status < 300:
                return
            why = f"HTTP {answer.status}"
            if 300 <= answer.status < 400:
                raise Refused(f"{self.host}: {why}: a redirect is not followed", hint="give the URL that it leads to")
            if answer.status not in AGAIN:
                said = self._hidden(" ".join(answer.body[: 4 * SHOWN].decode(errors="replace").split())[:SHOWN])
                raise Refused(f"{self.host}: {why}: {said}", hint="is the webhook still there, and is the URL whole?")
        tries = len(PAUSES) + 1
        hint = "tell them by hand; is the host reached from here? No proxy is asked"
        raise NotInTime(f"{self.host}: no good answer in {tries} tries: {why}", hint=hint)

    def _hidden(self, text: str) -> str:
        """Without the URL and its path: an answer may repeat them."""
        parts = urlsplit(self.url)
        for secret in (self.url, f"{parts.path}?{parts.query}", parts.path, parts.query):
            if len(secret) > 1:
                text = text.replace(secret, "…")
        return "".join(char if char.isprintable() else "?" for char in text)


def find(environment: Mapping[str, str] = os.environ, *, http: Http = DIRECT) -> Hook | None:
    """The webhook that the environment names; None where it names none.

    Errors: `Refused` where two are named, the file cannot be read, or the URL is none that may be posted to.
    """
    url, file = environment.get(HOOK, "").strip(), environment.get(HOOK_FILE, "").strip()
    if url and file:
        raise Refused(f"{HOOK} and {HOOK_FILE} are both there", hint="leave one of them out")
    if file:
        url = _read(Path(file))
    if not url:
        return None
    _must_be_good(url)
    return Hook(url, http)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            said = opened.read(LONGEST + 1).decode().strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Refused(f"{HOOK_FILE}: {file}: {why}", hint="name a file that holds the URL and nothing else") from None
    if not said:
        raise Refused(f"{HOOK_FILE}: {file} is empty", hint="write the URL into it")
    return said


def _must_be_good(url: str) -> None:
    """Errors: `Refused`; the message has nothing of the URL."""
    what = f"the URL of the webhook ({HOOK})"
    try:
        parts = urlsplit(url)
        port_is_good = parts.port != 0
    except ValueError:
        raise Refused(f"{what} is no URL", hint=HOW) from None
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST
    if not plain or not parts.hostname or not port_is_good or parts.fragment:
        raise Refused(f"{what} is no URL", hint=HOW)
    if parts.username is not None or parts.password is not None:
        raise Refused(f"{what} has a user or a password in it", hint="leave them out: what is secret is its path")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
        raise Refused(f"{what} is not https", hint="write https://…; http is for this machine's loopback alone")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
