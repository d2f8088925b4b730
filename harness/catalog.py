"""Which drills there are: the features, read but not run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.feature import get_features
from pytest_bdd.scenario import collect_example_parametrizations
from pytest_bdd.steps import step_function_context_registry

from harness.errors import Refused
from harness.lookalikes import RETYPE, unseen


@dataclass(frozen=True)
class Scenario:
    """One scenario, examples filled in."""

    name: str  # "an-operators-mistake": the folder in a pack
    title: str  # "An operator's mistake"
    tags: tuple[str, ...]
    sentences: tuple[str, ...]
    unknown: tuple[str, ...]  # sentences that no step is written for, among the steps that are imported


@dataclass(frozen=True)
class Drill:
    """One feature of the calendar."""

    name: str  # "database-backup-restoration"
    cadence: str  # monthly, quarterly, annual
    title: str
    feature: Path
    scenarios: tuple[Scenario, ...]


def slug(title: str) -> str:
    """`An operator's mistake` as `an-operators-mistake`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower().replace("'", "")).strip("-")


def drills(features: Path) -> list[Drill]:
    """Every feature below `features/<cadence>/`, in order of name.

    Errors: `Refused` naming the file and line that cannot be read.
    """
    found = []
    for path in sorted(features.glob("*/*.feature")):
        try:
            feature = get_features([str(path)])[0]
        except GherkinParseError as error:
            odd = unseen(str(error.line_content))
            hint = f"{RETYPE if odd else 'mend the Gherkin'}; docs/write-a-drill.md"
            named = f" (there is {odd})" if odd else ""
            raise Refused(f"{path}:{error.line}: {error.message}{named}", hint=hint) from None
        except KeyError:  # of the parser: a file without a feature
            raise Refused(f"{path}: holds no feature", hint="begin it with Feature: docs/write-a-drill.md") from None
        except (UnicodeDecodeError, OSError) as error:
            raise Refused(f"{path}: {error}", hint="a feature is a UTF-8 text file") from None
        scenarios = []
        for template in feature.scenarios.values():
            parametrized = collect_example_parametrizations(template)
            examples: list[Any] = [one.values[0] for one in parametrized] if parametrized else [{}]
            for example in examples:
                rendered = template.render(example)
                scenarios.append(
                    Scenario(
                        name=slug(rendered.name),
                        title=rendered.name,
                        tags=tuple(sorted(template.tags | feature.tags)),
                        sentences=tuple(f"{step.keyword} {step.name}" for step in rendered.steps),
                        unknown=tuple(step.name for step in rendered.steps if not _understood(step.type, step.name)),
                    )
                )
        found.append(
            Drill(path.stem.replace("_", "-"), path.parent.name, feature.name or path.stem, path, tuple(scenarios))
        )
    return found


def must_be_understood(chosen: Iterable[Drill]) -> None:
    """Errors: `Refused` naming the sentences that no step is written for; nothing was begun then."""
    for drill in chosen:
        unknown = sorted({sentence for scenario in drill.scenarios for sentence in scenario.unknown})
        if unknown:
            odd_in = {sentence: unseen(sentence) for sentence in unknown}
            listed = "; ".join(f"{each} (there is {odd_in[each]})" if odd_in[each] else each for each in unknown)
            mend = RETYPE if any(odd_in.values()) else "write it in drills/steps, or mend the sentence"
            raise Refused(
                f"{drill.feature}: no step says what this means: {listed}", hint=f"{mend}; docs/write-a-drill.md"
            )


def _understood(kind: str, text: str) -> bool:
    steps = step_function_context_registry.values()
    return any(step.type in (None, kind) and step.parser.is_matching(text) for step in steps)
