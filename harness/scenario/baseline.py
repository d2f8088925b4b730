"""What must be seen of customers before anything is hurt."""

from __future__ import annotations

from datetime import timedelta

from harness.errors import NotInTime, NotReady
from harness.run.sabotage import Sabotage
from harness.scenario.exposure import ExposureSampler
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.sabotage import Stallable
from harness.system import wait
from harness.system.recorder import Recorder
from harness.workload.workload import Workload

GOOD = timedelta(seconds=2)  # of good service
LIMIT = timedelta(seconds=60)
STALL = timedelta(seconds=20)  # for which a stalled archive is watched
CYCLES = 2  # of archiving behind what customers wrote first: then exposure has a figure, and the last archived file is
# not the first that customers wrote


def wait_for_baseline(
    stack: Stack, recorder: Recorder, workload: Workload, sampler: ExposureSampler | None, *, sabotage: Sabotage
) -> None:
    """Wait until customers are served well; with a sampler, until what they write reaches the archive.

    Errors: `NotReady`; nothing has been hurt then.
    """
    length = max(GOOD, sabotage.earlier + timedelta(seconds=10) if sabotage.earlier else GOOD)
    try:
        wait.until(
            lambda: workload.good_for(GOOD) and (sampler is None or sampler.now()),
            what="customers are served",
            within=LIMIT,
            recorder=recorder,
        )
        if sampler is None:
            return
        written = sampler.now()
        wait.until(
            lambda: workload.good_for(length) and sampler.cycles(beyond=written) >= CYCLES,
            what="what they write is archived",
            within=LIMIT + length,
            recorder=recorder,
            last_seen=sampler.words,
        )
        if sabotage.archive_stalls:
            need(stack, Stallable).stall_archiving()
            wait.until(
                lambda: sampler.open_age() >= STALL,
                what=f"a write has waited {STALL.total_seconds():g} s for the archive",
                within=STALL * 3,
                recorder=recorder,
            )
    except NotInTime as error:
        raise NotReady(f"not steady, nothing was hurt: {error.message}", hint="read the component logs") from None
