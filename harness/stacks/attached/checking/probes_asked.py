"""Whether each probe is green, and can be red: one that says that all is well whatever it is asked shows nothing.

It is made red without hurting anything: asked where nobody is, at another port of the same address; and, where it only
reads (GET, HEAD), asked for what is not there, or told to expect what no answer has.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from harness.stacks.attached import asking
from harness.stacks.attached.asking import Seen
from harness.stacks.attached.checking.at_once import Question
from harness.stacks.attached.checking.line import Line
from harness.stacks.attached.checking.platform import Platform, texts_of
from harness.stacks.attached.file.described import Component, Http, Probe
from harness.stacks.attached.file.formats import filled
from harness.stacks.attached.has import can

PART = "probes"
NOBODY = (1, 9, 7)  # ports at which hardly anybody listens: tried until one is red
READS = ("GET", "HEAD")
A_MOMENT = timedelta(seconds=2)  # for the engine, which says where a component is
GREEN_TOO = "it would not be seen where the component is ill"


def questions(platform: Platform) -> Iterator[Question]:
    """One for each place at which a probe is asked."""
    for probe, one in platform.asked_at():
        what = f"{one.name}: {probe.name}" if one else probe.name

        def ask(probe: Probe = probe, one: Component | None = one, what: str = what) -> list[Line]:
            return _asked(platform, probe, one, what)

        yield Question(PART, what, ask, within=probe.timeout * (2 + len(NOBODY)) + A_MOMENT)


def _asked(platform: Platform, probe: Probe, one: Component | None, what: str) -> list[Line]:
    platform.must_know(*texts_of(probe))
    values = platform.values(one) if one else {}
    seen = platform.acts.probed(probe.name, **values)
    if not seen.ok:
        hint = f"{platform.said.where('probes', probe.name)} says how it is asked; ask it by hand"
        return [Line(PART, f"{what} is green", False, seen.said, hint)]
    words = {**platform.words, **values}
    return [Line(PART, f"{what} is green", True, seen.said), *_red(platform, probe, one, what, words)]


def _red(platform: Platform, probe: Probe, one: Component | None, what: str, values: dict[str, str]) -> Iterator[Line]:
    where = platform.said.where("probes", probe.name)
    for made, how in _otherwise(probe, values):
        seen = _first_red(made, values)
        if seen.ok:
            hint = f"{where}: {_hint(probe)}"
            yield Line(PART, f"{what} can be red", False, f"{how} it is green, too ({seen.said}): {GREEN_TOO}", hint)
            return
        yield Line(PART, f"{what} is red {how}", True, seen.said)
    if one and probe.tcp and not probe.tcp.lines and can(platform.said, one, "pause"):
        hint = f"{where}: add query_response, or ask by http; without it a drill that freezes {one.name} is UNKNOWN"
        seen_as = "a connection is taken by the kernel, also for a process that hangs"
        yield Line(PART, f"{what} is red where it hangs", None, seen_as, hint)


def _first_red(made: list[Probe], values: dict[str, str]) -> Seen:
    """Of several that should be red the first that is; where none is the last."""
    for each in made:
        if not (seen := asking.ask(each, values)).ok:
            break
    return seen


def _otherwise(probe: Probe, values: dict[str, str]) -> Iterator[tuple[list[Probe], str]]:
    """The same probe, made so that it has to be red; in words how."""
    yield [_at(probe, values, port) for port in NOBODY], "where nobody is"
    http = probe.http
    if http is None or http.method not in READS:
        return
    if http.matches or http.matches_not:
        nothing = f"drdrill-{secrets.token_hex(8)}"
        yield (
            [replace(probe, http=replace(http, matches=(*http.matches, nothing)))],
            "where its body says nothing of it",
        )
    else:
        yield [replace(probe, http=_elsewhere(http, values))], "for a page that is not there"


def _at(probe: Probe, values: dict[str, str], port: int) -> Probe:
    if probe.tcp is not None:
        host, _ = asking.door(probe, values)
        return replace(probe, tcp=replace(probe.tcp, target=f"{_host(host)}:{port}"))
    assert probe.http is not None
    url = urlsplit(filled(probe.http.url, values))
    netloc = f"{_host(url.hostname or '')}:{port}"
    return replace(probe, http=replace(probe.http, url=url._replace(netloc=netloc).geturl()))


def _elsewhere(http: Http, values: dict[str, str]) -> Http:
    url = urlsplit(filled(http.url, values))
    path = f"{url.path.rstrip('/')}/drdrill-{secrets.token_hex(8)}"
    return replace(http, url=url._replace(path=path).geturl())


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _hint(probe: Probe) -> str:
    if probe.http is None:
        return "ask at the component itself, and what only it answers: query_response"
    return "ask a page that says how it is, take error codes out of valid_status_codes, or say what its body has to say"
