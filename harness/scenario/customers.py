"""The customers of one scenario: they write all through it, and are who service is promised to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from harness.run.run import Run
from harness.scenario.active_faults import ActiveFaults
from harness.scenario.baseline import wait_for_baseline
from harness.scenario.exposure import ExposureSampler
from harness.scenario.waits import in_time
from harness.stacks import regional
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import Archive
from harness.stacks.capabilities.database import Standby
from harness.stacks.capabilities.sabotage import Deafenable
from harness.system import clock, wait
from harness.workload.readers import RATE, Readers
from harness.workload.workload import Group, Workload, outside

SETTLING = timedelta(seconds=5)  # good service must last this long after the verification
SETTLING_LIMIT = timedelta(seconds=45)
FIRST_ANSWER = timedelta(seconds=2)  # as late may the first request be due and answered from which that is counted
AUTOMATIC = timedelta(seconds=2)  # of good service, by which the platform shows that it goes on without a person
AUTOMATIC_LIMIT = timedelta(seconds=60)


class ScenarioCustomers:
    """From the first request to the last; `name` is the scenario's, and its files go to `folder`."""

    def __init__(self, run: Run, name: str, folder: Path, faults: ActiveFaults) -> None:
        self._run = run
        self._name = name
        self._folder = folder
        self._faults = faults
        self._workload: Workload | None = None
        self._readers: Readers | None = None
        self._sampler: ExposureSampler | None = None
        self._beyond: ExposureSampler | None = None
        self._verified: int | None = None  # when service was first to last
        self.origin = f"{run.id}/{name}"

    @property
    def any(self) -> bool:
        """Whether there are customers at all."""
        return self._workload is not None

    @property
    def groups(self) -> list[str]:
        """Their names."""
        return list(self._workload.groups) if self._workload else []

    def serve(self, *, inside: Sequence[Group] = ()) -> None:
        """Customers write, outside and in these groups inside of zones.

        Errors: `NotReady`; nothing has been hurt then.
        """
        run, sabotage = self._run, self._run.options.sabotage
        rate = run.rate / len(run.stack.regions) ** 2  # as many parts more share the processors of one machine
        self._workload = Workload(
            run.stack,
            run.journal,
            run.commands,
            self._folder,
            client=run.client,
            origin=self.origin,
            groups=[outside(0.0 if sabotage.idle else rate), *inside],
            logs=run.folder / "logs" / self._name,
            most=run.owner.writes_left(),
        )
        self._workload.begin()
        run.owner.watch_writes(self._workload.files.values(), self._workload.bound)
        if not sabotage.idle:
            wait_for_baseline(run.stack, run.journal, self._workload, self._sampler, sabotage=sabotage)
        if sabotage.receiver_lost:
            need(run.stack, Deafenable).lose_receiver()

    def serve_archived(self, region: str = "", *, inside: Sequence[Group] = ()) -> None:
        """Customers write until it reaches the archive, which is looked at from now on. Errors: as `serve`.

        `region`: where the archive is looked at, as it is copied there; empty: in the region in service.
        """
        place = regional.region(self._run.stack, region) if region else self._run.stack
        archive = need(place, Archive)
        self._sampler = ExposureSampler(self._run.stack, self._run.journal, of="archive", safe=archive.archived)
        self._sampler.begin()
        self.serve(inside=inside)

    def serve_followed(self, region: str, *, inside: Sequence[Group] = ()) -> None:
        """Customers write, and what that region has received of it is looked at from now on. Errors: as `serve`."""
        self.look_at(region)
        self.serve(inside=inside)

    def look_at(self, region: str) -> None:
        """What that region has received of what customers write is looked at from now on, whatever else is."""
        standby = need(regional.region(self._run.stack, region), Standby)
        self._beyond = ExposureSampler(self._run.stack, self._run.journal, of="second region", safe=standby.received)
        self._beyond.begin()

    def ask(self) -> None:
        """Customers also ask for what they know, from now on. Errors: as `Readers.begin`."""
        run, workload = self._run, self._writing()
        self._readers = Readers(
            run.stack,
            run.journal,
            run.commands,
            self._folder,
            client=run.client,
            origin=self.origin,
            knows=[path for name, path in workload.files.items() if not workload.groups[name].zone],
            rate=0.0 if run.options.sabotage.idle else min(RATE, run.rate),
            logs=run.folder / "logs" / self._name,
        )
        self._readers.begin()

    def complaint(self) -> str:
        """What the first of those who ask complains of, since the first fault; empty where all are answered rightly."""
        assert self._readers is not None, "the feature must have customers who ask"
        return self._readers.complaint(after=self._faults.begun)

    def await_service(self) -> None:
        """Wait until they are served although nobody has done anything, or for a while: that is a finding."""
        what = "customers are served again, without a person"
        self._wait(what, good_for=AUTOMATIC, after=self._faults.begun, within=AUTOMATIC_LIMIT)

    def await_settled(self) -> None:
        """Wait until they are served again after what was hurt has ended; how long that took is a finding."""
        self._wait("customers are served", good_for=AUTOMATIC, after=clock.mono(), within=SETTLING_LIMIT)

    def settle(self, *, ended: int | None = None) -> None:
        """Wait until service has lasted since the verification, or since it was last bad; or since the last fault
        `ended` (by the monotonic clock), where it has to be judged from there on. Errors: `NotInTime`."""
        workload, settling = self._writing(), SETTLING
        what = f"good service for {SETTLING.total_seconds():g} s after "
        if ended is None:
            begin = self._verified = self._verified or clock.mono()
            what += "the verification"
        else:
            begin, settling = ended, SETTLING + FIRST_ANSWER
            what += "the last fault has ended"
        wait.until(
            lambda: workload.good_for(settling, after=begin), what=what, within=SETTLING_LIMIT,
            recorder=self._run.journal,
        )  # fmt: skip  # arguments in groups

    def plan_interruption(self, what: str) -> None:
        """From here on they may be without service as planned, once they have been served well for a while: that is
        no part of a recovery time. Errors: `NotInTime`."""
        self.settle()
        self._run.journal.record("planned.begin", what=what)

    def end(self) -> None:
        """No more requests. Errors: where they ended badly."""
        try:
            if self._readers is not None:
                self._readers.end()
        finally:
            if self._workload is not None:
                self._workload.end()

    def end_sampling(self) -> None:
        """Neither the archive nor another region is looked at any more."""
        for sampler in (self._sampler, self._beyond):
            if sampler is not None:
                sampler.end()

    def _wait(self, what: str, *, good_for: timedelta, after: int, within: timedelta) -> None:
        workload = self._writing()
        in_time(lambda: workload.good_for(good_for, after=after), what=what, within=within, recorder=self._run.journal)

    def _writing(self) -> Workload:
        assert self._workload is not None, "the feature must have customers"
        return self._workload
