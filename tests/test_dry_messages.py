"""What a dry run shows of messages: each as it would go out, with roles for people."""

from __future__ import annotations

from harness.cli.messages import messages
from harness.communications import contacts
from harness.communications.message import MARK
from tests.this_project import PROJECT

PLAN = PROJECT.load_plan()


def shown(name: str) -> list[str]:
    """Of all scenarios of a drill."""
    drill = next(each for each in PROJECT.drills() if each.name == name)
    return messages(PROJECT, PLAN, drill.scenarios)


def test_a_dry_run_shows_every_message_and_no_address() -> None:
    """Each kind with whom it goes to and by what; all are marked, and all channels are simulated."""
    lines = shown("communications")
    subjects = [line for line in lines if "| Subject: " in line]
    assert len(subjects) == 5 and all(f"Subject: {MARK}: " in line for line in subjects)
    assert any("technical lead: by slack (simulated), after 2 min by teams (simulated)" in line for line in lines)
    assert any("customers: by e-mail (simulated) and status page (simulated)" in line for line in lines)
    assert PROJECT.contacts
    private = contacts.private_words(contacts.load(PROJECT.contacts))
    assert not [word for word in private if word in "\n".join(lines)]


def test_a_drill_that_tells_nobody_shows_none() -> None:
    """Whoever drills the network sends no message."""
    assert shown("network-failover") == []


def test_the_drill_is_marked_as_ours() -> None:
    """And no other is: the plan's document names those."""
    assert [duty.drill for duty in PLAN.calendar if duty.ours] == ["communications"]
