"""The features of a proposal: what can happen to its components, in sentences that are true of any platform."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.stacks.attached.proposed.guesses import DATABASE
from harness.stacks.attached.proposed.proposal import Part, Proposal

BEGIN = ("Given the platform serves customers", "And customers write")
RECOVERED = "Then customers are served again within the recovery time of the platform"
NOTHING_LOST = "And nothing that was acknowledged is lost"
LITTLE_LOST = "And no more is lost this time than the recovery point of the platform allows"
HEALTHY = "And every health check answers within the time that the plan gives it"
VERIFIED = "When the health of the platform is verified"
TOLD = "And the monitoring tells operations what has failed, within the time that the plan gives"
BY_WHAT_IS_LEFT = "Then customers are served by what is left, without a person"
BY_ITSELF = "Then customers are served again by the platform itself"


LEADER_DIES = f"""
  # The leader dies, and another one leads: take the "# " of the lines below away, once stack.yaml has what you FILL IN:
  # - database: failover: how its owner has another server lead; where that happens by itself, leave the sentence "the
  #   database is failed over as its owner does it" out
  # - that a server that led comes back as a copy (returns: as a copy); where it does not, leave "what has failed is
  #   started again" and "who led before is a copy again" out: it stays down, and waits for a person
  #
  # @OBJ-1 @OBJ-2 @SUP-1 @APP-1
  # Scenario: the leader dies, and another leads
  #   {BEGIN[0]}
  #   {BEGIN[1]}
  #   And every database server is asked who leads, all the time
  #   When the database's leader dies
  #   And the database is failed over as its owner does it
  #   Then another database server leads
  #   When what has failed is started again
  #   Then who led before is a copy again
  #   {VERIFIED}
  #   {RECOVERED}
  #   {LITTLE_LOST}
  #   And no two database servers led at one time
  #   {HEALTHY}
"""


@dataclass(frozen=True)
class Feature:
    """One drill. `demand`: of its entry in the calendar."""

    drill: str
    title: str
    demand: str
    about: str
    scenarios: Sequence[str]
    proposed: str = ""  # a scenario that needs something filled in, as comments

    @property
    def file(self) -> str:
        return f"{self.drill.replace('-', '_')}.feature"

    @property
    def text(self) -> str:
        head = f"@monthly @{self.demand}\nFeature: {self.title}\n  {self.about}\n"
        return "\n".join([head, "\n\n".join(self.scenarios)]) + "\n" + self.proposed


def features(found: Proposal) -> list[Feature]:
    """One of the parts, and one of the database where there is one; none where nothing may be hurt."""
    stored = set(found.database.members) if found.database else set()
    roles = dict.fromkeys(part.role for part in found.hurt if part.name not in stored)
    parts = [each for role in roles for each in _of_role(found, found.of(role), stored)]
    about = "Once a month a part dies, hangs or is cut off, one after the other. One of each role: add more by copying."
    made = [Feature("part-recovery", "Part Recovery", "TST-M1", about, parts)] if parts else []
    if servers := [part for part in found.hurt if part.name in stored]:
        about = (
            "Once a month a server of the database dies, hangs or is cut off. What was acknowledged has to be there."
        )
        last = servers[-1]  # of several rather a copy; who leads is only known once it is asked
        scenarios = list(_scenarios(last, asked=True, others=len(servers) > 1, alerts=bool(found.alerts)))
        proposed = LEADER_DIES if len(servers) > 1 else ""
        made.append(Feature("database-recovery", "Database Recovery", "TST-M2", about, scenarios, proposed))
    return made


def _of_role(found: Proposal, parts: Sequence[Part], stored: set[str]) -> Iterator[str]:
    """Of the first of them, for the others are alike."""
    first, *others = [part for part in parts if part.name not in stored]
    asked = bool(first.alive)
    yield from _scenarios(first, asked=asked, others=bool(others), alerts=bool(found.alerts))


def _scenarios(part: Part, *, asked: bool, others: bool, alerts: bool) -> Iterator[str]:
    """`asked`: something shows that it hangs, or is cut off. `others`: there is another of its role."""
    yield _scenario(f"{part.name} dies", part, [
        f"When the component {part.name} dies",
        *([BY_WHAT_IS_LEFT] if others else []),
        *([TOLD if others else TOLD.replace("And", "Then", 1)] if alerts else []),
        "When what has failed is started again",
        VERIFIED.replace("When", "And", 1),
    ], alerts=alerts)  # fmt: skip  # a list
    for does, over in (("hangs", "what hangs goes on again"), ("is cut off", "what is cut off is joined again")):
        if asked:
            yield _scenario(f"{part.name} {does}", part, [
                f"When the component {part.name} {does}",
                *([BY_WHAT_IS_LEFT, f"When {over}", VERIFIED.replace("When", "And", 1)] if others else
                  [f"And {over}", BY_ITSELF, VERIFIED]),
            ])  # fmt: skip  # a list


def _scenario(title: str, part: Part, happens: Sequence[str], *, alerts: bool = False) -> str:
    lost = LITTLE_LOST if part.role == DATABASE else NOTHING_LOST
    tags = f"@OBJ-1 {'@OBJ-2' if part.role == DATABASE else '@OBJ-3'} @SUP-1 @APP-1{' @MON-1' if alerts else ''}"
    lines = [*BEGIN, *happens, RECOVERED, lost, HEALTHY]
    return "\n".join([f"  {tags}", f"  Scenario: {title}", *(f"    {line}" for line in lines)])
