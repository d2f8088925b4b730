"""The head of a scenario on the page: why it is not MET stands right under it, before all figures; and its title."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reports import pack as packs
from reports import verdicts
from reports.run import root_cause
from reports.run.features import titles
from reports.run.moments import clock_of, when, words_of
from reports.run.story import after
from tests.sample_pack import Plot, write
from tests.test_reports import PLOTS, page_of


def test_why_it_is_not_met_stands_before_the_cards(tmp_path: Path) -> None:
    """Each finding that counts and is not MET, the worst first, two leaders before all; of a MET one nothing."""
    for name, plots in PLOTS.items():
        folder = write(tmp_path / name, *plots)
        said = json.loads((folder / "findings.json").read_text())
        page = page_of(folder)
        for scenario in packs.read(folder).scenarios:
            found = verdicts.against(scenario)
            assert [str(each.outcome) for each in found] == sorted(str(each.outcome) for each in found)
            for each in found:
                assert page.index(each.title or each.id) < page.index('class="cards"')
        assert ('class="against"' in page) == any(
            not each.get("advisory") and each["outcome"] != "MET" for each in said["findings"]
        )


def test_a_drill_is_called_as_its_feature_calls_it(tmp_path: Path) -> None:
    """And not by what its file is called."""
    folder = tmp_path / "features" / "monthly"
    folder.mkdir(parents=True)
    (folder / "api_hangs.feature").write_text("Feature: API Hangs\n  Scenario: one\n    Given it\n")
    (folder / "no_words.feature").write_text("none\n")
    assert titles(tmp_path) == {"api-hangs": "API Hangs"}


def test_what_a_step_had_nothing_to_say_for_is_left_out() -> None:
    """`named by alerts: ;` says nothing to anybody; a number that is nought does."""
    facts = {"named by alerts": [], "failed": ["api-a"], "waited": 0, "why": ""}
    said = words_of("step.end", {"name": "find", "ok": True, "facts": facts}, "timeline")
    assert said == "step “find” done (failed: api-a; waited: 0)"


def test_a_healing_has_one_time_wherever_it_is_told(tmp_path: Path) -> None:
    """When it was healed at the latest, and not when its proof was there, which takes seconds more."""
    folder = write(tmp_path / "pack", Plot())
    journal = folder / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    healed = next(line for line in lines if line["kind"] == "fault.healed")
    healed["data"].update(earliest=healed["mono"] - 5_000_000_000, latest=healed["mono"] - 4_000_000_000)
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (scenario,) = packs.read(folder).scenarios
    fact, clock = scenario.facts.of("fault.healed")[0], clock_of(scenario)
    assert clock is not None and when(fact, clock)[0] == pytest.approx(clock.at(fact) - 4)
    said = root_cause.document(packs.read(folder), scenario)
    assert len(re.findall(rf"{re.escape(after(when(fact, clock)[0]))}\b.*", said)) == 2
    assert f"{after(clock.at(fact))}: " not in said
