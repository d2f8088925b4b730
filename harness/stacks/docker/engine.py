"""The door to the Docker engine: how it is reached, what it refuses told in words, and what a run left in it.

Everything that is made carries the label `io.drdrill.run=<run id>`, and is found by it, in any process; nothing is
found by name. Docker's own library is used as it is: pods, fixed addresses and going on from another process are what
the stack needs, and wrappers made for tests hide just those.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from harness import clock
from harness.errors import DrillError, Refused

if TYPE_CHECKING:
    from docker import DockerClient

RUN = "io.drdrill.run"  # label: the run's id
PART = "io.drdrill.part"  # label: the component's name
ZONE = "io.drdrill.zone"  # label: the zone that a container dies with
OWNER = "io.drdrill.owner"  # label: the user id of whoever runs it
EXTRA_HINT = "install what containers need: bin/set-up docker"
SWEEP_LIMIT = timedelta(seconds=60)


@cache
def engine() -> DockerClient:
    """The engine that DOCKER_HOST names, or the one of this machine.

    Errors: `Refused`, saying whether the package, the daemon or the permission is missing.
    """
    try:
        # Imported here: half a second, which no run on the embedded stack pays; and it may not be installed.
        import docker  # noqa: PLC0415
        from docker.errors import DockerException  # noqa: PLC0415
    except ImportError:
        raise Refused("the container stack is not installed here", hint=EXTRA_HINT) from None
    try:
        client = docker.from_env(timeout=120)
        client.ping()
    except DockerException as error:
        raise _unreachable(error) from None
    return client


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn the engine's refusals into one clear error. Errors: `Refused`, `DrillError`."""
    from docker.errors import APIError, DockerException  # noqa: PLC0415  (see engine)
    from requests.exceptions import RequestException  # noqa: PLC0415

    try:
        yield
    except APIError as error:
        said = str(error.explanation or error)
        if "no space left" in said.lower():
            raise Refused(f"{what}: the disk of the Docker engine is full", hint="docker system df") from None
        if "port is already allocated" in said or "address already in use" in said:
            raise Refused(f"{what}: {said}", hint="end what listens there, or `drdrill stack down`") from None
        raise DrillError(
            f"{what}: {said}", hint="does `docker info` answer? `drdrill heal` removes what is left"
        ) from None
    except (DockerException, RequestException) as error:
        raise _unreachable(error) from None


def labels(run: str, part: str, zone: str = "") -> dict[str, str]:
    """What everything of a run carries."""
    return {RUN: run, PART: part, ZONE: zone, OWNER: str(os.geteuid())}


def labelled(run: str) -> dict[str, Any]:
    """The filter for everything of a run."""
    return {"label": f"{RUN}={run}"}


def runs() -> list[str]:
    """Our user's runs of which anything is in the engine, alive or left behind; root's are everybody's."""
    client = engine()
    with told("looking for what runs have left"):
        found = [one.labels for one in client.containers.list(all=True, filters={"label": RUN}, ignore_removed=True)]
        found += [one.attrs["Labels"] for one in client.networks.list(filters={"label": RUN})]
        found += [one.attrs["Labels"] or {} for one in client.volumes.list(filters={"label": RUN})]
    mine = [labels for labels in found if os.geteuid() == 0 or labels.get(OWNER) == str(os.geteuid())]
    return sorted({labels[RUN] for labels in mine})


def remove(run: str) -> int:
    """Remove every container, network and volume of a run; how many there were. Harmless where nothing is left.

    Errors: `DrillError` when something is still there after a minute.
    """
    from docker.errors import NotFound  # noqa: PLC0415  (see engine)

    client, removed, begin = engine(), 0, clock.mono()
    while True:
        with told(f"removing what run {run} has left"):
            left: list[Any] = [
                *client.containers.list(all=True, filters=labelled(run), ignore_removed=True),
                *client.networks.list(filters=labelled(run)),
                *client.volumes.list(filters=labelled(run)),
            ]
            if not left:
                return removed
            if clock.since(begin) > SWEEP_LIMIT:
                names = ", ".join(one.name for one in left)
                raise DrillError(f"will not be removed: {names}", hint="docker ps -a; then `drdrill heal` again")
            for one in left:
                try:
                    if hasattr(one, "exec_run"):
                        one.remove(force=True, v=True)
                    elif not _in_use(one):
                        one.remove()
                    removed += 1
                except NotFound:
                    pass


def _in_use(one: Any) -> bool:
    """A network that still has containers: they are removed first."""
    return bool(getattr(one, "containers", None))


def _unreachable(error: Exception) -> Refused:
    said = str(error)
    if "Permission denied" in said:
        return Refused(
            "no permission to talk to the Docker engine",
            hint="join the group that owns its socket (sudo usermod -aG docker $USER), and log in again",
        )
    if "No such file" in said or "Connection refused" in said or "ConnectionRefused" in said:
        return Refused("no Docker engine runs here", hint="start it: sudo systemctl start docker, or sudo dockerd")
    return Refused(f"the Docker engine does not answer: {said}", hint="does `docker info` answer?")
