"""The head of a scenario on the page: why it is not MET stands right under it, before all figures; and its title."""

from __future__ import annotations

import json
from pathlib import Path

from reports import pack as packs
from reports import verdicts
from reports.run.features import titles
from tests.sample_pack import write
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
