"""Recoveries that are broken on purpose: a drill must not come out green on any of them.

A sabotage changes how a scenario is *recovered* or what it stands on, in one named way; never how it is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from harness.stacks.capabilities.backups import BaseBackups, Damageable, Kept, ObjectStore
from harness.stacks.capabilities.database import Delayable, Switched
from harness.stacks.capabilities.messaging import Interruptible, Messaged
from harness.stacks.capabilities.pages import Corruptible, Paged
from harness.stacks.capabilities.sabotage import Deafenable, Overruled, Stallable, Unfenced
from harness.stacks.needs import Need, flat

TELLING = (
    "wrong contact", "update forgotten", "EXERCISE missing", "resolution too soon", "fallback off", "message lost",
)  # fmt: skip  # a list


@dataclass(frozen=True)
class Sabotage:
    """What is broken. The empty one breaks nothing."""

    stack: Mapping[str, Any] = field(default_factory=dict)  # what of it is made otherwise, by the names of its kind
    archive_stalls: bool = False  # from the moment customers are served
    receiver_lost: bool = False  # from that moment on no alert arrives
    unfenced: bool = False  # nobody takes the lead from a leader that is cut off
    brief: bool = False  # the fault ends by itself as soon as it has bitten
    idle: bool = False  # no customers
    toothless: bool = False  # the fault is replaced by one that does nothing
    no_sound_backup: bool = False  # every base backup is damaged for good, unnoticed
    without: frozenset[str] = frozenset()  # phases or steps of the procedure that are left out
    altered: bool = False  # somebody changes what is stored, once the recovered database serves
    rows_damaged: bool = False  # rows are lost with the index that leads to them, unnoticed
    unlooked: frozenset[str] = frozenset()  # what no backup is looked at for before it is taken for sound
    copies_damaged: bool = False  # the same page of every copy is damaged too, unnoticed
    handed_back: bool = False  # once all is repaired, the lead goes back to who led before
    hidden: bool = False  # what cannot be read is shown as empty, instead of being repaired
    silent: bool = False  # a recovery that ends early does not say so
    replay_stopped: bool = False  # the second region receives all, and replays nothing
    falls_short: bool = False  # the same, and what it lacks is so little that it is promoted with that
    one_asked: bool = False  # one service of the second region is asked whether it is ready, for all of them
    looks_whole: bool = False  # the lost region leads, and then follows because both histories have one number
    replica_trusted: bool = False  # nobody looks at a replica, and it leads because it streams
    never_resolve: bool = False  # customers whose resolvers lie never ask again what a name stands for
    telling: str = ""  # how people are told wrongly: one of `TELLING`
    restore: str = ""  # how what is restored beside is broken: one of `harness.restores.broken.WAYS`
    earlier: timedelta = timedelta(0)  # the recovery point is ordered that much too early

    def of_stack(self) -> list[str]:
        """What of it a stack does not get over: it is made so, or stays so. Empty where a stack is as it was."""
        kept = {
            "a stack that is made otherwise": self.stack,
            "archiving that stalls": self.archive_stalls,
            "a lost alert receiver": self.receiver_lost,
            "damaged backups": self.no_sound_backup,
            "altered data": self.altered,
            "damaged rows": self.rows_damaged,
            "damaged copies": self.copies_damaged,
            "a server that hides damage": self.hidden,
            "a service that loses messages": self.telling == "message lost",
            "a region that replays nothing": self.replay_stopped or self.falls_short,
            "a replica that leads unseen": self.replica_trusted,
            "two regions that lead": self.looks_whole
            or bool(self.without & {"demote-the-second-region", "fence-the-lost-region"}),
        }
        return [what for what, is_so in kept.items() if is_so]

    @property
    def beside_alone(self) -> bool:
        """Whether only a copy that is restored beside is broken: then a platform that stands may be proved so."""
        return self == Sabotage(restore=self.restore)

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it takes of a stack to be broken so, besides what the scenario needs."""
        asked = (
            (self.archive_stalls, (Stallable,)),
            (self.receiver_lost, (Deafenable,)),
            (self.unfenced, (Unfenced,)),
            (self.no_sound_backup, (BaseBackups, ObjectStore, Damageable)),
            (self.rows_damaged, (Paged, Corruptible)),
            (self.copies_damaged, (Paged, Corruptible)),
            (self.handed_back, (Switched,)),
            (self.replay_stopped or self.falls_short, (Delayable,)),
            (self.looks_whole, (Overruled,)),
            (bool(self.telling), (Messaged, Interruptible)),
            (bool(self.restore), (Kept,)),
        )
        return flat(each for wanted, needed in asked if wanted for each in needed)


NONE = Sabotage()


@dataclass(frozen=True)
class Twin:
    """A scenario on a broken recovery: which finding must say what."""

    name: str
    scenario: str  # title of the scenario
    sabotage: Sabotage
    finding: str  # id of the finding that must notice
    outcomes: frozenset[str]  # what it may say
    why: str  # in a sentence
