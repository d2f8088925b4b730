"""Whether a component does its work, where no project says how: by all that the stack lets be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from harness.scenario.health import ONLY_RUNS, PLAIN, NotHealthy
from harness.stacks import Condition, PlainRegion, Stack

TWO = "db-1 and db-2 lead"


class Part:
    """A component that only runs, or does not."""

    def __init__(self, name: str, *, runs: bool = True) -> None:
        self.name, self.runs = name, runs

    def running(self) -> bool:
        return self.runs


class Asked(Part):
    """One that says how it is asked."""

    door = ("10.0.0.1", 80)

    def __init__(self, name: str, wrong: str = "") -> None:
        super().__init__(name)
        self.wrong = wrong

    def ask(self) -> None:
        if self.wrong:
            raise ConnectionError(self.wrong)


class Servers:
    """A database cluster: as much of one as is looked at."""

    def __init__(self, *, leader: str, seen: Sequence[Condition]) -> None:
        self.members = [Asked("db-1"), Asked("db-2")]
        self.led, self.seen = leader, seen

    def leader(self) -> Part | None:
        return next((one for one in self.members if one.name == self.led), None)

    def healthy(self) -> Sequence[Condition]:
        return self.seen

    def connect(self, member: Any = None, *, database: str = "") -> None:
        raise AssertionError("nobody connects")


class Platform:
    """A stack of such parts."""

    def __init__(self, *parts: Part, servers: Servers | None = None) -> None:
        self.parts = {one.name: one for one in [*parts, *(servers.members if servers else ())]}
        self.regions = [PlainRegion("here", ("a",), [servers] if servers else [])]

    def components(self) -> Mapping[str, Part]:
        return self.parts


def said(stack: Platform, name: str) -> str:
    """What shows that it works, or why it does not."""
    try:
        return PLAIN.works(cast(Stack, stack), name)
    except NotHealthy as error:
        return f"not: {error.message}"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Part("api-a"), ONLY_RUNS),
        (Part("api-a", runs=False), "not: does not run"),
        (Asked("api-a"), "runs, and answers a real request"),
        (Asked("api-a", "api health: HTTP 503"), "not: runs, and does not answer as it must: api health: HTTP 503"),
    ],
)
def test_what_says_how_it_is_asked_is_asked(part: Part, words: str) -> None:
    """Of what does not, the words say that only its running was looked at."""
    assert said(Platform(part), "api-a") == words


@pytest.mark.parametrize(
    ("leader", "seen", "words"),
    [
        ("db-2", [("leader", True, "db-2 leads"), ("db-1 replicates", True, "streaming")], "replicates (streaming)"),
        ("db-2", [("leader", True, "db-2 leads"), ("db-1 replicates", False, "it receives nothing")],
         "not: runs, and does not replicate: it receives nothing"),
        ("db-1", [("leader", True, "db-1 leads"), ("db-2 replicates", True, "streaming")], "and leads"),
        ("", [("leader", False, TWO)], f"not: runs, but {TWO}"),
        ("db-2", [("leader", True, "db-2 leads")], "not: runs, and neither leads nor replicates"),
    ],
)  # fmt: skip  # a table
def test_a_database_server_is_back_with_its_part_in_the_database(
    leader: str, seen: list[tuple[str, bool, str]], words: str
) -> None:
    """One that leads a second history runs, and answers: it is not back."""
    servers = Servers(leader=leader, seen=[Condition(name, ok=ok, seen=what) for name, ok, what in seen])
    assert words in said(Platform(servers=servers), "db-1")
