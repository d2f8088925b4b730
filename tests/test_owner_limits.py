"""What the owner of a platform lets a drill hurt is counted before a fault, and once more where a verb acts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import Refused
from harness.evidence.run_folder import UNHEALED
from harness.faults import LED, Fault, table
from harness.faults.cut_zone import CutZone
from harness.faults.kill_component import KillComponent
from harness.faults.kill_zone import KillZone
from harness.faults.pause_component import PauseComponent
from harness.safety import undo
from harness.safety.permission import must_permit
from harness.stacks.attached import limits
from harness.stacks.attached.gate import Gate
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Killable, Pausable
from harness.stacks.capabilities.database import FailsOver
from harness.stacks.capabilities.network import Divisible, Powered
from harness.system import control_files
from tests.test_attached import made

ALL = ["kill", "pause", "cut", "power"]
MAY = ("safety", "may")
RADIUS = ("safety", "blast radius")


def injected(folder: Path, fault: Fault, needed: dict[str, Any], name: str = "run-000") -> Path:
    """As a run writes down the undo of a fault beside the platform, before it hurts."""
    path = folder / UNHEALED / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    control_files.leave(path, {"fault": fault.name, "settings": undo.settings(fault), "undo": needed})
    return path


def test_every_fault_has_its_word_or_is_let_nowhere() -> None:
    """A fault that is new is thought about; a word that no file can say lets nothing."""
    words = set(ALL) | {"lose volumes", "destroy rows", "fill disks", "stop the database"}
    assert set(limits.WORDS.values()) <= words and set(limits.WORDS) | set(limits.HARMLESS) <= set(table.TABLE)
    nowhere = set(table.TABLE) - set(limits.WORDS) - set(limits.HARMLESS)
    assert nowhere == {"corrupt_index", "corrupt_page", "damage_stored_object", "poison_release", "reject_credentials"}
    assert limits.LED == LED


@pytest.mark.parametrize("may", [["kill"], ["cut"]])
def test_a_fault_without_its_word_is_refused(tmp_path: Path, may: list[str]) -> None:
    """With file and line, and with what its owner could add."""
    stack = made(tmp_path, (MAY, may))
    with pytest.raises(Refused, match=r'pause_component is not let.*not "pause"; nothing was hurt') as caught:
        must_permit(stack, PauseComponent("api-a"), {"component": "api-a"})
    assert "paydesk.yaml:" in caught.value.hint and caught.value.exit == 3


def test_a_file_that_says_nothing_lets_what_is_undone_whole(tmp_path: Path) -> None:
    """One component, or one zone at a time; what harms data needs its word."""
    stack = made(tmp_path, (("safety",), None))
    must_permit(stack, KillComponent(("api-a",)), {"names": ["api-a"]})
    must_permit(stack, KillZone("a"), {"zone": "a", "components": ["api-a", "db-1"]})
    with pytest.raises(Refused, match="destroy rows"):
        limits.must_be_allowed(stack.said, "destroy_recent_rows")
    with pytest.raises(Refused, match="2 components at once"):
        must_permit(stack, KillComponent(("api-a", "api-b")), {"names": ["api-a", "api-b"]})


def test_production_says_what_may_be_done(tmp_path: Path) -> None:
    """A file of production without a radius, a word, a time and a condition is refused, with each of them."""
    with pytest.raises(Refused) as caught:
        made(tmp_path, (("platform", "environment"), "production"), (("safety",), {"confirm": "typed name"}))
    assert all(word in str(caught.value) for word in ("blast radius", "may", "longest fault", "abort when"))


def test_what_is_hurt_at_one_time_counts_together(tmp_path: Path) -> None:
    """A second component is refused while the first is hurt, and let once it is healed."""
    stack = made(tmp_path)
    first = injected(tmp_path, KillComponent(("api-a",)), {"names": ["api-a"]})
    with pytest.raises(Refused, match=r"2 components at once \(api-a, db-2\): the file lets 1"):
        must_permit(stack, PauseComponent("db-2"), {"component": "db-2"})
    first.unlink()
    must_permit(stack, PauseComponent("db-2"), {"component": "db-2"})


def test_a_zone_counts_as_one_and_its_components_not_again(tmp_path: Path) -> None:
    """And a component of another zone counts beside it."""
    stack = made(tmp_path, (MAY, ALL), (RADIUS, {"components": "0", "zones": "1"}))
    must_permit(stack, CutZone("a"), {"zone": "a", "components": ["api-a", "db-1"]})
    injected(tmp_path, CutZone("a"), {"zone": "a", "components": ["api-a", "db-1"]})
    must_permit(stack, KillComponent(("db-1",)), {"names": ["db-1"]})
    with pytest.raises(Refused, match="1 components at once"):
        must_permit(stack, KillComponent(("db-2",)), {"names": ["db-2"]})
    with pytest.raises(Refused, match="2 zones at once"):
        must_permit(stack, CutZone("b"), {"zone": "b", "components": ["api-b", "db-2"]})


def test_hosts_count_where_the_file_says_both(tmp_path: Path) -> None:
    """Two components of one host are one host."""
    hosts = [(("components", name, "host"), f"vm-{name[-1]}") for name in ("api-a", "api-b", "db-1", "db-2")]
    stack = made(tmp_path, *hosts, (RADIUS, {"components": "2", "hosts": "1"}))
    with pytest.raises(Refused, match="2 hosts at once"):
        must_permit(stack, KillComponent(("api-a", "api-b")), {"names": ["api-a", "api-b"]})
    must_permit(stack, KillComponent(("api-a",)), {"names": ["api-a"]})


def test_who_led_is_not_hurt(tmp_path: Path) -> None:
    """What a fault wrote down of the leader does not count for it."""
    must_permit(made(tmp_path), PauseComponent("db-2"), {"component": "db-2", LED: "db-1"})


def test_no_verb_hurts_without_a_fault_that_is_written_down(tmp_path: Path) -> None:
    """Whoever calls it, in whatever process: nothing is even asked of the engine."""
    parts = made(tmp_path, (MAY, ALL))
    for act in (
        need(parts.components()["api-a"], Killable).kill,
        need(parts.components()["api-b"], Pausable).pause,
        lambda: need(parts, Divisible).cut("a"),
        lambda: need(parts, Powered).cut_power("a"),
    ):
        with pytest.raises(Refused, match="no fault that is written down reaches it; nothing was hurt"):
            act()


def test_whoever_heals_widens_nothing(tmp_path: Path) -> None:
    """An undo that was edited lets no more than the limits, and a fault none of what it does not name."""
    stack = made(tmp_path)
    injected(tmp_path, KillComponent(("api-a",)), {"names": ["api-a"]})
    with pytest.raises(Refused, match="kill db-2: no fault"):
        stack.gate.must_let("kill", ["db-2"])
    stack.gate.must_let("kill", ["api-a"])
    injected(tmp_path, KillComponent(("api-a",)), {"names": ["api-a", "db-2"]})
    with pytest.raises(Refused, match="2 components at once"):
        stack.gate.must_let("kill", ["db-2"])
    injected(tmp_path, KillComponent(("entrance",)), {"names": ["entrance"]})
    with pytest.raises(Refused, match="never to be hurt"):
        stack.gate.must_let("kill", ["entrance"])


def test_an_undo_that_cannot_be_read_lets_nothing(tmp_path: Path) -> None:
    """Nobody knows what it has hurt."""
    stack = made(tmp_path)
    injected(tmp_path, KillComponent(("api-a",)), {"names": ["api-a"]})
    (tmp_path / UNHEALED / "run-001.json").write_text("{")
    with pytest.raises(Refused, match="None is let on no platform"):
        stack.gate.must_let("kill", ["api-a"])


def test_a_failover_is_a_recovery_or_has_its_word(tmp_path: Path) -> None:
    """Without a fault that has reached a database server it is not let."""
    stack = made(tmp_path)
    gate: Gate = stack.gate
    with pytest.raises(Refused, match='not "fail over"'):
        gate.must_let_fail_over(["db-1", "db-2"])
    injected(tmp_path, KillComponent(("db-1",)), {"names": ["db-1"]})
    gate.must_let_fail_over(["db-1", "db-2"])
    assert need(stack, FailsOver)
    made(tmp_path, (MAY, ["kill", "fail over"])).gate.must_let_fail_over(["db-9"])
