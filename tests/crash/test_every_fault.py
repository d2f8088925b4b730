"""SIGKILL to a run right after a fault was injected, for every fault: nothing of it is left, and the pack says so."""

from __future__ import annotations

from tests.contract.faults import CASES, MAY_LACK, NO_NETWORK, STAYS
from tests.crash.victim import Folder, Victim

VARIANTS = [case for case in CASES if case != "noop"]
INJECTED = "line/fault.effective/1/after"
KILLED = 128 + 9


def test_every_fault(folder: Folder, variant: str) -> None:
    """The guardian heals where the stack stands, looks, removes it, and seals: no process, no file, no cut, no lost
    power; a fault that this machine cannot have leaves a run that ended by itself, and in which nothing is MET."""
    victim = Victim.start(folder, [(INJECTED, "kill")], instead=variant)
    code = victim.wait_ended()
    victim.wait_healed()
    victim.must_have_left_nothing()
    fault = variant.split(maxsplit=1)[0]
    if not victim.mark.exists():
        assert code != KILLED, victim.out[-3000:]
        assert fault in MAY_LACK or (fault in NO_NETWORK and folder.level == "loopback"), victim.out[-3000:]
        victim.must_be_sealed("completed")
        assert "fault.intent" in {line.kind for line in victim.lines()}, victim.out[-3000:]
        assert set(victim.findings()["verdicts"].values()) == {"UNKNOWN"}
        return
    assert code == KILLED, victim.out[-3000:]
    victim.must_be_sealed("killed")
    lines = victim.lines()
    assert [line.data["fault"] for line in lines if line.kind == "fault.effective" and line.data["ok"]] == [fault]
    (healed,) = (line.data for line in lines if line.kind == "fault.healed")
    outlives = folder.level == "loopback"  # there the stack does not die with its sandbox, and can be healed
    how = "healed" if outlives and fault not in STAYS else "removal"
    assert (healed["fault"], healed["how"]) == (fault, how), healed
