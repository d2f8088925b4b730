"""Each channel against what stands in for its service: what arrives, and what is made of every way to fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from harness.communications import channels as channels_
from harness.communications.channels import NotSent, Receipt
from harness.communications.channels.bridge import Bridge
from harness.communications.channels.mail import Login, Mail
from harness.communications.channels.slack import Slack
from harness.communications.channels.status_page import page
from harness.communications.channels.teams import Teams
from harness.communications.channels.webhook import Pager, event
from harness.communications.message import FIRST_LINE, MARK, Kind, Message
from harness.errors import Refused
from harness.stacks.parts.receivers.control import MODES
from harness.system import wait
from harness.system.http import Canned, Response
from tests.receivers import SHORT, Receivers

SOON = timedelta(seconds=5)
ADDRESSES = {
    "slack": "U0MIRA12345", "teams": "mira@example.com", "pager": "0123456789abcdef", "e-mail": "mira@example.com",
    "bridge": "+49 30 1234567", "status page": "https://status.example.com",
}  # fmt: skip  # a table
ASKED = [name for name in ADDRESSES if name not in ("bridge", "status page")]
TEXT = "The <b>database</b> of zone a is gone.\nSince: 10:02\n\nCome & see *this*."
SHOUT = Message.of("call-out", "technical lead", "Category 1: <script>", TEXT, urgency="high", template="call-out.txt")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    made = Receivers(tmp_path_factory.mktemp("receivers"))
    yield made
    made.stop()


@pytest.fixture
def receivers(shared: Receivers) -> Receivers:
    shared.behave()
    return shared


def failed(receivers: Receivers, name: str, within: timedelta = SOON) -> NotSent:
    with pytest.raises(NotSent) as caught:
        receivers.channels(within)[name].send(SHOUT, ADDRESSES[name])
    assert ADDRESSES[name] not in caught.value.why or name == "e-mail"
    return caught.value


@pytest.mark.parametrize("name", ADDRESSES)
def test_what_arrives_says_exercise_first_and_is_what_was_said(receivers: Receivers, name: str) -> None:
    """In subject and first line, whatever the channel; and it is told that it is simulated."""
    before = len(receivers.came_in(name))
    channel = receivers.channels()[name]
    receipt = channel.send(SHOUT, ADDRESSES[name])
    assert receipt.channel == channel.name == name and not channel.real
    if name == "status page":
        written = (receivers.folder / "status.html").read_text()
        assert f"<h2>{MARK}: Category 1: &lt;script&gt;</h2>" in written and f"<p>{FIRST_LINE}" in written
        assert "<script" not in written and channel.acknowledged(receipt) is None
        return
    (line,) = receivers.came_in(name)[before:]
    assert line["subject"] == SHOUT.subject and str(line["first"]).replace("\\", "") == FIRST_LINE
    assert line["token"] == receipt.token
    assert list(receivers.folder.glob(f"{line['file']}.*"))


@pytest.mark.parametrize("name", ASKED)
def test_whoever_acknowledges_is_known_with_the_moment(receivers: Receivers, name: str) -> None:
    """After the time that the stand-in takes, and not before; who has no such time never does."""
    channel = receivers.channels()[name]
    receipt = channel.send(SHOUT, ADDRESSES[name])
    assert channel.acknowledged(receipt) is None
    receivers.behave(people={ADDRESSES[name]: timedelta(seconds=1)})
    receipt = channel.send(SHOUT, ADDRESSES[name])
    sent = channels_.clock.mono()
    assert channel.acknowledged(receipt) is None
    seen = wait.poll(lambda: channel.acknowledged(receipt), within=SOON)
    assert seen is not None and 0 < (seen.latest - sent) / 1e6 <= 1000


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("mode", ["refuses", "defers"])
def test_what_is_refused_is_refused_for_good_or_for_now(receivers: Receivers, name: str, mode: str) -> None:
    """The service's own words are kept; nothing is left that could be acknowledged."""
    receivers.behave({name: mode})
    error = failed(receivers, name)
    assert error.again == (mode == "defers") and not error.unknown and error.status and error.why


@pytest.mark.parametrize("name", ASKED)
def test_too_much_says_when_to_come_again(receivers: Receivers, name: str) -> None:
    """By `Retry-After`, and in words; the first one is taken."""
    receivers.behave({name: "rate-limited"})
    wait.poll(lambda: _taken(receivers, name), within=SOON)
    error = failed(receivers, name)
    assert error.again and not error.unknown
    assert error.status == (450 if name == "e-mail" else 429)
    assert error.after == (None if name == "e-mail" else timedelta(seconds=2))


def _taken(receivers: Receivers, name: str) -> bool:
    try:
        receivers.channels()[name].send(SHOUT, ADDRESSES[name])
    except NotSent:
        return False
    return True


@pytest.mark.parametrize("name", [name for name in ASKED if "html" in MODES[name]])
def test_a_page_for_people_is_no_good_answer(receivers: Receivers, name: str) -> None:
    """A proxy says 200, and nobody has the message."""
    receivers.behave({name: "html"})
    error = failed(receivers, name)
    assert "an HTML page, which the service does not send" in error.why and not error.again and not error.unknown


@pytest.mark.parametrize("name", ASKED)
def test_who_never_answers_leaves_it_open_once_the_message_was_under_way(receivers: Receivers, name: str) -> None:
    """Nothing is known where a request went out; a mail server that says nothing has not had the mail."""
    receivers.behave({name: "hangs"})
    error = failed(receivers, name, SHORT)
    assert error.unknown == (name != "e-mail") and error.again == (name == "e-mail")
    assert error.receipt is None or error.receipt.token


@pytest.mark.parametrize("name", ASKED)
def test_a_closed_port_is_tried_again_and_opens_again(receivers: Receivers, name: str) -> None:
    """Nothing was sent: that is known."""
    receivers.behave({name: "down"})
    wait.poll(lambda: not _taken(receivers, name), within=SOON)
    error = failed(receivers, name)
    assert error.again and not error.unknown and error.status is None
    receivers.behave()
    assert wait.poll(lambda: _taken(receivers, name), within=SOON)


@pytest.mark.parametrize("name", ASKED)
def test_what_is_lost_looks_as_if_it_was_taken(receivers: Receivers, name: str) -> None:
    """Only the index knows: it has a line without a file."""
    receivers.behave({name: "loses"}, otherwise=timedelta())
    channel = receivers.channels()[name]
    receipt = channel.send(SHOUT, ADDRESSES[name])
    assert receivers.came_in(name)[-1]["file"] == "" and channel.acknowledged(receipt) is None


def test_what_is_only_told_has_no_link_to_acknowledge(receivers: Receivers) -> None:
    """Customers are asked for nothing; the mail is known again by its Message-ID."""
    told = Message.of("initial", "customers", "Disruption", "It is down.")
    receipt = receivers.channels()["e-mail"].send(told, "list@example.com")
    line = receivers.came_in("e-mail")[-1]
    assert line["token"] == receipt.token
    kept = (receivers.folder / f"{line['file']}.html").read_text()
    assert "acknowledge" not in kept.lower() and kept.count("<p>") == 2


def test_a_mail_has_both_texts_and_no_markup_of_a_message(receivers: Receivers) -> None:
    """The HTML is for people to look at, in a file of its own."""
    receivers.channels()["e-mail"].send(SHOUT, ADDRESSES["e-mail"])
    name = receivers.folder / str(receivers.came_in("e-mail")[-1]["file"])
    html, plain = name.with_suffix(".html").read_text(), name.with_suffix(".txt").read_text()
    assert "&lt;b&gt;database&lt;/b&gt;" in html and "<b>" not in html and '">Acknowledge</a>' in html
    assert plain.splitlines()[:4] == [FIRST_LINE, "", *TEXT.splitlines()[:2]]
    assert "Auto-Submitted: auto-generated" in name.with_suffix(".eml").read_text()


@pytest.mark.parametrize(
    "made",
    [
        lambda: Slack("https://hooks.slack.com/services/T/B/secret"),
        lambda: Teams("https://example.com/x"),
        lambda: Pager("https://events.pagerduty.com/v2/enqueue"),
        lambda: Mail("mail.example.com", 25, "drills@example.com"),
        lambda: Mail("10.0.0.25", 25, "drills@example.com"),  # a relay of the company's
        lambda: Slack("http://10.0.0.9/x", own=("10.0.0.8",)),
    ],
)
def test_what_is_not_real_cannot_leave_this_machine(made: Any) -> None:
    """Without `real`, only this machine and the addresses that are the stack's own are sent to."""
    assert Slack("http://10.0.0.9/x", own=("10.0.0.9",)) and Slack("http://[::1]:80/x")
    with pytest.raises(Refused, match="a channel that is not real would leave this machine"):
        made()


def test_what_is_real_may_and_no_secret_is_in_its_words() -> None:
    """The address of a webhook is a secret, and so is a key."""
    url = "https://hooks.slack.com/services/T/B/secret"
    assert Slack(url, real=True).real
    made = [Slack(url, real=True), Teams(url, real=True), Pager(url, key="secret", real=True)]
    assert "secret" not in repr([*made, Login("ada", "secret")])


@pytest.mark.parametrize(
    ("answer", "again", "after", "unknown"),
    [
        (Response(200, b"okay"), False, None, False),
        (Response(404, b"no_service"), False, None, False),
        (Response(410, b"channel_is_archived"), False, None, False),
        (Response(500, b"rollup_error"), True, None, False),
        (Response(504, b""), False, None, True),
        (Response(429, b"", {"retry-after": "30"}), True, timedelta(seconds=30), False),
        (Response(429, b"", {"retry-after": "soon"}), True, None, False),
        (Response(429, b"", {"retry-after": "-1"}), True, None, False),
        (Response(429, b"", {"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}), True, timedelta(), False),
        (Response(200, b"\xff\xfe<html>"), False, None, False),
    ],
)
def test_each_answer_means_something(answer: Response, again: bool, after: timedelta | None, unknown: bool) -> None:
    """For good, for now, after which time, or unknown: a proxy's 504 says nothing of what stands behind it."""
    with pytest.raises(NotSent) as caught:
        Slack("http://127.0.0.1:1/x", http=Canned(answer)).send(SHOUT, "@mira.k")
    error = caught.value
    assert (error.again, error.after, error.unknown, error.status) == (again, after, unknown, answer.status)


def test_a_card_that_is_too_large_is_never_sent() -> None:
    """Teams would refuse it; nothing leaves."""
    long = Message.of("update", "technical lead", "Update", "é\n" * 9_000)
    with pytest.raises(NotSent, match=r"the card has [0-9]+ bytes, and may have 28000"):
        Teams("http://127.0.0.1:1/x", http=Canned(None)).send(long, "mira@example.com")


def test_opsgenie_is_told_by_its_own_webhook(receivers: Receivers) -> None:
    """With the integration's key; without one it is refused."""
    url = receivers.url("pager") + "/v2/alerts"
    page = channels_.AtPage(receivers.url("page"))
    receipt = Pager(url, "opsgenie", key="0123456789", acknowledgements=page).send(SHOUT, "mira@example.com")
    assert receipt.status == 202 and receivers.came_in("pager")[-1]["token"] == receipt.token
    body = Pager(url, "opsgenie", key="")
    assert body.send(SHOUT, "mira@example.com").status == 202
    with pytest.raises(NotSent, match="HTTP 404"):
        Pager(receivers.url("pager") + "/v1", "opsgenie", key="0123456789").send(SHOUT, "mira@example.com")


def test_one_message_to_one_person_is_one_alert() -> None:
    """However often it is told, its key is the same; to another person it is another."""
    other = Message.of("call-out", "security officer", "Category 1: <script>", TEXT)
    keys = [event(message, "key", "")["dedup_key"] for message in (SHOUT, SHOUT, other)]
    assert keys[0] == keys[1] != keys[2] and len(keys[0]) == 64


def test_a_password_is_told_to_no_server_without_tls(receivers: Receivers) -> None:
    """The simulated one offers none."""
    mail = Mail(
        "127.0.0.1", receivers.ports["e-mail"], "drills@example.com", login=Login("ada", "secret"), within=SHORT
    )
    with pytest.raises(NotSent, match="no STARTTLS") as caught:
        mail.send(SHOUT, ADDRESSES["e-mail"])
    assert not caught.value.again


def test_a_subject_cannot_add_a_header(receivers: Receivers) -> None:
    """What ends a line in it is gone before any channel has it; an address that is none is not sent to."""
    sly = Message.of("update", "customers", "Hello\r\nBcc: all@example.com", "Text")
    receivers.channels()["e-mail"].send(sly, ADDRESSES["e-mail"])
    written = (receivers.folder / f"{receivers.came_in('e-mail')[-1]['file']}.eml").read_text()
    assert "\nBcc:" not in written
    with pytest.raises(NotSent) as caught:
        receivers.channels()["e-mail"].send(sly, "mira@example.com\r\nBcc: all@example.com")
    assert not caught.value.again


def test_the_bridge_is_a_task_for_a_person() -> None:
    """It says whom to call where, and is acknowledged once they have joined; what cannot be given says why."""
    tasks, joined = [], {}
    bridge = Bridge("+1-555-0199", tasks.append, joined.get)
    receipt = bridge.send(SHOUT, "+49 30 1234567")
    (task,) = tasks
    assert "Call the technical lead at +49 30 1234567, and bring them to the bridge: +1-555-0199" in task.does
    assert task.does.startswith(MARK) and "555" not in repr(task) and bridge.acknowledged(receipt) is None
    joined[receipt.token] = channels_.Moment(1, 2, "a person")
    assert bridge.acknowledged(receipt) == channels_.Moment(1, 2, "a person")

    def broken(_: object) -> None:
        raise OSError("no desk")

    with pytest.raises(NotSent, match="nobody can be asked to call: no desk"):
        Bridge("1", broken, joined.get).send(SHOUT, "+49 30 1234567")


def test_an_unknown_outcome_is_never_tried_again() -> None:
    """Whatever else an error says."""
    assert not NotSent("x", again=True, receipt=Receipt("slack")).again


def test_a_report_does_not_change_what_the_status_page_says_now() -> None:
    """It stands above all, as the newest; the state is that of the last word on the incident itself."""
    kinds: tuple[Kind, ...] = ("report", "resolution", "update")
    said = [("2026-11-23T20:55:00Z", Message.of(kind, "customers", f"the {kind}", "Text")) for kind in kinds]
    assert '<p class="now resolved"><strong>EXERCISE: the resolution<' in page("Status", said)
    assert '<p class="now"><strong>EXERCISE: the update<' in page("Status", said[2:])
    assert page("Status", said).index("<h2>EXERCISE: the report") < page("Status", said).index("<h2>EXERCISE: the res")
