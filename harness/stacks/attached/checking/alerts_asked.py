"""Whether alerts can be heard: the address is free, or the Alertmanager answers. Nothing is sent to anybody."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping

from harness.alerts.formats import from_api
from harness.alerts.poller import WITHIN
from harness.stacks.attached.checking.at_once import Question
from harness.stacks.attached.checking.line import Line
from harness.stacks.attached.checking.platform import Platform
from harness.stacks.attached.file.formats import address
from harness.system.http import DIRECT, NoAnswer

PART = "alerts"


def questions(platform: Platform) -> Iterator[Question]:
    """None where the file has none."""
    if (said := platform.said.alerts) is None:
        return
    where = platform.said.where("alerts")
    if said.poll:
        yield Question(PART, said.poll, lambda: [_polled(said.poll, said.labels, where)])
    else:
        yield Question(PART, said.receive, lambda: [_free(said.receive, where)])


def _polled(at: str, labels: Mapping[str, str], where: str) -> Line:
    try:
        answer = DIRECT.ask("GET", at, within=WITHIN)
    except NoAnswer as error:
        return Line(PART, "can be asked for", False, f"{at}: {error}", where)
    if answer.status != 200:
        return Line(PART, "can be asked for", False, f"{at}: HTTP {answer.status}", where)
    found = from_api(answer.body, labels)
    if found.wrong and not found.lines:
        return Line(PART, "can be asked for", False, f"{at}: {found.wrong[0]}", f"{where}: such as …/api/v2/alerts")
    return Line(PART, "can be asked for", True, f"{at}: {len(found.lines)} firing now")


def _free(at: str, where: str) -> Line:
    """That monitoring posts there only a drill shows."""
    host, port = address(at)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            return Line(PART, "can be heard", False, f"{at}: {error.strerror}", f"{where}: end what listens there")
    return Line(PART, "can be heard", True, f"{at} is free; that your monitoring posts there a drill shows")
