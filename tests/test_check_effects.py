"""What a journal says of its faults has to fit: otherwise nothing is judged, whatever the figures are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.checks import Outcome
from harness.checks.effects import contradictory
from harness.checks.judge import judge
from tests.histories import History, ns
from tests.zone_cuts import BIT, HELD, a_zone_cut

Data = dict[str, Any]


def with_line(kind: str, change: Callable[[Data], object]) -> History:
    """A zone cut, of which the lines of a kind say something else."""
    history = a_zone_cut()
    history.journal()  # numbers and moments are in the lines from here on
    for _, name, data in history.lines:
        if name == kind:
            change(data)
    return history


def second_fault(**intent: Any) -> History:
    history = a_zone_cut()
    history.say(80, "fault.intent", fault="kill_component", affects=[], harms_data=False, **intent)
    return history


def test_a_sound_history_has_nothing_that_cannot_be() -> None:
    """Several faults, too."""
    history = second_fault()
    history.say(80.1, "fault.effective", fault="kill_component", ok=True, proof="gone")
    assert contradictory(a_zone_cut().evidence()) == contradictory(history.evidence()) == ""


ODD: list[tuple[str, Callable[[], History], str]] = [
    ("one number for two faults", lambda: second_fault(injection=1), "it is number 2 of the scenario"),
    ("no number", lambda: with_line("fault.intent", lambda data: data.update(injection=None)), "injection None"),
    ("a number that is none", lambda: with_line("fault.intent", lambda data: data.update(injection=True)), "True"),
    ("of nobody", lambda: with_line("fault.effective", lambda data: data.update(injection=7)), "nobody has ordered"),
    ("of another", lambda: with_line("fault.effective", lambda data: data.update(fault="noop")), "another fault"),
    ("before its order", lambda: with_line("fault.effective", lambda data: data.update(earliest=ns(1))), "ordered"),
    ("after its line", lambda: with_line("fault.effective", lambda data: data.update(latest=ns(99))), "does not say"),
    ("healed in no order", lambda: with_line("fault.healed", lambda data: data.update(latest=ns(1))), "does not say"),
    ("healed while active", lambda: with_line("fault.healed", lambda data: data.update(earliest=ns(HELD - 1))), "seen"),
    ("told in advance", lambda: with_line("alert", lambda data: data.update(received=ns(99))), "was written down at"),
]


@pytest.mark.parametrize(("made", "said"), [each[1:] for each in ODD], ids=[each[0] for each in ODD])
def test_what_cannot_be_leaves_everything_unknown(made: Callable[[], History], said: str) -> None:
    """With the line, and what is wrong with it."""
    history = made()
    assert said in contradictory(history.evidence())
    assert {each.outcome for each in judge(history.evidence()) if not each.advisory} == {Outcome.UNKNOWN}


def test_a_fault_takes_effect_once() -> None:
    """Two proofs with other moments are one too many."""
    history = a_zone_cut()
    history.say(BIT + 0.1, "fault.effective", fault="cut_zone", ok=True, proof="again")
    assert "once more" in contradictory(history.evidence())


def test_after_a_kill_the_moments_may_be_of_another_boot() -> None:
    """Whoever heals then has another clock."""
    history = a_zone_cut()
    history.drop("fault.healed")
    history.say(97, "resumed", boot="another")
    history.say(98, "fault.healed", fault="cut_zone", ok=True, by="drdrill heal", seen="removed", earliest=3, latest=4)
    assert contradictory(history.evidence()) == ""
