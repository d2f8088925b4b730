"""Every fault there is, by its name; and how its settings go to disk and come back, in whatever process heals it.

Another fault is a file beside this one, and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import timedelta
from typing import Any, get_origin, get_type_hints

from harness.errors import Refused
from harness.faults import Fault
from harness.system.later import fetch

TABLE: Mapping[str, str] = {
    "alter_rows": "harness.faults.alter_rows:AlterRows",
    "black_out_region": "harness.faults.black_out_region:BlackOutRegion",
    "break_channel": "harness.faults.break_channel:BreakChannel",
    "corrupt_index": "harness.faults.corrupt_index:CorruptIndex",
    "corrupt_page": "harness.faults.corrupt_page:CorruptPage",
    "cut_component": "harness.faults.cut_component:CutComponent",
    "cut_link": "harness.faults.cut_link:CutLink",
    "cut_region": "harness.faults.cut_region:CutRegion",
    "cut_zone": "harness.faults.cut_zone:CutZone",
    "damage_stored_object": "harness.faults.damage_stored_object:DamageStoredObject",
    "destroy_recent_rows": "harness.faults.destroy_recent_rows:DestroyRecentRows",
    "fill_disk": "harness.faults.fill_disk:FillDisk",
    "flap_link": "harness.faults.flap_link:FlapLink",
    "kill_component": "harness.faults.kill_component:KillComponent",
    "kill_load_balancer": "harness.faults.kill_load_balancer:KillLoadBalancer",
    "kill_zone": "harness.faults.kill_zone:KillZone",
    "lose_files": "harness.faults.lose_files:LoseFiles",
    "lose_volumes": "harness.faults.lose_volumes:LoseVolumes",
    "noop": "harness.faults.noop:Noop",
    "pause_component": "harness.faults.pause_component:PauseComponent",
    "poison_release": "harness.faults.poison_release:PoisonRelease",
    "reject_credentials": "harness.faults.reject_credentials:RejectCredentials",
    "slow_link": "harness.faults.slow_link:SlowLink",
    "stop_replay": "harness.faults.stop_replay:StopReplay",
}


def of(name: str, settings: Mapping[str, Any]) -> Fault:
    """The fault of that name, with settings as they lie on disk.

    Errors: `Refused` where there is no such fault, or it has no such settings.
    """
    if name not in TABLE:
        raise Refused(f"there is no fault {name!r}", hint=f"it is of another drdrill; faults: {', '.join(TABLE)}")
    made = fetch(TABLE[name])
    kinds = get_type_hints(made)
    known = {field.name for field in fields(made)}
    if unknown := sorted(set(settings) - known):
        raise Refused(f"{name} has no setting {', '.join(unknown)}", hint="it was written by another drdrill")
    try:
        fault: Fault = made(**{key: _read(value, kinds[key]) for key, value in settings.items()})
    except TypeError:
        needed = [field.name for field in fields(made) if field.default is MISSING and field.name not in settings]
        what = f"has no {', '.join(needed)}" if needed else "is not whole"
        raise Refused(f"what is written down of {name} {what}", hint="the file was cut off, or edited") from None
    except ValueError as error:
        raise Refused(f"the settings of {name}: {error}", hint="it was written by another drdrill") from None
    return fault


def to_disk(fault: Fault) -> dict[str, Any]:
    """Its settings as JSON values: a length in seconds, a tuple as a list."""
    found = {field.name: getattr(fault, field.name) for field in fields(fault)}
    return {key: _written(value) for key, value in found.items()}


def _written(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return list(value) if isinstance(value, tuple) else value


def _read(value: Any, kind: Any) -> Any:
    if kind is timedelta:
        return timedelta(seconds=value)
    return tuple(value) if get_origin(kind) is tuple else value
