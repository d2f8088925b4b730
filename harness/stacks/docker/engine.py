"""The door to the Docker engine: how it is reached, what it refuses told in words, and what a run left in it.

Everything that is made carries the label `io.drdrill.run=<run id>`, and is found by it, in any process; nothing is
found by name. Docker's own library is used as it is: pods, fixed addresses and going on from another process are what
the stack needs, and wrappers made for tests hide just those.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import DrillError, Refused
from harness.stacks.docker import stamped as stamped_source
from harness.system import clock, wait
from harness.system.clock import Moment, around

if TYPE_CHECKING:
    from docker import DockerClient

T = TypeVar("T")
RUN = "io.drdrill.run"  # label: the run's id
PART = "io.drdrill.part"  # label: the component's name
ZONE = "io.drdrill.zone"  # label: the zone that a container dies with
OWNER = "io.drdrill.owner"  # label: the user id of whoever runs it
EXTRA_HINT = "install what containers need: pip install 'drdrill[docker]', in a clone bin/set-up docker"
APART = 1_000_000  # nanoseconds: by so little may the clock of the day be adjusted within the seconds looked back
SWEEP_LIMIT = timedelta(seconds=60)
THREADS = 4
OFTEN = timedelta(milliseconds=100)
HEADER = struct.Struct(">BxxxL")  # of a frame, as the engine's API has it: which stream, and how many bytes follow


@cache
def engine() -> DockerClient:
    """The engine that DOCKER_HOST names, or the one of this machine.

    Errors: `Refused`, saying whether the package, the daemon or the permission is missing.
    """
    try:
        # Imported here: half a second, which no run on the embedded stack pays; and it may not be installed.
        import docker  # noqa: PLC0415  see above
        from docker.errors import DockerException  # noqa: PLC0415  see above
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
    from requests.exceptions import RequestException  # noqa: PLC0415  (see engine)

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


def execute(container: str, argv: Sequence[str], *, what: str, detach: bool = False) -> str:
    """Run a command in a container, as its user and with its rights; returns what it printed.

    Errors: `DrillError` with its last words where it fails, or the container is gone.
    """
    api = engine().api
    with told(what):
        made = api.exec_create(container, list(argv))["Id"]
        if detach:
            api.exec_start(made, detach=True)
            return ""
        said = b"".join(words for _, words in spoken(api, made)).decode(errors="replace")
        code = api.exec_inspect(made)["ExitCode"]
    if code:
        last = (said.strip().splitlines() or ["without a word"])[-1]
        raise DrillError(f"{what}: {last}", hint="does `docker info` answer? `drdrill heal` removes what is left")
    return said


def spoken(api: Any, made: str) -> Iterator[tuple[int, bytes]]:
    """Start what `exec_create` made: what it says, as it comes, with 1 for its standard output and 2 for errors.

    The driver's own reading loses what came in one piece with the engine's HTTP headers, which a busy machine shows: it
    reads them through a buffer, and goes on beside it. Here the same buffer is read to its end. A command may say
    nothing for as long as it likes. Errors: `Refused` where the engine goes away.
    """
    started = api.exec_start(made, socket=True)
    api._disable_socket_timeout(started)  # as the driver does where it waits for what an attached container says
    response = started._response
    stream = response.raw._fp.fp
    try:
        while len(header := stream.read(HEADER.size)) == HEADER.size:
            where, length = HEADER.unpack(header)
            yield where, stream.read(length)
    except OSError as error:
        raise _unreachable(error) from None
    finally:
        response.close()


def stamped(container: str, act: str, *, what: str, before: str = "", at: int = 0) -> Moment | None:
    """Run scripts of the shell in a container, of which the second takes effect; when that was, by the kernel's clock.

    `at`: not before this reading of the monotonic clock, so that several take effect together. None where the engine's
    kernel is not this one: its clock says nothing here. Errors: as `execute`.
    """
    return told_when(container, stamped_source.__file__, [before, act, *([str(at)] if at else [])], what=what)


def told_when(container: str, source: str, words: Sequence[str], *, what: str) -> Moment | None:
    """Run a program of ours by the container's own Python, whose last line says when it took effect; as `stamped`."""
    asked = clock.mono()
    said = execute(container, ["python3", "-c", Path(source).read_text(), *words], what=what)
    return moment_of(said, asked=asked)


def moment_of(said: str, *, asked: int) -> Moment | None:
    """What the last line says of something that was asked for at `asked`; None where the clock is of another kernel."""
    try:
        earliest, latest = map(int, said.splitlines()[-1].split())
    except (IndexError, ValueError):
        return None
    moment = Moment(earliest, latest, "the kernel, by its clock inside the container")
    return moment if asked <= earliest <= latest <= clock.mono() else None


def mono_of(said: str) -> int | None:
    """A time of the engine (`2026-11-23T20:55:01.123456789Z`) on the monotonic clock, at the latest that it can be.

    The two clocks are read once more, and what lies between these readings is added. None where it is no time, or is
    not of this machine's clock: it lies in the future, or is older than the boot.
    """
    try:
        text, _, fraction = said.rstrip("Z").partition(".")
        whole = datetime.fromisoformat(f"{text}+00:00")
        told_ns = int(whole.timestamp()) * 1_000_000_000 + int(f"{fraction:0<9}"[:9] or 0)
    except ValueError:
        return None
    before = clock.mono()
    now = clock.now()
    after = clock.mono()
    passed = (now.utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000 - told_ns
    latest = after - passed + APART
    return min(latest, after) if 0 <= passed <= before else None


def killed(container: Any) -> Moment:
    """SIGKILL it. No sooner than the engine was told; no later than its own stamp of the end, which it takes when all
    that was left of it has been killed, too. Errors: those of Docker's library."""
    moment = around(container.kill, by="the engine, which was told to kill it, and said that it had ended")
    container.reload()
    ended = mono_of(str(container.attrs["State"]["FinishedAt"]))
    if ended is None or not moment.earliest <= ended < moment.latest:
        return moment
    return Moment(moment.earliest, ended, "the engine, which was told to kill it, and its stamp of the end")


def at_once(do: Sequence[Callable[[], T]], *, threads: int = THREADS) -> list[T]:
    """Call each in a thread of its own: most of a container's start is waiting. Errors: those of the first that failed,
    when all have ended."""
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return [begun.result() for begun in [pool.submit(one) for one in do]]


def labels(run: str, part: str, zone: str = "") -> dict[str, str]:
    """What everything of a run carries."""
    return {RUN: run, PART: part, ZONE: zone, OWNER: str(os.geteuid())}


def runs() -> list[str]:
    """Our user's runs of which anything is in the engine, alive or left behind; root's are everybody's."""
    client = engine()
    with told("looking for what runs have left"):
        found = [one.labels for one in client.containers.list(all=True, filters={"label": RUN}, ignore_removed=True)]
        found += [one.attrs["Labels"] for one in client.networks.list(filters={"label": RUN})]
        found += [one.attrs["Labels"] or {} for one in client.volumes.list(filters={"label": RUN})]
    mine = [one for one in found if os.geteuid() == 0 or one.get(OWNER) == str(os.geteuid())]
    return sorted({one[RUN] for one in mine})


def remove(run: str) -> int:
    """Remove every container, network and volume of a run; how many there were. Harmless where nothing is left.

    Errors: `DrillError` when something is still there after a minute.
    """
    from docker.errors import APIError, NotFound  # noqa: PLC0415  (see engine)

    removed, refused = 0, ""

    def nothing_left() -> bool:
        nonlocal removed, refused
        left, refused = _left(run), ""
        for one in left:
            try:
                one.remove(**({"force": True, "v": True} if hasattr(one, "exec_run") else {}))
                removed += 1
            except NotFound:
                pass
            except APIError as error:  # somebody else is removing it, or a network's last container has just gone
                refused = f"{one.name}: {error.explanation or error}"
        return not left

    if not wait.poll(nothing_left, within=SWEEP_LIMIT, every=OFTEN):
        why = refused or "something of it is there again and again"
        raise DrillError(f"will not be removed: {why}", hint="docker ps -a; then `drdrill heal` again")
    return removed


def running(run: str) -> bool:
    """Whether a container of this run, or stack, runs. Errors: `Refused` where the engine cannot be reached."""
    with told(f"looking for {run}"):
        return bool(engine().containers.list(filters={"label": f"{RUN}={run}"}, ignore_removed=True))


def _left(run: str) -> list[Any]:
    """Containers first: what is connected to a network keeps it."""
    client = engine()
    ours: Any = {"label": f"{RUN}={run}"}
    with told(f"looking for what run {run} has left"):
        containers = client.containers.list(all=True, filters=ours, ignore_removed=True)
        return [*containers, *client.networks.list(filters=ours), *client.volumes.list(filters=ours)]


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
