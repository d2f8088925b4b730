"""What the journal says of messages, as the checks of them need it: who was told what, when, and what became of it.

Lengths of the incident are real ones times the `ratio` of its clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Line, Unsound, seconds

NOBODY_ASKED = "nobody says what came in at the services"
TAKEN = "taken by the service"  # a real one: what comes of a message then is seen by nobody but people


@dataclass(frozen=True)
class Told:
    """One message to one role or group, with all that was tried. `about`: what the tries and answers name it by."""

    line: Line
    attempts: tuple[Line, ...]
    acknowledged: Line | None

    @property
    def about(self) -> str:
        return str(self.line.data["message"])

    @property
    def whom(self) -> str:
        return str(self.line.data["whom"])

    def by(self, channel: str) -> list[Line]:
        """The tries of one channel."""
        return [line for line in self.attempts if line.data["channel"] == channel]

    def taken_by(self, channel: str) -> Line | None:
        """The try that the channel took; None where it took none, or where nobody knows."""
        return next((line for line in self.by(channel) if line.data["ok"] is True), None)


@dataclass(frozen=True)
class Messages:
    """All of one scenario. `begin` is the line that says what the plan wants."""

    evidence: Evidence
    begin: Line
    told: tuple[Told, ...]  # without those that went on to deputies

    @classmethod
    def of(cls, evidence: Evidence) -> Messages:
        """Errors: `Unsound` where nobody was to be told anything."""
        begin = evidence.first("communications.begin")
        if begin is None:
            raise Unsound("nobody was to be told anything")
        attempts, answers = evidence.all("message.attempt"), evidence.all("message.acknowledged")
        found = []
        for line in evidence.all("message"):
            if not line.data["instead_of"]:
                about, whom = line.data["message"], line.data["whom"]
                tried = tuple(each for each in attempts if (each.data["message"], each.data["role"]) == (about, whom))
                said = (each for each in answers if (each.data["message"], each.data["role"]) == (about, whom))
                found.append(Told(line, tried, next(said, None)))
        return cls(evidence, begin, tuple(found))

    @property
    def ratio(self) -> float:
        return float(self.begin.data["ratio"])

    @property
    def roles(self) -> list[str]:
        return list(self.begin.data["roles"])

    @property
    def groups(self) -> dict[str, list[str]]:
        return dict(self.begin.data["groups"])

    def kind(self, what: str, whom: str = "") -> list[Told]:
        """In order; to anybody where nobody is named."""
        return [each for each in self.told if each.line.data["what"] == what and whom in ("", each.whom)]

    def planned(self, begin: int, end: int) -> float:
        """Seconds of the incident between two readings of the clock."""
        return seconds(end - begin) * self.ratio

    def lost(self, taken: Line) -> str:
        """Why a message that a service said it took is not there; empty where it is. Errors: `Unsound`.

        Of a real service nobody knows what came in, and nothing is called lost for that."""
        if taken.data["real"]:
            return ""
        came_in = self.evidence.all("message.received")
        if not came_in:
            raise Unsound(NOBODY_ASKED)
        if not taken.data["receipt"]:  # of a page: it shows all that it has
            shown = [each for each in came_in if each.data["service"] == taken.data["channel"]]
            return "" if shown else "shows nothing of it"
        kept = [each.data["kept"] for each in came_in if each.data["receipt"] == taken.data["receipt"]]
        return (
            "" if any(kept) else "said that it took it, and lost it" if kept else "said that it took it: none came in"
        )

    def real(self, channel: str) -> bool:
        """Whether people are reached by it: then what is known ends with what the service said."""
        attempts = self.evidence.all("message.attempt")
        return any(line.data["real"] for line in attempts if line.data["channel"] == channel)

    def clock(self) -> str:
        """What every length of the incident has to say."""
        return "in real time" if self.ratio == 1 else f"by the incident's clock, {self.ratio:g} times as fast"


def failed_to_tell(messages: Messages, told: Told, channels: Sequence[str]) -> list[str]:
    """By which of these it did not arrive, in words."""
    wrong = []
    for channel in channels:
        taken = told.taken_by(channel)
        if taken is None:
            tried = told.by(channel)
            why = f": {tried[-1].data['why']}" if tried else ", which was never tried"
            wrong.append(f"{told.whom} were not told by {channel}{why}")
        elif why := messages.lost(taken):
            wrong.append(f"{told.whom}: {channel} {why}")
    return wrong


def right_or_wrong(evidence: Evidence, expected: Expectation, title: str, wrong: Sequence[str], words: str) -> Finding:
    """MISSED with all that is wrong, else MET."""
    if wrong:
        return expected.finding_of(evidence, title, Outcome.MISSED, "; ".join(wrong))
    return expected.finding_of(evidence, title, Outcome.MET, words)
