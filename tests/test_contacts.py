"""Contacts: what is wrong with the file is one error with its lines, and no address is where it must not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import plan
from harness.communications import contacts
from harness.communications.contacts import Contacts
from harness.errors import Refused
from harness.evidence.redact import Redactor
from tests.test_house import HOME

OURS = HOME / "contacts.yaml"
SMALL = """format: 1
people:
  - role: pilot
    deputy: mate
    channels:
      slack: U0PILOT0001
      phone: +49 30 1234567
  - role: mate
    channels:
      e-mail: mate@example.com
groups:
  - name: passengers
    channels:
      e-mail: list@example.com
      status page: https://status.example.com
"""
MATES = "    channels:\n      e-mail: mate@example.com\n"


def loaded(folder: Path, text: str = SMALL) -> Contacts:
    file = folder / "contacts.yaml"
    file.write_text(text)
    return contacts.load(file)


def test_a_channel_finds_the_address_that_it_takes(tmp_path: Path) -> None:
    """The bridge calls by telephone; who has no address for a channel has an empty one."""
    found = loaded(tmp_path)
    pilot = found.whom("pilot")
    assert pilot and pilot.deputy == "mate" and pilot.address("bridge") == pilot.address("phone") == "+49 30 1234567"
    assert pilot.address("slack") == "U0PILOT0001" and pilot.address("teams") == ""
    assert found.whom("passengers") is found.groups["passengers"] and found.whom("cook") is None
    assert "1234567" not in repr(found) and "PILOT0001" not in repr(found)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (MATES, "    channels: {}\n", '9: people[2].channels: "mate" has no channel'),
        (MATES, "", "8: people[2].channels: is missing"),
        ("role: mate", "role: pilot", 'people[2].role: "pilot" is there already'),
        ("name: passengers", "name: mate", 'groups[1].name: "mate" is there already'),
        ("deputy: mate", "deputy: mat", '4: people[1].deputy: there is no role "mat"'),
        ("deputy: mate", "deputy: pilot", "people[1].deputy: goes in a circle: pilot → pilot"),
        ("role: mate\n", "role: mate\n    deputy: pilot\n", "people[1].deputy: goes in a circle: pilot → mate → pilot"),
        ("mate@example.com", "mate at example", "10: people[2].channels.e-mail: is no address for e-mail"),
        ("mate@example.com", '"a@example.com, b@example.com"', "people[2].channels.e-mail: is no address"),
        ("mate@example.com", '"mate@example.com\\nBcc: x@example.com"', "people[2].channels.e-mail: is no address"),
        ("U0PILOT0001", "Pilot", "people[1].channels.slack: is no address for slack"),
        ("U0PILOT0001", '"@ada"', "people[1].channels.slack: has less than 6 letters"),
        ("+49 30 1234567", "030 1234567", "people[1].channels.phone: is no address for phone"),
        ("https://status.example.com", "status.example.com", "groups[1].channels.status page: is no address"),
        ("      slack:", "      slak:", "people[1].channels.slak: is not a field of contacts"),
        ("  - role: mate", "  - rolle: mate", "people[2].rolle: is not a field of contacts"),
        ("format: 1", "format: 2", 'format: is the text "2", where "1" belongs'),
        ("people:", "persons:", "people: is missing"),
        ("      slack: U0PILOT0001", "      slack: [U0PILOT0001]", "people[1].channels.slack: is a list, where text"),
        ("format: 1", "format: 1\n\t", "is not YAML"),
    ],
)  # fmt: skip  # a table
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    """The line and the field, and what to do; an address is not repeated."""
    assert SMALL.count(old) == 1
    with pytest.raises(Refused) as caught:
        loaded(tmp_path, SMALL.replace(old, new))
    assert f"{tmp_path}/contacts.yaml:" in caught.value.message and says in caught.value.message
    assert caught.value.hint and "mate@" not in str(caught.value) and "1234567" not in caught.value.message


def test_there_is_nothing_where_no_file_is(tmp_path: Path) -> None:
    """One error, and no traceback."""
    with pytest.raises(Refused, match="there is no such file"):
        contacts.load(tmp_path / "contacts.yaml")


def test_whom_the_plan_tells_can_be_told() -> None:
    """By each channel that the plan names; ours can."""
    planned = plan.load(HOME / "drills" / "plan.yaml").communication
    contacts.must_reach(contacts.load(OURS), planned)


@pytest.mark.parametrize(
    ("old", "new"), [("conference bridge", "other bridge"), ("      phone: +1-555-0199", "      slack: U0BRIDGE001")]
)
def test_a_bridge_of_no_number_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """People would be called to nothing."""
    planned = plan.load(HOME / "drills" / "plan.yaml").communication
    with pytest.raises(Refused, match="conference bridge has no phone, and the plan calls people to it"):
        contacts.must_reach(loaded(tmp_path, OURS.read_text().replace(old, new)), planned)


@pytest.mark.parametrize(
    ("pager", "sound"), [("incident", False), ("a1", False), ("0123456789abcdef", True), ("mira@example.com", True)]
)
def test_an_ordinary_word_is_no_address_of_a_pager(pager: str, sound: bool) -> None:
    """It would be blotted out wherever a pack says it."""
    assert contacts.ADDRESSES["pager"][0](pager) is sound


def test_whom_the_plan_tells_and_nobody_can_is_told_at_once(tmp_path: Path) -> None:
    """All of them in one error, each with what is lacking, and none with an address."""
    planned = plan.load(HOME / "drills" / "plan.yaml").communication
    roles = "\n".join(f"  - role: {role}\n    channels: {{slack: U0000000000}}" for role in planned.roles[1:])
    with pytest.raises(Refused) as caught:
        contacts.must_reach(loaded(tmp_path, f"format: 1\npeople:\n{roles}\n"), planned)
    said = caught.value.message
    assert "there is no incident commander, whom the plan tells" in said
    assert "technical lead has no phone, by which the plan tells it" in said
    assert "there is no customers" in said and "U0000000000" not in said


def test_no_address_gets_past_the_redactor() -> None:
    """In whatever way it is written: as it stands, in small letters, a number without its hyphens."""
    words = contacts.private_words(contacts.load(OURS))
    redactor = Redactor(words)
    for word in [*words, "+15550101", "+1 555 0101", "platform-lead@quantumnest.com", "<@U0PLATFORM1>"]:
        assert word not in redactor.text(f"550 5.1.1 <{word}> is unknown", personal=False)
    assert len(words) > 15


def test_nothing_of_it_is_in_what_a_pack_has() -> None:
    """The plan and the features, which are copied whole, have no address of ours."""
    copied = [HOME / "drills" / "plan.yaml", *(HOME / "features").glob("*/*.feature")]
    text = "\n".join(path.read_text() for path in copied)
    assert not [word for word in contacts.private_words(contacts.load(OURS)) if word in text]
