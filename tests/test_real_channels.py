"""A stack whose channels are real: what it names, who is told of it before a run, and what is sent to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.cli.messages import messages
from harness.cli.reached import by_which, said
from harness.cli.run import must_be_breakable
from harness.communications.channels import Channel
from harness.communications.channels.slack import Slack
from harness.communications.channels.status_page import StatusPage
from harness.errors import Refused, Unable
from harness.evidence.run_folder import CONTROL, STACK_FOLDER
from harness.faults.break_channel import BreakChannel
from harness.plan import Communication
from harness.run import tasks
from harness.run.decisions import Decision
from harness.run.sabotage import Sabotage
from harness.scenario.communications import Communications
from harness.stacks.capabilities.messaging import Reaching
from harness.stacks.kinds import KINDS, Kind
from harness.stacks.parts.receivers.unit import PATHS
from harness.stacks.real import kept_out, real_channels
from harness.system import wait
from harness.system.recorder import Memory
from tests.receivers import Receivers
from tests.test_communications import GROUPS, INCIDENT, LONG, PLAN, SOON, of, told
from tests.this_project import PROJECT

__all__ = ["told"]  # a fixture
ROLES = PLAN.communication.roles
ONLY_SLACK = replace(
    PLAN.communication, channels=PLAN.communication.channels[:1], groups={"customers": ("status page",)}
)


@pytest.fixture
def receivers(tmp_path: Path) -> Iterator[Receivers]:
    """What a test has in the place of the real services."""
    made = Receivers(tmp_path / "receivers")
    yield made
    made.stop()


@dataclass
class Ours:
    """A stack of one's own with real channels, and nothing that stands in for a service."""

    channels: Mapping[str, Channel]
    words: Sequence[str] = ()
    secrets: Sequence[str] = ()
    kind: str = "ours"
    regions: Sequence[Any] = field(default_factory=list)

    def real_channels(self) -> Mapping[str, Channel]:
        return self.channels

    def private(self) -> Sequence[str]:
        return self.words


def slack(receivers: Receivers, **more: Any) -> Slack:
    return Slack(receivers.url("slack") + PATHS["slack"], real=True, **more)


def made(
    stack: Any, folder: Path, *, planned: Communication = ONLY_SLACK, telling: str = "", attended: bool = False
) -> tuple[Communications, Memory]:
    """A scenario's own, with its journal."""
    journal = Memory()
    run: Any = SimpleNamespace(
        stack=stack, journal=journal, plan=replace(PLAN, communication=planned), project=PROJECT, folder=folder,
        options=SimpleNamespace(sabotage=Sabotage(telling=telling), attended=attended),
    )  # fmt: skip  # arguments in groups
    return Communications(run), journal


def test_what_is_real_is_sent_to_and_nothing_is_said_of_what_came_in(receivers: Receivers, tmp_path: Path) -> None:
    """The mark stands in every message; the journal says which channel is real, and never its address."""
    channel, page = slack(receivers), StatusPage(tmp_path / "page.html", "Status", real=True)
    stack = Ours({"slack": channel, "status page": page}, [channel.url])
    telling, journal = made(stack, tmp_path)
    telling.begin(ratio=600.0, after=SOON)
    telling.call(INCIDENT)
    telling.tell("initial", INCIDENT, groups=["customers"])
    telling.settled(within=LONG)
    telling.end()
    assert of(journal, "communications.begin")[0]["simulated"] == []
    assert of(journal, "communications.begin")[0]["real"] == ["slack", "status page"]
    assert {each["real"] for each in of(journal, "message.attempt")} == {True}
    assert of(journal, "message.received") == []
    came_in = receivers.came_in("slack")
    assert len(came_in) >= len(ROLES) and all(str(each["subject"]).startswith("EXERCISE") for each in came_in)
    assert "EXERCISE" in page.file.read_text() and channel.url not in repr(journal.facts)


def test_what_a_real_service_quotes_of_its_address_is_masked(receivers: Receivers, tmp_path: Path) -> None:
    """By what the stack calls private."""

    class Quoting(Slack):
        def send(self, message: Any, address: str) -> Any:
            raise RuntimeError(f"no route to {self.url}")

    channel = Quoting(slack(receivers).url, real=True)
    page = StatusPage(tmp_path / "page.html", "Status", real=True)
    telling, journal = made(Ours({"slack": channel, "status page": page}, [channel.url]), tmp_path)
    telling.begin(ratio=600.0, after=SOON)
    telling.call(INCIDENT, roles=ROLES[:1])
    telling.settled(within=LONG)
    telling.end()
    whys = [each["why"] for each in of(journal, "message.attempt")]
    assert whys and all("no route to [redacted" in why for why in whys) and channel.url not in repr(journal.facts)


def test_without_stand_ins_every_channel_of_the_plan_has_to_be_real(receivers: Receivers, tmp_path: Path) -> None:
    """Else nothing is sent at all; in an attended run the bridge is there."""
    stack = Ours({"slack": slack(receivers), "status page": StatusPage(tmp_path / "page.html", "Status", real=True)})
    telling, journal = made(stack, tmp_path, planned=PLAN.communication)
    with pytest.raises(Refused, match="by bridge, e-mail, teams: on this stack that is neither real nor") as caught:
        telling.begin(ratio=1.0, after=SOON)
    assert "docs/add-a-stack.md" in caught.value.hint and not journal.facts and not telling.begun
    attended, journal = made(stack, tmp_path, planned=PLAN.communication, attended=True)
    with pytest.raises(Refused, match="by e-mail, teams: on this stack"):
        attended.begin(ratio=1.0, after=SOON)


@pytest.mark.parametrize("attended", [False, True])
def test_a_sabotage_never_reaches_people(attended: bool, receivers: Receivers, tmp_path: Path) -> None:
    """Neither by what the stack names, nor by people at the terminal."""
    page = StatusPage(tmp_path / "page.html", "Status", real=True)
    stack = Ours({} if attended else {"slack": slack(receivers), "status page": page})
    telling, journal = made(stack, tmp_path, telling="EXERCISE missing", attended=attended)
    with pytest.raises(Refused, match="is real here, and a sabotage that tells people wrongly would reach them"):
        telling.begin(ratio=1.0, after=SOON)
    assert not journal.facts and receivers.came_in("slack") == []


def test_nothing_breaks_what_people_are_reached_by(receivers: Receivers) -> None:
    """Also where the same service is simulated beside it."""
    with pytest.raises(Unable, match="slack is real here"):
        BreakChannel("slack", "down").prepare(Ours({"slack": slack(receivers)}))


@pytest.mark.parametrize(
    ("channels", "what"),
    [
        ({"slack": Slack("http://127.0.0.1:9/hidden")}, "`real_channels` names slack, which is no real channel"),
        ({"slack": "https://hooks.example/hidden"}, "names slack, which is no real channel"),
        (
            {"teams": Slack("https://hooks.example/hidden", real=True)},
            "names teams, and that is a channel of the kind slack",
        ),
    ],
)
def test_what_is_no_real_channel_is_refused(channels: Any, what: str) -> None:
    """And its address is not repeated."""
    with pytest.raises(Refused, match=what) as caught:
        real_channels(Ours(channels))
    assert "docs/add-a-stack.md" in caught.value.hint and "hidden" not in str(caught.value)


@pytest.mark.parametrize("words", ["a word", ["", "x"], [None]])
def test_private_words_are_words(words: Any) -> None:
    """One that is empty, or no list, would mask nothing, or all."""
    with pytest.raises(Refused, match="`private` is no sequence of words"):
        kept_out(Ours({}, words))
    assert kept_out(Ours({}, ["hidden"], ["password"])) == ["password", "hidden"]


def test_a_dry_run_says_what_is_real() -> None:
    """First of all, and with each recipient."""
    drill = next(each for each in PROJECT.drills() if each.name == "communications")
    lines = messages(PROJECT, PLAN, drill.scenarios, real=["slack"])
    assert lines[0] == "Slack is real: people will be reached"
    assert "all channels but slack are simulated:" in lines[1]
    assert any("technical lead: by slack, after 2 min by teams (simulated)" in line for line in lines)
    lines = messages(PROJECT, PLAN, drill.scenarios, real=["slack"], stands_in=False)
    assert any("technical lead: by slack, after 2 min by teams (not on this stack)" in line for line in lines)
    lines = messages(PROJECT, PLAN, drill.scenarios, attended=True)
    assert "is called by you" in lines[0] and any("after 2 min more by bridge" in line for line in lines)
    assert not any("bridge (simulated)" in line for line in lines)
    assert messages(PROJECT, replace(PLAN, communication=ONLY_SLACK), drill.scenarios, attended=True)[0] == (
        "messages as they would go out, roles for people; every channel is simulated, and none leaves the stack:"
    )
    assert said([]) == [] == [each for kind in KINDS.values() for each in by_which(kind)]


OWN = """
from pathlib import Path

from harness.communications.channels.slack import Slack
from harness.stacks import Condition, PlainRegion
from harness.stacks.capabilities.messaging import Reaching
from harness.system.command import Commands


class STACK:
    kind, environment, capabilities = "ours", "staging", (Reaching,)
    regions, secrets = (PlainRegion("here"),), ()
    components = logs = parts = lambda self: {{}}
    start = stop = lambda self: None
    steady = lambda self: [Condition("up", ok=True, seen="up")]
    real_channels = lambda self: {{"slack": {slack}}}
    private = lambda self: [{private}]

    def __init__(self, folder, *, recorder, label, scale=1.0, broken=None):
        self.folder, self.commands = folder, Commands(recorder, label=label)

    @classmethod
    def attach(cls, folder, *, recorder):
        return cls(folder, recorder=recorder, label="ours")
"""
GOOD, HIDDEN = "Slack('https://hooks.example/hidden', real=True)", "'hidden'"
GONE = "Path('/nonexistent').read_text()"


def own(folder: Path, name: str, slack: str, private: str = HIDDEN) -> Kind:
    """A kind of stack that a project brings."""
    (folder / f"{name}.py").write_text(OWN.format(slack=slack, private=private))
    return Kind("ours", "staging", name, folder)


def test_a_projects_own_stack_is_asked_before_a_run(tmp_path: Path) -> None:
    """One that is made and not started says what is real; its private words are masked, also by whoever heals."""
    kind = own(tmp_path, "ours_good", GOOD)
    assert by_which(kind) == ["slack"] and not (tmp_path / STACK_FOLDER).exists()
    assert kind.maker.secrets_left(tmp_path) == ["hidden"]


@pytest.mark.parametrize(
    ("name", "slack", "private", "what"),
    [
        ("ours_not_real", "Slack('http://127.0.0.1:9/hidden')", HIDDEN, "slack, which is no real channel"),
        ("ours_no_url", f"Slack({GONE}, real=True)", HIDDEN, r"ours_no_url.py:\d+: FileNotFoundError"),
        ("ours_no_words", GOOD, GONE, r"ours_no_words.py:\d+: FileNotFoundError"),
    ],
)
def test_what_a_projects_stack_names_wrongly_is_one_error(
    name: str, slack: str, private: str, what: str, tmp_path: Path
) -> None:
    """Before a run begins, with its line; whoever heals goes on without the words."""
    kind = own(tmp_path, name, slack, private)
    for ask in (lambda: by_which(kind), lambda: kind.maker.prepare(print)):
        with pytest.raises(Refused, match=what):
            ask()
    assert kind.maker.secrets_left(tmp_path) == (None if private == GONE else ["hidden"])


def test_a_twin_that_tells_wrongly_is_refused_where_people_would_read_it(tmp_path: Path) -> None:
    """Before anything begins; another twin is not."""
    kind = own(tmp_path, "ours_sabotaged", GOOD)
    twins = [each for each in PROJECT.all_twins() if each.sabotage.telling]
    assert twins
    with pytest.raises(Refused, match="slack is real on stacks of the kind ours: people would be told wrongly"):
        must_be_breakable(twins[:1], kind, None)
    must_be_breakable([replace(twins[0], sabotage=Sabotage())], kind, None)


def test_who_is_called_by_people_or_by_what_is_real_has_real_time(receivers: Receivers, tmp_path: Path) -> None:
    """Where nobody can answer, an exercise may let an hour pass in a minute."""
    page = {"status page": StatusPage(tmp_path / "page.html", "Status", real=True)}
    assert not made(Ours(page), tmp_path)[0].by_people
    assert made(Ours({"slack": slack(receivers)}), tmp_path)[0].by_people
    assert made(Ours({}), tmp_path, attended=True)[0].by_people


def test_people_and_stand_ins_together(told: Callable[[str], tuple[Communications, Memory]], tmp_path: Path) -> None:
    """Attended: the bridge is people's, all else is simulated; a yes is recorded as a person's, and no number is."""
    (tmp_path / CONTROL).mkdir()
    telling, journal = told("")
    telling._run.options.attended = True
    telling._plan = replace(PLAN.communication, channels=PLAN.communication.channels[2:])
    telling.begin(ratio=1.0, after=SOON)
    telling.call(INCIDENT, roles=ROLES[:1])
    telling.tell("initial", INCIDENT, groups=GROUPS)
    (task,) = wait.poll(lambda: tasks.open_tasks(tmp_path), within=LONG)
    assert "+1-555-0101" in task.does and "+1-555-0199" in task.does
    tasks.answer(tmp_path, task, Decision("yes", by="Mira"))
    assert telling.settled(within=LONG)
    telling.call(INCIDENT, roles=ROLES[1:2])
    assert wait.poll(lambda: tasks.open_tasks(tmp_path), within=LONG)
    telling._made.sender.stop()
    telling.end()
    assert list((tmp_path / CONTROL).iterdir()) == []
    (begin,) = of(journal, "communications.begin")
    assert begin["real"] == ["bridge"] and "bridge" not in begin["simulated"] and begin["attended"]
    (known,) = of(journal, "message.acknowledged")
    assert (known["attended"], known["said_by"], known["channel"]) == (True, "Mira", "bridge")
    assert {each["service"] for each in of(journal, "message.received")} == {"e-mail", "status page"}
    assert "+1-555" not in repr(journal.facts)


def test_a_real_channel_takes_the_place_of_a_simulated_one(
    told: Callable[[str], tuple[Communications, Memory]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of no other."""
    elsewhere = Receivers(tmp_path / "elsewhere")
    telling, journal = told("")
    stack: Any = telling._run.stack
    monkeypatch.setattr(stack, "real_channels", lambda: {"slack": slack(elsewhere)}, raising=False)
    monkeypatch.setattr(stack, "private", lambda: [slack(elsewhere).url], raising=False)
    assert isinstance(stack, Reaching)
    telling.begin(ratio=60.0, after=SOON)
    telling.call(INCIDENT)
    telling.settled(within=LONG)
    telling.end()
    elsewhere.stop()
    assert len(elsewhere.came_in("slack")) >= len(ROLES)
    assert "slack" not in {each["service"] for each in of(journal, "message.received")}
    known = of(journal, "message.acknowledged")
    assert known and {each["channel"] for each in known} <= {"teams", "bridge"}
    assert {each["attended"] for each in known} == {False}
