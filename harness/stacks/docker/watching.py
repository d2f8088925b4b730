"""Prometheus and Alertmanager: what watches a container stack, with rules that name what failed."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.stacks import Condition

PROMETHEUS, ALERTMANAGER = 9090, 9093  # ports

# `expr` is PromQL; every alert says which component, and in which zone.
RULES = {
    "ServerDown": ('haproxy_server_status{proxy="api", state="UP"} == 0', "{{ $labels.server }} takes no requests"),
    "DatabaseDown": ("patroni_postgres_running == 0", "the database of {{ $labels.zone }} does not run"),
    "NobodyLeads": ("sum(patroni_primary) == 0 or absent(patroni_primary)", "no database takes writes"),
    "NotSeen": ("up == 0", "{{ $labels.job }} of {{ $labels.zone }} is not seen"),
}
OFTEN = "1s"


@dataclass(frozen=True)
class Target:
    """What is asked for its figures."""

    job: str
    zone: str
    address: str
    port: int


@dataclass(frozen=True)
class Watching:
    """The configuration of both, and the one question that a steady stack must answer."""

    address: str
    targets: Sequence[Target]
    folder: Path

    def prometheus(self) -> list[str]:
        """Write the configuration and return the command."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file, rules, data = (self.folder / name for name in ("prometheus.json", "rules.json", "prometheus"))
        rules.write_text(json.dumps(self._rules(), indent=1))  # JSON is YAML
        file.write_text(json.dumps(self._prometheus(rules), indent=1))
        return [
            *("prometheus", f"--config.file={file}", f"--storage.tsdb.path={data}"),
            *(f"--web.listen-address={self.address}:{PROMETHEUS}", "--log.level=warn"),
        ]

    def alertmanager(self) -> list[str]:
        """Write the configuration and return the command."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file, data = self.folder / "alertmanager.json", self.folder / "alertmanager"
        file.write_text(json.dumps({"route": {"receiver": "people"}, "receivers": [{"name": "people"}]}))
        return [
            *("prometheus-alertmanager", f"--config.file={file}", f"--storage.path={data}", "--log.level=warn"),
            *(f"--web.listen-address={self.address}:{ALERTMANAGER}", "--cluster.listen-address="),
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
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://{self.address}:{PROMETHEUS}/api/v1/{what}", timeout=2) as answer:
            return dict(json.load(answer)["data"])

    def _prometheus(self, rules: Path) -> dict[str, Any]:
        jobs = sorted({target.job for target in self.targets})
        scrapes = [
            {
                "job_name": job,
                "static_configs": [
                    {"targets": [f"{one.address}:{one.port}"], "labels": {"zone": one.zone}}
                    for one in self.targets
                    if one.job == job
                ],
            }
            for job in jobs
        ]
        return {
            "global": {"scrape_interval": OFTEN, "scrape_timeout": OFTEN, "evaluation_interval": OFTEN},
            "rule_files": [str(rules)],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{self.address}:{ALERTMANAGER}"]}]}]},
            "scrape_configs": scrapes,
        }

    def _rules(self) -> dict[str, Any]:
        rules = [
            {"alert": name, "expr": expr, "for": "2s", "annotations": {"summary": said}}
            for name, (expr, said) in RULES.items()
        ]
        return {"groups": [{"name": "platform", "rules": rules}]}
