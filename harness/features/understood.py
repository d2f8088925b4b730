"""Whether the steps say what the sentences mean: of those that are imported, as `drills.steps.load` does."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_bdd.steps import step_function_context_registry

from harness.errors import Refused
from harness.features.catalog import Drill, Scenario
from harness.system.lookalikes import RETYPE, unseen


def unknown(scenario: Scenario) -> tuple[str, ...]:
    """The sentences that no step is written for."""
    return tuple(each.text for each in scenario.sentences if not _understood(each.kind, each.text))


def must_be_understood(chosen: Iterable[Drill]) -> None:
    """Errors: `Refused` naming the sentences that no step is written for; nothing was begun then."""
    for drill in chosen:
        strange = sorted({sentence for scenario in drill.scenarios for sentence in unknown(scenario)})
        if strange:
            odd_in = {sentence: unseen(sentence) for sentence in strange}
            listed = "; ".join(f"{each} (there is {odd_in[each]})" if odd_in[each] else each for each in strange)
            mend = RETYPE if any(odd_in.values()) else "write it in drills/steps, or mend the sentence"
            raise Refused(
                f"{drill.feature}: no step says what this means: {listed}", hint=f"{mend}; docs/write-a-drill.md"
            )


def _understood(kind: str, text: str) -> bool:
    steps = step_function_context_registry.values()
    return any(step.type in (None, kind) and step.parser.is_matching(text) for step in steps)
