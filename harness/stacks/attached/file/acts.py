"""Probes, acts and looks of a stack file that was checked, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.plan.lengths import length_of_time
from harness.stacks.attached.file.described import Action, Http, Line, Look, Probe, Tcp, Verb
from harness.stacks.attached.file.formats import USUAL_LOOK, USUAL_TIMEOUT, USUAL_WITHIN


def probe(name: str, given: Mapping[str, Any], base: Path) -> Probe:
    timeout = length_of_time(given["timeout"]) if "timeout" in given else USUAL_TIMEOUT
    said = http(given["http"], base) if "http" in given else None
    return Probe(name, said, _tcp(given["tcp"]) if "tcp" in given else None, timeout)


def http(given: Mapping[str, Any], base: Path) -> Http:
    """A request as the blackbox exporter's words say it."""
    tls = given.get("tls_config", {})
    return Http(
        url=given["url"],
        method=given.get("method", "GET"),
        headers=given.get("headers", {}),
        body=given.get("body", ""),
        codes=tuple(map(int, given.get("valid_status_codes", ()))),
        matches=tuple(given.get("fail_if_body_not_matches_regexp", ())),
        matches_not=tuple(given.get("fail_if_body_matches_regexp", ())),
        ca=base / tls["ca_file"] if "ca_file" in tls else None,
        server_name=tls.get("server_name", ""),
    )


def _tcp(given: Mapping[str, Any]) -> Tcp:
    lines = given.get("query_response", ())
    return Tcp(given["target"], tuple(Line(each.get("send", ""), each.get("expect", "")) for each in lines))


def action(given: Mapping[str, Any], base: Path) -> Action:
    within = length_of_time(given["within"]) if "within" in given else USUAL_WITHIN
    said = http(given["http"], base) if "http" in given else None
    return Action(tuple(given.get("run", ())), given.get("in", ""), said, within)


def look(given: Mapping[str, Any]) -> Look:
    within = length_of_time(given["within"]) if "within" in given else USUAL_LOOK
    return Look(
        run=tuple(given.get("run", ())),
        place=given.get("in", ""),
        says=given.get("says", ""),
        exits=int(given.get("exits", 0)),
        probe=given.get("probe", ""),
        tcp=given.get("tcp", ""),
        wanted=given.get("is", ""),
        within=within,
    )


def verb(given: Mapping[str, Any], base: Path) -> Verb:
    """What hurts, its inverse, and what shows either."""
    return Verb(action(given["do"], base), action(given["undo"], base), look(given["proof"]), look(given["undone"]))
