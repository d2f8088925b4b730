"""A stack file that is whole, for tests that change it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

WHOLE: Mapping[str, Any] = {
    "format": "1",
    "platform": {"name": "Paydesk", "owner": "payments team", "environment": "staging"},
    "secrets": {"api key": {"file": "./api.key"}, "db": {"env": "PAYDESK_DB"}},
    "compose": {"files": ["./compose.yaml"], "project": "paydesk", "stands": "already"},
    "zones": {"a": {}, "b": {}},
    "components": {
        "api-a": {"zone": "a", "role": "api", "alive": "api health"},
        "api-b": {"zone": "b", "role": "api", "alive": "api health"},
        "db-1": {"zone": "a", "role": "database"},
        "db-2": {"zone": "b", "role": "database"},
        "entrance": {"role": "load balancer", "hurt": "never"},
        "batch": {
            "role": "worker",
            "kill": {
                "do": {"run": ["ssh", "batch1", "systemctl", "kill", "-s", "KILL", "batch"]},
                "undo": {"run": ["ssh", "batch1", "systemctl", "start", "batch"]},
                "proof": {"run": ["ssh", "batch1", "systemctl", "is-active", "batch"], "says": "^failed", "exits": "3"},
                "undone": {"probe": "batch", "is": "passing"},
            },
        },
    },
    "probes": {
        "api health": {
            "http": {"url": "http://${address}:5000/api/v1/health", "valid_status_codes": ["200"]},
            "timeout": "2 s",
        },
        "batch": {"tcp": {"target": "10.0.0.1:9000"}},
    },
    "customers": {"at": "http://127.0.0.1:18080", "rate": "5 a second", "timeout": "5 s"},
    "database": {
        "kind": "postgresql",
        "members": {"db-1": "${address}:5432", "db-2": "${address}:5432"},
        "dsn": "host=${host} port=${port} user=drill dbname=lnbits password=${secret:db}",
        "leader": {"sql": "SELECT NOT pg_is_in_recovery()"},
        "failover": {"do": {"in": "${survivor}", "run": ["pg_ctl", "promote"]}, "undo": "none"},
    },
    "backups": "none",
    "alerts": {"receive": "127.0.0.1:9095", "labels": {"component": "service"}},
    "safety": {
        "blast radius": {"components": "1", "zones": "1"},
        "may": ["kill", "pause", "cut"],
        "longest fault": "5 min",
        "abort when": [{"probe": "api health", "of": "all", "fails for": "60 s"}],
        "windows": ["Mon-Fri 09:00-16:00 UTC"],
        "confirm": "typed name",
    },
}
LEAST: Mapping[str, Any] = {
    "format": "1",
    "platform": WHOLE["platform"],
    "compose": {"project": "paydesk", "stands": "already"},
    "components": {"api-a": {}},
}


def written(folder: Path, *changes: tuple[tuple[str | int, ...], Any], of: Mapping[str, Any] = WHOLE) -> Path:
    """The file with other values at some places; None takes the place out."""
    said: Any = deepcopy(dict(of))
    for (*way, last), value in changes:
        inner = said
        for key in way:
            inner = inner[key] if isinstance(inner, list) else inner.setdefault(key, {})
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    path = folder / "paydesk.yaml"
    path.write_text(yaml.safe_dump(said, sort_keys=False, allow_unicode=True))
    return path
