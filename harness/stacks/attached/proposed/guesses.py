"""What a service is there for, and how it is asked: guessed from its image, command, healthcheck, name and ports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from harness.stacks.attached.proposed.compose_file import Port, Service

DATABASE, BALANCER, API, WORKER, MONITORING = "database", "load balancer", "api", "worker", "monitoring"
POSTGRES = r"postgres|postgis|timescale|pgvector|spilo|patroni"
ROLES = (  # in this order: what stands in front of a database is none
    ("connection pool", r"pgbouncer|pgpool|pgcat|odyssey"),
    ("exporter", r"exporter|cadvisor"),
    (DATABASE, rf"{POSTGRES}|mysql|mariadb|mongo|cockroach|clickhouse|mssql|percona"),
    (BALANCER, r"haproxy|traefik|envoy|nginx|caddy|httpd|kong|apisix"),
    ("cache", r"redis|valkey|memcached|keydb|dragonfly"),
    ("queue", r"rabbitmq|kafka|nats|activemq|artemis|redpanda|pulsar|mosquitto"),
    ("consensus store", r"etcd|consul|zookeeper"),
    ("search", r"elasticsearch|opensearch|meilisearch|solr|typesense"),
    ("object store", r"minio|seaweedfs|localstack"),
    (MONITORING, r"prometheus|alertmanager|grafana|loki|jaeger|tempo|telegraf|victoriametrics"),
    (WORKER, r"worker|celery|sidekiq|cron|scheduler|consumer"),
)
NAMES = ((DATABASE, r"^(db|database|pg|sql)([-_.]?\w+)?$"), (BALANCER, r"^(lb|proxy|gateway|entrance|ingress|edge)\b"),
         (API, r"^(api|backend|app|server)\b|[-_.]api\b"))  # fmt: skip  # a table
PORTS = {5432: DATABASE, 3306: DATABASE, 27017: DATABASE, 6379: "cache", 5672: "queue", 9092: "queue"}
WEB = (80, 443, 3000, 5000, 8000, 8080, 8443, 9000)  # where something is likely to speak HTTP
URL = re.compile(r"https?://[^\s'\"|;&)]+")
STEM = re.compile(r"[-_.]?(?:\d+|[a-c]|primary|replica|standby|master|slave|leader|follower)\d*$")


class Guess(NamedTuple):
    """What, and why it is thought so."""

    role: str
    why: str


class Asked(NamedTuple):
    """How a component is asked whether it does its work. One of `url` and `line` is given: a path, or what is said."""

    port: int
    path: str = ""
    scheme: str = "http"
    says: tuple[str, str] = ("", "")  # over a connection: what is sent, and what has to come
    why: str = ""


def role_of(service: Service) -> Guess:
    """By the most telling thing that is known of it."""
    image = service.image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    program = service.command.partition(" ")[0].rpartition("/")[2]
    for what, said in (("its image is", image), ("it runs", program)):
        for role, words in ROLES:
            if re.search(words, said, re.IGNORECASE):
                return Guess(role, f"{what} {said}")
    if "pg_isready" in service.check:
        return Guess(DATABASE, "its healthcheck is pg_isready")
    return role_of_name(service.name) or _by_ports(service)


def role_of_name(name: str) -> Guess | None:
    """None where the name says nothing."""
    for role, words in (*NAMES, *((role, rf"\b(?:{words})") for role, words in ROLES)):
        if re.search(words, name, re.IGNORECASE):
            return Guess(role, f"it is called {name}")
    return None


def _by_ports(service: Service) -> Guess:
    inside = inside_ports(service)
    for port in inside:
        if port in PORTS:
            return Guess(PORTS[port], f"its port is {port}")
    if URL.search(service.check):
        return Guess(API, "its healthcheck asks by HTTP")
    return Guess(API, f"its port is {inside[0]}") if inside else Guess("service", "nothing says more of it")


def is_postgres(service: Service) -> bool:
    """Whether it is a PostgreSQL server: by its image, its healthcheck, or port 5432."""
    if role_of(service).role != DATABASE:
        return False
    known = re.search(POSTGRES, f"{service.image} {service.command}", re.IGNORECASE) or "pg_isready" in service.check
    return bool(known) or 5432 in inside_ports(service) or (not inside_ports(service) and not service.image)


def asked(service: Service, role: str) -> Asked | None:
    """By its healthcheck, else by a port; None where neither says anything, or it is a database."""
    for said in URL.findall(service.check):
        url = urlsplit(said)
        if url.hostname in ("localhost", "127.0.0.1", "0.0.0.0", "::1", service.name):
            port = url.port or (443 if url.scheme == "https" else 80)
            path = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
            return Asked(port, path, url.scheme, why="its healthcheck asks so")
    if role == "cache" and (re.search("redis|valkey", f"{service.image} {service.command} {service.check}")):
        return Asked(next(iter(inside_ports(service)), 6379), says=("PING", r"^[+-]"), why="it speaks Redis's protocol")
    if role in (DATABASE, BALANCER) or not (inside := inside_ports(service)):
        return None
    return Asked(inside[0], why="it listens there")


def entrance(services: Sequence[tuple[Service, str]]) -> tuple[Service, Port] | None:
    """Where customers come in: what the load balancer publishes, else an API; each with its role."""
    for wanted in (BALANCER, API):
        for service, role in services:
            ports = [port for port in service.ports if role == wanted]
            likely = [port for port in ports if port.inside in WEB] or ports
            if likely:
                return service, likely[0]
    return None


def members(servers: Sequence[Service]) -> Sequence[Service]:
    """Of the PostgreSQL servers those that look like one cluster: called alike, as the first one is."""
    stems = [STEM.sub("", service.name) for service in servers]
    return [service for service, stem in zip(servers, stems, strict=True) if stem == stems[0]]


def inside_ports(service: Service) -> list[int]:
    """Each once; those that are published first."""
    return list(dict.fromkeys([*(port.inside for port in service.ports), *service.exposed]))
