"""Templates: what a message may be made of, and what is refused before a drill begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness import plan
from harness.communications import contacts, templates
from harness.communications.message import FIRST_LINE, LONGEST, LONGEST_SUBJECT, MARK, Message
from harness.communications.preview import preview
from harness.communications.templates import Template
from harness.errors import Refused
from tests.test_house import HOME

OURS = HOME / "drills" / "templates"


def written(folder: Path, text: str) -> Template:
    file = folder / "initial.txt"
    file.write_text(text)
    return templates.load(file)


def test_fields_are_filled_and_nothing_else_is_touched(tmp_path: Path) -> None:
    """A value that looks like a template is text, and so is markup."""
    made = written(
        tmp_path,
        "Subject: {{ what }} is down\n\n{{ what }} since {{ since|upper }}{% if more %}: {{ more }}{% endif %}.\n",
    )
    assert made.fields == {"what": 1, "since": 3, "more": 3}
    subject, text = made.filled({"what": "{{ 7 * 7 }}", "since": "ten", "more": "<b>", "unused": "x"})
    assert subject == "{{ 7 * 7 }} is down" and text.strip() == "{{ 7 * 7 }} since TEN: <b>."


def test_a_field_that_nothing_fills_is_refused_with_its_line(tmp_path: Path) -> None:
    """All of them, and what there is."""
    made = written(tmp_path, "Subject: Down\n\n{{ what }}\n\n{{ since }}\n")
    with pytest.raises(Refused) as caught:
        templates.must_be_fillable(made, {"whatever"})
    assert f"{made.path}:3: nothing fills what; {made.path}:5: nothing fills since" in caught.value.message
    assert caught.value.hint == "what there is to fill in: whatever"
    with pytest.raises(Refused, match="nothing fills since"):
        made.filled({"what": "x"})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{% for each in range(1000000) %}x{% endfor %}", "3: loops, which a template may not"),
        ("\n{% for each in what %}x{% endfor %}", "4: loops"),
        ("{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}", "3: has Macro"),
        ("{% include 'initial.txt' %}", "3: has Include"),
        ("{% import 'initial.txt' as x %}", "3: has Import"),
        ("{% extends 'initial.txt' %}", "3: has Extends"),
        ("{% set x = 1 %}", "3: has Assign"),
        ("{{ 'x' * 1000000000 }}", "3: has Mul"),
        ("{{ what.__class__ }}", "3: has Getattr"),
        ("{{ what['__class__'] }}", "3: has Getitem"),
        ("{{ lipsum(1000) }}", "3: has Call"),
        ("{{ what|center(100000) }}", "3: has the filter center"),
        ("{{ what", "3: unexpected end"),
        ("{% if what %}", "3: Unexpected end of template"),
        ("{{ what|nonsense }}", "3: has the filter nonsense"),
        ("{{ what|upper(1, 2) }}", "3: gives the filter upper something"),
        ("\n{{ what|title(1) }}", "4: gives the filter title something"),
        ("{{ what|trim(*what) }}", "3: gives the filter trim something"),
        ("{{ what|trim(**what) }}", "3: gives the filter trim something"),
        ("{{ self }}", "3: self is no field"),
        ("{{ none }}", "3: has None, which is no text"),
        ("{% if what == 1 %}x{% endif %}", "3: has 1, which is no text"),
        ("{{ what == 'x' }}", "3: has what is true or false in the place of a text"),
        ("{% if (what == 'x') < 'y' %}x{% endif %}", "3: has what is true or false"),
        ("{{ what if what }}", "3: has an if without an else"),
        ("{% raw %}{{ what }}{% endraw %}", "3: a brace would be left in the text"),
        ("what }}", "3: a brace would be left in the text"),
        ("x\n{{ what }}\n\n{ what }", "6: a brace would be left in the text"),
        ("{% if " + "what and " * 2000 + "what %}x{% endif %}", "3: is nested too deeply"),
        ("{{ what" + "|upper" * 2500 + " }}", "3: is nested too deeply"),
        ("{{ " + "(" * 5000 + "what" + ")" * 5000 + " }}", "2: is nested too deeply"),
        ("{{ " + "9" * 5000 + " }}", "2: cannot be read"),
    ],
)
def test_what_could_do_more_than_fill_is_refused_with_its_line(tmp_path: Path, body: str, says: str) -> None:
    """Loops, calls, other files, and what makes a short template long."""
    with pytest.raises(Refused) as caught:
        written(tmp_path, f"Subject: Down\n\n{body}")
    assert f"{tmp_path}/initial.txt:{says}" in caught.value.message and caught.value.hint


def test_a_field_may_be_compared_with_a_text(tmp_path: Path) -> None:
    """In an `if` of either kind, and with others beside it."""
    body = '{% if number == "1" and not more %}First{% else %}Next{% endif %}{{ ", more" if more != "" else "." }}'
    made = written(tmp_path, f"Subject: Down\n\n{body}")
    assert made.fields == {"number": 3, "more": 3}
    assert made.filled({"number": "1", "more": ""})[1].strip() == "First."
    assert made.filled({"number": "2", "more": "x"})[1].strip() == "Next, more"


def test_what_is_no_file_of_the_folder_is_not_read(tmp_path: Path) -> None:
    """A pipe would never end, and a link leads to what is nobody's business."""
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "device.txt").symlink_to("/dev/zero")
    (tmp_path / "link.txt").symlink_to(HOME / "drills" / "templates" / "initial.txt")
    (tmp_path / "self.txt").symlink_to("self.txt")
    for name, says in (
        ("pipe.txt", "is no file"), ("device.txt", "leads out of its folder"), ("link.txt", "leads out of its folder"),
        ("self.txt", "cannot be read"),
    ):  # fmt: skip  # a table
        with pytest.raises(Refused, match=says):
            templates.load_all(tmp_path, {"initial": name}, where="plan.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Down\n\nIt is.", "1: the first line is no subject"),
        ("Subject:\n\nIt is.", "1: the first line is no subject"),
        ("Subject: Down\n\n  \n", "2: there is no text below the subject"),
        ("", "1: the first line is no subject"),
        ("Subject: x\n\n" + "x" * 20_001, ": is larger than 20000 bytes"),
    ],
)
def test_a_file_that_is_no_message_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """Subject first, then the text, and no more than a page."""
    with pytest.raises(Refused) as caught:
        written(tmp_path, text)
    assert says in caught.value.message


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    """By its name; and a name that leads elsewhere is none."""
    with pytest.raises(Refused, match="cannot be read: No such file"):
        templates.load(tmp_path / "update.txt")
    (tmp_path / "update.txt").write_bytes(b"Subject: \xff\n\nx")
    with pytest.raises(Refused, match="is not UTF-8: byte 9"):
        templates.load(tmp_path / "update.txt")
    with pytest.raises(Refused, match=r"initial: \.\./plan\.yaml is no name of a file"):
        templates.load_all(tmp_path, {"initial": "../plan.yaml"}, where="plan.yaml")
    with pytest.raises(Refused, match="names templates, and the project has none"):
        templates.load_all(None, {"initial": "x"}, where="plan.yaml")
    assert templates.load_all(None, {}, where="plan.yaml") == {}


def test_what_would_come_out_too_long_is_shortened(tmp_path: Path) -> None:
    """A field may hold whatever a drill saw, and nothing is refused after the fault."""
    made = written(
        tmp_path, "Subject: {{ what }} {{ what }} {{ what }} is down\n\n" + "{{ what|upper }}\n" * 20 + "end"
    )
    for letter in "xß€":
        sent = made.message("update", "customers", {"what": letter * 20_001})
        assert len(sent.subject) <= LONGEST_SUBJECT and sent.subject.endswith("…") and len(sent.text) <= LONGEST
    one = written(tmp_path, "Subject: {{ what }} is down\n\n{{ what }}\n\nWe are sorry.")
    subject, text = one.filled({"what": "x" * 20_001})
    assert subject.endswith("x… is down") and text.endswith("x…\n\nWe are sorry.")


def test_every_template_of_the_plan_can_be_read_and_has_the_fields_of_the_document() -> None:
    """Status, resolution and services; time, cause and measures; and each kind has one."""
    files = plan.load(HOME / "drills" / "plan.yaml").communication.templates
    made = templates.load_all(OURS, files, where="plan.yaml")
    assert set(made) == {"call-out", "initial", "update", "resolution", "report"}
    assert {"current_status", "estimated_resolution", "affected_services"} <= set(made["initial"].fields)
    assert {"resolution_time", "root_cause", "preventive_measures"} <= set(made["resolution"].fields)
    assert sorted(path.name for path in OURS.iterdir()) == sorted(files.values())


# Messages


def test_every_message_says_exercise_and_only_production_may_leave_it_out() -> None:
    """In subject and first line, in text and HTML; with no other way around it."""
    made = Message.of("initial", "customers", "Down", "It is.")
    assert made.subject == f"{MARK}: Down" and made.text.splitlines()[0] == FIRST_LINE and made.is_marked
    assert made.html.index(FIRST_LINE.partition(" - ")[0]) < made.html.index("It is.")
    for environment in ("", "embedded", "staging", "Production"):
        with pytest.raises(Refused, match="cannot go out as a real one"):
            Message.of("initial", "customers", "Down", "It is.", exercise=False, environment=environment)
    real = Message.of("initial", "customers", "Down", "It is.", exercise=False, environment="production")
    assert (real.subject, real.text, real.is_marked) == ("Down", "It is.", False)


def test_a_message_is_told_from_others_by_what_it_says() -> None:
    """Whoever it goes to; and what a deputy gets says for whom."""
    one, other = (Message.of("call-out", whom, "Down", "It is.") for whom in ("pilot", "mate"))
    assert one.digest == other.digest != Message.of("update", "pilot", "Down", "It is.").digest
    deputy = one.for_deputy("mate")
    assert deputy.whom == "mate" and deputy.digest != one.digest and deputy.is_marked
    assert deputy.text.splitlines()[2] == "You stand in for the pilot, who has not acknowledged this."
    assert [made.wants_acknowledgement for made in (one, Message.of("update", "pilot", "x", "y"))] == [True, False]


@pytest.mark.parametrize(
    ("subject", "text", "says"),
    [("", "x", "has no subject"), ("x", " \n", "has no text"), ("x" * 151, "x", "is too long"),
     ("x", "x" * LONGEST, "is too long"), ("\x00\x1b", "x", "has no subject")],
)  # fmt: skip  # a table
def test_a_message_that_no_channel_could_send_is_none(subject: str, text: str, says: str) -> None:
    """Empty, or longer than services take."""
    with pytest.raises(Refused, match=says):
        Message.of("update", "customers", subject, text)


def test_nothing_of_a_text_is_markup_or_control() -> None:
    """It may hold what a log said."""
    made = Message.of("update", "customers", "a\r\nBcc: x", "<script>\x1b[31m\ud800&\n\nsecond")
    assert made.subject == f"{MARK}: a Bcc: x" and "\x1b" not in made.text
    assert "<script" not in made.html and "&lt;script&gt;" in made.html and made.html.count("<p>") == 3


def test_a_message_of_a_template_says_which_fields_were_filled() -> None:
    """By their names; what they hold is in the message alone."""
    made = templates.load(OURS / "initial.txt")
    filled = made.message("initial", "customers", {name: f"the {name}" for name in made.fields}, urgency="high")
    assert filled.fields == ("affected_services", "current_status", "estimated_resolution", "update_every")
    assert filled.template == "initial.txt" and filled.is_marked and "Current Status: the current_status" in filled.text


def test_every_message_is_shown_before_anything_is_sent() -> None:
    """As it would go out, with roles for people; a field that nothing fills is refused."""
    planned = plan.load(HOME / "drills" / "plan.yaml").communication
    made = templates.load_all(OURS, planned.templates, where="plan.yaml")
    fields = {name for each in made.values() for name in each.fields}
    shown = "\n".join(preview(planned, made, known={"update_every": "30 min"}, filled=fields, real=["e-mail"]))
    ways = "by slack (simulated), after 2 min by teams (simulated), after 2 min more by bridge (simulated)"
    assert f"  technical lead: {ways}\n" in shown
    assert "  customers: by e-mail and status page (simulated)" in shown
    assert "without an acknowledgement after 5 min: the deputy" in shown
    assert shown.count(f"  | Subject: {MARK}: ") == shown.count(f"  | {FIRST_LINE}") == 5
    assert "Current Status: [current_status]" in shown and "provide updates every 30 min until" in shown
    assert not [word for word in contacts.private_words(contacts.load(HOME / "contacts.yaml")) if word in shown]
    with pytest.raises(Refused, match="nothing fills current_status"):
        list(preview(planned, made, known={}, filled=fields - {"current_status"}))
