"""What pytest has collected, against what the features say: all of it, each scenario once, or nothing is begun.

pytest-bdd keeps one scenario per title, a test module may be missing or bind a feature twice, and a later test of the
same name in a module hides an earlier one; so what will be run is counted here, as a list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from pytest_bdd.parser import ScenarioTemplate
from pytest_bdd.scenario import scenario_wrapper_template_registry

from harness.errors import Refused
from harness.features.catalog import Drill, Scenario, name_of

Key = tuple[str, str]  # the drill's name, and the scenario's


def key_of(item: pytest.Item) -> Key | None:
    """Which scenario a test is, examples filled in; None where it is none."""
    template = _template(item)
    if template is None:
        return None
    examples = item.callspec.params.get("_pytest_bdd_example", {}) if hasattr(item, "callspec") else {}
    return Path(template.feature.filename).stem.replace("_", "-"), name_of(template.render(examples).name)


def scenarios(announced: Iterable[Drill], *, drills: str = "", only: str = "") -> dict[Key, Scenario]:
    """The scenarios that are meant: of these drills (by name, with commas between), and of this title.

    Errors: `Refused` where there is no such drill, or no such scenario in them.
    """
    built = {drill.name: drill for drill in announced}
    names = drills.split(",") if drills else list(built)
    if strange := [name for name in names if name not in built]:
        raise Refused(f"there is no drill {strange[0]!r}", hint=f"there are: {', '.join(built)}")
    found = {(name, scenario.name): scenario for name in names for scenario in built[name].scenarios}
    kept = {key: scenario for key, scenario in found.items() if not only or scenario.name == name_of(only)}
    if not kept:
        raise Refused(
            f"there is no scenario {only!r} in {', '.join(names)}",
            hint="; ".join(scenario.title for scenario in found.values()),
        )
    return kept


def mark_by_cadence(items: Iterable[pytest.Item], announced: Iterable[Drill]) -> None:
    """`-m monthly` chooses by the folder in which a feature lies, whatever its tags are."""
    cadences = {drill.name: drill.cadence for drill in announced}
    for item in items:
        if key := key_of(item):
            item.add_marker(cadences[key[0]])


def must_be_announced(items: Sequence[pytest.Item], announced: Sequence[Drill]) -> None:
    """What was collected are the scenarios of the features, each of them once.

    Errors: `Refused`, naming where it is written, or which tests it is.
    """
    places = {(drill.name, one.name): f"{drill.feature}:{one.line}" for drill in announced for one in drill.scenarios}
    tests: dict[Key, list[str]] = {}
    for item in items:
        if key := key_of(item):
            tests.setdefault(key, []).append(item.nodeid)
    for key, ids in tests.items():
        if key not in places:
            raise Refused(
                f"{ids[0]} runs {key[1]} of {key[0]}, which is in no feature that is announced",
                hint="a feature lies in <features>/<cadence>/; docs/write-a-drill.md",
            )
        if len(ids) > 1:
            raise Refused(
                f"{places[key]}: {len(ids)} tests run this scenario: {', '.join(ids)}",
                hint="one of the features was read twice: a plugin of pytest's, or something in its environment",
            )
    if missing := [place for key, place in places.items() if key not in tests]:
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise Refused(
            f"{missing[0]}: no test runs this scenario{more}",
            hint="its test has the name of another one's: give the scenario another title",
        )


def asked_for(words: Iterable[str], items: Iterable[pytest.Item], announced: Iterable[Drill]) -> list[pytest.Item]:
    """The tests that words of pytest's command line mean: a folder of features, a feature, or a test by its id.

    What is no scenario is left as it is.
    """
    features = {drill.name: drill.feature.resolve() for drill in announced}
    asked = [(Path(path).resolve(), test) for path, _, test in (word.partition("::") for word in words)]
    return [
        item
        for item in items
        if (key := key_of(item)) is None
        or any(features[key[0]].is_relative_to(path) for path, _ in asked)
        or any(path == item.path.resolve() and test in ("", item.name) for path, test in asked)
    ]


def must_be_all(items: Sequence[pytest.Item], wanted: Iterable[Key]) -> None:
    """What is left to be run is exactly what was asked for. Errors: `Refused`."""
    differs = Counter(list(wanted))
    differs.subtract(key for item in items if (key := key_of(item)))
    if wrong := [key for key, times in differs.items() if times]:
        raise Refused(
            f"{wrong[0][1]} of {wrong[0][0]} was asked for, and pytest would leave it out or run it twice",
            hint="something else chooses, too, such as PYTEST_ADDOPTS, a plugin or -k: take it away",
        )


def _template(item: pytest.Item) -> ScenarioTemplate | None:
    function = getattr(item, "obj", None)
    return scenario_wrapper_template_registry.get(function) if function is not None else None
