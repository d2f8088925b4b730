"""What was hurt in a scenario: undo before do, the proof that it took effect, whether it still does, and the healing.

When a fault took effect, and when it was healed, is known from two moments: before the call that did it, and after its
return, or what the fault itself knows more exactly. The proof is asked for afterwards, and may take its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from harness.checks.evidence import BY_SCENARIO
from harness.errors import NotReady, quietly
from harness.faults import Affected, Fault, Undo, affected
from harness.faults.noop import Noop
from harness.run.run import Run
from harness.safety import undo
from harness.safety.healing import FROZEN, NOTHING, record
from harness.safety.healing import heal as healed
from harness.safety.permission import permit
from harness.scenario.leadership import Leadership
from harness.stacks.capabilities.sabotage import Unfenced
from harness.system import clock
from harness.system.clock import CALL, Moment


class Injected(NamedTuple):
    """A fault that is not healed yet; `injection` counts those of the scenario."""

    injection: int
    fault: Fault
    undo: Undo
    path: Path


class ActiveFaults:
    """The faults of one scenario, from their injection to their end."""

    def __init__(self, run: Run, leader: Leadership) -> None:
        self._run = run
        self._leader = leader
        self._journal = run.journal
        self._sabotage = run.options.sabotage
        self._left: list[Injected] = []
        self._many = 0
        self._begun: int | None = None
        self._effective: int | None = None
        self.affected: list[Affected] = []  # what alerts have to name
        self.unhealed = False  # something could not be healed, and waits for a person
        self.ended = 0  # when the last one was healed, or given up, in monotonic nanoseconds
        self.ended_by_sentence = 0  # of those that the scenario itself has ended
        self.touched = False  # somebody has begun to repair or to end what was hurt

    @property
    def any(self) -> bool:
        """Whether anything was hurt, healed or not."""
        return self._begun is not None

    @property
    def begun(self) -> int:
        """When the first fault was about to be injected, in monotonic nanoseconds."""
        assert self._begun is not None, "nothing was hurt"
        return self._begun

    @property
    def effective(self) -> int:
        """When the first fault took effect at the earliest: what is told of it comes no sooner."""
        assert self._effective is not None, "nothing was hurt"
        return self._effective

    def inject(self, fault: Fault, *, affects: Sequence[str] = ()) -> None:
        """Write the undo, then the intent, then hurt, then ask for proof that it took effect.

        `affects`: what an alert has to name besides what the fault itself says.
        Errors: `NotReady`, `Unable`, and `Refused` where the stack's owner forbids it.
        """
        stack = self._run.stack
        if self._sabotage.toothless:
            fault = Noop()
        self._run.guardian.ensure()
        needed = fault.prepare(stack)
        ttl = permit(stack, fault, needed, folder=self._run.folder, recorder=self._journal)
        unfenced = self._leader.known if self._sabotage.unfenced else None
        if isinstance(unfenced, Unfenced):
            needed = {**needed, FROZEN: unfenced.name}
        self._many += 1
        injection = self._many
        path = undo.write(self._run.folder, fault, needed, injection=injection, ttl=ttl)
        self._left.append(Injected(injection, fault, needed, path))
        if isinstance(unfenced, Unfenced):
            unfenced.freeze_manager()
        named = [affected(each) for each in (*fault.affects(needed), *affects)]
        self.affected += named
        self._begun = self._begun or clock.mono()
        self._journal.record(
            "fault.intent",
            injection=injection,
            fault=fault.name,
            settings=undo.settings(fault),
            undo=needed,
            harms_data=fault.harms_data,
            logical=fault.logical,
            affects=named,
            ttl=ttl.total_seconds(),
        )
        begun = clock.mono()
        moment = fault.inject(stack, needed) or Moment(begun, clock.mono(), CALL)
        moment = replace(moment, earliest=max(moment.earliest, begun))  # not before it was ordered
        self._effective = self._effective or moment.earliest
        proof = fault.took_effect(stack, needed)
        self._journal.record(
            "fault.effective",
            injection=injection,
            fault=fault.name,
            ok=bool(proof),
            proof=proof or "no effect was seen",
            **asdict(moment),
        )
        if not proof:
            hint = "read its settings in the journal"
            raise NotReady(f"{fault.name} did not take effect: nothing can be said", hint=hint)
        if self._sabotage.brief:
            fault.heal(stack, needed)

    def still_active(self) -> None:
        """Before anybody repairs or ends anything: record whether each fault that is not healed is still active."""
        self.touched = True
        for injection, fault, needed, _ in self._left:
            proof = fault.took_effect(self._run.stack, needed)
            said = proof or "it had ended by itself"
            self._journal.record(
                "fault.still_active", injection=injection, fault=fault.name, ok=bool(proof), proof=said
            )

    def look(self, *names: str, after: str) -> None:
        """Record of each that is not healed, or of those of these names, whether anything of it is left, `after` what a
        sentence or a step has done: healing it in the end is then no news. It repairs nothing, and raises nothing."""
        for injection, fault, needed, _ in self._left:
            if names and fault.name not in names:
                continue
            seen: list[str] = []
            wrong = quietly(lambda: seen.append(fault.still_hurt(self._run.stack, needed)))  # noqa: B023  called at once
            left = f"nobody could look: {wrong}" if wrong else seen[0]
            self._journal.record(
                "fault.left", injection=injection, fault=fault.name, ok=not left, seen=left or NOTHING, after=after
            )

    def end(self, *, of: type[Fault] | None = None) -> None:
        """The feature's own end of what was hurt: the link is whole again, the power is back. `of`: of one kind of
        fault alone, the others stay."""
        self.still_active()
        self.heal(by="scenario", of=of)

    def _waits(self, seen: str) -> None:
        self._journal.record("waiting", what=seen)

    def heal(self, *, by: str = "harness", of: type[Fault] | None = None) -> None:
        """Heal what is left, the last one first. What cannot be healed is recorded, and raises nothing."""
        while left := [each for each in self._left if of is None or isinstance(each.fault, of)]:
            injection, fault, needed, path = left[-1]
            healing = healed(self._run.stack, fault, needed, say=self._waits)
            record(self._journal, healing, injection=injection, fault=fault.name, by=by)
            self.ended = max(self.ended, healing.latest)
            if by == BY_SCENARIO:
                self.ended_by_sentence = self.ended
            self._left.remove(left[-1])  # only now: whoever is stopped in between heals it once more
            if healing.ok:
                undo.healed(path)
            else:
                self.unhealed = True
                undo.explain(path, seen=healing.seen)
