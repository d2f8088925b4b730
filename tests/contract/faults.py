"""What the contract of faults asks of every fault: `python -m tests.contract.faults CASE FOLDER`, where a stack stands.

Looking hurts nothing, hurting can be proved from outside, healing heals; twice is harmless, and so is healing where
nothing was hurt. Whoever looks, and whoever hurts, is killed in the next instant: another process goes on with what
lies on disk, as it does after a crash. Afterwards the stack is steady again.
"""

from __future__ import annotations

import operator
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from drills.mistake import old_amounts_altered, recent_transactions_destroyed
from drills.reconciliation import ACCOUNTS, TABLE
from harness.errors import Unable
from harness.faults import Fault
from harness.faults.black_out_region import BlackOutRegion
from harness.faults.break_channel import BreakChannel
from harness.faults.corrupt_index import CorruptIndex
from harness.faults.corrupt_page import CorruptPage
from harness.faults.cut_component import CutComponent
from harness.faults.cut_link import CutLink
from harness.faults.cut_region import CutRegion
from harness.faults.cut_zone import CutZone
from harness.faults.damage_stored_object import DamageStoredObject
from harness.faults.fill_disk import FillDisk
from harness.faults.flap_link import FlapLink
from harness.faults.kill_component import KillComponent
from harness.faults.kill_load_balancer import KillLoadBalancer
from harness.faults.kill_zone import KillZone
from harness.faults.lose_files import LoseFiles
from harness.faults.lose_volumes import LoseVolumes
from harness.faults.noop import Noop
from harness.faults.pause_component import PauseComponent
from harness.faults.poison_release import PoisonRelease
from harness.faults.reject_credentials import RejectCredentials
from harness.faults.slow_link import SlowLink
from harness.faults.stop_replay import StopReplay
from harness.run.run import new_id
from harness.run.steady import steady
from harness.run.trial import Trials
from harness.safety import undo
from harness.stacks import Stack, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import BaseBackups
from harness.stacks.capabilities.database import Cluster
from harness.system import clock, wait
from harness.system.recorder import Memory
from harness.workload.client import ClientModule
from tests.contract.attaching import attached

SECOND = timedelta(seconds=1)
BACK = SECOND * 60  # a database server that was killed is cloned, or catches up
AT_ONCE = SECOND * 5  # a healed zone answers as soon as a busy machine lets it

# One of each, and more where it has several ways; of a zone that does not lead, and another one. The last one leaves no
# database behind.
CASES: dict[str, Callable[[str, str], Fault]] = {
    "noop": lambda zone, other: Noop(),
    "kill_component": lambda zone, other: KillComponent((f"api-{zone}",)),
    "kill_component host": lambda zone, other: KillComponent((f"api-{zone}", f"patroni-{zone}", f"etcd-{zone}")),
    "pause_component": lambda zone, other: PauseComponent(f"api-{zone}"),
    "pause_component database": lambda zone, other: PauseComponent(f"patroni-{zone}"),
    "kill_load_balancer": lambda zone, other: KillLoadBalancer(),
    "poison_release": lambda zone, other: PoisonRelease("poisoned"),
    "reject_credentials": lambda zone, other: RejectCredentials("quantumnest_app"),
    "cut_link": lambda zone, other: CutLink(zone, (other,)),
    "cut_link etcd": lambda zone, other: CutLink(zone, (other,), "consensus store"),
    "cut_zone": lambda zone, other: CutZone(zone),
    "slow_link": lambda zone, other: SlowLink(zone, kilobytes=200, latency=SECOND / 10, loss=1.0),
    "flap_link": lambda zone, other: FlapLink(zone, down=SECOND, up=SECOND, lasting=SECOND * 60),
    "kill_zone": lambda zone, other: KillZone(zone),
    "fill_disk": lambda zone, other: FillDisk(f"patroni-{zone}"),
    "damage_stored_object": lambda zone, other: DamageStoredObject("latest base backup", "flip a byte"),
    "lose_files control": lambda zone, other: LoseFiles("control file"),
    "lose_files log": lambda zone, other: LoseFiles("log of changes"),
    "break_channel": lambda zone, other: BreakChannel("slack", "refuses"),
    "break_channel hangs": lambda zone, other: BreakChannel("teams", "hangs"),
    "break_channel limited": lambda zone, other: BreakChannel("slack", "rate-limited"),
    "break_channel loses": lambda zone, other: BreakChannel("e-mail", "loses"),
    "break_channel down": lambda zone, other: BreakChannel("e-mail", "down"),
    "corrupt_page": lambda zone, other: CorruptPage(TABLE, "flip a byte", "contract"),
    "corrupt_page zero": lambda zone, other: CorruptPage(TABLE, "zero", "contract"),
    "corrupt_page foreign": lambda zone, other: CorruptPage(TABLE, "page of another relation", "contract", ACCOUNTS),
    "corrupt_page index": lambda zone, other: CorruptPage(f"{ACCOUNTS}_pkey", "flip a byte", "contract"),
    "corrupt_page copy": lambda zone, other: CorruptPage(TABLE, "flip a byte", "contract", member=f"patroni-{zone}"),
    "corrupt_index": lambda zone, other: CorruptIndex(f"{ACCOUNTS}_pkey", "flip a byte", "contract"),
    "corrupt_index foreign": lambda zone, other: CorruptIndex(
        f"{ACCOUNTS}_pkey", "page of another index", "contract", other=f"{TABLE}_pkey"
    ),
    "alter_rows": lambda zone, other: old_amounts_altered(),
    "destroy_recent_rows": lambda zone, other: recent_transactions_destroyed(24),
    "lose_volumes": lambda zone, other: LoseVolumes(),
}
# Of a stack of two regions; of the one that leads, but for the last.
OF_REGIONS: dict[str, Callable[[str, str], Fault]] = {
    "black_out_region": lambda zone, other: BlackOutRegion("us-east-1"),
    "cut_region": lambda zone, other: CutRegion("us-east-1"),
    "stop_replay": lambda zone, other: StopReplay("us-west-2"),
}
# Of a platform that somebody else made: tests/contract/test_attached.py has it hurt and healed for real.
OF_ATTACHED: dict[str, Callable[[str, str], Fault]] = {"cut_component": lambda zone, other: CutComponent(f"api-{zone}")}
# What they destroyed comes back by a recovery, not by healing.
STAYS = ("alter_rows", "destroy_recent_rows", "lose_volumes")
# What a machine may lack: namespaces for zones, a kernel that can slow down.
NO_NETWORK = ("cut_zone", "cut_link", "slow_link", "flap_link", "cut_region")
MAY_LACK = ("slow_link",)
NOT_HERE, ZONES, PROOF = "not-here", "zones", "proof"  # files in the case's folder


class Case:
    """One case in a folder of its own. Every act is a process of its own, that finds the stack anew."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.stack_folder = folder / "stack"
        self.folder = folder / f"fault-{name.replace(' ', '-')}"
        self.folder.mkdir()

    def keep(self) -> None:
        """The contract. Errors: `AssertionError`."""
        self.act(self.look, killed=True)
        if not self.has(NOT_HERE):
            self.act(self.heal_unhurt)
            self.act(self.hurt, killed=True)
        self.act(self.heal)
        if self.name != "lose_volumes":
            self.act(self.steady)

    def act(self, act: Callable[[Stack], None], *, killed: bool = False) -> None:
        """Fork, do it, and be killed, or end well."""
        begin = clock.mono()
        sys.stdout.flush()
        if not (pid := os.fork()):
            code = 1
            try:
                act(attached(self.stack_folder))
                if killed:
                    os.kill(os.getpid(), signal.SIGKILL)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        wanted = -signal.SIGKILL if killed else 0
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == wanted, f"{self.name}: {act.__name__}"
        print(f"{act.__name__} {clock.since(begin).total_seconds():.1f} s")

    def look(self, stack: Stack) -> None:
        """What healing needs is on disk; then the kill comes, right before anything is hurt."""
        leader = need(stack, Cluster).leader()
        assert leader is not None
        others = [zone for zone in zones(stack) if zone != leader.zone]
        self.write(ZONES, " ".join(others))
        fault = self.fault()
        try:
            needed = fault.prepare(stack)
        except Unable as unable:
            self.not_here(stack, unable)
            return
        assert isinstance(fault.affects(needed), list)
        undo.write(self.folder, fault, needed, injection=1)
        assert not fault.took_effect(stack, needed), "looking has hurt"

    def heal_unhurt(self, stack: Stack) -> None:
        pending = self.pending()
        self.fault().heal(stack, pending.undo)
        assert not self.fault().took_effect(stack, pending.undo), "healing has hurt"

    def hurt(self, stack: Stack) -> None:
        """Killed right after it."""
        try:
            self.fault().inject(stack, self.pending().undo)
        except Unable as unable:
            self.not_here(stack, unable)

    def heal(self, stack: Stack) -> None:
        """Somebody else proves that it bites, and heals."""
        if self.has(NOT_HERE) and not undo.pending(self.folder):
            return
        pending = self.pending()
        fault = pending.known()
        proof = fault.took_effect(stack, pending.undo)
        assert bool(proof) == (fault.name != "noop" and not self.has(NOT_HERE)), proof or "it does not bite"
        self.write(PROOF, proof)
        print(proof)
        hurt = fault.still_hurt(stack, pending.undo)
        assert bool(hurt) == bool(proof), hurt or "nobody sees that it is hurt"
        back = AT_ONCE if fault.name in STAYS else BACK
        for _ in range(2):
            fault.heal(stack, pending.undo)
            bites = wait.poll(partial(healed_proof, fault, stack, pending.undo), within=AT_ONCE, enough=operator.not_)
            assert fault.name in STAYS or not bites, "it still bites"
            hurt = wait.poll(partial(looked, fault, stack, pending.undo), within=back, enough=operator.not_)
            assert bool(hurt) == (fault.name in STAYS), hurt or "what nobody has recovered is said to be healed"
        undo.healed(pending.path)

    def steady(self, stack: Stack) -> None:
        recorder = Memory()
        trials = Trials(ClientModule(Path(__file__).parents[2], "drills.client"), f"contract/{new_id()}", recorder)
        assert steady(stack, recorder, trials, moment="after"), recorder.facts[-1]

    def not_here(self, stack: Stack, unable: Unable) -> None:
        """Only what this machine may lack, and with words."""
        fault = self.fault().name
        assert fault in MAY_LACK or (fault in NO_NETWORK and getattr(stack, "level", "") == "loopback"), unable
        assert unable.message and unable.hint
        self.write(NOT_HERE, f"{unable.message} ({unable.hint})")

    def fault(self) -> Fault:
        """With the settings that the first look chose."""
        zone, other = (self.folder / ZONES).read_text().split()[:2]
        return (CASES | OF_REGIONS)[self.name](zone, other)

    def pending(self) -> undo.Pending:
        """As it lies on disk."""
        (found,) = undo.pending(self.folder)
        fault = self.fault()
        assert found.known() == fault
        return found

    def has(self, file: str) -> bool:
        return (self.folder / file).exists()

    def write(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text)


def healed_proof(fault: Fault, stack: Stack, needed: dict[str, object]) -> str:
    """What is healed may have another version than before, but nothing that is damaged."""
    if isinstance(fault, DamageStoredObject):
        damaged = [
            one for backup in need(stack, BaseBackups).backups() for one in need(stack, BaseBackups).check(backup)
        ]
        return ", ".join(one.key for one in damaged)
    return fault.took_effect(stack, needed)


def looked(fault: Fault, stack: Stack, needed: dict[str, object]) -> str:
    """What is still hurt, or why nobody can look yet."""
    try:
        return fault.still_hurt(stack, needed)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    Case(sys.argv[1], Path(sys.argv[2])).keep()
