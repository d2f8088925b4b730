"""What every kind of stack's own monitoring promises, for real; `-s` shows how long each alert took."""

from __future__ import annotations

from tests.contract.held import Held


def test_nothing_is_alerted_while_all_is_well(stack: Held) -> None:
    """And the stack knows that an alert would arrive."""
    played(stack, "quiet")


def test_an_alert_names_a_component_that_was_killed(stack: Held) -> None:
    """It comes within seconds, names nothing else, and is taken back once the component serves again."""
    assert "api-a after" in played(stack, "kill")


def test_an_alert_names_a_zone_that_was_cut(stack: Held) -> None:
    """No alert names a component of another zone."""
    assert "after" in played(stack, "cut")


def test_a_receiver_that_is_gone_is_noticed_by_the_silence_alone(stack: Held) -> None:
    """The stack is not steady then; what still fires arrives once the receiver is back."""
    played(stack, "lose_receiver")


def played(stack: Held, scene: str) -> str:
    said = stack.run("tests.contract.alerts", scene, str(stack.folder))
    print(said, end="")
    return said
