"""Prometheus, Alertmanager and the blackbox exporter: what watches a container stack, with rules that name what failed.

Components that have figures are scraped; the platform's API, its entrance and the store are asked by real requests
over TLS. Every target carries the labels `component` and `zone`, and so does every alert about it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.alerts import WATCHDOG
from harness.stacks import Condition
from harness.system.http import DIRECT

PROMETHEUS, ALERTMANAGER, BLACKBOX = 9090, 9093, 9115  # ports
BY = "Prometheus and Alertmanager"
OFTEN = "1s"
PATIENCE = timedelta(seconds=2)
AGAIN = "5s"  # after which Alertmanager is told again, and tells the watchdog again: it may have been away
OFFSET = 0.25  # seconds by which a probe ends before Prometheus gives up on it
PROBES = {"health": "platform", "ready": "platform", "entrance": "platform", "store": "store", "store-front": "front"}

# `expr` is PromQL. What is in `labels` besides is of the target that is the matter; a rule about the whole has none.
RULES = {
    "InstanceDown": (
        'up{job=~"patroni|etcd|haproxy"} == 0 or probe_success{job=~"health|store|store-front"} == 0',
        "{{ $labels.component }} does not answer well",
    ),
    "NotReady": (
        'probe_success{job="ready"} == 0 and on (component) probe_success{job="health"} == 1',
        "{{ $labels.component }} is alive and not ready",
    ),
    "DatabaseDown": ("patroni_postgres_running == 0", "the database of {{ $labels.component }} does not run"),
    "EtcdNoLeader": ("etcd_server_has_leader == 0", "{{ $labels.component }} sees no leader of the consensus store"),
    "NobodyLeads": (
        "sum(patroni_primary) == 0 or absent(patroni_primary)",
        "no watched database takes writes",
    ),
    "NotServing": (
        'count(probe_success{job="entrance"} == 0 and on (component) up{job="haproxy"} == 1) > 0',
        "customers get no good answer at a load balancer that is there",
    ),
    "ZoneUnreachable": (
        'max by (zone) (up{job=~"patroni|etcd"}) == 0 and max by (zone) (probe_success{job="health"}) == 0',
        "nothing of zone {{ $labels.zone }} answers",
    ),
    "ProbesDown": (
        f'max(up{{job=~"{"|".join(PROBES)}"}}) == 0',
        "the blackbox exporter does not answer: APIs are not watched",
    ),
}


@dataclass(frozen=True)
class Target:
    """What is asked: for its figures at an address, or for an answer at a URL where `job` is one of `PROBES`."""

    job: str
    component: str
    zone: str
    at: str


@dataclass(frozen=True)
class Platform:
    """The names that are asked for, which no address says, and the authority that their certificates are of."""

    host: str
    store: str
    ca: Path


@dataclass(frozen=True)
class Watching:
    """The configuration of all, and the one question that a steady stack must answer."""

    address: str
    targets: Sequence[Target]
    platform: Platform
    receiver: str  # URL of the webhook that alerts go to
    folder: Path

    def prometheus(self) -> list[str]:
        """Write the configuration and return the command."""
        rules = self._write("rules.json", self._rules())
        file = self._write("prometheus.json", self._prometheus(rules))
        return [
            *("prometheus", f"--config.file={file}", f"--storage.tsdb.path={self.folder / 'prometheus'}"),
            *(f"--web.listen-address={self.address}:{PROMETHEUS}", "--log.level=warn"),
            f"--rules.alert.resend-delay={AGAIN}",
        ]

    def alertmanager(self) -> list[str]:
        """Write the configuration and return the command. Nothing is grouped and nothing waits: each alert at once."""
        at_once = {"group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}
        heartbeat = {"matchers": [f'alertname="{WATCHDOG}"'], "repeat_interval": AGAIN}
        sink = {"url": self.receiver, "send_resolved": True}
        route = {"receiver": "drill", **at_once, "repeat_interval": "1h", "routes": [heartbeat]}
        receivers = [{"name": "drill", "webhook_configs": [sink]}]
        file = self._write("alertmanager.json", {"route": route, "receivers": receivers})
        return [
            *("prometheus-alertmanager", f"--config.file={file}", f"--storage.path={self.folder / 'alertmanager'}"),
            *(f"--web.listen-address={self.address}:{ALERTMANAGER}", "--cluster.listen-address=", "--log.level=warn"),
        ]

    def blackbox(self) -> list[str]:
        """Write the configuration and return the command."""
        platform, store = (
            {"ca_file": str(self.platform.ca), "server_name": name}
            for name in (self.platform.host, self.platform.store)
        )
        asks = {"preferred_ip_protocol": "ip4", "follow_redirects": False, "fail_if_not_ssl": True}
        modules = {
            "platform": _module(http={**asks, "tls_config": platform, "headers": {"Host": self.platform.host}}),
            "store": _module(http={**asks, "tls_config": store, "headers": {"Host": self.platform.store}}),
            "front": _module(tcp={"preferred_ip_protocol": "ip4", "tls": True, "tls_config": store}),
        }
        file = self._write("blackbox.json", {"modules": modules})
        return [
            *("prometheus-blackbox-exporter", f"--config.file={file}", f"--timeout-offset={OFFSET}"),
            *(f"--web.listen-address={self.address}:{BLACKBOX}", "--log.level=error"),
        ]

    def condition(self) -> Condition:
        """Whether Prometheus sees every target and reaches Alertmanager."""
        name = "watched"
        try:
            found = self._ask("targets")["activeTargets"]
            receivers = self._ask("alertmanagers")["activeAlertmanagers"]
        except (OSError, ValueError, KeyError) as error:
            return Condition(name, ok=False, seen=f"Prometheus does not answer: {error}")
        unseen = [one["scrapeUrl"] for one in found if one["health"] != "up"]
        if len(found) != len(self.targets) or unseen or not receivers:
            seen = f"{len(found)} of {len(self.targets)} targets, not seen: {', '.join(unseen) or 'none'}"
            return Condition(name, ok=False, seen=f"{seen}; Alertmanagers: {len(receivers)}")
        return Condition(name, ok=True, seen=f"{len(found)} targets, by Prometheus")

    def _ask(self, what: str) -> dict[str, Any]:
        answer = DIRECT.ask("GET", f"http://{self.address}:{PROMETHEUS}/api/v1/{what}", within=PATIENCE)
        if answer.status != 200:
            raise ValueError(f"HTTP {answer.status}")
        return dict(answer.json()["data"])

    def _write(self, name: str, content: dict[str, Any]) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / name
        file.write_text(json.dumps(content, indent=1))  # JSON is YAML
        return file

    def _prometheus(self, rules: Path) -> dict[str, Any]:
        return {
            "global": {"scrape_interval": OFTEN, "scrape_timeout": OFTEN, "evaluation_interval": OFTEN},
            "rule_files": [str(rules)],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{self.address}:{ALERTMANAGER}"]}]}]},
            "scrape_configs": [self._job(job) for job in sorted({target.job for target in self.targets})],
        }

    def _job(self, job: str) -> dict[str, Any]:
        listed = [
            {"targets": [one.at], "labels": {"component": one.component, "zone": one.zone}}
            for one in self.targets
            if one.job == job
        ]
        if job not in PROBES:
            return {"job_name": job, "static_configs": listed}
        asked = [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": f"{self.address}:{BLACKBOX}"},
        ]
        asks = {"metrics_path": "/probe", "params": {"module": [PROBES[job]]}, "relabel_configs": asked}
        return {"job_name": job, **asks, "static_configs": listed}

    def _rules(self) -> dict[str, Any]:
        rules = [
            {"alert": name, "expr": expr, "for": "2s", "annotations": {"summary": said}}
            for name, (expr, said) in RULES.items()
        ]
        always = {"alert": WATCHDOG, "expr": "vector(1)", "annotations": {"summary": "an alert would arrive"}}
        return {"groups": [{"name": "platform", "rules": [*rules, always]}]}


def _module(**prober: dict[str, Any]) -> dict[str, Any]:
    return {"prober": next(iter(prober)), "timeout": OFTEN, **prober}
