"""What the till's drills say besides what is true of any platform: who leads its database dies, and its owner acts."""

from __future__ import annotations

from harness.faults.kill_component import KillComponent
from harness.features.sentences import Sentences
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, FailsOver

SENTENCES = Sentences()


@SENTENCES.when("who leads the database dies", needs=(Cluster, KillComponent))
def _dies(scenario):
    scenario.faults.inject(KillComponent((scenario.leader.before.name,)))


@SENTENCES.when("its owner fails over", needs=(FailsOver,))
def _fails_over(scenario):
    need(scenario.stack, FailsOver).fail_over()
